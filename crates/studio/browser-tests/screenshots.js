// Pictures of every page in light, dark and narrow, to be looked at: node screenshots.js BINARY RUNS [PAGE...] [--assets DIR]. They land
// in shots/.

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

mkdirSync("shots", { recursive: true });
const server = await studio(binary, runs, assets);
const window = await browser();
try {
  const all = await (await fetch(`${server.address}/api/runs`)).json();
  const sound = all.filter((run) => run.state !== "damaged" && run.sheet);
  const find = (text) => (sound.find((run) => run.id.includes(text)) ?? sound[0]).id;
  const pages = {
    runs: "runs",
    run: `run/${find(process.env.RUN ?? "narrow")}`,
    play: `play/${find(process.env.RUN ?? "cgan-mnist")}`,
    expert: `expert/${find(process.env.RUN ?? "mnist-tp")}`,
    compare: `compare?runs=${[find("tp"), find("quick"), find("cgan-mnist")].join(",")}`,
    learn: "learn",
    new: "new",
  };
  for (const [way, look] of WAYS) {
    const context = await window.newContext(look);
    for (const [name, hash] of Object.entries(pages)) {
      if (only.length && !only.includes(name) && !only.includes(way) && !only.includes(`${name}-${way}`)) continue;
      const page = await context.newPage();
      page.on("pageerror", (error) => console.log(`${name} ${way}: ${error.stack}`));
      page.on("console", (message) => ["error", "warning"].includes(message.type()) && console.log(`${name} ${way}: ${message.text()} ${message.location().url ?? ""}`));
      await page.goto(`${server.address}/#/${hash}`);
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
