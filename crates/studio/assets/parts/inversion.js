// Inversion: the visitor draws, and the studio searches for the latent whose image is nearest to the drawing. The best image so
// far is shown beside the drawing and improves during the search.

import { h, setText, debounce } from "../app/dom.js";
import { lines, runPath, toBase64, fromBase64 } from "../app/api.js";
import { number, whole } from "../app/format.js";
import { canvas, draw } from "./image.js";
import { DrawPad } from "./draw-pad.js";
import { showError } from "./toast.js";

const MAX_SIZE = 200;
const PAUSE_MS = 250;
const PROMPT = "Draw something. The search starts when you lift the pen.";

export class Inversion {
  /// `request()` gives the class and so on for the server; `use(z)` takes the latent over.
  constructor(run, signal, { request, use }) {
    Object.assign(this, { run, signal, request, use });
    this.pad = new DrawPad(
      run.shape,
      MAX_SIZE,
      debounce(() => this.seek(), PAUSE_MS),
    );
    this.build();
    signal.addEventListener("abort", () => this.search?.abort());
  }

  build() {
    const { pad } = this;
    this.answer = canvas(this.run.shape, MAX_SIZE, "The generated image nearest to your drawing");
    this.state = h("p", { class: "small", role: "status" }, PROMPT);
    this.useButton = h(
      "button",
      { class: "button", type: "button", disabled: true, onclick: () => this.use(this.found) },
      "Use this image",
    );
    this.light = h("input", {
      type: "checkbox",
      onchange: () => {
        pad.ground(this.light.checked);
        this.clear();
      },
    });
    const ink =
      this.run.shape[2] >= 3
        ? h("input", {
            type: "color",
            value: "#ffffff",
            "aria-label": "Colour of the pen",
            oninput: () => {
              pad.ink = ink.value;
            },
          })
        : null;
    this.element = h(
      "div",
      { class: "stack" },
      h(
        "div",
        { class: "drawing" },
        h("figure", {}, pad.element, h("figcaption", {}, "Your drawing")),
        h("figure", {}, this.answer, h("figcaption", {}, "Nearest generated image")),
      ),
      this.state,
      h(
        "div",
        { class: "actions" },
        h("button", { class: "button", type: "button", onclick: () => this.clear() }, "Clear"),
        this.useButton,
        h("label", { class: "check" }, this.light, "Dark ink on white"),
        ink,
      ),
    );
  }

  /// Sets the background of the pad: white or black.
  ground(isLight) {
    this.light.checked = isLight;
    this.pad.ground(isLight);
  }

  clear() {
    this.search?.abort();
    this.pad.clear();
    this.found = null;
    this.useButton.disabled = true;
    this.answer.getContext("2d").clearRect(0, 0, this.answer.width, this.answer.height);
    setText(this.state, PROMPT);
  }

  /// Searches for the drawing as it is now; a search in progress is cancelled.
  async seek() {
    this.search?.abort();
    if (this.pad.blank || this.signal.aborted) return;
    const controller = new AbortController();
    this.search = controller;
    setText(this.state, "Searching…");
    let last = null;
    try {
      await lines(
        runPath(this.run.id, "/invert"),
        { pixels: toBase64(this.pad.bytes()), ...this.request() },
        (line) => {
          last = line;
          this.show(line);
        },
        controller.signal,
      );
      if (last)
        setText(
          this.state,
          `Done after ${whole(last.step)} steps: distance ${number(last.error)}. Keep drawing to search again.`,
        );
    } catch (error) {
      if (error.name === "AbortError") return;
      setText(this.state, "The search failed.");
      showError(error);
    }
  }

  show(line) {
    this.found = line.z;
    this.useButton.disabled = false;
    draw(this.answer, { shape: [1, ...this.run.shape], data: fromBase64(line.pixels) });
    setText(this.state, `Step ${whole(line.step)}: distance ${number(line.error)}`);
  }
}
