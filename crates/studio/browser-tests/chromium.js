// Starts a headless Chromium and a studio on a free port, and stops them.

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

/// Starts `faussaire studio` on `runs`: { address, stop() }. `more` are further arguments.
export async function studio(binary, runs, more = []) {
  const process = spawn(binary, ["studio", runs, "--port", "0", ...more], { stdio: ["ignore", "pipe", "pipe"] });
  const address = await new Promise((found, failed) => {
    let said = "";
    const hear = (chunk) => {
      said += chunk;
      const address = /https?:\/\/[^\s/]+:\d+/.exec(said);
      if (address) found(address[0]);
    };
    process.stdout.on("data", hear);
    process.stderr.on("data", hear);
    process.on("exit", (code) => failed(new Error(`the studio ended with ${code}: ${said}`)));
    setTimeout(() => failed(new Error(`the studio gave no address in 20 s: ${said}`)), 20_000).unref();
  });
  return {
    address,
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
