// Starts a headless Chromium and a studio on a free port, and stops them.

import { randomBytes } from "node:crypto";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/// Starts Chromium with a fresh profile. `CHROMIUM` names another than Debian's.
export function browser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

/// Starts `faussaire studio` on `runs`: { address, link, token, headers, enter(context), stop() }. The link opens one browser,
/// once; `enter` lets a context in with the token, and `headers` are for requests without a browser. `more` are further arguments.
export async function studio(binary, runs, more = []) {
  const token = randomBytes(16).toString("hex");
  const env = { ...globalThis.process.env, FAUSSAIRE_TOKEN: token };
  const process = spawn(binary, ["studio", runs, "--port", "0", ...more], { stdio: ["ignore", "pipe", "pipe"], env });
  const link = await new Promise((found, failed) => {
    let said = "";
    const hear = (chunk) => {
      said += chunk;
      const link = /https?:\/\/\S+(?=\s)/.exec(said);
      if (link) found(link[0]);
    };
    process.stdout.on("data", hear);
    process.stderr.on("data", hear);
    process.on("exit", (code) => failed(new Error(`the studio ended with ${code}: ${said}`)));
    setTimeout(() => failed(new Error(`the studio gave no address in 20 s: ${said}`)), 20_000).unref();
  });
  const address = new URL(link).origin;
  return {
    address,
    link,
    token,
    headers: { authorization: `Bearer ${token}` },
    enter: async (context) => {
      const page = await context.newPage();
      await page.goto(`${address}/?token=${token}`);
      await page.close();
    },
    stop: () =>
      new Promise((done) => {
        if (process.exitCode !== null) {
          done();
          return;
        }
        process.on("exit", done);
        process.kill("SIGTERM");
        setTimeout(() => process.kill("SIGKILL"), 5_000).unref();
      }),
  };
}

/// A folder for what a script leaves behind: [path, remove()].
export function scratch() {
  const folder = mkdtempSync(join(tmpdir(), "faussaire-studio-"));
  return [folder, () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })];
}
