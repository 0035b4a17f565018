//! Fréchet distance between Gaussians fitted to two sets of features (Heusel et al. 2017; "FID" with Inception
//! features): `|m1 - m2|^2 + Tr(S1 + S2 - 2 (S1^1/2 S2 S1^1/2)^1/2)`. The square roots are those of symmetric matrices,
//! computed from eigenvalues, so that there is no imaginary part to discard.

use crate::stats::bootstrap::{Bootstrap, Estimate, standard_error};
use crate::stats::matrix::Features;
use crate::stats::moments::Moments;
use faussaire_data::error::{Error, Result};
use faussaire_data::random::Stream;
use nalgebra::{DMatrix, SymmetricEigen};
use rayon::prelude::*;

/// Number of groups that the jackknife leaves out in turn; fewer where there are few images.
const GROUPS: usize = 20;

/// A set's moments with the square root of its covariance, which is computed once for the real images.
#[derive(Clone, Debug)]
pub(crate) struct Gaussian {
    moments: Moments,
    root: DMatrix<f64>,
    clamped: f64,
}

/// The distance and its parts, in squared units of the features.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frechet {
    /// The sum of both parts; 0 for equal moments, smaller is better.
    pub(crate) distance: f64,
    /// `|m1 - m2|^2`.
    pub(crate) mean_part: f64,
    /// The trace term, at least 0.
    pub(crate) covariance_part: f64,
    /// The sum of the negative eigenvalues that rounding left in positive semidefinite matrices; they are replaced by
    /// 0.
    pub(crate) clamped: f64,
    /// A warning where a set has no more images than dimensions: its covariance is then of low rank, and the distance
    /// far too large.
    pub(crate) warning: Option<String>,
}

impl Gaussian {
    /// Computes the square root of the covariance.
    pub(crate) fn new(moments: Moments) -> Self {
        let (covariance, unit) = normalise(moments.covariance());
        let eigen = SymmetricEigen::new(covariance);
        let (values, clamped) = clamp(eigen.eigenvalues.as_slice(), unit);
        let mut scaled = eigen.eigenvectors.clone();
        scaled.column_iter_mut().zip(&values).for_each(|(mut column, value)| column *= value.sqrt());
        Self { moments, root: scaled * eigen.eigenvectors.transpose(), clamped }
    }

    /// The moments that it was computed from.
    pub(crate) fn moments(&self) -> &Moments {
        &self.moments
    }

    /// The Fréchet distance to the Gaussian of other moments. It is symmetric.
    ///
    /// # Errors
    /// Where the dimensions differ.
    pub(crate) fn distance(&self, other: &Moments) -> Result<Frechet> {
        let (ours, theirs) = (self.moments.dims(), other.dims());
        if ours != theirs {
            let what = format!("Fréchet distance between {ours} and {theirs} dimensions");
            return Err(Error::usage(what, "use the same extractor and layer for both sets"));
        }
        let covariance = other.covariance();
        let product = &self.root * &covariance * &self.root;
        let (symmetric, unit) = normalise((&product + product.transpose()) * 0.5);
        let (values, clamped) = clamp(symmetric.symmetric_eigenvalues().as_slice(), unit);
        let shared: f64 = values.iter().map(|v| v.sqrt()).sum();
        let traces = self.moments.covariance().trace() + covariance.trace();
        let mean_part = self.moments.mean().iter().zip(other.mean()).map(|(a, b)| (a - b).powi(2)).sum();
        let covariance_part = (traces - 2.0 * shared).max(0.0);
        Ok(Frechet {
            distance: mean_part + covariance_part,
            mean_part,
            covariance_part,
            clamped: self.clamped + clamped,
            warning: warning(self.moments.rows().min(other.rows()), ours),
        })
    }
}

/// The Fréchet distance of two feature sets.
///
/// # Errors
/// Where the dimensions differ, or a set has fewer than two images.
pub(crate) fn frechet_distance(real: &Features, generated: &Features) -> Result<Frechet> {
    Gaussian::new(Moments::of(real)?).distance(&Moments::of(generated)?)
}

