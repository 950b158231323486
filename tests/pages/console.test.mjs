// The console as administrators see it. What a screen shows is held against what the API says of the same tenant.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { accessible, eventually, fits, picture, sizes, world } from "./support.mjs";
import { choose, cancel, confirm, go, heading, press, said, signIn, toggled } from "./console.mjs";

let local;
before(async () => (local = await world()));
after(() => local.close());

const PASSWORD = "correct horse battery";

/** A tenant with an administrator at a console. */
async function desk(options, role = "owner") {
  const made = await local.tenant();
  const path = `/v1/tenants/${made.tenant}`;
  const api = (method, rest, body) => local.api(method, `${path}${rest}`, body, { bearer: made.key });
  const key = role === "owner" ? made.key : (await api("POST", "/admin-keys", { role, name: `The ${role}` })).secret;
  const page = await local.open("/console", options);
  await signIn(page, key);
  return { ...made, api, page, path };
}

/** What the login of a user with a password comes to: `complete`, or what it asks for. */
async function login(application, account) {
  const body = { application, password: { account, password: PASSWORD } };
  return (await local.api("POST", "/v1/logins", body, { bearer: null })).login.status;
}

for (const [size, options] of Object.entries({ phone: sizes.phone, desktop: sizes.desktop })) {
  test(`a1 roles see what they may do, and no more, at ${size} size`, async () => {
    const menus = {
      owner: ["Applications", "Users", "Security settings", "Why is MFA asked?", "Audit log", "Keys", "Tenant"],
      policy: ["Applications", "Security settings", "Why is MFA asked?", "Audit log", "Tenant"],
      support: ["Users"],
      auditor: ["Applications", "Users", "Security settings", "Why is MFA asked?", "Audit log", "Keys", "Tenant"],
    };
    for (const [role, entries] of Object.entries(menus)) {
      const { page, api } = await desk(options, role);
      assert.deepEqual(await page.locator("#menu a").allTextContents(), entries, role);
      // The address of a screen that is for others.
      if (!entries.includes("Keys")) {
        await go(page, "/keys");
        await heading(page, "Not for your role");
      }
      if (role === "auditor") {
        await go(page, "/security");
        await heading(page, "Security settings");
        assert.ok(await page.getByRole("switch", { name: "SMS verification code" }).isDisabled());
        assert.equal(await page.getByRole("button", { name: "Save" }).count(), 0);
        await api("POST", "/applications", { name: "Shop" });
        await go(page, "/applications");
        await page.getByRole("link", { name: "Shop" }).click();
        await heading(page, "Shop");
        assert.ok(await page.getByLabel("Name", { exact: true }).isDisabled());
        assert.equal(await page.getByRole("button", { name: /Add|Revoke|Delete/ }).count(), 0);
      }
      await page.context().close();
    }
  });

  test(`a3 b1 b2 an application is created with its secret shown once, and customises nothing, at ${size} size`, async () => {
    const { page, api } = await desk(options);
    await page.getByText("No application yet").waitFor();
    await press(page.locator("main header"), "Create application");
    await page.getByLabel("Name", { exact: true }).fill("Shop");
    await page.getByLabel("Redirect URIs").fill("https://shop.example/callback\n\nhttps://shop.example/other");
    await press(page, "Create", { exact: true });
    const secret = await page.getByLabel("Secret", { exact: true }).inputValue();
    assert.match(secret, /^mfa_app_/);
    // The key that closes other dialogs doesn't lose it.
    await page.keyboard.press("Escape");
    await press(page, "I have kept it");
    await heading(page, "Shop");
    assert.ok(!(await page.content()).includes(secret));
    const [made] = (await api("GET", "/applications")).items;
    assert.deepEqual(made.redirect_uris, ["https://shop.example/callback", "https://shop.example/other"]);

    const tabs = page.getByRole("navigation", { name: "Application" }).getByRole("link");
    assert.deepEqual(await tabs.allTextContents(), ["Details", "Advanced configuration"]);
    await tabs.nth(1).click();
    const custom = page.getByRole("switch", { name: "Customize the security rules of this application" });
    await custom.waitFor();
    assert.equal(await custom.isChecked(), false);
    // The address of the tab that is not there.
    await go(page, `/applications/${made.id}/security`);
    await page.getByText("This application follows the tenant's rules").waitFor();
    assert.equal(await page.getByRole("switch").count(), 0);
  });

  test(`b3 b4 b5 b6 b7 b8 g1 g3 customised rules start as a copy and go their own way, at ${size} size`, async () => {
    const { page, api } = await desk(options);
    const [shop, bank] = await Promise.all(["Shop", "Bank"].map((name) => api("POST", "/applications", { name })));
    await api("POST", "/users", { username: "ann", password: PASSWORD });
    await api("PATCH", "/security", { code: { length: 8 } });
    const details = `/applications/${shop.id}`;
    const tab = page.getByRole("navigation", { name: "Application" }).getByRole("link", { name: "Security management" });

    await go(page, `${details}/advanced`);
    await toggled(page, "Customize the security rules of this application", true);
    await tab.waitFor(); // B3: with no other step
    await tab.click();
    const digits = page.getByLabel("Digits");
    await digits.waitFor();
    assert.equal(await digits.inputValue(), "8"); // B4
    assert.equal(await page.getByRole("switch", { name: "SMS verification code" }).isChecked(), false);

    await toggled(page, "SMS verification code", true);
    await page.reload();
    await page.getByRole("switch", { name: "SMS verification code", checked: true }).waitFor(); // B6
    assert.equal(await login(shop.id, "ann"), "bind_phone");
    assert.equal(await login(bank.id, "ann"), "complete"); // B7
    assert.equal((await api("GET", "/security")).mfa.sms.enabled, false); // B5

    await digits.fill("10");
    await press(page.locator("form", { has: digits }), "Save");
    await said(page, "Saved");
    await api("PATCH", "/security", { code: { length: 7 } });
    await page.reload();
    assert.equal(await digits.inputValue(), "10");

    await toggled(page, "SMS verification code", false); // G1
    assert.equal(await login(shop.id, "ann"), "complete");
    assert.equal((await api("GET", "/security")).mfa.sms.enabled, false); // G3
    await toggled(page, "SMS verification code", true);

    await go(page, `${details}/advanced`);
    const custom = page.getByRole("switch", { name: /^Customize/ });
    await custom.click();
    await cancel(page);
    assert.ok(await custom.isChecked(), "it was only asked");
    await custom.click();
    await confirm(page, "Turn off");
    await tab.waitFor({ state: "detached" }); // B8
    assert.equal(await login(shop.id, "ann"), "complete");
    // Turned on again, it is a fresh copy.
    await toggled(page, /^Customize/, true);
    await tab.click();
    await digits.waitFor();
    assert.equal(await digits.inputValue(), "7");
  });

  test(`c1 g2 g3 the tenant's switch counts for every application that follows, at ${size} size`, async () => {
    const { page, api } = await desk(options);
    const [shop, bank] = await Promise.all(["Shop", "Bank"].map((name) => api("POST", "/applications", { name })));
    await api("POST", "/users", { username: "ann", password: PASSWORD });
    await api("PATCH", `/applications/${bank.id}`, { customize_security: true });
    await go(page, "/security");
    await toggled(page, "SMS verification code", true);
    // Whoever is responsible is told what that means.
    await page.getByText(/restricted authenticator/).waitFor();
    assert.deepEqual([await login(shop.id, "ann"), await login(bank.id, "ann")], ["bind_phone", "complete"]);
    await api("PATCH", `/applications/${bank.id}/security`, { mfa: { sms: { enabled: true } } });
    await toggled(page, "SMS verification code", false);
    assert.deepEqual([await login(shop.id, "ann"), await login(bank.id, "ann")], ["complete", "bind_phone"]);
  });

  test(`c2 c3 c4 c5 c6 c7 each identity source has a switch of three states, at ${size} size`, async () => {
    const { page, api } = await desk(options);
    const shop = await api("POST", "/applications", { name: "Shop" });
    await go(page, "/security/policy");
    await page.getByText("No identity source yet").waitFor(); // C2: none is an empty list
    for (const name of ["Staff", "Partners"]) {
      await press(page, "Add identity source");
      await page.getByLabel("Name", { exact: true }).fill(name);
      await page.getByLabel("Issuer", { exact: true }).fill(`https://${name.toLowerCase()}.example`);
      await page.getByLabel("Client id", { exact: true }).fill("shop");
      await press(page, "Add", { exact: true });
      await page.getByRole("heading", { name, exact: true }).waitFor();
    }
    const { items } = await api("GET", "/identity-sources");
    const id = (name) => items.find((source) => source.name === name).id;
    const switchOf = (name) => page.getByRole("group", { name: `MFA for logins through ${name}` });
    const asked = async (identity_source) => (await api("POST", "/policy/explain", { application: shop.id, identity_source })).mfa_required;
    const chosen = (name) => switchOf(name).getByRole("radio", { checked: true }).inputValue();
    assert.deepEqual([await chosen("Staff"), await chosen("Partners")], ["unset", "unset"]);
    await switchOf("Staff").getByText(/off right now/).waitFor(); // C3

    await api("PATCH", "/security", { mfa: { sms: { enabled: true } } });
    await page.reload();
    await switchOf("Staff").getByText(/on right now/).waitFor();
    await choose(switchOf("Staff"), "Off");
    await said(page, "Saved");
    const settings = await api("GET", "/security");
    assert.deepEqual(settings.identity_sources, { [id("Staff")]: false, [id("Partners")]: null }); // C7
    assert.deepEqual([await asked(id("Staff")), await asked(id("Partners"))], [false, true]); // C4, C5
    assert.equal((await api("POST", "/policy/explain", { application: shop.id })).mfa_required, true); // C6

    // What was set outlives the tenant's switch.
    for (const enabled of [false, true]) await api("PATCH", "/security", { mfa: { sms: { enabled } } });
    await page.reload();
    await switchOf("Staff").waitFor();
    assert.deepEqual([await chosen("Staff"), await chosen("Partners")], ["off", "unset"]);
    await choose(switchOf("Staff"), "On");
    await eventually(async () => (await api("GET", "/security")).identity_sources[id("Staff")] === true, "it is on");
    await choose(switchOf("Staff"), "Unset");
    await eventually(async () => (await api("GET", "/security")).identity_sources[id("Staff")] === null, "it is unset");

    await press(page, "Remove Partners");
    await confirm(page, "Remove");
    await page.getByRole("heading", { name: "Partners", exact: true }).waitFor({ state: "detached" });
    assert.equal((await api("GET", "/identity-sources")).items.length, 1);
  });

  test(`d1 d3 users are created by username, phone or e-mail, and found by each, at ${size} size`, async () => {
    const { page, api } = await desk(options);
    await go(page, "/users");
    await page.getByText("No user yet").waitFor();
    const ways = { Username: "ann", "Phone number": "+12025550123", "E-mail address": "bea@example.com" };
    for (const [label, value] of Object.entries(ways)) {
      await go(page, "/users");
      await press(page.locator("main header"), "Create user");
      await page.getByRole("dialog").getByLabel(label).fill(value);
      await press(page, "Create", { exact: true });
      await heading(page, value);
    }
    await page.getByText("Not bound").waitFor();
    // What is taken is refused with the field that it is, and what was typed stays.
    for (const [label, value] of Object.entries(ways)) {
      await go(page, "/users");
      await press(page.locator("main header"), "Create user");
      const field = page.getByRole("dialog").getByLabel(label);
      await field.fill(value);
      await press(page, "Create", { exact: true });
      await page.getByRole("dialog").getByRole("alert").waitFor();
      assert.equal(await field.inputValue(), value);
      assert.equal(await field.getAttribute("aria-invalid"), "true");
      await press(page, "Cancel");
    }
    assert.equal((await api("GET", "/users")).items.length, 3);
    // Found in another spelling too.
    for (const [text, name] of [["ANN", "ann"], ["+1 202 555 0123", "+12025550123"], ["Bea@Example.com", "bea@example.com"]]) {
      await page.getByLabel("Find a user").fill(text);
      await press(page, "Find");
      await eventually(async () => (await page.locator("tbody tr").count()) === 1, "one is found");
      await page.getByRole("link", { name, exact: true }).waitFor();
    }
    await page.getByLabel("Find a user").fill("nobody");
    await press(page, "Find");
    await page.getByText("Nobody has that").waitFor();
    const bound = (await api("GET", "/users?phone=%2B12025550123")).items[0];
    assert.ok(bound.phone_bound_at, "D3");
  });

  test(`d2 an administrator binds, replaces and unbinds a number on the user's details, at ${size} size`, async () => {
    const { page, api } = await desk(options);
    const ann = await api("POST", "/users", { username: "ann" });
    await api("POST", "/users", { username: "bea", phone: "+12025550199" });
    await go(page, `/users/${ann.id}`);
    const number = async () => (await api("GET", `/users/${ann.id}`)).phone;
    await page.getByLabel("Number", { exact: true }).fill("+1 202 555 0123");
    await press(page, "Bind number");
    await page.getByText("Bound since").waitFor();
    assert.equal(await number(), "+12025550123");
    // Somebody else's.
    await page.getByLabel("Another number").fill("+12025550199");
    await press(page, "Replace number");
    await page.getByRole("dialog").getByRole("button", { name: "Replace" }).click();
    await page.getByRole("dialog").getByRole("alert").waitFor();
    await cancel(page);
    assert.equal(await number(), "+12025550123");
    await page.getByLabel("Another number").fill("+12025550124");
    await press(page, "Replace number");
    await confirm(page, "Replace");
    await page.getByText("+12025550124").waitFor();
    assert.equal(await number(), "+12025550124");
    await press(page, "Unbind number");
    await confirm(page, "Unbind");
    await page.getByText("Not bound").waitFor();
    assert.equal(await number(), null);
  });

  test(`e1 e2 an application's details open its own login page, at ${size} size`, async () => {
    const { page, api, tenant } = await desk(options);
    const shop = await api("POST", "/applications", { name: "Shop" });
    for (const tab of ["", "/advanced"]) {
      await go(page, `/applications/${shop.id}${tab}`);
      const link = page.getByRole("link", { name: /^Experience login/ });
      await link.waitFor();
      assert.equal(await link.getAttribute("href"), `/t/${tenant}/experience/${shop.id}`);
      // The page gets no way back to the console's window.
      assert.deepEqual([await link.getAttribute("target"), await link.getAttribute("rel")], ["_blank", "noopener"]);
    }
  });

  test(`e1 e2 e3 Experience login is a login like any other, at ${size} size`, async () => {
    const { page, api } = await desk(options);
    const shop = await api("POST", "/applications", { name: "Shop" });
    await api("PATCH", "/security", { mfa: { sms: { enabled: true } } });
    const phone = size === "phone" ? "+12025550131" : "+12025550132";
    await api("POST", "/users", { username: "ann", password: PASSWORD, phone });
    await go(page, `/applications/${shop.id}`);
    const opened = page.context().waitForEvent("page");
    await page.getByRole("link", { name: /^Experience login/ }).click();
    const login = await opened;
    await login.getByLabel("Username, phone or email").fill("ann");
    await login.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await login.getByRole("button", { name: "Sign in", exact: true }).click();
    // Being an administrator in the next tab spares nobody the code.
    await login.getByRole("heading", { name: "Enter your code" }).waitFor();
    const code = await local.code(phone);
    await login.getByLabel(/-digit code$/).fill(code);
    await login.waitForURL(/\/experience\/[^/]+\/result/);
    await login.getByText("aal2").first().waitFor();
    assert.equal(await login.evaluate(() => window.opener), null);
  });

  test(`h13 a console that is opened at localhost works, at ${size} size`, async () => {
    const { key } = await local.tenant();
    const other = new URL("/console", local.url);
    other.hostname = "localhost";
    const page = await local.open(other.href, options);
    assert.equal(new URL(page.url()).origin, new URL(local.url).origin);
    await signIn(page, key);
  });

  test(`h10 support reads why a message did not leave, at ${size} size`, async () => {
    const { page, api } = await desk(options, "support");
    const shop = await api("POST", "/applications", { name: "Shop" });
    const phone = "+12025550123";
    await api("PATCH", "/security", { mfa: { sms: { enabled: true } }, test_numbers: { [phone]: "undeliverable" } });
    const ann = await api("POST", "/users", { username: "ann", password: PASSWORD, phone });
    const body = { application: shop.id, password: { account: "ann", password: PASSWORD } };
    const { login, login_token } = await local.api("POST", "/v1/logins", body, { bearer: null });
    const sent = await local.call("POST", `/v1/logins/${login.id}/code`, {}, { bearer: login_token });
    assert.equal(sent.status, 502);
    await go(page, `/users/${ann.id}`);
    const row = page.getByRole("table", { name: "Challenges" }).getByRole("row").nth(1);
    assert.match(await row.textContent(), /Failed: the provider says no/);
    await accessible(page);
    await fits(page);
    await picture(page, `console-challenges-${size}`);
  });

  test(`h3 the decision is drawn as the chain of its rules, at ${size} size`, async () => {
    const { page, api } = await desk(options);
    const shop = await api("POST", "/applications", { name: "Shop", customize_security: true });
    await api("POST", "/users", { username: "ann" });
    const source = await api("POST", "/identity-sources", { kind: "oidc", name: "Staff", issuer: "https://staff.example", audience: "shop" });
    await api("PATCH", "/security", { identity_sources: { [source.id]: false } });
    await api("PATCH", `/applications/${shop.id}/security`, { mfa: { sms: { enabled: true } } });
    await go(page, "/explain");
    await page.getByLabel("User").fill("ann");
    await press(page, "Explain");
    await page.getByRole("heading", { name: "MFA is asked" }).waitFor();
    assert.deepEqual(await page.locator(".step h3").allTextContents(), ["Identity source", "Application"]);
    assert.match(await page.locator(".step.decided").textContent(), /Application.*This rule decided/);
    await page.getByLabel("First factor").selectOption({ label: "Identity source: Staff" });
    await press(page, "Explain");
    await page.getByRole("heading", { name: "MFA is not asked" }).waitFor();
    assert.deepEqual(await page.locator(".step h3").allTextContents(), ["Identity source"]);
    await page.getByLabel("User").fill("nobody");
    await press(page, "Explain");
    await page.getByRole("alert").getByText(/No user has exactly/).waitFor();
  });
}

