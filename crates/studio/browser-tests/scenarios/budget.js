// The first view's budget: under 300 KB and 0.5 s on loopback, from a cold cache to the page drawn.

import assert from "node:assert/strict";

const BYTES = 300_000;
const MS = 500;

async function the_first_view_is_small_and_quick(world) {
  const warm = await world.open("runs"); // the browser's own first start isn't the studio's
  await warm.close();
  const context = await world.browser.newContext();
  const page = await context.newPage();
  const bytes = [];
  page.on("response", (response) => bytes.push(response.body().then((body) => body.length, () => 0)));
  await page.goto("about:blank");
  await page.goto(`${world.server.address}/`);
  await page.getByRole("heading", { level: 1, name: "Runs" }).waitFor();
  const ms = await page.evaluate(() => performance.getEntriesByType("resource").filter((one) => !one.name.includes("/api/events")).reduce((end, one) => Math.max(end, one.responseEnd), performance.getEntriesByType("navigation")[0].responseEnd));
  const shown = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0);
  const total = (await Promise.race([Promise.all(bytes.slice(0, -1)), new Promise((done) => setTimeout(() => done([0]), 2000))])).reduce((a, b) => a + b, 0);
  console.log(`first view: ${bytes.length} answers, ${total} bytes, all loaded after ${Math.round(ms)} ms, first paint after ${Math.round(shown)} ms`);
  assert.ok(total > 10_000 && total < BYTES, `${total} bytes`);
  assert.ok(ms > 0 && ms < MS, `${ms} ms`);
  await context.close();
}

async function a_folder_without_runs_says_what_to_do(world) {
  const page = await world.open("runs");
  await page.getByRole("heading", { name: "No runs yet" }).waitFor();
  assert.match(await page.locator(".command code").textContent(), /^faussaire train/);
  await page.getByRole("main").getByRole("link", { name: "Start a run" }).click();
  await page.getByRole("heading", { level: 1, name: "New run" }).waitFor();
  await page.close();
}

export default [the_first_view_is_small_and_quick, a_folder_without_runs_says_what_to_do];
