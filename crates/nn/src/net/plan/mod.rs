//! The steps of a forward pass, planned over the operations of a net: fused layers, bf16 storage between layers, and fusion
//! of backward passes. Each rule is a pattern over consecutive operations.

mod fold;
mod fused_steps;
mod storage;

pub use storage::Storage;

use super::{Fused, LayerEntry, Op, Pass};
use crate::ops::{Activation, Precision};

/// One step: a layer with the layers fused into it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) layer: usize,
    pub(super) fused: Fused,
    /// Whether its output may be stored as bf16.
    pub(super) bf16_output: bool,
    /// Number of steps, from this one, that may run fused on a few images at a time: 2 convolutions, or 3 with batch
    /// normalisation between them, if the intermediate image is much larger than the result; else 1.
    pub(super) fused_steps: usize,
}

impl Step {
    /// The fusion of its layer in this pass.
    pub(super) fn fused_on(&self, pass: &Pass) -> Fused {
        let stored = if self.bf16_output { pass.precision } else { Precision::F32 };
        Fused { stored, backward: pass.backward_fusion(self.fused.backward), ..self.fused }
    }
}

/// Groups layers into steps.
pub(super) fn plan(layers: &[LayerEntry]) -> Vec<Step> {
    let ops: Vec<Op> = layers.iter().map(|entry| entry.layer.planned(entry.input)).collect();
    let mut steps = Vec::with_capacity(ops.len());
    let mut rest = &ops[..];
    while !rest.is_empty() {
        let (before, fused, after) = absorbed(rest);
        let layer = ops.len() - rest.len() + before;
        steps.push(Step { layer, fused, bf16_output: false, fused_steps: 1 });
        rest = &rest[before + 1 + after..];
    }
    let storage: Vec<_> = steps.iter().map(|step| layers[step.layer].layer.kind().storage()).collect();
    for (step, bf16) in steps.iter_mut().zip(storage::bf16_outputs(&storage)) {
        let activation = ops[step.layer].activation().unwrap_or(step.fused.activation);
        // Their gradient is computed from the output, which bf16 can't represent precisely near its limits.
        let saturates = matches!(activation, Activation::Tanh | Activation::Sigmoid);
        step.bf16_output = bf16 && !saturates;
    }
    fuse_backward(&ops, &mut steps);
    for first in 0..steps.len() {
        steps[first].fused_steps = fused_steps::planned(layers, &ops, &steps[first..]);
    }
    steps
}

/// The first fused group of `ops`: the number of layers before the main one (upsampling), its fusion, and the number of layers
/// after it (an activation).
fn absorbed(ops: &[Op]) -> (usize, Fused, usize) {
    let (before, upsample) = match ops {
        [Op::Upsample { factor, bilinear: false }, Op::Conv { .. }, ..] => (1, *factor),
        _ => (0, 1),
    };
    let activation = match &ops[before..] {
        [
            Op::Dense
            | Op::Conv { .. }
            | Op::ConvTranspose { .. }
            | Op::BatchNorm { .. }
            | Op::ConditionalBatchNorm { .. }
            | Op::GroupNorm { .. },
            next,
            ..,
        ] => next.activation(),
        _ => None,
    };
    let fused = Fused { upsample, activation: activation.unwrap_or(Activation::Identity), ..Fused::ALONE };
    (before, fused, usize::from(activation.is_some()))
}

/// Plans the fusion of neighbours' backward passes. Only the next step reads a step's output: a residual block that keeps it is a
/// separate step.
fn fuse_backward(ops: &[Op], steps: &mut [Step]) {
    for first in 1..steps.len() {
        let [step, next] = &mut steps[first - 1..=first] else { continue };
        match (ops[step.layer], step.fused.activation, ops[next.layer]) {
            (_, Activation::Identity, Op::BatchNorm { .. } | Op::ConditionalBatchNorm { .. }) => {
                step.fused.backward.followed_by_batchnorm = true;
            }
            (
                Op::Conv { .. } | Op::ConvTranspose { .. },
                activation @ (Activation::Relu | Activation::LeakyRelu(_)),
                Op::Conv { .. } | Op::ConvTranspose { .. },
            ) => {
                step.fused.backward.activation_grad_by_next = true;
                next.fused.backward.input_activation = Some(activation);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::super::testing::network;
    use super::super::{Mode, Shape};
    use super::*;
    use crate::net::testing::Bench;
    use burn::tensor::DType;

    /// What follows a layer's index in the plan of `lines`: upsampling, activation.
    fn planned(lines: &str, input: Shape, labels: usize) -> Vec<(usize, usize, Activation)> {
        let net = network(lines, input, labels, false);
        net.steps().iter().map(|s| (s.layer, s.fused.upsample, s.fused.activation)).collect()
    }

    #[test]
    fn upsampling_goes_into_convolutions_alone() {
        let image = Shape::Image(4, 4, 2);
        let none = Activation::Identity;
        assert_eq!(planned("upsample 2 | conv 3 3x3 | relu", image, 0), [(1, 2, Activation::Relu)]);
        assert_eq!(planned("upsample 2 | convtranspose 3 3x3", image, 0), [(0, 1, none), (1, 1, none)]);
        assert_eq!(planned("upsample 2 | upsample 2 | conv 3 3x3", image, 0), [(0, 1, none), (2, 2, none)]);
    }

    #[test]
    fn activations_go_into_what_they_follow() {
        let image = Shape::Image(4, 4, 8);
        for line in ["dense 3", "conv 3 3x3", "convtranspose 3 3x3", "batchnorm", "conditionalbatchnorm", "groupnorm 2"]
        {
            assert_eq!(planned(&format!("{line} | tanh"), image, 2), [(0, 1, Activation::Tanh)], "{line}");
        }
        for line in ["dropout 0.1", "avgpool 2", "relu", "reshape 2 8 8", "pixelnorm", "attention", "embedding 2"] {
            assert_eq!(planned(&format!("{line} | tanh"), image, 2).len(), 2, "{line}");
        }
    }

    #[test]
    fn fusing_the_last_sigmoid_changes_no_bit() {
        for line in ["auxiliary", "dense 3"] {
            let value = |lines: &str| {
                let bench = Bench::new(network(lines, Shape::Flat(5), 2, false), Mode::Infer, 4);
                let x = crate::net::testing::tensor::<4>(&bench.x, bench.shape(), DType::F32);
                bench.net.apply(&bench.tensors(DType::F32), x, &mut bench.pass())
            };
            let alone = crate::ops::activate(value(line), Activation::Sigmoid, Precision::F32);
            let fused = value(&format!("{line} | sigmoid"));
            assert_eq!(crate::ops::host(&fused), crate::ops::host(&alone), "{line}");
        }
    }

    #[test]
    fn neighbours_help_each_others_backward_passes() {
        let net = network("conv 3 3x3 | leakyrelu 0.2 | conv 3 3x3 | batchnorm", Shape::Image(4, 4, 2), 0, false);
        let [first, second, norm] = net.steps() else { panic!("{:?}", net.steps()) };
        assert!(first.fused.backward.activation_grad_by_next && !first.fused.backward.followed_by_batchnorm);
        assert_eq!(second.fused.backward.input_activation, Some(Activation::LeakyRelu(0.2)));
        assert!(second.fused.backward.followed_by_batchnorm);
        assert_eq!(norm.fused.backward, Default::default());
    }
}
