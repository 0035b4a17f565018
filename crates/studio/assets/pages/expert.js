// Expert: the visitor plays the discriminator. Twenty images, real or generated? The server keeps the truth until all are
// answered; then the page shows the visitor's score beside the discriminator's on the same images, and earlier rounds by
// checkpoint.

import { h, replace, setText } from "../app/dom.js";
import { get, post, runPath, fromBase64 } from "../app/api.js";
import { percent, whole, plural } from "../app/format.js";
import { runHead } from "../parts/run-head.js";
import { canvas, draw, isPoint } from "../parts/image.js";
import { chart } from "../parts/chart.js";
import { rounds, addRound, deleteRounds, byStep } from "../parts/exam-record.js";
import { showError } from "../parts/toast.js";
import { empty, problem } from "../parts/status.js";

const IMAGES = 20;
const MAX_SIZE = 280;

export async function show({ root, id, signal, title }) {
  title(`Expert · ${id}`);
  const run = await get(runPath(id), signal);
  const head = runHead(run, "expert");
  const place = h("div", { class: "stack" });
  replace(root, head.element, place);
  if (isPoint(run.shape)) {
    replace(
      place,
      empty(
        "Points have no faces",
        "This run generates points in the plane, and nobody can see whether a single point is real. Try a run that generates images.",
      ),
    );
  } else if (!run.checkpoints?.length) {
    replace(place, empty("Nothing to judge yet", "Come back when the run has saved its first checkpoint."));
  } else new Exam(place, run, signal).intro();
}

class Exam {
  constructor(place, run, signal) {
    Object.assign(this, { place, run, signal });
    const names = run.checkpoints.map((one) => one.name);
    this.failure = h("div", {});
    this.checkpoint = names.includes("latest") ? "latest" : names[0];
    addEventListener("keydown", (event) => this.key(event), { signal });
  }

  intro() {
    replace(this.failure);
    this.round = null;
    const choice = h(
      "select",
      {
        id: "exam-checkpoint",
        onchange: () => {
          this.checkpoint = choice.value;
        },
      },
      this.run.checkpoints.map((one) =>
        h(
          "option",
          { value: one.name, selected: one.name === this.checkpoint },
          `${one.name} (step ${whole(one.step)})`,
        ),
      ),
    );
    replace(
      this.place,
      h(
        "section",
        { class: "panel stack exam-intro", "aria-labelledby": "exam-title" },
        h("h2", { id: "exam-title" }, "Real or counterfeit?"),
        h(
          "p",
          {},
          `You take the discriminator's place: ${IMAGES} images, one at a time, some from the data and some from the generator. At the end you see how the discriminator judged the same images.`,
        ),
        h(
          "p",
          { class: "muted" },
          "Press ",
          h("kbd", {}, "R"),
          " or ",
          h("kbd", {}, "←"),
          " for real, ",
          h("kbd", {}, "G"),
          " or ",
          h("kbd", {}, "→"),
          " for generated.",
        ),
        h(
          "div",
          { class: "row" },
          h("div", { class: "field" }, h("label", { for: "exam-checkpoint" }, "Counterfeits from checkpoint"), choice),
        ),
        this.run.checkpoints.length < 3
          ? h(
              "p",
              { class: "muted small" },
              "A run with ",
              h("code", {}, "--set train.keep_every=1"),
              " keeps one checkpoint per epoch, so you can see how the counterfeits improve.",
            )
          : null,
        h(
          "div",
          { class: "actions" },
          h("button", { class: "button primary", type: "button", onclick: () => this.begin() }, "Begin"),
        ),
        this.failure,
      ),
      this.record(),
    );
  }

  async begin() {
    try {
      const seed = Math.floor(Math.random() * 1e9);
      const { round, shape, pixels, split } = await post(
        runPath(this.run.id, "/expert"),
        { checkpoint: this.checkpoint, seed, n: IMAGES },
        this.signal,
      );
      const data = fromBase64(pixels);
      const one = shape.slice(-3);
      this.batch = { shape: [data.length / (one[0] * one[1] * one[2]), ...one], data };
      this.round = round;
      this.split = split;
      this.answers = [];
      this.question();
    } catch (error) {
      if (!this.signal.aborted)
        replace(
          this.failure,
          problem(error, () => this.begin()),
        );
    }
  }

  question() {
    this.image = canvas(this.batch.shape.slice(1), MAX_SIZE, "Real or generated?");
    this.count = h("p", { class: "number", role: "status" });
    this.dots = h(
      "ol",
      { class: "dots", "aria-hidden": "true" },
      Array.from({ length: this.batch.shape[0] }, () => h("li", {})),
    );
    const answer = (name, real, key) =>
      h(
        "button",
        { class: "button answer", type: "button", onclick: () => this.answer(real) },
        `${name} `,
        h("kbd", {}, key),
      );
    replace(
      this.place,
      h(
        "section",
        { class: "panel exam", "aria-labelledby": "exam-title" },
        h("h2", { id: "exam-title" }, "Real or counterfeit?"),
        this.image,
        this.count,
        h("div", { class: "actions" }, answer("Real", true, "R"), answer("Generated", false, "G")),
        this.dots,
        h("button", { class: "link-button small", type: "button", onclick: () => this.intro() }, "Give up this round"),
      ),
    );
    this.next();
  }

