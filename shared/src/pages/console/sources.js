// Policy configuration: the identity sources, each with its own MFA switch of three states.

import { all, call } from "./api.js";
import { h, time } from "./dom.js";
import { choice, field, form } from "./form.js";
import { securityHead } from "./security.js";
import { ask, badge, button, card, dialog, empty, facts } from "./ui.js";

const STATES = { unset: null, on: true, off: false };
const stateOf = (value) => Object.keys(STATES).find((state) => STATES[state] === (value ?? null));

export async function sources(ctx) {
  const [settings, list] = await Promise.all([call("GET", `${ctx.path}/security`), all(`${ctx.path}/identity-sources`)]);
  const write = ctx.may("writePolicy");
  const add = write && button("Add identity source", () => addDialog(ctx), "primary");
  const factor = settings.mfa.sms.enabled;
  return [
    ...securityHead("Policy configuration"),
    h("div.section-head", {}, h("p.hint", {}, "A switch counts for every login through its source, in all applications, also in those with rules of their own. Logins with a password or a QR code are never exempt."), add),
    list.length === 0
      ? empty("No identity source yet", "Add an OpenID Connect provider, and its users can sign in here with a switch of its own.", null)
      : list.map((source) => sourceCard(ctx, source, settings.identity_sources[source.id], factor)),
  ];
}

function sourceCard(ctx, source, value, factor) {
  const write = ctx.may("writePolicy");
  const unset = factor ? "on right now, since the tenant has a factor" : "off right now, since the tenant has no factor";
  const asks = value ?? factor;
  const remove = async () => {
    const text = `Its users can no longer sign in through ${source.name}, and its switch is gone. This cannot be undone.`;
    const act = () => call("DELETE", `${ctx.path}/identity-sources/${source.id}`);
    if (await ask("Remove this identity source?", text, "Remove", act)) await ctx.again();
  };
  return card(
    source.name,
    null,
    choice({
      legend: `MFA for logins through ${source.name}`,
      hint: `Unset follows the tenant: ${unset}.`,
      value: stateOf(value),
      options: [["unset", "Unset"], ["on", "On"], ["off", "Off"]],
      disabled: !write,
      saved: "Saved. It counts from the next login on.",
      act: async (state) => {
        await call("PATCH", `${ctx.path}/security`, { identity_sources: { [source.id]: STATES[state] } });
        await ctx.again();
      },
    }),
    h("p", {}, asks ? badge("Asks for MFA where a factor is on", "accent") : badge("Skips MFA")),
    facts([
      ["Issuer", h("code", {}, source.issuer)],
      ["Client id there", h("code", {}, source.audience)],
      ["Keys", source.jwks_uri ? h("code", {}, source.jwks_uri) : "By discovery"],
      ["Unknown users", source.provisioning === "just_in_time" ? "Are created at their first login" : "Are refused until they are linked"],
      ["Id", h("code", {}, source.id)],
      ["Added", time(source.created_at)],
    ]),
    write && h("div.form-actions", {}, button(`Remove ${source.name}`, remove, "danger-quiet")),
  );
}

async function addDialog(ctx) {
  const fields = [
    field({ name: "name", label: "Name", required: true, maxlength: 100 }),
    field({ name: "issuer", label: "Issuer", hint: "As it stands in the tokens, like https://login.example.com", type: "url", required: true }),
    field({ name: "audience", label: "Client id", hint: "Yours at the provider: the tokens' aud.", required: true }),
    field({ name: "jwks_uri", label: "Address of the keys", hint: "Empty: the issuer's discovery document is asked.", type: "url" }),
    field({ name: "provisioning", label: "Users that nobody has linked", kind: "choice", options: [["linked_only", "Refuse them"], ["just_in_time", "Create them at their first login"]] }),
  ];
  const act = (close) => async (values) => {
    close(await call("POST", `${ctx.path}/identity-sources`, { kind: "oidc", ...values, jwks_uri: values.jwks_uri || null }));
  };
  const made = await dialog(
    "Add identity source",
    (close) => form({ fields, submit: "Add", saved: "The identity source was added.", act: act(close), extra: button("Cancel", () => close(undefined)) }),
    () => [],
  );
  if (made) await ctx.again();
}
