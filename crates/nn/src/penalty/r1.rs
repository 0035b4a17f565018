//! R1 (Mescheder et al. 2018): half the mean squared gradient norm at real images. At the equilibrium, where
//! generated and real images agree, it drives D's gradient to 0, which makes the equilibrium stable.

use burn::tensor::Tensor;

use super::{Cost, GradientPenalty};
use faussaire_data::random::Stream;

pub(super) struct R1;

impl GradientPenalty for R1 {
    fn points(&self, real: &Tensor<4>, _: &Tensor<4>, _: &Stream, _: u64) -> Tensor<4> {
        real.clone()
    }

    /// `n^2 / 2`.
    fn cost(&self, norm: f64) -> Cost {
        Cost { value: 0.5 * norm * norm, rate: 1.0 }
    }
}
