// The console: who is signed in, where one is, and the screen of it.

import { call, signOut, whoami } from "./api.js";
import { application } from "./application.js";
import { applications } from "./applications.js";
import { audit } from "./audit.js";
import { h } from "./dom.js";
import { explain } from "./explain.js";
import { keys } from "./keys.js";
import { messages } from "./messages.js";
import { security } from "./security.js";
import { sending } from "./sending.js";
import { signInOver, signInPage } from "./signin.js";
import { sources } from "./sources.js";
import { tenant } from "./tenant.js";
import { testing } from "./testing.js";
import { button, head, problemText } from "./ui.js";
import { user } from "./user.js";
import { users } from "./users.js";
import { ROLES, may } from "./words.js";

/** Path (`:name` is a parameter), the permission that its screen needs, the screen, and the entry of the menu that it belongs to. */
const ROUTES = [
  ["/applications", "readPolicy", applications, "Applications"],
  ["/applications/:application", "readPolicy", application("Details"), "Applications"],
  ["/applications/:application/advanced", "readPolicy", application("Advanced configuration"), "Applications"],
  ["/applications/:application/security", "readPolicy", application("Security management"), "Applications"],
  ["/security", "readPolicy", security, "Security settings"],
  ["/security/policy", "readPolicy", sources, "Security settings"],
  ["/security/sending", "readPolicy", sending, "Security settings"],
  ["/security/messages", "readPolicy", messages, "Security settings"],
  ["/security/testing", "readPolicy", testing, "Security settings"],
  ["/explain", "readPolicy", explain, "Why is MFA asked?"],
  ["/users", "readUsers", users, "Users"],
  ["/users/:user", "readUsers", user, "Users"],
  ["/audit", "readAudit", audit, "Audit log"],
  ["/keys", "readKeys", keys, "Keys"],
  ["/tenant", "readPolicy", tenant, "Tenant"],
];

const MENU = [
  ["Applications", "/applications"],
  ["Users", "/users"],
  ["Security settings", "/security"],
  ["Why is MFA asked?", "/explain"],
  ["Audit log", "/audit"],
  ["Keys", "/keys"],
  ["Tenant", "/tenant"],
];

const root = document.getElementById("app");
let session = null;
/** Grows with every screen that is asked for, so that a slow one does not come over a later one. */
let turn = 0;

const permission = (path) => ROUTES.find(([pattern]) => pattern === path)[1];
const menu = () => MENU.filter(([, path]) => may(session.role, permission(path)));

function find(path) {
  for (const [pattern, needs, screen, entry] of ROUTES) {
    const names = [];
    const source = pattern.replace(/:(\w+)/g, (_, name) => (names.push(name), "([^/]+)"));
    const match = new RegExp(`^${source}$`).exec(path);
    if (match) {
      const params = Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(match[index + 1])]));
      return { needs, screen, entry, params };
    }
  }
  return null;
}

/** What every screen gets: who looks at it, what may be done, and the way on. */
function context(params, query) {
  return {
    session,
    params,
    query,
    path: `/v1/tenants/${session.tenant}`,
    may: (needs) => may(session.role, needs),
    go: (path) => {
      location.hash = path;
    },
    /** Draws the screen anew, with the focus where it was. */
    again: () => show({ keep: true }),
  };
}

async function show({ keep = false } = {}) {
  const mine = (turn += 1);
  const [path, search = ""] = (location.hash.slice(1) || menu()[0][1]).split("?");
  const found = find(path);
  const main = document.getElementById("main");
  mark(found?.entry);
  if (!keep) main.setAttribute("aria-busy", "true");
  const content = await screenOf(found, new URLSearchParams(search));
  if (mine !== turn) return;
  const focused = keep ? place(main, document.activeElement) : null;
  main.replaceChildren(...[content].flat(2).filter(Boolean));
  main.removeAttribute("aria-busy");
  const title = main.querySelector("h1");
  document.title = `${title?.textContent ?? "Console"} · Console`;
  if (!keep) {
    window.scrollTo(0, 0);
    title?.focus();
  } else if (focused !== null) main.querySelectorAll(FOCUSABLE)[focused]?.focus();
}

