//! Kernel distance (Binkowski et al. 2018; "KID" with Inception features): the unbiased estimate of the squared maximum
//! mean discrepancy under the kernel `(x y / d + 1)^3`. As in torch-fidelity it is the mean over subsets of the images,
//! with the standard deviation between subsets. Unlike the Fréchet distance it assumes no Gaussians, and its
//! expectation doesn't depend on the number of images; for equal distributions it scatters around 0.

use crate::stats::bootstrap::{Estimate, quantile};
use crate::stats::matrix::{Features, at_least, same_dims};
use crate::stats::pairwise::multiply;
use faussaire_data::error::{Error, Result};
use faussaire_data::random::Stream;
use rayon::prelude::*;
use std::ops::Range;

/// Number of rows and columns whose products are computed at a time.
const ROWS: usize = 256;
const COLUMNS: usize = 1024;

/// How subsets are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Subsets {
    /// Number of subsets.
    pub(crate) count: usize,
    /// Images of each set in a subset, drawn without replacement; fewer where a set has fewer.
    pub(crate) rows: usize,
    /// Seed of the random choice.
    pub(crate) seed: u64,
}

impl Default for Subsets {
    fn default() -> Self {
        Self { count: 100, rows: 1000, seed: 0 }
    }
}

/// The kernel distance over subsets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kid {
    /// Mean over the subsets; smaller is better.
    pub(crate) mean: f64,
    /// Standard deviation between subsets (divided by their number, as in torch-fidelity).
    pub(crate) deviation: f64,
    /// Each subset's distance.
    pub(crate) subsets: Vec<f64>,
}

impl Kid {
    fn new(subsets: Vec<f64>) -> Self {
        let count = subsets.len() as f64;
        let mean = subsets.iter().sum::<f64>() / count;
        let variance = subsets.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
        Self { mean, deviation: variance.sqrt(), subsets }
    }

    /// The mean, with the range of the share `level` of the subsets: the spread of scores of as many images as a subset
    /// has. It is wider than the uncertainty of the mean.
    pub(crate) fn estimate(&self, level: f64) -> Estimate {
        let mut sorted = self.subsets.clone();
        sorted.sort_by(f64::total_cmp);
        let tail = (1.0 - level) / 2.0;
        let (low, high) = (quantile(&sorted, tail), quantile(&sorted, 1.0 - tail));
        Estimate { value: self.mean, low: low.min(self.mean), high: high.max(self.mean) }
    }
}

/// The kernel distance over random subsets.
///
/// # Errors
/// Where the dimensions differ, a set has fewer than two images, no subset is asked for, or the features are so large
/// that their products overflow 32 bits.
pub(crate) fn kid(real: &Features, generated: &Features, subsets: &Subsets) -> Result<Kid> {
    let rows = subsets.rows.min(real.rows()).min(generated.rows());
    if subsets.count == 0 || subsets.rows < 2 {
        let what = format!("kernel distance over {} subsets of {} images", subsets.count, subsets.rows);
        return Err(Error::usage(what, "ask for at least one subset of at least two images"));
    }
    let streams = ["judge.kernel.real", "judge.kernel.generated"].map(|name| Stream::new(subsets.seed, name));
    let choose = |side: usize, set: &Features, subset: u64| streams[side].choice(subset, set.rows(), rows);
    let pair = |subset: u64| [choose(0, real, subset), choose(1, generated, subset)];
    over_subsets(real, generated, subsets.count, pair)
}

/// The unbiased estimate over all images at once.
///
/// # Errors
/// As [`kid`].
#[cfg(test)]
pub(crate) fn kid_of_all(real: &Features, generated: &Features) -> Result<f64> {
    check(real, generated)?;
    finite(squared_discrepancy(real, generated))
}

/// One distance for each pair of row choices, `choose(subset)`.
fn over_subsets(
    real: &Features,
    generated: &Features,
    count: usize,
    choose: impl Fn(u64) -> [Vec<usize>; 2] + Sync,
) -> Result<Kid> {
    check(real, generated)?;
    let one = |subset: usize| {
        let [ours, theirs] = choose(subset as u64);
        finite(squared_discrepancy(&real.select(&ours)?, &generated.select(&theirs)?))
    };
    Ok(Kid::new((0..count).into_par_iter().map(one).collect::<Result<_>>()?))
}

