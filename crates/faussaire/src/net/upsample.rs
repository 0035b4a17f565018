//! `upsample 2`: every pixel becomes a square of equal pixels (nearest neighbour, Keras's `UpSampling2D`).

use burn::tensor::Tensor;

use super::words::{Reading, Words};
use super::{Dual, Fused, LayerKind, Pass, Shape};
use crate::ops;

/// Nearest-neighbour upsampling.
#[derive(Clone, Debug, PartialEq)]
pub struct Upsample {
    factor: usize,
}

impl Upsample {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        let factor = if words.number_follows() { words.size("a factor")? } else { 2 };
        if factor > 16 {
            return Err(format!("expected a factor from 1 to 16, found {factor}"));
        }
        Ok(Self { factor })
    }
}

impl LayerKind for Upsample {
    fn keyword(&self) -> &'static str {
        "upsample"
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        match input {
            Shape::Image(h, w, c) => Ok(Shape::Image(h * self.factor, w * self.factor, c)),
            Shape::Flat(_) => Err(format!("expected an image, but the input is a vector of {input}")),
        }
    }

    fn as_upsampling(&self) -> Option<usize> {
        Some(self.factor)
    }

    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, _: &mut Pass) -> Tensor<4> {
        ops::upsample(x, self.factor)
    }

    fn tangent(&self, _: Shape, x: Dual, _: &[Tensor<1>], _: &mut Pass) -> Dual {
        x.linear(|t| ops::upsample(t, self.factor))
    }
}
