// The pages that stand for themselves: the API's reference and the outbox.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { accessible, fits, picture, sizes, world } from "./support.mjs";

let local;
before(async () => (local = await world()));
after(() => local.close());

for (const [size, options] of Object.entries(sizes)) {
  test(`the reference is readable at ${size} size`, async () => {
    const page = await local.open("/docs", options);
    assert.match(await page.textContent("h1"), /SMS-code MFA/);
    await accessible(page);
    await fits(page);
    await picture(page, `reference-${size}`);
  });

  test(`h13 the outbox is a page at ${size} size`, async () => {
    const page = await local.open("/_local/outbox", options);
    // It looks for new messages by itself: that is what a developer has it open for.
    await accessible(page, ["meta-refresh"]);
    await fits(page);
    await picture(page, `outbox-${size}`);
  });
}
