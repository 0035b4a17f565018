// What tests look at: the pixels of a canvas or image, numbers in texts, whether a condition becomes true.

import assert from "node:assert/strict";

/// Waits until `check` gives something true, and returns it.
export async function until(what, check, ms = 20_000) {
  const end = Date.now() + ms;
  for (;;) {
    const found = await check();
    if (found) return found;
    assert.ok(Date.now() < end, `waited ${ms / 1000} s in vain until ${what}`);
    await new Promise((done) => setTimeout(done, 60));
  }
}

/// The pixels that an element shows: { width, height, data: grey values (of a large picture, some), hash (of all) }. For canvases and images;
/// an image that is still loading is waited for.
export function pixels(locator) {
  return locator.evaluate(async (element) => {
    while (element.decode) {
      const source = element.src;
      await element.decode().catch(() => {}); // fails where the source changes meanwhile
      if (element.src === source) break;
    }
    const width = element.naturalWidth ?? element.width;
    const height = element.naturalHeight ?? element.height;
    const copy = new OffscreenCanvas(width || 1, height || 1);
    const context = copy.getContext("2d");
    context.drawImage(element, 0, 0);
    const { data } = context.getImageData(0, 0, copy.width, copy.height);
    const every = Math.max(1, Math.floor(data.length / 4 / 10_000)) | 1; // of a large picture a part will do
    const grey = Array.from({ length: Math.floor(data.length / 4 / every) }, (_, at) => data[4 * at * every]);
    let hash = 0;
    for (const value of data) hash = (Math.imul(hash, 31) + value) | 0;
    return { width, height, data: grey, hash };
  });
}

/// The mean absolute difference of two pictures of one size, in grey levels.
export function difference(a, b) {
  assert.deepEqual([a.width, a.height], [b.width, b.height]);
  return a.data.reduce((sum, value, at) => sum + Math.abs(value - b.data[at]), 0) / a.data.length;
}

/// The first number in a text: "252 of 1,000" is 252.
export function firstNumber(text) {
  const found = /-?\d[\d,]*(\.\d+)?(e-?\d+)?/.exec(String(text).replace("−", "-"));
  return found ? Number(found[0].replaceAll(",", "")) : NaN;
}

/// Sets a range input as a drag would.
export async function slide(locator, value) {
  await locator.evaluate((input, wanted) => {
    input.value = wanted;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }, value);
}

/// How many pixels of a chart's plot have the colour of its curves named `colour` ("expert", "4").
export function inked(plot, colour) {
  return plot.evaluate((element, name) => {
    const wanted = getComputedStyle(element.querySelector(`.c-${name}`))
      .color.match(/[\d.]+/g)
      .slice(0, 3)
      .map(Number);
    const canvas = element.querySelector("canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
      const near = wanted.every((value, channel) => Math.abs(data[at + channel] - value) < 40);
      if (near && data[at + 3] > 200) count += 1;
    }
    return count;
  }, colour);
}
