// The visitor's scores in Expert, stored in this browser per run and step of the checkpoint.

const KEY = "faussaire.expert";
const MAX_ROUNDS = 200;

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

/// The rounds played on a run, oldest first: [{ step, checkpoint, right, of, discriminator }].
export const rounds = (id) => (Array.isArray(read()[id]) ? read()[id] : []);

/// Adds a round.
export function addRound(id, round) {
  const all = read();
  all[id] = [...rounds(id), round].slice(-MAX_ROUNDS);
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    /* a private window: nothing is stored */
  }
}

/// Deletes a run's rounds.
export function deleteRounds(id) {
  const all = read();
  delete all[id];
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    /* nothing was stored */
  }
}

/// Sums of rounds at the same step: [{ step, share, discriminator, of }], by step.
export function byStep(list) {
  const found = new Map();
  for (const one of list) {
    const sum = found.get(one.step) ?? { step: one.step, right: 0, of: 0, theirs: 0 };
    sum.right += one.right;
    sum.of += one.of;
    sum.theirs += one.discriminator;
    found.set(one.step, sum);
  }
  return [...found.values()]
    .sort((a, b) => a.step - b.step)
    .map((sum) => ({ step: sum.step, of: sum.of, share: sum.right / sum.of, discriminator: sum.theirs / sum.of }));
}
