//! Confidence intervals of scores, for the selection of images: the bootstrap (Efron 1979) for means and counts over
//! images, and the delete-a-group jackknife for the Fréchet distance. Resampling with replacement duplicates images,
//! which raises a Fréchet distance as a smaller number of images would; leaving groups out does not.

use faussaire_data::random::Stream;
use rand::Rng;
use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// A score with its confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    /// The score on all images.
    pub(crate) value: f64,
    /// Lower end.
    pub(crate) low: f64,
    /// Upper end.
    pub(crate) high: f64,
}

impl Estimate {
    /// `value` plus and minus `margin`.
    fn around(value: f64, margin: f64) -> Self {
        Self { value, low: value - margin, high: value + margin }
    }

    /// A number without uncertainty, such as a count.
    pub(crate) fn exact(value: f64) -> Self {
        Self::around(value, 0.0)
    }

    /// With the interval's ends clamped to the score's range.
    #[must_use]
    pub(crate) fn clamp(self, least: f64, most: f64) -> Self {
        Self { low: self.low.clamp(least, most), high: self.high.clamp(least, most), ..self }
    }
}

/// How intervals are computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bootstrap {
    /// Number of resamples.
    pub(crate) resamples: usize,
    /// Confidence level, between 0 and 1.
    pub(crate) level: f64,
    /// Seed of the resamples.
    pub(crate) seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 1000, level: 0.95, seed: 0 }
    }
}

impl Bootstrap {
    /// The percentile interval of `statistic` over `rows` images. `statistic` receives row indices: all of them for the
    /// value, then resamples drawn with replacement.
    pub(crate) fn percentile(&self, rows: usize, statistic: impl Fn(&[u32]) -> f64 + Sync) -> Estimate {
        let (value, draws) = self.draw(rows, statistic);
        let (low, high) = self.ends(&draws);
        Estimate { value, low: low.min(value), high: high.max(value) }
    }

    /// The reflected ("basic") interval: the percentiles mirrored at the value. For statistics that noise only raises,
    /// such as a KL divergence: resampling adds as much noise again, and reflection subtracts it.
    pub(crate) fn reflected(&self, rows: usize, statistic: impl Fn(&[u32]) -> f64 + Sync) -> Estimate {
        let (value, draws) = self.draw(rows, statistic);
        let (low, high) = self.ends(&draws);
        Estimate { value, low: (2.0 * value - high).min(value), high: (2.0 * value - low).max(value) }
    }

    /// The mean of `values`, one per image, with its percentile interval. NaN where there are none.
    pub(crate) fn mean(&self, values: &[f64]) -> Estimate {
        let mean = |rows: &[u32]| rows.iter().map(|&r| values[r as usize]).sum::<f64>() / rows.len() as f64;
        self.percentile(values.len(), mean)
    }

    /// The share of `hits` that are true, with Wilson's interval (1927), which also holds for shares of 0 and 1. NaN
    /// where there are none.
    pub(crate) fn share(&self, hits: &[bool]) -> Estimate {
        if hits.is_empty() {
            return Estimate::exact(f64::NAN);
        }
        self.wilson(hits.iter().filter(|hit| **hit).count() as f64 / hits.len() as f64, hits.len())
    }

    /// Wilson's interval of the share `value` of `n` images, of which there is at least one.
    pub(crate) fn wilson(&self, value: f64, n: usize) -> Estimate {
        let n = n as f64;
        let z = normal_quantile((1.0 + self.level) / 2.0);
        let middle = (value + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let margin = z / (1.0 + z * z / n) * (value * (1.0 - value) / n + z * z / (4.0 * n * n)).sqrt();
        Estimate { value, low: (middle - margin).clamp(0.0, value), high: (middle + margin).clamp(value, 1.0) }
    }

    /// `value` with the normal distribution's interval for a standard error.
    pub(crate) fn normal(&self, value: f64, standard_error: f64) -> Estimate {
        Estimate::around(value, normal_quantile((1.0 + self.level) / 2.0) * standard_error)
    }

    /// The delete-a-group jackknife. `left_out` has, for each set of images that the statistic depends on, the
    /// statistic without each of that set's groups (at least two, of equal size). The interval is Student's t with one
    /// degree of freedom less than the smallest number of groups.
    pub(crate) fn jackknife(&self, value: f64, left_out: &[Vec<f64>]) -> Estimate {
        let error = standard_error(left_out);
        let groups = left_out.iter().map(Vec::len).min().unwrap_or(2).max(2);
        Estimate::around(value, student_quantile((1.0 + self.level) / 2.0, groups - 1) * error)
    }

    /// The statistic on all rows, and on each resample. Resample `i` uses the random stream at `i`.
    fn draw(&self, rows: usize, statistic: impl Fn(&[u32]) -> f64 + Sync) -> (f64, Vec<f64>) {
        let all: Vec<u32> = (0..rows as u32).collect();
        let stream = Stream::new(self.seed, "judge.bootstrap");
        let resample = |drawn: &mut Vec<u32>, i: usize| {
            let mut rng = stream.at(i as u64);
            // The upper half of a 64-bit product: uniform to 1 in 2^32 / rows.
            drawn.iter_mut().for_each(|row| *row = ((u64::from(rng.next_u32()) * rows as u64) >> 32) as u32);
            statistic(drawn)
        };
        let draws = (0..self.resamples).into_par_iter().map_init(|| all.clone(), resample).collect();
        (statistic(&all), draws)
    }

    fn ends(&self, draws: &[f64]) -> (f64, f64) {
        let mut sorted = draws.to_vec();
        sorted.sort_by(f64::total_cmp);
        let tail = (1.0 - self.level) / 2.0;
        (quantile(&sorted, tail), quantile(&sorted, 1.0 - tail))
    }
}

/// The standard error by the delete-a-group jackknife; `left_out` as in [`Bootstrap::jackknife`].
pub(crate) fn standard_error(left_out: &[Vec<f64>]) -> f64 {
    let variance = |without: &Vec<f64>| {
        let groups = without.len() as f64;
        let mean = without.iter().sum::<f64>() / groups;
        without.iter().map(|v| (v - mean).powi(2)).sum::<f64>() * (groups - 1.0) / groups
    };
    left_out.iter().map(variance).sum::<f64>().sqrt()
}

/// The quantile at `share` of sorted values, with linear interpolation (numpy's default). NaN of an empty slice.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = share.clamp(0.0, 1.0) * last as f64;
    let below = (at as usize).min(last);
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    low + (high - low) * (at - below as f64)
}

