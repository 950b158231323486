// Applications: the list, and a new one.

import { call } from "./api.js";
import { h, time } from "./dom.js";
import { field, form } from "./form.js";
import { badge, button, dialog, empty, head, paged, showSecret, table } from "./ui.js";

export async function applications(ctx) {
  const create = () => createDialog(ctx);
  const actions = ctx.may("writePolicy") ? [button("Create application", create, "primary")] : [];
  const columns = [
    ["Name", (it) => h("a", { href: `#/applications/${it.id}` }, it.name)],
    ["Type", (it) => (it.type === "public" ? "Public" : "Confidential")],
    ["Security rules", (it) => (it.customize_security ? badge("Its own", "accent") : badge("The tenant's"))],
    ["Id", (it) => h("code", {}, it.id)],
    ["Created", (it) => time(it.created_at)],
  ];
  const list = await paged(
    (cursor) => call("GET", `${ctx.path}/applications${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ""}`),
    (items) =>
      items.length > 0
        ? table("Applications", columns, items)
        : empty("No application yet", "An application is what your users sign in to: a web page, an app, a back end. Create the first one.", actions.length > 0 && button("Create application", create)),
  );
  return [head("Applications", { actions, lead: "What the users of this tenant sign in to." }), list];
}

async function createDialog(ctx) {
  const fields = [
    field({ name: "name", label: "Name", hint: "People read it in their messages.", required: true, maxlength: 100 }),
    field({
      name: "type",
      label: "Type",
      kind: "choice",
      options: [["public", "Public: browsers and phones, without a secret"], ["confidential", "Confidential: a back end, its secret on every login"]],
    }),
    field({ name: "redirect_uris", label: "Redirect URIs", hint: "Where the login page returns to. One a line; more can be added later.", kind: "lines" }),
    field({ name: "origins", label: "Origins", hint: "Pages that may call the API from a browser, like https://shop.example. One a line.", kind: "lines" }),
  ];
  const made = await dialog(
    "Create application",
    (close) =>
      form({
        fields,
        submit: "Create",
        saved: "The application was created.",
        act: async (values) => close(await call("POST", `${ctx.path}/applications`, values)),
        extra: button("Cancel", () => close(undefined)),
      }),
    () => [],
  );
  if (!made) return;
  await showSecret("Keep the application's secret", `The first secret of ${made.name}. It is shown this once; only a hash of it is kept.`, made.secret.secret);
  ctx.go(`/applications/${made.id}`);
}
