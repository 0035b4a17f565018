//! The features of a set of images: a matrix with one row per image. Every score is computed from such matrices, so
//! shape and values are checked here, once.

use faussaire_data::ImageShape;
use faussaire_data::error::{Error, Result};
use faussaire_data::random::Stream;

/// Feature vectors of a set of images, `[rows, dims]`, row by row. All values are finite; neither side is zero.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Features {
    values: Vec<f32>,
    rows: usize,
    dims: usize,
}

impl Features {
    /// Takes `rows * dims` values.
    ///
    /// # Errors
    /// Where the length does not fit, a side is zero or over 2^32 - 1, or a value is not finite.
    pub(crate) fn new(values: Vec<f32>, rows: usize, dims: usize) -> Result<Self> {
        if rows == 0 || dims == 0 {
            let what = format!("features of {rows} images x {dims} dimensions: expected at least one of each");
            return Err(Error::usage(what, "pass the features of all images to judge"));
        }
        if rows.checked_mul(dims) != Some(values.len()) || rows.max(dims) > u32::MAX as usize {
            let what = format!("{} feature values, expected {rows} images x {dims} dimensions", values.len());
            return Err(Error::usage(what, "pass one row of the same length for every image"));
        }
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            let (row, dim, value) = (at / dims, at % dims, values[at]);
            let what = format!("feature {dim} of image {row} is {value}, expected a finite number");
            return Err(Error::usage(what, "check that the images and the extractor's weights are finite"));
        }
        Ok(Self { values, rows, dims })
    }

    /// Number of images.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Features per image.
    pub(crate) fn dims(&self) -> usize {
        self.dims
    }

    /// All values, row by row.
    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    /// The features of image `row`, which must be below [`rows`](Self::rows).
    pub(crate) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.dims..][..self.dims]
    }

    /// The images at `indices`, in that order; an index may be repeated.
    ///
    /// # Errors
    /// Where there is no index, or one is out of range.
    pub(crate) fn select(&self, indices: &[usize]) -> Result<Self> {
        if let Some(index) = indices.iter().find(|&&i| i >= self.rows) {
            let what = format!("image {index} of a set of {}", self.rows);
            return Err(Error::usage(what, "choose indices below the number of images"));
        }
        let values = indices.iter().flat_map(|&i| self.row(i)).copied().collect();
        Self::new(values, indices.len(), self.dims)
    }

    /// The rows of two disjoint halves by random permutation number `split` (one image of an odd number is left out): a
    /// score between them is that score's floor, what real images reach against real images. A Fréchet distance falls
    /// with the number of images: its floor is that of half as many.
    ///
    /// # Errors
    /// Where there are fewer than two images.
    pub(crate) fn half_rows(&self, seed: u64, split: u64) -> Result<[Vec<usize>; 2]> {
        at_least(self, 2, "two halves")?;
        let order = Stream::new(seed, "judge.halves").permutation(split, self.rows);
        let half = self.rows / 2;
        Ok([order[..half].to_vec(), order[half..2 * half].to_vec()])
    }
}

/// The number of images of `shape` in `images`; `hint` is the error's where there is none, or no whole number.
pub(crate) fn whole_images(images: &[f32], shape: ImageShape, hint: &str) -> Result<usize> {
    if images.is_empty() || !images.len().is_multiple_of(shape.len().max(1)) {
        return Err(Error::usage(format!("{} values are no images of {shape}", images.len()), hint));
    }
    Ok(images.len() / shape.len().max(1))
}

/// Checks that two sets have the same number of features.
pub(crate) fn same_dims(real: &Features, generated: &Features) -> Result<()> {
    if real.dims == generated.dims {
        return Ok(());
    }
    let what = format!("the real features have {} dimensions, the generated ones {}", real.dims, generated.dims);
    Err(Error::usage(what, "use the same extractor and layer for both sets"))
}

/// Checks that `features` has at least `rows` rows, which `purpose` needs.
pub(crate) fn at_least(features: &Features, rows: usize, purpose: &str) -> Result<()> {
    if features.rows >= rows {
        return Ok(());
    }
    let what = format!("{} images, but {purpose} needs at least {rows}", features.rows);
    Err(Error::usage(what, "judge more images"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn wrong_shapes_and_values_are_named() {
        let message = |values, rows, dims| Features::new(values, rows, dims).unwrap_err().to_string();
        assert_eq!(message(vec![1.0; 5], 2, 3), "5 feature values, expected 2 images x 3 dimensions");
        assert_eq!(
            message(vec![], usize::MAX, 2),
            format!("0 feature values, expected {} images x 2 dimensions", usize::MAX)
        );
        assert!(message(vec![], 0, 3).contains("at least one"));
        assert_eq!(
            message(vec![1.0, 2.0, 3.0, f32::NAN], 2, 2),
            "feature 1 of image 1 is NaN, expected a finite number"
        );
        assert!(message(vec![f32::INFINITY, 2.0], 2, 1).starts_with("feature 0 of image 0 is inf"));
        let (a, b) = (Features::new(vec![0.0; 4], 2, 2).unwrap(), Features::new(vec![0.0; 4], 4, 1).unwrap());
        assert!(same_dims(&a, &a).is_ok());
        assert!(same_dims(&a, &b).unwrap_err().to_string().contains("2 dimensions, the generated ones 1"));
        assert!(at_least(&a, 2, "this").is_ok());
        assert!(at_least(&a, 3, "this").unwrap_err().to_string().contains("2 images, but this needs at least 3"));
    }

    #[test]
    fn halves_are_disjoint_and_depend_on_seed_and_split() {
        let set = Features::new((0..22).map(|v| v as f32).collect(), 11, 2).unwrap();
        let halves = |seed, split| set.half_rows(seed, split).unwrap().map(|rows| set.select(&rows).unwrap());
        let [a, b] = halves(1, 0);
        assert_eq!((a.rows(), b.rows(), a.dims()), (5, 5, 2));
        let mut firsts: Vec<f32> = (0..5).flat_map(|i| [a.row(i)[0], b.row(i)[0]]).collect();
        firsts.sort_by(f32::total_cmp);
        firsts.dedup();
        assert_eq!(firsts.len(), 10);
        assert_eq!(halves(1, 0), [a.clone(), b]);
        assert!(halves(2, 0)[0] != a && halves(1, 1)[0] != a);
        assert!(set.select(&[3, 11]).is_err());
        assert_eq!(set.select(&[3, 3]).unwrap().values(), [6.0, 7.0, 6.0, 7.0]);
    }
}
