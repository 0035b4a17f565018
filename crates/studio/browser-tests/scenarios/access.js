// Accessibility: axe-core finds nothing on any page, light and dark; at 390 pixels nothing is wider than the window; the theme's toggle
// is kept.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pages = (world) => [
  "runs",
  `run/${world.run}`,
  `play/${world.run}`,
  `expert/${world.run}`,
  `compare?runs=${world.run},${world.second}`,
  "learn",
  "new",
  "nowhere",
];

async function settled(page) {
  await page.locator("h1").waitFor();
  await page.waitForTimeout(350);
}

/// What axe-core finds on a page in its present state, as sentences, and ids that are used twice. That it checked nothing is a
/// finding, too.
async function check(page, what, options) {
  const { violations, passes } = await page.evaluate((given) => axe.run(document, given), options);
  const found = violations.map(
    (one) =>
      `${what}: ${one.id}: ${one.help}: ${one.nodes
        .slice(0, 3)
        .map((node) => node.html.slice(0, 160))
        .join(" | ")}`,
  );
  const ids = await page.evaluate(() => [...document.querySelectorAll("[id]")].map((element) => element.id));
  const twice = ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `${what}: two elements have the id ${id}`);
  return passes.length ? [...found, ...twice] : [...found, ...twice, `${what}: nothing was checked`];
}

/// Everything in light; in dark, where only the colours differ, the contrast.
async function axe(world, colorScheme, options) {
  const context = await world.browser.newContext({
    colorScheme,
    viewport: { width: 1280, height: 900 },
    reducedMotion: "reduce",
    bypassCSP: true,
  });
  const found = [];
  for (const hash of pages(world)) {
    const page = await world.open(hash, context);
    await settled(page);
    await page.evaluate(AXE);
    found.push(...(await check(page, `${hash} (${colorScheme})`, options)));
    if (hash.startsWith("run/")) {
      await page.getByRole("button", { name: "Export" }).click();
      found.push(...(await check(page, `${hash}, its dialog (${colorScheme})`, options)));
    }
    if (hash.startsWith("expert/")) {
      await examine(page);
      found.push(...(await check(page, `${hash}, the verdict (${colorScheme})`, options)));
    }
    await page.close();
  }
  await context.close();
  assert.deepEqual(found, []);
}

/// A round of Expert, answered without looking.
async function examine(page) {
  await page.getByRole("button", { name: "Begin" }).click();
  await page.getByText("Image 1 of 20").waitFor();
  for (let at = 0; at < 20; at += 1) await page.keyboard.press("r");
  await page.getByRole("heading", { name: "The verdict" }).waitFor();
}

const axe_finds_nothing_in_light = (world) => axe(world, "light", {});
const axe_finds_nothing_in_dark = (world) => axe(world, "dark", { runOnly: ["color-contrast"] });

async function nothing_is_wider_than_a_phone(world) {
  const context = await world.browser.newContext({ viewport: { width: 390, height: 780 } });
  const wide = [];
  for (const hash of pages(world)) {
    const page = await world.open(hash, context);
    await settled(page);
    const widths = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      document.documentElement.clientWidth,
    ]);
    if (widths[0] > widths[1]) wide.push(`${hash}: ${widths[0]} in ${widths[1]}`);
    await page.close();
  }
  await context.close();
  assert.deepEqual(wide, []);
}

async function the_theme_is_kept(world) {
  const page = await world.open("runs");
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.getByRole("button", { name: "Switch to dark colours" }).click();
  const dark = await paper();
  assert.notEqual(light, dark);
  await page.reload();
  assert.equal(await paper(), dark);
  await page.getByRole("button", { name: "Switch to light colours" }).click();
  await page.close();
}

async function the_keyboard_reaches_the_content(world) {
  const page = await world.open("runs");
  await settled(page);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
  for (let presses = 0; presses < 14; presses += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement.classList.contains("card-link"))) break;
  }
  await page.keyboard.press("Enter");
  await page.waitForURL(/#\/run\//);
  await page.close();
}

export default [
  axe_finds_nothing_in_light,
  axe_finds_nothing_in_dark,
  nothing_is_wider_than_a_phone,
  the_theme_is_kept,
  the_keyboard_reaches_the_content,
];
