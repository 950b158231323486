// How a test uses the console, as a person does: by what is written on it.

import assert from "node:assert/strict";
import { eventually } from "./support.mjs";

export async function signIn(page, key) {
  await page.getByLabel("Administrator key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  await settled(page);
}

/** Every screen has its heading once it is there. */
export async function settled(page) {
  await page.locator("main:not([aria-busy]) h1").first().waitFor();
}

/** Goes to a screen by its address. */
export async function go(page, path) {
  await page.evaluate((path) => {
    document.querySelector("h1")?.remove();
    if (location.hash === `#${path}`) window.dispatchEvent(new HashChangeEvent("hashchange"));
    else location.hash = path;
  }, path);
  await settled(page);
}

export const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();

export const press = (where, name, options = {}) => where.getByRole("button", { name, ...options }).click();

/** Flips a switch and waits until it is saved. */
export async function toggled(page, name, to) {
  const control = page.getByRole("switch", { name });
  await control.waitFor();
  assert.equal(await control.isChecked(), !to, `${name} is ${to} already`);
  await page.locator("#toast").evaluate((region) => region.replaceChildren());
  await control.click();
  await said(page, "Saved");
  await page.getByRole("switch", { name, checked: to }).waitFor();
}

/** Waits for the page to say that something was done. */
export async function said(page, text) {
  const region = page.locator("#toast");
  await eventually(async () => (await region.textContent()).includes(text), `the page says "${text}"`);
}

/** Of a choice of few; its inputs are drawn by their labels. */
export const choose = (group, name) => group.getByText(name, { exact: true }).click();

/** Answers what is asked before something is done, and waits until it is. */
export async function confirm(page, name) {
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

export async function cancel(page) {
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await dialog.waitFor({ state: "detached" });
}
