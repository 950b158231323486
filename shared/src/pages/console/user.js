// A user's details: Personal information, the number, and what support looks at.

import { all, call } from "./api.js";
import { h, time } from "./dom.js";
import { field, form } from "./form.js";
import { identities } from "./identities.js";
import { ask, badge, button, card, empty, entryButton, facts, head, paged, table } from "./ui.js";
import { nameOf } from "./users.js";

export async function user(ctx) {
  const path = `${ctx.path}/users/${encodeURIComponent(ctx.params.user)}`;
  const readsPolicy = ctx.may("readPolicy");
  const [it, linked, sources] = await Promise.all([
    call("GET", path),
    call("GET", `${path}/identities`),
    readsPolicy ? all(`${ctx.path}/identity-sources`) : [],
  ]);
  const write = ctx.may("writeUsers");
  const actions = readsPolicy ? [h("a.button", { href: `#/explain?user=${it.id}` }, "Why is MFA asked?")] : [];
  return [
    head(nameOf(it), { crumbs: [["Users", "#/users"]], actions }),
    personal(ctx, it, path, write),
    number(ctx, it, path, write),
    write && password(ctx, it, path),
    identities(ctx, linked.items, sources, path, write),
    await devices(ctx, path, write),
    await challenges(path),
    write && danger(ctx, it, path),
  ];
}

function personal(ctx, it, path, write) {
  const disabled = !write;
  const fields = [
    field({ name: "username", label: "Username", value: it.username, disabled, autocapitalize: "none" }),
    field({ name: "email", label: "E-mail address", type: "email", value: it.email, disabled }),
    field({ name: "locale", label: "Language of messages", hint: "A tag like en or pt-BR. Empty: the service's own.", value: it.locale, disabled }),
  ];
  const act = async (values) => {
    const patch = Object.entries(values).map(([name, value]) => [name, value || null]);
    await call("PATCH", path, Object.fromEntries(patch));
    await ctx.again();
  };
  return card(
    "Personal information",
    null,
    facts([
      ["Id", h("code", {}, it.id)],
      ["Created", time(it.created_at)],
      ["Wrong codes in a row", it.failed_codes >= 100 ? badge(`${it.failed_codes}: no more codes are sent until a number is bound anew`, "danger") : String(it.failed_codes)],
    ]),
    form({ fields, submit: "Save", act, disabled }),
  );
}

function number(ctx, it, path, write) {
  const bound = it.phone !== null;
  const phone = field({
    name: "phone",
    label: bound ? "Another number" : "Number",
    hint: "With the country code, like +12025550123. It counts as bound at once, without a code.",
    type: "tel",
    required: true,
  });
  const bind = async (values) => {
    const put = () => call("PUT", `${path}/phone`, values);
    if (!bound) await put();
    else if (!(await ask("Replace the number?", `Codes go to ${values.phone} from then on, and ${it.phone} is told. Codes that are out complete nothing any more.`, "Replace", put))) return;
    await ctx.again();
  };
  const unbind = async () => {
    const text = `${it.phone} is told. At the next login that asks for a code the user binds a number again, or needs an administrator where that is forbidden.`;
    if (await ask("Unbind the number?", text, "Unbind", () => call("DELETE", `${path}/phone`))) await ctx.again();
  };
  return card(
    "Phone number",
    null,
    bound
      ? facts([["Number", h("strong", {}, it.phone)], ["Bound since", time(it.phone_bound_at)]])
      : h("p", {}, badge("Not bound"), " The user binds a number at the next login that asks for a code, or you bind one here."),
    write &&
      form({
        fields: [phone],
        submit: bound ? "Replace number" : "Bind number",
        saved: "",
        act: bind,
        kind: bound ? "plain" : "primary",
        extra: bound ? button("Unbind number", unbind, "danger-quiet") : null,
      }),
  );
}

