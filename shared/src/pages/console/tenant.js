// The tenant itself: what it is called, where it is at home, and how its pages look.

import { call } from "./api.js";
import { h, time } from "./dom.js";
import { field, form } from "./form.js";
import { badge, card, facts, head, link } from "./ui.js";
import { countries } from "./words.js";

export async function tenant(ctx) {
  const it = await call("GET", ctx.path);
  const disabled = !ctx.may("writePolicy");
  return [head("Tenant", { lead: "This company's own users, applications and rules." }), general(ctx, it, disabled), branding(ctx, it, disabled)];
}

function general(ctx, it, disabled) {
  const fields = [
    field({ name: "name", label: "Name", hint: "Messages are signed with it.", value: it.name, required: true, maxlength: 100, disabled }),
    field({ name: "home_country", label: "Home country", kind: "choice", options: countries(), value: it.home_country, disabled }),
  ];
  const act = async (values) => {
    const changed = await call("PATCH", ctx.path, values);
    window.dispatchEvent(new CustomEvent("tenant-renamed", { detail: changed.name }));
    await ctx.again();
  };
  return card(
    "General",
    null,
    facts([
      ["Id", h("code", {}, it.id)],
      ["Created", time(it.created_at)],
      ["Production", h("span", {}, it.production ? badge("Yes", "accent") : badge("No"), " ", h("a", { href: "#/security/testing" }, "Change in Testing"))],
    ]),
    form({ fields, submit: "Save", act, disabled }),
  );
}

const HEX = /^#[0-9a-f]{6}$/i;

function branding(ctx, it, disabled) {
  const logo = field({ name: "logo_url", label: "Logo's address", hint: "https, a picture that anybody may fetch. Empty: the name stands alone.", type: "url", value: it.branding.logo_url, disabled });
  const color = field({
    name: "accent_color",
    label: "Accent colour",
    hint: "Like #1d4ed8. Pages make it darker or lighter where text would be hard to read. Empty: the service's own.",
    value: it.branding.accent_color,
    pattern: "#[0-9A-Fa-f]{6}",
    title: "# and six hexadecimal digits",
    disabled,
  });
  const swatch = h("span.swatch", { "aria-hidden": "true" });
  const paint = () => {
    const chosen = color.control.value.trim();
    swatch.style.backgroundColor = HEX.test(chosen) ? chosen : "transparent";
  };
  color.control.addEventListener("input", paint);
  color.row.append(swatch);
  paint();
  const act = async ({ logo_url, accent_color }) => {
    await call("PATCH", ctx.path, { branding: { logo_url: logo_url || null, accent_color: accent_color || null } });
    await ctx.again();
  };
  return card(
    "Branding",
    "How the login page looks for this tenant's users.",
    form({ fields: [logo, color], submit: "Save branding", act, disabled }),
    h("p.hint", {}, "Look at it with an application's Experience login. ", link("Applications", "#/applications", "plain-link")),
  );
}
