// The drawing of a line chart with uPlot: smoothed lines over raw ones in grey, marks, the doctor's findings, the pinned step,
// a cursor, zoom by dragging. What a chart says in words is in chart.js.

import { uPlot } from "./uplot.js";
import { range } from "./curve.js";
import { colourOf, inks, markPath } from "./line-style.js";
import {
  ARCSINH,
  LOGARITHMIC,
  arcsinhRange,
  arcsinhTicks,
  linearPart,
  logRange,
  logTicks,
  scaleKind,
} from "./y-scale.js";

const HEIGHT = 190;
/// Curves of up to this many points get a mark on each.
const FEW_POINTS = 12;
const MARK_PLACES = [0.1, 0.3, 0.5, 0.7, 0.9];
const DRAG_PIXELS = 6;

export class Plot {
  /// Draws into `place`. `series`: [{ colour, dash, mark }]; `fixed`: the y axis' ends, or none; `tick(value)` writes a value on
  /// it. `onCursor(index)` is called with the place of the pointer on x or null, `onZoom(zoomed)` after each zoom.
  constructor(place, series, { fixed, tick, onCursor, onZoom }) {
    Object.assign(this, { place, series, fixed, tick, onCursor, onZoom });
    this.inks = inks(["ink", "muted", "line", "warn", "surface"]);
    this.colours = inks([...new Set(series.map((one) => one.colour))]);
    this.cut = { cut: 0, extreme: null };
    this.zoomed = null;
    place.append(...Object.values(this.inks), ...Object.values(this.colours));
    new ResizeObserver(() => this.fit()).observe(place);
    addEventListener("faussaire-theme", () => this.plot?.redraw());
  }

  /// Shows { axis, xs, raw: [values], lines: [values], log, smoothed, hidden: Set of indices, findings: [x], pinned: x or null }.
  draw(view) {
    this.view = view;
    if (!this.place.clientWidth) return;
    const kind = scaleKind(view.log && !this.fixed, view.raw);
    if (this.plot && (kind !== this.kind || view.axis !== this.axis)) this.remove();
    if (!this.plot) Object.assign(this, { kind, axis: view.axis, linear: linearPart(view.raw) });
    const data = [view.xs, ...view.raw, ...view.lines];
    if (!this.plot) this.plot = new uPlot(this.options(), data, this.place);
    else {
      this.plot.batch(() => {
        this.plot.setData(data, !this.zoomed);
        if (this.zoomed) this.plot.setScale("x", this.zoomed);
        this.showSeries();
      });
      this.plot.redraw();
    }
  }

  remove() {
    this.plot.destroy();
    this.plot = null;
    this.setZoom(null);
  }

  showSeries() {
    const count = this.series.length;
    this.series.forEach((_, at) => {
      const shown = !this.view.hidden.has(at);
      this.plot.setSeries(1 + at, { show: shown && this.view.smoothed });
      this.plot.setSeries(1 + count + at, { show: shown });
    });
  }

  options() {
    const { view, series } = this;
    const raw = series.map((_, at) => ({
      stroke: () => colourOf(this.inks.muted),
      alpha: 0.4,
      width: 1,
      points: { show: false },
      show: view.smoothed && !view.hidden.has(at),
    }));
    const lines = series.map((one, at) => ({
      stroke: () => this.colour(at),
      width: 1.75,
      dash: one.dash === "none" ? undefined : one.dash.split(" ").map((length) => length * devicePixelRatio),
      points: { show: false },
      show: !view.hidden.has(at),
    }));
    return {
      width: this.place.clientWidth,
      height: HEIGHT,
      padding: [10, 14, 0, 0],
      legend: { show: false },
      series: [{}, ...raw, ...lines],
      scales: { x: { time: false, range: (_, low, high) => xRange(low, high) }, y: this.yScale() },
      axes: this.axes(),
      cursor: this.cursorOptions(),
      hooks: {
        draw: [(plot) => this.drawMarks(plot)],
        setCursor: [(plot) => this.onCursor(plot.cursor.left < 0 ? null : plot.cursor.idx)],
        setScale: [(plot, key) => key === "x" && this.readZoom(plot)],
      },
    };
  }

  yScale() {
    if (this.fixed) return { range: this.fixed };
    if (this.kind === LOGARITHMIC) return { distr: LOGARITHMIC, range: (_, low, high) => logRange(low, high) };
    if (this.kind === ARCSINH) {
      return { distr: ARCSINH, asinh: this.linear, range: (_, low, high) => arcsinhRange(low, high) };
    }
    return {
      range: (plot) => {
        const [first, last] = plot.series[0].idxs ?? [0, 0];
        const shown = this.view.raw.filter((_, at) => !this.view.hidden.has(at));
        this.cut = range(shown.map((values) => values.slice(first, last + 1)));
        return [this.cut.low, this.cut.high];
      },
    };
  }

  /// Ticks of the y axis; uPlot's own on a linear one.
  yTicks() {
    const all = (_, ticks) => ticks;
    if (this.kind === LOGARITHMIC) return { splits: (_, __, low, high) => logTicks(low, high), filter: all };
    if (this.kind === ARCSINH)
      return { splits: (_, __, low, high) => arcsinhTicks(low, high, this.linear), filter: all };
    return {};
  }

