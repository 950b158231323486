// The public API, and nothing else: whatever the console does is one call that anybody with the same key can make.

/** Why a call did not do what it should: a problem document, or no answer at all. */
export class Problem extends Error {
  constructor(status, document) {
    super(document.detail ?? "The service did not answer as expected.");
    this.status = status;
    this.code = document.code ?? "no_answer";
    this.field = document.field;
    this.rule = document.rule;
    this.requestId = document.request_id;
  }
}

let whenSignedOut = async () => false;
/** `handler` is asked to sign in anew when a session is over; the call is made again if it could. */
export function onSignedOut(handler) {
  whenSignedOut = handler;
}

async function send(method, path, body, headers) {
  const options = { method, headers: { "x-console": "1", accept: "application/json", ...headers }, credentials: "same-origin" };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["content-type"] = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Problem(0, { code: "no_connection", detail: "The service cannot be reached. Nothing is known to have changed; try again." });
  }
  if (answer.status === 204) return null;
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, json);
  return json;
}

/** Calls the API as the session's administrator. */
export async function call(method, path, body) {
  try {
    return await send(method, path, body);
  } catch (problem) {
    if (problem.status !== 401 || !(await whenSignedOut())) throw problem;
    return send(method, path, body);
  }
}

const SESSION = "/v1/console/session";

export const signIn = (key) => send("POST", SESSION, undefined, { authorization: `Bearer ${key}` });
export const signOut = () => send("DELETE", SESSION);

/** Whose session it is; `null` where there is none. */
export async function whoami() {
  try {
    return await send("GET", SESSION);
  } catch (problem) {
    if (problem.status === 401) return null;
    throw problem;
  }
}

/** Every entry of a list, up to a bound that no choice on a page should have. */
export async function all(path, most = 500) {
  const items = [];
  let next = null;
  do {
    const cursor = next === null ? "" : `&cursor=${encodeURIComponent(next)}`;
    const page = await call("GET", `${path}?limit=100${cursor}`);
    items.push(...page.items);
    next = page.next;
  } while (next !== null && items.length < most);
  return items;
}
