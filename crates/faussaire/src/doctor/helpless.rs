//! A discriminator that does worse than guessing, or scores generated images above real ones: the generator changes
//! faster than it can follow. Guessing alone is no symptom: against a good generator D can't do better.

use super::history::{StepMetrics, mean, mean_of, two_digits};
use super::{Observation, Remedy, RunHistory, overpowering};

/// D's loss over the loss of guessing, above which it is worse than guessing. Healthy runs reach 1.4 in their first
/// steps.
const WORSE_THAN_CHANCE: f32 = 1.5;
/// The same for a D that drops most of its values, which learns no more than that for long.
const GUESSING: f32 = 0.95;
/// How much the mean score of generated images may exceed that of real ones in each of three windows, and in the last
/// of them. A D that learns corrects that soon: healthy runs reach 0.07, one on points 0.25 for a while; otherwise it
/// grows.
const MAX_LEAD: f32 = 0.1;
const MAX_LAST_LEAD: f32 = 0.8;
/// The same for a critic, whose scores have no unit, in standard deviations of its scores. In healthy runs it is seldom
/// above 0, and never for three windows.
const MAX_CRITIC_LEAD: f32 = 1.0;
/// Change of D's mean score of real images between windows, over the smallest lead, below which D does not react. A D
/// that hardly learns stays below 0.08; the one healthy run with a lead above had 0.65.
const MIN_REACTION: f32 = 0.1;

const CAUSES: &[&str] = &[
    "high-discriminator-rate",
    "high-rates",
    "low-discriminator-rate",
    "low-rates",
    "bounded-scores",
    "dropout",
    "small-discriminator",
    "linear-discriminator",
    "label-flip",
    "smoothing",
    "noise",
    "heavy-penalty",
    "weight-clip",
    "rates-apart",
    "high-generator-rate",
    "beta1",
];

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let loss = history.context.recipe.train.loss;
    let recent = history.recent(3)?;
    let windows = history.windows(3)?;
    let lead = -mean(windows.last()?, |p| p.gap);
    let seen = match loss.chance_loss() {
        // A critic's scores have no unit but their spread.
        None => {
            let spread = mean_of(recent, |p| p.score_spread)?;
            let [least, _] = extremes(&windows, |p| -p.gap);
            (least > MAX_CRITIC_LEAD * spread).then(|| {
                format!(
                    "the critic scores generated images {} higher than real ones, where scores differ by {} among images (standard \
                     deviation)",
                    two_digits(lead),
                    two_digits(spread)
                )
            })?
        }
        Some(guessing) => {
            let share = mean(recent, |p| p.d_loss) / guessing;
            let [least, _] = extremes(&windows, |p| -p.gap);
            let [lowest, highest] = extremes(&windows, |p| p.real_score);
            let deceived = least > MAX_LEAD && (lead > MAX_LAST_LEAD || highest - lowest < MIN_REACTION * least);
            let limit = if drops_most(history) { GUESSING } else { WORSE_THAN_CHANCE };
            match (share > limit, deceived) {
                (true, _) => overpowering::loss_seen(mean(recent, |p| p.d_loss), [0.0, guessing]),
                (false, true) => format!(
                    "the discriminator's mean score of generated images is {} above that of real ones",
                    two_digits(lead)
                ),
                (false, false) => return None,
            }
        }
    };
    // Which of the two it is, the recipe may say.
    let fast = history.context.has(&["high-discriminator-rate", "high-rates"]);
    Some(Observation {
        seen,
        means: match (fast, history.context.has(CAUSES)) {
            (true, _) => "its updates overshoot, so the generator learns nothing from it",
            (false, true) => "it can't follow the generator, which learns nothing from it",
            (false, false) => {
                "it learns too slowly to follow the generator, or is too small, so the generator learns nothing from it"
            }
        },
        causes: CAUSES,
        remedies: vec![Remedy::RaiseDiscriminatorRate, Remedy::LowerGeneratorRate],
    })
}

/// Whether the discriminator drops most of its values.
fn drops_most(history: &RunHistory) -> bool {
    let is_of_discriminator = |change: &String| change.starts_with("discriminator.");
    history.context.remark("dropout").is_some_and(|remark| remark.set.iter().any(is_of_discriminator))
}

/// The smallest and the largest mean of `measure` among `windows`.
fn extremes(windows: &[&[StepMetrics]], measure: fn(&StepMetrics) -> f32) -> [f32; 2] {
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
        assert!(seen.seen.contains("loss is 1.4, where guessing gives 0.69"), "{seen:?}");
        let history = after(Preset::Quick, &slow, 300, worse);
        assert_eq!(first_change(&history, &seen), ["discriminator.adam.learning_rate=0.001"]);
        let critic = |r: &mut StepReport| (r.real_score, r.fake_score, r.score_spread) = (5.0, 9.0, Some(2.0));
        let seen = only(name, Preset::FidleWganGp, &[], critic);
        assert!(
            seen.seen.contains("generated images 4.0 higher than real ones, where scores differ by 2.0"),
            "{seen:?}"
        );
        let hot = ["discriminator.adam.learning_rate=0.1"];
        let history = after(Preset::Quick, &hot, 300, worse);
        let seen = name.examine(&history).unwrap();
        assert!(seen.means.starts_with("its updates overshoot"), "{seen:?}");
        assert_eq!(first_change(&history, &seen), ["discriminator.adam.learning_rate=0.001"]);
        assert_eq!(name.examine(&after(Preset::Quick, &slow, 300, |r| r.d_loss = 0.71)), None);
        assert_eq!(name.examine(&after(Preset::FidleWganGp, &[], 300, |r| r.d_loss = 30.0)), None);
        let deceived = |r: &mut StepReport| (r.real_score, r.fake_score) = (-0.6, 0.4);
        assert!(only(name, Preset::Quick, &slow, deceived).seen.ends_with("1.0 above that of real ones"));
        // A small lead: whether it counts depends on D's reaction.
        let still = |r: &mut StepReport| (r.real_score, r.fake_score) = (-0.2, 0.1);
        assert!(only(name, Preset::Quick, &slow, still).seen.ends_with("0.30 above that of real ones"));
        let wavering = |r: &mut StepReport| {
            let real = 0.1 * (r.step / 50 % 2) as f32;
            (r.real_score, r.fake_score) = (real, real + 0.3);
        };
        assert_eq!(name.examine(&after(Preset::Quick, &slow, 300, wavering)), None);
        let dropped = ["discriminator.layers=[\"flatten\",\"dropout 0.95\",\"dense 1\",\"sigmoid\"]"];
        let guessing = |r: &mut StepReport| r.d_loss = 0.69;
        let seen = only(name, Preset::Quick, &dropped, guessing);
        assert!(seen.seen.contains("loss is 0.69, where guessing gives 0.69"), "{seen:?}");
        let change = first_change(&after(Preset::Quick, &dropped, 300, guessing), &seen);
        assert!(change[0].contains("\"dropout 0.3\""), "{change:?}");
        assert_eq!(name.examine(&after(Preset::Quick, &[], 300, guessing)), None, "a good generator");
        let in_generator = [
            "generator.layers=[\"dense 7*7*16\",\"dropout 0.95\",\"reshape 7 7 16\",\"upsample 4\",\"conv 1 5x5\",\"sigmoid\"]",
        ];
        assert_eq!(name.examine(&after(Preset::Quick, &in_generator, 300, guessing)), None);
        let once = |r: &mut StepReport| {
            if r.step < 250 {
                deceived(r)
            }
        };
        assert_eq!(name.examine(&after(Preset::Quick, &slow, 300, once)), None, "it has learned");
    }
}
