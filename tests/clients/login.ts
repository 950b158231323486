// A login by the client that openapi-typescript and openapi-fetch make of docs/openapi.yaml. The types are part of the test: it has to
// compile under `strict`.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const [url, application, account, password] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: url });

function must<T>(answer: { data?: T; error?: components["schemas"]["Problem"] }): T {
  if (answer.data === undefined) throw new Error(answer.error?.code ?? "no answer");
  return answer.data;
}

const begun = must(await client.POST("/v1/logins", { body: { application, password: { account, password } } }));
const path = { login: begun.login.id };
const headers = { authorization: `Bearer ${begun.login_token}` };
must(await client.POST("/v1/logins/{login}/code", { params: { path }, headers, body: {} }));
const outbox = await (await fetch(`${url}/_local/outbox`, { headers: { accept: "application/json" } })).json();
const code = /\d{6}/.exec(outbox.at(-1).body)![0];
const wrong = await client.POST("/v1/logins/{login}/verification", {
  params: { path }, headers, body: { code: code === "000000" ? "000001" : "000000" },
});
if (wrong.error?.code !== "wrong_code") throw new Error("a wrong code is taken");
const done = must(await client.POST("/v1/logins/{login}/verification", { params: { path }, headers, body: { code } }));
if (done.login.status !== "complete" || !done.tokens?.access_token) throw new Error(JSON.stringify(done));
