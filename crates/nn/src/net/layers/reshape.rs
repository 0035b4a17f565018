//! `reshape 7 7 64` and `flatten`: the same values under another shape.

use burn::tensor::Tensor;

use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, LayerKind, Op, Pass, Shape, Storage};

/// Gives the values a new shape, in channels-last order.
#[derive(Clone, Debug, PartialEq)]
pub struct Reshape {
    target: Shape,
}

/// Flattens an image to a vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Flatten;

impl Reshape {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        Ok(Self { target: words.shape()? })
    }
}

fn reshaped(x: Tensor<4>, target: Shape) -> Tensor<4> {
    let [h, w, c] = target.dims();
    let batch = x.dims()[0];
    x.reshape([batch, h, w, c])
}

impl LayerKind for Reshape {
    fn keyword(&self) -> &'static str {
        "reshape"
    }

    fn op(&self, _: Shape) -> Op {
        Op::Reshape
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        if input.len() == self.target.len() {
            return Ok(self.target);
        }
        Err(format!("{} has {} values, but the input {input} has {}", self.target, self.target.len(), input.len()))
    }

    fn storage(&self) -> Storage {
        Storage::Same
    }

    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, _: &mut Pass) -> Tensor<4> {
        reshaped(x, self.target)
    }

    fn tangent(&self, _: Shape, x: Dual, _: &[Tensor<1>], _: &mut Pass) -> Dual {
        x.linear(|t| reshaped(t, self.target))
    }
}

impl LayerKind for Flatten {
    fn keyword(&self) -> &'static str {
        "flatten"
    }

    fn op(&self, _: Shape) -> Op {
        Op::Reshape
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        Ok(Shape::Flat(input.len()))
    }

    fn storage(&self) -> Storage {
        Storage::Same
    }

    fn forward(&self, input: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, _: &mut Pass) -> Tensor<4> {
        reshaped(x, Shape::Flat(input.len()))
    }

    fn tangent(&self, input: Shape, x: Dual, _: &[Tensor<1>], _: &mut Pass) -> Dual {
        x.linear(|t| reshaped(t, Shape::Flat(input.len())))
    }
}
