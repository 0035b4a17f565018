// "Draw it": the visitor draws, and the studio looks for the latent whose image is nearest to the drawing. What it has found so
// far stands beside the drawing and gets better while it searches.

import { h, replace, setText, settle } from "../app/dom.js";
import { lines, ofRun, toBase64, fromBase64 } from "../app/api.js";
import { number, whole } from "../app/format.js";
import { canvas, draw } from "./image.js";
import { drawPad } from "./draw-pad.js";
import { complain } from "./toast.js";

const ROOM = 200;
const PAUSE_MS = 250;

/// { element, ground(light) }. `request()` gives the class; `use(z)` takes the latent over.
export function inversion({ run, signal, request, use }) {
  let search = null;
  let found = null;
  signal.addEventListener("abort", () => search?.abort());

  const begin = settle(() => seek(), PAUSE_MS);
  const pad = drawPad(run.shape, ROOM, () => begin());
  const answer = canvas(run.shape, ROOM, "The nearest image that the generator can draw");
  const state = h("p", { class: "small", role: "status" }, "Draw something: the search begins when you lift the pen.");
  const useButton = h("button", { class: "button", type: "button", disabled: true, onclick: () => found && use(found) }, "Play with what was found");
  const clearButton = h("button", { class: "button", type: "button", onclick: () => wipe() }, "Clear");
  const light = h("input", { type: "checkbox", onchange: () => { pad.ground(light.checked); wipe(); } });
  const ink = run.shape[2] >= 3 ? h("input", { type: "color", value: "#ffffff", "aria-label": "Colour of the pen", oninput: () => { pad.ink = ink.value; } }) : null;
  const element = h("div", { class: "stack" },
    h("div", { class: "drawing" },
      h("figure", {}, pad.element, h("figcaption", {}, "Your drawing")),
      h("figure", {}, answer, h("figcaption", {}, "Nearest counterfeit"))),
    state,
    h("div", { class: "actions" }, clearButton, useButton, h("label", { class: "check" }, light, "Dark ink on white"), ink));

  const wipe = () => {
    search?.abort();
    pad.clear();
    found = null;
    useButton.disabled = true;
    answer.getContext("2d").clearRect(0, 0, answer.width, answer.height);
    setText(state, "Draw something: the search begins when you lift the pen.");
  };

  async function seek() {
    search?.abort();
    if (pad.blank || signal.aborted) return;
    const mine = new AbortController();
    search = mine;
    setText(state, "Searching…");
    try {
      let last = null;
      await lines(ofRun(run.id, "/invert"), { pixels: toBase64(pad.bytes()), ...request() }, (line) => {
        last = line;
        found = line.z;
        useButton.disabled = false;
        draw(answer, { shape: [1, ...run.shape], data: fromBase64(line.pixels) });
        setText(state, `Step ${whole(line.step)}: distance ${number(line.error)}`);
      }, mine.signal);
      if (last) setText(state, `Done after ${whole(last.step)} steps: distance ${number(last.error)}. Draw on, and it searches again.`);
    } catch (error) {
      if (error.name === "AbortError") return;
      replace(state, "The search failed.");
      complain(error);
    }
  }

  return { element, ground(isLight) { light.checked = isLight; pad.ground(isLight); } };
}
