// A run is watched while it trains: numbers change, curves grow, sheets appear; then its slider goes back to the noise.

import assert from "node:assert/strict";
import { until, pixels, inked, firstNumber, difference, slide } from "../look.js";
import { STEPS } from "./start.js";

async function numbers_and_curves_move_by_themselves(world) {
  const page = world.live;
  const step = async () => firstNumber(await page.locator(".facts dd").first().textContent());
  const first = await until("the first steps are shown", step, 40_000);
  await until("more steps are shown without a reload", async () => (await step()) > first + 20, 60_000);
  const plot = page.getByRole("slider", { name: /^Losses/ });
  const curve = async () => (await pixels(plot.locator("canvas"))).hash;
  const before = await curve();
  for (const colour of ["expert", "counterfeiter"])
    assert.ok((await inked(plot, colour)) > 50, `no curve of the ${colour}`);
  await until("the curve grows", async () => (await curve()) !== before);
  const list = await world.open("runs");
  await list.getByText("Running").waitFor();
  await list.close();
}

async function it_ends_where_its_recipe_says(world) {
  const page = world.live;
  await page.locator(".state-complete").waitFor({ timeout: 80_000 });
  assert.equal(firstNumber(await page.locator(".facts dd").first().textContent()), STEPS);
  assert.equal(await page.getByRole("button", { name: "Stop" }).isVisible(), false);
}

async function the_slider_goes_back_to_the_noise(world) {
  const page = world.live;
  const slider = page.getByRole("slider", { name: "Sheet at training step" });
  const image = page.locator(".sheet-image");
  await until("the last sheet is shown", async () => (await pixels(image)).width > 100);
  const last = await pixels(image);
  await slider.focus();
  await page.keyboard.press("Home");
  const early = await until("another sheet is shown", async () => {
    const now = await pixels(image);
    return now.hash !== last.hash && now;
  });
  assert.ok(difference(early, last) > 3, `only ${difference(early, last)} grey levels apart`);
  assert.match(await slider.getAttribute("aria-valuetext"), /^step \d+, sheet 1 of \d+$/);
  await page.getByRole("button", { name: "Play" }).click();
  await until("it plays to the end", async () => (await pixels(image)).hash === last.hash);
  assert.match(
    await page
      .getByText(/Sliced Wasserstein|Score/)
      .first()
      .textContent(),
    /./,
  );
}

async function charts_are_read_with_the_keyboard(world) {
  const page = world.live;
  const plot = page.getByRole("slider", { name: /^Losses/ });
  await plot.focus();
  await page.keyboard.press("Home");
  const first = await plot.getAttribute("aria-valuetext");
  await page.keyboard.press("ArrowRight");
  const second = await plot.getAttribute("aria-valuetext");
  assert.notEqual(first, second);
  assert.match(second, /^step \d+: discriminator [\d.−]+, generator [\d.−]+$/);
  const history = await (
    await fetch(`${world.server.address}/api/runs/${world.run}/history`, { headers: world.server.headers })
  ).json();
  assert.equal(firstNumber(second.split("discriminator ")[1]), Number(history.d_loss[1].toPrecision(3)));
}

async function charts_are_smoothed_zoomed_and_rescaled(world) {
  const page = world.live;
  const losses = page.locator("figure", { has: page.getByRole("heading", { name: "Losses" }) });
  const plot = losses.getByRole("slider");
  const changes = async (what, act) => {
    const before = (await pixels(plot.locator("canvas"))).hash;
    await act();
    await until(`${what} changes the chart`, async () => (await pixels(plot.locator("canvas"))).hash !== before);
  };
  assert.match(await losses.locator(".legend").textContent(), /smoothed [\d.]+/);
  await changes("smoothing", () => slide(page.getByLabel("Smoothing"), 0));
  assert.doesNotMatch(await losses.locator(".legend").textContent(), /smoothed/);
  await changes("a logarithmic scale", () => page.getByLabel("Log scale").check());
  for (const [name, text] of [
    ["epoch", /^epoch [\d.]+: /],
    ["time", /^time .+: /],
  ]) {
    await changes(`the axis ${name}`, () => page.getByLabel("Horizontal axis").selectOption(name));
    assert.match(await plot.getAttribute("aria-valuetext"), text);
  }
  await page.getByLabel("Horizontal axis").selectOption("step");
  await page.getByLabel("Log scale").uncheck();

  const all = losses.getByRole("button", { name: "Reset zoom" });
  await plot.scrollIntoViewIfNeeded();
  const box = await plot.boundingBox();
  const move = (share) => page.mouse.move(box.x + box.width * share, box.y + box.height / 2, { steps: 4 });
  await changes("a drag", async () => {
    await move(0.4);
    await page.mouse.down();
    await move(0.7);
    await page.mouse.up();
  });
  await all.waitFor();
  await plot.dblclick({ position: { x: box.width / 2, y: box.height / 2 } });
  await all.waitFor({ state: "hidden" });
  await plot.press("+");
  await all.click();
  await all.waitFor({ state: "hidden" });
}

async function a_click_in_the_legend_hides_a_curve(world) {
  const page = world.live;
  const losses = page.locator("figure", { has: page.getByRole("heading", { name: "Losses" }) });
  const plot = losses.getByRole("slider");
  const entry = losses.getByRole("button", { name: "generator", exact: true });
  await entry.click();
  assert.equal(await entry.getAttribute("aria-pressed"), "false");
  await until("the curve is gone", async () => (await inked(plot, "counterfeiter")) === 0);
  assert.ok((await inked(plot, "expert")) > 50);
  await entry.click();
  await until("the curve is back", async () => (await inked(plot, "counterfeiter")) > 50);
}

export default [
  numbers_and_curves_move_by_themselves,
  it_ends_where_its_recipe_says,
  the_slider_goes_back_to_the_noise,
  charts_are_read_with_the_keyboard,
  charts_are_smoothed_zoomed_and_rescaled,
  a_click_in_the_legend_hides_a_curve,
];
