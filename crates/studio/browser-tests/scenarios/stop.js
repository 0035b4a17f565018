// A training is stopped and resumed.

import assert from "node:assert/strict";
import { until, firstNumber } from "../look.js";
import { TINY } from "./start.js";

async function a_run_stops_and_resumes(world) {
  const set = { ...TINY, "train.batch": "8", "data.count": "160", "train.sheet_every": "1" };
  const answer = await fetch(`${world.server.address}/api/runs`, {
    method: "POST",
    headers: { ...world.server.headers, "content-type": "application/json", origin: world.server.address },
    body: JSON.stringify({ preset: "quick", set, steps: 100000, seed: 3 }),
  });
  assert.equal(answer.status, 201, await answer.clone().text());
  world.second = (await answer.json()).id;
  const page = await world.open(`run/${world.second}`);
  const step = async () => firstNumber(await page.locator(".facts dd").first().textContent());
  await until("it trains", async () => (await step()) > 20, 40_000);
  await page.getByRole("button", { name: "Stop" }).click();
  await page.locator(".state-stopped").waitFor();
  const at = await step();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByLabel("Length").selectOption("steps");
  await page.getByRole("textbox", { name: "Amount" }).fill(String(at + 40));
  await page.getByRole("button", { name: "Continue" }).click();
  await until("it resumes and ends", async () => (await step()) === at + 40, 40_000);
  await page.close();
}

export default [a_run_stops_and_resumes];
