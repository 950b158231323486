// Draws the README's two pictures: `node tests/pages/draw.mjs docs/images`.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { sizes, world } from "./support.mjs";

const folder = process.argv[2];
if (!folder) throw new Error("usage: draw.mjs FOLDER");
await mkdir(folder, { recursive: true });
const local = await world();
try {
  await login();
  await console_();
} finally {
  await local.close();
}

/** The code's step at phone size. */
async function login() {
  const [user] = local.demo.users.filter((user) => user.phone);
  const phone = { ...sizes.phone, viewport: { width: 360, height: 560 } };
  const page = await local.open(`/t/${local.demo.tenant}/experience/${local.demo.application}`, phone);
  await page.fill("input[name=account]", user.username);
  await page.fill("input[name=password]", user.password);
  await page.press("input[name=password]", "Enter");
  await page.waitForSelector("input[name=code]");
  await page.screenshot({ path: join(folder, "login.png") });
}

/** Where the policy is made. */
async function console_() {
  const page = await local.open("/console", { ...sizes.desktop, viewport: { width: 1100, height: 700 } });
  await page.fill("input", local.demo.admin_key);
  await page.press("input", "Enter");
  await page.getByRole("link", { name: "Security settings" }).click();
  await page.getByRole("heading", { name: "Security settings" }).waitFor();
  await page.getByText("SMS verification code").first().waitFor();
  await page.screenshot({ path: join(folder, "console.png") });
}
