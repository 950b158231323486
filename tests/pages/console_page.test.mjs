// The console as a page: who is signed in, what it stands on, and that anybody can use it.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { accessible, eventually, fits, picture, sizes, world } from "./support.mjs";
import { cancel, confirm, go, heading, press, said, settled, signIn, toggled } from "./console.mjs";

let local;
before(async () => (local = await world()));
after(() => local.close());

const HOSTILE = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;

/** A tenant with one of everything, and its API. */
async function furnished(name = "Acme") {
  const made = await local.tenant(name);
  const path = `/v1/tenants/${made.tenant}`;
  const api = (method, rest, body) => local.api(method, `${path}${rest}`, body, { bearer: made.key });
  const application = await api("POST", "/applications", {
    name: `${name} shop`,
    customize_security: true,
    origins: ["https://shop.example"],
    redirect_uris: ["https://shop.example/callback"],
  });
  const source = await api("POST", "/identity-sources", { kind: "oidc", name: `${name} staff`, issuer: "https://staff.example", audience: "shop" });
  const rules = { mfa: { sms: { enabled: true } }, trusted_devices: { enabled: true } };
  await api("PATCH", "/security", { ...rules, test_numbers: { "+12025550171": "approved" } });
  await api("PATCH", `/applications/${application.id}/security`, rules);
  const user = await api("POST", "/users", { username: "ann", email: "ann@example.com", phone: "+12025550171", password: "correct horse battery" });
  await api("PUT", `/users/${user.id}/identities/${source.id}`, { subject: "248289761001" });
  await api("POST", "/admin-keys", { role: "auditor", name: `${name} audit`, expires_at: "2099-01-01T00:00:00Z" });
  await api("PUT", "/message-templates/de", { text: "{code} ist Ihr Code für {name}. Er gilt {minutes} min." });
  await api("PUT", "/message-templates/default", { text: "Here’s your code: {code}" });
  // A challenge and a trusted device, as the user's own logins leave them.
  const first = { application: application.id, password: { account: "ann", password: "correct horse battery" } };
  const begun = await local.api("POST", "/v1/logins", first, { bearer: null });
  const step = (step, body) => local.api("POST", `/v1/logins/${begun.login.id}/${step}`, body, { bearer: begun.login_token });
  await step("code", {});
  await step("verification", { code: "000000", trust_device: true });
  return { ...made, api, application, source, user };
}

const screens = ({ application, user }) => ({
  applications: "/applications",
  application: `/applications/${application.id}`,
  advanced: `/applications/${application.id}/advanced`,
  management: `/applications/${application.id}/security`,
  security: "/security",
  policy: "/security/policy",
  sending: "/security/sending",
  messages: "/security/messages",
  testing: "/security/testing",
  explain: `/explain?application=${application.id}&user=${user.id}`,
  users: "/users",
  user: `/users/${user.id}`,
  audit: "/audit",
  keys: "/keys",
  tenant: "/tenant",
  nothing: "/nothing",
});

for (const [size, options] of Object.entries(sizes)) {
  for (const colorScheme of size === "narrow" ? ["light"] : ["light", "dark"]) {
    test(`every screen can be read and used by everybody at ${size} size, ${colorScheme}`, async () => {
      const tenant = await furnished();
      const page = await local.open("/console", { ...options, colorScheme });
      await page.getByLabel("Administrator key").waitFor();
      await accessible(page);
      await fits(page);
      await picture(page, `console-signin-${size}-${colorScheme}`);
      await signIn(page, tenant.key);
      for (const [name, path] of Object.entries(screens(tenant))) {
        await go(page, path);
        if (name === "explain") {
          await press(page, "Explain");
          await page.locator(".chain").waitFor();
        }
        // What is folded can be read too.
        await page.evaluate(() => document.querySelectorAll("details").forEach((folded) => (folded.open = true)));
        await accessible(page);
        await fits(page);
        await picture(page, `console-${name}-${size}-${colorScheme}`);
      }
      // A dialog over the page, with a refusal in it.
      await go(page, "/users");
      await press(page, "Create user");
      await press(page, "Create", { exact: true });
      await page.getByRole("dialog").getByRole("alert").waitFor();
      await accessible(page);
      await fits(page);
      await picture(page, `console-dialog-${size}-${colorScheme}`);
    });
  }
}

