//! A generator whose loss falls as the discriminator recognises its images: in the generator's step they have the label of
//! generated images instead of that of real ones. Both nets learn the same then, and both losses fall.

use super::history::{mean, mean_of, two_digits};
use super::{Observation, Remedy, RunHistory};
use crate::loss::Loss;

/// Mean score of the images in G's step, in log odds, below which the two labels have losses far apart.
const RECOGNISED: f32 = -2.0;
/// G's loss over the least one that these scores have with the right label, which no batch can be below.
const SHARE: f32 = 0.5;

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    // Other losses may fall so.
    if history.context.recipe.train.loss != Loss::Nonsaturating {
        return None;
    }
    let recent = history.recent(2)?;
    let score = mean(recent, |p| p.real_score - p.gap) + mean_of(recent, |p| p.score_shift)?;
    // Of batches with this mean score the one of equal scores has the least loss.
    let (loss, least) = (mean(recent, |p| p.g_loss), (-score).min(30.0).exp().ln_1p().max(-score));
    (score < RECOGNISED && loss < SHARE * least).then(|| Observation {
        seen: format!(
            "the generator's loss is {}, but the discriminator's scores of its images ({}) make it at least {} if these are to be \
             taken for real",
            two_digits(loss),
            two_digits(score),
            two_digits(least)
        ),
        means: "in the generator's step its images have the label of generated ones, so that it learns to be recognised: both nets \
                help each other, and the images get no better",
        causes: &[],
        remedies: vec![Remedy::WithoutMistake("label generated images as real ones in the generator's step")],
    })
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, first_change, only};
    use crate::recipe::Preset;
    use crate::train::StepReport;

    const NAME: Symptom = Symptom::ReversedGenerator;

    #[test]
    fn a_loss_that_no_batch_has_is_seen() {
        let helped = |r: &mut StepReport| {
            (r.d_loss, r.g_loss, r.real_score, r.fake_score, r.score_shift) = (0.001, 0.001, 8.0, -8.0, Some(-0.1));
        };
        let seen = only(NAME, Preset::Quick, &[], helped);
        assert!(
            seen.seen.contains("loss is less than 0.01") && seen.seen.contains("(-8.1) make it at least 8.1"),
            "{seen:?}"
        );
        let built_in = ["train.sabotage=g-labels-0"];
        assert_eq!(first_change(&after(Preset::Quick, &built_in, 300, helped), &seen), ["train.sabotage=\"\""]);
        // A strong D; one that tells by the batch in its own step only; scores near the middle; another loss.
        for change in [
            |r: &mut StepReport| (r.g_loss, r.fake_score) = (8.0, -8.0),
            |r: &mut StepReport| (r.g_loss, r.fake_score, r.score_shift) = (0.04, -8.0, Some(11.0)),
            |r: &mut StepReport| (r.g_loss, r.fake_score) = (0.4, -1.0),
            |r: &mut StepReport| (r.g_loss, r.fake_score, r.score_shift) = (0.001, -8.0, None),
        ] {
            assert_eq!(NAME.examine(&after(Preset::Quick, &[], 300, change)), None);
        }
        assert_eq!(NAME.examine(&after(Preset::Quick, &["train.loss=saturating"], 300, helped)), None);
    }
}