/// The distance with its confidence interval, by a jackknife that leaves out one of 20 groups of images at a time,
/// first of the real ones, then of the generated ones: 40 decompositions (2 ms each at 128 dimensions, seconds at
/// 2048). `real` must be the Gaussian of `real_features`.
///
/// # Errors
/// Where the dimensions differ, or a set has fewer than six images.
pub(crate) fn frechet_estimate(
    real: &Gaussian,
    real_features: &Features,
    generated: &Features,
    bootstrap: &Bootstrap,
) -> Result<(Frechet, Estimate)> {
    let gaussian = Gaussian::new(Moments::of(generated)?);
    let frechet = real.distance(gaussian.moments())?;
    let left_out = [
        without_groups(&gaussian, real.moments(), real_features, bootstrap.seed)?,
        without_groups(real, gaussian.moments(), generated, bootstrap.seed)?,
    ];
    let estimate = bootstrap.jackknife(frechet.distance, &left_out).clamp(0.0, f64::INFINITY);
    Ok((frechet, estimate))
}

/// The standard error of the distance of `real` to `generated` images, whose moments are `moments`, by leaving out one of
/// 20 groups of these at a time.
///
/// # Errors
/// Where the dimensions differ, or there are fewer than six images.
pub(crate) fn distance_error(real: &Gaussian, moments: &Moments, generated: &Features) -> Result<f64> {
    Ok(standard_error(&[without_groups(real, moments, generated, 0)?]))
}

/// Distances of `fixed` to the set without each of its groups; `whole` has the set's moments.
fn without_groups(fixed: &Gaussian, whole: &Moments, set: &Features, seed: u64) -> Result<Vec<f64>> {
    let groups = GROUPS.min(set.rows() / 2);
    if groups < 3 {
        let what = format!("{} images, but a Fréchet distance's interval needs at least 6", set.rows());
        return Err(Error::usage(what, "judge more images"));
    }
    // Random groups: files are often sorted by class.
    let order = Stream::new(seed, "judge.groups").permutation(0, set.rows());
    let without = |group: usize| {
        let members = &order[group * set.rows() / groups..(group + 1) * set.rows() / groups];
        Ok(fixed.distance(&whole.without(&Moments::of_rows(set, members)?))?.distance)
    };
    (0..groups).into_par_iter().map(without).collect()
}

/// A matrix divided by its largest element, and that element, so that no square within the decomposition overflows.
fn normalise(matrix: DMatrix<f64>) -> (DMatrix<f64>, f64) {
    let unit = matrix.amax();
    if unit > 0.0 { (matrix / unit, unit) } else { (matrix, 1.0) }
}

/// Eigenvalues, times `unit`, of a positive semidefinite matrix: negative ones become 0 (their sum is returned too),
/// and so do those within the rounding error of 0, whose square root would be far larger than themselves.
fn clamp(values: &[f64], unit: f64) -> (Vec<f64>, f64) {
    let largest = values.iter().copied().fold(0.0, f64::max);
    let noise = largest * f64::EPSILON * values.len() as f64;
    let clamped = values.iter().filter(|&&v| v < 0.0).map(|v| v * unit).fold(0.0, |sum, v| sum + v);
    (values.iter().map(|&v| if v > noise { v * unit } else { 0.0 }).collect(), clamped)
}

