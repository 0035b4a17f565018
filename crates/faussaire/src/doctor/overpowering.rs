//! A discriminator that is right about everything: what it would say about the next image is known, so the generator
//! learns nothing from it. How near to perfect that is shows in D's loss, not in its accuracy, since the scores of losses
//! that compare have no zero; critics of a bounded slope (Wasserstein) are meant to be strong and have no such loss.

use super::vitals::{figure, mean};
use super::{Observation, Remedy, Vitals};
use crate::loss::Loss;
use crate::recipe::TrainSettings;

/// D's loss as a share of what guessing would cost, below which it is right about everything. Healthy runs stay above a
/// third; the strong D of a DCGAN in good health above a tenth.
const PERFECT: f32 = 0.1;
/// Where images are all alike, that is the trouble, and D's success its effect.
const ALIKE: f32 = 0.15;

pub(super) fn examine(vitals: &Vitals) -> Option<Observation> {
    let train = &vitals.case.recipe.train;
    let (guessing, floor) = (train.loss.of_guessing()?, floor(train));
    let recent = vitals.recent(2)?;
    let share = (mean(recent, |p| p.d_loss) - floor) / (guessing - floor);
    if share >= PERFECT || mean(recent, |p| p.spread) < ALIKE {
        return None;
    }
    Some(Observation {
        seen: format!("the discriminator's loss is {} of what guessing would cost", figure(share.max(0.0))),
        means: "it tells every image rightly and far from doubt, so the generator learns little from it",
        remedies: vec![Remedy::GentlerDiscriminator, Remedy::PenaliseSlope, Remedy::BlurSight, Remedy::Augment],
    })
}

/// What the loss can't fall below, because some labels are softened or wrong on purpose.
fn floor(train: &TrainSettings) -> f32 {
    let entropy = |p: f64| if p > 0.0 { (-p * p.ln() - (1.0 - p) * (1.0 - p).ln()) as f32 } else { 0.0 };
    match train.loss {
        Loss::Nonsaturating | Loss::Saturating => 0.5 * entropy(train.smoothing) + entropy(train.flips),
        _ => 0.0,
    }
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
        let seen = only(name, Preset::Quick, &["discriminator.adam.rate=0.01"], losing(0.01));
        assert!(seen.seen.contains("is 0.01 of what guessing"), "{seen:?}");
        let vitals = after(Preset::Quick, &["discriminator.adam.rate=0.01"], 300, losing(0.01));
        assert_eq!(first_change(&vitals, &seen), ["discriminator.adam.rate=0.001"]);
        let examine = |preset, changes: &[&str], loss| name.examine(&after(preset, changes, 300, losing(loss)));
        assert_eq!(examine(Preset::Quick, &[], 0.1), None);
        // A hinge's guess costs three times as much; a critic's loss has no scale.
        assert!(examine(Preset::Quick, &["train.loss=hinge"], 0.1).is_some());
        assert!(examine(Preset::Ring, &[], 0.01).is_some());
        assert_eq!(examine(Preset::FidleWganGp, &[], -30.0), None);
        // With softened labels the loss can't get far below 0.16.
        assert!(examine(Preset::Quick, &["train.smoothing=0.1"], 0.19).is_some());
        assert_eq!(examine(Preset::Quick, &["train.smoothing=0.1"], 0.25), None);
    }
}
