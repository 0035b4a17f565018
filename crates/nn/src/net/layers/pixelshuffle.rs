//! `pixelshuffle 2`: every pixel's `c * r * r` channels become the `c` channels of `r` x `r` pixels (Shi et al. 2016), so
//! that a convolution before it makes the larger image's pixels directly. The channels are ordered as in PyTorch's
//! `PixelShuffle`: number `c * r * r + i * r + j` becomes channel `c` of the pixel in row `i`, column `j` of the square.

use burn::tensor::Tensor;

use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, LayerKind, Op, Pass, Shape};

/// Channels to pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct PixelShuffle {
    factor: usize,
}

impl PixelShuffle {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        let factor = if words.number_follows() { words.size("a factor")? } else { 2 };
        if factor > 16 {
            return Err(format!("expected a factor from 1 to 16, found {factor}"));
        }
        Ok(Self { factor })
    }

    fn shuffled(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, h, w, c] = x.dims();
        let r = self.factor;
        let parts: Tensor<6> = x.reshape([batch, h, w, c / (r * r), r, r]);
        parts.permute([0, 1, 4, 2, 5, 3]).reshape([batch, h * r, w * r, c / (r * r)])
    }
}

impl LayerKind for PixelShuffle {
    fn keyword(&self) -> &'static str {
        "pixelshuffle"
    }

    fn op(&self, _: Shape) -> Op {
        Op::PixelShuffle { factor: self.factor }
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        let Shape::Image(h, w, c) = input else {
            return Err(format!("expected an image (height x width x channels), but the input is a vector of {input}"));
        };
        let (r, square) = (self.factor, self.factor * self.factor);
        if !c.is_multiple_of(square) {
            return Err(format!("expected a multiple of {r}*{r} = {square} channels, but the input is {input}"));
        }
        Ok(Shape::Image(h * r, w * r, c / square))
    }

    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, _: &mut Pass) -> Tensor<4> {
        self.shuffled(x)
    }

    fn tangent(&self, _: Shape, x: Dual, _: &[Tensor<1>], _: &mut Pass) -> Dual {
        x.linear(|t| self.shuffled(t))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::net::testing::{applied, assert_near, refusal};

    #[test]
    fn channels_become_the_pixels_of_a_square() {
        let x: Vec<f64> = (0..8).map(f64::from).collect();
        // One pixel of 8 channels: the first four are channel 0 of the square's pixels, row by row.
        let wanted = [0.0, 4.0, 1.0, 5.0, 2.0, 6.0, 3.0, 7.0];
        assert_near(&applied("pixelshuffle 2", Shape::Image(1, 1, 8), &x), &wanted, 0.0);
        // Two pixels of 4 channels beside each other: two rows of four pixels.
        let wanted = [0.0, 1.0, 4.0, 5.0, 2.0, 3.0, 6.0, 7.0];
        assert_near(&applied("pixelshuffle", Shape::Image(1, 2, 4), &x), &wanted, 0.0);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let odd = refusal("pixelshuffle 2", Shape::Image(3, 3, 6));
        assert!(odd.ends_with("expected a multiple of 2*2 = 4 channels, but the input is 3x3x6"), "{odd}");
        assert!(refusal("pixelshuffle 2", Shape::Flat(4)).contains("the input is a vector of 4"));
        assert!(refusal("pixelshuffle 17", Shape::Image(1, 1, 289)).contains("found 17"));
    }
}
