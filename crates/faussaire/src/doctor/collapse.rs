//! Mode collapse: the generator makes one image, or a few, for any noise. The variety of a batch shows it and, where
//! the data has known modes or classes, the number of these that are missing.

use super::history::{mean, two_digits};
use super::{Observation, Remedy, RunHistory, StepMetrics};
use crate::metrics::Metric;

/// Spread of generated images over that of real ones below which they are one image. Healthy runs stay above 0.4.
const ONE_IMAGE: f32 = 0.15;
/// Nearest-neighbour distance of generated images over that of real ones below which they are a few images. Healthy
/// runs stay above 0.5. It does not apply to 2-D points, whose distance between clusters is always larger.
pub(super) const FEW_IMAGES: f32 = 0.25;
/// Number of modes or classes that are missing in all scores of a window, at least two. In healthy runs fewer come and go.
const MISSING: f32 = 3.0;
/// Fewest training images for which nearest neighbours are compared. With fewer, a batch of generated images of the
/// same distribution holds near-duplicates more often than a batch of real images, which are all different.
const MIN_IMAGES: u64 = 640;
/// Number of windows after which images that were alike from the beginning count as collapsed.
const PATIENCE_WINDOWS: u64 = 4;

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let (seen, means) = match low_variety(history) {
        Some(seen) => (seen, "the generator has collapsed: it makes one image, or a few, for any noise"),
        None => (
            missing_modes(history)?,
            "the generator has collapsed in part: it no longer makes some of the kinds that it made",
        ),
    };
    let remedies = [
        Remedy::RandomInit,
        Remedy::R1Penalty,
        Remedy::LowerGeneratorRate,
        Remedy::InstanceNoise,
        Remedy::LowerDiscriminatorRate,
    ];
    Some(Observation {
        seen,
        means,
        causes: &[
            "zeros",
            "bottleneck",
            "last-batchnorm",
            "high-rates",
            "high-generator-rate",
            "linear-generator",
            "bounded-pixels",
            "beta1",
            "small-discriminator",
        ],
        remedies: remedies.to_vec(),
    })
}

fn low_variety(history: &RunHistory) -> Option<String> {
    if let Some(spread) = one_image(history) {
        return Some(seen(spread));
    }
    if history.context.points
        || history.context.has_narrow_latent()
        || history.images().is_some_and(|images| images < MIN_IMAGES)
    {
        return None;
    }
    let nearest = alike(history, |p| p.nearest, FEW_IMAGES)?;
    Some(format!(
        "the distance between generated images and their nearest neighbours is {} times that of real images",
        two_digits(nearest)
    ))
}

/// Spread of the generated images over that of the real ones, if it is so low that they are one image.
pub(super) fn one_image(history: &RunHistory) -> Option<f32> {
    alike(history, |p| p.spread, ONE_IMAGE)
}

/// What was measured, in words.
pub(super) fn seen(spread: f32) -> String {
    format!("generated images differ from each other {} times as much as real images do", two_digits(spread))
}

/// `measure`, if it is below `limit` because the images became alike, are identical, or have been alike for several
/// windows. An untrained net's first images are alike, too, so low variety at the beginning alone is no collapse.
fn alike(history: &RunHistory, measure: fn(&StepMetrics) -> f32, limit: f32) -> Option<f32> {
    let now = mean(history.recent(2)?, measure);
    let were_different = || history.steps().iter().any(|metrics| measure(metrics) >= 2.0 * limit);
    let for_long = || history.recent(PATIENCE_WINDOWS).is_some_and(|steps| mean(steps, measure) < limit);
    (now < limit && (now < 0.2 * limit || were_different() || for_long())).then_some(now)
}

