// A line chart: the frame around a plot that says the same in words. Curves are told apart by colour, dash and mark; a cursor
// for mouse and arrow keys, whose values are in the legend; a table of the numbers for those who don't see the plot. Charts
// that share a `link` share the cursor.

import { h, replace, setText } from "../app/dom.js";
import { number, plural } from "../app/format.js";
import { AXES } from "./axes.js";
import { interpolate, nearest, smooth } from "./curve.js";
import { lineSample, lineStyle } from "./line-style.js";
import { Plot } from "./plot.js";
import { uPlot } from "./uplot.js";

const TABLE_ROWS = 20;
const SMOOTHING = 0.9;
const HELP = "The arrow keys read values. Plus and minus zoom, 0 shows all.";
let count = 0;

/// options: { title, note, series: [{ key, name, colour, dash, mark }], format, tick, link, fixed: [low, high], smooth }.
/// Returns { element, set(data), pin(step), smoothing(weight), log(on), axis(name) } where data = { curves: { key: { x, y, time,
/// epoch } }, findings: [{ step }] } (x is in steps; `time` and `epoch` are optional), or { x, y: { key: [] } } for one x.
export function chart(options) {
  count += 1;
  return new Chart({ format: number, ...options }, `chart-${count}`).handle();
}

class Chart {
  constructor(options, id) {
    this.o = options;
    this.id = id;
    this.series = options.series.map((one, at) => ({ ...lineStyle(at), ...one }));
    this.weight = options.smooth ? SMOOTHING : 0;
    Object.assign(this, {
      axis: AXES.step,
      isLog: false,
      hidden: new Set(),
      curves: {},
      findings: [],
      xs: [],
      at: null,
      pinned: null,
    });
    this.build();
    this.plot = new Plot(this.place, this.series, {
      fixed: options.fixed,
      tick: (value) => this.tick(value),
      onCursor: (index) => this.pointed(index),
      onZoom: (zoomed) => {
        this.all.hidden = !zoomed;
      },
    });
  }

  handle() {
    const change = (field) => (value) => {
      this[field] = value;
      this.schedule();
    };
    return {
      element: this.element,
      set: (data) => this.set(data),
      pin: change("pinned"),
      smoothing: (weight) => this.o.smooth && change("weight")(weight),
      log: change("isLog"),
      axis: (name) => {
        this.axis = AXES[name];
        this.at = null;
        this.arrange();
      },
    };
  }

  build() {
    const { title, note } = this.o;
    this.values = this.series.map(() => h("b", { class: "number" }, "–"));
    this.softValues = this.series.map(() => h("span", { class: "muted number" }));
    this.where = h("span", { class: "muted number small" });
    this.cut = h("span", { class: "cut", hidden: true });
    this.all = h(
      "button",
      { class: "link-button small", type: "button", hidden: true, onclick: () => this.plot.zoom() },
      "Reset zoom",
    );
    const legend = h(
      "ul",
      { class: "legend" },
      this.series.map((one, at) => this.legendEntry(one, at)),
    );
    this.place = h("div", {
      class: "plot",
      role: "slider",
      tabindex: 0,
      "aria-label": `${title}, chart`,
      "aria-description": HELP,
    });
    for (const [name, value] of Object.entries({ min: 0, max: 0, now: 0, text: "no values yet" }))
      this.place.setAttribute(`aria-value${name}`, value);
    this.table = h("div", { class: "numbers", tabindex: 0, role: "group", "aria-label": `${title} in numbers` });
    this.numbers = h("details", { ontoggle: () => this.fillTable() }, h("summary", {}, "Numbers"), this.table);
    this.element = h(
      "figure",
      { class: "chart", "aria-labelledby": this.id },
      h(
        "figcaption",
        {},
        h("h3", { id: this.id }, title),
        h("span", { class: "row" }, this.all, this.where),
        note ? h("span", { class: "cut" }, note) : null,
        legend,
        this.cut,
      ),
      this.place,
      this.numbers,
    );
    this.listen();
  }

