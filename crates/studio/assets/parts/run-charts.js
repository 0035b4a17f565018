// The curves of a run: losses, discriminator accuracy, mean scores, gradient norms, penalty, speed, and every score that was
// taken. All charts share one cursor and one set of controls.

import { h } from "../app/dom.js";
import { percent, whole, scoreTitle } from "../app/format.js";
import { chart } from "./chart.js";
import { chartControls } from "./chart-controls.js";
import { interpolate } from "./curve.js";

const EXPERT = { colour: "expert", dash: "none", mark: 0 };
const COUNTERFEITER = { colour: "counterfeiter", dash: "7 4", mark: 1 };
const GREEN = { colour: "4", dash: "none", mark: 3 };
/// Losses that use only differences of scores, which therefore have no zero.
const RELATIVE = ["relativistic", "wasserstein"];

const PLANS = [
  {
    title: "Losses",
    smooth: true,
    note: "What each network minimises. They pull against each other, so neither should win.",
    series: [
      { key: "d_loss", name: "discriminator", ...EXPERT },
      { key: "g_loss", name: "generator", ...COUNTERFEITER },
    ],
  },
  {
    title: "Discriminator accuracy",
    smooth: true,
    format: percent,
    tick: percent,
    fixed: [0, 1],
    note: "Share of real and of generated images that the discriminator recognises. Near 50% it is guessing.",
    relativeNote:
      "Share of images on the right side of a score of 0. This loss only compares scores, so 0 has no meaning: watch the mean scores.",
    series: [
      { key: "d_real", name: "real", ...EXPERT },
      { key: "d_fake", name: "generated", ...COUNTERFEITER },
    ],
  },
  {
    title: "Mean scores",
    smooth: true,
    note: "The discriminator's logit: above 0 it takes the image for real.",
    relativeNote: "The discriminator's output. Only the distance between the two curves has a meaning.",
    series: [
      { key: "real_score", name: "real", ...EXPERT },
      { key: "fake_score", name: "generated", ...COUNTERFEITER },
    ],
  },
  {
    title: "Gradient norms",
    smooth: true,
    note: "The size of each update. Near 0 nothing is learned any more; if it keeps growing, training diverges.",
    series: [
      { key: "d_norm", name: "discriminator", ...EXPERT },
      { key: "g_norm", name: "generator", ...COUNTERFEITER },
    ],
  },
  {
    title: "Gradient penalty",
    optional: true,
    smooth: true,
    note: "Keeps the discriminator's gradient small.",
    series: [{ key: "penalty", name: "penalty", ...EXPERT }],
  },
  {
    title: "Speed",
    format: whole,
    note: "Training speed in real images per second, excluding sheets and scoring.",
    series: [{ key: "images_per_s", name: "images/s", ...GREEN }],
  },
];

/// The charts of a run with `loss`: { element, set(history), pin(step) }. On `link`, "choose" asks for the sheet of a step.
export function runCharts(link, loss) {
  const noteOf = (plan) => (RELATIVE.includes(loss) && plan.relativeNote) || plan.note;
  const made = PLANS.map((plan) => ({ plan, ...chart({ ...plan, note: noteOf(plan), link }) }));
  const scores = new Map();
  const all = () => [...made, ...scores.values()];
  const controls = chartControls(all);
  const grid = h(
    "div",
    { class: "charts" },
    made.map((one) => one.element),
  );
  const element = h(
    "section",
    { class: "panel", "aria-labelledby": "curves-title" },
    h("h2", { id: "curves-title" }, "Curves"),
    h(
      "p",
      { class: "muted small" },
      "Point or use the arrow keys to read values; click or press Enter to show the sheet of that step. Drag to zoom, double-click to show all.",
    ),
    controls.element,
    grid,
  );
  const setScores = (history) => {
    for (const name of new Set(history.scores.map((score) => score.name))) {
      if (!scores.has(name)) {
        const one = scoreChart(name, link);
        controls.apply(one);
        scores.set(name, one);
        grid.insertBefore(one.element, made[0].element);
      }
      scores.get(name).set({ curves: { value: scoreCurve(history, name) } });
    }
  };
  return {
    element,
    set(history) {
      for (const one of made) {
        const keys = one.plan.series.map((series) => series.key);
        const isEmpty = !keys.some((key) => history[key]?.some((value) => Number.isFinite(value)));
        one.element.hidden = Boolean(one.plan.optional) && isEmpty;
        one.set({ ...curvesOf(history, keys), findings: history.findings });
      }
      setScores(history);
    },
    pin(step) {
      for (const one of all()) one.pin(step);
    },
  };
}

const scoreChart = (name, link) =>
  chart({
    title: scoreTitle(name),
    note: `${name}: lower is better.`,
    link,
    series: [{ key: "value", name: "score", ...GREEN }],
  });

const curvesOf = (history, keys) => ({
  curves: Object.fromEntries(keys.map((key) => [key, historyCurve(history, key)])),
});

/// A column of a run's history as a curve.
export const historyCurve = (history, key) => ({
  x: history.step,
  time: history.train_s,
  epoch: history.epoch,
  y: history[key] ?? [],
});

/// A score over steps as a curve. Its times and epochs are those of the log's steps around it.
export function scoreCurve(history, name) {
  const points = history.scores.filter((score) => score.name === name);
  const x = points.map((point) => point.step);
  const along = (list) => (list?.length ? x.map((step) => interpolate(history.step, list, step)) : undefined);
  return { x, y: points.map((point) => point.value), time: along(history.train_s), epoch: along(history.epoch) };
}
