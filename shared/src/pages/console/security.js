// Security settings of the tenant: Multi-factor authentication.

import { call } from "./api.js";
import { toggle } from "./form.js";
import { rules } from "./rules.js";
import { card, head, tabs } from "./ui.js";

const TABS = [
  ["Multi-factor authentication", "#/security"],
  ["Policy configuration", "#/security/policy"],
  ["Sending", "#/security/sending"],
  ["Messages", "#/security/messages"],
  ["Testing", "#/security/testing"],
];

/** The top of each of these screens. */
export const securityHead = (current) => [
  head("Security settings", { lead: "For every application that does not customize its own rules." }),
  tabs("Security settings", TABS, current),
];

export async function security(ctx) {
  const path = `${ctx.path}/security`;
  const settings = await call("GET", path);
  return [
    ...securityHead("Multi-factor authentication"),
    ...rules(ctx, path, settings, "this tenant"),
    card(
      "Recovery codes",
      "Ten codes that work once each, shown when a number is bound. They help a user whose phone is gone.",
      toggle({
        label: "Recovery codes are made and taken",
        checked: settings.recovery_codes.enabled,
        disabled: !ctx.may("writePolicy"),
        act: (enabled) => call("PATCH", path, { recovery_codes: { enabled } }),
      }),
    ),
  ];
}