const FOCUSABLE = "main input, main select, main textarea, main button";
const place = (main, element) => {
  const at = [...main.querySelectorAll(FOCUSABLE)].indexOf(element);
  return at < 0 ? null : at;
};

async function screenOf(found, query) {
  if (found === null) return head("There is nothing here", { lead: "The address does not lead to a page of the console." });
  if (!may(session.role, found.needs)) {
    const [name] = ROLES[session.role];
    return head("Not for your role", { lead: `You are signed in with the role ${name}, which may not see this.` });
  }
  try {
    return await found.screen(context(found.params, query));
  } catch (problem) {
    if (!("code" in problem)) console.error(problem);
    const title = problem.status === 404 ? "It is not there any more" : "This cannot be shown";
    return [head(title), problemText(problem), h("p", {}, button("Try again", () => show()))];
  }
}

function mark(entry) {
  for (const item of document.querySelectorAll("#menu a")) {
    if (item.textContent === entry) item.setAttribute("aria-current", "page");
    else item.removeAttribute("aria-current");
  }
  closeMenu();
}

function closeMenu() {
  document.getElementById("menu")?.classList.remove("open");
  document.getElementById("menu-button")?.setAttribute("aria-expanded", "false");
}

function shell() {
  const [roleName] = ROLES[session.role];
  const name = h("span.tenant-name", {}, session.tenant);
  const open = () => {
    const opened = nav.classList.toggle("open");
    toggle.setAttribute("aria-expanded", String(opened));
  };
  const toggle = h("button.button.quiet", { id: "menu-button", type: "button", "aria-expanded": "false", "aria-controls": "menu", onclick: open }, "Menu");
  const entries = menu().map(([label, path]) => h("li", {}, h("a", { href: `#${path}` }, label)));
  const nav = h("nav.menu", { id: "menu", "aria-label": "Console" }, h("ul", {}, entries));
  const leave = async () => {
    try {
      await signOut();
    } catch (problem) {
      if (problem.status !== 401) return document.getElementById("main").prepend(problemText(problem));
    }
    session = null;
    start();
  };
  root.replaceChildren(
    h("a.skip", { href: "#main", onclick: skip }, "Skip to the content"),
    h(
      "header.top",
      {},
      toggle,
      h("p.brand", {}, name, h("small", {}, "Console")),
      h("p.who", {}, h("span", {}, session.key_name), " ", h("span.badge", {}, roleName)),
      button("Sign out", leave, "quiet"),
    ),
    h("div.frame", {}, nav, h("main", { id: "main", tabindex: "-1" })),
  );
  if (may(session.role, "readPolicy")) tenantName(name);
}

/** The address keeps its place: it is the screen's. */
function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

/** A name where the role may read it; the id is no less right. */
async function tenantName(element) {
  const found = await call("GET", `/v1/tenants/${session.tenant}`).catch(() => null);
  if (found) element.textContent = found.name;
}

function enter(found) {
  session = found;
  shell();
  show();
}

async function start() {
  try {
    session = await whoami();
  } catch (problem) {
    root.replaceChildren(h("main.sign-in", {}, h("h1", {}, "Console"), problemText(problem), button("Try again", start)));
    return;
  }
  if (session) return enter(session);
  document.title = "Sign in · Console";
  root.replaceChildren(signInPage(enter));
}

signInOver(
  () => session,
  (found, other) => {
    session = found;
    // Another tenant's page is no place to go on.
    if (other) enter(found);
  },
);
window.addEventListener("hashchange", () => session && show());
document.addEventListener("keydown", (event) => event.key === "Escape" && closeMenu());
window.addEventListener("tenant-renamed", (event) => {
  document.querySelector(".tenant-name").textContent = event.detail;
});
start();
