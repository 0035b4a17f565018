// Learn: half a step moves one player only; many whole steps find clusters.

import assert from "node:assert/strict";
import { until, pixels, firstNumber } from "../look.js";

async function half_steps_and_running(world) {
  const page = await world.open("learn");
  const scene = page.locator(".scene canvas");
  const answers = [];
  page.on("response", async (response) => {
    if (response.url().endsWith("/step")) answers.push(await response.json().catch(() => null));
  });
  const fact = (at) => page.locator(".facts dd").nth(at);
  await until("the plane is drawn", async () => new Set((await pixels(scene)).data).size > 8);
  const before = await pixels(scene);
  await page.getByRole("button", { name: "Step 1: update the expert" }).click();
  await until(
    "the expert's opinion changes",
    async () => answers.length === 1 && (await pixels(scene)).hash !== before.hash,
  );
  await page.getByRole("button", { name: "Step 2: update the counterfeiter" }).click();
  await until("the counterfeiter has moved", async () => answers.length === 2);
  assert.notDeepEqual(answers[1].fake, answers[0].fake);
  assert.equal(answers[0].half_done, "discriminator");
  assert.equal(firstNumber(await fact(0).textContent()), 1);
  await page.getByLabel("The expert's opinion").uncheck();
  const bare = await pixels(scene);
  await page.getByLabel("The expert's opinion").check();
  assert.notEqual(bare.hash, (await pixels(scene)).hash);
  await page.getByLabel("steps per frame").selectOption("5");
  await page.getByRole("button", { name: "Run" }).click();
  await until("it runs", async () => firstNumber(await fact(0).textContent()) > 60, 60_000);
  await page.getByRole("button", { name: "Pause" }).click();
  assert.match(await fact(1).textContent(), /^\d of 8$/);
  const step = firstNumber(await fact(0).textContent());
  await page.waitForTimeout(400);
  assert.ok(firstNumber(await fact(0).textContent()) <= step + 5);
  await page.close();
}

export default [half_steps_and_running];
