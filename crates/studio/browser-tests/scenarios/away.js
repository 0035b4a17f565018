// Export: each file arrives and starts as its format does.

import assert from "node:assert/strict";
import { copyFileSync, readFileSync, statSync } from "node:fs";
import { pixels, until, firstNumber } from "../look.js";

async function take(page, button) {
  const [download] = await Promise.all([page.waitForEvent("download", { timeout: 60_000 }), button.click()]);
  return { name: download.suggestedFilename(), path: await download.path() };
}

/// The exported page, opened from the disk: it draws, and something moves it.
async function plays_offline(world, path) {
  const copy = `${world.folder}/emailed.html`;
  copyFileSync(path, copy);
  const page = await world.context.newPage();
  await page.goto(`file://${copy}`);
  const canvas = page.locator("canvas").first();
  await until(
    "the exported page draws",
    async () => (await canvas.count()) && (await pixels(canvas)).data.some((value) => value > 40),
  );
  const before = await pixels(canvas);
  await page.locator("input[type=range]").first().focus();
  await page.keyboard.press("Home");
  await until("its slider changes the picture", async () => (await pixels(canvas)).hash !== before.hash);
  await page.close();
}

async function exports_arrive_as_files(world) {
  const page = await world.open(`run/${world.run}`);
  await page.getByRole("button", { name: "Export" }).click();
  const onnx = await take(page, page.getByRole("button", { name: "Download ONNX" }));
  assert.ok(statSync(onnx.path).size > 20_000, `${onnx.name} is small`);
  const checked = await page
    .getByText(/max. difference/)
    .first()
    .textContent();
  assert.ok(firstNumber(checked.split("max. difference")[1]) <= 1e-5, checked);
  const html = await take(page, page.getByRole("button", { name: /HTML/ }));
  assert.match(readFileSync(html.path, "utf8").slice(0, 200), /<!doctype html>/i);
  await plays_offline(world, html.path);
  const tensors = await take(page, page.getByRole("button", { name: /safetensors/ }));
  assert.ok(statSync(tensors.path).size > 20_000, `${tensors.name} is small`);
  await page.getByLabel("Number", { exact: true }).fill("12");
  const zip = await take(page, page.getByRole("button", { name: "Download a zip" }));
  assert.equal(readFileSync(zip.path).subarray(0, 2).toString(), "PK");
  await page.keyboard.press("Escape");
  await page.close();
}

async function the_report_opens(world) {
  const page = await world.context.newPage();
  const answer = await page.goto(`${world.server.address}/api/runs/${world.run}/report`);
  assert.equal(answer.status(), 200);
  assert.match(await page.locator("body").textContent(), new RegExp(world.run));
  await page.close();
}

export default [exports_arrive_as_files, the_report_opens];
