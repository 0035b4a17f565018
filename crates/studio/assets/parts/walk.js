// Walks through the latent space: between images that the visitor has added, or to random places without end. A strip shows
// every frame; the large image follows it.

import { h, icon, replace, setText } from "../app/dom.js";
import { get, pixels, runPath } from "../app/api.js";
import { plural } from "../app/format.js";
import { canvas, draw, drawGrid, single, factor } from "./image.js";
import { showError } from "./toast.js";

const FRAME_MS = 80;
const FRAMES = 24;
const MAX_STOPS = 12;
const CROSS = "M6 6l12 12M18 6 6 18";

export class Walks {
  /// `request()` gives class and so on for the server; `showFrame(batch, at)` draws the large image; `arrived(z)` takes over the
  /// latent where a walk ended; `current()` is the latent now.
  constructor(run, signal, { request, showFrame, arrived, current }) {
    Object.assign(this, { run, signal, request, showFrame, arrived, current });
    this.stops = [];
    this.frames = null;
    this.wandering = false;
    this.build();
    signal.addEventListener("abort", () => this.stop());
  }

  build() {
    this.pins = h("ul", { class: "pins", "aria-label": "Images of the walk" });
    this.prompt = h("p", { class: "muted small" }, "Add two or more images to walk from one to the next.");
    this.walkButton = h(
      "button",
      { class: "button", type: "button", disabled: true, onclick: () => this.walk() },
      "Walk between them",
    );
    this.wanderButton = h(
      "button",
      {
        class: "button",
        type: "button",
        "aria-pressed": "false",
        onclick: () => (this.wandering ? this.stop() : this.wander()),
      },
      "Wander",
    );
    this.element = h(
      "div",
      { class: "stack" },
      this.prompt,
      this.pins,
      h("div", { class: "actions" }, this.walkButton, this.wanderButton),
      this.buildStrip(),
    );
  }

  buildStrip() {
    this.film = h("canvas", { class: "pixels", role: "img", "aria-label": "All frames of the walk in a row" });
    this.place = h("input", {
      type: "range",
      min: 0,
      max: 0,
      value: 0,
      "aria-label": "Frame of the walk",
      oninput: () => {
        this.stop();
        this.goTo(Number(this.place.value));
      },
    });
    this.count = h("output", { class: "number small" });
    this.playButton = h(
      "button",
      { class: "button small", type: "button", onclick: () => (this.timer ? this.stop() : this.play()) },
      "Play",
    );
    this.film.addEventListener("click", (event) => {
      if (!this.frames) return;
      const box = this.film.getBoundingClientRect();
      this.stop();
      this.goTo(Math.floor(((event.clientX - box.left) / box.width) * this.frames.shape[0]));
    });
    this.holder = h("div", { class: "film", tabindex: 0, role: "group", "aria-label": "Strip of the walk" }, this.film);
    this.strip = h(
      "div",
      { class: "stack", hidden: true },
      this.holder,
      h("div", { class: "sheet-controls" }, this.playButton, this.place, this.count),
    );
    return this.strip;
  }

  /// Adds an image (number `index` of a batch) and its latent to the walk.
  add(z, batch, index = 0) {
    if (this.stops.length >= MAX_STOPS) this.stops.shift();
    this.stops.push({ z, batch: single(batch, index) });
    this.arrange();
  }

  arrange() {
    this.prompt.hidden = this.stops.length > 1;
    this.walkButton.disabled = this.stops.length < 2;
    setText(
      this.walkButton,
      this.stops.length > 1 ? `Walk through ${plural(this.stops.length, "image")}` : "Walk between them",
    );
    replace(
      this.pins,
      this.stops.map((one, index) => this.pin(one, index)),
    );
  }

  pin(one, index) {
    const picture = canvas(one.batch.shape.slice(1), 56, "");
    picture.setAttribute("aria-hidden", "true");
    draw(picture, one.batch);
    return h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          "aria-label": `Show image ${index + 1} of the walk`,
          onclick: () => {
            this.stop();
            this.arrived(one.z);
          },
        },
        picture,
      ),
      h(
        "button",
        {
          class: "icon-button",
          type: "button",
          "aria-label": `Remove image ${index + 1} from the walk`,
          onclick: () => {
            this.stops.splice(index, 1);
            this.arrange();
          },
        },
        icon(CROSS),
      ),
    );
  }

  /// A walk through `ends` that returns to the first.
  way(ends, frames) {
    return pixels(runPath(this.run.id, "/walk"), { ends, frames, ...this.request() }, this.signal);
  }

  /// The way from one latent to another: the first half of a walk with these two ends.
  async there(from, to) {
    const { shape, data } = await this.way([from, to], 2 * FRAMES);
    return { shape: [FRAMES, ...shape.slice(1)], data: data.subarray(0, (data.length / shape[0]) * FRAMES) };
  }

  async walk() {
    this.stop();
    try {
      this.take(
        await this.way(
          this.stops.map((one) => one.z),
          FRAMES * this.stops.length,
        ),
      );
      this.play();
    } catch (error) {
      showError(error);
    }
  }

  /// Walks to random places, one after the other. The next way is fetched while the present one is shown.
  async wander() {
    this.stop();
    this.wandering = true;
    this.wanderButton.setAttribute("aria-pressed", "true");
    setText(this.wanderButton, "Stop wandering");
    try {
      let next = this.leg(this.current());
      while (this.wandering) {
        const { to, batch } = await next;
        if (!this.wandering) return;
        next = this.leg(to);
        next.catch(() => {}); // awaited above, unless the walk ends first
        await this.pace(batch);
        if (this.wandering) this.arrived(to);
      }
    } catch (error) {
      this.stop();
      showError(error);
    }
  }

  async leg(from) {
    const { z } = await get(runPath(this.run.id, `/noise?seed=${Math.floor(Math.random() * 1e9)}&n=1`), this.signal);
    return { to: z[0], batch: await this.there(from, z[0]) };
  }

  async pace(batch) {
    this.take(batch);
    for (let frame = 0; frame < batch.shape[0] && this.wandering; frame += 1) {
      this.goTo(frame);
      await new Promise((done) => setTimeout(done, FRAME_MS));
    }
  }

  take(batch) {
    this.frames = batch;
    this.strip.hidden = false;
    this.place.max = batch.shape[0] - 1;
    drawGrid(this.film, batch, batch.shape[0]);
    this.film.style.width = `${this.film.width * factor(batch.shape[1], 64)}px`;
    this.goTo(0);
  }

  goTo(index) {
    const last = this.frames.shape[0] - 1;
    this.at = Math.max(0, Math.min(last, index));
    this.place.value = this.at;
    setText(this.count, `${this.at + 1} of ${last + 1}`);
    this.holder.scrollLeft = (this.film.clientWidth * (this.at + 0.5)) / (last + 1) - this.holder.clientWidth / 2;
    this.showFrame(this.frames, this.at);
  }

  play() {
    const atEnd = () => this.at >= this.frames.shape[0] - 1;
    if (atEnd()) this.goTo(0);
    setText(this.playButton, "Pause");
    this.timer = setInterval(() => {
      if (atEnd()) this.stop();
      else this.goTo(this.at + 1);
    }, FRAME_MS);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.wandering = false;
    this.wanderButton.setAttribute("aria-pressed", "false");
    setText(this.wanderButton, "Wander");
    setText(this.playButton, "Play");
  }
}
