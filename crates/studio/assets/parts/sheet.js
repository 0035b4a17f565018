// The sheet of images from fixed latents, with a slider over the whole training: the same latents from the first step to the
// last. Drag, arrow keys, or play. While the newest sheet is shown, the slider follows the training.

import { h, icon, setText, reducedMotion } from "../app/dom.js";
import { whole } from "../app/format.js";
import { runPath } from "../app/api.js";
import { nearest } from "./curve.js";

const FRAME_MS = 160;
const PLAY = "M8 5v14l11-7z";
const PAUSE = "M8 5v14M16 5v14";

export class SheetSlider {
  /// Calls `onstep(step)` with the step of the sheet that is shown.
  constructor(id, { signal, onstep }) {
    Object.assign(this, { id, onstep });
    this.sheets = [];
    this.at = -1;
    this.kept = new Map();
    this.build();
    signal.addEventListener("abort", () => this.pause());
  }

  build() {
    this.image = h("img", { class: "pixels sheet-image", alt: "" });
    this.slider = h("input", {
      type: "range",
      min: 0,
      max: 0,
      value: 0,
      step: 1,
      "aria-label": "Sheet at training step",
    });
    this.label = h("output", { class: "number" });
    this.button = h("button", {
      class: "button",
      type: "button",
      onclick: () => (this.timer ? this.pause() : this.play()),
    });
    this.frame = h("div", { class: "sheet-frame" }, this.image);
    this.element = h(
      "div",
      { class: "sheet" },
      this.frame,
      h("div", { class: "sheet-controls" }, this.button, this.slider, this.label),
    );
    this.slider.addEventListener("input", () => {
      this.pause();
      this.show(Number(this.slider.value));
    });
    this.image.addEventListener("load", () => this.fit());
    new ResizeObserver(() => this.fit()).observe(this.element);
    this.pause();
  }

  /// Takes the list of sheets, [{ step, file }] by step.
  set(list) {
    const following = this.at < 0 || this.at === this.sheets.length - 1;
    const shown = this.sheets[this.at]?.step;
    this.sheets = list;
    this.slider.max = Math.max(0, list.length - 1);
    this.element.hidden = list.length === 0;
    if (!list.length) {
      this.at = -1;
      return;
    }
    this.show(following ? list.length - 1 : this.indexOf(shown));
  }

  /// Shows the sheet nearest to a step.
  goTo(step) {
    if (!this.sheets.length) return;
    this.pause();
    this.show(this.indexOf(step));
  }

  indexOf(step) {
    return nearest(
      this.sheets.map((sheet) => sheet.step),
      step,
    );
  }

  async show(index) {
    this.at = Math.max(0, Math.min(this.sheets.length - 1, index));
    const { step, file } = this.sheets[this.at];
    this.slider.value = this.at;
    this.slider.setAttribute("aria-valuetext", `step ${whole(step)}, sheet ${this.at + 1} of ${this.sheets.length}`);
    setText(this.label, `step ${whole(step)}`);
    this.onstep?.(step);
    try {
      const source = await this.load(file);
      if (this.sheets[this.at]?.file !== file) return; // the slider has moved on
      this.image.src = source;
      this.image.alt = `Images from the run's fixed latents at step ${whole(step)}`;
    } catch {
      this.image.alt = `The sheet of step ${whole(step)} can't be read`;
    }
    const next = this.sheets[this.at + 1];
    if (next) this.load(next.file).catch(() => {});
  }

  /// A sheet's address, once it is decoded: moving the slider never shows an empty frame.
  load(file) {
    if (!this.kept.has(file)) {
      const fresh = new Image();
      fresh.src = `/api${runPath(this.id, `/sheets/${encodeURIComponent(file)}`)}`;
      this.kept.set(
        file,
        fresh.decode().then(() => fresh.src),
      );
      this.kept.get(file).catch(() => this.kept.delete(file));
    }
    return this.kept.get(file);
  }

  /// Shows a sheet at about twice its size, in steps of half its size so that all pixels are equal.
  fit() {
    const room = this.frame.clientWidth;
    const width = this.image.naturalWidth;
    if (!width || !room) return;
    const times = Math.floor((2 * room) / width) / 2;
    this.image.style.width = `${Math.floor(width * (times >= 1 ? Math.min(times, 2) : Math.min(1, room / width)))}px`;
  }

  play() {
    if (this.at >= this.sheets.length - 1) this.show(0);
    this.setPlaying(true);
    const next = () => {
      if (this.at >= this.sheets.length - 1) this.pause();
      else this.show(this.at + 1);
    };
    this.timer = setInterval(next, reducedMotion() ? 4 * FRAME_MS : FRAME_MS);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.setPlaying(false);
  }

  setPlaying(playing) {
    this.button.replaceChildren(icon(playing ? PAUSE : PLAY), playing ? "Pause" : "Play");
    this.button.setAttribute("aria-pressed", String(playing));
  }
}
