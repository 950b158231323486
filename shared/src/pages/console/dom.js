// Elements without markup in strings: whatever a tenant, a user or an application is called stays text.

/** `h("p.hint", { id }, "text", child)`: an element with classes, properties, listeners (`onclick`) and children. */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length > 0) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Shows or hides an element, and says what is in it. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(3).filter(Boolean));
  element.hidden = element.childNodes.length === 0;
}

let drawn = 0;
/** An id that nothing else on the page has. */
export const unique = (prefix) => `${prefix}-${(drawn += 1)}`;

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const precise = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** A time as people read it, in their own zone; the exact one stands behind it. */
export function time(text, exact = false) {
  if (!text) return "–";
  return h("time", { datetime: text, title: text }, (exact ? precise : moment).format(new Date(text)));
}
