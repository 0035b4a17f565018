//! Differentiable augmentation (Zhao et al. 2020): real and generated images are changed at random before D sees them,
//! in both nets' updates, by operations that the generator's gradient passes through. On small data sets it keeps D from
//! learning the images by heart. With a target the share of images that are changed adapts itself (Karras et al. 2020).

mod adapt;
mod colour;
mod cutout;
mod translation;

pub use adapt::adapted;

use burn::tensor::{Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use faussaire_data::random::{Stream, unit};

/// One way to change images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Augmentation {
    /// Brightness, saturation and contrast.
    Colour,
    /// A shift by up to an eighth of the side.
    Translation,
    /// A square of half the side is emptied.
    Cutout,
}

/// Random numbers for the images of one batch.
pub(crate) struct Draws {
    rng: ChaCha8Rng,
    probability: f64,
}

impl Draws {
    /// Whether to change the next image.
    fn applies(&mut self) -> bool {
        f64::from(unit(&mut self.rng)) < self.probability
    }

    /// A draw from [low, high).
    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * unit(&mut self.rng)
    }

    /// A whole number from `low` to `high`.
    fn whole(&mut self, low: i64, high: i64) -> i64 {
        let count = (high - low + 1) as f32;
        low + ((unit(&mut self.rng) * count) as i64).min(high - low)
    }
}

/// Changes `x` `[batch, h, w, c]` by each of `kinds` in order, each image with `probability` for each. Equal `draws`
/// and `turn` change equally.
pub fn augment(x: Tensor<4>, kinds: &[Augmentation], probability: f64, draws: &Stream, turn: u64) -> Tensor<4> {
    let mut draws = Draws { rng: draws.at(turn), probability };
    kinds.iter().fold(x, |x, kind| match kind {
        Augmentation::Colour => colour::apply(x, &mut draws),
        Augmentation::Translation => translation::apply(x, &mut draws),
        Augmentation::Cutout => cutout::apply(x, &mut draws),
    })
}

/// A constant beside `x`.
fn constant(values: Vec<f32>, shape: [usize; 4], x: &Tensor<4>) -> Tensor<4> {
    Tensor::from_data(TensorData::new(values, shape), (&x.device().inner(), x.dtype()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ops::host;
    use burn::tensor::Device;

    const ALL: [Augmentation; 3] = [Augmentation::Colour, Augmentation::Translation, Augmentation::Cutout];

    fn images() -> Tensor<4> {
        let values = Stream::new(1, "images").uniform(0, 4 * 8 * 8 * 3, 0.0, 1.0);
        Tensor::from_data(TensorData::new(values, [4, 8, 8, 3]), &Device::flex())
    }

    #[test]
    fn never_always_and_repeatably() {
        let draws = Stream::new(5, "augment");
        let x = images();
        assert_eq!(host(&augment(x.clone(), &ALL, 0.0, &draws, 3)), host(&x));
        let once = host(&augment(x.clone(), &ALL, 1.0, &draws, 3));
        assert_eq!(once, host(&augment(x.clone(), &ALL, 1.0, &draws, 3)));
        assert_ne!(once, host(&augment(x.clone(), &ALL, 1.0, &draws, 4)));
        for kind in ALL {
            let changed = host(&augment(x.clone(), &[kind], 1.0, &draws, 3));
            let apart = changed.chunks(192).zip(host(&x).chunks(192)).filter(|(a, b)| a != b).count();
            assert!(apart >= 3, "{kind:?} changed {apart} of 4");
        }
    }

    #[test]
    fn the_gradient_is_the_transposed_map() {
        // Each is affine in the image, so the derivative of <r, T(x)> along d is <r, T(x + d) - T(x)>.
        let draws = Stream::new(5, "augment");
        let tensor = |name: &str| {
            let values = Stream::new(2, name).normal(0, 768);
            Tensor::<4>::from_data(TensorData::new(values, [4, 8, 8, 3]), &Device::flex())
        };
        let (r, d) = (tensor("r"), tensor("d"));
        for kind in ALL {
            let run = |x: Tensor<4>| augment(x, &[kind], 0.7, &draws, 9);
            let x = images().autodiff().require_grad();
            let mut gradients = run(x.clone()).mul(r.clone()).sum().backward();
            let slope = x.grad_remove(&mut gradients).unwrap().mul(d.clone()).sum().into_scalar::<f32>();
            let moved = run(images().add(d.clone())).sub(run(images())).mul(r.clone()).sum().into_scalar::<f32>();
            assert!((slope - moved).abs() < 1e-3 * moved.abs().max(1.0), "{kind:?}: {slope} {moved}");
        }
    }
}
