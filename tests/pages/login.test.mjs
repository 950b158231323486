// Hosted logins in a real browser: with script and without, on a phone and on a desk, in both languages.

import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { accessible, eventually, fits, picture, sizes, world } from "./support.mjs";

const CALLBACK = "https://shop.example/callback";
const PASSWORD = "correct horse battery";
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

let w;
let numbers = 10;
before(async () => (w = await world()));
after(() => w.close());

/** A number of the range that is reserved for fiction, of nobody else. */
const number = () => `+120255501${numbers++}`;

/** A tenant with an application that takes hosted logins and codes on, and a user. */
async function shop({ sms = true, settings = {}, user = {}, name = "Northwind" } = {}) {
  const { tenant, key } = await w.tenant(name);
  const admin = (method, rest, body) => w.api(method, `/v1/tenants/${tenant}${rest}`, body, { bearer: key });
  // All of these tests share one address.
  const limits = { per_ip_hour: 1000 };
  await admin("PATCH", "/security", { mfa: { sms: { enabled: sms } }, limits, ...settings });
  const application = await admin("POST", "/applications", { name: "Orders", redirect_uris: [CALLBACK] });
  await admin("POST", "/users", { username: "ann", password: PASSWORD, ...user });
  const query = new URLSearchParams({
    client_id: application.id,
    redirect_uri: CALLBACK,
    response_type: "code",
    scope: "openid",
    state: "s1",
    code_challenge: CHALLENGE,
    code_challenge_method: "S256",
  });
  return { tenant, admin, application: application.id, authorize: `/t/${tenant}/authorize?${query}` };
}

/** A page at the login, whose way back to the application ends at a page that says so. */
async function atLogin(it, options = sizes.desktop, more = "") {
  const context = await w.context(options);
  await context.route(`${CALLBACK}**`, (route) => route.fulfill({ contentType: "text/html", body: "<title>Shop</title>" }));
  const page = await context.newPage();
  await page.goto(new URL(it.authorize + more, w.url).href);
  return page;
}

async function password(page, account = "ann", secret = PASSWORD) {
  await page.fill("#account", account);
  await page.fill("#password", secret);
  await page.press("#password", "Enter");
}

const heading = (page, text) => page.getByRole("heading", { level: 1, name: text }).waitFor();
const back = async (page) => {
  await page.waitForURL(`${CALLBACK}**`);
  return new URL(page.url()).searchParams;
};
const other = (code) => code.slice(0, -1) + ((Number(code.at(-1)) + 1) % 10);

/** Everything that every step owes its reader. */
async function sound(page, name) {
  await accessible(page);
  await fits(page);
  await picture(page, `login-${name}`);
}

for (const [size, colorScheme, locale] of [
  ["narrow", "light", "en-US"],
  ["phone", "dark", "zh-CN"],
  ["desktop", "light", "zh-CN"],
  ["desktop", "dark", "en-US"],
]) {
  test(`f4_f6_f8 a number is bound and the login leads back: ${size}, ${colorScheme}, ${locale}`, async () => {
    const it = await shop({ settings: { recovery_codes: { enabled: true }, trusted_devices: { enabled: true } } });
    const to = number();
    const at = `${size}-${colorScheme}-${locale}`;
    const page = await atLogin(it, { ...sizes[size], colorScheme, locale });
    await sound(page, `1-password-${at}`);
    await password(page);
    await page.waitForSelector("#phone");
    await sound(page, `2-phone-${at}`);
    await page.locator("#phone").pressSequentially(to.slice(2));
    assert.equal(await page.inputValue("#phone"), to.slice(2).replace(/(...)(...)(....)/, "$1 $2 $3"));
    await page.press("#phone", "Enter");
    await page.waitForSelector("#code");
    await page.click("summary");
    await sound(page, `3-code-${at}`);
    assert.ok(!(await page.content()).includes(to.slice(2)), "the number is shown masked");
    // Typed digit by digit, it goes off by itself at the last.
    await page.locator("#code").pressSequentially(await w.code(to));
    await page.waitForSelector("#codes");
    await sound(page, `4-recovery-${at}`);
    await page.locator("main form button").click();
    assert.equal((await back(page)).get("state"), "s1");
    // The number's own wait between two messages.
    await w.advance(31);
    const again = await page.context().newPage();
    await again.goto(new URL(it.authorize, w.url).href);
    await password(again);
    await again.waitForSelector("#code");
    assert.equal(await again.locator("#phone").count(), 0);
  });
}

