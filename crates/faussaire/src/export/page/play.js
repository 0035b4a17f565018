"use strict";
// The page around the engine. Images are drawn in workers, so that the page stays responsive; where a browser allows none, they
// are drawn here, between two frames.

const model = JSON.parse(document.getElementById("net").textContent);
const find = (id) => document.getElementById(id);
const [high, wide, channels] = model.shape;
const points = high * wide === 1;
const SHEET = 12,
  STEPS = 24;

/** A standard normal latent from `seed`: mulberry32 and Box-Muller. */
function noise(seed) {
  const uniform = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return Array.from(
    { length: model.latent },
    () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

/** Draws images in up to four workers, or in the page itself. */
function Queue() {
  const jobs = new Map(),
    queue = [],
    idle = [];
  let number = 0,
    here = null;
  const text = find("weights").textContent;
  const draw_here = () => {
    here = here || Engine(model, unpack(text, model.half));
    const [id, z, labels] = queue.shift(),
      began = performance.now(),
      values = here.draw(z, labels);
    const done = jobs.get(id);
    jobs.delete(id);
    done([values, performance.now() - began]);
    if (queue.length) setTimeout(draw_here);
  };
  const next = () => {
    while (idle.length && queue.length) idle.pop().postMessage(queue.shift());
  };
  let workers = 0;
  try {
    const source =
      find("engine").textContent +
      `
      let engine;
      onmessage = ({ data }) => {
        if (!Array.isArray(data)) { engine = Engine(data.model, unpack(data.text, data.model.half)); postMessage(null); return; }
        const began = performance.now(), values = engine.draw(data[1], data[2]);
        postMessage([data[0], values, performance.now() - began], [values.buffer]);
      };`;
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    for (; workers < Math.max(1, Math.min(4, (navigator.hardwareConcurrency || 2) - 1)); workers++) {
      const worker = new Worker(address);
      worker.onmessage = ({ data }) => {
        if (data) {
          const done = jobs.get(data[0]);
          jobs.delete(data[0]);
          if (done) done(data.slice(1));
        }
        idle.push(worker);
        next();
      };
      // A worker that can't start: some browsers refuse only here.
      worker.onerror = () => {
        workers--;
        if (workers === 0 && queue.length) draw_here();
      };
      worker.postMessage({ model, text });
    }
  } catch {
    workers = 0;
  }
  return {
    /** Resolves to the pixels for a latent and labels, and the milliseconds they took; `urgent` jobs go first. */
    draw: (z, labels, urgent) =>
      new Promise((done) => {
        const job = [++number, z, labels, urgent];
        jobs.set(number, done);
        if (urgent) queue.unshift(job);
        else queue.push(job);
        if (workers > 0) next();
        else if (queue.length === 1) setTimeout(draw_here);
      }),
    /** Drops the waiting jobs that aren't urgent. */
    clear: () => {
      const kept = queue.filter(([id, , , urgent]) => urgent || !jobs.delete(id));
      queue.splice(0, queue.length, ...kept);
    },
  };
}

// Transparent images are shown over a checkerboard.
document.body.classList.toggle("alpha", channels === 4);
const drawing = Queue();
const state = {
  seed: 0,
  base: model.samples[0],
  labels: (model.rows[0] || []).slice(),
  moved: model.directions.map(() => 0),
  truncation: 1,
};

/** The latent that the sliders describe. */
function latent(base) {
  const z = base.map((v) => v * state.truncation);
  model.directions.forEach((direction, i) => direction.forEach((d, k) => (z[k] += state.moved[i] * d)));
  return z;
}

function paint(canvas, values) {
  [canvas.width, canvas.height] = [wide, high];
  const bytes = to_bytes(values, model.bounds),
    pixels = new Uint8ClampedArray(4 * high * wide);
  for (let p = 0; p < high * wide; p++) {
    for (let k = 0; k < 3; k++) pixels[4 * p + k] = bytes[p * channels + (channels === 1 ? 0 : k)];
    pixels[4 * p + 3] = channels === 4 ? bytes[4 * p + 3] : 255;
  }
  canvas.getContext("2d").putImageData(new ImageData(pixels, wide, high), 0, 0);
}

const picture = find("picture"),
  said = find("said");
let asked = 0,
  busy = false,
  shown = null;

/** Draws the image for the present controls; while one is drawn, only the last request is kept. */
async function show(quiet) {
  asked++;
  if (busy) return;
  busy = true;
  for (let turn = 0; turn !== asked;) {
    turn = asked;
    const [values] = await drawing.draw(latent(state.base), state.labels, true);
    shown = values;
    if (points) plot();
    else paint(picture, shown);
    const name = described();
    if (!quiet) said.textContent = name;
  }
  busy = false;
}

function described() {
  const held = model.labels.names.filter((_, i) => state.labels[i] > 0);
  const name = held.length ? held.join(", ") : model.labels.names.length ? "no attribute" : "";
  picture.setAttribute("aria-label", name ? `Generated image: ${name}` : "Generated image");
  return name;
}

// For generators of points in the plane: many points, and the one that the sliders move.

const cloud = [];
async function gather() {
  for (let i = 0; i < 1500; i++) {
    cloud.push((await drawing.draw(noise(1000 + i), state.labels))[0]);
    if (i % 250 === 249) plot();
  }
}

function plot() {
  const side = 448,
    [low, top] = model.bounds;
  [picture.width, picture.height] = [side, side];
  const pen = picture.getContext("2d"),
    ink = getComputedStyle(document.body);
  const place = (point) => [((point[0] - low) / (top - low)) * side, side - ((point[1] - low) / (top - low)) * side];
  pen.fillStyle = ink.getPropertyValue("--card");
  pen.fillRect(0, 0, side, side);
  pen.fillStyle = ink.getPropertyValue("--c0");
  for (const point of cloud) {
    const [x, y] = place(point);
    pen.fillRect(x - 1.5, y - 1.5, 3, 3);
  }
  if (shown) {
    const [x, y] = place(shown);
    pen.strokeStyle = ink.getPropertyValue("--accent");
    pen.lineWidth = 3;
    pen.beginPath();
    pen.arc(x, y, 8, 0, 2 * Math.PI);
    pen.stroke();
  }
}

// The gallery.

const images = find("images");
let sheet = model.samples.slice(0, SHEET).map((base, i) => ({ base, labels: model.rows[i] || [], seed: null }));

function fill() {
  images.textContent = "";
  sheet.forEach((entry, i) => {
    const button = images.appendChild(document.createElement("button")),
      canvas = button.appendChild(document.createElement("canvas"));
    button.type = "button";
    const held = model.labels.names.filter((_, k) => entry.labels[k] > 0).join(", ");
    button.setAttribute("aria-label", `image ${i + 1}${held ? `: ${held}` : ""}`);
    button.onclick = () => (stop_walking(), choose(entry, button));
    if (i === 0) button.setAttribute("aria-current", "true");
    [canvas.width, canvas.height] = [wide, high];
    drawing.draw(entry.base, entry.labels).then(([values]) => paint(canvas, values));
  });
}

function choose(entry, button) {
  images.querySelectorAll("[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
  if (button) button.setAttribute("aria-current", "true");
  Object.assign(state, { base: entry.base, labels: entry.labels.slice(), seed: entry.seed });
  find("seed").value = entry.seed === null ? "" : entry.seed;
  check_labels();
  show();
}

// Labels: one of the classes, or any of the attributes.

const radio = model.labels.kind === "classes";
function offer_labels() {
  if (!model.labels.names.length) return;
  const group = find("labels").appendChild(document.createElement("fieldset"));
  group.appendChild(document.createElement("legend")).textContent = radio ? "Class" : "Attributes";
  const choices = group.appendChild(document.createElement("div"));
  choices.className = "choices";
  model.labels.names.forEach((name, i) => {
    const label = choices.appendChild(document.createElement("label")),
      input = label.appendChild(document.createElement("input"));
    label.append(name.replaceAll("_", " "));
    Object.assign(input, { type: radio ? "radio" : "checkbox", name: "label" });
    input.onchange = () => {
      if (radio) state.labels.fill(0);
      state.labels[i] = input.checked ? 1 : 0;
      show();
    };
  });
  check_labels();
}

function check_labels() {
  find("labels")
    .querySelectorAll("input")
    .forEach((input, i) => (input.checked = state.labels[i] > 0));
}

function offer_directions() {
  model.directions.forEach((_, i) => {
    const row = find("directions").appendChild(document.createElement("label"));
    row.className = "row";
    row.innerHTML = `<span>Direction ${i + 1}</span><input type="range" min="-4" max="4" step="0.05" value="0"><output>0.00</output>`;
    row.querySelector("input").oninput = (event) => {
      state.moved[i] = Number(event.target.value);
      row.querySelector("output").textContent = state.moved[i].toFixed(2);
      show(true);
    };
  });
}

function reset() {
  state.moved.fill(0);
  find("directions")
    .querySelectorAll("input")
    .forEach((input) => (input.value = 0));
  find("directions")
    .querySelectorAll("output")
    .forEach((output) => (output.textContent = "0.00"));
}

function new_image(seed) {
  const labels = radio || !model.labels.names.length ? state.labels : state.labels.slice();
  choose({ base: noise(seed), labels, seed }, null);
}

// A walk from image to image, on great circles as in `faussaire sample -o walk.gif`.

let walking = 0,
  wandering = false;
async function walk() {
  const turn = ++walking;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (let from = state.base, seed = Date.now() >>> 0; turn === walking; seed++) {
    const to = noise(seed);
    for (let i = 1; i <= STEPS && turn === walking; i++) {
      state.base = between(from, to, i / STEPS);
      await show(true);
      await new Promise((done) => setTimeout(done, still ? 600 : 40));
    }
    from = to;
  }
}

function between(a, b, t) {
  const dot = (x, y) => x.reduce((sum, v, i) => sum + v * y[i], 0);
  const angle = Math.acos(Math.max(-1, Math.min(1, dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)))));
  const [from, to] =
    Math.sin(angle) < 1e-4
      ? [1 - t, t]
      : [Math.sin((1 - t) * angle), Math.sin(t * angle)].map((v) => v / Math.sin(angle));
  return a.map((v, i) => from * v + to * b[i]);
}

function stop_walking() {
  walking++;
  wandering = false;
  find("walk").textContent = "Wander";
}

find("new").onclick = () => (stop_walking(), new_image(Math.floor(Math.random() * 2 ** 32)));
find("seed").onchange = (event) =>
  event.target.value !== "" && (stop_walking(), new_image(Number(event.target.value) >>> 0));
find("walk").onclick = () => {
  if (wandering) return stop_walking();
  wandering = true;
  find("walk").textContent = "Pause";
  walk();
};
find("truncation").oninput = (event) => {
  state.truncation = Number(event.target.value);
  find("truncation-value").textContent = state.truncation.toFixed(2);
  show(true);
};
find("reset").onclick = () => (reset(), show());
find("more").onclick = () => {
  drawing.clear();
  const start = Math.floor(Math.random() * 2 ** 31);
  sheet = sheet.map((entry, i) => ({ base: noise(start + i), labels: entry.labels, seed: start + i }));
  fill();
};
find("save").onclick = () =>
  picture.toBlob((blob) => {
    const link = Object.assign(document.createElement("a"), {
      href: URL.createObjectURL(blob),
      download: `${model.name}.png`,
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });

/** With `#dump` in the address: the bytes of the first images as text, to compare them with another program's. */
async function dump() {
  const lines = [];
  for (let i = 0; i < model.samples.length; i++) {
    const [values] = await drawing.draw(model.samples[i], model.rows[i] || []);
    lines.push(Array.from(to_bytes(values, model.bounds), (b) => b.toString(16).padStart(2, "0")).join(""));
  }
  document.body.appendChild(
    Object.assign(document.createElement("pre"), { id: "dump", textContent: lines.join("\n") }),
  );
}

offer_labels();
offer_directions();
if (points) {
  find("sheet").hidden = true;
  gather();
} else {
  fill();
}
show();
if (location.hash === "#dump") dump();