fn missing_modes(history: &RunHistory) -> Option<String> {
    let (metric, kind) =
        if history.context.points { (Metric::MissingModes, "modes") } else { (Metric::RareClasses, "classes") };
    let [earlier, recent] = history.divided_scores(metric, 2)?;
    let least = recent.iter().map(|(_, missing)| *missing).reduce(f32::min)?;
    let best = earlier.iter().map(|(_, missing)| *missing).reduce(f32::min)?;
    // Relative to the best score, so that of 25 modes the last few may come and go.
    let limit = MISSING + 2.0 * best;
    let (_, last) = recent.last()?;
    (least >= limit)
        .then(|| format!("{last} {kind} are missing from the generated images; at best, {best} were missing"))
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
        assert!(seen.seen.contains("differ from each other 0.10 times"), "{seen:?}");
        assert_eq!(first_change(&after(Preset::Quick, &[], 300, one), &seen), ["train.penalties.r1=1"]);
        let ring = only(Symptom::Collapse, Preset::Ring, &["train.penalties={}"], one);
        let history = after(Preset::Ring, &["train.penalties={}"], 300, one);
        assert_eq!(first_change(&history, &ring), ["train.penalties.r1=0.001"]);
        let few = |r: &mut crate::train::StepReport| r.variety.iter_mut().for_each(|v| v.fake_nearest = 0.02);
        assert!(only(Symptom::Collapse, Preset::Quick, &[], few).seen.contains("is 0.10 times that of real"));
        // With ten training images, a batch of generated ones holds some of them twice.
        let mut few_to_learn = after(Preset::Quick, &[], 300, few);
        few_to_learn.observe(&Event::Start {
            step: 0,
            steps: 1000,
            steps_per_epoch: 1.0,
            machine: String::new(),
            precision: String::new(),
        });
        assert_eq!(Symptom::Collapse.examine(&few_to_learn), None);
        // Nearest neighbours do not apply to clusters of points; a narrow latent is another symptom.
        assert_eq!(Symptom::Collapse.examine(&after(Preset::Ring, &[], 300, few)), None);
        assert_eq!(Symptom::Collapse.examine(&after(Preset::Quick, &["latent=1"], 300, few)), None);
    }

    #[test]
    fn images_that_are_alike_at_first_are_given_time() {
        let seen = |made: u64, share: &dyn Fn(u64) -> f32| {
            let change = |r: &mut crate::train::StepReport| {
                let step = r.step;
                r.variety.iter_mut().for_each(|v| v.fake_spread = v.real_spread * share(step));
            };
            Symptom::Collapse.examine(&after(Preset::Quick, &[], made, change)).is_some()
        };
        assert!(!seen(150, &|_| 0.1), "they may still diverge");
        assert!(seen(250, &|_| 0.1), "they did not");
        assert!(seen(150, &|_| 0.01), "identical images");
        assert!(seen(150, &|step| if step < 30 { 0.5 } else { 0.1 }), "they were different");
    }

    #[test]
    fn scores_of_ten_steps_are_no_collapse() {
        // A batch of most of the set: a score in every step.
        let mut history = after(Preset::Quick, &[], 10, |_| {});
        for (step, missing) in [0.0, 2.0, 2.0, 3.0, 3.0].into_iter().enumerate() {
            let name = crate::metrics::ScoreName::parse("rare-classes-256-nearest-of-1000");
            history.observe(&Event::Score { step: step as u64 + 1, name, value: missing, error: None });
        }
        assert_eq!(Symptom::Collapse.examine(&history), None);
    }

    #[test]
    fn lost_modes_are_reported_when_they_stay_missing() {
        let seen = |missing: &[f64]| {
            let mut history = after(Preset::Ring, &[], 600, |_| {});
            score(&mut history, "missing-modes-2500-ring", missing);
            Symptom::Collapse.examine(&history).map(|o| o.seen)
        };
        assert_eq!(seen(&[7.0, 7.0, 6.0, 6.0]), None, "not there yet");
        assert_eq!(seen(&[2.0, 0.0, 4.0, 1.0]), None, "gone once");
        assert_eq!(seen(&[2.0, 0.0, 2.0, 2.0]), None, "few");
        assert!(seen(&[2.0, 0.0, 4.0, 3.0]).unwrap().starts_with("3 modes are missing"));
    }
}
