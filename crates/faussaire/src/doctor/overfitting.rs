//! A discriminator that has memorised the training images: it scores held-out images like generated ones. Needs
//! held-out images (`train.held_out`).

use super::history::{mean, two_digits};
use super::{Observation, Remedy, RunHistory};

/// Where the mean score of held-out images is between that of training images (0) and that of generated ones (1): the
/// measure r_v of Karras et al. (2020).
const MEMORISED: f32 = 0.5;
/// Least gap between the mean scores of training and generated images: below it, r_v is noise.
const MIN_GAP: f32 = 1.0;

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let recent = history.recent(3)?;
    let (gap, held_out_gap) = (mean(recent, |p| p.gap), mean(recent, |p| p.held_out_gap));
    let share = held_out_gap / gap;
    // A NaN is no finding.
    if !(gap > MIN_GAP && share > MEMORISED) {
        return None;
    }
    Some(Observation {
        seen: format!("held-out images score {} of the way from training images to generated ones", two_digits(share)),
        means: "the discriminator is memorising the training images: there are too few of them for its size",
        causes: &[],
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
