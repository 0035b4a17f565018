//! `dense N`: every output is a weighted sum of all inputs (of the last axis, as in Keras), plus a bias, unless `nobias`.

use burn::tensor::Tensor;

use super::affine_tangent;
use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, Init, LayerKind, Op, Pass, Shape, Storage, WeightSpec};
use crate::ops::{self, Geometry};

/// A fully connected layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    units: usize,
    bias: bool,
    init: Init,
}

impl Dense {
    pub(super) fn of(units: usize, init: Init) -> Self {
        Self { units, bias: true, init }
    }

    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        let units = words.volume("the number of units")?;
        Ok(Self { units, bias: words.has_bias(), init: words.init()? })
    }
}

impl LayerKind for Dense {
    fn keyword(&self) -> &'static str {
        "dense"
    }

    fn op(&self, _: Shape) -> Op {
        Op::Dense
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        Ok(match input {
            Shape::Flat(_) => Shape::Flat(self.units),
            Shape::Image(h, w, _) => Shape::Image(h, w, self.units),
        })
    }

    fn weights(&self, input: Shape) -> Vec<WeightSpec> {
        let [_, _, c] = input.dims();
        vec![WeightSpec::kernel(&[c, self.units], self.init, c, self.units), WeightSpec::bias(self.units, self.bias)]
    }

    fn flops(&self, input: Shape) -> u64 {
        2 * input.len() as u64 * self.units as u64
    }

    fn storage(&self) -> Storage {
        Storage::Either
    }

    fn forward(&self, _: Shape, x: Tensor<4>, weights: &[Tensor<1>], fused: Fused, pass: &mut Pass) -> Tensor<4> {
        let [batch, h, w, c] = x.dims();
        let geometry = Geometry::dense(batch * h * w, c, self.units);
        let spec = fused.conv(geometry, pass.precision);
        let y = ops::conv(x.reshape([batch * h * w, 1, 1, c]), weights[0].clone(), weights[1].clone(), spec);
        y.reshape([batch, h, w, self.units])
    }

    fn tangent(&self, input: Shape, x: Dual, weights: &[Tensor<1>], pass: &mut Pass) -> Dual {
        affine_tangent(self, input, x, weights, pass)
    }
}
