//! Sliced Wasserstein distance between real and generated images (Rabin et al. 2012), on plain pixels: both sets are
//! projected on random directions, where the distance of two sorted lists is exact. It needs no trained features and
//! little time, so it can pick the best checkpoint of any run; being blind to what a picture shows, it ranks
//! checkpoints of one run, not different nets or data sets.

use faussaire_data::error::Result;
use faussaire_data::random::Stream;
use faussaire_data::{Dataset, fill};

/// Images on each side, fewer where they are so large that all would take more than so many values.
const IMAGES: usize = 512;
const VALUES: usize = 1 << 24;
/// Directions to project on.
const DIRECTIONS: usize = 128;

/// The real side of the comparison: sorted projections of a fixed choice of images.
#[derive(Clone, Debug)]
pub struct SlicedWasserstein {
    directions: Vec<f32>,
    length: usize,
    real: Vec<Vec<f32>>,
    images: usize,
}

impl SlicedWasserstein {
    /// Chooses images of `dataset` and directions, both by `seed`.
    ///
    /// # Errors
    /// Where an image can't be read.
    pub fn new(dataset: &dyn Dataset, seed: u64) -> Result<Self> {
        let length = dataset.shape().len();
        let images = IMAGES.min(VALUES / length.max(1)).max(16).min(dataset.len());
        let chosen = Stream::new(seed, "score.real").choice(0, dataset.len(), images);
        let mut values = Vec::new();
        fill(dataset, &chosen, &mut values)?;
        let directions = directions(seed, length);
        let real = project(&values, &directions, length);
        Ok(Self { directions, length, real, images })
    }

    /// The metric's name: what it compares, how many images, which features.
    pub fn name(&self) -> String {
        format!("sliced-wasserstein-{}-pixels", self.images)
    }

    /// How many generated images to hand over.
    pub fn images(&self) -> usize {
        self.images
    }

    /// The distance of `generated` images, values in [0, 1]; 0 where both sets are alike, smaller is better. In units
    /// of a pixel's range, as the root of the mean square over directions.
    pub fn score(&self, generated: &[f32]) -> f64 {
        let fake = project(generated, &self.directions, self.length);
        let square = |(a, b): (&f32, &f32)| f64::from(a - b).powi(2);
        let total: f64 = self.real.iter().zip(&fake).map(|(r, f)| r.iter().zip(f).map(square).sum::<f64>()).sum();
        (total / (DIRECTIONS * self.images) as f64).sqrt()
    }
}

/// Unit vectors, one after the other.
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
        assert_eq!((metric.images(), metric.name().as_str()), (512, "sliced-wasserstein-512-pixels"));
        let score = |values: &[f32]| metric.score(&values[..512 * 16]);
        let (alike, near, far) = (score(&noise(2, 1.0)), score(&noise(3, 0.8)), score(&noise(4, 0.2)));
        assert!(alike > 0.0 && alike < 0.05, "{alike}");
        assert!(near > 1.5 * alike && far > 2.0 * near, "{alike} {near} {far}");
        // A shift by 0.1 in every pixel moves the projections by 0.1 times the direction's sum.
        let shifted: Vec<f32> = noise(2, 1.0).iter().map(|v| v + 0.1).collect();
        assert!(score(&shifted) > 1.5 * alike && score(&shifted) < 0.5);
    }
}
