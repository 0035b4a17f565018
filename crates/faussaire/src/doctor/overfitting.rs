//! A discriminator that knows the training images by heart: it scores images that it never learnt from like generated
//! ones. Seen only where images are held back (`train.held_out`).

use super::history::{mean, two_digits};
use super::{Observation, Remedy, RunHistory};

/// How far the scores of held-out images have gone from those of training images (0) to those of generated ones (1): the
/// measure r_v of Karras et al. (2020).
const BY_HEART: f32 = 0.5;
/// Scores that hardly differ have no such measure: their differences are noise.
const TOLD_APART: f32 = 1.0;

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let recent = history.recent(3)?;
    let (gap, lost) = (mean(recent, |p| p.gap), mean(recent, |p| p.held_out_gap));
    let share = lost / gap;
    // Written so that no number, where gap is none, is no finding.
    if !(gap > TOLD_APART && share > BY_HEART) {
        return None;
    }
    Some(Observation {
        seen: format!(
            "images held back score as if {} of the way from training images to generated ones",
            two_digits(share)
        ),
        means: "the discriminator learns the training images by heart: there are too few of them for it",
        remedies: vec![Remedy::Augment, Remedy::R1Penalty, Remedy::InstanceNoise],
    })
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::only;
    use crate::recipe::Preset;
    use crate::train::StepReport;

    #[test]
    fn held_out_scores_are_compared_with_both_sides() {
        let at = |held: f32| {
            move |r: &mut StepReport| (r.real_score, r.fake_score, r.held_out_score) = (3.0, -1.0, Some(held))
        };
        let seen = only(Symptom::Overfitting, Preset::Quick, &[], at(0.0));
        assert!(seen.seen.contains("0.75 of the way"), "{seen:?}");
        use crate::doctor::testing::after;
        assert_eq!(Symptom::Overfitting.examine(&after(Preset::Quick, &[], 300, at(1.5))), None);
        let close = |r: &mut StepReport| (r.real_score, r.fake_score, r.held_out_score) = (0.1, -0.1, Some(-0.1));
        assert_eq!(Symptom::Overfitting.examine(&after(Preset::Quick, &[], 300, close)), None);
    }
}
