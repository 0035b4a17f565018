// Expert: a round is played with keys and buttons; the scores add up and stay in the browser.

import assert from "node:assert/strict";
import { until, pixels } from "../look.js";

async function twenty_images_and_a_verdict(world) {
  const page = await world.open(`expert/${world.run}`);
  await page.getByRole("button", { name: "Begin" }).click();
  const image = page.locator(".exam canvas");
  await until(
    "an image is shown",
    async () => (await image.count()) === 1 && (await pixels(image)).data.some((value) => value > 40),
  );
  const seen = new Set();
  for (let at = 0; at < 20; at += 1) {
    await page.getByText(`Image ${at + 1} of 20`).waitFor();
    seen.add((await pixels(image)).hash);
    if (at < 4) await page.getByRole("button", { name: at % 2 ? "Real" : "Generated" }).click();
    else await page.keyboard.press(["r", "g", "ArrowLeft", "ArrowRight"][at % 4]);
  }
  assert.ok(seen.size >= 19, `only ${seen.size} different images`);
  await page.getByRole("heading", { name: "The verdict" }).waitFor();
  const text = await page.locator(".verdict").textContent();
  const [, mine, of, theirs] = /got (\d+) of (\d+) right; the discriminator got (\d+)/.exec(text);
  assert.equal(of, "20");
  assert.equal(await page.locator(".exhibits li").count(), 20);
  const ticks = await page.locator(".exhibits span", { hasText: "you:" }).allTextContents();
  assert.equal(ticks.filter((tick) => tick.startsWith("✓")).length, Number(mine));
  const theirTicks = await page.locator(".exhibits span", { hasText: "D:" }).allTextContents();
  assert.equal(theirTicks.filter((tick) => tick.startsWith("✓")).length, Number(theirs));
  const real = (await page.locator(".exhibits b").allTextContents()).filter((word) => word === "real").length;
  assert.ok(real > 2 && real < 18, `${real} of 20 are real`);
  await page.reload();
  await page.getByText(/^At step [\d,]+ you got \d+% right/).waitFor();
  await page.close();
}

export default [twenty_images_and_a_verdict];
