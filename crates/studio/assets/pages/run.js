// One run, during and after training: its sheets over time, its curves, the doctor's findings, its recipe, and the buttons
// that stop, resume and export it. Charts and sheets share one cursor.

import { h, replace, setText } from "../app/dom.js";
import { get, runPath } from "../app/api.js";
import { listen } from "../app/live.js";
import { to } from "../app/router.js";
import { whole, number, percent, duration } from "../app/format.js";
import { runHead } from "../parts/run-head.js";
import { SheetSlider } from "../parts/sheet.js";
import { runCharts } from "../parts/run-charts.js";
import { showFindings } from "../parts/findings.js";
import { openExport } from "../parts/export-dialog.js";
import { stopRun, resumeRun } from "../parts/stop-resume.js";
import { problem } from "../parts/status.js";

export async function show({ root, id, signal, title }) {
  title(id);
  const [run, history] = await Promise.all([get(runPath(id), signal), get(runPath(id, "/history"), signal)]);
  if (run.state === "damaged") {
    const look = setInterval(async () => {
      // a training that has just started is still writing its folder
      const now = await get(runPath(id), signal).catch(() => run);
      if (now.state !== "damaged" && !signal.aborted) dispatchEvent(new Event("hashchange"));
    }, 1500);
    signal.addEventListener("abort", () => clearInterval(look));
    replace(
      root,
      runHead(run, "run").element,
      problem({ message: run.error ?? "This run's folder can't be read.", hint: "The other runs are not affected." }),
    );
    return;
  }
  const page = new RunPage(root, run, history, signal);
  page.follow();
}

class RunPage {
  constructor(root, run, history, signal) {
    Object.assign(this, { run, history, signal });
    this.link = new EventTarget();
    this.charts = runCharts(this.link, this.run.loss);
    this.sheet = new SheetSlider(run.id, { signal, onstep: (step) => this.charts.pin(step) });
    this.link.addEventListener("choose", (event) => this.sheet.goTo(event.detail));
    this.build(root);
    this.sheet.set(run.sheets);
    this.refresh();
  }

  build(root) {
    this.stopButton = h(
      "button",
      { class: "button", type: "button", onclick: () => stopRun(this.run, this.stopButton) },
      "Stop",
    );
    this.resumeButton = h(
      "button",
      { class: "button", type: "button", onclick: () => resumeRun(this.run, () => this.reload()) },
      "Resume",
    );
    const away = h(
      "button",
      { class: "button primary", type: "button", onclick: () => openExport(this.run, this.signal) },
      "Export",
    );
    const report = h(
      "a",
      { class: "button", href: `/api${runPath(this.run.id, "/report")}`, target: "_blank", rel: "noopener" },
      "Report",
    );
    this.head = runHead(this.run, "run", this.stopButton, this.resumeButton, report, away);
    this.progress = h("progress", { max: 1, "aria-label": "Progress" });
    this.facts = Object.fromEntries(
      ["step", "left", "speed", "score"].map((key) => [key, h("dd", { class: "number" })]),
    );
    this.findings = h("div", {});
    this.offline = h("p", { class: "small muted", role: "status", hidden: true }, "Connection lost. Trying again…");
    this.noSheets = h("p", { class: "muted" });
    replace(
      root,
      this.head.element,
      this.offline,
      h(
        "div",
        { class: "stack" },
        this.progress,
        h(
          "dl",
          { class: "facts" },
          this.fact("Progress", "step"),
          this.fact("Time left", "left"),
          this.fact("Speed", "speed"),
          this.fact("Score", "score"),
        ),
        h(
          "section",
          { class: "panel", "aria-labelledby": "sheet-title" },
          h("h2", { id: "sheet-title" }, "From noise to images"),
          this.sheet.element,
          this.noSheets,
        ),
        h(
          "section",
          { class: "panel", "aria-labelledby": "doctor-title" },
          h("h2", { id: "doctor-title" }, "The doctor"),
          this.findings,
        ),
        this.charts.element,
        this.recipe(),
      ),
    );
  }

  fact(name, key) {
    return h("div", {}, h("dt", {}, name), this.facts[key]);
  }

  recipe() {
    const part = (name, text, open) =>
      h(
        "details",
        { open },
        h("summary", {}, name),
        h("pre", { class: "code", tabindex: 0, role: "region", "aria-label": name }, text),
      );
    return h(
      "section",
      { class: "panel", "aria-labelledby": "recipe-title" },
      h("h2", { id: "recipe-title" }, "Recipe"),
      h(
        "p",
        { class: "muted small" },
        "Full configuration: ",
        h("code", {}, "faussaire train --config config.toml"),
        " repeats this run, and ",
        h("a", { href: to("compare", null, { runs: this.run.id }) }, "Compare"),
        " shows it beside other runs.",
      ),
      part("config.toml", this.run.config, false),
      part("Generator (the counterfeiter)", this.run.generator, false),
      part("Discriminator (the expert)", this.run.discriminator, false),
    );
  }

