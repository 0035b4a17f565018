// Records the README's animation of the studio: node film.js BINARY RUNS OUT.gif [--assets DIR]. RUNS holds a run of `strokes`
// with many sheets and one of preset cgan-mnist. Every frame is a real page of a real run.

import { writeFileSync } from "node:fs";
import gifenc from "gifenc";
import { PNG } from "pngjs";
import { browser, studio } from "./chromium.js";
import { slide, until } from "./look.js";

const { GIFEncoder, quantize, applyPalette } = gifenc;
const SIZE = { width: 1000, height: 600 };
const HOLD_MS = 1500;
const MOVE_MS = 110;

const words = process.argv.slice(2);
const assets = words.includes("--assets") ? words.splice(words.indexOf("--assets"), 2) : [];
const [binary, runs, out] = words;
const frames = [];

const server = await studio(binary, runs, assets);
const window = await browser();
try {
  const all = await (await fetch(`${server.address}/api/runs`, { headers: server.headers })).json();
  const strokes = all.find((run) => run.data === "strokes" && run.sheet).id;
  const digits = all.find((run) => run.id.includes("cgan-mnist")).id;
  const context = await window.newContext({ viewport: SIZE, colorScheme: "light" });
  await server.enter(context);
  const page = await context.newPage();
  const shoot = async (ms) => frames.push({ ms, image: PNG.sync.read(await page.screenshot()) });
  const open = async (hash) => {
    await page.goto(`${server.address}/#/${hash}`);
    await page.locator("h1").waitFor();
    await page.waitForTimeout(1200);
  };
  const top = (locator, gap = 16) =>
    locator.evaluate((element, room) => scrollTo(0, element.getBoundingClientRect().top + scrollY - room), gap);

  await open("runs");
  await shoot(HOLD_MS);
  await scrub(page, strokes, { open, shoot, top });
  await play(page, digits, { open, shoot, top });
  await learn(page, { open, shoot });
} finally {
  await window.close();
  await server.stop();
}
const bytes = encode();
writeFileSync(out, bytes);
console.log(`${out}: ${frames.length} frames, ${bytes.length} bytes`);

/// From noise to digits, sheet by sheet.
async function scrub(page, id, { open, shoot, top }) {
  await open(`run/${id}`);
  await top(page.getByRole("heading", { name: "From noise to images" }));
  const slider = page.getByRole("slider", { name: "Sheet at training step" });
  const last = Number(await slider.getAttribute("max"));
  for (let at = 0; at <= last; at += Math.max(1, Math.round(last / 20))) {
    await slide(slider, at);
    await page.waitForTimeout(150);
    await shoot(at === 0 ? 700 : 1.6 * MOVE_MS);
  }
  await shoot(HOLD_MS);
}

/// A direction, a class, and a drawing with what is found for it.
async function play(page, id, { open, shoot, top }) {
  await open(`play/${id}`);
  await top(page.locator(".tabs"));
  for (const name of ["3", "7"]) {
    await page.locator(".segments label", { hasText: name }).click();
    await page.waitForTimeout(400);
    await shoot(500);
    const dial = page.locator(".slider input").first();
    for (const share of [0.4, 0.8, 1.2, 1.6, 2, 1.4, 0.7, 0, -0.7, -1.4, -2, -1.2, -0.5, 0]) {
      await slide(dial, share);
      await page.waitForTimeout(120);
      await shoot(MOVE_MS);
    }
  }
  const pad = page.locator(".pad");
  await top(page.getByRole("heading", { name: "Draw a digit" }), 60);
  const box = await pad.boundingBox();
  const path = [
    [0.3, 0.25],
    [0.45, 0.24],
    [0.6, 0.23],
    [0.7, 0.24],
    [0.64, 0.4],
    [0.58, 0.55],
    [0.52, 0.7],
    [0.47, 0.85],
  ];
  const place = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
  await page.mouse.move(...place(path[0]));
  await page.mouse.down();
  for (const point of path) {
    await page.mouse.move(...place(point), { steps: 3 });
    await shoot(MOVE_MS);
  }
  await page.mouse.up();
  const done = page.getByText(/^Done after/);
  for (let tries = 0; tries < 40 && !(await done.count()); tries += 1) await shoot(MOVE_MS);
  await shoot(HOLD_MS);
}

/// Eight clusters, found.
async function learn(page, { open, shoot }) {
  await open("learn");
  await page.evaluate(() => scrollTo(0, 150));
  await shoot(700);
  await page.getByLabel("steps per frame").selectOption("25");
  await page.getByRole("button", { name: "Run" }).click();
  const steps = page.locator(".facts dd").first();
  for (let at = 0; at < 14; at += 1) {
    const before = await steps.textContent();
    await until("the lesson goes on", async () => (await steps.textContent()) !== before);
    await shoot(1.3 * MOVE_MS);
  }
  await page.getByRole("button", { name: "Pause" }).click();
  await shoot(HOLD_MS);
}

/// One palette for all; pixels that stay as they were are left out of a frame.
function encode() {
  const samples = frames.filter((_, at) => at % 9 === 0).map(({ image }) => image.data);
  const palette = quantize(Buffer.concat(samples), 160, { format: "rgb565" });
  const nothing = palette.length;
  const gif = GIFEncoder();
  let before = null;
  for (const { ms, image } of frames) {
    const now = applyPalette(image.data, palette, "rgb565");
    const shown = before ? now.map((index, at) => (index === before[at] ? nothing : index)) : now;
    gif.writeFrame(shown, SIZE.width, SIZE.height, {
      palette: before ? undefined : [...palette, [0, 0, 0]],
      delay: ms,
      transparent: Boolean(before),
      transparentIndex: nothing,
      dispose: 1,
    });
    before = now;
  }
  gif.finish();
  return gif.bytes();
}
