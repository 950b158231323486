// Fields, forms and switches. What was typed stays when it is refused; what was saved says so.

import { fill, h, unique } from "./dom.js";
import { problemText, toast } from "./ui.js";

/**
 * One labelled field. `kind`: `text`, `number`, `area` (a longer text), `lines` (a list, one a line), `choice` (`options`: value and label), `switch`. Other
 * members are attributes of the control.
 */
export function field({ name, label, hint, kind = "text", value, options = [], disabled, ...attributes }) {
  const id = unique(name);
  const hintId = hint && `${id}-hint`;
  const errorId = `${id}-error`;
  const props = { id, name, disabled, "aria-describedby": [hintId, errorId].filter(Boolean).join(" "), ...attributes };
  const control = controls[kind](props, value, options);
  const error = h("p.field-error", { id: errorId, hidden: true });
  const row = h(
    "div.field",
    {},
    h("label", { for: id }, label),
    hint && h("p.hint", { id: hintId }, hint),
    control,
    error,
  );
  const get = readers[kind] ?? ((input) => input.value.trim());
  const fail = (text) => {
    fill(error, text);
    control.setAttribute("aria-invalid", "true");
  };
  const clear = () => {
    fill(error);
    control.removeAttribute("aria-invalid");
  };
  return { name, row, control, get: () => get(control), fail, clear };
}

const controls = {
  text: (props, value) => h("input", { type: "text", autocomplete: "off", ...props, value: value ?? "" }),
  number: (props, value) => h("input", { type: "number", inputmode: "numeric", required: true, ...props, value: value ?? "" }),
  area: (props, value) => h("textarea", { rows: "4", ...props, value: value ?? "" }),
  lines: (props, value) =>
    h("textarea", { rows: String(Math.max(2, (value ?? []).length + 1)), spellcheck: "false", ...props, value: (value ?? []).join("\n") }),
  choice: (props, value, options) => {
    const entries = options.map(([key, label]) => h("option", { value: key }, label));
    const select = h("select", props, entries);
    if (value !== undefined && value !== null) select.value = value;
    return select;
  },
};

const readers = {
  number: (input) => Number(input.value),
  lines: (input) => input.value.split("\n").map((line) => line.trim()).filter((line) => line !== ""),
};

/** A form whose `act` gets the values by name. */
export function form({ fields, submit, act, saved = "Saved.", kind = "primary", disabled = false, inline = false, extra }) {
  const failed = h("div", { hidden: true });
  let busy = false;
  const onsubmit = async (event) => {
    event.preventDefault();
    if (busy || !check(fields)) return;
    busy = true;
    element.setAttribute("aria-busy", "true");
    fill(failed);
    try {
      await act(Object.fromEntries(fields.map((each) => [each.name, each.get()])));
      if (saved) toast(saved);
    } catch (problem) {
      fill(failed, problemText(problem));
      point(problem, fields);
      failed.scrollIntoView({ block: "nearest" });
    }
    busy = false;
    element.removeAttribute("aria-busy");
  };
  const go = disabled ? null : h("div.form-actions", {}, h(`button.button.${kind}`, { type: "submit" }, submit), extra);
  const element = h(`form${inline ? ".inline-form" : ""}`, { novalidate: true, onsubmit }, fields.map((each) => each.row), go, failed);
  return element;
}

/** What the browser itself sees is not right, said by the field. */
function check(fields) {
  const wrong = fields.filter((each) => {
    each.clear();
    if (each.control.checkValidity()) return false;
    each.fail(each.control.validationMessage);
    return true;
  });
  wrong[0]?.control.focus();
  return wrong.length === 0;
}

/** Leads to the field that the service's words are about. */
function point(problem, fields) {
  const about = (name) => problem.field === name || new RegExp(`\\b${name}\\b`).test(problem.message);
  const found = fields.find((each) => about(each.name));
  if (found) {
    found.control.setAttribute("aria-invalid", "true");
    found.control.focus();
  }
}

/** A switch that is saved as it is flipped. `ask`, if there, is asked first and may keep it from being flipped. */
export function toggle({ label, hint, checked, disabled, ask, act, saved = "Saved." }) {
  const id = unique("switch");
  const failed = h("div", { hidden: true });
  const onchange = async () => {
    const wanted = input.checked;
    fill(failed);
    if (ask && !(await ask(wanted))) {
      input.checked = !wanted;
      return;
    }
    input.setAttribute("aria-busy", "true");
    try {
      await act(wanted);
      toast(saved);
    } catch (problem) {
      input.checked = !wanted;
      fill(failed, problemText(problem));
    }
    input.removeAttribute("aria-busy");
  };
  const describedBy = hint ? `${id}-hint` : null;
  const input = h("input", { type: "checkbox", role: "switch", id, checked, disabled, onchange, "aria-describedby": describedBy });
  return h(
    "div.toggle",
    {},
    h("div.toggle-row", {}, h("label", { for: id }, label), input),
    hint && h("p.hint", { id: describedBy }, hint),
    failed,
  );
}

/** A choice of few that is saved as it is made. */
export function choice({ legend, hint, value, options, disabled, act, saved = "Saved." }) {
  const name = unique("choice");
  const failed = h("div", { hidden: true });
  let kept = value;
  const radio = ([key, label]) => {
    const id = unique(name);
    const onchange = async () => {
      fill(failed);
      try {
        await act(key);
        kept = key;
        toast(saved);
      } catch (problem) {
        for (const input of element.querySelectorAll("input")) input.checked = input.value === kept;
        fill(failed, problemText(problem));
      }
    };
    const input = h("input", { type: "radio", id, name, value: key, checked: key === value, disabled, onchange });
    return [input, h("label", { for: id }, label)];
  };
  const element = h(
    "fieldset.choice",
    {},
    h("legend", {}, legend),
    hint && h("p.hint", {}, hint),
    h("div.segments", {}, options.map(radio)),
    failed,
  );
  return element;
}
