//! `zeropad 0 1 0 1`: rows and columns of zeros above, below, left and right of an image; `zeropad 1` on all sides.

use burn::tensor::Tensor;

use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, LayerKind, Op, Pass, Shape};

/// Zeros around an image.
#[derive(Clone, Debug, PartialEq)]
pub struct ZeroPad {
    /// Above, below, left, right.
    sides: [usize; 4],
}

impl ZeroPad {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        let first = words.side("the rows above")?;
        if !words.number_follows() {
            return Ok(Self { sides: [first; 4] });
        }
        let below = words.side("the rows below")?;
        Ok(Self { sides: [first, below, words.side("the columns left")?, words.side("the columns right")?] })
    }

    fn padded(&self, x: Tensor<4>) -> Tensor<4> {
        let [above, below, left, right] = self.sides;
        let x = beside(x, 1, above, below);
        beside(x, 2, left, right)
    }
}

/// `x` with zeros before and after along `axis`.
fn beside(x: Tensor<4>, axis: usize, before: usize, after: usize) -> Tensor<4> {
    let (mut dims, how) = (x.dims(), (&x.device(), x.dtype()));
    let mut zeros = |count: usize| {
        dims[axis] = count;
        Tensor::<4>::zeros(dims, how)
    };
    let (before, after) = ((before > 0).then(|| zeros(before)), (after > 0).then(|| zeros(after)));
    let parts: Vec<Tensor<4>> = before.into_iter().chain([x.clone()]).chain(after).collect();
    if parts.len() == 1 { x } else { Tensor::cat(parts, axis) }
}

impl LayerKind for ZeroPad {
    fn keyword(&self) -> &'static str {
        "zeropad"
    }

    fn op(&self, _: Shape) -> Op {
        let [top, bottom, left, right] = self.sides;
        Op::ZeroPad { pads: [top, left, bottom, right] }
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        let Shape::Image(h, w, c) = input else {
            return Err(format!("expected an image (height x width x channels), but the input is a vector of {input}"));
        };
        let [above, below, left, right] = self.sides;
        Ok(Shape::Image(h + above + below, w + left + right, c))
    }

    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, _: &mut Pass) -> Tensor<4> {
        self.padded(x)
    }

    fn tangent(&self, _: Shape, x: Dual, _: &[Tensor<1>], _: &mut Pass) -> Dual {
        x.linear(|t| self.padded(t))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::net::testing::{applied, assert_near, refusal};

    #[test]
    fn zeros_are_put_on_the_sides_that_are_named() {
        let image = Shape::Image(1, 2, 1);
        assert_near(&applied("zeropad 0 1 0 1", image, &[3.0, 4.0]), &[3.0, 4.0, 0.0, 0.0, 0.0, 0.0], 1e-9);
        assert_near(&applied("zeropad 1 0 2 0", image, &[3.0, 4.0]), &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 4.0], 1e-9);
        assert_near(&applied("zeropad 0", image, &[3.0, 4.0]), &[3.0, 4.0], 1e-9);
        assert_eq!(applied("zeropad 1", image, &[3.0, 4.0]).len(), 3 * 4);
        assert!(refusal("zeropad 1", Shape::Flat(3)).contains("a vector of 3"));
        assert!(refusal("zeropad 1 2 3", image).contains("expected the columns right here"));
        assert!(refusal("zeropad 2000", image).contains("at most 1024"));
    }
}
