//! Losses that are no numbers any more, or so large that they soon won't be: nothing can be learnt from them.

use super::vitals::{figure, mean};
use super::{Observation, Remedy, Vitals};

/// A loss beyond this has exploded. No healthy run's comes near: cross-entropies and hinges stay below some tens, a critic
/// under a penalty below some hundreds.
const EXPLODED: f32 = 1e4;

pub(super) fn examine(vitals: &Vitals) -> Option<Observation> {
    let seen = vitals.diverged().map(str::to_owned).or_else(|| exploded(vitals))?;
    Some(Observation {
        seen,
        means: "an update was so large that nothing learnt before it holds, mostly because a learning rate is too high",
        remedies: vec![Remedy::GentlerBoth, Remedy::PenaliseSlope],
    })
}

fn exploded(vitals: &Vitals) -> Option<String> {
    let recent = vitals.recent(1)?;
    let (d, g) = (mean(recent, |p| p.d_loss.abs()), mean(recent, |p| p.g_loss.abs()));
    let (net, loss) = if d > g { ("discriminator", d) } else { ("generator", g) };
    (loss > EXPLODED).then(|| format!("the {net}'s loss is {}", figure(loss)))
}
