// Play: the generator at the visitor's hands. A large image that follows the sliders, a gallery to choose from, walks between
// images, and the search for the image nearest to a drawing.

import { h, replace, setText, throttle } from "../app/dom.js";
import { get, pixels, points, newest, runPath } from "../app/api.js";
import { number } from "../app/format.js";
import { runHead } from "../parts/run-head.js";
import { canvas, draw, drawPoints, single, isPoint, brightness } from "../parts/image.js";
import { latentSliders, slider } from "../parts/latent.js";
import { labelPicker } from "../parts/labels.js";
import { Walks } from "../parts/walk.js";
import { Inversion } from "../parts/inversion.js";
import { showError } from "../parts/toast.js";
import { empty } from "../parts/status.js";

const MAX_SIZE = 336;
const GALLERY = 18;
const POINTS = 600;

export async function show({ root, id, signal, title }) {
  title(`Play · ${id}`);
  const run = await get(runPath(id), signal);
  const head = runHead(run, "play");
  if (!run.checkpoints?.length) {
    replace(
      root,
      head.element,
      empty(
        "Nothing to play with yet",
        "You can play with the generator as soon as the run has saved its first checkpoint.",
      ),
    );
    return;
  }
  const directions = await get(runPath(id, "/directions"), signal).catch((error) => {
    if (signal.aborted) throw error;
    return [];
  });
  const labelled = run.labels ? [] : get(runPath(id, "/directions?by=labels"), signal).catch(() => []);
  const page = new PlayPage(run, directions, signal);
  replace(root, head.element, page.element);
  await page.newImage();
  page.sliders.add(await labelled); // computing them takes seconds the first time
}

class PlayPage {
  constructor(run, directions, signal) {
    Object.assign(this, { run, signal });
    this.points = isPoint(run.shape);
    this.seed = 1;
    this.truncation = 1;
    this.render = newest(() => this.renderNow());
    this.renderGallery = newest(() => this.renderGalleryNow());
    this.gallerySoon = throttle(() => this.renderGallery(), 250);
    this.sliders = latentSliders(directions, run.latent, () => {
      this.walk.stop();
      this.render();
    });
    this.labels = labelPicker(run.labels, () => {
      this.render();
      this.gallerySoon();
    });
    this.walk = new Walks(run, signal, {
      request: () => this.request(),
      current: () => this.sliders.value(),
      showFrame: (batch, at) => this.paint(batch, at),
      arrived: (z) => {
        this.sliders.set(z);
        this.render();
      },
    });
    this.element = this.build();
  }

  build() {
    this.image = canvas(this.run.shape, MAX_SIZE, "The generator's image for this latent");
    this.speed = h("p", { class: "small muted number" });
    return h(
      "div",
      { class: "stack" },
      h(
        "div",
        { class: "play-grid" },
        this.imagePanel(),
        h(
          "div",
          { class: "stack" },
          this.controls(),
          this.points
            ? null
            : [
                this.galleryPanel(),
                this.panel(
                  "walk",
                  "Walk",
                  "From one image to the next, in small steps through the latent space.",
                  this.walk.element,
                ),
                this.drawPanel(),
              ],
        ),
      ),
    );
  }

  panel(key, name, text, ...content) {
    return h(
      "section",
      { class: "panel", "aria-labelledby": `play-${key}` },
      h("h2", { id: `play-${key}` }, name),
      text ? h("p", { class: "muted small" }, text) : null,
      content,
    );
  }

  imagePanel() {
    const fresh = h(
      "button",
      {
        class: "button primary",
        type: "button",
        onclick: () => {
          this.walk.stop();
          this.newImage();
        },
      },
      "New image",
    );
    const add = h(
      "button",
      {
        class: "button",
        type: "button",
        onclick: () => this.batch && this.walk.add(this.sliders.value(), this.batch),
      },
      "Add to walk",
    );
    const save = h("button", { class: "button", type: "button", onclick: () => this.save() }, "Save PNG");
    return h(
      "section",
      { class: "panel play-image", "aria-labelledby": "play-image-title" },
      h("h2", { id: "play-image-title", class: "visually-hidden" }, "The image"),
      this.image,
      this.speed,
      h("div", { class: "actions" }, fresh, this.points ? null : [add, save]),
    );
  }

  controls() {
    const reset = h("button", { class: "button small", type: "button", onclick: () => this.sliders.reset() }, "Reset");
    const truncation = slider("Truncation", {
      min: 0,
      max: 1,
      step: 0.01,
      value: 1,
      help: "1: full variety. Towards 0: closer to the average image.",
      oninput: (value) => {
        this.truncation = value;
        this.render();
        this.gallerySoon();
      },
    });
    const names = this.run.checkpoints.map((one) => one.name);
    this.checkpoint = h(
      "select",
      {
        id: "play-checkpoint",
        onchange: () => {
          this.render();
          this.gallerySoon();
        },
      },
      this.run.checkpoints.map((one) =>
        h(
          "option",
          { value: one.name, selected: one.name === (names.includes("best") ? "best" : names[0]) },
          `${one.name} (step ${one.step})`,
        ),
      ),
    );
    return h(
      "section",
      { class: "panel stack", "aria-labelledby": "play-directions" },
      h("div", { class: "row spread" }, h("h2", { id: "play-directions" }, "Directions"), reset),
      this.labels?.element,
      this.sliders.element,
      h(
        "div",
        { class: "sliders" },
        truncation.element,
        h("div", { class: "field" }, h("label", { for: "play-checkpoint" }, "Checkpoint"), this.checkpoint),
      ),
    );
  }

