// The rules that a tenant has, and an application that customises its own.

import { call } from "./api.js";
import { h } from "./dom.js";
import { field, form, toggle } from "./form.js";
import { card } from "./ui.js";

const CODE = [
  ["length", "Digits", 6, 10],
  ["lifetime_seconds", "Valid for, in seconds", 60, 600],
  ["max_attempts", "Guesses of one login", 1, 10],
  ["resend_cooldown_seconds", "Wait before sending again, in seconds", 15, 600],
  ["max_sends", "Messages of one login", 1, 10],
];

/** `whose`: "this tenant" or "this application". */
export function rules(ctx, path, security, whose) {
  const disabled = !ctx.may("writePolicy");
  const save = (patch) => call("PATCH", path, patch);
  const saved = "Saved. It counts from the next login on.";
  const notices = (security.notices ?? []).map((notice) =>
    h("p.notice", {}, notice.detail, " ", h("a", { href: notice.href, target: "_blank", rel: "noopener" }, "Read more", h("span.unseen", {}, " (opens a new tab)"))),
  );
  return [
    card(
      "Multi-factor authentication",
      `What a login of ${whose} asks for after the first factor.`,
      toggle({
        label: "SMS verification code",
        hint: "A code that is sent to the user's number.",
        checked: security.mfa.sms.enabled,
        disabled,
        saved,
        act: async (enabled) => {
          await save({ mfa: { sms: { enabled } } });
          await ctx.again();
        },
      }),
      ...notices,
    ),
    card(
      "Phone numbers",
      null,
      toggle({
        label: "Users bind a number themselves",
        hint: "On: a user without a number names one at login and proves it with a code. Off: such a user is told to ask an administrator.",
        checked: security.phone_binding.self_service,
        disabled,
        saved,
        act: (self_service) => save({ phone_binding: { self_service } }),
      }),
    ),
    card("Verification code", "How the code looks, how long it counts, and how often one may guess or send.", codeForm(save, security.code, disabled)),
    devices(save, security.trusted_devices, disabled),
  ];
}

function codeForm(save, code, disabled) {
  const fields = CODE.map(([name, label, min, max]) =>
    field({ name, label, hint: `${min} to ${max}`, kind: "number", value: code[name], min, max, disabled }),
  );
  const element = form({ fields, submit: "Save", act: (values) => save({ code: values }), saved: "Saved. It counts from the next login on.", disabled });
  element.classList.add("grid-form");
  return element;
}

function devices(save, trusted, disabled) {
  const days = field({ name: "days", label: "Days that a device is trusted", hint: "1 to 90", kind: "number", value: trusted.days, min: 1, max: 90, disabled });
  return card(
    "Trusted devices",
    "A user can spare a device the code for some days. Logins there are then only as strong as the first factor.",
    toggle({
      label: "Users may trust a device",
      checked: trusted.enabled,
      disabled,
      act: (enabled) => save({ trusted_devices: { enabled } }),
    }),
    form({ fields: [days], submit: "Save", act: (values) => save({ trusted_devices: values }), disabled }),
  );
}
