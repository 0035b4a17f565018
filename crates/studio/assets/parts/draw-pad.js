// A canvas to draw on in the resolution of the generator's images: with mouse, pen or finger, or with the arrow keys (space
// lowers and lifts the pen).

import { h } from "../app/dom.js";
import { factor } from "./image.js";

const LABEL =
  "Drawing pad. Draw with the mouse or a finger, or move the pen with the arrow keys; space lowers and lifts it.";
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/// The pen's width, as a share of the image's side.
const WIDTH = 1 / 13;

export class DrawPad {
  /// For images of `shape` [h, w, c], displayed within `maxSize` CSS pixels. Calls `onstroke()` when the drawing changes.
  constructor(shape, maxSize, onstroke) {
    const [height, width, channels] = shape;
    Object.assign(this, { height, width, channels, onstroke, light: false, ink: null });
    this.pen = { x: width / 2, y: height / 2, down: false };
    this.element = h("canvas", { class: "pixels pad", tabindex: 0, role: "img", "aria-label": LABEL });
    this.element.width = width;
    this.element.height = height;
    this.element.style.width = `${width * factor(Math.max(height, width), maxSize)}px`;
    this.context = this.element.getContext("2d", { willReadFrequently: true });
    this.clear();
    this.followPointer();
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  clear() {
    this.context.fillStyle = this.light ? "#fff" : "#000";
    this.context.fillRect(0, 0, this.width, this.height);
    this.blank = true;
  }

  /// Dark ink on white, or light on black.
  ground(light) {
    this.light = light;
    this.clear();
  }

  line([fromX, fromY], [toX, toY]) {
    const { context } = this;
    context.strokeStyle = this.ink ?? (this.light ? "#000" : "#fff");
    context.lineWidth = Math.max(1, Math.min(this.height, this.width) * WIDTH);
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(fromX, fromY);
    context.lineTo(toX + 0.01, toY); // a line without length would leave no dot
    context.stroke();
    this.blank = false;
    this.onstroke();
  }

  followPointer() {
    let last = null;
    const place = (event) => {
      const box = this.element.getBoundingClientRect();
      return [
        ((event.clientX - box.left) / box.width) * this.width,
        ((event.clientY - box.top) / box.height) * this.height,
      ];
    };
    this.element.addEventListener("pointerdown", (event) => {
      this.element.setPointerCapture(event.pointerId);
      last = place(event);
      this.line(last, last);
    });
    this.element.addEventListener("pointermove", (event) => {
      if (!last) return;
      const steps = event.getCoalescedEvents?.();
      for (const step of steps?.length ? steps : [event]) {
        const next = place(step);
        this.line(last, next);
        last = next;
      }
    });
    for (const end of ["pointerup", "pointercancel"])
      this.element.addEventListener(end, () => {
        last = null;
      });
  }

  key(event) {
    const { pen } = this;
    const move = MOVES[event.key];
    if (event.key === " ") {
      pen.down = !pen.down;
      if (pen.down) this.line([pen.x, pen.y], [pen.x, pen.y]);
    } else if (move) {
      const x = Math.max(0, Math.min(this.width, pen.x + move[0]));
      const y = Math.max(0, Math.min(this.height, pen.y + move[1]));
      if (pen.down) this.line([pen.x, pen.y], [x, y]);
      Object.assign(pen, { x, y });
    } else return;
    event.preventDefault();
    this.element.setAttribute(
      "aria-description",
      `Pen ${pen.down ? "down" : "up"} at ${Math.round(pen.x)}, ${Math.round(pen.y)}`,
    );
  }

  /// The drawing, height x width x channels.
  bytes() {
    const { data } = this.context.getImageData(0, 0, this.width, this.height);
    const { channels } = this;
    const out = new Uint8Array(this.height * this.width * channels);
    for (let pixel = 0; pixel < this.height * this.width; pixel += 1) {
      const [red, green, blue] = data.subarray(4 * pixel, 4 * pixel + 3);
      if (channels === 4) out.set([red, green, blue, 255], 4 * pixel);
      else if (channels === 3) out.set([red, green, blue], 3 * pixel);
      else out.fill(Math.round(0.299 * red + 0.587 * green + 0.114 * blue), channels * pixel, channels * (pixel + 1));
    }
    return out;
  }
}
