//! `batchnorm`: each channel gets mean `beta` and deviation `gamma` over the batch (Ioffe & Szegedy 2015), with Keras's
//! defaults. Training uses the batch's own statistics and keeps moving averages of them, which inference uses.

use burn::tensor::Tensor;

use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, Init, LayerKind, Mode, Op, Pass, Shape, Storage, WeightSpec};
use crate::ops::{self, Normalisation};

/// Batch normalisation over the last axis.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNorm {
    momentum: f32,
    epsilon: f32,
}

impl BatchNorm {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        Ok(Self {
            momentum: words.named("momentum", 0.99, 0.0, 1.0)?,
            epsilon: words.named("epsilon", 1e-3, 1e-12, 0.1)?,
        })
    }

    /// Batch normalisation with these settings.
    pub(in crate::net) fn of(epsilon: f32, momentum: f32) -> Self {
        Self { momentum, epsilon }
    }

    /// The operation, with batch or moving statistics.
    pub(in crate::net) fn spec(&self, from_batch: bool, fused: Fused, pass: &Pass) -> Normalisation {
        let slice = pass.slice().filter(|_| from_batch).cloned();
        Normalisation { epsilon: self.epsilon, activation: fused.activation, from_batch, stored: fused.stored, slice }
    }

    /// Records a batch's mean and variance.
    pub(in crate::net) fn observe(&self, statistics: &[Tensor<1>; 2], pass: &mut Pass) {
        for (weight, seen) in (2..).zip(statistics) {
            pass.observe(weight, seen.clone(), self.momentum);
        }
    }
}

impl LayerKind for BatchNorm {
    fn keyword(&self) -> &'static str {
        "batchnorm"
    }

    fn op(&self, _: Shape) -> Op {
        Op::BatchNorm { epsilon: self.epsilon, momentum: self.momentum }
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        Ok(input)
    }

    fn weights(&self, input: Shape) -> Vec<WeightSpec> {
        let [_, _, c] = input.dims();
        vec![
            WeightSpec::trainable("gamma", &[c], Init::Ones),
            WeightSpec::trainable("beta", &[c], Init::Zeros),
            WeightSpec::statistic("mean", &[c], Init::Zeros),
            WeightSpec::statistic("variance", &[c], Init::Ones),
        ]
    }

    fn penalty_obstacle(&self) -> Option<&'static str> {
        Some(
            "it mixes the images of a batch, so that the gradient of a score is no longer one image's own; layernorm, \
             instancenorm or spectral normalisation do without",
        )
    }

    fn storage(&self) -> Storage {
        Storage::Either
    }

    fn forward(&self, _: Shape, x: Tensor<4>, weights: &[Tensor<1>], fused: Fused, pass: &mut Pass) -> Tensor<4> {
        let from_batch = pass.mode == Mode::Train;
        let [mean, variance] = if from_batch {
            let statistics = ops::moments(&x, pass.slice());
            self.observe(&statistics, pass);
            statistics
        } else {
            [weights[2].clone(), weights[3].clone()]
        };
        let spec = self.spec(from_batch, fused, pass);
        ops::batchnorm(x, [weights[0].clone(), weights[1].clone()], [mean, variance], spec)
    }

    fn tangent(&self, _: Shape, x: Dual, weights: &[Tensor<1>], pass: &mut Pass) -> Dual {
        let row = |i: usize| weights[i].clone().reshape([1, 1, 1, -1]);
        let (gamma, beta): (Tensor<4>, Tensor<4>) = (row(0), row(1));
        let standard = if pass.mode == Mode::Train {
            let [value, tangent] = ops::standardise_dual([x.value, x.tangent], &[0, 1, 2], self.epsilon);
            Dual { value, tangent }
        } else {
            let (mean, variance): (Tensor<4>, Tensor<4>) = (row(2), row(3));
            let scale = variance.add_scalar(self.epsilon).sqrt().recip();
            Dual { value: x.value.sub(mean).mul(scale.clone()), tangent: x.tangent.mul(scale) }
        };
        Dual { value: standard.value.mul(gamma.clone()).add(beta), tangent: standard.tangent.mul(gamma) }
    }
}
