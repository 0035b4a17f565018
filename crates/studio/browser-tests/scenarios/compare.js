// Compare: two runs side by side, selected on the list, with the same latents, one chart, and the differences of their recipes.

import assert from "node:assert/strict";
import { until, pixels, inked } from "../look.js";

async function two_runs_side_by_side(world) {
  const page = await world.open("runs");
  for (const id of [world.run, world.second]) await page.getByLabel(`Select ${id} for comparison`).check();
  await page.getByRole("link", { name: "Compare 2 runs" }).click();
  await page.getByRole("heading", { level: 1, name: "Compare" }).waitFor();
  const grids = page.locator(".compare-runs canvas");
  await until(
    "both grids are drawn",
    async () =>
      (await grids.count()) === 2 &&
      (await pixels(grids.first())).width > 100 &&
      (await pixels(grids.nth(1))).width > 100,
  );
  const before = [await pixels(grids.first()), await pixels(grids.nth(1))];
  assert.notEqual(before[0].hash, before[1].hash);
  await page.getByRole("button", { name: "New latents" }).click();
  await until(
    "both change",
    async () =>
      (await pixels(grids.first())).hash !== before[0].hash && (await pixels(grids.nth(1))).hash !== before[1].hash,
  );
  await page.getByLabel("Show").selectOption("d_loss");
  const plot = page.getByRole("slider", { name: /^Discriminator loss/ });
  await until(
    "two curves are drawn",
    async () => (await inked(plot, "expert")) > 50 && (await inked(plot, "counterfeiter")) > 50,
  );
  const dashes = page.locator(".legend .stroke");
  assert.equal(await dashes.count(), 2);
  assert.notEqual(
    await dashes.first().getAttribute("stroke-dasharray"),
    await dashes.nth(1).getAttribute("stroke-dasharray"),
  );
  const table = page.locator("table.diff");
  assert.match(await table.textContent(), /train\.batch168/);
  assert.doesNotMatch(await table.textContent(), /train\.loss/);
  await page.close();
}

export default [two_runs_side_by_side];
