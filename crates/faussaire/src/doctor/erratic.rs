//! A discriminator that learns too fast: one update changes its scores more than they differ among images, so that what G
//! learns from it no longer applies after the next.

use super::history::{StepMetrics, mean_of, two_digits};
use super::{Observation, Remedy, RunHistory};

/// Change of the mean score of generated images by one update of D, in the scores' unit. Healthy runs stay below 1.5.
const MAX_JUMP: f32 = 4.0;
/// The same where the recipe's rate is high.
pub(super) const LIKELY_JUMP: f32 = 2.0;
/// The same over the spread of the scores, which a strong D's may exceed by a little.
const MIN_RATIO: f32 = 2.0;

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let recent = history.recent(2)?;
    let jump = mean_of(recent, |p| p.score_shift.map(f32::abs))?;
    let spread = mean_of(recent, |p| p.score_spread)?;
    let high = history.context.has(&["high-discriminator-rate", "high-rates"]);
    let limit = if high { LIKELY_JUMP } else { MAX_JUMP };
    // A NaN is no finding.
    if !(jump >= limit * unit(history, recent) && jump >= MIN_RATIO * spread) {
        return None;
    }
    Some(Observation {
        seen: seen(history, recent, jump),
        means: "its updates overshoot, so that what the generator learns from it no longer applies after the next one",
        causes: &["high-discriminator-rate", "high-rates", "light-penalty", "beta1"],
        remedies: vec![Remedy::LowerDiscriminatorRate, Remedy::R1Penalty],
    })
}

/// What was measured, in words.
pub(super) fn seen(history: &RunHistory, steps: &[StepMetrics], jump: f32) -> String {
    let scale = history.context.recipe.train.loss.scale();
    let measure = match (scale.log_odds, scale.unit) {
        (true, _) => "where a difference of 5 is 99% certainty".to_owned(),
        // A quarter of the way from the score that it wants of generated images to that of real ones.
        (false, Some(unit)) => format!("where real and generated images are to be {} apart", two_digits(4.0 * unit)),
        (false, None) => {
            format!("which differ by {} among images (standard deviation)", two_digits(unit(history, steps)))
        }
    };
    format!("one update of the discriminator changed its scores of generated images by {}, {measure}", two_digits(jump))
}

/// The unit of the scores; where they have none, their spread among the images of a kind.
pub(super) fn unit(history: &RunHistory, steps: &[StepMetrics]) -> f32 {
    let spread = || mean_of(steps, |p| p.score_spread).unwrap_or(f32::INFINITY);
    history.context.recipe.train.loss.scale().unit.unwrap_or_else(spread)
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, first_change, only};
    use crate::recipe::Preset;
    use crate::train::StepReport;

    const NAME: Symptom = Symptom::ErraticDiscriminator;

    fn jumping(by: f32, spread: f32) -> impl Fn(&mut StepReport) {
        move |r| {
            let sign = if (r.step / 10).is_multiple_of(2) { 1.0 } else { -1.0 };
            (r.score_shift, r.score_spread) = (Some(sign * by), Some(spread));
        }
    }

    #[test]
    fn jumps_of_scores_are_measured_by_their_unit_and_spread() {
        let rate = ["discriminator.adam.learning_rate=0.05"];
        let seen = only(NAME, Preset::Quick, &rate, jumping(3.0, 1.0));
        assert!(
            seen.seen.ends_with("of generated images by 3.0, where a difference of 5 is 99% certainty"),
            "{seen:?}"
        );
        let change = first_change(&after(Preset::Quick, &rate, 300, jumping(3.0, 1.0)), &seen);
        assert_eq!(change, ["discriminator.adam.learning_rate=0.001"]);
        let examine = |preset, changes: &[&str], by, spread| {
            NAME.examine(&after(preset, changes, 300, jumping(by, spread))).is_some()
        };
        assert!(!examine(Preset::Quick, &[], 3.0, 1.0), "a usual rate must show more");
        assert!(examine(Preset::Quick, &[], 5.0, 1.0));
        assert!(!examine(Preset::Quick, &[], 5.0, 4.0), "images differ as much");
        assert!(examine(Preset::Quick, &["train.loss=hinge"], 2.2, 1.0), "half the unit");
        let seen = |preset, changes: &[&str], by| {
            NAME.examine(&after(preset, changes, 300, jumping(by, 1.0))).map_or(String::new(), |seen| seen.seen)
        };
        assert!(
            seen(Preset::Quick, &["train.loss=hinge"], 3.0)
                .ends_with("by 3.0, where real and generated images are to be 2.0 apart")
        );
        assert!(
            seen(Preset::FidleWganGp, &[], 9.0)
                .ends_with("by 9.0, which differ by 1.0 among images (standard deviation)")
        );
        // A critic's scores have no unit but their spread.
        assert!(examine(Preset::FidleWganGp, &[], 100.0, 20.0) && !examine(Preset::FidleWganGp, &[], 50.0, 20.0));
        let old = |r: &mut StepReport| (r.score_shift, r.score_spread) = (None, None);
        assert_eq!(NAME.examine(&after(Preset::Quick, &rate, 300, old)), None);
    }
}
