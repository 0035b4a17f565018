//! `upsample 2`: every pixel becomes a square of equal pixels (nearest neighbour, Keras's `UpSampling2D`), or with
//! `upsample 2 bilinear`, bilinear interpolation.

use burn::tensor::Tensor;

use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, LayerKind, Op, Pass, Shape};
use crate::ops;

/// Nearest-neighbour or bilinear upsampling.
#[derive(Clone, Debug, PartialEq)]
pub struct Upsample {
    factor: usize,
    bilinear: bool,
}

impl Upsample {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        let factor = if words.number_follows() { words.size("a factor")? } else { 2 };
        if factor > 16 {
            return Err(format!("expected a factor from 1 to 16, found {factor}"));
        }
        Ok(Self { factor, bilinear: words.flag("bilinear") })
    }

    fn enlarged(&self, x: Tensor<4>) -> Tensor<4> {
        if self.bilinear { ops::upsample_bilinear(x, self.factor) } else { ops::upsample(x, self.factor) }
    }
}

impl LayerKind for Upsample {
    fn keyword(&self) -> &'static str {
        "upsample"
    }

    fn op(&self, _: Shape) -> Op {
        Op::Upsample { factor: self.factor, bilinear: self.bilinear }
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        match input {
            Shape::Image(h, w, c) => Ok(Shape::Image(h * self.factor, w * self.factor, c)),
            Shape::Flat(_) => Err(format!("expected an image, but the input is a vector of {input}")),
        }
    }

    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, _: &mut Pass) -> Tensor<4> {
        self.enlarged(x)
    }

    fn tangent(&self, _: Shape, x: Dual, _: &[Tensor<1>], _: &mut Pass) -> Dual {
        x.linear(|t| self.enlarged(t))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::net::testing::{applied, assert_near, network, refusal};

    #[test]
    fn pixels_repeat_or_blend() {
        let image = Shape::Image(1, 2, 1);
        assert_near(&applied("upsample 2", image, &[0.0, 4.0]), &[0.0, 0.0, 4.0, 4.0].repeat(2), 0.0);
        assert_near(&applied("upsample 2 bilinear", image, &[0.0, 4.0]), &[0.0, 1.0, 3.0, 4.0].repeat(2), 1e-6);
        let thirds: Vec<f64> = [0.0, 0.0, 4.0, 8.0, 12.0, 12.0].map(|v| v / 3.0).repeat(3);
        assert_near(&applied("upsample 3 bilinear", image, &[0.0, 4.0]), &thirds, 1e-5);
    }

    #[test]
    fn only_repeated_pixels_can_be_absorbed() {
        // The convolution behind it must see the blended image.
        let sum = applied("upsample 2 bilinear | conv 1 1x1 init zeros", Shape::Image(1, 2, 1), &[0.0, 4.0]);
        assert_eq!(sum.len(), 8);
        let steps = |lines| network(lines, Shape::Image(1, 2, 1), 0, false).steps().len();
        assert_eq!((steps("upsample 2 | conv 1 1x1"), steps("upsample 2 bilinear | conv 1 1x1")), (1, 2));
        assert!(refusal("upsample 2 bicubic", Shape::Image(2, 2, 1)).contains("`bicubic` is not understood here"));
    }
}
