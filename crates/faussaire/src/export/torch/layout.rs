//! PyTorch's layout of each weight: its name in the module and its axis order, for both directions of conversion.

use super::super::plain::{Part, permuted};
use crate::net::Op;

/// A weight in a PyTorch module.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// Its name in our layer.
    pub ours: &'static str,
    /// Its name in their module.
    pub theirs: &'static str,
    /// For each of their axes, the index of ours.
    axes: Vec<usize>,
    /// Our shape.
    shape: Vec<usize>,
    /// Their shape: ours with permuted axes, and trailing 1s for a 1x1 kernel.
    pub their_shape: Vec<usize>,
}

impl Slot {
    fn new(part: &Part, ours: &'static str, theirs: &'static str, axes: &[usize], ones: usize) -> Option<Self> {
        let shape = part.weight(ours)?.shape.clone();
        let axes: Vec<usize> = if axes.is_empty() { (0..shape.len()).collect() } else { axes.to_vec() };
        let turned = axes.iter().map(|axis| shape[*axis]);
        let their_shape = turned.chain(std::iter::repeat_n(1, ones)).collect();
        Some(Self { ours, theirs, axes, shape, their_shape })
    }

    /// Our values in their order.
    pub fn to_theirs(&self, values: &[f32]) -> Vec<f32> {
        permuted(values, &self.shape, &self.axes)
    }

    /// Their values in our order.
    pub fn to_ours(&self, values: &[f32]) -> Vec<f32> {
        let turned: Vec<usize> = self.axes.iter().map(|axis| self.shape[*axis]).collect();
        let mut back = vec![0; self.axes.len()];
        self.axes.iter().enumerate().for_each(|(i, axis)| back[*axis] = i);
        permuted(values, &turned, &back)
    }
}

/// Whether the part's module counts its batches, as PyTorch's batch normalisation does, in `num_batches_tracked`.
pub fn counts_batches(part: &Part) -> bool {
    matches!(part.op, Op::BatchNorm { .. })
}

/// The weights of a part.
pub fn slots(part: &Part) -> Vec<Slot> {
    let (image, _) = part.of_images();
    // A dense layer on images is a 1x1 convolution in PyTorch.
    let ones = if image { 2 } else { 0 };
    let slot = |ours, theirs, axes: &[usize], ones| Slot::new(part, ours, theirs, axes, ones);
    let all = match part.op {
        Op::Dense => vec![slot("weight", "weight", &[1, 0], ones), slot("bias", "bias", &[], 0)],
        Op::Conv { .. } | Op::ConvTranspose { .. } => {
            vec![slot("weight", "weight", &[3, 2, 0, 1], 0), slot("bias", "bias", &[], 0)]
        }
        Op::BatchNorm { .. } => vec![
            slot("gamma", "weight", &[], 0),
            slot("beta", "bias", &[], 0),
            slot("mean", "running_mean", &[], 0),
            slot("variance", "running_var", &[], 0),
        ],
        Op::ConditionalBatchNorm { .. } => vec![
            slot("gamma", "gamma", &[], 0),
            slot("beta", "beta", &[], 0),
            slot("mean", "running_mean", &[], 0),
            slot("variance", "running_var", &[], 0),
        ],
        Op::GroupNorm { .. } => vec![slot("gamma", "weight", &[], 0), slot("beta", "bias", &[], 0)],
        Op::Embedding => {
            let axes: &[usize] = if image { &[0, 3, 1, 2] } else { &[] };
            vec![slot("table", "table", axes, 0)]
        }
        Op::Projection => vec![
            slot("weight", "score.weight", &[1, 0], 0),
            slot("bias", "score.bias", &[], 0),
            slot("table", "table", &[], 0),
        ],
        Op::Attention { .. } => vec![
            slot("query", "query.weight", &[1, 0], 2),
            slot("key", "key.weight", &[1, 0], 2),
            slot("value", "value.weight", &[1, 0], 2),
            slot("output", "output.weight", &[1, 0], 2),
            slot("gamma", "gamma", &[], 0),
        ],
        Op::Close { .. } => vec![slot("weight", "weight", &[1, 0], ones)],
        Op::Nothing
        | Op::Opaque
        | Op::Reshape
        | Op::Upsample { .. }
        | Op::Crop { .. }
        | Op::AveragePool { .. }
        | Op::MaxPool { .. }
        | Op::ZeroPad { .. }
        | Op::GlobalPool { .. }
        | Op::PixelShuffle { .. }
        | Op::PixelNorm { .. }
        | Op::Relu
        | Op::LeakyRelu { .. }
        | Op::Tanh
        | Op::Sigmoid
        | Op::Softmax
        | Op::Open
        | Op::MinibatchStd { .. } => Vec::new(),
    };
    all.into_iter().flatten().collect()
}
