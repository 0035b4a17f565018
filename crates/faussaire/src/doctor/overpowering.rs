//! A discriminator that separates real from generated images with near certainty, so that the generator learns nothing
//! from it. It is measured by D's loss, not by its accuracy, since relativistic scores have no zero, and by the gap
//! between the mean scores where a score is a log-odds. Wasserstein critics are meant to be strong, and their scores
//! have no scale.

use super::collapse;
use super::history::{mean, two_digits};
use super::{Observation, Remedy, RunHistory};

/// D's loss over the loss of guessing, below which it is right about everything. Healthy runs stay above a third; the
/// strong D of a healthy DCGAN stays above a tenth.
const LOW_LOSS: f32 = 0.1;
/// Least difference between the loss of guessing and the least one, over the former.
const MIN_ROOM: f32 = 0.05;
/// Gap between the mean scores of real and generated images, in log-odds: 12 are odds of e^12 to 1. Above 5,
/// cross-entropy gains nothing by it. Healthy runs stay below 6. It finds a D that is too strong although a few images
/// still raise its loss, unless it is above that of guessing: such a D is wrong about too many.
const LARGE_GAP: f32 = 12.0;

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let train = &history.context.recipe.train;
    let (chance, min) = (train.loss.chance_loss()?, train.loss.min_loss(train.smoothing, train.label_flip));
    // With labels that are exchanged half of the time, guessing is nearly the best that can be done.
    if chance - min < MIN_ROOM * chance {
        return None;
    }
    let recent = history.recent(2)?;
    let share = (mean(recent, |p| p.d_loss) - min) / (chance - min);
    let gap = if train.loss.scale().log_odds { mean(recent, |p| p.gap) } else { 0.0 };
    // Where all images are alike, that is the failure, and D's success its effect.
    let strong = share < LOW_LOSS || (gap > LARGE_GAP && share < 1.0);
    if !strong || collapse::one_image(history).is_some() {
        return None;
    }
    // One sentence for each trigger: a few misclassified images can keep the loss high where the gap is large.
    let seen = if share >= LOW_LOSS {
        format!(
            "the discriminator scores real images {} higher than generated ones, where a difference of 5 is 99% certainty",
            two_digits(gap)
        )
    } else {
        loss_seen(mean(recent, |p| p.d_loss), [min, chance])
    };
    Some(Observation {
        seen,
        means: "it separates real from generated images with near certainty, so the generator learns little from it",
        causes: &[
            "high-discriminator-rate",
            "n-critic-unbounded",
            "n-critic",
            "rates-apart",
            "low-generator-rate",
            "beta1",
            "early-decay",
            "epsilon",
            "bottleneck",
            "last-batchnorm",
        ],
        remedies: vec![Remedy::LowerDiscriminatorRate, Remedy::R1Penalty, Remedy::InstanceNoise, Remedy::Augment],
    })
}

/// D's loss beside its least one, where labels are smoothed or exchanged, and that of guessing, in words.
pub(super) fn loss_seen(loss: f32, [min, chance]: [f32; 2]) -> String {
    let least = if min > 0.0 { format!(" and {} is the least possible", two_digits(min)) } else { String::new() };
    format!("the discriminator's loss is {}, where guessing gives {}{least}", two_digits(loss), two_digits(chance))
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, first_change, only};
    use crate::recipe::Preset;
    use crate::train::StepReport;

    fn losing(loss: f32) -> impl Fn(&mut StepReport) {
        move |r| r.d_loss = loss
    }

    #[test]
    fn perfection_is_measured_against_guessing() {
        let name = Symptom::OverpoweringDiscriminator;
        let seen = only(name, Preset::Quick, &["discriminator.adam.learning_rate=0.01"], losing(0.01));
        assert!(seen.seen.contains("loss is 0.01, where guessing gives 0.69"), "{seen:?}");
        let history = after(Preset::Quick, &["discriminator.adam.learning_rate=0.01"], 300, losing(0.01));
        assert_eq!(first_change(&history, &seen), ["discriminator.adam.learning_rate=0.001"]);
        let examine = |preset, changes: &[&str], loss| name.examine(&after(preset, changes, 300, losing(loss)));
        assert_eq!(examine(Preset::Quick, &[], 0.1), None);
        // Guessing has three times the loss with hinge; a critic's loss has no scale.
        assert!(examine(Preset::Quick, &["train.loss=hinge"], 0.1).is_some());
        assert!(examine(Preset::Ring, &[], 0.01).is_some());
        assert_eq!(examine(Preset::FidleWganGp, &[], -30.0), None);
        // With label smoothing the loss can't get far below 0.16.
        let smoothed = examine(Preset::Quick, &["train.smoothing=0.1"], 0.19).unwrap();
        assert_eq!(
            smoothed.seen,
            "the discriminator's loss is 0.19, where guessing gives 0.69 and 0.16 is the least possible"
        );
        assert_eq!(examine(Preset::Quick, &["train.smoothing=0.1"], 0.25), None);
        assert_eq!(examine(Preset::Quick, &["train.label_flip=0.49"], 0.693), None, "guessing is the best it can do");
        // A large gap, though a few images keep the loss high; hinge scores are no log-odds.
        let apart = |gap: f32| move |r: &mut StepReport| (r.d_loss, r.real_score) = (0.3, gap + r.fake_score);
        let seen = only(name, Preset::Quick, &[], apart(30.0));
        assert!(seen.seen.contains("real images 30 higher than generated ones, where"), "{seen:?}");
        let wrong = |r: &mut StepReport| (r.d_loss, r.real_score) = (500.0, 1000.0);
        assert_eq!(name.examine(&after(Preset::Quick, &[], 300, wrong)), None, "far apart, but mostly wrong");
        assert_eq!(name.examine(&after(Preset::Quick, &[], 300, apart(10.0))), None);
        assert_eq!(name.examine(&after(Preset::Quick, &["train.loss=hinge"], 300, apart(30.0))), None);
    }
}
