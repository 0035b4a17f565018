// What a heat map shows where the game only compares (relativistic pairs, Wasserstein): such an expert's scores have no zero. They
// are shown relative to the middle between its mean scores of real and of generated points.

const logit = (share) => Math.log(Math.min(1 - 1e-9, Math.max(1e-9, share)) / (1 - Math.min(1 - 1e-9, Math.max(1e-9, share))));

/// The mean logit at `points`, read off the nearest places of the map; points outside it don't count.
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

/// The same state with its heat map moved so that 0.5 is that middle, and the shares told rightly by it.
export function compared(state) {
  if (!state.heat) return state;
  const [real, fake] = [mean(state.heat, state.real), mean(state.heat, state.fake)];
  if (real === null || fake === null) return state;
  const middle = (real + fake) / 2;
  // Wasserstein critics reach far beyond what a probability can show: half their distance becomes one unit of the map.
  const unit = Math.max(1, Math.abs(real - fake) / 4);
  const values = state.heat.values.map((value) => 1 / (1 + Math.exp(-(logit(value) - middle) / unit)));
  const heat = { ...state.heat, values };
  const above = (points) => points.filter((point) => mean(heat, [point]) > 0).length / points.length;
  return { ...state, heat, d_real: above(state.real), d_fake: 1 - above(state.fake) };
}
