// Sign-in by QR code in two browsers that share nothing: one shows the code, the other plays the signed-in phone (acceptance F2, F10).

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { accessible, eventually, fits, picture, sizes, world } from "./support.mjs";

const PASSWORD = "correct horse battery";
const NUMBER = "+12025550146";

let local;
before(async () => (local = await world()));
after(() => local.close());

/** A tenant with an application and the user ann, whose number is bound. A code is asked for where `sms` says so. */
async function shop({ sms = false } = {}) {
  const { tenant, key } = await local.tenant();
  const as = { bearer: key };
  const at = `/v1/tenants/${tenant}`;
  const application = await local.api("POST", `${at}/applications`, { name: "Orders" }, as);
  await local.api("POST", `${at}/users`, { username: "ann", password: PASSWORD, phone: NUMBER }, as);
  const code = (enabled) => local.api("PATCH", `${at}/security`, { mfa: { sms: { enabled } } }, as);
  await code(sms);
  return { tenant, application: application.id, code, experience: `/t/${tenant}/experience/${application.id}` };
}

/** The login's page with its QR code, in a browser of its own. */
async function showing(shop, options) {
  const page = await local.open(shop.experience, options);
  await page.getByRole("button", { name: "Sign in with a QR code" }).click();
  await page.getByRole("img", { name: "QR code for signing in" }).waitFor();
  return page;
}

const address = (page) => page.locator("#qr-address").textContent();

/** Opens the code's address on the phone and signs in there. */
async function scanning(address, options = sizes.phone) {
  const phone = await local.open(null, options);
  await phone.goto(address);
  await signIn(phone);
  return phone;
}