fn check(real: &Features, generated: &Features) -> Result<()> {
    same_dims(real, generated)?;
    at_least(real, 2, "a kernel distance")?;
    at_least(generated, 2, "a kernel distance")
}

fn finite(distance: f64) -> Result<f64> {
    if distance.is_finite() {
        return Ok(distance);
    }
    Err(Error::usage("the features are too large for a kernel distance", "scale the features to around 1"))
}

/// The unbiased estimate: means over pairs of different images within each set, less twice the mean across.
fn squared_discrepancy(real: &Features, generated: &Features) -> f64 {
    let across: f64 = kernel_sums(real, generated, |_| 0..generated.rows()).iter().sum();
    let pairs = real.rows() as f64 * generated.rows() as f64;
    mean_within(real) + mean_within(generated) - 2.0 * across / pairs
}

/// The kernel's mean over pairs of different rows.
fn mean_within(set: &Features) -> f64 {
    let n = set.rows();
    let kernel = kernel(set.dims());
    let square = |row: &[f32]| kernel(row.iter().map(|&v| f64::from(v).powi(2)).sum());
    let same: f64 = set.values().chunks_exact(set.dims()).map(square).sum();
    let end = |block: usize| ((block + 1) * ROWS).min(n);
    let diagonal: f64 = kernel_sums(set, set, |block| block * ROWS..end(block)).iter().sum();
    // The kernel is symmetric: blocks above the diagonal count twice.
    let above: f64 = kernel_sums(set, set, |block| end(block)..n).iter().sum();
    (diagonal - same + 2.0 * above) / (n as f64 * (n as f64 - 1.0))
}

/// The kernel as a function of the product of two rows.
fn kernel(dims: usize) -> impl Fn(f64) -> f64 {
    let scale = 1.0 / dims as f64;
    move |product| {
        let base = product * scale + 1.0;
        base * base * base
    }
}

/// The kernel's sum for each block of rows of `a` with the rows `columns(block)` of `b`.
fn kernel_sums(a: &Features, b: &Features, columns: impl Fn(usize) -> Range<usize> + Sync) -> Vec<f64> {
    let dims = a.dims();
    let one = |block: usize| {
        let rows = &a.values()[block * ROWS * dims..((block + 1) * ROWS).min(a.rows()) * dims];
        let columns = &b.values()[columns(block).start * dims..columns(block).end * dims];
        let mut products = vec![0.0; rows.len() / dims * COLUMNS.min(columns.len() / dims)];
        let mut sum = 0.0;
        for columns in columns.chunks(COLUMNS * dims) {
            let products = &mut products[..rows.len() / dims * (columns.len() / dims)];
            multiply(rows, columns, dims, products);
            sum += kernel_sum(products, dims);
        }
        sum
    };
    (0..a.rows().div_ceil(ROWS)).into_par_iter().map(one).collect()
}

