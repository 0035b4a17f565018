//! A discriminator that does worse than guessing, or takes generated images for real ones rather than the other way round: the generator changes faster than it can follow. Guessing alone is no
//! symptom, since a good generator leaves D nothing else.

use super::history::{StepMetrics, mean, two_digits};
use super::{Observation, Remedy, RunHistory};

/// D's loss as a share of what guessing costs, above which it is plainly wrong. Healthy runs reach 1.4 in their first steps.
const WRONG: f32 = 1.5;
/// How far generated images' scores may lie above real ones' in each of three windows, and in the last of them. A D that
/// learns doesn't stand that for long: healthy runs reach 0.07, one on points 0.25 for a while; where D can't follow, it grows.
const DECEIVED: f32 = 0.1;
const DEEPLY: f32 = 0.8;
/// Or D stands still: its score of real images moves, from window to window, by no more than this share of the least lead. A D
/// that hardly learns stays below 0.08, where its scores have no slope to lead far; that one healthy run moved by 0.65.
const STILL: f32 = 0.1;

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let guessing = history.context.recipe.train.loss.chance_loss()?;
    let share = mean(history.recent(3)?, |p| p.d_loss) / guessing;
    let windows = history.windows(3)?;
    let lead = -mean(windows.last()?, |p| p.gap);
    let [least, _] = ends(&windows, |p| -p.gap);
    let [lowest, highest] = ends(&windows, |p| p.real_score);
    let deceived = least > DECEIVED && (lead > DEEPLY || highest - lowest < STILL * least);
    (share > WRONG || deceived).then(|| Observation {
        seen: format!(
            "the discriminator's loss is {} times what guessing would cost, and it scores generated images {} above real ones",
            two_digits(share),
            two_digits(lead)
        ),
        means: "it learns too slowly to follow the generator, or is too small for the task, so it is of no use to it",
        remedies: vec![Remedy::RaiseDiscriminatorRate, Remedy::LowerGeneratorRate],
    })
}

/// The least and the largest mean of `measure` among `windows`.
fn ends(windows: &[&[StepMetrics]], measure: fn(&StepMetrics) -> f32) -> [f32; 2] {
    let means = || windows.iter().map(|window| mean(window, measure));
    [means().fold(f32::INFINITY, f32::min), means().fold(f32::NEG_INFINITY, f32::max)]
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, first_change, only};
    use crate::recipe::Preset;
    use crate::train::StepReport;

    #[test]
    fn worse_than_guessing_is_not_guessing() {
        let (name, slow) = (Symptom::HelplessDiscriminator, ["discriminator.adam.learning_rate=1e-7"]);
        let worse = |r: &mut StepReport| r.d_loss = 1.4;
        let seen = only(name, Preset::Quick, &slow, worse);
        assert!(seen.seen.contains("is 2.0 times what"), "{seen:?}");
        let history = after(Preset::Quick, &slow, 300, worse);
        assert_eq!(first_change(&history, &seen), ["discriminator.adam.learning_rate=0.001"]);
        assert_eq!(name.examine(&after(Preset::Quick, &slow, 300, |r| r.d_loss = 0.71)), None);
        assert_eq!(name.examine(&after(Preset::FidleWganGp, &[], 300, |r| r.d_loss = 30.0)), None);
        let deceived = |r: &mut StepReport| (r.real_score, r.fake_score) = (-0.6, 0.4);
        assert!(only(name, Preset::Quick, &slow, deceived).seen.ends_with("1.0 above real ones"));
        // Deceived by a little: it depends on whether D does anything about it.
        let still = |r: &mut StepReport| (r.real_score, r.fake_score) = (-0.2, 0.1);
        assert!(only(name, Preset::Quick, &slow, still).seen.ends_with("0.30 above real ones"));
        let wavering = |r: &mut StepReport| {
            let real = 0.1 * (r.step / 50 % 2) as f32;
            (r.real_score, r.fake_score) = (real, real + 0.3);
        };
        assert_eq!(name.examine(&after(Preset::Quick, &slow, 300, wavering)), None);
        let once = |r: &mut StepReport| {
            if r.step < 250 {
                deceived(r)
            }
        };
        assert_eq!(name.examine(&after(Preset::Quick, &slow, 300, once)), None, "it has learnt");
    }
}
