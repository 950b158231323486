// Sending: the kill switch, where messages may go, and how many.

import { call } from "./api.js";
import { h } from "./dom.js";
import { field, form, toggle } from "./form.js";
import { securityHead } from "./security.js";
import { ask, button, card, empty, problemText, toast } from "./ui.js";
import { LIMITS, countries, country } from "./words.js";

export async function sending(ctx) {
  const path = `${ctx.path}/security`;
  const settings = await call("GET", path);
  const save = (patch) => call("PATCH", path, patch);
  const disabled = !ctx.may("writePolicy");
  const stop = (on) =>
    on || ask("Stop every message?", "No code is sent any more, also not in logins that are under way. Whoever has to give a code cannot sign in until this is on again.", "Stop sending", async () => {});
  return [
    ...securityHead("Sending"),
    card(
      "Kill switch",
      null,
      toggle({
        label: "Messages are sent",
        hint: "Off stops every message of this tenant at once.",
        checked: settings.sending.enabled,
        disabled,
        ask: stop,
        act: (enabled) => save({ sending: { enabled } }),
      }),
    ),
    allowed(ctx, save, settings.countries.allow, disabled),
    limits(ctx, save, settings.limits, disabled),
  ];
}

/** Each change is saved as it is made: the whole list is sent, as the API wants it. */
function allowed(ctx, save, allow, disabled) {
  const failed = h("div", { hidden: true });
  const change = async (next, text) => {
    try {
      await save({ countries: { allow: next } });
      toast(text);
      await ctx.again();
    } catch (problem) {
      failed.replaceChildren(problemText(problem));
      failed.hidden = false;
    }
  };
  const chip = (code) => {
    const remove = () => change(allow.filter((other) => other !== code), `${country(code)} was removed.`);
    const cross = h("button.chip-remove", { type: "button", onclick: remove, "aria-label": `Remove ${country(code)}` }, "×");
    return h("li.chip", {}, country(code), disabled ? null : cross);
  };
  const chosen = new Set(allow);
  const pick = field({
    name: "country",
    label: "Add a country",
    kind: "choice",
    options: countries().filter(([code]) => !chosen.has(code)),
  });
  const act = ({ country: code }) => change([...allow, code], `${country(code)} was added.`);
  return card(
    "Countries",
    "Messages go to numbers of these countries only. Each one that is open is one more that messages can be paid to.",
    allow.length > 0 ? h("ul.chips", {}, allow.map(chip)) : empty("No country is allowed", "No message is sent anywhere. Add the country that your users are in.", null),
    !disabled && form({ fields: [pick], submit: "Add country", act, saved: "", kind: "plain", inline: true }),
    failed,
  );
}

function limits(ctx, save, values, disabled) {
  const count = ([name, label]) =>
    field({ name, label, kind: "number", value: values[name], min: 1, max: 1_000_000_000, disabled });
  const budget = field({
    name: "budget_usd_day",
    label: "Budget of a day, in US dollars",
    kind: "number",
    value: values.budget_usd_day,
    min: 0,
    max: 100_000,
    disabled,
  });
  const again = button("Back to defaults", async () => {
    const act = () => save({ limits: null });
    if (await ask("Set all limits back to their defaults?", "What you have set here is replaced.", "Set back", act)) await ctx.again();
  });
  const element = form({ fields: [...LIMITS.map(count), budget], submit: "Save limits", act: (limits) => save({ limits }), disabled, extra: again });
  element.classList.add("grid-form");
  return card("Limits", "How many messages may go out. What is above is refused with the rule's name, and told in the audit.", element);
}