test("e1_e2_e3 the demo application is tried out, and its claims are shown", async () => {
  const { tenant, application, users } = w.demo;
  const page = await w.open(`/t/${tenant}/experience/${application}`, sizes.phone);
  const bound = users.find((user) => user.phone);
  await password(page, bound.username, bound.password);
  await heading(page, "Enter your code");
  await page.fill("#code", await w.code(bound.phone));
  await heading(page, "You are signed in");
  await sound(page, "5-result");
  await page.getByRole("cell", { name: "pwd, sms, mfa" }).waitFor();
});

test("f5_h2 one message, however often the page is loaded; another after the wait, by one click", async () => {
  const to = number();
  const it = await shop({ user: { phone: to } });
  const page = await atLogin(it, sizes.phone);
  const documents = [];
  page.on("request", (request) => request.isNavigationRequest() && documents.push(request.url()));
  await password(page);
  await heading(page, "Enter your code");
  assert.deepEqual(documents, [], "a step is not another document");
  const first = await w.code(to);
  for (let i = 0; i < 3; i += 1) {
    await page.reload();
    await heading(page, "Enter your code");
  }
  assert.equal((await w.messages(to)).length, 1);
  const button = page.getByRole("button", { name: "Send the code again" });
  assert.ok(await button.isDisabled());
  await page.getByText(/You can ask for another message in 0:[0-2]\d/).waitFor();
  await w.advance(31);
  await page.reload();
  await button.click();
  await page.getByRole("status").getByText("The code is on its way again.").waitFor();
  assert.equal(await w.code(to, 2), first, "the same code");
  assert.ok(await button.isDisabled(), "the wait starts anew");
  await sound(page, "6-again");
});

test("f7 what is refused is said at its field, announced, and what was typed stays", async () => {
  const to = number();
  const it = await shop({ user: { phone: to } });
  const page = await atLogin(it);
  await password(page, "ann", "another password");
  const alert = page.getByRole("alert");
  await alert.getByText("This account and password do not belong together.").waitFor();
  await sound(page, "7-refused");
  assert.equal(await page.inputValue("#account"), "ann");
  assert.equal(await page.evaluate(() => document.activeElement.id), "password");
  await page.fill("#password", PASSWORD);
  await page.press("#password", "Enter");
  await heading(page, "Enter your code");
  const code = await w.code(to);
  // A code from the clipboard, with the space that a message had in it.
  await page.locator("#code").focus();
  await page.evaluate((text) => document.execCommand("insertText", false, text), `${other(code).slice(0, 3)} ${other(code).slice(3)}`);
  await alert.getByText("This code is not right.").waitFor();
  await page.getByText("4 attempts left").waitFor();
  assert.equal(await page.getAttribute("#code", "aria-invalid"), "true");
  assert.equal(await page.evaluate(() => document.activeElement.id), "code");
  await sound(page, "8-wrong");
  await w.advance(301);
  await page.fill("#code", code);
  await alert.getByText("This code has expired.").waitFor();
  await w.advance(301);
  await page.reload();
  await heading(page, "This sign-in took too long");
  await sound(page, "9-expired");
  await page.getByRole("button", { name: "Start again" }).click();
  await heading(page, "Sign in");
});

test("f7 after five wrong codes the page says what is left", async () => {
  const to = number();
  const it = await shop({ user: { phone: to } });
  const page = await atLogin(it, sizes.narrow);
  await password(page);
  await heading(page, "Enter your code");
  const code = await w.code(to);
  let guess = code;
  for (let left = 4; left >= 0; left -= 1) {
    guess = other(guess);
    await page.fill("#code", guess);
    await page.getByText(left ? `${left} attempt${left === 1 ? "" : "s"} left` : "Too many wrong codes").first().waitFor();
  }
  await sound(page, "10-blocked");
});

