// New: choose data and a recipe, change keys, and see time and memory before the training starts.

import { h, replace, setText, debounce } from "../app/dom.js";
import { get, post, runPath } from "../app/api.js";
import { to } from "../app/router.js";
import { whole, duration, bytes } from "../app/format.js";
import { keyFields } from "../parts/key-fields.js";
import { problem, command, prose } from "../parts/status.js";
import { showError } from "../parts/toast.js";

const LENGTHS = [
  ["", "as in the recipe"],
  ["epochs", "epochs"],
  ["steps", "steps"],
  ["time", "time"],
];
const DEFAULT_AMOUNT = { epochs: "4", steps: "1000", time: "10m" };

export async function show({ root, signal, title, query }) {
  title("New run");
  const [presets, datasets, keys] = await Promise.all([
    get("/presets", signal),
    get("/datasets", signal),
    get("/keys", signal),
  ]);
  const page = new NewPage(root, { presets, datasets, keys }, signal);
  await page.choose(query.get("preset") ?? presets.find((preset) => preset.data).name);
}

/// Whether a name is a pattern for many data sets: "quickdraw:CATEGORY".
const isPattern = (name) => /^quickdraw:/i.test(name);

class NewPage {
  constructor(root, known, signal) {
    Object.assign(this, known, { root, signal });
    this.checkSoon = debounce(() => this.check(), 350);
    this.fields = keyFields(this.keys, () => this.checkSoon());
    this.build(root);
  }

  build(root) {
    this.summary = h("div", { class: "stack" });
    this.startButton = h("button", { class: "button primary", type: "submit", disabled: true }, "Start training");
    const part = (number, key, name, text, ...content) =>
      h(
        "section",
        { class: "panel", "aria-labelledby": `new-${key}-title` },
        h("h2", { id: `new-${key}-title` }, `${number}. ${name}`),
        text ? h("p", { class: "muted small" }, text) : null,
        content,
      );
    const form = h(
      "form",
      { class: "new-grid", novalidate: true },
      h(
        "div",
        { class: "stack" },
        part(
          1,
          "recipe",
          "Recipe",
          "A preset is a complete, tested recipe; auto makes one for the data set chosen. You can change everything in it below.",
          this.presetCards(),
        ),
        part(2, "data", "Data", null, this.dataField()),
        part(3, "length", "Length", null, this.lengthField()),
        part(
          4,
          "keys",
          "Changes",
          "Leave empty to keep the preset's value.",
          this.fields.element,
          h(
            "p",
            { class: "gap-above" },
            h(
              "button",
              { class: "button small", type: "button", onclick: () => this.fields.reset() },
              "Undo all changes",
            ),
          ),
        ),
      ),
      h(
        "aside",
        { class: "panel stack new-side", "aria-labelledby": "new-summary" },
        h("h2", { id: "new-summary" }, "Summary"),
        this.summary,
        this.startButton,
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.start();
    });
    replace(
      root,
      h(
        "div",
        { class: "page-head" },
        h(
          "div",
          {},
          h("h1", {}, "New run"),
          h("p", { class: "lead" }, "The same recipes, keys and trainer as on the command line."),
        ),
      ),
      form,
    );
  }

  presetCards() {
    return h(
      "div",
      { class: "presets", role: "radiogroup", "aria-labelledby": "new-recipe-title" },
      this.presets.map((preset) => {
        const input = h("input", {
          type: "radio",
          name: "preset",
          value: preset.name,
          "aria-label": `${preset.name}: ${preset.about}`,
          onchange: () => this.choose(preset.name),
        });
        return h("div", { class: "preset" }, input, h("div", {}, h("b", {}, preset.name), h("p", {}, preset.about)));
      }),
    );
  }

