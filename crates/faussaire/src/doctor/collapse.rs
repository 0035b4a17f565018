//! Mode collapse: the generator makes one image, or a few, whatever the noise. The batch itself shows it; where the data
//! has known modes or classes, so does their loss.

use super::history::{mean, two_digits};
use super::narrow;
use super::{Observation, Remedy, RunHistory, StepMetrics};
use crate::metrics::Metric;

/// Generated images that differ less than this share of what real ones do are one image. Healthy runs stay above 0.4.
const ONE_IMAGE: f32 = 0.15;
/// Images whose nearest is nearer than this share are a few images. Healthy runs stay above 0.5. Of points it says nothing:
/// between clusters they are always farther apart.
pub(super) const FEW_IMAGES: f32 = 0.25;
/// Modes or classes that were there and are not in two scores in a row. Fewer come and go in healthy runs.
const LOST: f32 = 3.0;
/// From fewer images than this a batch of generated ones, even if drawn like the real ones, holds near-equal ones more often than
/// a batch of real ones, which are all different.
const FEWEST: u64 = 640;
/// Windows after which images that were alike from the beginning count as collapsed.
const LONG: u64 = 4;

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let seen = batch(history).or_else(|| lost(history))?;
    let remedies = [
        Remedy::RandomInit,
        Remedy::R1Penalty,
        Remedy::LowerGeneratorRate,
        Remedy::InstanceNoise,
        Remedy::LowerDiscriminatorRate,
    ];
    Some(Observation {
        seen,
        means: "the generator has collapsed: it makes one image, or a few, whatever the noise",
        remedies: remedies.to_vec(),
    })
}

fn batch(history: &RunHistory) -> Option<String> {
    if let Some(spread) = one_image(history) {
        return Some(format!("generated images differ {} times as much as real ones do", two_digits(spread)));
    }
    if history.context.points || narrow::is_narrow(history) || history.images().is_some_and(|images| images < FEWEST) {
        return None;
    }
    let nearest = alike(history, |p| p.nearest, FEW_IMAGES)?;
    Some(format!(
        "a generated image is {} times as far from the nearest other one as real images are",
        two_digits(nearest)
    ))
}

/// How much generated images differ, as a share of what real ones do, where they are one image.
pub(super) fn one_image(history: &RunHistory) -> Option<f32> {
    alike(history, |p| p.spread, ONE_IMAGE)
}

/// `measure`, where it is below `limit` because the images became alike, are the very same, or have been alike for long. An
/// untrained net's first images are alike, too: where G doesn't get away from there, the cause may be another.
fn alike(history: &RunHistory, measure: fn(&StepMetrics) -> f32, limit: f32) -> Option<f32> {
    let now = mean(history.recent(2)?, measure);
    let were_different = || history.pulses().iter().any(|pulse| measure(pulse) >= 2.0 * limit);
    let for_long = || history.recent(LONG).is_some_and(|pulses| mean(pulses, measure) < limit);
    (now < limit && (now < 0.2 * limit || were_different() || for_long())).then_some(now)
}

fn lost(history: &RunHistory) -> Option<String> {
    let scores = history.scores(if history.context.points { Metric::MissingModes } else { Metric::RareClasses });
    let [earlier @ .., (_, before), (_, last)] = scores else { return None };
    let best = earlier.iter().map(|(_, missing)| *missing).reduce(f32::min)?;
    // Twice as many again, so that of 25 modes the last few may come and go.
    let limit = LOST + 2.0 * best;
    (before.min(*last) >= limit)
        .then(|| format!("{last} kinds of images are missing from the generated ones, where {best} were at best"))
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, first_change, only, score};
    use crate::recipe::Preset;
    use crate::train::Event;

    #[test]
    fn one_image_and_few_images_are_seen() {
        let one = |r: &mut crate::train::StepReport| {
            if let Some(v) = &mut r.variety {
                (v.fake_spread, v.fake_nearest) = (0.03, 0.02);
            }
        };
        let seen = only(Symptom::Collapse, Preset::Quick, &[], one);
        assert!(seen.seen.contains("differ 0.10 times"), "{seen:?}");
        assert_eq!(first_change(&after(Preset::Quick, &[], 300, one), &seen), ["train.penalties.r1=1"]);
        let ring = only(Symptom::Collapse, Preset::Ring, &["train.penalties={}"], one);
        let history = after(Preset::Ring, &["train.penalties={}"], 300, one);
        assert_eq!(first_change(&history, &ring), ["train.penalties.r1=0.001"]);
        let few = |r: &mut crate::train::StepReport| r.variety.iter_mut().for_each(|v| v.fake_nearest = 0.02);
        assert!(only(Symptom::Collapse, Preset::Quick, &[], few).seen.contains("0.10 times as far"));
        // Of ten images, a batch of generated ones holds some twice.
        let mut few_to_learn = after(Preset::Quick, &[], 300, few);
        few_to_learn.observe(&Event::Start {
            step: 0,
            steps: 1000,
            steps_per_epoch: 1.0,
            machine: String::new(),
            precision: String::new(),
        });
        assert_eq!(Symptom::Collapse.examine(&few_to_learn), None);
        // Points of clusters say nothing by their nearest; a narrow latent is another symptom.
        assert_eq!(Symptom::Collapse.examine(&after(Preset::Ring, &[], 300, few)), None);
        assert_eq!(Symptom::Collapse.examine(&after(Preset::Quick, &["latent=1"], 300, few)), None);
    }

    #[test]
    fn images_that_begin_alike_are_given_time() {
        let seen = |made: u64, share: &dyn Fn(u64) -> f32| {
            let change = |r: &mut crate::train::StepReport| {
                let step = r.step;
                r.variety.iter_mut().for_each(|v| v.fake_spread = v.real_spread * share(step));
            };
            Symptom::Collapse.examine(&after(Preset::Quick, &[], made, change)).is_some()
        };
        assert!(!seen(150, &|_| 0.1), "they may still part");
        assert!(seen(250, &|_| 0.1), "they don't");
        assert!(seen(150, &|_| 0.01), "the very same image");
        assert!(seen(150, &|step| if step < 30 { 0.5 } else { 0.1 }), "they were different");
    }

    #[test]
    fn modes_that_were_there_are_missed_when_they_stay_away() {
        let seen = |missing: &[f64]| {
            let mut history = after(Preset::Ring, &[], 600, |_| {});
            score(&mut history, "missing-modes-2500-ring", missing);
            Symptom::Collapse.examine(&history).map(|o| o.seen)
        };
        assert_eq!(seen(&[7.0, 7.0, 6.0, 6.0]), None, "not there yet");
        assert_eq!(seen(&[2.0, 0.0, 4.0, 1.0]), None, "gone once");
        assert_eq!(seen(&[2.0, 0.0, 2.0, 2.0]), None, "few");
        assert!(seen(&[2.0, 0.0, 4.0, 3.0]).unwrap().starts_with("3 kinds"));
    }
}