for (const [size, options] of Object.entries({ phone: sizes.phone, desktop: sizes.desktop })) {
  test(`h9 the tenant's own words are shown as they will be sent before they are kept, at ${size} size`, async () => {
    const { page, api } = await desk(options);
    await api("POST", "/applications", { name: "Shop", message_host: "shop.example" });
    await go(page, "/security/messages");
    await page.getByText("No words of your own yet").waitFor();
    await press(page, "Add a language");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("000000 is your").waitFor();
    await dialog.getByLabel("Show it as sent for").selectOption({ label: "Shop" });
    await dialog.getByText("@shop.example #000000").waitFor();
    await dialog.getByLabel("Language").fill("de");
    await dialog.getByLabel("Text").fill("Code {code} auf shop.example");
    await dialog.getByText("A phone would take it for a web address").waitFor();
    await accessible(page);
    await fits(page);
    await picture(page, `console-words-wrong-${size}`);
    await press(dialog, "Save");
    await dialog.getByRole("alert").getByText("invalid_template").waitFor();
    assert.equal((await api("GET", "/message-templates")).items.length, 0);
    await dialog.getByLabel("Text").fill("Ihr Code: {code}. Er gilt {minutes} min.");
    await dialog.getByText("Ihr Code: 000000. Er gilt 5 min.").waitFor();
    await picture(page, `console-words-${size}`);
    await press(dialog, "Save");
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("rowheader", { name: "German" }).waitFor();
    await press(page, "Add a language");
    await dialog.getByLabel("Language").fill("DE");
    await press(dialog, "Save");
    await dialog.getByRole("alert").getByText("There are words for German already").waitFor();
    assert.equal((await api("GET", "/message-templates/de")).text, "Ihr Code: {code}. Er gilt {minutes} min.");
    await press(dialog, "Cancel");
    await press(page, "Change German");
    await dialog.getByLabel("Text").fill("Neu: {code}");
    await press(dialog, "Save");
    await dialog.waitFor({ state: "detached" });
    assert.equal((await api("GET", "/message-templates/de")).text, "Neu: {code}");
    await press(page, "Remove German");
    await confirm(page, "Remove");
    await page.getByText("No words of your own yet").waitFor();
    await page.context().close();
  });
}