  refresh() {
    const { run, history } = this;
    this.head.state(run.state);
    this.stopButton.hidden = !run.can_stop;
    this.stopButton.disabled = false;
    this.resumeButton.hidden = !run.can_resume;
    this.noSheets.hidden = run.sheets.length > 0;
    setText(
      this.noSheets,
      run.state === "running"
        ? "The first sheet appears early in training."
        : "The run ended before its first sheet was written.",
    );
    this.charts.set(history);
    showFindings(this.findings, history.findings, history.heals ?? [], (step) => this.sheet.goTo(step));
    this.refreshFacts();
  }

  refreshFacts() {
    const { run, history } = this;
    const step = Math.max(history.step.at(-1) ?? 0, run.step ?? 0);
    const share = run.steps ? Math.min(1, step / run.steps) : null;
    const speed = history.images_per_s.findLast((value) => Number.isFinite(value)) ?? run.images_per_s;
    this.progress.hidden = share === null;
    if (share !== null) this.progress.value = share;
    setText(
      this.facts.step,
      run.steps ? `${whole(step)} of ${whole(run.steps)} (${percent(share)})` : `step ${whole(step)}`,
    );
    const perStep = run.images && run.step ? run.images / run.step : null;
    const left =
      run.state === "running" && run.steps && speed && perStep ? ((run.steps - step) * perStep) / speed : null;
    setText(this.facts.left, run.state === "running" ? (left === null ? "–" : duration(left)) : "not running");
    setText(this.facts.speed, speed ? `${whole(speed)} images/s` : "–");
    const score = history.scores.at(-1);
    const kind = run.score?.name ?? score?.name;
    const value = history.scores.findLast((one) => one.name === kind)?.value ?? run.score?.value;
    replace(
      this.facts.score,
      Number.isFinite(value) ? number(value) : "–",
      kind
        ? h(
            "small",
            {},
            `${kind}; lower is better${run.best ? `; best: ${number(run.best.value)} at step ${whole(run.best.step)}` : ""}`,
          )
        : null,
    );
  }

  /// Listens to new lines of the log; `reset` means that the log was cut (by a resume). The charts limit how often they redraw.
  follow() {
    this.again = listen({
      path: (last) => runPath(this.run.id, `/events?after=${last ?? this.history.line ?? 0}`),
      signal: this.signal,
      on: {
        step: (line) => this.step(line),
        sheet: (line) => this.newSheet(line),
        score: (line) => {
          if (add(this.history.scores, line)) {
            this.charts.set(this.history);
            this.refreshFacts();
          }
        },
        finding: (line) => {
          if (add(this.history.findings, line)) this.refresh();
        },
        reset: async () => {
          await this.reload();
          this.again();
        },
        start: () => this.reload(),
        heal: () => this.reload(),
        checkpoint: (line) => {
          if (line.name === "best") this.reloadRun();
        },
        diverged: () => this.reload(),
        end: () => setTimeout(() => this.reload(), 600), // the process needs a moment to release the folder
      },
      state: (up) => {
        this.offline.hidden = up;
      },
    });
  }

  step(line) {
    const { history } = this;
    if (line.step <= (history.step.at(-1) ?? 0)) return;
    const gone = this.before ? line.train_s - this.before.train_s : 0;
    history.images_per_s.push(gone > 0 ? (line.images - this.before.images) / gone : null);
    this.before = line;
    for (const key of [
      "step",
      "epoch",
      "train_s",
      "d_loss",
      "g_loss",
      "d_norm",
      "g_norm",
      "d_real",
      "d_fake",
      "real_score",
      "fake_score",
      "penalty",
    ])
      history[key]?.push(line[key] ?? null);
    Object.assign(this.run, { step: line.step, images: line.images });
    this.charts.set(history);
    this.refreshFacts();
  }

  newSheet(line) {
    const file = String(line.file).split("/").pop();
    if (this.run.sheets.some((sheet) => sheet.file === file)) return;
    // A new list, because the slider compares it with its present one to see whether it was at the end.
    this.run.sheets = [...this.run.sheets, { step: line.step, file }];
    this.noSheets.hidden = true;
    this.sheet.set(this.run.sheets);
  }

  async reloadRun() {
    this.run = await get(runPath(this.run.id), this.signal).catch(() => this.run);
    if (!this.signal.aborted) this.refresh();
  }

  async reload() {
    try {
      const [run, history] = await Promise.all([
        get(runPath(this.run.id), this.signal),
        get(runPath(this.run.id, "/history"), this.signal),
      ]);
      Object.assign(this, { run, history });
      this.sheet.set(run.sheets);
      this.refresh();
    } catch (error) {
      if (error.name !== "AbortError") console.error(error);
    }
  }
}

/// Adds a line of the log unless the list has it: after a lost connection some lines arrive twice.
function add(list, line) {
  if (list.some((one) => one.step === line.step && one.name === line.name)) return false;
  list.push(line);
  return true;
}
