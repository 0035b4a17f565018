// Loads uPlot, which draws the charts. A page without charts doesn't load this module, so the list of runs stays small.

const SOURCE = "/vendor/uplot/uPlot.iife.min.js";

/// The constructor `uPlot` (https://github.com/leeoniya/uPlot).
export const uPlot = await new Promise((ready, failed) => {
  const script = document.createElement("script");
  script.src = SOURCE;
  script.addEventListener("load", () => ready(window.uPlot));
  script.addEventListener("error", () => failed(new Error(`${SOURCE} can't be loaded`)));
  document.head.append(script);
});