test("t25 the page's policy lets nothing in, and its files are kept for good", async () => {
  const answer = await fetch(new URL("/console", local.url));
  const policy = answer.headers.get("content-security-policy");
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"]) {
    assert.ok(policy.split(/;\s*/).includes(part), part);
  }
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  assert.equal(answer.headers.get("cache-control"), "no-cache");
  const html = await answer.text();
  const files = [...html.matchAll(/(?:src|href)="(\/console\/[^"]+)"/g)].map(([, path]) => path);
  assert.ok(files.length > 15, `${files.length} files`);
  for (const path of files) {
    const file = await fetch(new URL(path, local.url));
    assert.equal(file.status, 200, path);
    assert.match(file.headers.get("cache-control"), /immutable/);
    assert.match(file.headers.get("content-type"), path.endsWith(".css") ? /^text\/css/ : /^text\/javascript/);
  }
  for (const other of [files[0].replace(/\/console\/\w+/, "/console/0123456789abcdef"), "/console/x/y", `${files[0]}x`]) {
    assert.equal((await fetch(new URL(other, local.url))).status, 404, other);
  }
});

test("t24 the session's cookie is no script's, and worth nothing to another page", async () => {
  const { key, tenant } = await local.tenant();
  const page = await local.open("/console");
  await signIn(page, key);
  const [cookie] = await page.context().cookies();
  assert.equal(cookie.name, "__Host-mfa-console");
  assert.deepEqual([cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.path], [true, true, "Strict", "/"]);
  assert.ok(cookie.expires - Date.now() / 1000 <= 3600);
  assert.equal(await page.evaluate(() => document.cookie), "");
  assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0);
  // Our own origin without our header, as a form or a link would come.
  const answer = await page.evaluate((path) => fetch(path).then((answer) => answer.status), `/v1/tenants/${tenant}`);
  assert.equal(answer, 403);
  // Another site's page, with whatever it can send: a form, and a script that asks for the cookie to come along.
  const attack = `<!doctype html><title>x</title><form method="post" action="${local.url}/v1/console/session"></form>`;
  const other = await page.context().newPage();
  other.context().problems.length = 0;
  await other.route("http://evil.example/**", (route) => route.fulfill({ contentType: "text/html", body: attack }));
  await other.goto("http://evil.example/");
  const tried = await other.evaluate(async ([url, tenant]) => {
    const each = ["DELETE", "POST", "GET"].map((method) =>
      fetch(`${url}/v1/console/session`, { method, credentials: "include", headers: { "x-console": "1" } }).then(
        (answer) => answer.status,
        () => "refused",
      ),
    );
    const plain = fetch(`${url}/v1/tenants/${tenant}`, { method: "POST", mode: "no-cors", credentials: "include", body: "{}" });
    await plain.catch(() => null);
    return Promise.all(each);
  }, [local.url, tenant]);
  assert.deepEqual(tried, ["refused", "refused", "refused"]);
  await other.evaluate(() => document.forms[0].submit());
  await other.waitForLoadState();
  await other.close();
  page.context().problems.length = 0; // what the other site's page was refused
  await page.reload();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
});

test("t21 signing out ends the session, and a wrong key says so and stays typed", async () => {
  const { key } = await local.tenant();
  const page = await local.open("/console");
  await page.getByLabel("Administrator key").fill(key.slice(0, -1) + (key.endsWith("0") ? "1" : "0"));
  await press(page, "Sign in");
  await page.getByRole("alert").getByText("unauthenticated").waitFor();
  assert.notEqual(await page.getByLabel("Administrator key").inputValue(), "");
  await signIn(page, key);
  const [cookie] = await page.context().cookies();
  await press(page, "Sign out");
  await heading(page, "Sign in to the console");
  assert.deepEqual(await page.context().cookies(), []);
  // Whoever kept the cookie has nothing.
  const headers = { cookie: `${cookie.name}=${cookie.value}`, "x-console": "1", "sec-fetch-site": "same-origin" };
  assert.equal((await fetch(new URL("/v1/console/session", local.url), { headers })).status, 401);
  await page.goBack().catch(() => null);
  await page.goto(new URL("/console#/keys", local.url).href);
  await heading(page, "Sign in to the console");
  await signIn(page, key);
  await heading(page, "Keys"); // where one wanted to go
});

test("t21 a session that ends in the middle of something is taken up again, and nothing typed is lost", async () => {
  const { key, tenant } = await local.tenant();
  const page = await local.open("/console");
  await signIn(page, key);
  await go(page, "/tenant");
  await page.getByLabel("Name", { exact: true }).fill("Renamed");
  await local.advance(3601);
  await press(page.locator("section", { hasText: "General" }), "Save");
  const dialog = page.getByRole("dialog", { name: "Your session has ended" });
  await dialog.waitFor();
  await accessible(page);
  await dialog.getByLabel("Administrator key").fill(key);
  await press(dialog, "Sign in");
  await said(page, "Saved");
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Renamed");
  assert.equal(await page.locator(".tenant-name").textContent(), "Renamed");
  assert.equal((await local.api("GET", `/v1/tenants/${tenant}`, undefined, { bearer: key })).name, "Renamed");
});

