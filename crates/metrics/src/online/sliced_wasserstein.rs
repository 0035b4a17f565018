//! Sliced Wasserstein distance between real and generated images (Rabin et al. 2012), on pixels: both sets are
//! projected on random directions, where the distance of two sorted lists is exact. It needs no trained features and
//! little time, so it can choose the best checkpoint of any run. It doesn't depend on the content of an image: use it
//! to rank checkpoints of one run, not different nets or data sets.

use crate::{Metric, ScoreName};
use faussaire_data::error::Result;
use faussaire_data::random::Stream;
use faussaire_data::{Dataset, fill};

/// Number of images on each side; fewer where they would have more than [`MAX_VALUES`] values in all.
const IMAGES: usize = 512;
const MAX_VALUES: usize = 1 << 24;
/// Number of directions to project on.
const DIRECTIONS: usize = 128;

/// Sorted projections of a fixed selection of real images.
#[derive(Clone, Debug)]
pub(crate) struct SlicedWasserstein {
    directions: Vec<f32>,
    length: usize,
    real: Vec<Vec<f32>>,
    images: usize,
}

impl SlicedWasserstein {
    /// Selects images of `dataset` and directions, both by `seed`.
    ///
    /// # Errors
    /// Where an image can't be read.
    pub(crate) fn new(dataset: &dyn Dataset, seed: u64) -> Result<Self> {
        let length = dataset.shape().len();
        let images = IMAGES.min(MAX_VALUES / length.max(1)).max(16).min(dataset.len());
        let chosen = Stream::new(seed, "score.real").choice(0, dataset.len(), images);
        let mut values = Vec::new();
        fill(dataset, &chosen, &mut values)?;
        let directions = directions(seed, length);
        let real = project(&values, &directions, length);
        Ok(Self { directions, length, real, images })
    }

    /// The score's name, with the number of images.
    pub(crate) fn name(&self) -> ScoreName {
        ScoreName::new(Metric::SlicedWasserstein, format!("{}-pixels", self.images))
    }

    /// Number of generated images to score.
    pub(crate) fn images(&self) -> usize {
        self.images
    }

    /// The distance of `generated` images, values in [0, 1]: the root of the mean square over directions, in units of a
    /// pixel's range; 0 for equal sets, smaller is better.
    pub(crate) fn score(&self, generated: &[f32]) -> f64 {
        let fake = project(generated, &self.directions, self.length);
        let square = |(a, b): (&f32, &f32)| f64::from(a - b).powi(2);
        let total: f64 = self.real.iter().zip(&fake).map(|(r, f)| r.iter().zip(f).map(square).sum::<f64>()).sum();
        (total / (DIRECTIONS * self.images) as f64).sqrt()
    }
}

/// [`DIRECTIONS`] unit vectors, one after the other.
fn directions(seed: u64, length: usize) -> Vec<f32> {
    let stream = Stream::new(seed, "score.directions");
    let unit = |i: u64| {
        let v = stream.normal(i, length);
        let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
        v.into_iter().map(move |x| x / norm)
    };
    (0..DIRECTIONS as u64).flat_map(unit).collect()
}

/// Every image's coordinate along every direction, sorted.
fn project(images: &[f32], directions: &[f32], length: usize) -> Vec<Vec<f32>> {
    let along = |direction: &[f32]| {
        let dot = |image: &[f32]| image.iter().zip(direction).map(|(a, b)| a * b).sum::<f32>();
        let mut coordinates: Vec<f32> = images.chunks_exact(length).map(dot).collect();
        coordinates.sort_by(f32::total_cmp);
        coordinates
    };
    directions.chunks_exact(length).map(along).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use faussaire_data::{ImageShape, InMemory};

    fn noise(seed: u64, scale: f32) -> Vec<f32> {
        Stream::new(seed, "test").uniform(0, 600 * 16, 0.0, scale)
    }

    #[test]
    fn is_small_for_the_same_distribution_and_grows_with_the_difference() {
        let shape = ImageShape { height: 4, width: 4, channels: 1 };
        let real = InMemory::from_floats("noise", shape, noise(1, 1.0)).unwrap();
        let metric = SlicedWasserstein::new(&real, 5).unwrap();
        assert_eq!((metric.images(), metric.name().to_string().as_str()), (512, "sliced-wasserstein-512-pixels"));
        let score = |values: &[f32]| metric.score(&values[..512 * 16]);
        let (alike, near, far) = (score(&noise(2, 1.0)), score(&noise(3, 0.8)), score(&noise(4, 0.2)));
        assert!(alike > 0.0 && alike < 0.05, "{alike}");
        assert!(near > 1.5 * alike && far > 2.0 * near, "{alike} {near} {far}");
        // A shift by 0.1 in every pixel moves the projections by 0.1 times the direction's sum.
        let shifted: Vec<f32> = noise(2, 1.0).iter().map(|v| v + 0.1).collect();
        assert!(score(&shifted) > 1.5 * alike && score(&shifted) < 0.5);
    }
}
