//! Mean and covariance of features in 64-bit floats, computed by blocks of rows, so that no more than one block is
//! converted at a time. The moments of a subset can be subtracted again, which makes leaving out a group of images
//! cheap.

use crate::stats::matrix::{Features, at_least};
use faussaire_data::error::{Error, Result};
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

/// Number of rows that are centred and multiplied at a time.
const BLOCK: usize = 1024;
/// Columns of the scatter matrix per task.
const BAND: usize = 64;

/// Mean and scatter (the sum of `(x - mean)(x - mean)^T`) of a set of feature vectors.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moments {
    rows: usize,
    mean: DVector<f64>,
    scatter: DMatrix<f64>,
}

impl Moments {
    /// The moments of all rows.
    ///
    /// # Errors
    /// Where there are fewer than two rows: one image has no covariance.
    pub(crate) fn of(features: &Features) -> Result<Self> {
        let all: Vec<usize> = (0..features.rows()).collect();
        Self::of_rows(features, &all)
    }

    /// The moments of the rows at `indices`.
    ///
    /// # Errors
    /// Where there are fewer than two indices, or one is out of range.
    pub(crate) fn of_rows(features: &Features, indices: &[usize]) -> Result<Self> {
        at_least(features, 2, "a covariance")?;
        if indices.len() < 2 || indices.iter().any(|&i| i >= features.rows()) {
            let what = format!("moments of {} rows out of {}", indices.len(), features.rows());
            return Err(Error::usage(what, "choose at least two rows, all of them in the set"));
        }
        let dims = features.dims();
        let mut mean = vec![0.0; dims];
        for &row in indices {
            mean.iter_mut().zip(features.row(row)).for_each(|(m, &v)| *m += f64::from(v));
        }
        mean.iter_mut().for_each(|m| *m /= indices.len() as f64);
        let mut scatter = DMatrix::zeros(dims, dims);
        for block in indices.chunks(BLOCK) {
            add_scatter(features, block, &mean, &mut scatter);
        }
        Ok(Self { rows: indices.len(), mean: DVector::from_vec(mean), scatter })
    }

    /// From a known mean and unbiased covariance, which is symmetric, `dims * dims` values.
    ///
    /// # Errors
    /// Where the lengths don't fit, a value is not finite, or there are fewer than two rows.
    #[cfg(test)]
    pub(crate) fn from_covariance(rows: usize, mean: Vec<f64>, covariance: &[f64]) -> Result<Self> {
        let dims = mean.len();
        if dims == 0 || rows < 2 || dims.checked_mul(dims) != Some(covariance.len()) {
            let what = format!("moments of {rows} rows with {dims} means and {} covariances", covariance.len());
            return Err(Error::usage(what, "give two rows or more, d means and d x d covariances"));
        }
        if mean.iter().chain(covariance).any(|v| !v.is_finite()) {
            return Err(Error::usage("a moment is not finite", "check the features that they come from"));
        }
        let scatter = DMatrix::from_column_slice(dims, dims, covariance) * (rows - 1) as f64;
        Ok(Self { rows, mean: DVector::from_vec(mean), scatter })
    }

    /// Number of images.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Features per image.
    pub(crate) fn dims(&self) -> usize {
        self.mean.len()
    }

    /// The mean of each dimension.
    pub(crate) fn mean(&self) -> &[f64] {
        self.mean.as_slice()
    }

    /// The unbiased covariance (divided by `rows - 1`), `[dims, dims]`.
    pub(crate) fn covariance(&self) -> DMatrix<f64> {
        &self.scatter / (self.rows - 1) as f64
    }

    /// The moments without the rows of `part`; at least two rows must remain.
    pub(crate) fn without(&self, part: &Self) -> Self {
        let (n, p) = (self.rows as f64, part.rows as f64);
        let rest = n - p;
        let mean = (&self.mean * n - &part.mean * p) / rest;
        let between = &part.mean - &mean;
        let scatter = &self.scatter - &part.scatter - (&between * between.transpose()) * (p * rest / n);
        Self { rows: self.rows - part.rows, mean, scatter }
    }
}

/// Adds the scatter of the rows at `block` around `mean`. Each value is summed in the order of the rows, whatever the
/// number of threads.
fn add_scatter(features: &Features, block: &[usize], mean: &[f64], scatter: &mut DMatrix<f64>) {
    let dims = features.dims();
    let centred = |&row: &usize| features.row(row).iter().zip(mean).map(|(&v, m)| f64::from(v) - m);
    // Column-major: one column per image.
    let columns = DMatrix::from_iterator(dims, block.len(), block.iter().flat_map(centred));
    let rows = columns.transpose();
    let bands: Vec<DMatrix<f64>> = (0..dims.div_ceil(BAND))
        .into_par_iter()
        .map(|band| {
            let first = band * BAND;
            &columns * rows.columns(first, BAND.min(dims - first))
        })
        .collect();
    for (band, sums) in bands.iter().enumerate() {
        let mut target = scatter.columns_mut(band * BAND, sums.ncols());
        target += sums;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{assert_near, fake_set, real_set};

    fn close(a: &Moments, b: &Moments) {
        assert_eq!(a.rows(), b.rows());
        a.mean().iter().zip(b.mean()).for_each(|(a, b)| assert_near(*a, *b, 1e-12));
        let (a, b) = (a.covariance(), b.covariance());
        let scale = a.amax();
        a.iter().zip(b.iter()).for_each(|(a, b)| assert!((a - b).abs() < 1e-12 * scale, "{a} {b}"));
    }

    #[test]
    fn equal_the_definition() {
        let set = Features::new(vec![1.0, 10.0, 2.0, 14.0, 6.0, 12.0], 3, 2).unwrap();
        let moments = Moments::of(&set).unwrap();
        assert_eq!(moments.mean(), [3.0, 12.0]);
        // Deviations (-2, -2), (-1, 2), (3, 0): sums of products 14, 2, 8 over 2.
        assert_eq!(moments.covariance().as_slice(), [7.0, 1.0, 1.0, 4.0]);
        assert!(Moments::of(&set.select(&[0]).unwrap()).unwrap_err().to_string().contains("at least 2"));
        assert!(Moments::of_rows(&set, &[0, 3]).is_err());
        close(&moments, &Moments::from_covariance(3, vec![3.0, 12.0], &[7.0, 1.0, 1.0, 4.0]).unwrap());
        assert!(Moments::from_covariance(3, vec![3.0, 12.0], &[7.0, 1.0, 1.0]).is_err());
    }

    #[test]
    fn blocks_bands_and_taking_apart_do_not_matter() {
        // More rows than a block and more dimensions than a band.
        let set = fake_set(1, 2500, 70);
        let all = Moments::of(&set).unwrap();
        let reversed: Vec<usize> = (0..2500).rev().collect();
        close(&all, &Moments::of_rows(&set, &reversed).unwrap());
        let (part, rest) = reversed.split_at(1100);
        let without = all.without(&Moments::of_rows(&set, part).unwrap());
        close(&without, &Moments::of_rows(&set, rest).unwrap());
        assert!((all.covariance() - without.covariance()).amax() > 1e-3);
    }

    #[test]
    fn are_the_same_bits_for_any_number_of_threads() {
        let set = real_set(1, 1500, 130);
        let on =
            |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(|| Moments::of(&set).unwrap());
        assert_eq!(on(1), on(3));
    }
}