test("f9_h4 numbers are refused where they are typed, before any message", async () => {
  const taken = number();
  const it = await shop({ settings: { countries: { allow: ["US", "GB", "CN"] } } });
  await it.admin("POST", "/users", { username: "bob", phone: taken });
  const page = await atLogin(it, sizes.phone);
  await password(page);
  await heading(page, "Add your phone number");
  await page.getByLabel("Country or region").selectOption("GB");
  await page.getByText("+44", { exact: true }).waitFor();
  await page.locator("#phone").pressSequentially("02071234567");
  await page.press("#phone", "Enter");
  await page.getByRole("alert").getByText("This number cannot get codes.").waitFor();
  assert.equal(await page.inputValue("#country"), "GB");
  await page.getByLabel("Country or region").selectOption("US");
  await page.fill("#phone", taken.slice(2));
  await page.press("#phone", "Enter");
  await page.getByRole("alert").getByText("This number belongs to another account.").waitFor();
  await sound(page, "11-taken");
  const wrong = number();
  await page.fill("#phone", wrong.slice(2));
  await page.press("#phone", "Enter");
  await heading(page, "Enter your code");
  await page.click("summary");
  await page.getByRole("link", { name: "Use another number" }).click();
  await heading(page, "Add your phone number");
  const right = number();
  await page.fill("#phone", right.slice(2));
  await page.press("#phone", "Enter");
  await heading(page, "Enter your code");
  assert.equal((await w.messages(taken)).length, 0);
  await page.fill("#code", await w.code(right));
  await back(page);
});

test("f11 who may not bind is sent to the administrator", async () => {
  const it = await shop({ settings: { phone_binding: { self_service: false } } });
  const page = await atLogin(it, sizes.phone);
  await password(page);
  await heading(page, "Ask your administrator");
  await page.getByText("Ask an administrator of Northwind").waitFor();
  await sound(page, "12-administrator");
});

test("g1_g2_g4 without the switch there is no code, and with it again the number is still there", async () => {
  const to = number();
  const it = await shop({ sms: false, user: { phone: to } });
  const page = await atLogin(it);
  await password(page);
  assert.ok((await back(page)).get("code"));
  await it.admin("PATCH", "/security", { mfa: { sms: { enabled: true } } });
  const next = await atLogin(it);
  await password(next);
  await heading(next, "Enter your code");
  // G5: the switch goes off in the middle.
  await it.admin("PATCH", "/security", { mfa: { sms: { enabled: false } } });
  await next.reload();
  await heading(next, "Enter your code");
  await next.fill("#code", await w.code(to));
  await back(next);
});

