// Messages: the tenant's own words around the code, one text for each language.

import { all, call } from "./api.js";
import { fill, h } from "./dom.js";
import { field, form } from "./form.js";
import { securityHead } from "./security.js";
import { ask, badge, button, card, dialog, empty, entryButton, problemText, table } from "./ui.js";

const START = "{code} is your {name} verification code. It expires in {minutes} min. Never share it.";
/** How long nobody types before the text is looked at, in milliseconds. */
const PAUSE = 300;

const names = new Intl.DisplayNames(["en"], { type: "language" });

/** What has the form of a language tag need not be any language's. */
function language(locale) {
  if (locale === "default") return "Everybody else";
  try {
    return names.of(locale);
  } catch {
    return locale;
  }
}

export async function messages(ctx) {
  const write = ctx.may("writePolicy");
  const [list, applications] = await Promise.all([all(`${ctx.path}/message-templates`), write ? all(`${ctx.path}/applications`) : []]);
  const edit = (entry) => editor(ctx, list, applications, entry);
  const add = write && button("Add a language", () => edit(null), "primary");
  return [
    ...securityHead("Messages"),
    card(
      "Your own words",
      "The message with the code, in each language of your users. Its last line, which ties the code to your site, is always added. Without words of yours, users read English or Chinese ones. A change counts for logins that start from then on.",
      list.length > 0
        ? table("Your own words", columns(ctx, write, edit), list)
        : empty("No words of your own yet", "Users read the service's own, in English or Chinese.", null),
      add && h("div.form-actions", {}, add),
    ),
  ];
}

function columns(ctx, write, edit) {
  const remove = ({ locale }) => async () => {
    const others = "Users of this language read the next words there are: those of a wider language, the service's own, or those for everybody else.";
    const text = locale === "default" ? "Whoever has no words in a language of their own reads English ones." : others;
    const act = () => call("DELETE", `${ctx.path}/message-templates/${locale}`);
    if (await ask(`Remove the words for ${language(locale)}?`, text, "Remove", act)) await ctx.again();
  };
  const change = (entry) =>
    h("button.button.quiet", { type: "button", onclick: () => edit(entry), "aria-label": `Change ${language(entry.locale)}` }, "Change");
  const shown = [
    ["Language", ({ locale }) => [language(locale), " ", h("code", {}, locale)]],
    ["Text", ({ text }) => text],
    ["Segments", (entry) => [String(entry.segments), " ", entry.findings.length > 0 && badge("Warning")]],
  ];
  if (write) shown.push(["Actions", (entry) => h("div.inline", {}, change(entry), entryButton("Remove", language(entry.locale), remove(entry)))]);
  return shown;
}

async function editor(ctx, list, applications, entry) {
  const locale = field({
    name: "locale",
    label: "Language",
    hint: "A tag like de, pt-BR or zh-Hant; “default” for everybody who has none of yours or ours.",
    required: true,
    maxlength: 35,
    spellcheck: "false",
    autocapitalize: "off",
  });
  const text = field({
    name: "text",
    label: "Text",
    kind: "area",
    hint: "{code} is where the code goes. {name} is your name, {minutes} how long the code lives.",
    value: entry?.text ?? START,
    required: true,
  });
  const application = field({
    name: "application",
    label: "Show it as sent for",
    kind: "choice",
    options: [["", "The hosted login page"], ...applications.map(({ id, name }) => [id, name])],
  });
  const fields = entry ? [text, application] : [locale, text, application];
  const act = (close) => async (values) => {
    const into = entry?.locale ?? values.locale;
    if (!entry && list.some((other) => other.locale.toLowerCase() === into.toLowerCase())) {
      throw { message: `There are words for ${language(into)} already: change those.`, code: "duplicate", field: "locale" };
    }
    close(await call("PUT", `${ctx.path}/message-templates/${encodeURIComponent(into)}`, { text: values.text }));
  };
  const saved = await dialog(
    entry ? `Words for ${language(entry.locale)}` : "Words for a language",
    (close) => {
      const element = form({ fields, submit: "Save", saved: "Saved. The next logins' messages have it.", act: act(close), extra: button("Cancel", () => close(undefined)) });
      element.querySelector(".form-actions").before(preview(ctx, text, application));
      return element;
    },
    () => [],
  );
  if (saved) await ctx.again();
}

/** The message as it would be sent, and what is wrong with it; a moment after each change. */
function preview(ctx, text, application) {
  const shown = h("div.preview", { "aria-live": "polite" });
  let timer;
  let turn = 0;
  const look = async () => {
    const mine = (turn += 1);
    const body = { text: text.get(), application: application.get() || null };
    const found = await call("POST", `${ctx.path}/message-templates/lint`, body).then(report, problemText);
    if (mine === turn) fill(shown, found);
  };
  text.control.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  });
  application.control.addEventListener("change", look);
  look();
  return shown;
}

function report({ example, alphabet, length, segments, estimated_usd, findings }) {
  const room = alphabet === "gsm7" ? "the GSM alphabet, 160 to a segment" : "UCS-2, 70 to a segment";
  const price = estimated_usd.toLocaleString("en", { style: "currency", currency: "USD" });
  const entry = ({ severity, at, detail }) =>
    h("li", {}, badge(severity === "error" ? "Error" : "Warning", severity === "error" ? "danger" : ""), " ", at === null ? "" : `At character ${at + 1}: `, detail);
  return [
    h("p.bubble", { lang: "und" }, example),
    h("p.hint", {}, `${length} characters of ${room}: ${segments} segment${segments === 1 ? "" : "s"}, about ${price} to a number of your own country.`),
    findings.length > 0 && h("ul.findings", {}, findings.map(entry)),
  ];
}
