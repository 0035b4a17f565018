//! `maxpool 2`: the largest of neighbouring pixels, channel by channel. Of equal largest ones each takes its share of the
//! gradient.

use burn::tensor::Tensor;

use super::pool;
use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, LayerKind, Op, Pass, Shape};

/// The largest of every `factor` x `factor` pixels; the image is a whole number of them.
#[derive(Clone, Debug, PartialEq)]
pub struct MaxPool {
    factor: usize,
}

impl MaxPool {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        Ok(Self { factor: pool::factor(words)? })
    }

    /// `[batch, rows, factor, columns, factor, channels]`.
    fn windows(&self, x: Tensor<4>) -> Tensor<6> {
        let ([batch, h, w, c], f) = (x.dims(), self.factor);
        x.reshape([batch, h / f, f, w / f, f, c])
    }

    /// 1 for the largest value of each window, divided among equal ones; 0 for the others. Constant.
    fn shares(&self, x: &Tensor<4>) -> Tensor<6> {
        let x = self.windows(x.clone().without_autodiff());
        let dims = x.dims();
        let top = x.clone().max_dim(2).max_dim(4).expand(dims);
        let largest = x.clone().zeros_like().mask_fill(x.equal(top), 1.0);
        let count = largest.clone().sum_dim(2).sum_dim(4).expand(dims);
        largest.div(count)
    }

    fn pooled(&self, x: Tensor<4>, shares: Tensor<6>) -> Tensor<4> {
        let ([batch, h, w, c], f) = (x.dims(), self.factor);
        self.windows(x).mul(shares).sum_dim(2).sum_dim(4).reshape([batch, h / f, w / f, c])
    }
}

impl LayerKind for MaxPool {
    fn keyword(&self) -> &'static str {
        "maxpool"
    }

    fn op(&self, _: Shape) -> Op {
        Op::MaxPool { factor: self.factor }
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        pool::output(self.factor, input)
    }

    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, _: &mut Pass) -> Tensor<4> {
        let shares = self.shares(&x);
        self.pooled(x, shares)
    }

    fn tangent(&self, _: Shape, x: Dual, _: &[Tensor<1>], _: &mut Pass) -> Dual {
        let shares = self.shares(&x.value);
        x.linear(|t| self.pooled(t, shares.clone()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::net::testing::{applied, assert_near, refusal};

    #[test]
    fn the_largest_of_each_window_is_kept() {
        // Two channels: odd numbers, and even ones with the sign changed.
        let x: Vec<f64> = (1..=16).map(|v| f64::from(if v % 2 == 0 { -v } else { v })).collect();
        let image = Shape::Image(2, 4, 2);
        assert_near(&applied("maxpool 2", image, &x), &[11.0, -2.0, 15.0, -6.0], 1e-6);
        assert_near(&applied("maxpool", Shape::Image(2, 2, 1), &[7.0; 4]), &[7.0], 1e-6);
        assert!(refusal("maxpool 2", Shape::Image(6, 5, 3)).contains("multiples of 2"));
    }
}
