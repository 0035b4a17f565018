//! A generator whose images hardly change: at the rate that was measured, the whole run would not carry them as far as images
//! differ from each other.

use super::history::{mean, two_digits};
use super::{Observation, Remedy, RunHistory};

/// How far G's images move in the whole run, over the spread of real images, that is too little. Healthy runs move them by
/// tens.
const MIN_PATH: f32 = 1.0;
/// Change by one update that is too little where the number of steps is unknown: 10,000 of them would be needed.
const MIN_SHIFT: f32 = 1e-4;

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let recent = history.recent(2)?;
    if !recent.iter().any(|p| p.measured) {
        return None;
    }
    let (shift, made) = (mean(recent, |p| p.shift), history.step());
    // Every tenth step is logged.
    let path = 10.0 * history.steps().iter().map(|p| p.shift).sum::<f32>();
    let left = history.total_steps().saturating_sub(made) as f32;
    let still = match history.total_steps() {
        0 => path < MIN_PATH && shift < MIN_SHIFT,
        _ => path + shift * left < MIN_PATH,
    };
    still.then(|| Observation {
        seen: format!(
            "in {made} steps the generator's images have changed by {} times the spread of real images",
            two_digits(path)
        ),
        means: "it hardly learns: at this pace the run ends with the images that it began with",
        causes: &["low-rates", "low-generator-rate", "zeros", "epsilon", "weight-clip", "bounded-scores", "warmup"],
        remedies: vec![Remedy::RaiseBothRates],
    })
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, first_change, only};
    use crate::recipe::Preset;
    use crate::train::StepReport;

    #[test]
    fn images_that_move_too_little_are_seen() {
        let name = Symptom::StandingStill;
        let rates = ["generator.adam.learning_rate=1e-7", "discriminator.adam.learning_rate=1e-7"];
        // The spread of real images is 0.3, and there are 1,000 steps.
        let moving =
            |shift: f32| move |r: &mut StepReport| r.variety.iter_mut().for_each(|v| v.fake_shift = 0.3 * shift);
        let seen = only(name, Preset::Quick, &rates, moving(5e-4));
        assert!(seen.seen.contains("in 300 steps") && seen.seen.contains("by 0.16 times"), "{seen:?}");
        let usual = ["generator.adam.learning_rate=0.0002", "discriminator.adam.learning_rate=0.0002"];
        assert_eq!(first_change(&after(Preset::Quick, &rates, 300, moving(5e-4)), &seen), usual);
        assert_eq!(name.examine(&after(Preset::Quick, &rates, 300, moving(2e-3))), None);
        assert_eq!(name.examine(&after(Preset::Quick, &rates, 300, |r| r.variety = None)), None, "not measured");
        // A rate that has fallen to 0 in the end is no failure.
        let falling = |r: &mut StepReport| {
            let shift = if r.step < 200 { 0.1 } else { 0.0 };
            r.variety.iter_mut().for_each(|v| v.fake_shift = shift);
        };
        assert_eq!(name.examine(&after(Preset::Quick, &[], 300, falling)), None);
    }
}
