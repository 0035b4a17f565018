// What a reader can change on charts: smoothing, a logarithmic y axis, and what the x axis shows.

import { h } from "../app/dom.js";
import { AXES } from "./axes.js";
import { slider } from "./latent.js";

const SMOOTHING = 0.9;
const MOST = 0.99;

/// Controls for all `charts()`: { element, apply(chart) }; `apply` gives a new chart the present settings.
export function chartControls(charts) {
  const now = { smoothing: SMOOTHING, log: false, axis: "step" };
  const apply = (chart) => {
    chart.smoothing(now.smoothing);
    chart.log(now.log);
    chart.axis(now.axis);
  };
  const set = (change) => {
    Object.assign(now, change);
    for (const chart of charts()) for (const [name, value] of Object.entries(change)) chart[name](value);
  };
  const smoothing = slider("Smoothing", {
    min: 0,
    max: MOST,
    step: 0.01,
    value: SMOOTHING,
    help: "Weight of the past in the moving average; the raw values stay in grey",
    oninput: (weight) => set({ smoothing: weight }),
  });
  const log = h("input", { type: "checkbox", onchange: () => set({ log: log.checked }) });
  const axis = h(
    "select",
    { "aria-label": "Horizontal axis", onchange: () => set({ axis: axis.value }) },
    Object.keys(AXES).map((name) => h("option", { value: name }, AXES[name].name)),
  );
  const element = h(
    "div",
    { class: "row chart-controls" },
    smoothing.element,
    h("label", { class: "check" }, log, "Log scale"),
    h("label", { class: "check" }, "Horizontal axis", axis),
  );
  return { element, apply };
}
