// How the curves of a chart are told apart: a colour, a dash pattern and a mark for each.

import { h, s } from "../app/dom.js";

const DASHES = ["none", "7 4", "2 3", "10 3 2 3", "14 4", "5 2 1 2 1 2"];
const COLOURS = ["expert", "counterfeiter", "3", "4", "5", "6"];

/// The style of the `at`-th curve of a chart: { colour, dash, mark }.
export const lineStyle = (at) => ({ colour: COLOURS[at % 6], dash: DASHES[at % 6], mark: at % 6 });

/// The SVG path of a mark around (0, 0): circle, square, triangle, diamond, cross, triangle to the right.
export function markPath(kind, r = 3.5) {
  const shapes = [
    `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
    `M${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
    `M0 ${-1.2 * r}L${1.15 * r} ${r}H${-1.15 * r}z`,
    `M0 ${-1.35 * r}L${1.35 * r} 0L0 ${1.35 * r}L${-1.35 * r} 0z`,
    `M${-r} ${-r}L${r} ${r}M${r} ${-r}L${-r} ${r}`,
    `M${-r} ${-1.15 * r}L${1.2 * r} 0L${-r} ${1.15 * r}z`,
  ];
  return shapes[kind % shapes.length];
}

/// A short piece of the line with its mark, for legends and headings.
export function lineSample({ colour, dash, mark }) {
  return s(
    "svg",
    { viewBox: "0 0 30 12", width: 30, height: 12, class: `line-sample c-${colour}`, "aria-hidden": "true" },
    s("path", { d: "M0 6H30", class: "stroke", "stroke-width": 2, "stroke-dasharray": dash }),
    s("path", { d: markPath(mark), class: "mark", transform: "translate(15 6)" }),
  );
}

/// An element without content whose colour can be read where a canvas is drawn: inks(["muted", "line"]).
export function inks(names) {
  return Object.fromEntries(names.map((name) => [name, h("span", { class: `c-${name}`, hidden: true })]));
}

/// The colour that CSS gives an element, as a canvas takes it.
export const colourOf = (element) => getComputedStyle(element).color;
