//! A discriminator that is right about everything, or far beyond doubt: what it would say about the next image is known, so
//! the generator learns nothing from it. That shows in D's loss, not in its accuracy, since the scores of losses that
//! compare have no zero, and in how far the scores of both sides lie apart, where a score is the logarithm of an odds.
//! Critics of a bounded slope (Wasserstein) are meant to be strong, and their scores have no scale.

use super::collapse;
use super::history::{mean, two_digits};
use super::{Observation, Remedy, RunHistory};

/// D's loss as a share of what guessing would cost, below which it is right about everything. Healthy runs stay above a
/// third; the strong D of a DCGAN in good health above a tenth.
const PERFECT: f32 = 0.1;
/// Mean scores that lie so far apart are odds of one to e^12; past 5, cross-entropy gains nothing by it. Healthy runs stay
/// below 6. It sees a D that is lost for the generator though a few images still cost it something.
const BEYOND_DOUBT: f32 = 12.0;

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let train = &history.context.recipe.train;
    let (guessing, floor) = (train.loss.chance_loss()?, train.loss.min_loss(train.smoothing, train.label_flip));
    let recent = history.recent(2)?;
    let share = (mean(recent, |p| p.d_loss) - floor) / (guessing - floor);
    let gap = if train.loss.scale().log_odds { mean(recent, |p| p.gap) } else { 0.0 };
    // Where images are all alike, that is the trouble, and D's success its effect.
    if (share >= PERFECT && gap <= BEYOND_DOUBT) || collapse::one_image(history).is_some() {
        return None;
    }
    Some(Observation {
        seen: format!(
            "the discriminator's loss is {} of what guessing would cost; its mean scores lie {} apart",
            two_digits(share.max(0.0)),
            two_digits(mean(recent, |p| p.gap))
        ),
        means: "it tells every image rightly and far from doubt, so the generator learns little from it",
        remedies: vec![Remedy::LowerDiscriminatorRate, Remedy::R1Penalty, Remedy::InstanceNoise, Remedy::Augment],
    })
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
        assert!(seen.seen.contains("is 0.01 of what guessing"), "{seen:?}");
        let history = after(Preset::Quick, &["discriminator.adam.learning_rate=0.01"], 300, losing(0.01));
        assert_eq!(first_change(&history, &seen), ["discriminator.adam.learning_rate=0.001"]);
        let examine = |preset, changes: &[&str], loss| name.examine(&after(preset, changes, 300, losing(loss)));
        assert_eq!(examine(Preset::Quick, &[], 0.1), None);
        // A hinge's guess costs three times as much; a critic's loss has no scale.
        assert!(examine(Preset::Quick, &["train.loss=hinge"], 0.1).is_some());
        assert!(examine(Preset::Ring, &[], 0.01).is_some());
        assert_eq!(examine(Preset::FidleWganGp, &[], -30.0), None);
        // With softened labels the loss can't get far below 0.16.
        assert!(examine(Preset::Quick, &["train.smoothing=0.1"], 0.19).is_some());
        assert_eq!(examine(Preset::Quick, &["train.smoothing=0.1"], 0.25), None);
        // Far beyond doubt, though a few images still cost it something; a hinge's scores are no odds.
        let apart = |gap: f32| move |r: &mut StepReport| (r.d_loss, r.real_score) = (0.3, gap + r.fake_score);
        let seen = only(name, Preset::Quick, &[], apart(30.0));
        assert!(seen.seen.ends_with("lie 30 apart"), "{seen:?}");
        assert_eq!(name.examine(&after(Preset::Quick, &[], 300, apart(10.0))), None);
        assert_eq!(name.examine(&after(Preset::Quick, &["train.loss=hinge"], 300, apart(30.0))), None);
    }
}
