// Testing: numbers that play a scenario and get no message, and the mark that keeps them out.

import { call } from "./api.js";
import { h } from "./dom.js";
import { field, form, toggle } from "./form.js";
import { securityHead } from "./security.js";
import { ask, card, empty, entryButton, table } from "./ui.js";
import { SCENARIOS } from "./words.js";

export async function testing(ctx) {
  const [tenant, settings] = await Promise.all([call("GET", ctx.path), call("GET", `${ctx.path}/security`)]);
  const write = ctx.may("writePolicy");
  const live = (on) =>
    !on || ask("Are there real users?", "In production no test number can be listed, so that nobody signs in with a code that is known.", "Mark as production", async () => {});
  return [
    ...securityHead("Testing"),
    card(
      "Production",
      null,
      toggle({
        label: "This tenant is in production",
        hint: "Real users sign in. Test numbers are refused while it is on, and it cannot be turned on while any is listed.",
        checked: tenant.production,
        disabled: !write,
        ask: live,
        act: async (production) => {
          await call("PATCH", ctx.path, { production });
          await ctx.again();
        },
      }),
    ),
    numbers(ctx, tenant, settings.test_numbers, write),
  ];
}

function numbers(ctx, tenant, listed, write) {
  const save = (test_numbers) => call("PATCH", `${ctx.path}/security`, { test_numbers });
  const remove = (phone) => async () => {
    if (await ask("Remove this test number?", `Codes are sent to ${phone} from then on, as to any number.`, "Remove", () => save({ [phone]: null }))) await ctx.again();
  };
  const columns = [["Number", ([phone]) => phone], ["Scenario", ([, scenario]) => SCENARIOS[scenario] ?? scenario]];
  if (write) columns.push(["Actions", ([phone]) => entryButton("Remove", phone, remove(phone))]);
  const entries = Object.entries(listed);
  const add = form({
    fields: [
      field({ name: "phone", label: "Number", hint: "With its country code, like +12025550171. Never a real user's.", type: "tel", required: true }),
      field({ name: "scenario", label: "Scenario", kind: "choice", options: Object.entries(SCENARIOS) }),
    ],
    submit: "Add test number",
    saved: "The test number was added.",
    act: async ({ phone, scenario }) => {
      await save({ [phone]: scenario });
      await ctx.again();
    },
  });
  const none = tenant.production
    ? empty("No test number", "This tenant is in production, which has none.", null)
    : empty("No test number yet", "List one, bind it to a user, and try a login from end to end without a message.", null);
  return card(
    "Test numbers",
    "Nothing is ever sent to them, and they cost nothing. Up to 20.",
    entries.length > 0 ? table("Test numbers", columns, entries) : none,
    write && !tenant.production && add,
  );
}
