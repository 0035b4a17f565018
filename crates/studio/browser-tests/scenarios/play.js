// Play: sliders change pixels, two images make a walk, a drawing finds its nearest image.

import assert from "node:assert/strict";
import { until, pixels, slide, difference, firstNumber } from "../look.js";

const big = (page) => page.locator(".play-image canvas");

async function open(world) {
  const page = await world.open(`play/${world.run}`);
  await until("an image is drawn", async () => (await pixels(big(page))).data.some((value) => value > 40));
  await until("the gallery is drawn", async () => (await page.locator(".gallery canvas").count()) > 10);
  return page;
}

async function changes(page, what, act) {
  const before = await pixels(big(page));
  await act();
  return until(`${what} changes the picture`, async () => {
    const now = await pixels(big(page));
    return difference(now, before) > 0.5 && { before, now };
  });
}

async function sliders_change_the_picture_and_back(world) {
  const page = await open(world);
  const direction = page.locator(".slider input").first();
  const { before } = await changes(page, "a direction", () => slide(direction, 1));
  await page.getByRole("button", { name: "Reset" }).click();
  await until("the start is back, to the pixel", async () => (await pixels(big(page))).hash === before.hash);
  await page.getByText(/values of the latent/).click();
  await changes(page, "a value of the latent", () => slide(page.getByLabel("z1", { exact: true }), 3));
  await changes(page, "truncation", () => slide(page.getByLabel("Truncation"), 0.05));
  await changes(page, "another latent", () => page.getByRole("button", { name: "New image" }).click());
  const ms = firstNumber(await page.getByText(/ms from slider to image/).textContent());
  console.log(`slider to image: ${ms} ms`);
  assert.ok(ms > 0 && ms < 500, `${ms} ms`);
  await page.close();
}

async function the_keyboard_moves_a_slider(world) {
  const page = await open(world);
  await changes(page, "arrow keys on a slider", async () => {
    await page.locator(".slider input").first().focus();
    await page.keyboard.press("End");
  });
  await page.close();
}

async function added_images_make_a_walk(world) {
  const page = await open(world);
  await page.getByRole("button", { name: "Add to walk" }).click();
  await changes(page, "choosing another image", () => page.locator(".gallery button").nth(4).click());
  await page.getByRole("button", { name: "Add to walk" }).click();
  await page.getByRole("button", { name: /^Walk through 2/ }).click();
  const film = page.locator(".film canvas");
  await film.waitFor();
  const strip = await pixels(film);
  assert.ok(strip.width > 20 * strip.height, `a strip of ${strip.width} x ${strip.height}`);
  const place = page.getByRole("slider", { name: "Frame of the walk" });
  await slide(place, 0);
  const first = await pixels(big(page));
  await slide(place, 23);
  const last = await pixels(big(page));
  assert.ok(difference(first, last) > 0.5);
  await page.close();
}

async function it_wanders(world) {
  const page = await open(world);
  const walk = page.getByRole("button", { name: "Wander" });
  await changes(page, "walking", () => walk.click());
  await page.getByRole("button", { name: "Stop wandering" }).click();
  await page.close();
}

async function a_drawing_finds_its_nearest_image(world) {
  const page = await open(world);
  const pad = page.locator(".pad");
  await pad.scrollIntoViewIfNeeded();
  const box = await pad.boundingBox();
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.15);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.85, { steps: 12 });
  await page.mouse.up();
  const drawn = await pixels(pad);
  assert.ok(
    drawn.data.some((value) => value > 200) && drawn.data.filter((value) => value > 200).length < drawn.data.length / 4,
  );
  const state = page.getByText(/distance [\d.]+/);
  await state.waitFor({ timeout: 30_000 });
  const early = firstNumber((await state.textContent()).split("distance")[1]);
  await page.getByText(/^Done after/).waitFor({ timeout: 40_000 });
  const late = firstNumber((await page.getByText(/^Done after/).textContent()).split("distance")[1]);
  assert.ok(late <= early, `the distance went from ${early} to ${late}`);
  const found = await pixels(page.locator(".drawing canvas").nth(1));
  assert.ok(found.data.some((value) => value > 40));
  await changes(page, "using the found image", () => page.getByRole("button", { name: "Use this image" }).click());
  await page.close();
}

async function the_pad_is_drawn_on_with_the_keyboard(world) {
  const page = await open(world);
  const pad = page.locator(".pad");
  await pad.focus();
  const bright = async () => (await pixels(pad)).data.filter((value) => value > 100).length;
  await page.keyboard.press("ArrowDown");
  assert.equal(await bright(), 0, "the pen is up");
  await page.keyboard.press("Space");
  for (let times = 0; times < 6; times += 1) await page.keyboard.press("ArrowDown");
  assert.ok((await bright()) >= 6);
  await page.getByRole("button", { name: "Clear" }).click();
  assert.equal(await bright(), 0);
  await page.close();
}

export default [
  sliders_change_the_picture_and_back,
  the_keyboard_moves_a_slider,
  added_images_make_a_walk,
  it_wanders,
  a_drawing_finds_its_nearest_image,
  the_pad_is_drawn_on_with_the_keyboard,
];