  axes() {
    const { ticks, distances } = this.view.axis;
    const stroke = () => colourOf(this.inks.muted);
    const lines = { stroke: () => colourOf(this.inks.line), width: 1 };
    const font = `12px ${getComputedStyle(this.place).fontFamily}`;
    const none = { show: false };
    return [
      {
        stroke,
        font,
        grid: none,
        ticks: lines,
        border: { ...lines, show: true },
        size: 30,
        space: 76,
        incrs: distances,
        values: (_, at) => ticks(at),
      },
      {
        stroke,
        font,
        grid: lines,
        ticks: none,
        size: 50,
        space: 34,
        ...this.yTicks(),
        values: (_, at) => at.map((value) => (value === null ? "" : this.tick(value))),
      },
    ];
  }

  cursorOptions() {
    const count = this.series.length;
    return {
      y: false,
      drag: { x: true, y: false, setScale: true, dist: DRAG_PIXELS },
      points: {
        size: 9,
        width: 0,
        fill: (_, at) => this.colour(at - 1 - count),
        stroke: (_, at) => this.colour(at - 1 - count),
        show: (_, at) => (at > count ? document.createElement("div") : null),
      },
    };
  }

  colour(at) {
    return colourOf(this.colours[this.series[Math.max(0, at)].colour]);
  }

  /// Puts the cursor at `x`, or takes it away.
  cursor(x) {
    if (!this.plot) return;
    const left = x === null ? -10 : this.plot.valToPos(x, "x");
    this.plot.setCursor({ left, top: x === null ? -10 : 1 }, false);
  }

  /// Zooms to the part of the x axis from `low` to `high`; without them, shows all.
  zoom(low, high) {
    const { xs } = this.view;
    if (!this.plot || xs.length < 2) return;
    const [first, last] = [xs[0], xs[xs.length - 1]];
    this.plot.setScale(
      "x",
      low === undefined ? { min: first, max: last } : { min: Math.max(first, low), max: Math.min(last, high) },
    );
  }

  /// The part of the x axis that is shown.
  shown() {
    const { min, max } = this.plot.scales.x;
    return [min, max];
  }

  readZoom(plot) {
    const { min, max } = plot.scales.x;
    const xs = plot.data[0];
    const all = !xs.length || (min <= xs[0] && max >= xs[xs.length - 1]);
    this.setZoom(all ? null : { min, max });
  }

  setZoom(zoom) {
    const changed = Boolean(zoom) !== Boolean(this.zoomed);
    this.zoomed = zoom;
    if (changed) this.onZoom(Boolean(zoom));
  }

  fit() {
    if (!this.view || !this.place.clientWidth) return;
    if (this.plot) this.plot.setSize({ width: this.place.clientWidth, height: HEIGHT });
    else this.draw(this.view);
  }

  /// What uPlot doesn't draw: the pinned step, the findings, the marks on the lines.
  drawMarks(plot) {
    const { ctx, bbox } = plot;
    const scale = devicePixelRatio;
    ctx.save();
    const across = (x) => plot.valToPos(x, "x", true);
    const inside = (x) => across(x) >= bbox.left - 1 && across(x) <= bbox.left + bbox.width + 1;
    const vertical = (x, colour, dash) => {
      ctx.strokeStyle = colour;
      ctx.lineWidth = scale;
      ctx.setLineDash(dash.map((length) => length * scale));
      ctx.beginPath();
      ctx.moveTo(across(x), bbox.top);
      ctx.lineTo(across(x), bbox.top + bbox.height);
      ctx.stroke();
    };
    if (this.view.pinned !== null && inside(this.view.pinned))
      vertical(this.view.pinned, colourOf(this.inks.muted), [1, 3]);
    for (const x of this.view.findings.filter(inside)) {
      vertical(x, colourOf(this.inks.warn), []);
      stamp(ctx, "M-5 -8h10l-5 8z", across(x), bbox.top, scale, { fill: colourOf(this.inks.warn) });
    }
    ctx.setLineDash([]);
    this.series.forEach((one, at) => this.markLine(plot, one, at, scale));
    ctx.restore();
  }

  markLine(plot, one, at, scale) {
    if (this.view.hidden.has(at)) return;
    const values = this.view.lines[at];
    const look = { fill: colourOf(this.inks.surface), stroke: this.colour(at) };
    for (const index of this.markPlaces(values, at, plot.series[0].idxs)) {
      const [x, y] = [plot.valToPos(this.view.xs[index], "x", true), plot.valToPos(values[index], "y", true)];
      const { top, height } = plot.bbox;
      if (y >= top && y <= top + height) stamp(plot.ctx, markPath(one.mark), x, y, scale, look);
    }
  }

  /// Indices of the shown points that get a mark: all of a short curve, else five that differ from curve to curve.
  markPlaces(values, at, [first, last] = [0, -1]) {
    const points = [];
    for (let index = Math.max(0, first ?? 0); index <= (last ?? -1); index += 1)
      if (Number.isFinite(values[index])) points.push(index);
    if (points.length <= FEW_POINTS) return points;
    const shift = (0.2 * at) / Math.max(2, this.series.length) - 0.05;
    return MARK_PLACES.map((share) => points[Math.floor((share + shift) * (points.length - 1))]);
  }
}

/// An axis of one point, or none, still needs a width.
function xRange(low, high) {
  if (low === null || low === undefined) return [0, 1];
  return low === high ? [low - 1, high + 1] : [low, high];
}

/// Draws an SVG path at (x, y), enlarged by `scale`.
function stamp(context, path, x, y, scale, { fill, stroke }) {
  context.save();
  context.translate(x, y);
  context.scale(scale, scale);
  const shape = new Path2D(path);
  context.fillStyle = fill;
  context.fill(shape);
  if (stroke) {
    context.strokeStyle = stroke;
    context.lineWidth = 1.5;
    context.stroke(shape);
  }
  context.restore();
}