test("addresses lead to their screens after a reload, and Back leads back", async () => {
  const tenant = await furnished();
  const page = await local.open(`/console#/applications/${tenant.application.id}/security`);
  await signIn(page, tenant.key);
  await heading(page, "Acme shop");
  await page.getByRole("switch", { name: "SMS verification code" }).waitFor();
  await go(page, `/users/${tenant.user.id}`);
  await heading(page, "ann");
  await page.reload();
  await heading(page, "ann");
  assert.equal(await page.title(), "ann · Console");
  await page.goBack();
  await heading(page, "Acme shop");
});

test("the console is used with a keyboard", async () => {
  const { key, tenant } = await local.tenant();
  await local.api("POST", `/v1/tenants/${tenant}/applications`, { name: "Shop" }, { bearer: key });
  const page = await local.open("/console");
  await page.getByLabel("Administrator key").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.type(key);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  await settled(page);
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  await eventually(async () => (await focused()) === "Applications", "the heading of the screen has the focus");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Create application");
  const visible = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(visible, "solid");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  assert.ok(await page.evaluate(() => document.querySelector("dialog").contains(document.activeElement)));
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal(await focused(), "Create application");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await heading(page, "Shop");
  // A switch keeps the focus through the screen's redrawing.
  await go(page, `${new URL(page.url()).hash.slice(1)}/advanced`);
  const custom = page.getByRole("switch");
  await custom.focus();
  await page.keyboard.press("Space");
  await said(page, "Saved");
  await page.getByRole("switch", { checked: true }).waitFor();
  await eventually(() => page.evaluate(() => document.activeElement.getAttribute("role") === "switch"), "it has the focus");
});

test("t25 what strangers are called is text, on every screen", async () => {
  const tenant = await furnished();
  const { api } = tenant;
  const name = HOSTILE;
  await api("PATCH", "", { name });
  await api("PATCH", `/applications/${tenant.application.id}`, { name });
  await api("POST", "/identity-sources", { kind: "oidc", name, issuer: "https://evil.example", audience: `"><b>` });
  await api("POST", "/admin-keys", { role: "auditor", name });
  const user = await api("POST", "/users", { username: "<b>&bold;" });
  const page = await local.open("/console");
  await signIn(page, tenant.key);
  let seen = 0;
  for (const path of [...Object.values(screens(tenant)), `/users/${user.id}`, `/users?account=${encodeURIComponent(HOSTILE)}`]) {
    await go(page, path);
    assert.equal(await page.locator("img, main script, main b").count(), 0, path);
    seen += await page.getByText(HOSTILE).count();
  }
  assert.ok(seen > 8, `${seen} times`);
  await go(page, "/keys");
  await press(page, `Revoke ${HOSTILE}`);
  await page.getByRole("dialog").getByText(HOSTILE).first().waitFor();
  await cancel(page);
});

test("what can't be undone is asked first, and the last owner key stays", async () => {
  const tenant = await furnished();
  const { api } = tenant;
  const page = await local.open("/console");
  await signIn(page, tenant.key);
  await go(page, "/keys");
  await press(page, "Revoke Acme audit");
  await cancel(page);
  assert.equal((await api("GET", "/admin-keys")).items.length, 2);
  await press(page, "Revoke First owner");
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("alert").getByText("conflict").waitFor();
  await cancel(page);
  await press(page, "Revoke Acme audit");
  await confirm(page, "Revoke");
  await eventually(async () => (await api("GET", "/admin-keys")).items.length === 1, "it is revoked");

  await go(page, `/users/${tenant.user.id}`);
  await press(page, "Revoke dev_", { exact: false });
  await confirm(page, "Revoke");
  await page.getByText("No trusted device").waitFor();
  assert.deepEqual((await api("GET", `/users/${tenant.user.id}/trusted-devices`)).items, []);
  await press(page, "Delete user");
  await confirm(page, "Delete");
  await heading(page, "Users");
  await page.getByText("No user yet").waitFor();
});

test("a key is created with a role and an end, and its secret is shown once", async () => {
  const { key, tenant } = await local.tenant();
  const page = await local.open("/console", sizes.phone);
  await signIn(page, key);
  await go(page, "/keys");
  await press(page, "Create key");
  await page.getByLabel("Name", { exact: true }).fill("Help desk");
  await page.getByLabel("Role").selectOption("support");
  await page.getByLabel("Expires").fill("2099-01-01T12:00");
  await press(page, "Create", { exact: true });
  const secret = await page.getByLabel("Secret", { exact: true }).inputValue();
  await press(page, "I have kept it");
  await page.getByRole("rowheader", { name: "Help desk" }).or(page.locator("tbody th", { hasText: "Help desk" })).first().waitFor();
  assert.ok(!(await page.content()).includes(secret));
  const users = await local.api("GET", `/v1/tenants/${tenant}/users`, undefined, { bearer: secret });
  assert.deepEqual(users.items, []);
});