test("f3_h7 a trusted device is not asked again, and a recovery code stands in for the message", async () => {
  const to = number();
  const it = await shop({
    settings: { recovery_codes: { enabled: true }, trusted_devices: { enabled: true, days: 7 } },
  });
  const page = await atLogin(it, { ...sizes.desktop, permissions: ["clipboard-read", "clipboard-write"] });
  await password(page);
  await page.fill("#phone", to.slice(2));
  await page.press("#phone", "Enter");
  await heading(page, "Enter your code");
  await page.getByLabel("Do not ask for a code on this device for 7 days").check();
  // A wrong guess doesn't take the tick away.
  await page.fill("#code", other(await w.code(to)));
  await page.getByRole("alert").waitFor();
  assert.ok(await page.locator("#trust").isChecked());
  await page.fill("#code", await w.code(to));
  await heading(page, "Keep your recovery codes");
  await page.getByRole("button", { name: "Copy" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const codes = copied.trim().split("\n");
  assert.equal(codes.length, 10);
  await page.getByRole("button", { name: "I have kept them" }).click();
  await back(page);
  await page.goto(new URL(it.authorize, w.url).href);
  await password(page);
  await back(page);

  const lost = await atLogin(it, sizes.phone);
  await password(lost);
  await heading(lost, "Enter your code");
  await eventually(async () => (await lost.locator("details[open]").count()) || (await lost.click("summary"), false), "help is open");
  await lost.fill("#recovery", codes[0].toUpperCase());
  await lost.getByRole("button", { name: "Use the recovery code" }).click();
  await back(lost);
});

test("the code's field is one that phones fill in", async () => {
  const to = number();
  const it = await shop({ user: { phone: to } });
  const page = await atLogin(it, sizes.phone);
  // A browser that offers WebOTP: it gives the code of the message to the page that the message names.
  await page.addInitScript(() => {
    globalThis.OTPCredential = class {};
    navigator.credentials.get = (options) => {
      globalThis.asked = options;
      return new Promise((resolve) => (globalThis.arrives = resolve));
    };
  });
  await page.reload();
  await password(page);
  await heading(page, "Enter your code");
  const field = page.locator("#code");
  assert.deepEqual(
    await field.evaluate(({ autocomplete, inputMode, type }) => [autocomplete, inputMode, type]),
    ["one-time-code", "numeric", "text"],
  );
  assert.deepEqual(await page.evaluate(() => globalThis.asked.otp), { transport: ["sms"] });
  const [message] = await w.messages(to);
  assert.ok(message.body.endsWith(`@${new URL(w.url).hostname} #${await w.code(to)}`), "the message names our own host");
  await page.evaluate((code) => globalThis.arrives({ code }), await w.code(to));
  await back(page);
});

test("two tabs of one browser do not meet", async () => {
  const to = number();
  const it = await shop({ user: { phone: to } });
  const first = await atLogin(it);
  const second = await first.context().newPage();
  await second.goto(new URL(it.authorize, w.url).href);
  await password(first);
  await heading(first, "Enter your code");
  await second.reload();
  await heading(second, "Sign in");
  await first.fill("#code", await w.code(to));
  await back(first);
  await second.reload();
  await heading(second, "Sign in");
});

test("the way back is one, and so is another language", async () => {
  const to = number();
  const it = await shop({ user: { phone: to } });
  const page = await atLogin(it, sizes.phone);
  await password(page);
  await heading(page, "Enter your code");
  await page.getByRole("link", { name: "中文" }).click();
  await heading(page, "输入验证码");
  assert.equal(await page.getAttribute("html", "lang"), "zh");
  await page.getByRole("button", { name: "返回" }).click();
  await heading(page, "登录");
});

test("without script the same forms do it all", async () => {
  const to = number();
  const it = await shop();
  const page = await atLogin(it, { ...sizes.phone, javaScriptEnabled: false });
  await password(page, "ann", "wrong");
  await page.getByText("This account and password do not belong together.").waitFor();
  await password(page);
  await page.fill("#phone", `(${to.slice(2, 5)}) ${to.slice(5)}`);
  await page.press("#phone", "Enter");
  await heading(page, "Enter your code");
  await page.reload();
  const code = await w.code(to);
  await page.fill("#code", `${code.slice(0, 3)} ${code.slice(3)}`);
  await page.press("#code", "Enter");
  assert.ok((await back(page)).get("code"));
  assert.equal((await w.messages(to)).length, 1);
});

test("a connection that is lost is said, and the form can be sent again", async () => {
  const it = await shop({ user: { phone: number() } });
  const page = await atLogin(it);
  const context = page.context();
  context.problems = [];
  await context.setOffline(true);
  await password(page);
  await page.getByRole("alert").getByText("We could not reach the service.").waitFor();
  await context.setOffline(false);
  await page.press("#password", "Enter");
  await heading(page, "Enter your code");
  // What the browser logs of the lost connection is no fault of the page.
  context.problems.length = 0;
});

test("a step is small, and asks nobody else for anything", async () => {
  const it = await shop({ settings: { countries: { allow: ["US", "GB", "CN", "DE", "FR"] } } });
  const page = await atLogin(it, sizes.phone);
  const asked = [];
  let bytes = 0;
  page.on("response", async (response) => {
    asked.push(response.url());
    bytes += (await response.body().catch(() => "")).length + JSON.stringify(response.headers()).length;
  });
  await page.reload({ waitUntil: "networkidle" });
  assert.ok(asked.length >= 3 && asked.every((url) => url.startsWith(w.url)), asked.join("\n"));
  assert.ok(bytes < 60_000, `${bytes} bytes`);
});

test("t25 a tenant's colour is worn, and its name is text", async () => {
  const it = await shop({ name: "<b>Bold</b> & Co" });
  await it.admin("PATCH", "", { branding: { accent_color: "#ffdd00" } });
  const page = await atLogin(it, sizes.phone);
  await page.getByText("<b>Bold</b> & Co").first().waitFor();
  await sound(page, "13-branded");
  const ground = await page.locator("button.main").evaluate((button) => getComputedStyle(button).backgroundColor);
  assert.notEqual(ground, "rgb(29, 91, 214)");
});
