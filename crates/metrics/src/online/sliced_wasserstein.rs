//! Sliced Wasserstein distance between real and generated images (Rabin et al. 2012), on pixels: both sets are
//! projected on random directions, where the distance of two sorted lists is exact. It needs no trained features and
//! little time, so it can choose the best checkpoint of any run. It doesn't depend on the content of an image: use it
//! to rank checkpoints of one run, not different nets or data sets.

use crate::stats::bootstrap::standard_error;
use crate::{Metric, OnlineScore, ScoreName};
use faussaire_data::error::Result;
use faussaire_data::random::Stream;
use faussaire_data::{Dataset, fill};

/// Number of images on each side; fewer where they would have more than [`MAX_VALUES`] values in all.
const IMAGES: usize = 512;
const MAX_VALUES: usize = 1 << 24;
/// Number of directions to project on.
const DIRECTIONS: usize = 128;
/// Number of groups of images that are left out in turn, for the error.
const GROUPS: usize = 10;

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
    /// pixel's range; 0 for equal sets, smaller is better. Its error is that of a jackknife over groups of the images.
    pub(crate) fn score(&self, generated: &[f32]) -> OnlineScore {
        let fake = coordinates(generated, &self.directions, self.length);
        let value = self.distance(&fake, |_| true);
        let groups = GROUPS.min(self.images / 2).max(2);
        let left_out = (0..groups).map(|group| self.distance(&fake, |image| image % groups != group)).collect();
        OnlineScore::new(self.name(), value).with_error(standard_error(&[left_out]))
    }

    /// The distance of the images that are `kept`. Where these are fewer than the real ones, each is compared with the
    /// real coordinate of the same rank, between two of them by interpolation.
    fn distance(&self, fake: &[Vec<(f32, usize)>], kept: impl Fn(usize) -> bool) -> f64 {
        let (mut total, mut terms) = (0.0, 0);
        for (real, fake) in self.real.iter().zip(fake) {
            let fake: Vec<f32> = fake.iter().filter(|(_, image)| kept(*image)).map(|(v, _)| *v).collect();
            let square = |(at, v): (usize, &f32)| f64::from(at_rank(real, at, fake.len()) - v).powi(2);
            total += fake.iter().enumerate().map(square).sum::<f64>();
            terms += fake.len();
        }
        (total / terms.max(1) as f64).sqrt()
    }
}

/// The value of sorted `real` at the rank that number `at` of `count` sorted values has.
fn at_rank(real: &[f32], at: usize, count: usize) -> f32 {
    if count == real.len() {
        return real[at];
    }
    let last = real.len().saturating_sub(1);
    let rank = ((at as f64 + 0.5) * real.len() as f64 / count as f64 - 0.5).clamp(0.0, last as f64);
    let below = rank as usize;
    let (low, high) = (real[below], real[(below + 1).min(last)]);
    low + (high - low) * (rank - below as f64) as f32
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
    let values = |along: Vec<(f32, usize)>| along.into_iter().map(|(v, _)| v).collect();
    coordinates(images, directions, length).into_iter().map(values).collect()
}

/// The same, with the number of the image that each coordinate belongs to.
fn coordinates(images: &[f32], directions: &[f32], length: usize) -> Vec<Vec<(f32, usize)>> {
    let along = |direction: &[f32]| {
        let dot = |image: &[f32]| image.iter().zip(direction).map(|(a, b)| a * b).sum::<f32>();
        let numbered = images.chunks_exact(length).enumerate().map(|(number, image)| (dot(image), number));
        let mut coordinates: Vec<(f32, usize)> = numbered.collect();
        coordinates.sort_by(|a, b| a.0.total_cmp(&b.0));
        coordinates
    };
    directions.chunks_exact(length).map(along).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use faussaire_data::{ImageShape, InMemory};

    #[test]
    fn ranks_are_interpolated() {
        let real = [0.0, 1.0, 2.0, 3.0];
        assert_eq!((at_rank(&real, 2, 4), at_rank(&real, 0, 2), at_rank(&real, 1, 2)), (2.0, 0.5, 2.5));
        assert_eq!((at_rank(&real, 0, 8), at_rank(&real, 7, 8)), (0.0, 3.0));
    }

    fn noise(seed: u64, scale: f32) -> Vec<f32> {
        Stream::new(seed, "test").uniform(0, 600 * 16, 0.0, scale)
    }

    #[test]
    fn is_small_for_the_same_distribution_and_grows_with_the_difference() {
        let shape = ImageShape { height: 4, width: 4, channels: 1 };
        let real = InMemory::from_floats("noise", shape, noise(1, 1.0)).unwrap();
        let metric = SlicedWasserstein::new(&real, 5).unwrap();
        assert_eq!((metric.images(), metric.name().to_string().as_str()), (512, "sliced-wasserstein-512-pixels"));
        let score = |values: &[f32]| metric.score(&values[..512 * 16]).value;
        let (alike, near, far) = (score(&noise(2, 1.0)), score(&noise(3, 0.8)), score(&noise(4, 0.2)));
        assert!(alike > 0.0 && alike < 0.05, "{alike}");
        assert!(near > 1.5 * alike && far > 2.0 * near, "{alike} {near} {far}");
        // The error is about what other images of the same distribution differ by.
        let said = metric.score(&noise(3, 0.8)[..512 * 16]).error.unwrap_or_default();
        let values: Vec<f64> = (10..30).map(|seed| score(&noise(seed, 0.8))).collect();
        let mean = values.iter().sum::<f64>() / 20.0;
        let seen = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 19.0).sqrt();
        assert!(said > 0.4 * seen && said < 2.5 * seen, "{said} {seen}");
        // A shift by 0.1 in every pixel moves the projections by 0.1 times the direction's sum.
        let shifted: Vec<f32> = noise(2, 1.0).iter().map(|v| v + 0.1).collect();
        assert!(score(&shifted) > 1.5 * alike && score(&shifted) < 0.5);
    }
}