function password(ctx, it, path) {
  const set = it.has_password;
  const fields = [
    field({ name: "password", label: "New password", hint: "8 characters or more.", type: "password", autocomplete: "new-password", required: true, minlength: 8 }),
  ];
  const act = async (values) => {
    await call("PATCH", path, values);
    await ctx.again();
  };
  const remove = async () => {
    if (await ask("Remove the password?", "The user signs in by another way from then on.", "Remove", () => call("PATCH", path, { password: null }))) await ctx.again();
  };
  return card(
    "Password",
    set ? "A password is set. Nobody can read it." : "No password is set.",
    form({ fields, submit: "Set password", saved: "The password was set.", act, kind: "plain", extra: set ? button("Remove password", remove, "danger-quiet") : null }),
  );
}

async function devices(ctx, path, write) {
  const page = await call("GET", `${path}/trusted-devices`);
  const revoke = (device) => async () => {
    const text = "The next login on this device asks for a code again.";
    if (await ask("End the trust of this device?", text, "Revoke", () => call("DELETE", `${path}/trusted-devices/${device.id}`))) await ctx.again();
  };
  const revokeAll = async () => {
    if (await ask("End the trust of all devices?", "The next login on each asks for a code again.", "Revoke all", () => call("DELETE", `${path}/trusted-devices`))) await ctx.again();
  };
  const columns = [
    ["Device", (it) => h("code", {}, it.id)],
    ["Application", (it) => application(ctx, it.application)],
    ["Trusted since", (it) => time(it.created_at)],
    ["Until", (it) => time(it.expires_at)],
  ];
  if (write) columns.push(["Actions", (it) => entryButton("Revoke", it.id, revoke(it))]);
  return card(
    "Trusted devices",
    "Where this user is spared the code.",
    page.items.length > 0 ? table("Trusted devices", columns, page.items) : empty("No trusted device", "A user trusts one with the code, where the application's rules allow it.", null),
    write && page.items.length > 1 && h("div.form-actions", {}, button("Revoke all", revokeAll, "danger-quiet")),
  );
}

function application(ctx, id) {
  const code = h("code", {}, id);
  return ctx.may("readPolicy") ? h("a", { href: `#/applications/${id}` }, code) : code;
}

const STATES = {
  started: "Started",
  number_given: "Number given, nothing sent",
  sent: "Waiting for the code",
  expired: "Expired",
  blocked: "Blocked: no guess is left",
  complete: "Complete",
};
const REASONS = {
  limit: "a limit is used up",
  sending_disabled: "sending is stopped",
  not_counted: "it could not be counted",
  not_reached: "the provider was not reached",
  opted_out: "the number wants no more messages",
  invalid_parameter: "the provider takes no such number",
  not_authorized: "the provider takes nothing from this service",
  rejected: "the provider says no",
};
const DELIVERY = { accepted: "Taken by the provider", unknown: "Unknown: may have left", failed: "Failed" };

async function challenges(path) {
  const columns = [
    ["Login", (it) => time(it.started_at, true)],
    ["State", (it) => badge(STATES[it.state] ?? it.state, { complete: "accent", blocked: "danger" }[it.state] ?? "")],
    ["Number", (it) => [it.phone_hint ?? "–", it.test && badge("Test")]],
    ["Delivery", (it) => (it.delivery ? [DELIVERY[it.delivery], REASONS[it.delivery_reason]].filter(Boolean).join(": ") : "–")],
    ["Messages", (it) => String(it.sends)],
    ["Guesses", (it) => `${it.attempts} of ${it.max_attempts}`],
    ["Code valid until", (it) => time(it.expires_at, true)],
  ];
  const load = (cursor) => call("GET", `${path}/challenges?limit=10${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
  const draw = (items) =>
    items.length > 0 ? table("Challenges", columns, items) : empty("No challenge in the last 72 hours", "Logins that asked for a code stand here, with what became of the message.", null);
  return card("Challenges", "Why did this user get no code? The logins of the last 72 hours; never a code.", await paged(load, draw));
}

function danger(ctx, it, path) {
  const remove = async () => {
    const text = `${nameOf(it)} is gone, with its number, challenges and links. No login of it that is under way can finish. This cannot be undone.`;
    if (await ask("Delete this user?", text, "Delete", () => call("DELETE", path))) ctx.go("/users");
  };
  return card("Delete", "The user's events in the audit stay.", button("Delete user", remove, "danger"));
}
