//! Differentiable augmentation (Zhao et al. 2020): real and generated images are changed at random before D sees them,
//! in both nets' updates, by operations that the generator's gradient passes through. On small data sets it keeps D from
//! memorising the images. With a target the probability is adaptive (Karras et al. 2020).
//!
//! An augmentation is a file with an `impl Augment` and a line in the list below; a program's own is registered by name
//! ([`register`]).

mod adapt;
mod colour;
mod cutout;
mod translation;

pub use adapt::adapted;

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};
use rand_chacha::ChaCha8Rng;

use crate::registry::named;
use faussaire_data::error::Result;
use faussaire_data::random::{Stream, unit};

/// A random, differentiable augmentation. A program adds its own with [`register`].
pub trait Augment: Send + Sync {
    /// Augments the images of `x` `[batch, h, w, c]` selected by `draws`.
    fn apply(&self, x: Tensor<4>, draws: &mut Draws) -> Tensor<4>;
}

named! {
    /// The kind of augmentation.
    Augmentation, each a Augment, called "augmentation", others in OWN:
    /// Brightness, saturation and contrast.
    Colour = "colour" in colour,
    /// A shift by up to an eighth of the side.
    Translation = "translation" in translation,
    /// A square of half the side set to 0.
    Cutout = "cutout" in cutout,
}

/// Registers `augmentation` for recipes as `own:NAME` in `augment.kinds`; registering a name again replaces it for recipes
/// parsed later. See [`crate::registry`].
///
/// # Errors
/// The name has other characters than lower-case letters, digits, `-` and `_`.
pub fn register(name: &str, augmentation: Arc<dyn Augment>) -> Result<()> {
    OWN.register(name, augmentation)
}

/// Random numbers for the images of one batch.
#[derive(Debug)]
pub struct Draws {
    rng: ChaCha8Rng,
    probability: f64,
}

impl Draws {
    /// Whether to change the next image.
    pub fn applies(&mut self) -> bool {
        f64::from(unit(&mut self.rng)) < self.probability
    }

    /// A draw from [low, high).
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * unit(&mut self.rng)
    }

    /// An integer from `low` to `high`.
    pub fn whole(&mut self, low: i64, high: i64) -> i64 {
        let count = (high - low + 1) as f32;
        low + ((unit(&mut self.rng) * count) as i64).min(high - low)
    }
}

/// Applies each of `kinds` in order to `x` `[batch, h, w, c]`, to each image with `probability`. Equal `draws` and `turn`
/// give equal results.
pub fn augment(x: Tensor<4>, kinds: &[Augmentation], probability: f64, draws: &Stream, turn: u64) -> Tensor<4> {
    let mut draws = Draws { rng: draws.at(turn), probability };
    kinds.iter().fold(x, |x, kind| kind.imp().apply(x, &mut draws))
}

/// A constant on the device of `x`.
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
    fn colours_change_and_alpha_does_not() {
        let values = Stream::new(1, "images").uniform(0, 4 * 8 * 8 * 4, 0.0, 1.0);
        let x: Tensor<4> = Tensor::from_data(TensorData::new(values, [4, 8, 8, 4]), &Device::flex());
        let draws = Stream::new(5, "augment");
        let y = augment(x.clone(), &[Augmentation::Colour], 1.0, &draws, 3);
        let part = |x: &Tensor<4>, first, count| host(&x.clone().narrow(3, first, count));
        assert_eq!(part(&y, 3, 1), part(&x, 3, 1));
        let rgb = augment(x.clone().narrow(3, 0, 3), &[Augmentation::Colour], 1.0, &draws, 3);
        assert_eq!(part(&y, 0, 3), host(&rgb));
        assert_ne!(part(&y, 0, 3), part(&x, 0, 3));
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
