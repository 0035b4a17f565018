// The y axis of a chart: linear, logarithmic, or (with values up to 0) arcsinh, which is linear around 0 and logarithmic beyond.
// The numbers are uPlot's for `distr`.

export const LINEAR = 1;
export const LOGARITHMIC = 3;
export const ARCSINH = 4;

/// An arcsinh scale is linear up to this share of its largest value.
const LINEAR_SHARE = 0.01;
const MAX_TICKS = 6;
const DIGITS = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5], [1]];

/// The kind of scale for values of `lists`, logarithmic where asked for.
export function scaleKind(log, lists) {
  if (!log) return LINEAR;
  return lists.flat().every((value) => !Number.isFinite(value) || value > 0) ? LOGARITHMIC : ARCSINH;
}

/// The largest absolute value up to which an arcsinh scale for `lists` is linear.
export function linearPart(lists) {
  const largest = lists
    .flat()
    .reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
  return LINEAR_SHARE * (largest || 1);
}

/// The ends of a logarithmic axis for values from `low` to `high`, with some margin.
export function logRange(low, high) {
  if (!(low > 0)) return [0.1, 1];
  const margin = (high / low) ** 0.05;
  return margin > 1.001 ? [low / margin, high * margin] : [low / 2, high * 2];
}

/// The ends of an arcsinh axis.
export function arcsinhRange(low, high) {
  if (low === null || (low === high && low >= 0)) return [0, 2 * low || 1];
  if (low === high) return [2 * low, 0];
  const margin = 0.1 * Math.max(Math.abs(low), Math.abs(high));
  return [low < 0 ? low - margin : low, high > 0 ? high + margin : high];
}

/// About six round numbers from `low` > 0 to `high`, evenly spaced in their logarithm.
export function logTicks(low, high) {
  const decades = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power += 1) decades.push(power);
  const within = (digits) =>
    decades
      .flatMap((power) => digits.map((digit) => Number(`${digit}e${power}`)))
      .filter((value) => value >= low && value <= high);
  const found = DIGITS.map(within);
  const first = found[0].length > 1 ? found.find((ticks) => ticks.length <= MAX_TICKS) : evenTicks(low, high);
  const ticks = first ?? found[found.length - 1];
  return ticks.filter((_, at) => at % Math.ceil(ticks.length / MAX_TICKS) === 0);
}

/// Round numbers at equal distances: for a logarithmic axis of less than a digit.
function evenTicks(low, high) {
  const power = 10 ** Math.floor(Math.log10((high - low) / 2));
  const step = [5, 2, 1].find((factor) => (high - low) / (factor * power) >= 2) * power;
  const ticks = [];
  for (let at = Math.ceil(low / step); at * step <= high; at += 1) ticks.push(Number((at * step).toPrecision(6)));
  return ticks;
}

/// Ticks of an arcsinh axis: 0, and powers of ten on both sides from the end of its linear part.
export function arcsinhTicks(low, high, linear) {
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const positive = logTicks(linear, largest).filter((value) => /^1e/.test(value.toExponential()));
  return [...positive.map((value) => -value).reverse(), 0, ...positive].filter(
    (value) => value >= low && value <= high,
  );
}