  next() {
    const at = this.answers.length;
    draw(this.image, this.batch, at);
    setText(this.count, `Image ${at + 1} of ${this.batch.shape[0]}`);
    [...this.dots.children].forEach((dot, index) => {
      dot.className = index < at ? "done" : index === at ? "now" : "";
    });
  }

  key(event) {
    if (!this.round || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const real = { r: true, R: true, ArrowLeft: true, g: false, G: false, ArrowRight: false }[event.key];
    if (real === undefined) return;
    event.preventDefault();
    this.answer(real);
  }

  async answer(real) {
    if (this.answers.length >= this.batch.shape[0]) return;
    this.answers.push(real);
    if (this.answers.length < this.batch.shape[0]) {
      this.next();
      return;
    }
    const round = this.round;
    this.round = null;
    try {
      this.result(await post(runPath(this.run.id, "/expert/answer"), { round, answers: this.answers }, this.signal));
    } catch (error) {
      showError(error);
      this.intro();
    }
  }

  result(said) {
    const of = this.answers.length;
    addRound(this.run.id, {
      step: said.step,
      checkpoint: this.checkpoint,
      right: said.right,
      of,
      discriminator: said.discriminator.right,
    });
    const heading = h("h2", { id: "exam-title", tabindex: -1 }, "The verdict");
    replace(
      this.place,
      h(
        "section",
        { class: "panel stack", "aria-labelledby": "exam-title" },
        heading,
        h("p", { class: "verdict" }, verdict(said.right, said.discriminator.right, of)),
        h(
          "div",
          { class: "versus" },
          bar("You", said.right, of),
          bar("Discriminator", said.discriminator.right, of),
          bar("Guessing", of / 2, of),
        ),
        h(
          "div",
          { class: "actions" },
          h("button", { class: "button primary", type: "button", onclick: () => this.begin() }, "Play again"),
          h("button", { class: "button", type: "button", onclick: () => this.intro() }, "Choose a checkpoint"),
        ),
      ),
      this.record(),
      this.exhibits(said),
    );
    heading.focus();
  }

  exhibits(said) {
    const word = (real) => (real ? "real" : "generated");
    return h(
      "section",
      { class: "panel", "aria-labelledby": "exhibits-title" },
      h("h2", { id: "exhibits-title" }, "The exhibits"),
      h(
        "p",
        { class: "muted small" },
        this.split === "test"
          ? "The real images are from the test set, which neither network was trained on."
          : "The real images are from the discriminator's training set.",
      ),
      h(
        "ol",
        { class: "exhibits" },
        said.truth.map((truth, at) => {
          const picture = canvas(this.batch.shape.slice(1), 96, `Image ${at + 1}: ${word(truth)}`);
          draw(picture, this.batch, at);
          const line = (who, judged) =>
            h(
              "span",
              { class: judged === truth ? "right" : "wrong" },
              `${judged === truth ? "✓" : "✗"} ${who}: ${word(judged)}`,
            );
          return h(
            "li",
            {},
            picture,
            h("b", {}, word(truth)),
            line("you", this.answers[at]),
            line("D", said.discriminator.answers[at]),
          );
        }),
      ),
    );
  }

  record() {
    const list = byStep(rounds(this.run.id));
    if (!list.length)
      return h("p", { class: "muted small" }, "Your scores by checkpoint will be saved here, in this browser only.");
    const place = chart({
      title: "Your accuracy by checkpoint",
      format: percent,
      tick: percent,
      fixed: [0, 1],
      series: [
        { key: "you", name: "you", colour: "counterfeiter", dash: "7 4", mark: 1 },
        { key: "d", name: "discriminator", colour: "expert", dash: "none", mark: 0 },
      ],
    });
    place.set({
      x: list.map((one) => one.step),
      y: { you: list.map((one) => one.share), d: list.map((one) => one.discriminator) },
    });
    const deleteButton = h(
      "button",
      {
        class: "link-button small",
        type: "button",
        onclick: () => {
          deleteRounds(this.run.id);
          section.remove();
        },
      },
      "Delete these scores",
    );
    const section = h(
      "section",
      { class: "panel stack", "aria-labelledby": "record-title" },
      h("h2", { id: "record-title" }, "Your record"),
      h("p", {}, sentence(list)),
      list.length > 1 ? place.element : null,
      h("p", {}, deleteButton),
    );
    return section;
  }
}

const bar = (name, right, of) =>
  h(
    "div",
    {},
    h("span", {}, name),
    h("progress", { max: of, value: right, "aria-label": `${name}: ${right} of ${of}` }),
    h("b", { class: "number" }, `${right} / ${of}`),
  );

function verdict(mine, theirs, of) {
  const text = `You got ${mine} of ${of} right; the discriminator got ${theirs}.`;
  if (mine <= of * 0.6) return `${text} The counterfeiter fools you: guessing does about as well.`;
  if (mine === theirs) return `${text} Neck and neck.`;
  return mine > theirs ? `${text} You are the better expert.` : `${text} It sees what you miss.`;
}

function sentence(list) {
  const part = (one) => `at step ${whole(one.step)} you got ${percent(one.share)} right (${plural(one.of, "image")})`;
  const text = list.length > 4 ? [list[0], list.at(-1)].map(part).join(", and ") : list.map(part).join(", ");
  return `${text[0].toUpperCase()}${text.slice(1)}. Guessing gets 50%.`;
}
