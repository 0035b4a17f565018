//! Batch normalisation in a D that takes real and generated images as one batch (`train.joint_batch`): the statistics of
//! the batch tell it which are which. In G's update, in which it sees generated images only, the same D scores them far
//! higher. G learns little from it.

use super::history::{mean, mean_of, two_digits};
use super::{Observation, Remedy, RunHistory, erratic, overpowering};

/// Name of the remark on the recipe.
pub(super) const REMARK: &str = "joint-batchnorm";
/// How much higher D must score generated images in G's update, in the scores' unit, and as a share of the gap between real
/// and generated ones. In runs without the remark, to which this doesn't apply, an update of D may change the scores by up
/// to 1.5 units, in both directions.
const MIN_SHIFT: f32 = 0.5;
const MIN_SHARE: f32 = 0.25;

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    history.context.remark(REMARK)?;
    let recent = history.recent(1)?;
    let unit = erratic::unit(history, recent);
    let shift = mean_of(recent, |p| p.score_shift).unwrap_or(0.0);
    let told_apart = shift > MIN_SHIFT * unit && shift > MIN_SHARE * mean(recent, |p| p.gap);
    let seen = match overpowering::examine(history) {
        _ if told_apart => format!(
            "the discriminator scores generated images {} higher in the generator's update, where no real ones are in the batch",
            two_digits(shift)
        ),
        Some(strong) => strong.seen,
        None => return None,
    };
    Some(Observation {
        seen,
        means: "it tells them apart by the batch's statistics instead of by the images, so the generator learns little from it",
        causes: &[REMARK],
        remedies: vec![Remedy::SeparateBatches],
    })
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, first_change, only};
    use crate::recipe::Preset;
    use crate::train::StepReport;

    const D: &str = "discriminator.layers=[\"conv 16 4x4\",\"batchnorm\",\"relu\",\"flatten\",\"dense 1\"]";
    const NAME: Symptom = Symptom::JointBatchnorm;

    #[test]
    fn only_joint_batches_with_batch_normalisation_are_blamed() {
        let apart = |r: &mut StepReport| (r.real_score, r.fake_score, r.score_shift) = (3.0, -3.0, Some(4.0));
        let joint = [D, "train.joint_batch=true"];
        let seen = only(NAME, Preset::Quick, &joint, apart);
        assert!(seen.seen.contains("generated images 4.0 higher in the generator's update, where"), "{seen:?}");
        assert_eq!(first_change(&after(Preset::Quick, &joint, 300, apart), &seen), ["train.joint_batch=false"]);
        assert!(NAME.examine(&after(Preset::Quick, &joint, 50, apart)).is_some(), "after one window");
        for others in [&[D][..], &["train.joint_batch=true"], &[D, "train.joint_batch=false"]] {
            assert_eq!(NAME.examine(&after(Preset::Quick, others, 300, apart)), None);
        }
        // A log of an earlier checkout, and a step that is no more than a strong D's.
        let strong = |r: &mut StepReport| (r.d_loss, r.score_shift) = (0.01, None);
        assert!(only(NAME, Preset::Quick, &joint, strong).seen.contains("loss is 0.01, where guessing gives 0.69"));
        let small = |r: &mut StepReport| (r.real_score, r.fake_score, r.score_shift) = (10.0, -1.0, Some(2.4));
        assert_eq!(NAME.examine(&after(Preset::Quick, &joint, 300, small)), None);
    }
}
