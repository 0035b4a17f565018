// New: a recipe is chosen or made for the data, changed, estimated, refused where it is invalid, and started.

import assert from "node:assert/strict";
import { until, firstNumber } from "../look.js";

/// A net of some thousand weights: enough to draw something like digits in seconds.
export const TINY = {
  "generator.layers":
    '["dense 7*7*16", "reshape 7 7 16", "batchnorm", "leakyrelu 0.2", "upsample 2", "conv 12 3x3", "batchnorm", "leakyrelu 0.2", "upsample 2", "conv 1 5x5", "sigmoid"]',
  "discriminator.layers":
    '["conv 8 4x4 stride 2", "leakyrelu 0.2", "conv 16 4x4 stride 2", "leakyrelu 0.2", "flatten", "dense 1", "sigmoid"]',
};
const CHANGES = { ...TINY, "train.batch": "16", "data.count": "640", "train.save_every": "2", "train.seed": "7" };
export const STEPS = 280;

async function auto_makes_a_recipe_for_the_data(world) {
  const page = await world.open("new");
  const summary = page.locator("aside");
  const batch = page.getByLabel("train.batch", { exact: true });
  await page.getByRole("radio", { name: /^auto:/ }).check();
  await summary.getByText("Made for these images").waitFor();
  await summary.getByText(/^Nets for [\d,]+ images of 28x28x1$/).waitFor();
  const placeholder = async () => (await batch.getAttribute("placeholder")) === "64";
  await until("the fields have the values that auto chose", placeholder);
  await batch.fill("8");
  await page.getByLabel("latent", { exact: true }).focus();
  await until("the change is made", async () => /--set=train\.batch=8/.test(await summary.textContent()));
  assert.match(await summary.textContent(), /faussaire train strokes --preset=auto/);
  assert.ok(await placeholder());

  world.expected = /40\d|422/;
  await page.getByLabel("Data set").selectOption("ring");
  await summary.locator(".problem").waitFor();
  assert.match(await summary.locator(".problem").textContent(), /points of the plane/);
  assert.ok(await page.getByRole("button", { name: "Start training" }).isDisabled());
  await page.getByRole("radio", { name: /^quick:/ }).check();
  await until("another preset has no such list", async () => !/Made for these/.test(await summary.textContent()));
  await until("the change is kept", async () => /--set=train\.batch=8/.test(await summary.textContent()));
  await page.close();
}

async function a_run_is_estimated_and_started(world) {
  const page = await world.open("new");
  await page.getByRole("radio", { name: /^quick:/ }).check();
  await page.getByLabel("Train for").selectOption("steps");
  await page.getByLabel("Amount").fill(String(STEPS));
  await page.getByText(/All other keys/).click();
  for (const [key, value] of Object.entries(CHANGES)) await page.getByLabel(key, { exact: true }).fill(value);
  const weights = page.locator("aside dd").nth(3);
  await until(
    "the summary counts the weights",
    async () => firstNumber(await weights.evaluate((dd) => dd.firstChild.textContent)) > 10_000,
  );
  assert.match(await page.locator("aside").textContent(), /MB|kB|GB/);
  await until(
    "the summary counts the steps",
    async () =>
      firstNumber(
        await page
          .locator("aside dd")
          .nth(2)
          .evaluate((dd) => dd.firstChild.textContent),
      ) === STEPS,
  );

  world.expected = /40\d|422/;
  await page.getByLabel("train.batch", { exact: true }).fill("0");
  await page.getByLabel("latent", { exact: true }).focus();
  await page.locator("aside .problem").waitFor();
  assert.ok(await page.getByRole("button", { name: "Start training" }).isDisabled());
  await page.getByLabel("train.batch", { exact: true }).fill("16");
  await page.getByLabel("latent", { exact: true }).focus();
  await weights.waitFor();

  const button = page.getByRole("button", { name: "Start training" });
  await until("the button is free", async () => !(await button.isDisabled()));
  const [sent] = await Promise.all([
    page.waitForRequest((one) => one.method() === "POST" && one.url().endsWith("/api/runs")),
    button.click(),
  ]);
  assert.deepEqual(sent.postDataJSON(), { preset: "quick", set: CHANGES, steps: STEPS });
  world.expected = /404/; // requested before its folder exists
  await page.waitForURL(/#\/run\//, { timeout: 40_000 });
  world.run = decodeURIComponent(page.url().split("#/run/")[1]);
  assert.ok(world.run.length > 3);
  world.live = page;
}

export default [auto_makes_a_recipe_for_the_data, a_run_is_estimated_and_started];