/// The kernel's sum over products, in a fixed order, in 64 bits.
fn kernel_sum(products: &[f32], dims: usize) -> f64 {
    let kernel = kernel(dims);
    let mut lanes = [0.0; 8];
    let chunks = products.chunks_exact(8);
    let tail: f64 = chunks.remainder().iter().map(|&p| kernel(f64::from(p))).sum();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, &p)| *lane += kernel(f64::from(p)));
    }
    lanes.iter().sum::<f64>() + tail
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{assert_near, fake_set, moved, number, numbers, real_set, sets};

    #[test]
    fn agrees_with_torch_fidelity() {
        for name in ["plain", "few_rows", "duplicates"] {
            let (real, fake) = sets(name);
            let rows = real.rows().min(fake.rows());
            let first: Vec<usize> = (0..rows).collect();
            let whole = kid_of_all(&real.select(&first).unwrap(), &fake.select(&first).unwrap()).unwrap();
            assert_near(whole, number(&[name, "kernel", "whole"]), 1e-6);
            let pick = |subset, n| (0..100.min(rows / 2)).map(|i| (subset as usize * 7 + i * 11) % n).collect();
            let found = over_subsets(&real, &fake, 3, |t| [pick(t, real.rows()), pick(t, fake.rows())]).unwrap();
            for (got, want) in found.subsets.iter().zip(numbers(&[name, "kernel", "subsets"])) {
                assert_near(*got, want, 1e-6);
            }
            assert_near(found.mean, number(&[name, "kernel", "mean"]), 1e-6);
            assert_near(found.deviation, number(&[name, "kernel", "deviation"]), 1e-6);
        }
    }

    /// By the definition, in 64 bits.
    fn plain(a: &Features, b: &Features) -> f64 {
        let sum = |a: &Features, b: &Features, others: bool| -> f64 {
            let pairs =
                (0..a.rows()).flat_map(|i| (0..b.rows()).map(move |j| (i, j))).filter(|(i, j)| !others || i != j);
            let dot = |(i, j)| a.row(i).iter().zip(b.row(j)).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
            pairs.map(|pair| (dot(pair) / a.dims() as f64 + 1.0).powi(3)).sum()
        };
        let (m, n) = (a.rows() as f64, b.rows() as f64);
        sum(a, a, true) / (m * (m - 1.0)) + sum(b, b, true) / (n * (n - 1.0)) - 2.0 * sum(a, b, false) / (m * n)
    }

    #[test]
    fn blocks_do_not_matter() {
        let (a, b) = (real_set(1, 700, 5), fake_set(2, 1300, 5));
        let want = plain(&a, &b);
        assert_near(kid_of_all(&a, &b).unwrap(), want, 1e-6);
        assert_near(kid_of_all(&b, &a).unwrap(), want, 1e-6);
        assert_near(kid_of_all(&moved(&a, 0.0, 1.0), &moved(&b, 0.0, 1.0)).unwrap(), want, 1e-6);
    }

    #[test]
    fn is_the_same_bits_for_any_number_of_threads() {
        let (a, b) = (real_set(1, 900, 33), fake_set(2, 700, 33));
        let subsets = Subsets { count: 5, rows: 400, seed: 1 };
        let both = || (kid(&a, &b, &subsets).unwrap(), kid_of_all(&a, &b).unwrap());
        let on = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(both);
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn subsets_follow_the_seed_and_centre_on_the_whole() {
        let (a, b) = (real_set(1, 900, 8), fake_set(2, 800, 8));
        let subsets = Subsets { count: 40, rows: 200, seed: 3 };
        let found = kid(&a, &b, &subsets).unwrap();
        assert_eq!(found, kid(&a, &b, &subsets).unwrap());
        assert_ne!(found.mean, kid(&a, &b, &Subsets { seed: 4, ..subsets }).unwrap().mean);
        let whole = kid_of_all(&a, &b).unwrap();
        assert!((found.mean - whole).abs() < found.deviation, "{found:?} {whole}");
        let estimate = found.estimate(0.95);
        assert!(estimate.low < whole && whole < estimate.high && estimate.high - estimate.low < 6.0 * found.deviation);
        // Equal distributions: around 0, far below that of different ones.
        let floor = kid(&a, &real_set(9, 800, 8), &subsets).unwrap();
        assert!(floor.mean.abs() < 0.2 * found.mean && floor.subsets.iter().any(|&v| v < 0.0), "{floor:?}");
        // All images in every subset: no spread but that of rounding.
        let all = kid(&a, &a, &Subsets { count: 3, rows: 1000, seed: 1 }).unwrap();
        assert!(all.deviation < 1e-7);
    }

    #[test]
    fn unusable_requests_are_named() {
        let (a, b) = (real_set(1, 10, 8), real_set(2, 10, 7));
        assert!(kid(&a, &b, &Subsets::default()).unwrap_err().to_string().contains("dimensions"));
        let one = a.select(&[0]).unwrap();
        assert!(kid(&a, &one, &Subsets::default()).unwrap_err().to_string().contains("at least 2"));
        assert!(kid(&a, &a, &Subsets { count: 0, ..Subsets::default() }).is_err());
        let large = Features::new(vec![1e30; 80], 10, 8).unwrap();
        assert!(kid_of_all(&large, &a).unwrap_err().to_string().contains("too large"));
    }
}