test("h4 h6 countries, limits, the kill switch and test numbers are set, and refusals say why", async () => {
  const { key, tenant } = await local.tenant();
  const security = () => local.api("GET", `/v1/tenants/${tenant}/security`, undefined, { bearer: key });
  const page = await local.open("/console", sizes.phone);
  await signIn(page, key);
  await go(page, "/security/sending");
  await page.getByLabel("Add a country").selectOption({ label: "Germany" });
  await press(page, "Add country");
  await page.getByRole("button", { name: "Remove Germany" }).waitFor();
  assert.deepEqual((await security()).countries.allow, ["DE", "US"]);
  await press(page, "Remove United States");
  await page.getByRole("button", { name: "Remove United States" }).waitFor({ state: "detached" });
  const budget = page.getByLabel("Budget of a day, in US dollars");
  await budget.fill("-1");
  await press(page, "Save limits");
  assert.equal(await budget.getAttribute("aria-invalid"), "true");
  await budget.fill("7");
  await press(page, "Save limits");
  await eventually(async () => (await security()).limits.budget_usd_day === 7, "it is saved");
  await page.getByRole("switch", { name: "Messages are sent" }).click();
  await confirm(page, "Stop sending");
  await eventually(async () => !(await security()).sending.enabled, "nothing is sent");

  await go(page, "/security/testing");
  await page.getByLabel("Number", { exact: true }).fill("12");
  await press(page, "Add test number");
  await page.getByRole("alert").waitFor();
  assert.equal(await page.getByLabel("Number", { exact: true }).inputValue(), "12");
  await page.getByLabel("Number", { exact: true }).fill("+4915112345678");
  await press(page, "Add test number");
  await page.getByText("Approved: the code is all zeros").first().waitFor();
  await eventually(async () => (await security()).test_numbers["+4915112345678"] === "approved", "it is listed");
  await page.getByRole("switch", { name: "This tenant is in production" }).click();
  await confirm(page, "Mark as production");
  await page.getByRole("alert").getByText("conflict").waitFor();
  assert.equal(await page.getByRole("switch", { name: "This tenant is in production" }).isChecked(), false);
  await press(page, "Remove +4915112345678");
  await confirm(page, "Remove");
  await page.getByRole("switch", { name: "This tenant is in production" }).click();
  await confirm(page, "Mark as production");
  await page.getByText("This tenant is in production, which has none.").waitFor();
});

test("the audit shows who did what with before and after, and is filtered", async () => {
  const tenant = await furnished();
  const page = await local.open("/console");
  await signIn(page, tenant.key);
  await go(page, "/security");
  await toggled(page, "Users bind a number themselves", false);
  await go(page, "/audit");
  const newest = page.locator(".event").first();
  await newest.getByRole("heading", { name: "Tenant's security settings changed" }).waitFor();
  assert.deepEqual(await newest.locator("tbody tr > *").allTextContents(), ["phone binding › self service", "on", "off"]);
  await newest.getByText(/^Administrator/).waitFor();
  await page.locator("summary", { hasText: "Filter" }).click();
  await page.getByLabel("What", { exact: true }).selectOption({ label: "Application created" });
  await page.locator("form").getByRole("button", { name: "Filter" }).click();
  await eventually(async () => (await page.locator(".event").count()) === 1, "one is left");
  assert.match(page.url(), /type=application\.created/);
  await page.reload();
  await eventually(async () => (await page.locator(".event").count()) === 1, "it is still filtered");
  await page.locator(".filter").getByRole("link", { name: "Show all" }).click();
  await eventually(async () => (await page.locator(".event").count()) > 3, "all are there");
});

test("branding is set, refused and taken away", async () => {
  const { key, tenant } = await local.tenant();
  const branding = async () => (await local.api("GET", `/v1/tenants/${tenant}`, undefined, { bearer: key })).branding;
  const page = await local.open("/console");
  await signIn(page, key);
  await go(page, "/tenant");
  const logo = page.getByLabel("Logo's address");
  await logo.fill("http://cdn.example.com/logo.svg");
  await page.getByLabel("Accent colour").fill("#1D4ED8");
  await press(page, "Save branding");
  await page.getByRole("alert").getByText("invalid_request").waitFor();
  assert.equal(await logo.inputValue(), "http://cdn.example.com/logo.svg");
  assert.equal(await logo.getAttribute("aria-invalid"), "true");
  await logo.fill("https://cdn.example.com/logo.svg");
  await press(page, "Save branding");
  await said(page, "Saved");
  assert.deepEqual(await branding(), { logo_url: "https://cdn.example.com/logo.svg", accent_color: "#1d4ed8" });
  await logo.fill("");
  await page.getByLabel("Accent colour").fill("");
  await press(page, "Save branding");
  await eventually(async () => (await branding()).logo_url === null && (await branding()).accent_color === null, "it is as it comes");
});
