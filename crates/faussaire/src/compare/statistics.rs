//! Statistics of few runs: mean and spread over seeds, and whether two recipes differ significantly.
//!
//! The test is Welch's (1947): a t-test that allows unequal variances, as recipes have them (one may collapse with some
//! seeds, another never). Runs are not paired by seed: two recipes with the same seed see the same images in the same
//! order, but their weights diverge after a few steps, so that pairs are nearly independent and pairing would halve the
//! degrees of freedom. The p-values are corrected by Holm's method (1979) over all pairs of recipes, not only those
//! with the best one, because the best was chosen by the same numbers.

use serde::{Deserialize, Serialize};

use super::student;

/// Least number of runs of each recipe for a test.
pub const MIN_RUNS: usize = 3;

/// Significance level: probability of a false positive among all comparisons of one metric.
pub const SIGNIFICANCE: f64 = 0.05;

/// Mean and spread of one recipe's runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Number of runs.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation (divisor n - 1); none for a single run.
    pub deviation: Option<f64>,
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
}

impl Summary {
    /// The summary of `values`; none for an empty list.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let deviation = (count > 1).then(|| (squares / (count as f64 - 1.0)).sqrt());
        let least = values.iter().copied().reduce(f64::min)?;
        let most = values.iter().copied().reduce(f64::max)?;
        Some(Self { count, mean, deviation, least, most })
    }
}

/// The result of a test of two recipes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    /// They differ significantly.
    Differs {
        /// Holm's p-value.
        p: f64,
    },
    /// No significant difference, which does not mean no difference.
    NotShown {
        /// Holm's p-value.
        p: f64,
    },
    /// All runs of each have the same value, so that there is no variance.
    NoSpread,
    /// Fewer than 3 runs of a recipe.
    TooFew,
}

/// Welch's t-test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Welch {
    /// The difference of the means over its standard error.
    pub t: f64,
    /// Degrees of freedom, by Welch and Satterthwaite.
    pub freedom: f64,
    /// Two-sided p-value, not corrected.
    pub p: f64,
}

/// Tests two summaries; none if one has a single run, or neither has any variance.
pub fn welch(a: &Summary, b: &Summary) -> Option<Welch> {
    let error = |s: &Summary| s.deviation.map(|d| d * d / s.count as f64);
    let (ea, eb) = (error(a)?, error(b)?);
    let total = ea + eb;
    // Equal values have a deviation of rounding errors at most.
    let tiny = 1e-12 * a.mean.abs().max(b.mean.abs());
    if total.sqrt() <= tiny {
        return None;
    }
    let freedom = total * total / (ea * ea / (a.count as f64 - 1.0) + eb * eb / (b.count as f64 - 1.0));
    let t = (a.mean - b.mean) / total.sqrt();
    Some(Welch { t, freedom, p: student::two_sided(t, freedom) })
}

/// Holm's corrected p-values: each can be compared with the level as if it were the only one.
pub fn holm(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut adjusted = vec![1.0; values.len()];
    let mut highest: f64 = 0.0;
    for (rank, &at) in order.iter().enumerate() {
        highest = highest.max((values.len() - rank) as f64 * values[at]).min(1.0);
        adjusted[at] = highest;
    }
    adjusted
}

/// A test of two of several recipes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// Index of the first recipe.
    pub a: usize,
    /// Index of the second recipe.
    pub b: usize,
    /// The test, if possible.
    pub welch: Option<Welch>,
    /// Its result after the correction.
    pub verdict: Verdict,
}

/// The tests of all pairs of `recipes`; those without a summary are skipped.
pub fn pairs(recipes: &[Option<Summary>]) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (a, one) in recipes.iter().enumerate() {
        for (b, other) in recipes.iter().enumerate().skip(a + 1) {
            let (Some(one), Some(other)) = (one, other) else { continue };
            let enough = one.count.min(other.count) >= MIN_RUNS;
            let welch = if enough { welch(one, other) } else { None };
            let verdict = if enough { Verdict::NoSpread } else { Verdict::TooFew };
            pairs.push(Pair { a, b, welch, verdict });
        }
    }
    let tested: Vec<usize> = (0..pairs.len()).filter(|&i| pairs[i].welch.is_some()).collect();
    let values: Vec<f64> = pairs.iter().filter_map(|pair| pair.welch.map(|w| w.p)).collect();
    for (at, p) in tested.into_iter().zip(holm(&values)) {
        pairs[at].verdict = if p < SIGNIFICANCE { Verdict::Differs { p } } else { Verdict::NotShown { p } };
    }
    pairs
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::compare::reference::numbers;

    fn of(values: &[f64]) -> Summary {
        Summary::of(values).unwrap()
    }

    #[test]
    fn agrees_with_scipy() {
        let (first, second, want) = (numbers("welch_first"), numbers("welch_second"), numbers("welch"));
        assert!(want.len() >= 6);
        for ((a, b), want) in first.iter().zip(&second).zip(&want) {
            let got = welch(&of(a), &of(b)).unwrap();
            for (got, want) in [got.t, got.freedom, got.p].into_iter().zip(want) {
                assert!((got - want).abs() <= 1e-9 * want.abs(), "{a:?} {b:?}: {got}, expected {want}");
            }
        }
        for (values, want) in numbers("holm_in").iter().zip(numbers("holm_out")) {
            let got = holm(values);
            assert!(got.iter().zip(&want).all(|(g, w)| (g - w).abs() < 1e-12), "{got:?} {want:?}");
        }
    }

    #[test]
    fn summaries_hold_mean_and_spread() {
        let summary = of(&[2.0, 4.0, 9.0]);
        assert_eq!((summary.count, summary.mean, summary.least, summary.most), (3, 5.0, 2.0, 9.0));
        assert!((summary.deviation.unwrap() - 13f64.sqrt()).abs() < 1e-12);
        assert_eq!(of(&[3.0]).deviation, None);
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn verdicts_say_what_few_runs_allow() {
        let near = of(&[1.0, 1.1, 0.9]);
        let far = of(&[5.0, 5.2, 4.9]);
        let alike = of(&[8.0, 8.0, 8.0]);
        let two = of(&[1.0, 9.0]);
        let found = pairs(&[Some(near), Some(far), None, Some(alike), Some(of(&[0.0; 3])), Some(two)]);
        let verdict = |a, b| found.iter().find(|p| (p.a, p.b) == (a, b)).map(|p| p.verdict);
        assert!(matches!(verdict(0, 1), Some(Verdict::Differs { p }) if p < 0.01), "{found:?}");
        assert_eq!(verdict(0, 2), None);
        assert_eq!(verdict(3, 4), Some(Verdict::NoSpread));
        assert_eq!(verdict(0, 5), Some(Verdict::TooFew));
        // Only the five pairs that can be tested count for Holm.
        let raw = welch(&near, &far).unwrap().p;
        let Some(Verdict::Differs { p }) = verdict(0, 1) else { panic!("{found:?}") };
        assert!(p >= raw && p <= 5.0 * raw, "{p} {raw}");
        let same = pairs(&[Some(near), Some(of(&[1.05, 0.95, 1.1]))]);
        assert!(matches!(same[0].verdict, Verdict::NotShown { p } if p > 0.3), "{same:?}");
    }
}
