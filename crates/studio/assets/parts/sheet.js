// The sheet of fixed latents with a slider over the whole training: the same forty images, from noise to what they became.
// Drag, arrow keys, or play. While the newest sheet is shown, it follows the training.

import { h, icon, setText, still } from "../app/dom.js";
import { whole, plural } from "../app/format.js";
import { ofRun } from "../app/api.js";
import { nearest } from "./scale.js";

const FRAME_MS = 160;
const PLAY = "M8 5v14l11-7z";
const PAUSE = "M8 5v14M16 5v14";

/// { element, set(sheets), goTo(step) }. `onstep(step)` is told which sheet is shown.
export function sheetSlider(id, { signal, onstep }) {
  let sheets = [];
  let at = -1;
  let timer = null;
  const kept = new Map();

  const image = h("img", { class: "pixels sheet-image", alt: "" });
  const slider = h("input", { type: "range", min: 0, max: 0, value: 0, step: 1, "aria-label": "Sheet at training step" });
  const label = h("output", { class: "number" });
  const button = h("button", { class: "button", type: "button" });
  const element = h("div", { class: "sheet" },
    h("div", { class: "sheet-frame" }, image),
    h("div", { class: "sheet-controls" }, button, slider, label));

  const load = (file) => {
    if (!kept.has(file)) {
      const fresh = new Image();
      fresh.src = `/api${ofRun(id, `/sheets/${encodeURIComponent(file)}`)}`;
      kept.set(file, fresh.decode().then(() => fresh.src));
      kept.get(file).catch(() => kept.delete(file));
    }
    return kept.get(file);
  };

  /// Sheets are drawn at twice their pixels or so; half steps of their size keep pixels square.
  const fit = () => {
    const room = element.querySelector(".sheet-frame").clientWidth;
    if (!image.naturalWidth || !room) return;
    const times = Math.floor((2 * room) / image.naturalWidth) / 2;
    image.style.width = `${Math.floor(image.naturalWidth * (times >= 1 ? Math.min(times, 2) : Math.min(1, room / image.naturalWidth)))}px`;
  };
  new ResizeObserver(fit).observe(element);
  image.addEventListener("load", fit);

  const show = async (index) => {
    at = Math.max(0, Math.min(sheets.length - 1, index));
    const { step, file } = sheets[at];
    slider.value = at;
    slider.setAttribute("aria-valuetext", `step ${whole(step)}, sheet ${at + 1} of ${sheets.length}`);
    setText(label, `step ${whole(step)}`);
    onstep?.(step);
    try {
      const source = await load(file);
      if (sheets[at]?.file !== file) return;
      image.src = source;
      image.alt = `Images drawn by the generator at step ${whole(step)} from the run's fixed latents`;
    } catch {
      image.alt = `The sheet of step ${whole(step)} can't be read`;
    }
    if (at + 1 < sheets.length) load(sheets[at + 1].file).catch(() => {});
  };

  const face = (playing) => {
    button.replaceChildren(icon(playing ? PAUSE : PLAY), playing ? "Pause" : "Play");
    button.setAttribute("aria-pressed", String(playing));
  };
  const stop = () => { clearInterval(timer); timer = null; face(false); };
  const play = () => {
    if (at >= sheets.length - 1) show(0);
    face(true);
    timer = setInterval(() => { if (at >= sheets.length - 1) stop(); else show(at + 1); }, still() ? 4 * FRAME_MS : FRAME_MS);
  };
  button.addEventListener("click", () => (timer ? stop() : play()));
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  signal.addEventListener("abort", stop);
  face(false);

  return {
    element,
    set(list) {
      const following = at < 0 || at === sheets.length - 1;
      const shown = sheets[at]?.step;
      sheets = list;
      slider.max = Math.max(0, sheets.length - 1);
      element.hidden = sheets.length === 0;
      if (!sheets.length) { at = -1; return; }
      show(following ? sheets.length - 1 : nearest(sheets.map((sheet) => sheet.step), shown));
    },
    goTo(step) {
      if (!sheets.length) return;
      stop();
      show(nearest(sheets.map((sheet) => sheet.step), step));
    },
    get summary() { return plural(sheets.length, "sheet"); },
  };
}