  dataField() {
    const name = (set) => `${set.name}: ${set.about}${set.here ? "" : " (not on this machine)"}`;
    this.data = h(
      "select",
      {
        id: "new-data",
        onchange: () => {
          this.showDataNote();
          this.checkSoon();
        },
      },
      this.datasets.map((set) => h("option", { value: set.name }, name(set))),
    );
    this.category = h("input", {
      type: "text",
      id: "new-category",
      value: "sheep",
      autocomplete: "off",
      oninput: () => this.checkSoon(),
    });
    this.categoryField = h(
      "div",
      { class: "field gap-above", hidden: true },
      h("label", { for: "new-category" }, "Category"),
      this.category,
      h("p", { class: "help" }, "One of the 345 categories of Quick, Draw!: sheep, cat, bicycle, face, …"),
    );
    this.own = h(
      "details",
      { class: "gap-above" },
      h("summary", {}, "Your own images"),
      h(
        "p",
        { class: "small muted" },
        "Train on a folder, zip, tar, npy, npz, IDX or parquet file from the command line; the run then appears here automatically.",
      ),
      command("faussaire train photos/ --preset auto"),
    );
    this.dataNote = h("div", { class: "gap-above", hidden: true });
    return h(
      "div",
      {},
      h("div", { class: "field" }, h("label", { for: "new-data" }, "Data set"), this.data),
      this.categoryField,
      this.dataNote,
      this.own,
    );
  }

  lengthField() {
    this.kind = h(
      "select",
      { id: "new-kind" },
      LENGTHS.map(([value, name]) => h("option", { value }, name)),
    );
    this.amount = h("input", { type: "text", id: "new-amount", autocomplete: "off", oninput: () => this.checkSoon() });
    const amount = h("div", { class: "field", hidden: true }, h("label", { for: "new-amount" }, "Amount"), this.amount);
    this.kind.addEventListener("change", () => {
      amount.hidden = !this.kind.value;
      this.amount.value = DEFAULT_AMOUNT[this.kind.value] ?? "";
      this.checkSoon();
    });
    return h(
      "div",
      { class: "sliders" },
      h("div", { class: "field" }, h("label", { for: "new-kind" }, "Train for"), this.kind),
      amount,
    );
  }

  async choose(name) {
    this.preset = this.presets.find((preset) => preset.name === name) ?? this.presets[0];
    for (const input of this.root.querySelectorAll('input[name="preset"]'))
      input.checked = input.value === this.preset.name;
    const category = /^quickdraw:(.+)$/.exec(this.preset.data ?? "")?.[1];
    const pattern = this.datasets.find((set) => isPattern(set.name));
    if (this.datasets.some((set) => set.name === this.preset.data)) this.data.value = this.preset.data;
    else if (category && pattern) {
      this.data.value = pattern.name;
      this.category.value = category;
    }
    this.showDataNote();
    this.fields.presetValues(this.preset.values);
    await this.check();
  }

  showDataNote() {
    const set = this.datasets.find((one) => one.name === this.data.value);
    this.categoryField.hidden = !isPattern(this.data.value);
    this.dataNote.hidden = !set || set.here || isPattern(set.name);
    if (!this.dataNote.hidden)
      replace(
        this.dataNote,
        h("p", { class: "small" }, "These images aren't on this machine yet. This command downloads them:"),
        command(`faussaire data fetch ${set.name}`),
      );
  }

  /// The recipe, in the form that the server expects.
  recipe() {
    const data = isPattern(this.data.value) ? `quickdraw:${this.category.value.trim()}` : this.data.value;
    return {
      preset: this.preset.name,
      data: data && data !== this.preset.data ? data : undefined,
      set: this.fields.changes(),
    };
  }

  length() {
    const kind = this.kind.value;
    if (!kind || !this.amount.value.trim()) return {};
    return { [kind]: kind === "time" ? this.amount.value.trim() : Number(this.amount.value) };
  }

  async check() {
    this.checking?.abort();
    const controller = new AbortController();
    this.checking = controller;
    this.summary.setAttribute("aria-busy", "true");
    this.signal.addEventListener("abort", () => controller.abort(), { once: true });
    try {
      const found = await post("/recipe", { ...this.recipe(), ...this.length() }, controller.signal);
      if (found.values) this.fields.presetValues(found.values);
      replace(this.summary, this.estimate(found));
      this.summary.setAttribute("aria-busy", "false");
      this.startButton.disabled = false;
    } catch (error) {
      if (error.name === "AbortError") return;
      replace(this.summary, problem(error));
      this.summary.setAttribute("aria-busy", "false");
      this.startButton.disabled = true;
    }
  }

