//! `crop 37 53`: the central part of an image, of this height and width (Keras's `Cropping2D`), so that a generator that
//! doubles its image can end with any size. Where an odd number of rows or columns is dropped, one more at the end.

use burn::tensor::Tensor;

use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, LayerKind, Op, Pass, Shape};

/// The central part of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Crop {
    height: usize,
    width: usize,
}

impl Crop {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        let height = words.size("a height")?;
        let width = if words.number_follows() { words.size("a width")? } else { height };
        Ok(Self { height, width })
    }

    /// Rows and columns that are dropped at the start.
    fn start(&self, input: Shape) -> [usize; 2] {
        let [h, w, _] = input.dims();
        [h.saturating_sub(self.height) / 2, w.saturating_sub(self.width) / 2]
    }

    fn part(&self, input: Shape, x: Tensor<4>) -> Tensor<4> {
        let ([top, left], [batch, h, w, c]) = (self.start(input), x.dims());
        if (h, w) == (self.height, self.width) {
            return x;
        }
        x.slice([0..batch, top..top + self.height, left..left + self.width, 0..c])
    }
}

impl LayerKind for Crop {
    fn keyword(&self) -> &'static str {
        "crop"
    }

    fn op(&self, input: Shape) -> Op {
        let [top, left] = self.start(input);
        Op::Crop { top, left }
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        let Shape::Image(h, w, c) = input else {
            return Err(format!("expected an image (height x width x channels), but the input is a vector of {input}"));
        };
        if self.height > h || self.width > w {
            return Err(format!(
                "expected at most the input's size, but {}x{} is no part of {input}",
                self.height, self.width
            ));
        }
        Ok(Shape::Image(self.height, self.width, c))
    }

    fn forward(&self, input: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, _: &mut Pass) -> Tensor<4> {
        self.part(input, x)
    }

    fn tangent(&self, input: Shape, x: Dual, _: &[Tensor<1>], _: &mut Pass) -> Dual {
        x.linear(|t| self.part(input, t))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::net::testing::{applied, assert_near, refusal};

    #[test]
    fn the_centre_is_kept() {
        let x: Vec<f64> = (0..12).map(f64::from).collect();
        // Three rows of four pixels.
        assert_near(&applied("crop 1 2", Shape::Image(3, 4, 1), &x), &[5.0, 6.0], 0.0);
        assert_near(&applied("crop 2 3", Shape::Image(3, 4, 1), &x), &[0.0, 1.0, 2.0, 4.0, 5.0, 6.0], 0.0);
        assert_near(&applied("crop 3 4", Shape::Image(3, 4, 1), &x), &x, 0.0);
        // Two images of three rows of a pixel of two channels each.
        assert_near(&applied("crop 1", Shape::Image(3, 1, 2), &x), &[2.0, 3.0, 8.0, 9.0], 0.0);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let larger = refusal("crop 4 3", Shape::Image(3, 5, 2));
        assert!(larger.ends_with("expected at most the input's size, but 4x3 is no part of 3x5x2"), "{larger}");
        assert!(refusal("crop 3 6", Shape::Image(3, 5, 2)).contains("3x6 is no part of 3x5x2"));
        assert!(refusal("crop 2", Shape::Flat(8)).contains("the input is a vector of 8"));
        assert!(refusal("crop", Shape::Image(3, 3, 1)).contains("a height"));
        assert!(refusal("crop 0 1", Shape::Image(3, 3, 1)).contains("a height"));
    }
}
