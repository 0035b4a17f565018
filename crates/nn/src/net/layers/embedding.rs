//! `embedding 16`: conditions the net on labels (Mirza & Osindero 2014): 16 learned values per label, appended to the
//! channels. On an image each label has a plane of values per channel, as in the course's conditional GAN (where an
//! embedding, a dense layer and a reshape form this table). The values of several labels are added.

use burn::tensor::Tensor;

use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, Init, LayerKind, Op, Pass, Shape, WeightSpec};
use crate::ops::{self, Geometry, Precision};

/// Learned values for each label, concatenated to the channels.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    channels: usize,
    labels: usize,
}

impl Embedding {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        Ok(Self { channels: words.size("the number of channels")?, labels: words.labels()? })
    }

    /// The values for this pass's labels, in the shape of the input.
    fn values(&self, input: Shape, x: &Tensor<4>, weights: &[Tensor<1>], pass: &Pass) -> Tensor<4> {
        let [h, w, _] = input.dims();
        look_up(x, &weights[0], self.labels, h * w * self.channels, pass).reshape([
            -1,
            h as i32,
            w as i32,
            self.channels as i32,
        ])
    }
}

/// The sum of the image's label rows of `table` `[labels, width]`: `[batch, 1, 1, width]`.
pub(super) fn look_up(x: &Tensor<4>, table: &Tensor<1>, labels: usize, width: usize, pass: &Pass) -> Tensor<4> {
    let given = pass.condition(x.dims()[0], labels, x);
    mix_rows(given.cast(x.dtype()), table, width)
}

/// The rows of `table` `[labels, width]` times `shares` `[batch, 1, 1, labels]`, added up: `[batch, 1, 1, width]`.
pub(super) fn mix_rows(shares: Tensor<4>, table: &Tensor<1>, width: usize) -> Tensor<4> {
    let [batch, _, _, labels] = shares.dims();
    // Never rounded: shares of 0 and 1 select rows, which is cheap.
    let precision = Precision::F32;
    let geometry = Geometry::dense(batch, labels, width);
    let spec = Fused::ALONE.conv(geometry, precision);
    let none = Tensor::zeros([width], (&shares.device().inner(), shares.dtype()));
    ops::conv(shares, table.clone(), none, spec)
}

impl LayerKind for Embedding {
    fn keyword(&self) -> &'static str {
        "embedding"
    }

    fn op(&self, _: Shape) -> Op {
        Op::Embedding
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        Ok(match input {
            Shape::Flat(n) => Shape::Flat(n + self.channels),
            Shape::Image(h, w, c) => Shape::Image(h, w, c + self.channels),
        })
    }

    fn weights(&self, input: Shape) -> Vec<WeightSpec> {
        let [h, w, _] = input.dims();
        let shape = match input {
            Shape::Flat(_) => vec![self.labels, self.channels],
            Shape::Image(..) => vec![self.labels, h, w, self.channels],
        };
        // Small compared to noise of deviation 1: with strong labels a generator learns to ignore the noise.
        vec![WeightSpec::trainable("table", &shape, Init::Normal(if h * w > 1 { 0.05 } else { 0.2 }))]
    }

    fn takes_labels(&self) -> bool {
        true
    }

    fn forward(&self, input: Shape, x: Tensor<4>, weights: &[Tensor<1>], _: Fused, pass: &mut Pass) -> Tensor<4> {
        let values = self.values(input, &x, weights, pass);
        Tensor::cat(vec![x, values], 3)
    }

    fn tangent(&self, input: Shape, x: Dual, weights: &[Tensor<1>], pass: &mut Pass) -> Dual {
        let values = self.values(input, &x.value, weights, pass);
        let still = values.zeros_like().without_autodiff();
        Dual { value: Tensor::cat(vec![x.value, values], 3), tangent: Tensor::cat(vec![x.tangent, still], 3) }
    }
}
