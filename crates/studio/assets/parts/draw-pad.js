// A canvas to draw on in the generator's own pixels: with mouse, pen or finger, or with the arrow keys (space lowers and lifts the
// pen). Gives the drawing as the bytes that the engine takes.

import { h } from "../app/dom.js";
import { factor } from "./image.js";

/// { element, canvas, bytes(), clear(), ground(isLight), colour(text), blank }. `onstroke()` whenever the drawing changed.
export function drawPad(shape, room, onstroke) {
  const [height, width, channels] = shape;
  const times = factor(Math.max(height, width), room);
  const canvas = h("canvas", {
    class: "pixels pad", tabindex: 0, role: "img",
    "aria-label": "Drawing pad. Draw with the mouse or a finger, or move with the arrow keys; space lowers and lifts the pen.",
  });
  canvas.width = width;
  canvas.height = height;
  canvas.style.width = `${width * times}px`;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const pad = { canvas, element: canvas, blank: true, light: false, ink: null };
  const pen = { x: width / 2, y: height / 2, down: false };

  const clear = () => {
    context.fillStyle = pad.light ? "#fff" : "#000";
    context.fillRect(0, 0, width, height);
    pad.blank = true;
  };
  const line = (fromX, fromY, toX, toY) => {
    context.strokeStyle = pad.ink ?? (pad.light ? "#000" : "#fff");
    context.lineWidth = Math.max(1, Math.min(height, width) / 13);
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(fromX, fromY);
    context.lineTo(toX + 0.01, toY);
    context.stroke();
    pad.blank = false;
    onstroke();
  };

  let last = null;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
    line(...last, ...last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const steps = event.getCoalescedEvents?.();
    for (const step of steps?.length ? steps : [event]) {
      const next = place(step);
      line(...last, ...next);
      last = next;
    }
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { last = null; });

  canvas.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === " ") {
      pen.down = !pen.down;
      if (pen.down) line(pen.x, pen.y, pen.x, pen.y);
    } else if (move) {
      const x = Math.max(0, Math.min(width, pen.x + move[0]));
      const y = Math.max(0, Math.min(height, pen.y + move[1]));
      if (pen.down) line(pen.x, pen.y, x, y);
      Object.assign(pen, { x, y });
    } else return;
    event.preventDefault();
    canvas.setAttribute("aria-description", `Pen ${pen.down ? "down" : "up"} at ${Math.round(pen.x)}, ${Math.round(pen.y)}`);
  });

  clear();
  return Object.assign(pad, {
    clear,
    ground(light) { pad.light = light; clear(); },
    bytes() {
      const { data } = context.getImageData(0, 0, width, height);
      const out = new Uint8Array(height * width * channels);
      for (let pixel = 0; pixel < height * width; pixel += 1) {
        const [red, green, blue] = data.subarray(4 * pixel, 4 * pixel + 3);
        if (channels >= 3) out.set([red, green, blue], channels * pixel);
        else out.fill(Math.round(0.299 * red + 0.587 * green + 0.114 * blue), channels * pixel, channels * (pixel + 1));
      }
      return out;
    },
  });
}