  galleryPanel() {
    this.gallery = h("div", { class: "gallery" });
    const more = h(
      "button",
      {
        class: "button small",
        type: "button",
        onclick: () => {
          this.seed += 1;
          this.renderGallery();
        },
      },
      "Shuffle",
    );
    this.everyClass =
      this.run.labels?.kind === "classes"
        ? h("input", { type: "checkbox", onchange: () => this.renderGallery() })
        : null;
    return h(
      "section",
      { class: "panel", "aria-labelledby": "play-gallery" },
      h(
        "div",
        { class: "row spread" },
        h("h2", { id: "play-gallery" }, "Gallery"),
        h(
          "span",
          { class: "row" },
          this.everyClass ? h("label", { class: "check" }, this.everyClass, "Same noise, all classes") : null,
          more,
        ),
      ),
      this.gallery,
    );
  }

  drawPanel() {
    this.drawing = new Inversion(this.run, this.signal, {
      request: () => this.request(),
      use: (z) => {
        this.sliders.set(z);
        this.render();
        this.image.scrollIntoView({ block: "center" });
      },
    });
    const what =
      /digit|mnist|strokes/i.test(this.run.data) && !/fashion/.test(this.run.data) ? "Draw a digit" : "Draw an image";
    return this.panel(
      "draw",
      what,
      "The studio searches for the generated image nearest to your drawing.",
      this.drawing.element,
    );
  }

  /// The fields that every request has beside its latents.
  request() {
    return {
      checkpoint: this.checkpoint.value,
      class: this.labels?.value(),
      truncation: this.truncation < 1 ? this.truncation : undefined,
    };
  }

  images(z, extra) {
    return pixels(runPath(this.run.id, "/images"), { z, format: "raw", ...this.request(), ...extra }, this.signal);
  }

  async renderNow() {
    const begun = performance.now();
    try {
      const z = this.sliders.value();
      const batch = this.points
        ? await points(
            runPath(this.run.id, "/images"),
            { z: [z, ...(await this.cloudLatents())], ...this.request() },
            this.signal,
          )
        : await this.images([z]);
      this.batch = batch;
      this.paint(batch, 0);
      setText(this.speed, `${number(performance.now() - begun)} ms from slider to image`);
    } catch (error) {
      showError(error);
    }
  }

  /// The latents of the points that are shown beside the one under the sliders, for a toy data set.
  async cloudLatents() {
    this.cloud ??= (await get(runPath(this.run.id, `/noise?seed=1&n=${POINTS}`), this.signal)).z;
    return this.cloud;
  }

  paint(batch, at) {
    if (this.points) drawPoints(this.image, batch, MAX_SIZE, at);
    else draw(this.image, batch, at);
  }

  async newImage() {
    this.seed = Math.floor(Math.random() * 1e9);
    try {
      const { z } = await get(runPath(this.run.id, `/noise?seed=${this.seed}&n=1`), this.signal);
      this.sliders.set(z[0]);
      await this.render();
      if (this.gallery && !this.gallery.childElementCount) {
        await this.renderGallery();
        if (this.galleryBatch) this.drawing.ground(brightness(this.galleryBatch) > 0.5);
      }
    } catch (error) {
      showError(error);
    }
  }

  async renderGalleryNow() {
    try {
      const names = this.everyClass?.checked ? this.run.labels.names : null;
      const z = names
        ? names.map(() => this.sliders.value())
        : (await get(runPath(this.run.id, `/noise?seed=${this.seed + 1}&n=${GALLERY}`), this.signal)).z;
      const batch = await this.images(z, names ? { classes: names, class: undefined } : {});
      this.galleryBatch = batch;
      replace(
        this.gallery,
        z.map((one, at) => {
          const picture = canvas(this.run.shape, 64, "");
          picture.setAttribute("aria-hidden", "true");
          draw(picture, batch, at);
          return h(
            "button",
            {
              type: "button",
              "aria-label": names ? `Class ${names[at]}` : `Choose image ${at + 1}`,
              title: names ? names[at] : null,
              onclick: () => {
                this.walk.stop();
                this.sliders.set(one);
                this.batch = single(batch, at);
                this.render();
              },
            },
            picture,
          );
        }),
      );
    } catch (error) {
      showError(error);
    }
  }

  save() {
    const large = document.createElement("canvas");
    const times = Math.max(1, Math.floor(512 / this.image.width));
    large.width = this.image.width * times;
    large.height = this.image.height * times;
    const context = large.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(this.image, 0, 0, large.width, large.height);
    const link = h("a", { download: `${this.run.id}.png`, href: large.toDataURL("image/png") });
    link.click();
  }
}
