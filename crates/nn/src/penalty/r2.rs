//! R2 (Mescheder et al. 2018): half the mean squared gradient norm at generated images; with R1 it makes normalisation unnecessary in
//! R3GAN (Huang et al. 2024).

use burn::tensor::Tensor;

use super::r1::R1;
use super::{Cost, GradientPenalty};
use faussaire_data::random::Stream;

pub(super) struct R2;

impl GradientPenalty for R2 {
    fn points(&self, _: &Tensor<4>, fake: &Tensor<4>, _: &Stream, _: u64) -> Tensor<4> {
        fake.clone()
    }

    /// `n^2 / 2`.
    fn cost(&self, norm: f64) -> Cost {
        R1.cost(norm)
    }
}
