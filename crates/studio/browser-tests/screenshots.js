// Screenshots of every page in light, dark and narrow, to look at: node screenshots.js BINARY RUNS [PAGE...] [--assets DIR].
// They are written to shots/.

import { mkdirSync } from "node:fs";
import { browser, studio } from "./chromium.js";

const words = process.argv.slice(2);
const assets = words.includes("--assets") ? words.splice(words.indexOf("--assets"), 2) : [];
const [binary, runs, ...only] = words;
const WAYS = [
  ["light", { colorScheme: "light", viewport: { width: 1280, height: 860 } }],
  ["dark", { colorScheme: "dark", viewport: { width: 1280, height: 860 } }],
  ["narrow", { colorScheme: "light", viewport: { width: 390, height: 780 }, deviceScaleFactor: 2, hasTouch: true }],
];

/// Actions before the screenshot, so that a page shows what it is for.
const ACTS = {
  play: async (page) => {
    await page.locator(".gallery button").first().waitFor();
    await page.getByRole("button", { name: "Add to walk" }).click();
    await page.locator(".gallery button").nth(5).click();
    await page.getByRole("button", { name: "Add to walk" }).click();
    await page.getByRole("button", { name: /^Walk through 2/ }).click();
    await page.locator(".pad").scrollIntoViewIfNeeded();
    const box = await page.locator(".pad").boundingBox();
    const at = (turn) => [
      box.x + box.width * (0.5 + 0.22 * Math.sin(turn)),
      box.y + box.height * (0.5 - 0.3 * Math.cos(turn)),
    ];
    await page.mouse.move(...at(0));
    await page.mouse.down();
    for (let turn = 0; turn <= 6.4; turn += 0.3) await page.mouse.move(...at(turn));
    await page.mouse.up();
    await page.waitForTimeout(2500);
  },
  learn: async (page) => {
    await page.getByLabel("steps per frame").selectOption("25");
    await page.getByRole("button", { name: "Run" }).click();
    await page.waitForTimeout(8000);
    await page.getByRole("button", { name: "Pause" }).click();
  },
  verdict: async (page) => {
    await page.getByRole("button", { name: "Begin" }).click();
    await page.locator(".exam canvas").waitFor();
    for (let at = 0; at < 20; at += 1) await page.keyboard.press(at % 3 ? "r" : "g");
    await page.getByText("The verdict").waitFor();
  },
  question: async (page) => {
    await page.getByRole("button", { name: "Begin" }).click();
    await page.locator(".exam canvas").waitFor();
    await page.keyboard.press("r");
  },
};

mkdirSync("shots", { recursive: true });
const server = await studio(binary, runs, assets);
const window = await browser();
try {
  const all = await (await fetch(`${server.address}/api/runs`, { headers: server.headers })).json();
  const sound = all.filter((run) => run.state !== "damaged" && run.sheet);
  const find = (text) => (sound.find((run) => run.id.includes(text)) ?? sound[0]).id;
  const pages = {
    runs: "runs",
    run: `run/${find(process.env.RUN ?? "narrow")}`,
    play: `play/${find(process.env.RUN ?? "cgan-mnist")}`,
    expert: `expert/${find(process.env.RUN ?? "mnist-tp")}`,
    question: `expert/${find(process.env.RUN ?? "mnist-tp")}`,
    verdict: `expert/${find(process.env.RUN ?? "cgan-mnist")}`,
    compare: `compare?runs=${[find("tp"), find("quick"), find("cgan-mnist")].join(",")}`,
    learn: "learn",
    new: "new",
  };
  for (const [way, look] of WAYS) {
    const context = await window.newContext(look);
    await server.enter(context);
    for (const [name, hash] of Object.entries(pages)) {
      if (only.length && !only.includes(name) && !only.includes(way) && !only.includes(`${name}-${way}`)) continue;
      const page = await context.newPage();
      page.on("pageerror", (error) => console.log(`${name} ${way}: ${error.stack}`));
      page.on(
        "console",
        (message) =>
          ["error", "warning"].includes(message.type()) &&
          console.log(`${name} ${way}: ${message.text()} ${message.location().url ?? ""}`),
      );
      await page.goto(`${server.address}/#/${hash}`);
      await page.locator("h1").waitFor();
      await ACTS[name]?.(page).catch((error) => console.log(`${name} ${way}: ${error.message}`));
      await page.waitForTimeout(1500);
      await page.screenshot({ path: `shots/${name}-${way}.png`, fullPage: true });
      await page.close();
    }
    await context.close();
  }
} finally {
  await window.close();
  await server.stop();
}
