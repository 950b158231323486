// Administrator keys: who may do what here.

import { call } from "./api.js";
import { h, time } from "./dom.js";
import { field, form } from "./form.js";
import { ask, badge, button, dialog, empty, entryButton, head, paged, showSecret, table } from "./ui.js";
import { ROLES } from "./words.js";

export async function keys(ctx) {
  const write = ctx.may("writeKeys");
  const own = (key) => key.id === ctx.session.key;
  const revoke = (key) => async () => {
    const text = own(key)
      ? "This is the key that you are signed in with: your own session ends with it. This cannot be undone."
      : `Whoever uses ${key.name} is refused from the next call on, and its sessions of the console end. This cannot be undone.`;
    if (await ask(`Revoke ${key.name}?`, text, "Revoke", () => call("DELETE", `${ctx.path}/admin-keys/${key.id}`))) await ctx.again();
  };
  const columns = [
    ["Name", (it) => [it.name, own(it) && badge("Yours", "accent")]],
    ["Role", (it) => ROLES[it.role]?.[0] ?? it.role],
    ["Id", (it) => h("code", {}, it.id)],
    ["Created", (it) => time(it.created_at)],
    ["Expires", (it) => (it.expires_at === null ? "Never" : new Date(it.expires_at) < new Date() ? badge("Expired", "danger") : time(it.expires_at))],
  ];
  if (write) columns.push(["Actions", (it) => entryButton("Revoke", it.name, revoke(it))]);
  const list = await paged(
    (cursor) => call("GET", `${ctx.path}/admin-keys${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ""}`),
    (items) => (items.length > 0 ? table("Administrator keys", columns, items) : empty("No key", "Create one for each person and program that works here.", null)),
  );
  const actions = write ? [button("Create key", () => createDialog(ctx), "primary")] : [];
  return [head("Keys", { actions, lead: "One for each person and program, with no more than it needs. The last owner key that never expires stays." }), list];
}

async function createDialog(ctx) {
  const fields = [
    field({ name: "name", label: "Name", hint: "Whose it is.", required: true, maxlength: 100 }),
    field({ name: "role", label: "Role", kind: "choice", options: Object.entries(ROLES).map(([role, [name, does]]) => [role, `${name}: ${does}`]), value: "auditor" }),
    field({ name: "expires_at", label: "Expires", hint: "Empty: it lives until it is revoked.", type: "datetime-local" }),
  ];
  const act = (close) => async (values) => {
    const expires_at = values.expires_at ? new Date(values.expires_at).toISOString() : null;
    close(await call("POST", `${ctx.path}/admin-keys`, { ...values, expires_at }));
  };
  const made = await dialog(
    "Create key",
    (close) => form({ fields, submit: "Create", saved: "The key was created.", act: act(close), extra: button("Cancel", () => close(undefined)) }),
    () => [],
  );
  if (!made) return;
  await showSecret("Keep the key", `The key ${made.name}. It is shown this once; only a hash of it is kept.`, made.secret);
  await ctx.again();
}
