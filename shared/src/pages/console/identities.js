// Linked identities: whom the identity sources know a user as.

import { call } from "./api.js";
import { h } from "./dom.js";
import { field, form } from "./form.js";
import { ask, card, empty, entryButton, table } from "./ui.js";

/** `sources` is empty for roles that may not read them: then ids stand for names. */
export function identities(ctx, linked, sources, path, write) {
  const name = (id) => sources.find((source) => source.id === id)?.name ?? id;
  const unlink = (identity) => async () => {
    const text = `${identity.subject} of ${name(identity.identity_source)} no longer signs in as this user.`;
    const act = () => call("DELETE", `${path}/identities/${identity.identity_source}`);
    if (await ask("Unlink this identity?", text, "Unlink", act)) await ctx.again();
  };
  const columns = [["Identity source", (it) => name(it.identity_source)], ["Subject", (it) => h("code", {}, it.subject)]];
  if (write) columns.push(["Actions", (it) => entryButton("Unlink", name(it.identity_source), unlink(it))]);
  return card(
    "Linked identities",
    "Whoever brings an id token of the source with this subject signs in as this user.",
    linked.length > 0 ? table("Linked identities", columns, linked) : empty("No linked identity", "Link one, and the user can sign in through an identity source.", null),
    write && linkForm(ctx, sources, path),
  );
}

function linkForm(ctx, sources, path) {
  const source =
    sources.length > 0
      ? field({ name: "source", label: "Identity source", kind: "choice", options: sources.map(({ id, name }) => [id, name]) })
      : field({ name: "source", label: "Identity source's id", hint: "It starts with src_.", required: true });
  const subject = field({ name: "subject", label: "Subject", hint: "The sub of the source's id tokens.", required: true, maxlength: 255 });
  const act = async ({ source, subject }) => {
    await call("PUT", `${path}/identities/${encodeURIComponent(source)}`, { subject });
    await ctx.again();
  };
  return h("details", {}, h("summary", {}, "Link an identity"), form({ fields: [source, subject], submit: "Link", saved: "The identity was linked.", act, kind: "plain" }));
}
