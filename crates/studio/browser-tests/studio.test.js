// End-to-end tests of the studio: one browser, one studio, one tiny run that the tests start, watch, play with, compare and
// export. The scenarios are in scenarios/ and run in the order of this list. FAUSSAIRE is the binary, ONLY selects scenarios.

import { test, before, after } from "node:test";
import { browser, studio, scratch } from "./chromium.js";
import budget from "./scenarios/budget.js";
import start from "./scenarios/start.js";
import watch from "./scenarios/watch.js";
import stop from "./scenarios/stop.js";
import play from "./scenarios/play.js";
import compare from "./scenarios/compare.js";
import expert from "./scenarios/expert.js";
import learn from "./scenarios/learn.js";
import away from "./scenarios/away.js";
import trouble from "./scenarios/trouble.js";
import access from "./scenarios/access.js";
import doors from "./scenarios/doors.js";

const ONLY = process.env.ONLY?.split(",");
const [folder, remove] = scratch();
const world = { folder, runs: `${folder}/runs`, failures: [] };

before(async () => {
  world.server = await studio(
    process.env.FAUSSAIRE,
    world.runs,
    process.env.ASSETS ? ["--assets", process.env.ASSETS] : [],
  );
  world.browser = await browser();
  world.context = await world.browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true });
  const entered = new WeakSet();
  /// A page whose errors fail the scenario: exceptions, refused scripts and styles, failed requests.
  world.open = async (hash, context = world.context) => {
    if (!entered.has(context)) await world.server.enter(context);
    entered.add(context);
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on("pageerror", (error) => world.failures.push(`${hash}: ${error.stack}`));
    page.on("console", (message) => {
      if (message.type() === "error" && !world.expected?.test(message.text()))
        world.failures.push(`${hash}: ${message.text()}`);
    });
    await page.goto(`${world.server.address}/#/${hash}`);
    return page;
  };
});

after(async () => {
  await world.browser?.close();
  await endTrainings();
  await world.server?.stop();
  remove();
});

/// What the newest page looked like when a scenario failed: shots/failed-NAME.png.
async function picture(world, name) {
  const page = world.context.pages().at(-1);
  await page?.screenshot({ path: `shots/failed-${name}.png` }).catch(() => {});
}

/// A failed scenario may leave a training behind; it would go on without the studio.
async function endTrainings() {
  const api = `${world.server.address}/api/runs`;
  const { headers } = world.server;
  const running = async () => (await (await fetch(api, { headers })).json()).filter((run) => run.state === "running");
  for (const run of await running()) {
    await fetch(`${api}/${run.id}/stop`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json", origin: world.server.address },
      body: "{}",
    });
  }
  for (let tries = 0; tries < 50 && (await running()).length; tries += 1)
    await new Promise((done) => setTimeout(done, 200));
}

for (const [name, scenario] of Object.entries({
  doors,
  budget,
  start,
  watch,
  stop,
  play,
  compare,
  expert,
  learn,
  away,
  access,
  trouble,
})) {
  for (const run of scenario) {
    if (ONLY && !ONLY.includes(name) && name !== "start") continue;
    test(`${name}: ${run.name.replaceAll("_", " ")}`, { timeout: 150_000 }, async () => {
      world.failures.length = 0;
      world.expected = null;
      try {
        await run(world);
      } catch (error) {
        await picture(world, run.name);
        throw error;
      }
      if (world.failures.length) throw new Error(`the page complained:\n${world.failures.join("\n")}`);
    });
  }
}
