// Compare: two runs beside each other, chosen on the list, with the same latents, one chart, and what differs in their recipes.

import assert from "node:assert/strict";
import { until, pixels } from "../look.js";

async function two_runs_stand_side_by_side(world) {
  const page = await world.open("runs");
  for (const id of [world.run, world.second]) await page.getByLabel(`Choose ${id} for a comparison`).check();
  await page.getByRole("link", { name: "Compare 2 runs" }).click();
  await page.getByRole("heading", { level: 1, name: "Compare" }).waitFor();
  const grids = page.locator(".compare-runs canvas");
  await until("both grids are drawn", async () => (await grids.count()) === 2 && (await pixels(grids.first())).width > 100 && (await pixels(grids.nth(1))).width > 100);
  const before = [await pixels(grids.first()), await pixels(grids.nth(1))];
  assert.notEqual(before[0].hash, before[1].hash);
  await page.getByRole("button", { name: "Other latents" }).click();
  await until("both change", async () => (await pixels(grids.first())).hash !== before[0].hash && (await pixels(grids.nth(1))).hash !== before[1].hash);
  await page.getByLabel("Show").selectOption("d_loss");
  const lines = page.locator(".chart path.line");
  await until("two curves are drawn", async () => (await lines.count()) === 2 && /^M/.test(await lines.nth(1).getAttribute("d")));
  assert.notEqual(await lines.first().getAttribute("stroke-dasharray"), await lines.nth(1).getAttribute("stroke-dasharray"));
  const table = page.locator("table.diff");
  assert.match(await table.textContent(), /train\.batch168/);
  assert.doesNotMatch(await table.textContent(), /train\.loss/);
  await page.close();
}

export default [two_runs_stand_side_by_side];
