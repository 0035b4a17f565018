//! A score that has been rising since its best: more training makes the images worse.

use super::{Observation, Remedy, RunHistory};
use crate::metrics::Metric;

/// Fewest of the last scores that are averaged, since single ones are noisy.
const AVERAGED: usize = 3;
/// Ratio of their mean to the best score, from which on the run is past its best.
const MIN_RATIO: f32 = 1.5;
/// Number of windows that must have passed since the best score.
const MIN_WINDOWS: u64 = 4;

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    // The scores of points count modes, which `collapse` examines.
    let metrics = [Metric::Frechet, Metric::SlicedWasserstein];
    let metric = metrics.into_iter().find(|metric| !history.scores(*metric).is_empty())?;
    let [earlier, recent] = history.divided_scores(metric, AVERAGED)?;
    let (step, best) = earlier.iter().copied().min_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let mean = recent.iter().map(|(_, score)| score).sum::<f32>() / recent.len() as f32;
    if mean < MIN_RATIO * best || step + MIN_WINDOWS * history.window() > history.step() {
        return None;
    }
    Some(Observation {
        seen: format!("the score was best at step {step} ({best:.3}) and is now {mean:.3}"),
        means: "more training makes the images worse; the best nets are in the checkpoint `best`",
        causes: &["high-rates", "high-generator-rate", "high-discriminator-rate", "beta1"],
        remedies: vec![Remedy::LowerBothRates, Remedy::R1Penalty],
    })
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, score};
    use crate::recipe::Preset;

    #[test]
    fn a_lasting_rise_is_seen() {
        let judged = |name: &str, values: &[f64]| {
            let mut history = after(Preset::Quick, &[], 100 * values.len() as u64, |_| {});
            score(&mut history, name, values);
            Symptom::PastBest.examine(&history).map(|o| o.seen)
        };
        let seen = |values: &[f64]| judged("sliced-wasserstein-512-pixels", values);
        assert_eq!(seen(&[0.3, 0.05, 0.06, 0.05, 0.06, 0.055]), None);
        assert_eq!(seen(&[0.3, 0.05, 0.05, 0.05, 0.05, 0.11]), None, "one bad score");
        assert_eq!(seen(&[0.04, 0.09]), None, "too few");
        let rising = seen(&[0.3, 0.05, 0.06, 0.08, 0.09, 0.1]).unwrap();
        assert!(rising.starts_with("the score was best at step 200 (0.050) and is now 0.090"), "{rising}");
        assert_eq!(
            judged("frechet-1000-mnist-classifier(99.3%)-train", &[0.3, 0.05, 0.06, 0.08, 0.09, 0.1]),
            Some(rising)
        );
    }
}
