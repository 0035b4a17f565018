//! Gradient penalties: they bound how fast the discriminator's score changes with the image. One file each says where
//! they look (`points`) and what a slope costs there (`cost`); `slope` makes of that an exact gradient for the weights.

mod dragan;
mod r1;
mod r2;
#[cfg(test)]
mod reference;
mod slope;
mod wgan_gp;

pub use slope::{Charge, Critic};

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use faussaire_data::random::Stream;

/// Which penalty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Penalty {
    /// Slopes other than 1 between real and generated images (Gulrajani et al. 2017).
    WganGp,
    /// Slopes at real images (Mescheder et al. 2018).
    R1,
    /// Slopes at generated images (Mescheder et al. 2018).
    R2,
    /// Slopes other than 1 near real images (Kodali et al. 2017).
    Dragan,
}

/// What the slope at one image costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// The cost of a slope n.
    pub value: f64,
    /// Its derivative with respect to n, over n: finite at 0, where the slope has no direction.
    pub rate: f64,
}

impl Penalty {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::WganGp, Self::R1, Self::R2, Self::Dragan];

    /// The images at which it looks: one for each of `real` and `fake`, `[batch, h, w, c]`.
    pub fn points(self, real: &Tensor<4>, fake: &Tensor<4>, draws: &Stream, turn: u64) -> Tensor<4> {
        match self {
            Self::WganGp => wgan_gp::points(real, fake, draws, turn),
            Self::R1 => real.clone(),
            Self::R2 => fake.clone(),
            Self::Dragan => dragan::points(real, draws, turn),
        }
    }

    /// What a slope of length `norm` costs, before the weight.
    pub fn cost(self, norm: f64) -> Cost {
        match self {
            Self::WganGp | Self::Dragan => wgan_gp::cost(norm),
            Self::R1 => r1::cost(norm),
            Self::R2 => r2::cost(norm),
        }
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