/// The standard normal distribution's quantile, for shares from 0.5 to 1.
fn normal_quantile(share: f64) -> f64 {
    Normal::standard().inverse_cdf(share.clamp(0.5, 1.0 - 1e-15))
}

/// Student's t distribution's quantile, for shares from 0.5 to 1 and at least one degree of freedom.
fn student_quantile(share: f64, freedom: usize) -> f64 {
    StudentsT::new(0.0, 1.0, freedom as f64).map_or(f64::NAN, |t| t.inverse_cdf(share.clamp(0.5, 1.0 - 1e-15)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{assert_near, number};

    #[test]
    fn quantiles_are_those_of_the_tables() {
        assert_near(normal_quantile(0.975), 1.959_963_985, 1e-8);
        assert_near(normal_quantile(0.95), 1.644_853_627, 1e-8);
        assert_near(normal_quantile(0.995), 2.575_829_304, 1e-8);
        for freedom in [9, 19, 49] {
            assert_near(student_quantile(0.975, freedom), number(&["student", &freedom.to_string()]), 1e-8);
        }
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!((quantile(&[1.0, 2.0, 4.0], 0.0), quantile(&[1.0, 2.0, 4.0], 1.0)), (1.0, 4.0));
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn the_interval_of_a_mean_is_as_wide_as_theory_says() {
        let values: Vec<f64> = Stream::new(1, "test").normal(0, 4000).iter().map(|&v| f64::from(v) + 5.0).collect();
        let bootstrap = Bootstrap::default();
        let estimate = bootstrap.mean(&values);
        let half = 1.96 / 4000f64.sqrt();
        assert_near(estimate.high - estimate.low, 2.0 * half, 0.1);
        assert!((estimate.value - 5.0).abs() < half, "{estimate:?}");
        assert_near((estimate.low + estimate.high) / 2.0, estimate.value, 1e-3);
        // One group per row makes the jackknife the ordinary standard error.
        let (sum, n) = (values.iter().sum::<f64>(), 4000.0);
        let without = values.iter().map(|v| (sum - v) / (n - 1.0)).collect::<Vec<_>>();
        let jackknife = bootstrap.jackknife(estimate.value, std::slice::from_ref(&without));
        assert_near(jackknife.high - jackknife.low, 2.0 * half, 0.05);
        // Two sets of the same noise: root 2.
        let both = bootstrap.jackknife(estimate.value, &[without.clone(), without]);
        assert_near((both.high - both.low) / (jackknife.high - jackknife.low), 2f64.sqrt(), 1e-9);
        let narrow = Bootstrap { level: 0.5, ..bootstrap }.mean(&values);
        assert_near((narrow.high - narrow.low) / (estimate.high - estimate.low), 0.6745 / 1.96, 0.1);
    }

    #[test]
    fn shares_at_their_ends_have_intervals() {
        let share = |hits: usize, n: usize| Bootstrap::default().share(&(0..n).map(|i| i < hits).collect::<Vec<_>>());
        // By Wilson's formula: 60 of 60, 0 of 60, 10 of 40.
        for (hits, n, low, high) in [(60, 60, 0.939_83, 1.0), (0, 60, 0.0, 0.060_17), (10, 40, 0.141_87, 0.401_94)] {
            let found = share(hits, n);
            assert_eq!(found.value, hits as f64 / n as f64);
            assert!((found.low - low).abs() < 1e-4 && (found.high - high).abs() < 1e-4, "{found:?}");
        }
        assert!(share(0, 0).value.is_nan());
    }

    #[test]
    fn intervals_depend_on_the_seed_and_not_on_the_threads() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let on = |threads, seed| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Bootstrap { seed, ..Bootstrap::default() }.mean(&values))
        };
        assert_eq!(on(1, 7), on(3, 7));
        assert_ne!(on(1, 7), on(1, 8));
    }

    #[test]
    fn reflecting_takes_noise_off_what_noise_raises() {
        // The square of a mean whose expectation is 0.
        let values = Stream::new(3, "test").normal(0, 1000);
        let square = |rows: &[u32]| (rows.iter().map(|&r| f64::from(values[r as usize])).sum::<f64>() / 1000.0).powi(2);
        let bootstrap = Bootstrap::default();
        let (plain, reflected) = (bootstrap.percentile(1000, square), bootstrap.reflected(1000, square));
        assert_near(plain.high - reflected.value, reflected.value - reflected.low, 1e-9);
        assert!(reflected.low < 0.0 && plain.low > 0.0, "{plain:?} {reflected:?}");
        assert!(reflected.clamp(0.0, f64::INFINITY).low == 0.0);
    }
}