fn warning(rows: usize, dims: usize) -> Option<String> {
    (rows <= dims).then(|| {
        format!("{rows} images for {dims} dimensions: the covariance is of low rank and the distance too large")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{assert_near, moved, number, real_set, sets};

    #[test]
    fn agrees_with_torch_fidelity_and_scipy() {
        for name in ["plain", "few_rows", "duplicates"] {
            let (real, fake) = sets(name);
            let found = frechet_distance(&real, &fake).unwrap();
            for method in ["torch_fidelity", "sqrtm", "singular_values"] {
                assert_near(found.distance, number(&[name, "frechet", method]), 1e-6);
            }
            assert_near(found.distance, number(&[name, "frechet", "singular_values"]), 1e-10);
            assert_near(found.mean_part, number(&[name, "frechet", "mean_part"]), 1e-12);
            assert_eq!(found.mean_part + found.covariance_part, found.distance);
            assert_eq!(found.warning.is_some(), name == "few_rows");
            assert!(found.clamped <= 0.0 && found.clamped > -1e-10, "{}", found.clamped);
        }
    }

    #[test]
    fn equals_the_closed_form_of_diagonal_gaussians() {
        let gaussian = |mean: [f64; 2], a, b| Moments::from_covariance(9, mean.to_vec(), &[a, 0.0, 0.0, b]).unwrap();
        let real = Gaussian::new(gaussian([1.0, 2.0], 4.0, 9.0));
        // 3^2 + 4^2, then (2 - 1)^2 + (3 - 0)^2.
        let found = real.distance(&gaussian([4.0, 6.0], 1.0, 0.0)).unwrap();
        assert_near(found.mean_part, 25.0, 1e-12);
        assert_near(found.covariance_part, 10.0, 1e-12);
        let other = Moments::from_covariance(9, vec![0.0], &[1.0]).unwrap();
        assert!(real.distance(&other).unwrap_err().to_string().contains("between 2 and 1 dimensions"));
    }

    #[test]
    fn is_symmetric_blind_to_order_and_offset_and_zero_for_the_same() {
        let (real, fake) = sets("plain");
        let distance = |a: &Features, b: &Features| frechet_distance(a, b).unwrap().distance;
        let whole = distance(&real, &fake);
        assert_near(distance(&fake, &real), whole, 1e-10);
        // The offset rounds the features to 2^-14.
        assert_near(distance(&moved(&real, 512.0, 1.0), &moved(&fake, 512.0, 1.0)), whole, 1e-3);
        assert_near(distance(&moved(&real, 0.0, 4.0), &moved(&fake, 0.0, 4.0)), 16.0 * whole, 1e-10);
        assert!(distance(&real, &moved(&real, 0.0, 1.0)) < 1e-12);
        // The largest features that there are: neither an overflow nor an endless decomposition.
        let scale = 2f32.powi(125);
        let large = distance(&moved(&real, 0.0, scale), &moved(&fake, 0.0, scale));
        assert_near(large / f64::from(scale).powi(2), whole, 1e-10);
        let (wide, _) = sets("few_rows");
        assert!(distance(&wide, &wide) < 1e-12);
    }

    #[test]
    fn the_interval_is_the_same_bits_for_any_number_of_threads() {
        let (real, fake) = sets("plain");
        let gaussian = Gaussian::new(Moments::of(&real).unwrap());
        let estimate = || frechet_estimate(&gaussian, &real, &fake, &Bootstrap::default()).unwrap();
        let on = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(estimate);
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn the_interval_covers_other_samples_and_narrows_with_more() {
        let bootstrap = Bootstrap::default();
        let estimate = |rows| {
            let (real, fake) = (real_set(31, rows, 6), moved(&real_set(32, rows, 6), 0.5, 1.0));
            let gaussian = Gaussian::new(Moments::of(&real).unwrap());
            frechet_estimate(&gaussian, &real, &fake, &bootstrap).unwrap().1
        };
        let (few, many) = (estimate(400), estimate(6400));
        let width = |e: Estimate| e.high - e.low;
        assert!((2.5..6.0).contains(&(width(few) / width(many))), "{few:?} {many:?}");
        // The distributions differ by the shift alone: 6 * 0.5^2.
        assert!(many.low < 1.5 && 1.5 < many.high && width(many) < 0.3, "{many:?}");
        let tiny = real_set(1, 5, 2);
        let gaussian = Gaussian::new(Moments::of(&tiny).unwrap());
        assert!(frechet_estimate(&gaussian, &tiny, &tiny, &bootstrap).is_err());
    }
}