  /// A curve's name and value; where there are several curves, a button that hides and shows it.
  legendEntry(one, at) {
    const sample = lineSample(one);
    if (this.series.length < 2)
      return h("li", {}, sample, h("span", {}, one.name), this.values[at], this.softValues[at]);
    const button = h(
      "button",
      { class: "legend-button", type: "button", "aria-pressed": "true", title: "Hide or show this curve" },
      sample,
      h("span", {}, one.name),
    );
    button.addEventListener("click", () => {
      const hide = !this.hidden.has(at);
      if (hide) this.hidden.add(at);
      else this.hidden.delete(at);
      button.setAttribute("aria-pressed", String(!hide));
      this.schedule();
    });
    return h("li", {}, button, this.values[at], this.softValues[at]);
  }

  listen() {
    this.place.addEventListener("click", () => this.choose());
    this.place.addEventListener("blur", () => this.move(null));
    this.place.addEventListener("keydown", (event) => this.key(event));
    this.o.link?.addEventListener("cursor", (event) => {
      if (event.detail.from === this) return;
      this.at = event.detail.at;
      this.drawCursor();
    });
  }

  /// The pointer is over point `index` of the plot, or has left it. Also called when the plot changes under a cursor that the
  /// keyboard has placed: nothing to do then.
  pointed(index) {
    if (index === null ? !this.byPointer : !this.place.matches(":hover")) return;
    this.byPointer = index !== null;
    const x = this.byPointer ? (this.plotXs[index] ?? null) : null;
    if (x === this.at) return;
    this.at = x;
    this.say();
    this.o.link?.dispatchEvent(new CustomEvent("cursor", { detail: { at: x, from: this } }));
  }

  /// Asks for the sheet of the step at the cursor.
  choose() {
    const curve = Object.values(this.curves).find((one) => one.x.length);
    if (this.at === null || !curve) return;
    this.o.link?.dispatchEvent(new CustomEvent("choose", { detail: curve.x[nearest(this.along(curve), this.at)] }));
  }

