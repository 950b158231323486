// The audit log: who did what to whom, when and from where, with what was there before and after.

import { all, call } from "./api.js";
import { h, time } from "./dom.js";
import { field, form } from "./form.js";
import { badge, empty, facts, head, paged, table } from "./ui.js";
import { EVENTS, ROLES, event } from "./words.js";

const FILTERS = ["type", "application", "user", "from", "to"];

export async function audit(ctx) {
  const query = new URLSearchParams();
  for (const name of FILTERS) {
    const value = ctx.query.get(name);
    if (value) query.set(name, value);
  }
  const applications = await all(`${ctx.path}/applications`, 100);
  const load = (cursor) => {
    const page = new URLSearchParams(query);
    page.set("limit", "25");
    if (cursor) page.set("cursor", cursor);
    return call("GET", `${ctx.path}/audit-events?${page}`);
  };
  const none = empty("No event", query.size > 0 ? "Nothing happened that fits. Widen the filter, or show all." : "What administrators change and what logins do stands here.", null);
  const draw = (items) => (items.length > 0 ? h("ol.events", {}, items.map((it) => entry(it, applications))) : none);
  return [
    head("Audit log", { lead: "What administrators changed and how logins went, newest first. Nothing in it is ever changed or deleted." }),
    filter(ctx, query, applications),
    await paged(load, draw),
  ];
}

/** Times of day are the reader's own; the API wants them in UTC. */
const local = (text) => {
  if (!text) return "";
  const at = new Date(text);
  return Number.isNaN(at.valueOf()) ? "" : new Date(at.valueOf() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};
const utc = (text) => (text ? new Date(text).toISOString() : "");

function filter(ctx, query, applications) {
  const any = [["", "Any"]];
  const fields = [
    field({ name: "type", label: "What", kind: "choice", value: query.get("type") ?? "", options: [...any, ...Object.entries(EVENTS)] }),
    field({ name: "application", label: "Application", kind: "choice", value: query.get("application") ?? "", options: [...any, ...applications.map((it) => [it.id, it.name])] }),
    field({ name: "user", label: "User", placeholder: "usr_…", pattern: "usr_[0-9A-Za-z]{22}", title: "A user's id", value: query.get("user") ?? "" }),
    field({ name: "from", label: "From", type: "datetime-local", value: local(query.get("from")) }),
    field({ name: "to", label: "Until", type: "datetime-local", value: local(query.get("to")) }),
  ];
  const act = (values) => {
    const wanted = new URLSearchParams();
    const entries = { ...values, from: utc(values.from), to: utc(values.to) };
    for (const name of FILTERS) if (entries[name]) wanted.set(name, entries[name]);
    ctx.go(wanted.size > 0 ? `/audit?${wanted}` : "/audit");
  };
  const element = form({ fields, submit: "Filter", saved: "", act, kind: "plain", extra: query.size > 0 ? h("a.button", { href: "#/audit" }, "Show all") : null });
  element.classList.add("grid-form");
  return h("details.filter", { open: query.size > 0 }, h("summary", {}, "Filter"), element);
}

function actorOf({ type, key, role, user }) {
  if (type === "administrator") return ["Administrator ", h("code", {}, key), ` (${ROLES[role]?.[0] ?? role})`];
  if (type === "user") return ["The user ", h("code", {}, user)];
  return type === "operator" ? "The operator" : "The service itself";
}

function entry(it, applications) {
  const application = applications.find(({ id }) => id === it.application);
  const changes = difference(it.before, it.after);
  return h(
    "li.event",
    {},
    h("div.event-head", {}, h("h2", {}, event(it.type)), time(it.at, true)),
    facts([
      ["By", h("span", {}, actorOf(it.actor))],
      ["From", it.client_ip ?? undefined],
      ["Application", it.application ? h("a", { href: `#/applications/${it.application}` }, application?.name ?? it.application) : undefined],
      ["User", it.user ? h("a", { href: `#/users/${it.user}` }, h("code", {}, it.user)) : undefined],
      ["Request", it.request_id ? h("code", {}, it.request_id) : undefined],
    ]),
    changes.length > 0 && shown(it, changes),
  );
}

/** Every value by its path, as it was and as it is. */
function difference(before, after) {
  const [was, is] = [flat(before), flat(after)];
  const paths = [...new Set([...was.keys(), ...is.keys()])];
  return paths.map((path) => [path, was.get(path) ?? null, is.get(path) ?? null]).filter(([, was, is]) => was !== null || is !== null);
}

function flat(value, path = "", into = new Map()) {
  const members = value !== null && typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : null;
  if (members === null) {
    if (path !== "") into.set(path, value);
  } else for (const [name, member] of members) flat(member, path === "" ? name : `${path}.${name}`, into);
  return into;
}

/** One entry of a list: its members, where it has any. */
const item = (value) => (value !== null && typeof value === "object" ? Object.values(value).join(", ") : String(value));

function said(value) {
  if (value === null) return h("span.none", {}, "none");
  if (typeof value === "boolean") return badge(value ? "on" : "off", value ? "accent" : "");
  if (Array.isArray(value)) return value.length === 0 ? h("span.none", {}, "empty") : value.map(item).join("; ");
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return time(value, true);
  return String(value);
}

/** What changed is what one looks for; all of what is new or gone is there for who asks. */
function shown(it, changes) {
  const element = changeTable(changes, it.before, it.after);
  if (it.before && it.after) return element;
  return h("details", {}, h("summary", {}, it.before ? "What it was" : "What it is"), element);
}

/** What is new has no before, what is gone no after. */
function changeTable(changes, before, after) {
  const sides = [before && ["Before", 1], after && ["After", 2]].filter(Boolean);
  const names = sides.length === 2 ? ["What", "Before", "After"] : ["What", before ? "As it was" : "As it is"];
  const side = ([label, at]) => [label, (change) => said(change[at])];
  const columns = [["What", ([path]) => path.replaceAll("_", " ").replaceAll(".", " › ")], ...sides.map(side)];
  const named = columns.map(([, content], index) => [names[index], content]);
  const element = table(names.join(", "), named, changes);
  element.classList.add("changes");
  return element;
}
