//! A discriminator that takes all images for real, though each of its own updates teaches it otherwise: the generator's step
//! moves it, too, since it isn't frozen there. The two steps pull its scores of generated images in opposite directions, and it
//! ends between them.

use super::history::{mean, mean_of, two_digits};
use super::{Observation, Remedy, RunHistory};

/// Mean score of the images of either kind, in log odds, in each of three windows. A D that learns corrects a bias of both kinds
/// within some steps: healthy runs reach 0.03, one with a dropout of 0.95 in D 0.21, a D that isn't frozen 1.
const LEAN: f32 = 0.4;

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let loss = history.context.recipe.train.loss;
    // Only such scores have a zero that both kinds are to be on different sides of.
    if !loss.scale().log_odds || loss.is_relativistic() {
        return None;
    }
    let recent = history.recent(3)?;
    let windows = history.windows(3)?;
    let leans = |window: &&[_]| mean(window, |p| p.real_score) > LEAN && mean(window, |p| p.real_score - p.gap) > LEAN;
    let is_lowered = mean_of(recent, |p| p.score_shift).is_none_or(|shift| shift < 0.0);
    let loses = mean(recent, |p| p.d_loss) > loss.chance_loss()?;
    if !(windows.iter().all(leans) && is_lowered && loses) {
        return None;
    }
    let score = mean(recent, |p| p.real_score - p.gap);
    Some(Observation {
        seen: format!(
            "the discriminator takes all images for real: its mean score of generated ones is {} ({:.0}% \"real\"), though its own \
             updates lower it",
            two_digits(score),
            100.0 / (1.0 + (-score).exp())
        ),
        means: "something raises these scores again after each of its updates, usually the generator's step, in which the \
                discriminator isn't frozen: it learns there that generated images are real",
        causes: &[],
        remedies: vec![Remedy::WithoutMistake("freeze the discriminator in the generator's step")],
    })
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, first_change, only};
    use crate::recipe::Preset;
    use crate::train::StepReport;

    const NAME: Symptom = Symptom::UnfrozenDiscriminator;

    #[test]
    fn all_images_taken_for_real_are_seen() {
        let real = |r: &mut StepReport| {
            (r.d_loss, r.real_score, r.fake_score, r.score_shift) = (0.84, 1.05, 1.1, Some(-0.07));
        };
        let seen = only(NAME, Preset::Quick, &[], real);
        assert!(seen.seen.contains("generated ones is 1.1 (75% \"real\")"), "{seen:?}");
        assert_eq!(
            first_change(&after(Preset::Quick, &[], 300, real), &seen),
            [""; 0],
            "no key of a usual recipe does it"
        );
        let built_in = ["train.sabotage=d-not-frozen"];
        assert_eq!(first_change(&after(Preset::Quick, &built_in, 300, real), &seen), ["train.sabotage=\"\""]);
        // A bias that it corrects, a D that is deceived, one that does well; scores without a zero.
        for change in [
            |r: &mut StepReport| (r.d_loss, r.real_score, r.fake_score) = (0.8, 0.3, 0.3),
            |r: &mut StepReport| (r.d_loss, r.real_score, r.fake_score) = (1.2, -0.6, 0.6),
            |r: &mut StepReport| (r.d_loss, r.real_score, r.fake_score) = (0.5, 2.0, 0.5),
            |r: &mut StepReport| (r.d_loss, r.real_score, r.fake_score, r.score_shift) = (0.84, 1.0, 1.0, Some(0.1)),
            |r: &mut StepReport| {
                (r.d_loss, r.real_score, r.fake_score) = (0.84, if r.step < 200 { 1.0 } else { 0.0 }, 1.0)
            },
        ] {
            assert_eq!(NAME.examine(&after(Preset::Quick, &[], 300, change)), None);
        }
        for preset in [Preset::FidleWganGp, Preset::Ring] {
            assert_eq!(NAME.examine(&after(preset, &[], 300, real)), None);
        }
    }
}
