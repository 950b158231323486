// Signing in with an administrator key: as a page, and as a dialog over a page whose session has ended.

import { onSignedOut, signIn } from "./api.js";
import { h } from "./dom.js";
import { field, form } from "./form.js";
import { dialog } from "./ui.js";

function signInForm(act) {
  const key = field({
    name: "key",
    label: "Administrator key",
    hint: "It starts with mfa_admin_. It is shown once, when it is created.",
    type: "password",
    autocomplete: "current-password",
    required: true,
    spellcheck: "false",
  });
  return form({ fields: [key], submit: "Sign in", saved: "", act: ({ key }) => act(key) });
}

export function signInPage(done) {
  return h(
    "main.sign-in",
    { id: "main" },
    h(
      "div.card",
      {},
      h("h1", { tabindex: "-1" }, "Sign in to the console"),
      h("p.hint", {}, "For the administrators of a tenant. A session lasts an hour, and ends with its key."),
      signInForm(async (key) => done(await signIn(key))),
    ),
  );
}

/** Lets a page whose session has ended go on where it was, as the same tenant's administrator. */
export function signInOver(current, signedIn) {
  let open = null;
  onSignedOut(() => {
    const sign = (close) => async (key) => {
      const session = await signIn(key);
      const other = session.tenant !== current().tenant || session.role !== current().role;
      signedIn(session, other);
      close(!other);
    };
    open ??= dialog(
      "Your session has ended",
      (close) => [
        h("p", {}, "Sign in again, and go on where you were. Nothing that you typed is lost."),
        signInForm(sign(close)),
      ],
      () => [],
      { locked: true },
    ).finally(() => {
      open = null;
    });
    return open;
  });
}
