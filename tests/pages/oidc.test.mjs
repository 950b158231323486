// Logins by OpenID Connect clients that nobody here wrote, through the real page: openid-client in this process, Authlib in Python.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { eventually, load, world } from "./support.mjs";

const openid = load("openid-client");
const root = new URL("../../", import.meta.url).pathname;
// A number of its own for each: one that just got a message has to wait for the next, whoever asks.
const phones = ["+12025550121", "+12025550122", "+12025550123", "+12025550124"];

let local;
let callback;

before(async () => {
  local = await world();
  callback = await relyingParty();
});
after(async () => {
  await local.close();
  callback.server.closeAllConnections();
  callback.server.close();
});

/** Where browsers come back to: keeps the address of each that did. */
async function relyingParty() {
  const seen = [];
  const server = createServer((request, answer) => {
    if (request.url.startsWith("/callback")) seen.push(request.url);
    answer.setHeader("content-type", "text/html");
    answer.end("<!doctype html><html lang=en><title>Signed in</title><link rel=icon href=data:,><h1>Signed in</h1>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${server.address().port}`;
  return { server, seen, base, uri: `${base}/callback` };
}

/** A tenant that asks for codes, with a user who has a number, and an application of `type`. */
async function prepared(type) {
  const { tenant, key } = await local.tenant(`Acme ${type}`);
  const phone = phones.pop();
  const bearer = { bearer: key };
  await local.api("PATCH", `/v1/tenants/${tenant}/security`, { mfa: { sms: { enabled: true } } }, bearer);
  const application = await local.api(
    "POST",
    `/v1/tenants/${tenant}/applications`,
    { name: "Shop", type, redirect_uris: [callback.uri] },
    bearer,
  );
  const user = await local.api(
    "POST",
    `/v1/tenants/${tenant}/users`,
    { username: "maria", password: "a good long password", phone },
    bearer,
  );
  return { tenant, application: application.id, secret: application.secret?.secret, user: user.id, phone };
}

/** Takes the login on the page at `url`, and answers the address that the browser was sent back to. */
async function loginOnPage(url, phone) {
  const came = callback.seen.length;
  const page = await local.open();
  await page.goto(url);
  await page.fill("input[name=account]", "maria");
  await page.fill("input[name=password]", "a good long password");
  await page.press("input[name=password]", "Enter");
  await page.waitForSelector("input[name=code]");
  const code = await local.code(phone);
  await page.fill("input[name=code]", code);
  const path = await eventually(() => callback.seen[came], "the browser is back at the application");
  return new URL(path, callback.base);
}

for (const type of ["public", "confidential"]) {
  test(`h11 e2 f6 openid-client logs in as a ${type} client`, async () => {
    const { tenant, application, secret, user, phone } = await prepared(type);
    const issuer = new URL(`${local.url}/t/${tenant}`);
    const proof = secret ? openid.ClientSecretBasic(secret) : openid.None();
    const config = await openid.discovery(issuer, application, undefined, proof, {
      execute: [openid.allowInsecureRequests],
    });
    const verifier = openid.randomPKCECodeVerifier();
    const [state, nonce] = [openid.randomState(), openid.randomNonce()];
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: callback.uri,
      scope: "openid profile",
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
    });
    const back = await loginOnPage(url.href, phone);
    const tokens = await openid.authorizationCodeGrant(config, back, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    assert.equal(claims.sub, user);
    assert.equal(claims.acr, "aal2");
    assert.deepEqual(claims.amr, ["pwd", "sms", "mfa"]);
    const info = await openid.fetchUserInfo(config, tokens.access_token, user);
    assert.equal(info.sub, user);

    // A second use of the code is refused, and takes away what the first one gave.
    await assert.rejects(
      openid.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce }),
      (error) => error.error === "invalid_grant",
    );
    await assert.rejects(openid.fetchUserInfo(config, tokens.access_token, user));
  });

  test(`h11 e2 f6 authlib logs in as a ${type} client`, async () => {
    const { tenant, application, secret, user, phone } = await prepared(type);
    const party = { issuer: `${local.url}/t/${tenant}`, client_id: application, redirect_uri: callback.uri };
    const begun = await authlib("begin", party);
    const back = await loginOnPage(begun.url, phone);
    const { claims, userinfo } = await authlib("finish", {
      ...party,
      ...begun,
      ...(secret ? { client_secret: secret } : {}),
      callback: back.href,
    });
    assert.equal(claims.sub, user);
    assert.equal(claims.acr, "aal2");
    assert.equal(userinfo.sub, user);
  });
}

async function authlib(step, given) {
  const python = `${root}.cache/venv/bin/python`;
  assert.ok(existsSync(python), "tests/setup makes .cache/venv");
  const child = spawn(python, [`${root}tests/python/oidc_client.py`, step], {
    // Authlib refuses plain http, which this machine's own address is.
    env: { ...process.env, AUTHLIB_INSECURE_TRANSPORT: "1" },
  });
  let [text, errors] = ["", ""];
  child.stdout.on("data", (piece) => (text += piece));
  child.stderr.on("data", (piece) => (errors += piece));
  child.stdin.end(JSON.stringify(given));
  const [code] = await once(child, "close");
  assert.equal(code, 0, errors);
  return JSON.parse(text);
}
