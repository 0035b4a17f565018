//! Generated images that are copies of training images, as happens with a handful of these.

use super::history::two_digits;
use super::{Observation, Remedy, RunHistory};
use crate::metrics::Metric;

/// Generated images that come so many times nearer to training images than these to each other, in two scores in a row.
/// New images of the same kind come as near as these to each other: 1; one that blends all of them, sqrt(2).
const NEARER: f32 = 1.6;

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let [.., (_, before), (_, last)] = history.scores(Metric::Copying) else { return None };
    if before.min(*last) < NEARER {
        return None;
    }
    Some(Observation {
        seen: format!(
            "generated images come {} times nearer to training images than these come to each other",
            two_digits(*last)
        ),
        means: "the generator repeats its training images: there are too few of them, or it has trained on them for too long",
        remedies: vec![Remedy::Augment],
    })
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, first_change, score};
    use crate::recipe::Preset;

    #[test]
    fn two_near_scores_are_needed() {
        let seen = |values: &[f64]| {
            let mut history = after(Preset::Quick, &[], 600, |_| {});
            score(&mut history, "copying-10-of-10-pixels", values);
            Symptom::Copying.examine(&history).map(|o| (first_change(&history, &o), o.seen))
        };
        assert_eq!(seen(&[1.1, 1.4, 1.5, 3.0]), None);
        assert_eq!(seen(&[1.1, 3.0, 1.4]), None);
        let (change, seen) = seen(&[1.1, 2.5, 3.0]).unwrap();
        assert!(seen.contains("come 3.0 times nearer"), "{seen}");
        assert_eq!(change, ["train.augment.kinds=[\"translation\", \"cutout\"]"]);
    }
}
