// The arithmetic of a chart's axes: round ticks, a range that one peak can't flatten, lines thinned to what the screen shows.

/// About `count` round numbers from `low` to `high`.
export function ticks(low, high, count) {
  const span = high - low;
  if (!(span > 0)) return [low];
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at += 1) found.push(Number((at * step).toPrecision(12)));
  return found;
}

/// The range of all finite values, with a little room. Where a few peaks would flatten all else they are left outside:
/// { low, high, cut: how many values, extreme: the largest of them }.
export function range(lists) {
  const all = lists.flatMap((list) => list.filter(Number.isFinite)).sort((a, b) => a - b);
  if (!all.length) return { low: 0, high: 1, cut: 0, extreme: null };
  const at = (share) => all[Math.min(all.length - 1, Math.floor(share * all.length))];
  let [low, high] = [all[0], all[all.length - 1]];
  const [usualLow, usualHigh] = [at(0.01), at(0.985)];
  const usual = usualHigh - usualLow;
  let extreme = null;
  if (all.length > 30 && usual > 0) {
    if (high > usualHigh + 2 * usual) { extreme = high; high = usualHigh + 0.5 * usual; }
    if (low < usualLow - 2 * usual) { extreme ??= low; low = usualLow - 0.5 * usual; }
  }
  const cut = all.filter((value) => value < low || value > high).length;
  const room = (high - low) * 0.05 || Math.abs(high) * 0.1 || 0.5;
  return { low: low >= 0 && low < high * 0.35 ? 0 : low - room, high: high + room, cut, extreme };
}

/// A moving average with as much memory as suits the number of points; gaps stay gaps.
export function smooth(values) {
  const keep = Math.max(0, 1 - 25 / Math.max(25, values.length));
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return null;
    sum = keep * sum + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return sum / weight;
  });
}

/// An SVG path through the points, in pixels. Where several share a column, its lowest and highest stand for them.
export function path(xs, ys, px, py) {
  const parts = [];
  let pen = false;
  let column = null;
  const flush = () => {
    if (!column) return;
    const points = column.low === column.high ? [column.low] : column.lowFirst ? [column.low, column.high] : [column.high, column.low];
    for (const y of points) { parts.push(`${pen ? "L" : "M"}${column.x} ${y.toFixed(1)}`); pen = true; }
    column = null;
  };
  for (let at = 0; at < xs.length; at += 1) {
    if (!Number.isFinite(ys[at])) { flush(); pen = false; continue; }
    const x = Math.round(px(xs[at]) * 2) / 2;
    const y = py(ys[at]);
    if (column && column.x !== x) flush();
    if (!column) { column = { x, low: y, high: y, lowFirst: true }; continue; }
    if (y < column.low) { column.low = y; column.lowFirst = false; }
    if (y > column.high) { column.high = y; column.lowFirst = true; }
  }
  flush();
  return parts.join("");
}

/// The index of the value nearest to `wanted` in an ascending list; -1 where it is empty.
export function nearest(ascending, wanted) {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] < wanted) low = middle + 1; else high = middle;
  }
  if (low > 0 && wanted - ascending[low - 1] <= ascending[low] - wanted) low -= 1;
  return ascending.length ? low : -1;
}
