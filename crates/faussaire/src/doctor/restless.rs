//! A generator that learns too fast: one update changes its images as much as images differ from each other, so that
//! D's gradient no longer applies to them.

use super::history::{mean, two_digits};
use super::overpowering;
use super::{Observation, Remedy, RunHistory};

/// Change of the images of the same noise by one update, over the spread of real images, that is too large. Healthy
/// runs have 0.1, small nets on points 0.5 in their first window and sometimes 0.8 for one window. One window is
/// examined, since images that changed much may soon be saturated and stop changing.
pub(super) const MAX_SHIFT: f32 = 1.0;
/// The same where the recipe's rate is high. A healthy run with such rates has 0.63 in its first window.
const LIKELY_MAX_SHIFT: f32 = 0.7;
/// The same where D is overpowering: the images of a G that is too slow for such a D hardly change.
const MAX_SHIFT_OVERPOWERED: f32 = 0.2;
/// Spread of generated images over that of real ones below which the images are one image.
const ONE_IMAGE: f32 = 0.15;

const CAUSES: &[&str] = &["high-generator-rate", "high-rates", "beta1"];

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let recent = history.recent(1)?;
    let mut shift = mean(recent, |p| p.shift);
    if mean(recent, |p| p.spread) < ONE_IMAGE {
        // The largest change so far made them so: where a sigmoid or tanh is saturated, nothing has changed since.
        shift = history.steps().iter().map(|p| p.shift).fold(shift, f32::max);
    }
    // A D that is overpowering because G's images change too much is G's fault.
    let jumpy = shift >= MAX_SHIFT_OVERPOWERED && overpowering::examine(history).is_some();
    let high = history.context.has(&["high-generator-rate", "high-rates"]);
    if shift < if high { LIKELY_MAX_SHIFT } else { MAX_SHIFT } && !jumpy {
        return None;
    }
    Some(Observation {
        seen: seen(shift),
        means: match history.context.has(CAUSES) {
            true => "its updates overshoot: what it learns from the discriminator no longer applies after them",
            false => "the generator's learning rate is too high: its updates overshoot",
        },
        causes: CAUSES,
        remedies: vec![Remedy::LowerGeneratorRate],
    })
}

/// What was measured, in words.
pub(super) fn seen(shift: f32) -> String {
    format!("one update changed the generator's images by {} times the spread of real images", two_digits(shift))
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
        // One large change, and no further ones.
        let stuck = |r: &mut StepReport| {
            let first = r.step == 1;
            r.variety.iter_mut().for_each(|v| (v.fake_shift, v.fake_spread) = (if first { 0.6 } else { 0.0 }, 0.01));
        };
        let seen = Symptom::RestlessGenerator.examine(&after(Preset::Quick, &[], 50, stuck)).map(|o| o.seen);
        assert!(seen.is_some_and(|seen| seen.contains("by 2.0 times")));
        // Smaller changes count only where D is overpowering.
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
