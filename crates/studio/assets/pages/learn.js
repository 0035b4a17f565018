// Learn: a GAN small enough to see whole, trained one half-step at a time. It uses the same trainer as the command line, on
// points in the plane.

import { h, s, replace, setText } from "../app/dom.js";
import { post } from "../app/api.js";
import { number, percent, whole } from "../app/format.js";
import { plane, LAYERS } from "../parts/plane.js";
import { recentred } from "../parts/recentre.js";
import { chart } from "../parts/chart.js";
import { showError } from "../parts/toast.js";
import { problem } from "../parts/status.js";

const DATA = [
  ["ring", "Ring: 8 clusters"],
  ["grid", "Grid: 25 clusters"],
];
/// Losses that only compare scores, which therefore have no zero: see parts/recentre.js.
const RELATIVE = ["preset", "wgan-gp"];
const LOSSES = [
  ["preset", "R3GAN: compares pairs", {}],
  ["gan", "GAN: cross-entropy", { "train.loss": "nonsaturating", "train.penalties": "{}" }],
  ["lsgan", "LSGAN: least squares", { "train.loss": "least-squares", "train.penalties": "{}" }],
  ["wgan-gp", "WGAN-GP: scores of a critic", { "train.loss": "wasserstein", "train.penalties": "{ wgan-gp = 10.0 }" }],
];
const SPEEDS = ["1", "5", "25"];
const EXPERT_TEXT =
  "The expert (discriminator) looks at a handful of real points and as many counterfeits, and shifts its opinion: up where the real ones are, down where the counterfeits are. The counterfeiter waits.";
const COUNTERFEITER_TEXT =
  "The counterfeiter (generator) never sees a real point. It asks the expert which way each of its points would look more real, and bends its grid of latents that way. The expert waits.";

export async function show({ root, signal, title }) {
  title("Learn");
  const page = new LearnPage(root, signal);
  await page.restart();
}

class LearnPage {
  constructor(root, signal) {
    this.signal = signal;
    this.plane = plane();
    this.running = false;
    signal.addEventListener("abort", () => {
      this.running = false;
    });
    this.lossChart = chart({
      title: "Losses",
      smooth: true,
      series: [
        { key: "d", name: "expert", colour: "expert", dash: "none", mark: 0 },
        { key: "g", name: "counterfeiter", colour: "counterfeiter", dash: "7 4", mark: 1 },
      ],
    });
    this.build(root);
  }

  build(root) {
    this.failure = h("div", {});
    this.facts = Object.fromEntries(
      ["step", "found", "real", "fake"].map((key) => [key, h("dd", { class: "number" }, "–")]),
    );
    const fact = (name, key) => h("div", {}, h("dt", {}, name), this.facts[key]);
    replace(
      root,
      h(
        "div",
        { class: "page-head" },
        h(
          "div",
          {},
          h("h1", {}, "Learn: two players, one plane"),
          h(
            "p",
            { class: "lead" },
            "A whole GAN, small enough to see. The blue rings are real. The orange crosses are counterfeits, drawn from noise. Update one player at a time and see how the other responds.",
          ),
        ),
      ),
      this.failure,
      h(
        "div",
        { class: "learn-grid" },
        h(
          "section",
          { class: "learn-scene", "aria-label": "The plane" },
          this.plane.element,
          this.layers(),
          h(
            "p",
            { class: "small muted gap-above" },
            "Solid line: the expert can't decide. Inside the long dashes it is fairly sure a point is real, outside the dots that it is a counterfeit.",
          ),
        ),
        h(
          "div",
          { class: "stack learn-steps" },
          h(
            "section",
            { class: "stack", "aria-labelledby": "learn-steps" },
            h("h2", { id: "learn-steps" }, "One step in two halves"),
            this.half("discriminator"),
            this.half("generator"),
            this.runRow(),
          ),
          h(
            "dl",
            { class: "facts" },
            fact("Steps", "step"),
            fact("Clusters found", "found"),
            fact("Real points recognised", "real"),
            fact("Counterfeits recognised", "fake"),
          ),
          this.lossChart.element,
        ),
        this.settings(),
      ),
    );
  }

  layers() {
    return h(
      "div",
      { class: "layers", role: "group", "aria-label": "Layers" },
      LAYERS.map(([name, label, draw, colour]) =>
        h(
          "label",
          { class: "check" },
          h("input", {
            type: "checkbox",
            checked: true,
            onchange: (event) => this.plane.layer(name, event.target.checked),
          }),
          s("svg", { viewBox: "0 0 12 12", class: `c-${colour}`, "aria-hidden": "true" }, draw()),
          label,
        ),
      ),
    );
  }

  half(which) {
    const expert = which === "discriminator";
    const button = h(
      "button",
      {
        class: "button",
        type: "button",
        onclick: () => {
          this.pause();
          this.step(which, 1);
        },
      },
      expert ? "Step 1: update the expert" : "Step 2: update the counterfeiter",
    );
    const card = h(
      "div",
      { class: `half ${expert ? "expert" : "counterfeiter"}` },
      button,
      h("p", { class: "small" }, expert ? EXPERT_TEXT : COUNTERFEITER_TEXT),
    );
    this.halves ??= {};
    this.halves[which] = { card, button };
    return card;
  }

