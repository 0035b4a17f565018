// "Draw it": the visitor draws, and the studio looks for the latent whose image is nearest to the drawing. What it has found so
// far stands beside the drawing and gets better while it searches.

import { h, setText, settle } from "../app/dom.js";
import { lines, ofRun, toBase64, fromBase64 } from "../app/api.js";
import { number, whole } from "../app/format.js";
import { canvas, draw } from "./image.js";
import { DrawPad } from "./draw-pad.js";
import { complain } from "./toast.js";

const ROOM = 200;
const PAUSE_MS = 250;
const INVITATION = "Draw something: the search begins when you lift the pen.";

export class Inversion {
  /// `request()` gives the class and so on for the server; `use(z)` takes the latent over.
  constructor(run, signal, { request, use }) {
    Object.assign(this, { run, signal, request, use });
    this.pad = new DrawPad(run.shape, ROOM, settle(() => this.seek(), PAUSE_MS));
    this.build();
    signal.addEventListener("abort", () => this.search?.abort());
  }

  build() {
    const { pad } = this;
    this.answer = canvas(this.run.shape, ROOM, "The nearest image that the generator can draw");
    this.state = h("p", { class: "small", role: "status" }, INVITATION);
    this.useButton = h("button", { class: "button", type: "button", disabled: true, onclick: () => this.use(this.found) }, "Play with what was found");
    this.light = h("input", { type: "checkbox", onchange: () => { pad.ground(this.light.checked); this.wipe(); } });
    const ink = this.run.shape[2] >= 3 ? h("input", { type: "color", value: "#ffffff", "aria-label": "Colour of the pen", oninput: () => { pad.ink = ink.value; } }) : null;
    this.element = h("div", { class: "stack" },
      h("div", { class: "drawing" },
        h("figure", {}, pad.element, h("figcaption", {}, "Your drawing")),
        h("figure", {}, this.answer, h("figcaption", {}, "Nearest counterfeit"))),
      this.state,
      h("div", { class: "actions" }, h("button", { class: "button", type: "button", onclick: () => this.wipe() }, "Clear"), this.useButton, h("label", { class: "check" }, this.light, "Dark ink on white"), ink));
  }

  /// As most of the generator's images are.
  ground(isLight) {
    this.light.checked = isLight;
    this.pad.ground(isLight);
  }

  wipe() {
    this.search?.abort();
    this.pad.clear();
    this.found = null;
    this.useButton.disabled = true;
    this.answer.getContext("2d").clearRect(0, 0, this.answer.width, this.answer.height);
    setText(this.state, INVITATION);
  }

  /// Searches for what is on the pad now; a search that is under way ends.
  async seek() {
    this.search?.abort();
    if (this.pad.blank || this.signal.aborted) return;
    const mine = new AbortController();
    this.search = mine;
    setText(this.state, "Searching…");
    let last = null;
    try {
      await lines(ofRun(this.run.id, "/invert"), { pixels: toBase64(this.pad.bytes()), ...this.request() }, (line) => {
        last = line;
        this.show(line);
      }, mine.signal);
      if (last) setText(this.state, `Done after ${whole(last.step)} steps: distance ${number(last.error)}. Draw on, and it searches again.`);
    } catch (error) {
      if (error.name === "AbortError") return;
      setText(this.state, "The search failed.");
      complain(error);
    }
  }

  show(line) {
    this.found = line.z;
    this.useButton.disabled = false;
    draw(this.answer, { shape: [1, ...this.run.shape], data: fromBase64(line.pixels) });
    setText(this.state, `Step ${whole(line.step)}: distance ${number(line.error)}`);
  }
}
