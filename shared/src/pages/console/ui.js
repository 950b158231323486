// What screens are made of.

import { fill, h, unique } from "./dom.js";

export const button = (label, onclick, kind = "") =>
  h(`button.button${kind && `.${kind}`}`, { type: "button", onclick }, label);

/** A button of one entry of many: short to see, and by the entry's name to whoever hears it. */
export const entryButton = (label, name, onclick) =>
  h("button.button.danger-quiet", { type: "button", onclick, "aria-label": `${label} ${name}` }, label);

export const link = (label, href, kind = "") => h(`a.button${kind && `.${kind}`}`, { href }, label);

/** The top of a screen: where one is, and what can be done here. */
export function head(title, { crumbs = [], actions = [], lead } = {}) {
  const trail = crumbs.map(([label, href]) => h("li", {}, h("a", { href }, label)));
  return h(
    "header.head",
    {},
    trail.length > 0 && h("nav.crumbs", { "aria-label": "Breadcrumb" }, h("ol", {}, trail)),
    h("div.head-row", {}, h("h1", { tabindex: "-1" }, title), h("div.actions", {}, actions)),
    lead && h("p.lead", {}, lead),
  );
}

/** Tabs that are addresses: they work after a reload, and with the browser's own Back. */
export function tabs(label, entries, current) {
  const tab = ([name, href]) => h("li", {}, h("a", { href, "aria-current": name === current ? "page" : null }, name));
  return h("nav.tabs", { "aria-label": label }, h("ul", {}, entries.map(tab)));
}

export function card(title, lead, ...children) {
  const id = unique("card");
  return h("section.card", { "aria-labelledby": id }, h("h2", { id }, title), lead && h("p.hint", {}, lead), ...children);
}

/** A list that is empty says what to do next. */
export function empty(title, next, action) {
  return h("div.empty", {}, h("p.empty-title", {}, title), h("p", {}, next), action);
}

export const badge = (text, kind = "") => h(`span.badge${kind && `.${kind}`}`, {}, text);

/** A table on wide screens, cards on narrow ones. A column is `[label, row => content]`; the first names the row. */
export function table(caption, columns, rows) {
  const cell = (row) => ([label, content], index) => {
    const props = { "data-label": label };
    return index === 0 ? h("th", { scope: "row", ...props }, content(row)) : h("td", props, content(row));
  };
  return h(
    "div.table",
    {},
    h(
      "table",
      {},
      h("caption.unseen", {}, caption),
      h("thead", {}, h("tr", {}, columns.map(([label]) => h("th", { scope: "col" }, label)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, columns.map(cell(row))))),
    ),
  );
}

/** A list a page at a time: `load(cursor)` answers a page, `draw(items)` shows all that is loaded. */
export async function paged(load, draw) {
  const shown = [];
  const list = h("div", {});
  const foot = h("div.pager", {});
  const more = async (cursor) => {
    const page = await load(cursor);
    const first = shown.length;
    shown.push(...page.items);
    list.replaceChildren(draw(shown));
    const next = button("Show more", async () => {
      next.disabled = true;
      try {
        await more(page.next);
        list.querySelectorAll("tbody tr a, tbody tr button")[first]?.focus();
      } catch (problem) {
        next.disabled = false;
        fill(foot, next, problemText(problem));
      }
    });
    const count = h("p.hint", {}, `${shown.length} shown${page.next === null ? "" : ", there are more"}`);
    fill(foot, shown.length > 0 && count, page.next !== null && next);
  };
  await more(null);
  return h("div", {}, list, foot);
}

/** What went wrong, with the code to look up or to tell support. */
export function problemText(problem) {
  const id = problem.requestId ? h("span.request-id", {}, `Request ${problem.requestId}`) : null;
  return h("div.problem", { role: "alert" }, h("p", {}, problem.message, " ", h("code", {}, problem.code ?? "error")), id);
}

let fading;
/** Says that something was done, to eyes and to screen readers. */
export function toast(text) {
  const region = document.getElementById("toast");
  clearTimeout(fading);
  region.replaceChildren(h("p", {}, text));
  fading = setTimeout(() => region.replaceChildren(), 5000);
}

/** A modal dialog; resolves with what it was closed with. */
export function dialog(title, content, actions, { locked = false } = {}) {
  const id = unique("dialog");
  const element = h("dialog", { "aria-labelledby": id }, h("h2", { id, tabindex: "-1" }, title));
  return new Promise((resolve) => {
    const close = (value) => {
      element.close();
      element.remove();
      resolve(value);
    };
    element.append(...[content(close)].flat(), h("div.dialog-actions", {}, actions(close)));
    element.addEventListener("cancel", (event) => {
      event.preventDefault();
      if (!locked) close(undefined);
    });
    document.body.append(element);
    element.showModal();
  });
}

/** Asks before what can't be undone. `act` is done while the dialog is open, so that its refusal is read there. */
export function ask(title, text, label, act) {
  const failed = h("div", { hidden: true });
  let busy = false;
  const go = async (close) => {
    if (busy) return;
    busy = true;
    try {
      await act();
      close(true);
    } catch (problem) {
      fill(failed, problemText(problem));
    }
    busy = false;
  };
  return dialog(
    title,
    () => [h("p", {}, text), failed],
    (close) => [button("Cancel", () => close(false)), button(label, () => go(close), "danger")],
  );
}

/** Shows a secret this once. */
export function showSecret(title, text, secret) {
  const id = unique("secret");
  const copied = h("span.hint", { role: "status" });
  const copy = async () => {
    const done = await navigator.clipboard.writeText(secret).then(() => true, () => false);
    copied.textContent = done ? "Copied." : "Select the text and copy it.";
    if (!done) document.getElementById(id).select();
  };
  return dialog(
    title,
    () => [
      h("p", {}, text),
      h("label", { for: id }, "Secret"),
      h("textarea.secret", { id, readonly: true, rows: "3", spellcheck: "false" }, secret),
      h("div.inline", {}, button("Copy", copy), copied),
    ],
    (close) => button("I have kept it", () => close(true), "primary"),
    { locked: true },
  );
}

/** Names and values of one thing. */
export function facts(entries) {
  const shown = entries.filter(([, value]) => value !== undefined);
  return h("dl.facts", {}, shown.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value ?? "–"))));
}
