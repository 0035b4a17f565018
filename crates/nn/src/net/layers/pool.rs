//! `avgpool 2` and `globalpool`: averages over neighbouring pixels, or over all of them. `globalpool sum` adds instead,
//! as in the discriminators of SNGAN and its successors before the last layer (Miyato et al. 2018).

use burn::tensor::Tensor;

use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, LayerKind, Op, Pass, Shape};
use crate::ops;

/// Maximum side of a pool.
const MAX_FACTOR: usize = 64;

/// The mean of every `factor` x `factor` pixels; the image is a whole number of them.
#[derive(Clone, Debug, PartialEq)]
pub struct AveragePool {
    factor: usize,
}

/// One value per channel: the mean, or the sum, over all pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct GlobalPool {
    sum: bool,
}

impl AveragePool {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        Ok(Self { factor: factor(words)? })
    }
}

/// The side of a pool; 2 without one.
pub(super) fn factor(words: &mut Words) -> Reading<usize> {
    let factor = if words.number_follows() { words.size("a factor")? } else { 2 };
    if factor > MAX_FACTOR {
        return Err(format!("expected a factor from 1 to {MAX_FACTOR}, found {factor}"));
    }
    Ok(factor)
}

/// The shape after pools of `factor` x `factor` pixels, of which the image is a whole number.
pub(super) fn output(factor: usize, input: Shape) -> Reading<Shape> {
    let Shape::Image(h, w, c) = input else {
        return Err(format!("expected an image (height x width x channels), but the input is a vector of {input}"));
    };
    if !h.is_multiple_of(factor) || !w.is_multiple_of(factor) {
        return Err(format!("expected a height and width that are multiples of {factor}, but the input is {input}"));
    }
    Ok(Shape::Image(h / factor, w / factor, c))
}

impl GlobalPool {
    pub(super) fn parse(words: &mut Words) -> Self {
        Self { sum: words.flag("sum") }
    }

    fn pooled(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, h, w, c] = x.dims();
        let pixels: Tensor<3> = x.reshape([batch, h * w, c]);
        let pooled = if self.sum { pixels.sum_dim(1) } else { pixels.mean_dim(1) };
        pooled.reshape([batch, 1, 1, c])
    }
}

impl LayerKind for AveragePool {
    fn keyword(&self) -> &'static str {
        "avgpool"
    }

    fn op(&self, _: Shape) -> Op {
        Op::AveragePool { factor: self.factor }
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        output(self.factor, input)
    }

    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, _: &mut Pass) -> Tensor<4> {
        ops::average_pool(x, self.factor)
    }

    fn tangent(&self, _: Shape, x: Dual, _: &[Tensor<1>], _: &mut Pass) -> Dual {
        x.linear(|t| ops::average_pool(t, self.factor))
    }
}

impl LayerKind for GlobalPool {
    fn keyword(&self) -> &'static str {
        "globalpool"
    }

    fn op(&self, _: Shape) -> Op {
        Op::GlobalPool { sum: self.sum }
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        match input {
            Shape::Image(_, _, c) => Ok(Shape::Flat(c)),
            Shape::Flat(_) => {
                Err(format!("expected an image (height x width x channels), but the input is a vector of {input}"))
            }
        }
    }

    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, _: &mut Pass) -> Tensor<4> {
        self.pooled(x)
    }

    fn tangent(&self, _: Shape, x: Dual, _: &[Tensor<1>], _: &mut Pass) -> Dual {
        x.linear(|t| self.pooled(t))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::net::testing::{applied, assert_near, refusal};

    #[test]
    fn neighbours_or_all_pixels_are_averaged() {
        let x: Vec<f64> = (1..=16).map(f64::from).collect();
        // Two channels: the odd numbers and the even ones.
        let image = Shape::Image(2, 4, 2);
        assert_near(&applied("avgpool 2", image, &x), &[6.0, 7.0, 10.0, 11.0], 1e-6);
        assert_near(&applied("avgpool 1", image, &x), &x, 1e-6);
        assert_near(&applied("globalpool", image, &x), &[8.0, 9.0], 1e-6);
        assert_near(&applied("globalpool sum", image, &x), &[64.0, 72.0], 1e-5);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let uneven = refusal("avgpool 2", Shape::Image(6, 5, 3));
        assert!(
            uneven.ends_with("expected a height and width that are multiples of 2, but the input is 6x5x3"),
            "{uneven}"
        );
        assert!(refusal("avgpool 65", Shape::Image(65, 65, 1)).contains("expected a factor from 1 to 64, found 65"));
        assert!(refusal("avgpool 2", Shape::Flat(8)).contains("the input is a vector of 8"));
        assert!(refusal("globalpool", Shape::Flat(8)).contains("the input is a vector of 8"));
        assert!(refusal("globalpool max", Shape::Image(2, 2, 1)).contains("`max` is not understood here"));
    }
}
