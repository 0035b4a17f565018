//! `conditionalbatchnorm`: batch normalisation whose `gamma` and `beta` depend on the label (de Vries et al. 2017; in
//! GANs, Miyato & Koyama 2018): each label has a row of both. An image with several labels uses the mean of their rows,
//! since a sum would scale the deviation with the number of labels; an image without labels, the mean of all rows.
//! Statistics are those of [`BatchNorm`], over all images whatever their labels.

use burn::tensor::Tensor;

use super::batchnorm::BatchNorm;
use super::embedding::mix_rows;
use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, Init, LayerKind, Op, Pass, Shape, WeightSpec};
use crate::ops;

/// Batch normalisation with a gamma and a beta per label.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionalBatchNorm {
    norm: BatchNorm,
    labels: usize,
}

impl ConditionalBatchNorm {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        Ok(Self { norm: BatchNorm::parse(words)?, labels: words.labels()? })
    }

    /// Each image's gamma and beta: `[batch, 1, 1, c]`.
    fn affine(&self, x: &Tensor<4>, weights: &[Tensor<1>], pass: &Pass) -> [Tensor<4>; 2] {
        let [batch, _, _, c] = x.dims();
        let given = pass.condition(batch, self.labels, x).cast(x.dtype());
        let none = given.clone().sum_dim(3).equal_scalar(0.0).float().cast(x.dtype());
        let held = given.add(none);
        let shares = held.clone().div(held.sum_dim(3));
        [0, 1].map(|i| mix_rows(shares.clone(), &weights[i], c))
    }

    /// The weights of the plain normalisation: gamma 1, beta 0, the moving statistics.
    fn plain(x: &Tensor<4>, weights: &[Tensor<1>]) -> [Tensor<1>; 4] {
        let constant = |value: f32| Tensor::full([x.dims()[3]], value, (&x.device().inner(), x.dtype()));
        [constant(1.0), constant(0.0), weights[2].clone(), weights[3].clone()]
    }
}

impl LayerKind for ConditionalBatchNorm {
    fn keyword(&self) -> &'static str {
        "conditionalbatchnorm"
    }

    fn op(&self, input: Shape) -> Op {
        match self.norm.op(input) {
            Op::BatchNorm { epsilon, momentum } => Op::ConditionalBatchNorm { epsilon, momentum },
            other => other,
        }
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        Ok(input)
    }

    fn weights(&self, input: Shape) -> Vec<WeightSpec> {
        let [_, _, c] = input.dims();
        let mut specs = self.norm.weights(input);
        specs[0] = WeightSpec::trainable("gamma", &[self.labels, c], Init::Ones);
        specs[1] = WeightSpec::trainable("beta", &[self.labels, c], Init::Zeros);
        specs
    }

    fn penalty_obstacle(&self) -> Option<&'static str> {
        self.norm.penalty_obstacle()
    }

    fn takes_labels(&self) -> bool {
        true
    }

    fn forward(&self, input: Shape, x: Tensor<4>, weights: &[Tensor<1>], fused: Fused, pass: &mut Pass) -> Tensor<4> {
        let [gamma, beta] = self.affine(&x, weights, pass);
        let plain = Self::plain(&x, weights);
        let standard = self.norm.forward(input, x, &plain, Fused::ALONE, pass);
        ops::activate(standard.mul(gamma).add(beta), fused.activation, fused.stored)
    }

    fn tangent(&self, input: Shape, x: Dual, weights: &[Tensor<1>], pass: &mut Pass) -> Dual {
        let [gamma, beta] = self.affine(&x.value, weights, pass);
        let plain = Self::plain(&x.value, weights);
        let standard = self.norm.tangent(input, x, &plain, pass);
        Dual { value: standard.value.mul(gamma.clone()).add(beta), tangent: standard.tangent.mul(gamma) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use burn::tensor::{DType, Device};

    use super::*;
    use crate::net::Weights;
    use crate::net::testing::{applied, assert_near, network, tensor, values};

    /// The layer on images that are all 2, with moving mean 1 and variance 1: 1 times gamma, plus beta.
    fn of_labels(given: &[f64]) -> Vec<f64> {
        let net = network("conditionalbatchnorm epsilon 0.0000001", Shape::Flat(1), 3, false);
        let weights = vec![vec![1.0, 2.0, 6.0], vec![0.0, 0.5, 0.25], vec![1.0], vec![1.0]];
        let batch = given.len() / 3;
        let mut pass = Pass::infer().given(Some(tensor(given, [batch, 1, 1, 3], DType::F32)));
        let x = tensor(&vec![2.0; batch], [batch, 1, 1, 1], DType::F32);
        values(&net.apply(&Weights::from_values(weights, &Device::flex()), x, &mut pass))
    }

    #[test]
    fn gamma_and_beta_are_the_mean_of_the_labels_rows() {
        // One label; two; none, which is the mean of all.
        let given = [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0];
        assert_near(&of_labels(&given), &[2.5, 3.625, 3.25], 1e-5);
    }

    #[test]
    fn starts_as_plain_batch_normalisation() {
        let net = network("conditionalbatchnorm", Shape::Image(1, 2, 2), 3, false);
        let x = [1.0, 2.0, 3.0, 4.0];
        let ours =
            net.apply(&net.initial(1, &Device::flex()), tensor(&x, [1, 1, 2, 2], DType::F32), &mut Pass::infer());
        assert_near(&values(&ours), &applied("batchnorm", Shape::Image(1, 2, 2), &x), 1e-6);
        assert!(network("conditionalbatchnorm", Shape::Flat(2), 3, false).penalty_obstacle().is_some());
    }
}
