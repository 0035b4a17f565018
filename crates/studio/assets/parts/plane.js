// The plane of Learn: the discriminator's output as a heat map with contour lines, the image of a grid of latents under the
// generator, real points as rings, generated ones as crosses with their last movement.

import { h, s } from "../app/dom.js";

const LEVELS = [
  [0.25, 1, [2, 4]],
  [0.5, 2, []],
  [0.75, 1, [6, 3]],
];

/// The layers: name, label, mark for the legend, colour.
export const LAYERS = [
  [
    "real",
    "Real points",
    () => s("circle", { cx: 6, cy: 6, r: 3.6, fill: "none", stroke: "currentColor", "stroke-width": 1.6 }),
    "expert",
  ],
  [
    "fake",
    "Generated points",
    () => s("path", { d: "M2.5 2.5l7 7M9.5 2.5l-7 7", stroke: "currentColor", "stroke-width": 1.8 }),
    "counterfeiter",
  ],
  ["heat", "The expert's opinion", () => s("path", { d: "M0 6h12", stroke: "currentColor", "stroke-width": 2 }), "ink"],
  [
    "mesh",
    "The counterfeiter's latent grid",
    () => s("path", { d: "M3 0v12M9 0v12M0 3h12M0 9h12", stroke: "currentColor", "stroke-width": 1 }),
    "counterfeiter",
  ],
];

/// { element, draw(state, before), layer(name, on), describe(text) }.
export function plane() {
  const canvas = h("canvas", { role: "img", "aria-label": "The plane with real and generated points" });
  const inks = Object.fromEntries(
    ["expert", "counterfeiter", "ink"].map((name) => [name, h("span", { class: `c-${name}`, hidden: true })]),
  );
  const element = h("div", { class: "scene" }, canvas, Object.values(inks));
  const on = { real: true, fake: true, heat: true, mesh: true };
  let last = [null, null];

  const draw = (state, before) => {
    last = [state, before];
    if (!state || !element.clientWidth) return;
    const side = element.clientWidth;
    const sharp = Math.max(1, devicePixelRatio);
    canvas.width = canvas.height = Math.round(side * sharp);
    const context = canvas.getContext("2d");
    context.scale(sharp, sharp);
    const colour = (name) => getComputedStyle(inks[name]).color;
    const [low, high] = state.heat?.extent ?? [-state.window, state.window];
    const place = ([x, y]) => [((x - low) / (high - low)) * side, (1 - (y - low) / (high - low)) * side];
    if (on.heat && state.heat) heat(context, state.heat, side, colour, place);
    if (on.mesh && state.mesh) mesh(context, state.mesh, colour("counterfeiter"), place);
    if (on.real) rings(context, state.real, colour("expert"), place);
    if (on.fake) crosses(context, state.fake, before?.fake, colour("counterfeiter"), place);
  };
  new ResizeObserver(() => draw(...last)).observe(element);
  addEventListener("faussaire-theme", () => draw(...last));
  return {
    element,
    draw,
    layer: (name, shown) => {
      on[name] = shown;
      draw(...last);
    },
    describe: (text) => canvas.setAttribute("aria-label", text),
  };
}

const channels = (text) =>
  text
    .match(/[\d.]+/g)
    .slice(0, 3)
    .map(Number);

/// The expert's colour where it takes points for real, the counterfeiter's where it doesn't.
function heat(context, { n, values }, side, colour, place) {
  const [real, fake] = [channels(colour("expert")), channels(colour("counterfeiter"))];
  const small = new OffscreenCanvas(n, n);
  const image = new ImageData(n, n);
  for (let row = 0; row < n; row += 1) {
    for (let column = 0; column < n; column += 1) {
      const value = values[row * n + column];
      const at = 4 * ((n - 1 - row) * n + column);
      image.data.set(value > 0.5 ? real : fake, at);
      image.data[at + 3] = 210 * Math.min(1, Math.abs(value - 0.5) * 2) ** 0.8 * 0.6;
    }
  }
  small.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(small, 0, 0, side, side);
  context.strokeStyle = colour("ink");
  for (const [level, width, dash] of LEVELS) contour(context, n, values, side, level, width, dash);
  context.setLineDash([]);
}

/// Marching squares: the contour line of the heat map at `level`.
function contour(context, n, values, side, level, width, dash) {
  context.lineWidth = width;
  context.setLineDash(dash);
  context.globalAlpha = width > 1 ? 0.75 : 0.35;
  context.beginPath();
  const cell = side / n;
  const at = (column, row) => values[row * n + column] - level;
  const point = (column, row) => [(column + 0.5) * cell, side - (row + 0.5) * cell];
  for (let row = 0; row + 1 < n; row += 1) {
    for (let column = 0; column + 1 < n; column += 1) {
      const corners = [
        [column, row],
        [column + 1, row],
        [column + 1, row + 1],
        [column, row + 1],
      ];
      const cuts = [];
      corners.forEach((from, which) => {
        const to = corners[(which + 1) % 4];
        const [a, b] = [at(...from), at(...to)];
        if (a > 0 === b > 0) return;
        const share = a / (a - b);
        const [p, q] = [point(...from), point(...to)];
        cuts.push([p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1])]);
      });
      for (let pair = 0; pair + 1 < cuts.length; pair += 2) {
        context.moveTo(...cuts[pair]);
        context.lineTo(...cuts[pair + 1]);
      }
    }
  }
  context.stroke();
  context.globalAlpha = 1;
}

function mesh(context, { n, points }, colour, place) {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.globalAlpha = 0.45;
  context.beginPath();
  for (let line = 0; line < n; line += 1) {
    for (let at = 0; at < n; at += 1) {
      context[at ? "lineTo" : "moveTo"](...place(points[line * n + at]));
    }
    for (let at = 0; at < n; at += 1) {
      context[at ? "lineTo" : "moveTo"](...place(points[at * n + line]));
    }
  }
  context.stroke();
  context.globalAlpha = 1;
}

function rings(context, points, colour, place) {
  context.strokeStyle = colour;
  context.lineWidth = 1.3;
  for (const point of points) {
    context.beginPath();
    context.arc(...place(point), 3, 0, 2 * Math.PI);
    context.stroke();
  }
}

function crosses(context, points, before, colour, place) {
  context.strokeStyle = colour;
  if (before?.length === points.length) {
    context.lineWidth = 1;
    context.globalAlpha = 0.5;
    context.beginPath();
    points.forEach((point, at) => {
      context.moveTo(...place(before[at]));
      context.lineTo(...place(point));
    });
    context.stroke();
    context.globalAlpha = 1;
  }
  context.lineWidth = 1.6;
  context.beginPath();
  for (const point of points) {
    const [x, y] = place(point);
    context.moveTo(x - 3, y - 3);
    context.lineTo(x + 3, y + 3);
    context.moveTo(x + 3, y - 3);
    context.lineTo(x - 3, y + 3);
  }
  context.stroke();
}
