//! A generator that learns too fast: one update moves its images as far as images differ from each other, so what D says
//! of them is no longer true when G hears it.

use super::history::{mean, two_digits};
use super::overpowering;
use super::{Observation, Remedy, RunHistory};

/// An update that moves images of the same noise by the whole spread of the real ones leaves nothing of what they were.
/// Healthy runs move theirs by a tenth, small nets on points by half of it in their first window, some by 0.8 for a window and
/// calm down. One window will do, since images that were thrown far soon stick where they are.
const FAR: f32 = 1.0;
/// With a D that is never wrong, this is far, too: a G that learns too slowly for such a D hardly moves.
const JUMPY: f32 = 0.2;
/// Where generated images are one image after such a jump, the jump is what made them so.
const ALIKE: f32 = 0.15;

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let recent = history.recent(1)?;
    let mut shift = mean(recent, |p| p.shift);
    if mean(recent, |p| p.spread) < ALIKE {
        // However long ago: where a sigmoid or tanh is saturated, nothing has moved since.
        shift = history.pulses().iter().map(|p| p.shift).fold(shift, f32::max);
    }
    // A D that is right about everything because G jumps about is G's doing.
    let jumpy = shift >= JUMPY && overpowering::examine(history).is_some();
    if shift < FAR && !jumpy {
        return None;
    }
    Some(Observation {
        seen: format!("one update moved the generator's images by {} times the spread of real ones", two_digits(shift)),
        means: "the generator's learning rate is too high: it jumps past what the discriminator asks of it",
        remedies: vec![Remedy::LowerGeneratorRate],
    })
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, first_change, only};
    use crate::recipe::Preset;
    use crate::train::StepReport;

    #[test]
    fn jumps_are_measured_against_the_spread() {
        let jump = |r: &mut StepReport| r.variety.iter_mut().for_each(|v| v.fake_shift = 0.6);
        let seen = only(Symptom::RestlessGenerator, Preset::Quick, &["generator.adam.learning_rate=0.2"], jump);
        assert!(seen.seen.contains("by 2.0 times"), "{seen:?}");
        let history = after(Preset::Quick, &["generator.adam.learning_rate=0.2"], 300, jump);
        assert_eq!(first_change(&history, &seen), ["generator.adam.learning_rate=0.0005"]);
        // One jump, and nothing moves any more.
        let stuck = |r: &mut StepReport| {
            let first = r.step == 1;
            r.variety.iter_mut().for_each(|v| (v.fake_shift, v.fake_spread) = (if first { 0.6 } else { 0.0 }, 0.01));
        };
        let seen = Symptom::RestlessGenerator.examine(&after(Preset::Quick, &[], 50, stuck)).map(|o| o.seen);
        assert!(seen.is_some_and(|seen| seen.contains("by 2.0 times")));
        // Smaller jumps, but D has no trouble with them.
        let jumpy = |loss: f32| {
            move |r: &mut StepReport| {
                r.d_loss = loss;
                r.variety.iter_mut().for_each(|v| v.fake_shift = 0.1);
            }
        };
        let seen = |loss| Symptom::RestlessGenerator.examine(&after(Preset::Quick, &[], 300, jumpy(loss))).is_some();
        assert!(seen(0.01) && !seen(0.5));
        let once = |r: &mut StepReport| {
            let first = r.step == 1;
            r.variety.iter_mut().for_each(|v| v.fake_shift = if first { 0.6 } else { 0.01 });
        };
        assert_eq!(Symptom::RestlessGenerator.examine(&after(Preset::Quick, &[], 50, once)), None);
    }
}