  runRow() {
    this.runButton = h(
      "button",
      {
        class: "button primary",
        type: "button",
        "aria-pressed": "false",
        onclick: () => (this.running ? this.pause() : this.run()),
      },
      "Run",
    );
    this.speed = h(
      "select",
      { id: "learn-speed" },
      SPEEDS.map((steps) => h("option", { value: steps, selected: steps === "5" }, steps)),
    );
    return h(
      "div",
      { class: "actions" },
      this.runButton,
      h("label", { for: "learn-speed", class: "small" }, "steps per frame"),
      h("span", {}, this.speed),
    );
  }

  settings() {
    this.data = h(
      "select",
      { id: "learn-data", onchange: () => this.restart() },
      DATA.map(([value, name]) => h("option", { value }, name)),
    );
    this.loss = h(
      "select",
      { id: "learn-loss", onchange: () => this.restart() },
      LOSSES.map(([value, name]) => h("option", { value }, name)),
    );
    this.seed = h("input", { type: "number", id: "learn-seed", min: 0, value: 0, onchange: () => this.restart() });
    const field = (name, id, input) => h("div", { class: "field" }, h("label", { for: id }, name), input);
    return h(
      "section",
      { class: "panel learn-lesson", "aria-labelledby": "learn-settings" },
      h("h2", { id: "learn-settings" }, "Settings"),
      (this.note = h(
        "p",
        { class: "small muted" },
        "This loss only compares scores. The map shows them relative to the midpoint between the mean scores of real and of generated points.",
      )),
      h(
        "div",
        { class: "sliders" },
        field("Data", "learn-data", this.data),
        field("Loss", "learn-loss", this.loss),
        field("Seed", "learn-seed", this.seed),
      ),
      h(
        "p",
        { class: "gap-above" },
        h("button", { class: "button small", type: "button", onclick: () => this.restart() }, "Restart"),
      ),
    );
  }

  async restart() {
    this.pause();
    this.past = { x: [], d: [], g: [] };
    this.state = null;
    try {
      const set = LOSSES.find(([name]) => name === this.loss.value)[2];
      const { lesson, state } = await post(
        "/learn",
        { data: this.data.value, preset: this.data.value, set, seed: Number(this.seed.value) || 0 },
        this.signal,
      );
      this.lesson = lesson;
      this.note.hidden = !RELATIVE.includes(this.loss.value);
      replace(this.failure);
      this.show(state);
    } catch (error) {
      if (!this.signal.aborted)
        replace(
          this.failure,
          problem(error, () => this.restart()),
        );
    }
  }

  async step(half, count) {
    if (!this.lesson || this.busy) return;
    this.busy = true;
    try {
      this.show(await post(`/learn/${encodeURIComponent(this.lesson)}/step`, { half, count }, this.signal), half);
    } catch (error) {
      this.pause();
      if (error.status === 404) {
        showError(Object.assign(error, { hint: "Lessons end after a few idle minutes. This one restarts." }));
        this.lesson = null;
        setTimeout(() => this.restart());
      } else showError(error);
    } finally {
      this.busy = false;
    }
  }

  async run() {
    this.running = true;
    setText(this.runButton, "Pause");
    this.runButton.setAttribute("aria-pressed", "true");
    while (this.running && !this.signal.aborted) {
      await this.step("both", Number(this.speed.value));
      await new Promise((done) => (document.hidden ? setTimeout(done, 500) : requestAnimationFrame(done)));
    }
  }

  pause() {
    this.running = false;
    setText(this.runButton, "Run");
    this.runButton.setAttribute("aria-pressed", "false");
  }

  show(answer, half) {
    const state = RELATIVE.includes(this.loss.value) ? recentred(answer) : answer;
    const before = half === "generator" ? this.state : null;
    this.state = state;
    this.plane.draw(state, before);
    const next = state.half_done === "discriminator" ? "generator" : "discriminator";
    this.offer(next);
    const { coverage } = state;
    setText(this.facts.step, whole(state.step));
    setText(this.facts.found, coverage ? `${coverage.clusters} of ${coverage.of}` : "–");
    setText(this.facts.real, Number.isFinite(state.d_real) ? percent(state.d_real) : "–");
    setText(this.facts.fake, Number.isFinite(state.d_fake) ? percent(state.d_fake) : "–");
    this.plane.describe(
      `Step ${whole(state.step)}: ${coverage ? `${coverage.clusters} of ${coverage.of} clusters found; ` : ""}the expert recognises ${percent(state.d_real)} of real and ${percent(state.d_fake)} of generated points; its loss is ${number(state.d_loss)}, the counterfeiter's ${number(state.g_loss)}`,
    );
    this.remember(state);
  }

  /// Enables only the half whose turn it is. The focus moves along, so that one key plays both halves.
  offer(next) {
    const other = next === "generator" ? "discriminator" : "generator";
    const move = document.activeElement === this.halves[other].button;
    for (const [which, { card, button }] of Object.entries(this.halves)) {
      card.classList.toggle("next", which === next);
      button.disabled = which !== next;
    }
    if (move) this.halves[next].button.focus();
  }

  remember(state) {
    const { past } = this;
    if (!Number.isFinite(state.d_loss) && !Number.isFinite(state.g_loss)) return;
    if (past.x.at(-1) === state.step) {
      past.x.pop();
      past.d.pop();
      past.g.pop();
    }
    past.x.push(state.step);
    past.d.push(state.d_loss);
    past.g.push(state.g_loss);
    this.lossChart.set({ x: past.x, y: { d: past.d, g: past.g } });
  }
}