async function signIn(page) {
  await page.getByLabel("Username, phone or email").fill("ann");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

for (const [size, options] of Object.entries(sizes)) {
  test(`f2 a code that the phone approves signs the browser in, at ${size} size`, async () => {
    const place = await shop();
    const page = await showing(place, options);
    await accessible(page);
    await fits(page);
    await picture(page, `qr-panel-${size}`);

    const phone = await scanning(await address(page), options);
    await phone.getByRole("heading", { name: "Is this you signing in?" }).waitFor();
    const facts = await phone.locator("dl.facts").innerText();
    assert.match(facts, /Orders/);
    assert.match(facts, /Chrome on /);
    assert.match(facts, /127\.0\.0\.1/);
    await phone.getByText("Only approve if you are signing in on that device yourself").waitFor();
    await accessible(phone);
    await fits(phone);
    await picture(phone, `qr-scan-${size}`);
    await page.locator("#qr-state", { hasText: "Scanned." }).waitFor();

    await phone.getByRole("button", { name: "Approve" }).click();
    await phone.getByRole("heading", { name: "Approved" }).waitFor();
    await accessible(phone);
    await picture(phone, `qr-approved-${size}`);
    await page.waitForURL(/\/result\?/);
    await page.getByRole("cell", { name: "qr", exact: true }).waitFor();
    // What was approved stays said, and is worth nothing more.
    await phone.reload();
    await phone.getByRole("heading", { name: "Approved" }).waitFor();
  });
}

test("f2 a rejection is told to the browser, which asks for the password", async () => {
  const place = await shop();
  const page = await showing(place);
  const phone = await scanning(await address(page));
  await phone.getByRole("button", { name: "Reject" }).click();
  await phone.getByRole("heading", { name: "Rejected" }).waitFor();
  await accessible(phone);
  await picture(phone, "qr-rejected");
  await page.getByText("The sign-in was rejected on the other device.").waitFor();
  await accessible(page);
  await page.getByRole("button", { name: "Sign in with a QR code" }).waitFor();
  await signIn(page);
  await page.waitForURL(/\/result\?/);
});

test("f2 a code that is over says so on both sides, and another one works", async () => {
  const place = await shop();
  const page = await showing(place);
  const old = await address(page);
  const phone = await scanning(old);
  await phone.getByRole("heading", { name: "Is this you signing in?" }).waitFor();
  await local.advance(121);
  await phone.getByRole("button", { name: "Approve" }).click();
  await phone.getByText("This QR code has expired, or has been used.").waitFor();
  await accessible(phone);
  await picture(phone, "qr-expired");
  await page.getByText("This QR code has expired, or has been used.").waitFor();
  await page.getByRole("button", { name: "Sign in with a QR code" }).click();
  await page.getByRole("img", { name: "QR code for signing in" }).waitFor();
  const next = await address(page);
  assert.notEqual(next, old);
  // The phone is still signed in.
  await phone.goto(next);
  await phone.getByRole("button", { name: "Approve" }).click();
  await page.waitForURL(/\/result\?/);
});

test("f10 the scan of a user whom a code is asked of goes on to the code", async () => {
  const place = await shop();
  const page = await showing(place, sizes.phone);
  const phone = await scanning(await address(page));
  await place.code(true);
  await phone.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("heading", { name: "Enter your code" }).waitFor();
  await picture(page, "qr-code-asked");
  const cookies = await page.context().cookies();
  assert.ok(!cookies.some((cookie) => cookie.name.includes("-done-")), "the scan alone logs nobody in");
  await page.getByLabel("6-digit code").fill(await local.code(NUMBER));
  await page.waitForURL(/\/result\?/);
  await page.getByText("aal2").first().waitFor();
});

test("f2 a code is nothing at another tenant", async () => {
  const place = await shop();
  const page = await showing(place);
  const other = await shop();
  const stranger = await local.open(null, sizes.phone);
  await stranger.goto((await address(page)).replace(place.tenant, other.tenant));
  await stranger.getByText("This QR code has expired, or has been used.").waitFor();
});

test("t24 a decision needs the page's own form, and the page its own browser", async () => {
  const place = await shop();
  const page = await showing(place);
  const phone = await scanning(await address(page));
  await phone.getByRole("heading", { name: "Is this you signing in?" }).waitFor();
  const qr = new URL(await address(page)).searchParams.get("qr");
  const post = (headers, form) =>
    phone.request.post(new URL(`/t/${place.tenant}/scan/approval`, local.url).href, { headers, form, maxRedirects: 0 });
  const csrf = await phone.locator("input[name=csrf]").first().inputValue();
  assert.equal((await post({}, { csrf: "guessed-guessed-guesse", qr })).status(), 403);
  assert.equal((await post({ origin: "https://evil.example" }, { csrf, qr })).status(), 403);
  assert.equal((await post({ "sec-fetch-site": "cross-site" }, { csrf, qr })).status(), 403);
  await page.locator("#qr-state", { hasText: "Scanned." }).waitFor();
  // Nothing that a script could read signs anybody in.
  assert.equal(await page.evaluate(() => document.cookie), "");
  assert.equal(await phone.evaluate(() => document.cookie), "");
  assert.equal((await post({}, { csrf, qr })).status(), 303);
  await page.waitForURL(/\/result\?/);
});

test("f2 without script the same forms do", async () => {
  const place = await shop();
  const options = { ...sizes.desktop, javaScriptEnabled: false };
  const page = await showing(place, options);
  await page.getByRole("button", { name: "I have approved it" }).click();
  await page.getByText("The code has not been approved yet.").waitFor();
  await page.locator("summary").click();
  const phone = await scanning(await address(page), { ...sizes.phone, javaScriptEnabled: false });
  await phone.getByRole("button", { name: "Approve" }).click();
  await phone.getByRole("heading", { name: "Approved" }).waitFor();
  await page.getByRole("button", { name: "I have approved it" }).click();
  await page.waitForURL(/\/result\?/);
});

test("f2 the pages speak Chinese, and are dark where the browser is", async () => {
  const place = await shop();
  const page = await local.open(place.experience, { ...sizes.phone, locale: "zh-CN", colorScheme: "dark" });
  await page.getByRole("button", { name: "使用二维码登录" }).click();
  await page.getByRole("img", { name: "登录二维码" }).waitFor();
  await accessible(page);
  await fits(page);
  await picture(page, "qr-panel-zh-dark");
  const phone = await local.open(null, { ...sizes.narrow, locale: "zh-CN", colorScheme: "dark" });
  await phone.goto(await address(page));
  await phone.getByLabel("用户名、手机号或邮箱").fill("ann");
  await phone.getByLabel("密码", { exact: true }).fill(PASSWORD);
  await phone.getByRole("button", { name: "登录", exact: true }).click();
  await phone.getByRole("heading", { name: "是您本人在登录吗？" }).waitFor();
  await accessible(phone);
  await fits(phone);
  await picture(phone, "qr-scan-zh-dark");
  await phone.getByRole("button", { name: "拒绝" }).click();
  await page.getByText("登录在另一台设备上被拒绝。").waitFor();
  await eventually(() => page.getByRole("button", { name: "使用二维码登录" }).isVisible(), "the panel is closed");
});
