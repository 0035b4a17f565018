//! `pixelnorm`: every pixel's channels are scaled to a mean square of 1 (Karras et al. 2018): `x / sqrt(mean over
//! channels of x^2 + epsilon)`. It has no weights. On a vector it normalises the features, as StyleGAN does with z.

use burn::tensor::Tensor;

use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, LayerKind, Op, Pass, Shape};

/// Pixel-wise feature vector normalisation.
#[derive(Clone, Debug, PartialEq)]
pub struct PixelNorm {
    epsilon: f32,
}

impl PixelNorm {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        Ok(Self { epsilon: words.named("epsilon", 1e-8, 1e-12, 0.1)? })
    }

    /// The factor of each pixel: `[batch, h, w, 1]`.
    fn scale(&self, x: Tensor<4>) -> Tensor<4> {
        x.clone().mul(x).mean_dim(3).add_scalar(self.epsilon).sqrt().recip()
    }
}

impl LayerKind for PixelNorm {
    fn keyword(&self) -> &'static str {
        "pixelnorm"
    }

    fn op(&self, _: Shape) -> Op {
        Op::PixelNorm { epsilon: self.epsilon }
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        Ok(input)
    }

    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, _: &mut Pass) -> Tensor<4> {
        let scale = self.scale(x.clone());
        x.mul(scale)
    }

    /// With y the value and s the scale: `t' = s (t - y mean(y t))`.
    fn tangent(&self, _: Shape, x: Dual, _: &[Tensor<1>], _: &mut Pass) -> Dual {
        let scale = self.scale(x.value.clone());
        let value = x.value.mul(scale.clone());
        let along = value.clone().mul(x.tangent.clone()).mean_dim(3);
        Dual { tangent: x.tangent.sub(value.clone().mul(along)).mul(scale), value }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::net::testing::{applied, assert_near};

    #[test]
    fn every_pixel_gets_a_mean_square_of_one() {
        let root = 12.5f64.sqrt();
        let wanted = [3.0 / root, 4.0 / root, -3.0 / root, 4.0 / root, 0.0, 0.0];
        let x = [3.0, 4.0, -30.0, 40.0, 0.0, 0.0];
        assert_near(&applied("pixelnorm", Shape::Image(3, 1, 2), &x), &wanted, 1e-6);
        assert_near(
            &applied("pixelnorm epsilon 0.1", Shape::Flat(2), &[0.3, 0.4]),
            &[0.3 / 0.225f64.sqrt(), 0.4 / 0.225f64.sqrt()],
            1e-6,
        );
    }
}
