//! Last layers of conditional discriminators. `projection` scores an image against its label by an inner product
//! (Miyato & Koyama 2018): `w.f + b + sum of the labels' v.f`. `auxiliary` also classifies the label (AC-GAN,
//! Odena et al. 2017): one score, then one logit per label.

use burn::tensor::Tensor;

use super::dense::Dense;
use super::embedding::look_up;
use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, Init, LayerKind, Op, Pass, Shape, WeightSpec};

/// The last layer of a projection discriminator.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    score: Dense,
    labels: usize,
}

/// The last layer of an auxiliary classifier GAN's discriminator.
#[derive(Clone, Debug, PartialEq)]
pub struct Auxiliary {
    dense: Dense,
}

fn flat(input: Shape) -> Reading<()> {
    match input {
        Shape::Flat(_) => Ok(()),
        Shape::Image(..) => Err(format!("expected a vector, but the input is an image {input}; `flatten` it first")),
    }
}

impl Projection {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        Ok(Self { score: Dense::of(1, words.init()?), labels: words.labels()? })
    }

    /// `sum over features of x * (the labels' row)`: `[batch, 1, 1, 1]`.
    fn agreement(&self, x: Tensor<4>, row: Tensor<4>) -> Tensor<4> {
        x.mul(row).sum_dim(3)
    }

    fn row(&self, input: Shape, x: &Tensor<4>, weights: &[Tensor<1>], pass: &Pass) -> Tensor<4> {
        look_up(x, &weights[2], self.labels, input.len(), pass)
    }
}

impl LayerKind for Projection {
    fn keyword(&self) -> &'static str {
        "projection"
    }

    fn op(&self, _: Shape) -> Op {
        Op::Projection
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        flat(input).map(|()| Shape::Flat(1))
    }

    fn weights(&self, input: Shape) -> Vec<WeightSpec> {
        let mut weights = self.score.weights(input);
        let table = [self.labels, input.len()];
        weights.push(WeightSpec {
            name: "table",
            ..WeightSpec::kernel(&table, Init::GlorotUniform, self.labels, input.len())
        });
        weights
    }

    fn flops(&self, input: Shape) -> u64 {
        4 * input.len() as u64
    }

    fn takes_labels(&self) -> bool {
        true
    }

    fn forward(&self, input: Shape, x: Tensor<4>, weights: &[Tensor<1>], _: Fused, pass: &mut Pass) -> Tensor<4> {
        let row = self.row(input, &x, weights, pass);
        let score = self.score.forward(input, x.clone(), weights, Fused::ALONE, pass);
        score.add(self.agreement(x, row))
    }

    fn tangent(&self, input: Shape, x: Dual, weights: &[Tensor<1>], pass: &mut Pass) -> Dual {
        let row = self.row(input, &x.value, weights, pass);
        let agreement = x.clone().linear(|t| self.agreement(t, row.clone()));
        let score = self.score.tangent(input, x, weights, pass);
        Dual { value: score.value.add(agreement.value), tangent: score.tangent.add(agreement.tangent) }
    }
}

impl Auxiliary {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        let labels = words.labels()?;
        Ok(Self { dense: Dense::of(1 + labels, words.init()?) })
    }
}

impl LayerKind for Auxiliary {
    fn keyword(&self) -> &'static str {
        "auxiliary"
    }

    fn op(&self, _: Shape) -> Op {
        Op::Dense
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        flat(input).and_then(|()| self.dense.output(input))
    }

    fn weights(&self, input: Shape) -> Vec<WeightSpec> {
        self.dense.weights(input)
    }

    fn flops(&self, input: Shape) -> u64 {
        self.dense.flops(input)
    }

    fn takes_labels(&self) -> bool {
        true
    }

    fn forward(&self, input: Shape, x: Tensor<4>, weights: &[Tensor<1>], fused: Fused, pass: &mut Pass) -> Tensor<4> {
        self.dense.forward(input, x, weights, fused, pass)
    }

    fn tangent(&self, input: Shape, x: Dual, weights: &[Tensor<1>], pass: &mut Pass) -> Dual {
        self.dense.tangent(input, x, weights, pass)
    }
}