  key(event) {
    if (!this.xs.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.xs.length - 1;
    const now = this.at === null ? last : nearest(this.xs, this.at);
    const leap = Math.max(1, Math.round(last / 10));
    const next = {
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      PageDown: now - leap,
      PageUp: now + leap,
      Home: 0,
      End: last,
    }[event.key];
    const factor = { "+": 0.5, "=": 0.5, "-": 2, 0: Infinity, Escape: Infinity }[event.key];
    if (event.key === "Enter") this.choose();
    if (factor) this.zoom(factor, this.xs[now]);
    if (next !== undefined) this.move(this.xs[Math.min(last, Math.max(0, next))]);
    if (factor || next !== undefined) event.preventDefault();
  }

  zoom(factor, centre) {
    if (factor === Infinity) return this.plot.zoom();
    const [low, high] = this.plot.shown();
    const half = (factor * (high - low)) / 2;
    return this.plot.zoom(centre - half, centre + half);
  }

  move(at) {
    this.byPointer = false;
    this.at = at;
    this.drawCursor();
    this.o.link?.dispatchEvent(new CustomEvent("cursor", { detail: { at, from: this } }));
  }

  set(data) {
    this.curves =
      data.curves ?? Object.fromEntries(this.series.map((one) => [one.key, { ...data, y: data.y[one.key] ?? [] }]));
    this.findings = data.findings ?? [];
    this.arrange();
  }

  /// A curve's values on the present x axis.
  along(curve) {
    return curve[this.axis.field] ?? curve.x;
  }

  /// All x values, for the keyboard and the table.
  arrange() {
    const lists = Object.values(this.curves).map((curve) => this.along(curve));
    this.xs = lists.every((list) => list === lists[0])
      ? (lists[0] ?? [])
      : [...new Set(lists.flat())].sort((a, b) => a - b);
    this.schedule();
    this.fillTable();
  }

  schedule() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  draw() {
    const curves = this.series.map((one) => this.curves[one.key] ?? { x: [], y: [] });
    this.soft = curves.map((curve) => (this.weight ? smooth(curve.y, this.weight) : null));
    const parts = curves.map((curve, at) => {
      const raw = curve.y.map((value) => (Number.isFinite(value) ? value : null));
      return [this.along(curve), raw, this.soft[at] ?? raw];
    });
    const joined = aligned(parts);
    this.plotXs = joined.xs;
    const first = curves.find((curve) => curve.x.length);
    const place = (step) => (first ? interpolate(first.x, this.along(first), step) : step);
    this.plot.draw({
      ...joined,
      axis: this.axis,
      log: this.isLog,
      smoothed: this.weight > 0,
      hidden: this.hidden,
      findings: this.findings.map((one) => place(one.step)),
      pinned: this.pinned === null ? null : place(this.pinned),
    });
    const { cut, extreme } = this.plot.cut;
    this.cut.hidden = Boolean(this.o.fixed) || this.isLog || !cut;
    if (!this.cut.hidden) setText(this.cut, `${plural(cut, "value")} off the chart, up to ${this.o.format(extreme)}`);
    this.drawCursor();
  }

  tick(value) {
    if (this.o.tick) return this.o.tick(value);
    const rounded = Number(value.toPrecision(6));
    const short = Math.abs(value) >= 10000 || (value !== 0 && Math.abs(value) < 0.001);
    return (short ? rounded.toExponential() : String(rounded)).replace("-", "−").replace("e+", "e");
  }

  drawCursor() {
    this.plot.cursor(this.at);
    this.say();
  }

  /// Writes the values at the cursor, or the last ones, into the legend and for screen readers.
  say() {
    const { axis, at } = this;
    const said = [];
    this.series.forEach((one, which) => {
      const curve = this.curves[one.key];
      if (!curve?.x.length) return;
      const index = at === null ? curve.x.length - 1 : nearest(this.along(curve), at);
      const value = this.o.format(curve.y[index]);
      setText(this.values[which], value);
      const soft = this.soft?.[which]?.[index];
      setText(this.softValues[which], Number.isFinite(soft) ? `smoothed ${this.o.format(soft)}` : "");
      said.push(`${one.name} ${value}`);
    });
    const last = this.xs.length ? this.xs[this.xs.length - 1] : null;
    const x = at ?? last;
    setText(this.where, x === null ? "" : `${axis.name} ${axis.format(x)}`);
    if (x === null) return;
    const values = { min: this.xs[0], max: last, now: x, text: `${axis.name} ${axis.format(x)}: ${said.join(", ")}` };
    for (const [name, value] of Object.entries(values)) this.place.setAttribute(`aria-value${name}`, value);
  }

  fillTable() {
    if (!this.numbers.open) return;
    const { xs, axis } = this;
    const every = Math.max(1, Math.ceil(xs.length / TABLE_ROWS));
    const rows = xs.filter((_, at) => at % every === 0 || at === xs.length - 1);
    const cell = (one, x) => {
      const curve = this.curves[one.key];
      const index = curve ? this.along(curve).indexOf(x) : -1;
      return h("td", { class: "n" }, index < 0 ? "" : this.o.format(curve.y[index]));
    };
    const head = h(
      "tr",
      {},
      h("th", { scope: "col" }, axis.name),
      this.series.map((one) => h("th", { scope: "col", class: "n" }, one.name)),
    );
    const body = rows.map((x) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, axis.format(x)),
        this.series.map((one) => cell(one, x)),
      ),
    );
    replace(this.table, h("table", { class: "data" }, h("thead", {}, head), h("tbody", {}, body)));
  }
}

/// Curves, each [x, raw values, line's values], over one list of x: { xs, raw, lines }. Where a curve has no point, its value is
/// undefined, and its line goes on to its next point.
function aligned(parts) {
  const same = parts.every(([xs]) => xs === parts[0][0]);
  if (same) return { xs: parts[0][0], raw: parts.map((part) => part[1]), lines: parts.map((part) => part[2]) };
  const [xs, ...values] = uPlot.join(parts);
  return { xs, raw: values.filter((_, at) => at % 2 === 0), lines: values.filter((_, at) => at % 2 === 1) };
}
