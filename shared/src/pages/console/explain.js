// "Why is MFA asked?": the API's own decision, drawn as the chain of rules that it looked at.

import { all, call } from "./api.js";
import { fill, h } from "./dom.js";
import { field, form } from "./form.js";
import { card, empty, head, link } from "./ui.js";
import { accountQuery } from "./users.js";
import { DECISIONS } from "./words.js";

const RULES = { identity_source: "Identity source", application: "Application", tenant: "Tenant" };
const LOCAL = "";

export async function explain(ctx) {
  const [applications, sources] = await Promise.all([all(`${ctx.path}/applications`), all(`${ctx.path}/identity-sources`)]);
  const top = head("Why is MFA asked?", { lead: "Choose a login, and see which rule decides. It is the decision that the login itself takes." });
  if (applications.length === 0) {
    return [top, empty("No application yet", "A login is always one to an application. Create the first one.", link("Applications", "#/applications"))];
  }
  const searches = ctx.may("readUsers");
  const fields = [
    field({ name: "application", label: "Application", kind: "choice", options: applications.map(({ id, name }) => [id, name]), value: ctx.query.get("application") ?? undefined }),
    field({ name: "source", label: "First factor", kind: "choice", options: [[LOCAL, "Local login: password or QR code"], ...sources.map(({ id, name }) => [id, `Identity source: ${name}`])] }),
    field({
      name: "user",
      label: "User",
      hint: searches ? "Optional: an id, a username, an e-mail address or a number." : "Optional: a user's id.",
      value: ctx.query.get("user") ?? "",
    }),
  ];
  const answer = h("div", { "aria-live": "polite" });
  const act = async ({ application, source, user }) => {
    const question = { application };
    if (source !== LOCAL) question.identity_source = source;
    if (user) question.user = await idOf(ctx, user, searches);
    const decision = await call("POST", `${ctx.path}/policy/explain`, question);
    fill(answer, drawn(decision));
  };
  return [top, card("The login", null, form({ fields, submit: "Explain", saved: "", act })), answer];
}

async function idOf(ctx, text, searches) {
  if (/^usr_[0-9A-Za-z]{22}$/.test(text) || !searches) return text;
  const found = await call("GET", `${ctx.path}/users?${accountQuery(text)}`);
  if (found.items.length === 0) {
    throw Object.assign(new Error(`No user has exactly "${text}".`), { code: "not_found", field: "user" });
  }
  return found.items[0].id;
}

function drawn(decision) {
  const asked = decision.mfa_required;
  const last = decision.chain.length - 1;
  const step = ({ rule, says }, index) =>
    h(
      `li.step${index === last ? ".decided" : ""}`,
      {},
      h("h3", {}, RULES[rule] ?? rule),
      h("p", {}, says),
      h("p.hint", {}, index === last ? "This rule decided." : "Goes on to the next rule."),
    );
  return card(
    asked ? "MFA is asked" : "MFA is not asked",
    `${DECISIONS[decision.decided_by] ?? decision.decided_by}.${asked && decision.factor === "sms" ? " The factor is an SMS verification code." : ""}`,
    h("ol.chain", {}, decision.chain.map(step)),
    h(`p.verdict${asked ? ".asked" : ""}`, {}, asked ? "A code is asked for after the first factor." : "The first factor completes the login."),
  );
}
