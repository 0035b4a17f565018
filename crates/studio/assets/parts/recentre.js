// Heat maps for losses that only compare scores (relativistic, Wasserstein), whose scores have no zero: they are shown relative
// to the midpoint between the mean scores of real and of generated points.

const logit = (share) =>
  Math.log(Math.min(1 - 1e-9, Math.max(1e-9, share)) / (1 - Math.min(1 - 1e-9, Math.max(1e-9, share))));

/// The mean logit of the map at `points`, each at its nearest cell; points outside the map don't count.
function mean({ n, extent: [low, high], values }, points) {
  let sum = 0;
  let count = 0;
  for (const [x, y] of points) {
    const column = Math.round(((x - low) / (high - low)) * (n - 1));
    const row = Math.round(((y - low) / (high - low)) * (n - 1));
    if (column < 0 || row < 0 || column >= n || row >= n) continue;
    sum += logit(values[row * n + column]);
    count += 1;
  }
  return count ? sum / count : null;
}

/// The same state with its heat map shifted so that 0.5 is that midpoint, and the accuracies at it.
export function recentred(state) {
  if (!state.heat) return state;
  const [real, fake] = [mean(state.heat, state.real), mean(state.heat, state.fake)];
  if (real === null || fake === null) return state;
  const middle = (real + fake) / 2;
  // Scores of Wasserstein critics are far larger than logits: half their distance becomes two units of the map.
  const unit = Math.max(1, Math.abs(real - fake) / 4);
  const values = state.heat.values.map((value) => 1 / (1 + Math.exp(-(logit(value) - middle) / unit)));
  const heat = { ...state.heat, values };
  const above = (points) => points.filter((point) => mean(heat, [point]) > 0).length / points.length;
  return { ...state, heat, d_real: above(state.real), d_fake: 1 - above(state.fake) };
}
