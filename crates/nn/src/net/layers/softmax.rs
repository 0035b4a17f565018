//! `softmax`: the channels of every pixel, or the values of a vector, as shares that sum to 1.

use burn::tensor::{Tensor, activation};

use crate::net::parse::Reading;
use crate::net::{Dual, Fused, LayerKind, Op, Pass, Shape};

/// Softmax over the last axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Softmax;

impl LayerKind for Softmax {
    fn keyword(&self) -> &'static str {
        "softmax"
    }

    fn op(&self, _: Shape) -> Op {
        Op::Softmax
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        Ok(input)
    }

    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, _: &mut Pass) -> Tensor<4> {
        activation::softmax(x, 3)
    }

    /// With y the value: `t' = y (t - sum over channels of y t)`.
    fn tangent(&self, _: Shape, x: Dual, _: &[Tensor<1>], _: &mut Pass) -> Dual {
        let value = activation::softmax(x.value, 3);
        let along = value.clone().mul(x.tangent.clone()).sum_dim(3);
        Dual { tangent: x.tangent.sub(along).mul(value.clone()), value }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::net::testing::{applied, assert_near};

    #[test]
    fn channels_sum_to_one_for_each_pixel() {
        let (a, b) = (1.0 / (1.0 + 1f64.exp()), 1.0 / (1.0 + 3f64.exp()));
        let made = applied("softmax", Shape::Image(1, 2, 2), &[0.0, 1.0, 5.0, 2.0]);
        assert_near(&made, &[a, 1.0 - a, 1.0 - b, b], 1e-6);
        assert_near(&applied("softmax", Shape::Flat(2), &[100.0, -100.0]), &[1.0, 0.0], 1e-6);
    }
}
