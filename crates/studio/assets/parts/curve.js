// Arithmetic on the points of a curve: smoothing, a range that outliers can't dominate, the nearest point, interpolation.

/// The range of all finite values, with some margin. A few extreme values that would flatten the rest are left out:
/// { low, high, cut: the number of values outside, extreme: the largest of them }.
export function range(lists) {
  const all = lists.flatMap((list) => list.filter(Number.isFinite)).sort((a, b) => a - b);
  if (!all.length) return { low: 0, high: 1, cut: 0, extreme: null };
  const at = (share) => all[Math.min(all.length - 1, Math.floor(share * all.length))];
  let [low, high] = [all[0], all[all.length - 1]];
  const [usualLow, usualHigh] = [at(0.01), at(0.985)];
  const usual = usualHigh - usualLow;
  let extreme = null;
  if (all.length > 30 && usual > 0) {
    if (high > usualHigh + 2 * usual) {
      extreme = high;
      high = usualHigh + 0.5 * usual;
    }
    if (low < usualLow - 2 * usual) {
      extreme ??= low;
      low = usualLow - 0.5 * usual;
    }
  }
  const cut = all.filter((value) => value < low || value > high).length;
  if (low === high && low >= 0) return { low: 0, high: high * 1.25 || 1, cut, extreme };
  const room = (high - low) * 0.05 || Math.abs(high) * 0.1;
  return { low: low >= 0 && low < high * 0.35 ? 0 : low - room, high: high + room, cut, extreme };
}

/// Exponential moving average with weight `keep` (0 to below 1) of the past, debiased as in Adam: the first values are not
/// pulled towards 0. Gaps stay gaps.
export function smooth(values, keep) {
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return null;
    sum = keep * sum + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return sum / weight;
  });
}

/// The index of the value nearest to `wanted` in an ascending list; -1 where it is empty.
export function nearest(ascending, wanted) {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  if (low > 0 && wanted - ascending[low - 1] <= ascending[low] - wanted) low -= 1;
  return ascending.length ? low : -1;
}

/// The value at `x` of the line through the points (xs, ys), `xs` ascending; constant beyond its ends.
export function interpolate(xs, ys, x) {
  if (!xs.length) return x;
  const at = xs.findIndex((one) => one >= x);
  if (at < 0) return ys[ys.length - 1];
  if (at === 0 || xs[at] === xs[at - 1]) return ys[at];
  const share = (x - xs[at - 1]) / (xs[at] - xs[at - 1]);
  return ys[at - 1] + share * (ys[at] - ys[at - 1]);
}
