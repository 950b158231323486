// Users: the list, the search for one, and a new one.

import { call } from "./api.js";
import { h, time } from "./dom.js";
import { field, form } from "./form.js";
import { badge, button, dialog, empty, head, paged, table } from "./ui.js";

/** What somebody may be called, by what it looks like: the API looks for exactly one kind. */
export function accountQuery(text) {
  if (text.includes("@")) return `email=${encodeURIComponent(text)}`;
  const compact = text.replace(/[\s().-]/g, "");
  if (/^\+?\d+$/.test(compact)) return `phone=${encodeURIComponent(compact.startsWith("+") ? compact : `+${compact}`)}`;
  return `username=${encodeURIComponent(text)}`;
}

export const nameOf = (user) => user.username ?? user.email ?? user.phone ?? user.id;

const COLUMNS = [
  ["User", (it) => h("a", { href: `#/users/${it.id}` }, nameOf(it))],
  ["E-mail", (it) => it.email ?? "–"],
  ["Phone", (it) => (it.phone ? h("span.number", {}, it.phone) : badge("Not bound"))],
  ["Password", (it) => (it.has_password ? "Set" : "–")],
  ["Created", (it) => time(it.created_at)],
];

export async function users(ctx) {
  const account = ctx.query.get("account") ?? "";
  const create = () => createDialog(ctx);
  const write = ctx.may("writeUsers");
  const search = field({ name: "account", label: "Find a user", hint: "By the whole username, e-mail address or number, in any spelling.", type: "search", value: account });
  const find = form({
    fields: [search],
    submit: "Find",
    saved: "",
    kind: "plain",
    inline: true,
    act: ({ account }) => ctx.go(account ? `/users?account=${encodeURIComponent(account)}` : "/users"),
    extra: account ? h("a.button", { href: "#/users" }, "Show all") : null,
  });
  const load = (cursor) => {
    const query = account ? accountQuery(account) : cursor ? `cursor=${encodeURIComponent(cursor)}` : "limit=50";
    return call("GET", `${ctx.path}/users?${query}`);
  };
  const none = account
    ? empty("Nobody has that", "Only a whole username, address or number finds its user. Check the spelling, or show all.", null)
    : empty("No user yet", "Create one by username, phone number or e-mail address.", write && button("Create user", create));
  const list = await paged(load, (items) => (items.length > 0 ? table("Users", COLUMNS, items) : none));
  const actions = write ? [button("Create user", create, "primary")] : [];
  return [head("Users", { actions, lead: "Who can sign in to the applications of this tenant." }), h("search", {}, find), list];
}

async function createDialog(ctx) {
  const fields = [
    field({ name: "username", label: "Username", autocapitalize: "none" }),
    field({ name: "phone", label: "Phone number", hint: "With the country code, like +12025550123. The user is bound to it at once, without a code.", type: "tel" }),
    field({ name: "email", label: "E-mail address", type: "email" }),
    field({ name: "password", label: "Password", hint: "8 characters or more. Leave it empty, and the user signs in by another way.", type: "password", autocomplete: "new-password" }),
  ];
  const act = (close) => async (values) => {
    const given = Object.entries(values).filter(([, value]) => value !== "");
    close(await call("POST", `${ctx.path}/users`, Object.fromEntries(given)));
  };
  const made = await dialog(
    "Create user",
    (close) => [
      h("p.hint", {}, "One of username, phone number and e-mail address is enough."),
      form({ fields, submit: "Create", saved: "The user was created.", act: act(close), extra: button("Cancel", () => close(undefined)) }),
    ],
    () => [],
  );
  if (made) ctx.go(`/users/${made.id}`);
}
