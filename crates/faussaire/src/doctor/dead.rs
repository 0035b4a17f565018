//! A discriminator that gives every image the same score: it has stopped learning, and G gets no gradient from it. Its loss
//! is that of guessing, which alone is no symptom.

use super::history::{mean, mean_of, two_digits};
use super::{Observation, Remedy, RunHistory};

/// Spread of the scores of all images, in their unit, below which they are one score. Healthy runs stay above 0.02; a D that
/// can't follow a jumping G had 0.007.
const ONE_SCORE: f32 = 0.002;
/// The same where the recipe explains it.
const LIKELY_ONE_SCORE: f32 = 0.01;
/// D's loss over that of guessing may differ from 1 by this.
const GUESSING: f32 = 0.02;
/// Norm of D's gradient that is 0, where the log has no spread.
const NO_GRADIENT: f32 = 1e-6;

const CAUSES: &[&str] = &[
    "bounded-scores",
    "zeros",
    "weight-clip",
    "heavy-penalty",
    "label-flip",
    "smoothing",
    "noise",
    "dropout",
    "low-discriminator-rate",
    "low-rates",
    "epsilon",
    "high-discriminator-rate",
    "small-discriminator",
];

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let recent = history.recent(2)?;
    let loss = history.context.recipe.train.loss;
    let guesses = loss.chance_loss().is_none_or(|chance| (mean(recent, |p| p.d_loss) / chance - 1.0).abs() < GUESSING);
    let limit = if history.context.has(CAUSES) { LIKELY_ONE_SCORE } else { ONE_SCORE };
    // Scores without a unit are compared with what they were.
    let unit = loss.scale().unit.unwrap_or_else(|| highest_spread(history));
    let seen = match mean_of(recent, |p| p.score_spread) {
        Some(spread) => {
            let gap = mean(recent, |p| p.gap.abs());
            let same = spread.max(gap) <= limit * unit;
            same.then(|| {
                let within = if spread.max(gap) < 0.01 { "0.01".into() } else { two_digits(spread.max(gap)) };
                format!("the discriminator's scores of all images are the same to within {within}")
            })
        }
        // Earlier still, there were no norms either.
        None => {
            let had_one = history.steps().iter().any(|p| p.d_norm > NO_GRADIENT);
            let has_none = mean(recent, |p| p.d_norm) < NO_GRADIENT;
            (had_one && has_none).then(|| "the discriminator's gradient is 0".to_owned())
        }
    };
    Some(Observation {
        seen: seen.filter(|_| guesses)?,
        means: "it has stopped learning: it can't tell real from generated images, and the generator learns nothing from it",
        causes: CAUSES,
        remedies: vec![Remedy::LeakyDiscriminator, Remedy::RandomDiscriminator, Remedy::LowerDiscriminatorRate],
    })
}

fn highest_spread(history: &RunHistory) -> f32 {
    history.steps().iter().filter_map(|p| p.score_spread).fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, first_change, only};
    use crate::recipe::Preset;
    use crate::train::StepReport;

    const NAME: Symptom = Symptom::DeadDiscriminator;

    fn one_score(spread: f32) -> impl Fn(&mut StepReport) {
        move |r| (r.d_loss, r.real_score, r.fake_score, r.score_spread) = (0.693, 0.1, 0.1, Some(spread))
    }

    #[test]
    fn one_score_for_all_images_is_seen() {
        let relu = "discriminator.layers=[\"conv 8 4x4 stride 2\",\"relu\",\"flatten\",\"dense 1\",\"sigmoid\"]";
        let seen = only(NAME, Preset::Quick, &[relu], one_score(0.0));
        assert!(seen.seen.ends_with("the same to within 0.01"), "{seen:?}");
        let change = first_change(&after(Preset::Quick, &[relu], 300, one_score(0.0)), &seen);
        assert_eq!(change.len(), 1);
        assert!(
            change[0].starts_with("discriminator.layers=[\"conv 8 4x4 stride 2\", \"leakyrelu 0.2\","),
            "{change:?}"
        );
        // Where the scores are bounded, less is needed, and that is the cause.
        let bounded =
            "discriminator.layers=[\"conv 8 4x4 stride 2\",\"leakyrelu 0.2\",\"flatten\",\"dense 1\",\"relu\"]";
        let seen = only(NAME, Preset::Quick, &[bounded], one_score(0.009));
        let change = first_change(&after(Preset::Quick, &[bounded], 300, one_score(0.009)), &seen);
        assert!(change[0].ends_with("\"flatten\", \"dense 1\"]"), "{change:?}");
        assert_eq!(NAME.examine(&after(Preset::Quick, &[], 300, one_score(0.009))), None);
    }

    #[test]
    fn guessing_is_not_death() {
        let guessing = |r: &mut StepReport| (r.d_loss, r.real_score, r.fake_score) = (0.693, 0.0, 0.0);
        assert_eq!(NAME.examine(&after(Preset::Quick, &[], 300, guessing)), None, "scores differ among images");
        let wrong = |r: &mut StepReport| (r.d_loss, r.score_spread) = (0.9, Some(0.0));
        assert_eq!(NAME.examine(&after(Preset::Quick, &[], 300, wrong)), None);
        // A log of an earlier checkout has norms only.
        let old = |norm: f32| {
            move |r: &mut StepReport| {
                (r.d_loss, r.d_norm, r.score_spread) = (0.692, if r.step < 100 { 0.5 } else { norm }, None);
            }
        };
        assert_eq!(only(NAME, Preset::Quick, &[], old(0.0)).seen, "the discriminator's gradient is 0");
        assert_eq!(NAME.examine(&after(Preset::Quick, &[], 300, old(0.1))), None);
        // A critic's scores are compared with what they were.
        let critic = |r: &mut StepReport| {
            let spread = if r.step < 100 { 8.0 } else { 1e-4 };
            (r.d_loss, r.real_score, r.fake_score, r.score_spread) = (0.0, 3.0, 3.0, Some(spread));
        };
        assert!(NAME.examine(&after(Preset::FidleWganGp, &[], 300, critic)).is_some());
        let faint = |r: &mut StepReport| r.score_spread = Some(1e-3);
        assert_eq!(NAME.examine(&after(Preset::FidleWganGp, &[], 300, faint)), None, "it was never more");
    }
}
