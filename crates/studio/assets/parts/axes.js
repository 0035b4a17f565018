// What a chart's x axis can show: training steps, seconds of training, or epochs. A curve may have a list of each.

import { duration, number, whole } from "../app/format.js";

/// Distances of ticks on an axis of seconds that read well as seconds, minutes or hours.
const SECONDS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800,
  432000, 864000,
];

/// One tick in the unit that suits the largest.
function seconds(value, largest) {
  const [unit, name] =
    largest < 120 ? [1, "s"] : largest < 7200 ? [60, "min"] : largest < 259200 ? [3600, "h"] : [86400, "d"];
  return `${Number((value / unit).toPrecision(3))} ${name}`;
}

/// For each axis its name, the field of a curve with its values, how a value and how ticks are written.
export const AXES = {
  step: {
    name: "step",
    field: "x",
    format: whole,
    ticks: (values) => values.map((value) => (value % 1 ? "" : whole(value))),
  },
  time: {
    name: "time",
    field: "time",
    format: (value) => (value < 10 ? `${number(value)} s` : duration(value)),
    distances: SECONDS,
    ticks: (values) => values.map((value) => seconds(value, values[values.length - 1])),
  },
  epoch: {
    name: "epoch",
    field: "epoch",
    format: number,
    ticks: (values) => values.map((value) => String(Number(value.toPrecision(6)))),
  },
};
