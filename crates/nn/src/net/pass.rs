//! The state of a forward pass: its mode, the randomness of dropout, labels, and the observed statistics of batch
//! normalisation.

use burn::tensor::Tensor;

use crate::ops::{Activation, BackwardFusion, Conv, Geometry, Precision, Slice};
use faussaire_data::random::Stream;

/// Maximum layers per pass that draw at random without shared draws; D counts each layer twice if it sees real and
/// generated images in separate batches.
const LAYERS: u64 = 64;

/// Training or inference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Batch statistics, dropout active.
    Train,
    /// Moving statistics, no dropout: Keras's `predict`.
    Infer,
}

/// Operations fused with a layer's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fused {
    /// Upsampling before it.
    pub upsample: usize,
    /// Activation after it.
    pub activation: Activation,
    /// Storage of the result, for layers that support both ([`super::Storage::Either`]).
    pub stored: Precision,
    /// Fusion with its neighbours' backward passes.
    pub backward: BackwardFusion,
}

impl Fused {
    /// No fusion.
    pub const ALONE: Self = Self {
        upsample: 1,
        activation: Activation::Identity,
        stored: Precision::F32,
        backward: BackwardFusion {
            followed_by_batchnorm: false,
            activation_grad_by_next: false,
            input_activation: None,
        },
    };

    /// A convolution of this geometry with the fused operations.
    pub(super) fn conv(self, geometry: Geometry, precision: Precision) -> Conv {
        let Self { upsample, activation, stored, backward } = self;
        Conv { geometry, upsample, activation, precision, stored, backward }
    }
}

/// A dual number: a value with its derivative along a direction of the network's input (forward-mode differentiation).
#[derive(Clone, Debug)]
pub struct Dual {
    /// The value, as in an ordinary pass.
    pub value: Tensor<4>,
    /// The derivative of the value along the direction; of the same shape.
    pub tangent: Tensor<4>,
}

impl Dual {
    /// Applies a linear map (without a bias) to both.
    pub fn linear(self, map: impl Fn(Tensor<4>) -> Tensor<4>) -> Self {
        Self { value: map(self.value), tangent: map(self.tangent) }
    }
}

/// The batch's value of a moving statistic, with its momentum.
#[derive(Clone, Debug)]
pub struct Observed {
    pub(super) layer: usize,
    /// Index of the layer's weight.
    pub(super) weight: usize,
    pub(super) seen: Tensor<1>,
    pub(super) momentum: f32,
}

/// One forward pass.
#[derive(Debug)]
pub struct Pass {
    /// Training or inference.
    pub mode: Mode,
    /// Precision of the operands of products, and of storage between layers that support it.
    pub precision: Precision,
    dropout: Option<(Stream, u64)>,
    draws: u64,
    condition: Option<Tensor<4>>,
    slice: Option<Slice>,
    pub(super) layer: usize,
    pub(super) observed: Vec<Observed>,
    /// Inputs of the open residual blocks, the innermost last.
    pub(super) open: Vec<Tensor<4>>,
}

impl Pass {
    /// An inference pass in f32.
    pub fn infer() -> Self {
        Self {
            mode: Mode::Infer,
            precision: Precision::F32,
            dropout: None,
            draws: 0,
            condition: None,
            slice: None,
            layer: 0,
            observed: Vec::new(),
            open: Vec::new(),
        }
    }

    /// A training pass; dropout draws from `stream` at `index`, which must differ between passes. In f32.
    pub fn train(stream: Stream, index: u64) -> Self {
        Self { mode: Mode::Train, dropout: Some((stream, index)), ..Self::infer() }
    }

    /// The same pass, with operands rounded to `precision`.
    pub fn rounded(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// The same pass, with `labels` `[batch, 1, 1, labels]`, 1 for each label of the image.
    pub fn given(mut self, labels: Option<Tensor<4>>) -> Self {
        self.condition = labels;
        self
    }

    /// The same pass, of a slice of a batch: batch normalisation uses the moments of all slices, and dropout its part of the
    /// batch's draws.
    pub fn within(mut self, slice: Option<Slice>) -> Self {
        self.slice = slice;
        self
    }

    /// The slice of the batch that it computes; none: all of it.
    pub(super) fn slice(&self) -> Option<&Slice> {
        self.slice.as_ref()
    }

    /// The labels, if given.
    pub(super) fn labels(&self) -> Option<&Tensor<4>> {
        self.condition.as_ref()
    }

    /// The labels of a batch; all 0 without labels.
    pub fn condition(&self, batch: usize, labels: usize, like: &Tensor<4>) -> Tensor<4> {
        match &self.condition {
            Some(given) => given.clone(),
            None => Tensor::zeros([batch, 1, 1, labels], &like.device().inner()),
        }
    }

    /// Overrides the layers' momentum in this pass.
    pub fn set_momentum(&mut self, momentum: f32) {
        self.observed.iter_mut().for_each(|o| o.momentum = momentum);
    }

    /// Records the batch's value of the current layer's moving statistic `weight`, with its `momentum`.
    pub fn observe(&mut self, weight: usize, seen: Tensor<1>, momentum: f32) {
        self.observed.push(Observed { layer: self.layer, weight, seen, momentum });
    }

    /// The mask of the pass's next dropout layer for `count` values: 0 for the share `rate` of dropped values, else 1.
    pub(crate) fn kept(&mut self, count: usize, rate: f32) -> Vec<u8> {
        self.draws += 1;
        match &self.dropout {
            Some((stream, index)) => {
                stream.not_below_from(index * LAYERS + self.draws, self.drawn_before(count), count, rate)
            }
            None => vec![1; count],
        }
    }

    /// Standard normal values for the pass's next layer that draws some.
    pub(crate) fn normal(&mut self, count: usize) -> Vec<f32> {
        self.draws += 1;
        match &self.dropout {
            Some((stream, index)) => {
                let before = self.drawn_before(count);
                stream.normal(index * LAYERS + self.draws, before + count).split_off(before)
            }
            None => vec![0.0; count],
        }
    }

    /// The draws of the slices before this one, of `count` each.
    fn drawn_before(&self, count: usize) -> usize {
        self.slice.as_ref().map_or(0, |slice| slice.index() * count)
    }

    /// The part of `planned` that applies to this pass: batch statistics are subtracted only in training, and an activation's
    /// gradient is left to the next layer only if products are rounded, where that layer's kernels multiply with it.
    pub(super) fn backward_fusion(&self, planned: BackwardFusion) -> BackwardFusion {
        let rounded = self.precision == Precision::Bf16;
        BackwardFusion {
            followed_by_batchnorm: planned.followed_by_batchnorm && self.mode == Mode::Train,
            activation_grad_by_next: planned.activation_grad_by_next && rounded,
            input_activation: planned.input_activation.filter(|_| rounded),
        }
    }
}
