// Walks through latent space: between images that the visitor keeps, or on and on without an end. A strip shows every frame of
// the way; the large image follows it.

import { h, icon, replace, setText } from "../app/dom.js";
import { get, pixels, ofRun } from "../app/api.js";
import { plural } from "../app/format.js";
import { canvas, draw, drawGrid, single, factor } from "./image.js";
import { complain } from "./toast.js";

const FRAME_MS = 80;
const FRAMES = 24;
const MAX_KEPT = 12;
const CROSS = "M6 6l12 12M18 6 6 18";

/// { element, keep(z, batch) }. `request()` gives class and so on for the server; `showFrame(batch, at)` draws the large image;
/// `arrived(z)` takes over the latent where a walk ended; `current()` is the latent now.
export function walks({ run, signal, request, showFrame, arrived, current }) {
  const kept = [];
  let frames = null;
  let at = 0;
  let timer = null;
  let strolling = false;

  const pins = h("ul", { class: "pins", "aria-label": "Kept images" });
  const nothing = h("p", { class: "muted small" }, "Keep two or more images to walk from one to the next.");
  const walkButton = h("button", { class: "button", type: "button", disabled: true, onclick: () => walk() }, "Walk between them");
  const strollButton = h("button", { class: "button", type: "button", "aria-pressed": "false", onclick: () => (strolling ? halt() : stroll()) }, "Walk on and on");
  const film = h("canvas", { class: "pixels", role: "img", "aria-label": "All frames of the walk, in a row" });
  const place = h("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": "Frame of the walk", oninput: () => { halt(); goTo(Number(place.value)); } });
  const count = h("output", { class: "number small" });
  const playButton = h("button", { class: "button small", type: "button", onclick: () => (timer ? halt() : play()) }, "Play");
  const strip = h("div", { class: "stack", hidden: true }, h("div", { class: "film", tabindex: 0, role: "group", "aria-label": "Strip of the walk" }, film), h("div", { class: "sheet-controls" }, playButton, place, count));
  const element = h("div", { class: "stack" }, nothing, pins, h("div", { class: "actions" }, walkButton, strollButton), strip);

  film.addEventListener("click", (event) => {
    if (!frames) return;
    const box = film.getBoundingClientRect();
    halt();
    goTo(Math.floor(((event.clientX - box.left) / box.width) * frames.shape[0]));
  });
  signal.addEventListener("abort", () => halt());

  const goTo = (index) => {
    at = Math.max(0, Math.min(frames.shape[0] - 1, index));
    place.value = at;
    setText(count, `${at + 1} of ${frames.shape[0]}`);
    showFrame(frames, at);
  };
  const play = () => {
    if (at >= frames.shape[0] - 1) goTo(0);
    setText(playButton, "Pause");
    timer = setInterval(() => { if (at >= frames.shape[0] - 1) halt(); else goTo(at + 1); }, FRAME_MS);
  };
  const halt = () => {
    clearInterval(timer);
    timer = null;
    strolling = false;
    strollButton.setAttribute("aria-pressed", "false");
    setText(strollButton, "Walk on and on");
    setText(playButton, "Play");
  };
  const take = (batch) => {
    frames = batch;
    strip.hidden = false;
    place.max = batch.shape[0] - 1;
    drawGrid(film, batch, batch.shape[0]);
    const times = factor(batch.shape[1], 64);
    film.style.width = `${film.width * times}px`;
    goTo(0);
  };
  /// A walk comes back to where it began; of one with two ends the first half is the way there.
  const way = (ends, number) => pixels(ofRun(run.id, "/walk"), { ends, frames: number, ...request() }, signal);
  const there = async (from, to) => {
    const { shape, data } = await way([from, to], 2 * FRAMES);
    return { shape: [FRAMES, ...shape.slice(1)], data: data.subarray(0, (data.length / shape[0]) * FRAMES) };
  };

  async function walk() {
    halt();
    try {
      take(await way(kept.map((one) => one.z), FRAMES * kept.length));
      play();
    } catch (error) { complain(error); }
  }

  /// Segment by segment to random places, the next one fetched while the present one is shown.
  async function stroll() {
    halt();
    strolling = true;
    strollButton.setAttribute("aria-pressed", "true");
    setText(strollButton, "Stop walking");
    const segment = async (from) => {
      const { z } = await get(ofRun(run.id, `/noise?seed=${Math.floor(Math.random() * 1e9)}&n=1`), signal);
      return { to: z[0], batch: await there(from, z[0]) };
    };
    try {
      let next = segment(current());
      while (strolling && !signal.aborted) {
        const { to, batch } = await next;
        if (!strolling) return;
        next = segment(to);
        next.catch(() => {});
        take(batch);
        for (let frame = 0; frame < batch.shape[0] && strolling; frame += 1) {
          goTo(frame);
          await new Promise((done) => setTimeout(done, FRAME_MS));
        }
        if (strolling) arrived(to);
      }
    } catch (error) { halt(); complain(error); }
  }

  const arrange = () => {
    nothing.hidden = kept.length > 1;
    walkButton.disabled = kept.length < 2;
    setText(walkButton, kept.length > 1 ? `Walk through ${plural(kept.length, "image")}` : "Walk between them");
    replace(pins, kept.map((one, index) => {
      const picture = canvas(one.batch.shape.slice(1), 56, "");
      picture.setAttribute("aria-hidden", "true");
      draw(picture, one.batch);
      return h("li", {},
        h("button", { type: "button", "aria-label": `Go back to kept image ${index + 1}`, onclick: () => { halt(); arrived(one.z); } }, picture),
        h("button", { class: "icon-button", type: "button", "aria-label": `Let go of kept image ${index + 1}`, onclick: () => { kept.splice(index, 1); arrange(); } }, icon(CROSS)));
    }));
  };

  return {
    element,
    halt,
    keep(z, batch, index = 0) {
      if (kept.length >= MAX_KEPT) kept.shift();
      kept.push({ z, batch: single(batch, index) });
      arrange();
    },
  };
}
