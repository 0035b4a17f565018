//! The variety of a batch's real and generated images: those of a collapsed generator are more alike than real ones.
//! Two measures: the spread is low where all images are one image; the nearest-neighbour distance is low where they are
//! a few images, however different these are.

use serde::{Deserialize, Serialize};

use super::event::number;
use super::{Gan, Latents};
use crate::ops::host;

/// Number of images whose distances are computed; more would slow down the training of small nets.
const IMAGES: usize = 32;

/// Number of images of fixed noise that are generated before and after an update of G.
const PROBE: usize = 8;

/// Measures of variety, in units of pixel values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Variety {
    /// Standard deviation of a pixel over the batch (root mean square over pixels), of real images.
    #[serde(deserialize_with = "number")]
    pub real_spread: f32,
    /// The same of generated images.
    #[serde(deserialize_with = "number")]
    pub fake_spread: f32,
    /// Distance from an image to its nearest neighbour among the first 32 (mean over these; root mean square over
    /// pixels), of real images.
    #[serde(deserialize_with = "number")]
    pub real_nearest: f32,
    /// The same of generated images.
    #[serde(deserialize_with = "number")]
    pub fake_nearest: f32,
    /// Change of G's images of fixed noise by one update (root mean square over pixels).
    #[serde(deserialize_with = "number")]
    pub fake_shift: f32,
}

impl Variety {
    /// Measures batches of images with `length` values each.
    pub(super) fn of(real: &[f32], fake: &[f32], length: usize) -> Self {
        Self {
            real_spread: spread(real, length),
            fake_spread: spread(fake, length),
            real_nearest: nearest(real, length),
            fake_nearest: nearest(fake, length),
            fake_shift: 0.0,
        }
    }
}

impl Gan {
    /// A few images of fixed noise in training mode, to measure their change by an update.
    pub(super) fn probe(&self) -> Vec<f32> {
        let Latents { z, y } = self.fixed_latents(PROBE);
        let mut pass = self.generator.training_pass(0).given(y);
        host(&self.generator.net.apply(&self.generator.weights, z, &mut pass))
    }
}

/// The distance between two lists of values (root mean square).
pub(super) fn shift(before: &[f32], after: &[f32]) -> f32 {
    let square = |(a, b): (&f32, &f32)| f64::from(a - b).powi(2);
    (before.iter().zip(after).map(square).sum::<f64>() / before.len().max(1) as f64).sqrt() as f32
}

fn spread(images: &[f32], length: usize) -> f32 {
    let (mut sums, mut squares) = (vec![0.0f32; length], vec![0.0f32; length]);
    // Around the first image: the variance of nearly equal numbers would be lost in rounding.
    let origin = images.get(..length).unwrap_or_default();
    for image in images.chunks_exact(length.max(1)) {
        for (((value, zero), sum), square) in image.iter().zip(origin).zip(&mut sums).zip(&mut squares) {
            let offset = value - zero;
            *sum += offset;
            *square += offset * offset;
        }
    }
    let count = (images.len() / length.max(1)).max(1) as f32;
    let variance = |(sum, square): (&f32, &f32)| f64::from((square - sum * sum / count).max(0.0) / count);
    let total: f64 = sums.iter().zip(&squares).map(variance).sum();
    (total / length.max(1) as f64).sqrt() as f32
}

fn nearest(images: &[f32], length: usize) -> f32 {
    let images: Vec<&[f32]> = images.chunks_exact(length.max(1)).take(IMAGES).collect();
    if images.len() < 2 {
        return 0.0;
    }
    let mut shortest = vec![f32::INFINITY; images.len()];
    for (i, a) in images.iter().enumerate() {
        for (j, b) in images.iter().enumerate().skip(i + 1) {
            let square = a.iter().zip(*b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>() / length as f32;
            shortest[i] = shortest[i].min(square);
            shortest[j] = shortest[j].min(square);
        }
    }
    shortest.iter().map(|square| square.sqrt()).sum::<f32>() / images.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn independent_images_have_the_known_variety() {
        let noise = Stream::new(1, "x").normal(0, 32 * 400);
        let equal = noise[..400].repeat(32);
        let variety = Variety::of(&noise, &equal, 400);
        // Deviation 1; the distance of two such images is the root of 2, that of the nearest of 31 a little less.
        assert!((variety.real_spread - 0.984).abs() < 0.02, "{variety:?}");
        assert!((1.2..1.4).contains(&variety.real_nearest), "{variety:?}");
        assert_eq!((variety.fake_spread, variety.fake_nearest), (0.0, 0.0));
    }

    #[test]
    fn few_images_are_spread_but_near() {
        let noise = Stream::new(1, "x").normal(0, 4 * 100);
        let few = Variety::of(&noise.repeat(8), &noise.repeat(8), 100);
        assert!(few.fake_spread > 0.7 && few.fake_nearest < 1e-6, "{few:?}");
    }

    #[test]
    fn an_offset_costs_no_digits() {
        let values: Vec<f32> = (0..64).map(|i| 1000.0 + (i % 2) as f32 * 0.125).collect();
        let variety = Variety::of(&values, &[0.5], 1);
        assert!((variety.real_spread - 0.0625).abs() < 1e-6, "{variety:?}");
        assert_eq!((variety.fake_spread, variety.fake_nearest), (0.0, 0.0));
    }

    #[test]
    fn a_shift_is_a_root_mean_square() {
        assert_eq!(shift(&[1.0, 2.0, 3.0, 4.0], &[1.0, 5.0, 3.0, 8.0]), 2.5);
    }
}