  estimate(found) {
    const { estimate, parameters } = found;
    const steps = this.steps(found);
    const seconds = estimate.seconds;
    const fact = (name, value, note) =>
      h("div", {}, h("dt", {}, name), h("dd", { class: "number" }, value, note ? h("small", {}, note) : null));
    const remark = (one) =>
      h(
        "li",
        { class: "finding-item" },
        h("p", {}, prose(`${one.what[0].toUpperCase()}${one.what.slice(1)}.`)),
        h("p", {}, "Try: ", prose(one.advice)),
        one.set.length ? h("p", { class: "small muted" }, one.set.join(" ")) : null,
      );
    const reason = (line) => h("li", {}, prose(`${line[0].toUpperCase()}${line.slice(1)}`));
    const net = (name, text) =>
      h(
        "details",
        {},
        h("summary", {}, name),
        h("pre", { class: "code", tabindex: 0, role: "region", "aria-label": name }, text),
      );
    return [
      h(
        "dl",
        { class: "facts" },
        fact(
          "Time",
          this.kind.value === "time" ? this.amount.value : seconds === null ? "unknown" : `about ${duration(seconds)}`,
          estimate.images_per_s ? `at ${whole(estimate.images_per_s)} images/s` : null,
        ),
        fact("Memory", `about ${bytes(estimate.memory_bytes)}`),
        fact(
          "Steps",
          steps ? whole(steps) : "as many as fit the time",
          found.steps_per_epoch ? `${whole(found.steps_per_epoch)} per epoch` : null,
        ),
        fact("Weights", whole(parameters[0] + parameters[1]), `G ${whole(parameters[0])}, D ${whole(parameters[1])}`),
      ),
      estimate.basis ? h("p", { class: "small muted" }, prose(estimate.basis)) : null,
      found.reasons.length
        ? h(
            "div",
            {},
            h("h3", {}, "Made for these images"),
            h("ul", { class: "reasons small" }, found.reasons.map(reason)),
          )
        : null,
      found.remarks.length
        ? h("div", {}, h("h3", {}, "Unusual settings"), h("ul", { class: "findings" }, found.remarks.map(remark)))
        : null,
      h(
        "div",
        {},
        net("Generator (the counterfeiter)", found.generator),
        net("Discriminator (the expert)", found.discriminator),
        net("Full recipe", found.config),
      ),
      found.command
        ? h(
            "div",
            {},
            h("p", { class: "small muted" }, "The same from a terminal:"),
            command(`faussaire ${found.command.replace(/^faussaire /, "")}`),
          )
        : null,
      h("p", { class: "small muted" }, "Training runs in its own process and continues after you close the studio."),
    ];
  }

  steps(found) {
    const { epochs, steps, time } = this.length();
    if (time) return null;
    if (steps) return steps;
    return epochs && found.steps_per_epoch ? Math.round(epochs * found.steps_per_epoch) : found.steps;
  }

  /// Waits until the new run's folder can be read, which takes a while on a slow machine.
  async waitForRun(id) {
    for (let tries = 0; tries < 60; tries += 1) {
      const run = await get(runPath(id), this.signal).catch((error) => {
        if (this.signal.aborted) throw error;
        return null;
      });
      if (run && run.state !== "damaged") return;
      await new Promise((done) => setTimeout(done, 300));
    }
  }

  async start() {
    this.startButton.disabled = true;
    setText(this.startButton, "Starting…");
    try {
      const { id } = await post("/runs", { ...this.recipe(), ...this.length() }, this.signal);
      await this.waitForRun(id);
      location.hash = to("run", id);
    } catch (error) {
      showError(error);
      this.startButton.disabled = false;
      setText(this.startButton, "Start training");
    }
  }
}
