// A line chart in SVG: curves told apart by colour, dash and mark; a cursor for mouse, touch and arrow keys whose values
// stand in the legend; the same numbers as a table for those who don't see it. Charts that share a `link` share the cursor.

import { h, s, replace, setText } from "../app/dom.js";
import { number, whole, plural } from "../app/format.js";
import { ticks, range, smooth, path, nearest } from "./scale.js";

const HEIGHT = 176;
const PAD = { left: 46, right: 12, top: 8, bottom: 22 };
const DASHES = ["none", "7 4", "2 3", "10 3 2 3", "14 4", "5 2 1 2 1 2"];
const COLOURS = ["expert", "counterfeiter", "3", "4", "5", "6"];
const TABLE_ROWS = 20;
let count = 0;

/// The usual look of the `at`-th curve of a chart: { colour, dash, mark }.
export const look = (at) => ({ colour: COLOURS[at % 6], dash: DASHES[at % 6], mark: at % 6 });

/// A mark: circle, square, triangle, diamond, cross, lying triangle.
export function mark(kind, x, y, size = 3.5) {
  const r = size;
  const shapes = [
    () => s("circle", { cx: x, cy: y, r }),
    () => s("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r }),
    () => s("path", { d: `M${x} ${y - r * 1.2}L${x + r * 1.15} ${y + r}H${x - r * 1.15}z` }),
    () => s("path", { d: `M${x} ${y - r * 1.35}L${x + r * 1.35} ${y}L${x} ${y + r * 1.35}L${x - r * 1.35} ${y}z` }),
    () => s("path", { d: `M${x - r} ${y - r}L${x + r} ${y + r}M${x + r} ${y - r}L${x - r} ${y + r}` }),
    () => s("path", { d: `M${x - r} ${y - r * 1.15}L${x + r * 1.2} ${y}L${x - r} ${y + r * 1.15}z` }),
  ];
  const element = shapes[kind % shapes.length]();
  element.setAttribute("class", "mark");
  return element;
}

/// options: { title, note, series: [{ key, name, colour, dash, mark }], format, link, fixed: [low, high], smooth, unit, xName }.
/// Returns { element, set(data), pin(x), smoothing(on) } where data = { x: [], y: { key: [] }, findings: [{ step, name }] }, or with
/// its own x per curve: { curves: { key: { x, y } } }.
export function chart(options) {
  count += 1;
  return new Chart({ format: number, xName: "step", findings: [], ...options }, `chart-${count}`).handle();
}

class Chart {
  constructor(options, id) {
    this.o = options;
    this.id = id;
    this.series = options.series.map((one, at) => ({ ...look(at), ...one }));
    this.smoothed = Boolean(options.smooth);
    this.curves = {};
    this.findings = [];
    this.at = null;
    this.pinned = null;
    this.build();
  }

  handle() {
    return {
      element: this.element,
      set: (data) => this.set(data),
      pin: (x) => { this.pinned = x; this.schedule(); },
      smoothing: (on) => { this.smoothed = on; this.schedule(); },
    };
  }

  build() {
    const { title, note } = this.o;
    this.values = Object.fromEntries(this.series.map((one) => [one.key, h("b", { class: "number" }, "–")]));
    this.place = h("span", { class: "muted number small" });
    this.cut = h("span", { class: "cut", hidden: true });
    this.legend = h("ul", { class: "legend" }, this.series.map((one) => this.legendLine(one)));
    this.plot = s("svg", { class: "plot", role: "slider", tabindex: 0, "aria-label": `${title}: read values with the arrow keys`, "aria-valuemin": 0, "aria-valuemax": 0, "aria-valuenow": 0, "aria-valuetext": "no values yet" });
    this.numbers = h("details", {}, h("summary", {}, "Numbers"), h("div", { class: "numbers", tabindex: 0, role: "group", "aria-label": `${title} in numbers` }));
    this.numbers.addEventListener("toggle", () => this.table());
    this.element = h("figure", { class: "chart" },
      h("figcaption", {}, h("h3", {}, title), this.place, note ? h("span", { class: "cut" }, note) : null, this.legend, this.cut),
      this.plot, this.numbers);
    this.watch();
  }

  legendLine(one) {
    const sample = s("svg", { viewBox: "0 0 30 12", class: `c-${one.colour}`, "aria-hidden": "true" },
      s("path", { d: "M0 6H30", class: "stroke", "stroke-width": 2, "stroke-dasharray": one.dash }), mark(one.mark, 15, 6, 3));
    return h("li", {}, sample, h("span", {}, one.name), this.values[one.key]);
  }

  watch() {
    new ResizeObserver(() => this.schedule()).observe(this.plot);
    this.plot.addEventListener("pointermove", (event) => this.pointAt(event));
    this.plot.addEventListener("pointerdown", (event) => {
      this.pointAt(event);
      if (this.at !== null) this.o.link?.dispatchEvent(new CustomEvent("choose", { detail: this.at }));
    });
    this.plot.addEventListener("pointerleave", () => this.move(null));
    this.plot.addEventListener("blur", () => this.move(null));
    this.plot.addEventListener("keydown", (event) => this.key(event));
    this.o.link?.addEventListener("cursor", (event) => {
      if (event.detail.from === this) return;
      this.at = event.detail.at;
      this.drawCursor();
    });
  }

  pointAt(event) {
    const box = this.plot.getBoundingClientRect();
    if (!this.xs?.length || !this.unx) return;
    this.move(this.xs[nearest(this.xs, this.unx(event.clientX - box.left))]);
  }

  key(event) {
    if (!this.xs?.length) return;
    const last = this.xs.length - 1;
    const now = this.at === null ? last : nearest(this.xs, this.at);
    const leap = Math.max(1, Math.round(last / 10));
    const next = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, PageDown: now - leap, PageUp: now + leap, Home: 0, End: last }[event.key];
    if (event.key === "Enter" && this.at !== null) this.o.link?.dispatchEvent(new CustomEvent("choose", { detail: this.at }));
    if (next === undefined) return;
    event.preventDefault();
    this.move(this.xs[Math.min(last, Math.max(0, next))]);
  }

  move(at) {
    this.at = at;
    this.drawCursor();
    this.o.link?.dispatchEvent(new CustomEvent("cursor", { detail: { at, from: this } }));
  }

  set(data) {
    this.curves = data.curves ?? Object.fromEntries(this.series.map((one) => [one.key, { x: data.x, y: data.y[one.key] ?? [] }]));
    this.findings = data.findings ?? [];
    const lists = Object.values(this.curves).map((curve) => curve.x);
    this.xs = lists.every((list) => list === lists[0]) ? lists[0] ?? [] : [...new Set(lists.flat())].sort((a, b) => a - b);
    this.schedule();
    if (this.numbers.open) this.table();
  }

  schedule() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.draw(); });
  }

  draw() {
    const width = this.plot.clientWidth;
    if (!width) return;
    this.plot.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const shown = this.series.map((one) => this.curves[one.key] ?? { x: [], y: [] });
    const soft = shown.map((curve) => (this.smoothed && curve.y.length > 40 ? smooth(curve.y) : null));
    const found = range(shown.map((curve) => curve.y));
    const { low, high } = this.o.fixed ? { low: this.o.fixed[0], high: this.o.fixed[1] } : found;
    const [x0, x1] = this.xs?.length ? [Math.min(this.xs[0], this.o.from ?? this.xs[0]), this.xs[this.xs.length - 1]] : [0, 1];
    const right = width - PAD.right;
    const bottom = HEIGHT - PAD.bottom;
    this.px = (x) => PAD.left + ((x - x0) / (x1 - x0 || 1)) * (right - PAD.left);
    this.unx = (p) => x0 + ((p - PAD.left) / (right - PAD.left)) * (x1 - x0);
    this.py = (y) => Math.min(bottom, Math.max(PAD.top, bottom - ((y - low) / (high - low || 1)) * (bottom - PAD.top)));
    replace(this.plot, this.axes(low, high, x0, x1, right, bottom), this.findingMarks(bottom), this.lines(shown, soft), this.pinLine(bottom));
    this.overlay = this.plot.appendChild(s("g", {}));
    this.cut.hidden = this.o.fixed || !found.cut;
    if (found.cut && !this.o.fixed) setText(this.cut, `${plural(found.cut, "value")} beyond the frame, up to ${this.o.format(found.extreme)}`);
    this.drawCursor();
  }

  axes(low, high, x0, x1, right, bottom) {
    const group = s("g", { "aria-hidden": "true" });
    for (const value of ticks(low, high, 4)) {
      const y = this.py(value);
      group.append(s("line", { class: "grid", x1: PAD.left, x2: right, y1: y, y2: y }), s("text", { x: PAD.left - 6, y: y + 4, "text-anchor": "end" }, this.tick(value)));
    }
    for (const value of this.xs?.length > 1 ? ticks(x0, x1, Math.max(2, Math.floor(right / 110))) : this.xs ?? []) {
      group.append(s("text", { x: this.px(value), y: HEIGHT - 6, "text-anchor": this.px(value) > right - 20 ? "end" : "middle" }, whole(value)));
    }
    group.append(s("line", { class: "frame", x1: PAD.left, x2: right, y1: bottom, y2: bottom }));
    return group;
  }

  tick(value) {
    if (this.o.tick) return this.o.tick(value);
    return Math.abs(value) >= 10000 || (value !== 0 && Math.abs(value) < 0.001) ? value.toExponential(0) : String(value).replace("-", "−");
  }

  lines(shown, soft) {
    return shown.map((curve, at) => {
      const one = this.series[at];
      const group = s("g", { class: `c-${one.colour}` });
      const drawn = (values, name, dash) => s("path", { d: path(curve.x, values, this.px, this.py), class: `${name} stroke`, "stroke-dasharray": dash });
      if (soft[at]) group.append(drawn(curve.y, "raw", "none"));
      group.append(drawn(soft[at] ?? curve.y, "line", one.dash));
      for (const index of this.markPlaces(curve, at)) {
        const value = (soft[at] ?? curve.y)[index];
        if (Number.isFinite(value)) group.append(mark(one.mark, this.px(curve.x[index]), this.py(value)));
      }
      return group;
    });
  }

  /// Where marks stand: every point of a short curve, else five places that differ from curve to curve.
  markPlaces(curve, at) {
    const length = curve.x.length;
    if (length <= 12) return curve.x.keys();
    return [0.1, 0.3, 0.5, 0.7, 0.9].map((share) => Math.floor((share + (0.2 * at) / Math.max(2, this.series.length) - 0.05) * (length - 1)));
  }

  findingMarks(bottom) {
    return this.findings.map((finding) => {
      const x = this.px(finding.step);
      return s("g", { "aria-hidden": "true" }, s("line", { class: "finding", x1: x, x2: x, y1: PAD.top, y2: bottom }), s("path", { class: "finding-mark", d: `M${x - 5} ${PAD.top - 6}h10l-5 8z` }), s("title", {}, finding.name));
    });
  }

  pinLine(bottom) {
    if (this.pinned === null) return [];
    const x = this.px(this.pinned);
    return [s("line", { class: "pin", x1: x, x2: x, y1: PAD.top, y2: bottom })];
  }

  drawCursor() {
    if (!this.overlay) return;
    const at = this.at;
    replace(this.overlay);
    if (at !== null) this.overlay.append(s("line", { class: "cursor", x1: this.px(at), x2: this.px(at), y1: PAD.top, y2: HEIGHT - PAD.bottom }));
    const said = [];
    for (const one of this.series) {
      const curve = this.curves[one.key];
      if (!curve?.x.length) continue;
      const index = at === null ? curve.x.length - 1 : nearest(curve.x, at);
      const value = curve.y[index];
      setText(this.values[one.key], this.o.format(value));
      said.push(`${one.name} ${this.o.format(value)}`);
      if (at !== null && Number.isFinite(value)) this.overlay.append(s("g", { class: `c-${one.colour}` }, mark(one.mark, this.px(curve.x[index]), this.py(value), 4)));
    }
    const last = this.xs?.length ? this.xs[this.xs.length - 1] : null;
    const step = at ?? last;
    setText(this.place, step === null ? "" : `${this.o.xName} ${whole(step)}`);
    if (step === null) return;
    this.plot.setAttribute("aria-valuemin", this.xs[0]);
    this.plot.setAttribute("aria-valuemax", last);
    this.plot.setAttribute("aria-valuenow", step);
    this.plot.setAttribute("aria-valuetext", `${this.o.xName} ${whole(step)}: ${said.join(", ")}`);
  }

  table() {
    if (!this.numbers.open) return;
    const xs = this.xs ?? [];
    const every = Math.max(1, Math.ceil(xs.length / TABLE_ROWS));
    const rows = xs.filter((_, at) => at % every === 0 || at === xs.length - 1);
    const cell = (one, x) => {
      const curve = this.curves[one.key];
      const index = curve ? curve.x.indexOf(x) : -1;
      return h("td", { class: "n" }, index < 0 ? "" : this.o.format(curve.y[index]));
    };
    replace(this.numbers.lastElementChild, h("table", { class: "data" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, this.o.xName), this.series.map((one) => h("th", { scope: "col", class: "n" }, one.name)))),
      h("tbody", {}, rows.map((x) => h("tr", {}, h("th", { scope: "row" }, whole(x)), this.series.map((one) => cell(one, x)))))));
  }
}
