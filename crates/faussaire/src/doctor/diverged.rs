//! Losses that are NaN or infinite, or so large that they soon will be: training can't recover from them.

use super::history::{mean, two_digits};
use super::{Observation, Remedy, RunHistory};

/// A loss above this has exploded. Healthy runs stay far below: cross-entropy and hinge losses below some tens, a
/// critic's with a penalty below some hundreds.
const EXPLODED: f32 = 1e4;

const CAUSES: &[&str] =
    &["high-rates", "high-generator-rate", "high-discriminator-rate", "heavy-penalty", "light-penalty"];

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let seen = history.diverged().map(str::to_owned).or_else(|| exploded(history))?;
    Some(Observation {
        seen,
        means: match history.context.has(CAUSES) {
            true => "an update was so large that it destroyed what the nets had learned",
            false => {
                "an update was so large that it destroyed what the nets had learned, usually because a learning rate is too high"
            }
        },
        causes: CAUSES,
        remedies: vec![Remedy::LowerBothRates, Remedy::R1Penalty],
    })
}

fn exploded(history: &RunHistory) -> Option<String> {
    let recent = history.recent(1)?;
    let (d, g) = (mean(recent, |p| p.d_loss.abs()), mean(recent, |p| p.g_loss.abs()));
    let (net, loss) = if d > g { ("discriminator", d) } else { ("generator", g) };
    (loss > EXPLODED).then(|| format!("the {net}'s loss is {}", two_digits(loss)))
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, first_change, only};
    use crate::recipe::Preset;
    use crate::train::{Event, StepReport};

    #[test]
    fn exploded_and_nan_losses_are_found() {
        let huge = |r: &mut StepReport| r.d_loss = -3e6;
        let seen = only(Symptom::Diverged, Preset::FidleWganGp, &[], huge);
        assert!(seen.seen.contains("discriminator's loss is 3.0e6"), "{seen:?}");
        let mut history = after(
            Preset::Quick,
            &["generator.adam.learning_rate=10", "discriminator.adam.learning_rate=1e-4"],
            3,
            |_| {},
        );
        assert_eq!(Symptom::Diverged.examine(&history), None);
        history.observe(&Event::Diverged { step: 3, what: "the loss is NaN".into() });
        let seen = Symptom::Diverged.examine(&history).unwrap();
        assert_eq!((history.step(), seen.seen.as_str()), (3, "the loss is NaN"));
        assert_eq!(
            first_change(&history, &seen),
            ["generator.adam.learning_rate=0.0001"],
            "the cause is in the recipe"
        );
    }
}
