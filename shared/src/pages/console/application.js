// An application's details: Details, Advanced configuration, and Security management while the application customises its rules.

import { call } from "./api.js";
import { h, time } from "./dom.js";
import { field, form, toggle } from "./form.js";
import { rules } from "./rules.js";
import { ask, badge, button, card, empty, entryButton, facts, head, link, showSecret, table, tabs } from "./ui.js";

const SCREENS = { Details: details, "Advanced configuration": advanced, "Security management": management };

export const application = (tab) => async (ctx) => {
  const path = `${ctx.path}/applications/${encodeURIComponent(ctx.params.application)}`;
  const it = await call("GET", path);
  const here = `#/applications/${it.id}`;
  const entries = [["Details", here], ["Advanced configuration", `${here}/advanced`]];
  // The tab is there exactly while there is something to manage.
  if (it.customize_security) entries.push(["Security management", `${here}/security`]);
  const experience = h(
    "a.button.primary",
    { href: `/t/${ctx.session.tenant}/experience/${it.id}`, target: "_blank", rel: "noopener" },
    "Experience login",
    h("span.unseen", {}, " (opens a new tab)"),
  );
  return [
    head(it.name, { crumbs: [["Applications", "#/applications"]], actions: [experience] }),
    tabs("Application", entries, tab),
    await SCREENS[tab](ctx, it, path),
  ];
};

function details(ctx, it, path) {
  const disabled = !ctx.may("writePolicy");
  const fields = [
    field({ name: "name", label: "Name", value: it.name, required: true, maxlength: 100, disabled }),
    field({
      name: "type",
      label: "Type",
      kind: "choice",
      value: it.type,
      options: [["public", "Public: browsers and phones, without a secret"], ["confidential", "Confidential: a back end, its secret on every login"]],
      disabled,
    }),
    field({ name: "redirect_uris", label: "Redirect URIs", hint: "Where the login page returns to: compared character by character. One a line.", kind: "lines", value: it.redirect_uris, disabled }),
    field({ name: "origins", label: "Origins", hint: "Pages that may call the API from a browser. One a line.", kind: "lines", value: it.origins, disabled }),
    field({ name: "message_host", label: "Message host", hint: "The host that the message's last line ties the code to. Empty: that of the first origin.", value: it.message_host, disabled }),
  ];
  const act = async (values) => {
    await call("PATCH", path, { ...values, message_host: values.message_host || null });
    await ctx.again();
  };
  return [
    card("Application", null, facts([["Id", h("code", {}, it.id)], ["Created", time(it.created_at)]]), form({ fields, submit: "Save", act, disabled })),
    secrets(ctx, it, path),
    !disabled && danger(ctx, it, path),
  ];
}

function secrets(ctx, it, path) {
  const write = ctx.may("writePolicy");
  const add = async (event) => {
    event.target.disabled = true;
    try {
      const made = await call("POST", `${path}/secrets`);
      await showSecret("Keep the new secret", "It is shown this once. The one before stays good until you revoke it.", made.secret);
      await ctx.again();
    } catch (problem) {
      await ask("No secret was added", `${problem.message} (${problem.code})`, "Understood", async () => {});
      event.target.disabled = false;
    }
  };
  const revoke = (secret) => async () => {
    const text = `Whoever still uses ${secret.id} is refused from the next call on. This cannot be undone.`;
    if (await ask("Revoke this secret?", text, "Revoke", () => call("DELETE", `${path}/secrets/${secret.id}`))) await ctx.again();
  };
  const columns = [["Secret", (secret) => h("code", {}, secret.id)], ["Created", (secret) => time(secret.created_at)]];
  if (write) columns.push(["Actions", (secret) => entryButton("Revoke", secret.id, revoke(secret))]);
  return card(
    "Secrets",
    "Two can live at once: add the new one, move your back end to it, revoke the old one.",
    it.secrets.length > 0 ? table("Secrets", columns, it.secrets) : empty("No secret", "Add one to call as this application.", null),
    write && h("div.form-actions", {}, button("Add a secret", add)),
  );
}

function danger(ctx, it, path) {
  const remove = async () => {
    const text = `Nobody can sign in to ${it.name} any more, and its settings and secrets are gone. This cannot be undone.`;
    if (await ask("Delete this application?", text, "Delete", () => call("DELETE", path))) ctx.go("/applications");
  };
  return card("Delete", "A login that is under way can still finish.", button("Delete application", remove, "danger"));
}

function advanced(ctx, it, path) {
  const disabled = !ctx.may("writePolicy");
  const off = (on) =>
    on || ask("Follow the tenant's rules again?", "The application's own security settings are dropped. Turning this on again starts from a fresh copy of the tenant's.", "Turn off", async () => {});
  return card(
    "Security rules",
    null,
    toggle({
      label: "Customize the security rules of this application",
      hint: "Off: the application follows the tenant's security settings. On: it starts with a copy of them, and from then on neither changes the other.",
      checked: it.customize_security,
      disabled,
      ask: off,
      act: async (on) => {
        await call("PATCH", path, { customize_security: on });
        await ctx.again();
      },
      saved: "Saved. It counts from the next login on.",
    }),
    h("p", {}, it.customize_security ? badge("Its own rules", "accent") : badge("The tenant's rules")),
  );
}

async function management(ctx, it, path) {
  if (!it.customize_security) {
    return empty("This application follows the tenant's rules", "Customize its security rules first, in Advanced configuration.", link("Advanced configuration", `#/applications/${it.id}/advanced`));
  }
  const security = await call("GET", `${path}/security`);
  return rules(ctx, `${path}/security`, security, "this application");
}
