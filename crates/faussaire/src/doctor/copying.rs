//! Generated images that are copies of training images, as happens with very small data sets.

use super::history::two_digits;
use super::{Observation, Remedy, RunHistory};
use crate::metrics::Metric;

/// Ratio of the distance between training images to that from generated to training images, in all scores of a window, at least two.
/// New images of the same distribution have 1; the mean of all training images has sqrt(2).
const MAX_CLOSENESS: f32 = 1.6;

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let [_, recent] = history.divided_scores(Metric::Copying, 2)?;
    let (_, last) = recent.last()?;
    if recent.iter().any(|(_, closeness)| *closeness < MAX_CLOSENESS) {
        return None;
    }
    Some(Observation {
        seen: format!(
            "generated images are {} times closer to training images than these are to each other",
            two_digits(*last)
        ),
        means: "the generator is memorising the training images: there are too few of them, or it was trained for too long",
        causes: &[],
        remedies: vec![Remedy::Augment],
    })
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, first_change, score};
    use crate::recipe::Preset;

    #[test]
    fn two_close_scores_are_needed() {
        let seen = |values: &[f64]| {
            let mut history = after(Preset::Quick, &[], 600, |_| {});
            score(&mut history, "copying-10-of-10-pixels", values);
            Symptom::Copying.examine(&history).map(|o| (first_change(&history, &o), o.seen))
        };
        assert_eq!(seen(&[1.1, 1.4, 1.5, 3.0]), None);
        assert_eq!(seen(&[1.1, 3.0, 1.4]), None);
        let (change, seen) = seen(&[1.1, 2.5, 3.0]).unwrap();
        assert!(seen.contains("are 3.0 times closer"), "{seen}");
        assert_eq!(change, ["train.augment.kinds=[\"translation\", \"cutout\"]"]);
    }
}
