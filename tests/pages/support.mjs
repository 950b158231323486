// What the browser tests stand on: the program `local` with an empty engine, its API, its outbox, and a Chromium.
//
// A test takes `await world()` once, opens pages with `open(...)`, and ends with `close()`. Whatever a page logs as an error (a
// refused script, a style that the policy blocked, a file that is missing) fails the test that opened it.

import { spawn } from "node:child_process";
import { mkdtemp, mkdir, readFile, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";

// The packages stand outside of the repository's tree: tests/run installs them into .cache/pages and names that folder.
const packages = process.env.PAGES_PACKAGES ?? new URL("../../.cache/pages/", import.meta.url).pathname;
export const load = createRequire(join(packages, "package.json"));

const { chromium } = load("playwright-core");
const axeSource = await readFile(load.resolve("axe-core/axe.min.js"), "utf8");

const target = process.env.CARGO_TARGET_DIR ?? new URL("../../target/", import.meta.url).pathname;

/** Sizes that every page is looked at in. */
export const sizes = {
  phone: { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
  narrow: { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true },
  desktop: { viewport: { width: 1280, height: 800 } },
};

/** Starts `local` on a port of its own, and a browser. */
export async function world() {
  const data = await mkdtemp(join(tmpdir(), "mfa-pages-"));
  const program = process.env.LOCAL_PROGRAM ?? join(target, "debug/local");
  const child = spawn(program, ["--port", "0", "--data", data, "--json"], { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stderr.on("data", (piece) => (log += piece));
  const started = await new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (piece) => {
      text += piece;
      const end = text.indexOf("\n");
      if (end >= 0) resolve(JSON.parse(text.slice(0, end)));
    });
    child.on("exit", (code) => reject(new Error(`local ended with ${code}: ${log}`)));
    child.on("error", reject);
  });
  const browser = await chromium.launch({ executablePath: browserPath(), args: ["--no-sandbox", "--disable-gpu"] });
  return new World(started, child, browser, data);
}

function browserPath() {
  const named = process.env.CHROMIUM;
  const found = [named, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
    (path) => path && existsSync(path),
  );
  assert.ok(found, "no Chromium: tests/setup installs one, or CHROMIUM names it");
  return found;
}

class World {
  constructor(started, child, browser, data) {
    this.url = started.url;
    this.operatorKey = started.operator_key;
    this.demo = started.demo;
    this.child = child;
    this.browser = browser;
    this.data = data;
    this.contexts = [];
  }

  /** A fresh browser profile. `options` are Playwright's, over one of `sizes`. */
  async context(options = sizes.desktop) {
    const context = await this.browser.newContext({ locale: "en-US", ...options });
    context.problems = [];
    context.on("page", (page) => watch(page, context.problems));
    this.contexts.push(context);
    return context;
  }

  /** A page of a fresh profile. */
  async open(path, options) {
    const page = await (await this.context(options)).newPage();
    if (path) await page.goto(new URL(path, this.url).href);
    return page;
  }

  /** One call of the API, with the demo tenant's administrator key unless another credential is given. */
  async call(method, path, body, { bearer = this.demo.admin_key, headers = {} } = {}) {
    const answer = await fetch(new URL(path, this.url), {
      method,
      headers: {
        ...(bearer ? { authorization: `Bearer ${bearer}` } : {}),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : null };
  }

  /** As `call`, where anything but a success fails the test. */
  async api(method, path, body, options) {
    const answer = await this.call(method, path, body, options);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** A tenant of its own, so that tests do not meet: `{tenant, key}`. */
  async tenant(name = "Acme", home_country = "US") {
    const made = await this.api("POST", "/v1/tenants", { name, home_country }, { bearer: this.operatorKey });
    return { tenant: made.id, key: made.admin_key.secret };
  }

  async outbox() {
    const answer = await fetch(new URL("/_local/outbox", this.url), { headers: { accept: "application/json" } });
    return answer.json();
  }

  /** Messages to a number, oldest first. */
  async messages(to) {
    return (await this.outbox()).filter((message) => message.to === to);
  }

  /** The code of the newest message to a number, once there are `count` of them. */
  async code(to, count = 1) {
    const messages = await eventually(async () => {
      const found = await this.messages(to);
      return found.length >= count ? found : null;
    }, `${count} messages to ${to}`);
    const [, code] = /#(\d{4,10})\s*$/.exec(messages.at(-1).body) ?? /\b(\d{4,10})\b/.exec(messages.at(-1).body);
    return code;
  }

  /** Moves the time of everything that `local` does. */
  async advance(seconds) {
    await this.api("POST", "/_local/clock", { advance_seconds: seconds }, { bearer: null });
  }

  /** Fails on whatever a page complained of, and ends everything. */
  async close() {
    const problems = this.contexts.flatMap((context) => context.problems);
    // A Chromium that does not end is left to end with this process.
    await Promise.race([this.browser.close(), pause(10_000)]);
    const gone = new Promise((resolve) => this.child.on("exit", resolve));
    this.child.removeAllListeners("exit");
    this.child.on("exit", () => {});
    this.child.kill("SIGTERM");
    await Promise.race([gone, pause(5000)]);
    if (this.child.exitCode === null) this.child.kill("SIGKILL");
    await rm(this.data, { recursive: true, force: true });
    assert.deepEqual(problems, [], "pages complained");
  }
}

/** Notes what a page logs as an error. An answer of 4xx to a form is a page's business; a policy that blocks something is a fault. */
function watch(page, problems) {
  page.on("pageerror", (error) => problems.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    const expected = /status of (4\d\d|503)/.test(text);
    if (message.type() === "error" && !expected) problems.push(`${page.url()}: ${text}`);
  });
}

/**
 * axe-core's findings on a page as it stands now: there shall be none. It is evaluated, so the page's own policy need not admit it.
 * `without` names rules that do not apply here.
 */
export async function accessible(page, without = []) {
  const rules = Object.fromEntries(without.map((rule) => [rule, { enabled: false }]));
  const options = { resultTypes: ["violations"], rules };
  // A page that loads itself anew in the middle of it is looked at again.
  const found = await eventually(async () => {
    try {
      await page.evaluate(axeSource);
      return await page.evaluate((options) => globalThis.axe.run(document, options), options);
    } catch (error) {
      if (/context was destroyed/.test(error.message)) return null;
      throw error;
    }
  }, "axe-core has looked at the page");
  const said = found.violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map((node) => node.html).slice(0, 3) }));
  assert.deepEqual(said, [], `axe-core on ${page.url()}`);
}

/** Nothing is wider than the window: who reads on a phone never scrolls sideways. */
export async function fits(page) {
  await page.waitForLoadState("load");
  await eventually(
    () => page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth),
    `${page.url()} is no wider than its window`,
  );
}

/** A picture for whoever wants to look, where SCREENSHOTS names a folder. */
export async function picture(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The first truthy answer of `ask`, within thirty seconds. */
export async function eventually(ask, what) {
  const end = Date.now() + 30_000;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    assert.ok(Date.now() < end, `not within thirty seconds: ${what}`);
    await pause(50);
  }
}
