// A run's curves: losses, what D tells rightly, its mean scores, gradient norms, penalties, speed, and the score over steps.
// All share one cursor; what a curve means stands under its title.

import { h } from "../app/dom.js";
import { percent, whole, scoreTitle } from "../app/format.js";
import { chart } from "./chart.js";

const EXPERT = { colour: "expert", dash: "none", mark: 0 };
const COUNTERFEITER = { colour: "counterfeiter", dash: "7 4", mark: 1 };

const PLANS = [
  { title: "Losses", smooth: true, note: "What each player tries to make small. They pull against each other, so neither should win.",
    series: [{ key: "d_loss", name: "discriminator", ...EXPERT }, { key: "g_loss", name: "generator", ...COUNTERFEITER }] },
  { title: "Told rightly by the expert", smooth: true, format: percent, tick: percent, fixed: [0, 1], note: "Shares of real and of generated images that D judged rightly. Near 50 % it is fooled.",
    series: [{ key: "d_real", name: "real", ...EXPERT }, { key: "d_fake", name: "generated", ...COUNTERFEITER }] },
  { title: "Mean scores", smooth: true, note: "D's logit: above 0 it believes the image is real.",
    series: [{ key: "real_score", name: "real", ...EXPERT }, { key: "fake_score", name: "generated", ...COUNTERFEITER }] },
  { title: "Gradient norms", smooth: true, note: "How hard each update pulls. Near 0 nothing is learned any more; growing without end, it falls apart.",
    series: [{ key: "d_norm", name: "discriminator", ...EXPERT }, { key: "g_norm", name: "generator", ...COUNTERFEITER }] },
  { title: "Gradient penalty", optional: true, smooth: true, note: "What keeps D's slope in bounds.", series: [{ key: "penalty", name: "penalty", ...EXPERT }] },
  { title: "Speed", format: whole, note: "Real images seen per second, pictures and judging left out.", series: [{ key: "images_per_s", name: "images/s", colour: "4", dash: "none", mark: 3 }] },
];

/// { element, set(history), pin(step) }.
export function runCharts(link) {
  const made = PLANS.map((plan) => ({ plan, ...chart({ ...plan, link }) }));
  const scores = new Map();
  const grid = h("div", { class: "charts" }, made.map((one) => one.element));
  const smoothing = h("input", { type: "checkbox", checked: true, onchange: () => made.forEach((one) => one.plan.smooth && one.smoothing(smoothing.checked)) });
  const element = h("section", { class: "panel", "aria-labelledby": "curves-title" },
    h("div", { class: "row spread" }, h("h2", { id: "curves-title" }, "Curves"), h("label", { class: "check" }, smoothing, "Smooth the lines (raw values stay behind them)")),
    h("p", { class: "muted small" }, "Point, touch or use the arrow keys to read values; a click or Enter shows the sheet of that moment."), grid);

  const setScores = (history) => {
    for (const name of new Set(history.scores.map((score) => score.name))) {
      if (!scores.has(name)) {
        const one = chart({ title: scoreTitle(name), note: `${name}: smaller is better.`, link, series: [{ key: "value", name: "score", colour: "4", dash: "none", mark: 3 }] });
        scores.set(name, one);
        grid.insertBefore(one.element, made[0].element);
      }
      const points = history.scores.filter((score) => score.name === name);
      scores.get(name).set({ x: points.map((point) => point.step), y: { value: points.map((point) => point.value) } });
    }
  };

  return {
    element,
    set(history) {
      for (const one of made) {
        const keys = one.plan.series.map((series) => series.key);
        one.element.hidden = Boolean(one.plan.optional) && !keys.some((key) => history[key]?.some((value) => Number.isFinite(value)));
        one.set({ x: history.step, y: Object.fromEntries(keys.map((key) => [key, history[key] ?? []])), findings: history.findings });
      }
      setScores(history);
    },
    pin(step) {
      for (const one of [...made, ...scores.values()]) one.pin(step);
    },
  };
}
