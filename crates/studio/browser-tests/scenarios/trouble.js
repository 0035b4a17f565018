// Errors: a run that doesn't exist, a damaged folder beside sound ones, markup in names. The page says what happened and what
// to do.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";

async function a_run_that_does_not_exist(world) {
  world.expected = /404/;
  const page = await world.open("run/0000-nothing");
  const problem = page.locator(".problem");
  await problem.waitFor();
  assert.match(await problem.locator(".hint").textContent(), /\w{3}/);
  await page.getByRole("button", { name: "Try again" }).click();
  await problem.waitFor();
  world.failures.length = 0; // the failed load is the subject of this test
  await page.close();
}

async function a_damaged_folder_beside_sound_ones(world) {
  const folder = `${world.runs}/9999-damaged`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/config.toml`, "latent = [");
  const page = await world.open("runs");
  await page.locator(".state-damaged").waitFor({ timeout: 30_000 });
  assert.ok((await page.locator(".state-complete").count()) >= 1);
  await page.getByRole("link", { name: "9999-damaged" }).click();
  await page.locator(".problem").waitFor();
  await page.close();
}

async function markup_in_names_stays_text(world) {
  const folder = `${world.runs}/9998-<img src=x onerror=alert(1)>`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/config.toml`, "<script>alert(1)</script>");
  const page = await world.open("runs");
  await page.getByText("9998-<img src=x onerror=alert(1)>").first().waitFor({ timeout: 30_000 });
  assert.equal(await page.locator('img[src="x"]').count(), 0);
  await page.close();
}

export default [a_run_that_does_not_exist, a_damaged_folder_beside_sound_ones, markup_in_names_stays_text];
