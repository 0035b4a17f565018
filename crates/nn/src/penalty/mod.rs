//! Gradient penalties: they bound how fast the discriminator's score changes with the image. Each file defines the points at
//! which the gradient is penalised (`points`) and the cost of a gradient norm (`cost`); `gradient_norm` computes the exact
//! gradient for the weights. A penalty is a file with an `impl GradientPenalty` and a line in the list below; a program's own is registered by
//! name ([`register`]).

mod dragan;
mod gradient_norm;
mod r1;
mod r2;
#[cfg(test)]
mod reference;
mod wgan_gp;

pub use gradient_norm::{Critic, PenaltyTerm};

use std::sync::Arc;

use burn::tensor::Tensor;

use crate::registry::named;
use faussaire_data::error::Result;
use faussaire_data::random::Stream;

/// The cost of the gradient at one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// The cost of a norm n.
    pub value: f64,
    /// Its derivative with respect to n, over n: finite at 0, where the gradient has no direction.
    pub rate: f64,
}

/// A gradient penalty: the points, and the cost of the norm of D's gradient there. A program adds its own with [`register`].
pub trait GradientPenalty: Send + Sync {
    /// The points at which the gradient is penalised: one for each of `real` and `fake`, `[batch, h, w, c]`. Random numbers come from `draws`
    /// at `turn`, the number of D's update.
    fn points(&self, real: &Tensor<4>, fake: &Tensor<4>, draws: &Stream, turn: u64) -> Tensor<4>;

    /// The cost of a gradient of norm `norm`, before the weight.
    fn cost(&self, norm: f64) -> Cost;
}

named! {
    /// The kind of penalty.
    Penalty, each a GradientPenalty, called "penalty", others in OWN:
    /// Gradient norms other than 1 between real and generated images (Gulrajani et al. 2017).
    WganGp = "wgan-gp" in wgan_gp,
    /// Gradients at real images (Mescheder et al. 2018).
    R1 = "r1" in r1,
    /// Gradients at generated images (Mescheder et al. 2018).
    R2 = "r2" in r2,
    /// Gradient norms other than 1 near real images (Kodali et al. 2017).
    Dragan = "dragan" in dragan,
}

/// Registers `penalty` for recipes as `own:NAME` under `[train.penalties]`; registering a name again replaces it for recipes
/// parsed later. See [`crate::registry`].
///
/// # Errors
/// The name has other characters than lower-case letters, digits, `-` and `_`.
pub fn register(name: &str, penalty: Arc<dyn GradientPenalty>) -> Result<()> {
    OWN.register(name, penalty)
}

impl Penalty {
    /// The points at which the gradient is penalised: one for each of `real` and `fake`, `[batch, h, w, c]`.
    pub fn points(self, real: &Tensor<4>, fake: &Tensor<4>, draws: &Stream, turn: u64) -> Tensor<4> {
        self.imp().points(real, fake, draws, turn)
    }

    /// The cost of a gradient of norm `norm`, before the weight.
    pub fn cost(self, norm: f64) -> Cost {
        self.imp().cost(norm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_derivatives_over_the_norm() {
        for penalty in Penalty::ALL {
            for norm in [0.3, 1.0, 2.5] {
                let numeric = (penalty.cost(norm + 1e-6).value - penalty.cost(norm - 1e-6).value) / 2e-6;
                let rate = penalty.cost(norm).rate;
                assert!((rate * norm - numeric).abs() < 1e-6, "{penalty:?} at {norm}: {rate}");
            }
            assert!(penalty.cost(0.0).rate.is_finite(), "{penalty:?} at 0");
        }
    }
}
