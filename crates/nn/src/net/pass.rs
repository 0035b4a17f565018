//! What a forward pass carries along besides the images: its mode, the dropout's randomness, and the statistics that
//! batch normalisation sees on the way.

use burn::tensor::Tensor;

use crate::ops::{Activation, BackwardFusion, Conv, Geometry, Precision};
use faussaire_data::random::Stream;

/// Whether layers behave as in training or as in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Batch statistics, dropout active.
    Train,
    /// Moving statistics, no dropout: Keras's `predict`.
    Infer,
}

/// What a layer does in the same pass as its own work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fused {
    /// Upsampling in front of it.
    pub upsample: usize,
    /// Activation behind it.
    pub activation: Activation,
    /// What the result is stored as, by layers that can choose ([`super::Storage::Either`]).
    pub stored: Precision,
    /// What it and its neighbours do for each other's backward passes.
    pub backward: BackwardFusion,
}

impl Fused {
    /// Nothing besides its own work.
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

    /// The convolution of this geometry with all that it does besides.
    pub(super) fn conv(self, geometry: Geometry, precision: Precision) -> Conv {
        let Self { upsample, activation, stored, backward } = self;
        Conv { geometry, upsample, activation, precision, stored, backward }
    }
}

/// A value with its derivative along some direction of the network's input (a forward-mode pair).
#[derive(Clone, Debug)]
pub struct Dual {
    /// The value, as in an ordinary pass.
    pub value: Tensor<4>,
    /// How the value changes when the input moves along the direction; of the same shape.
    pub tangent: Tensor<4>,
}

impl Dual {
    /// Applies a linear map, one without a bias, to both.
    pub fn linear(self, map: impl Fn(Tensor<4>) -> Tensor<4>) -> Self {
        Self { value: map(self.value), tangent: map(self.tangent) }
    }
}

/// What a layer saw of a statistic that it keeps, and how slowly the kept one follows.
#[derive(Clone, Debug)]
pub struct Observed {
    pub(super) layer: usize,
    /// Which of the layer's weights.
    pub(super) weight: usize,
    pub(super) seen: Tensor<1>,
    pub(super) momentum: f32,
}

/// One forward pass.
#[derive(Debug)]
pub struct Pass {
    /// Training or use.
    pub mode: Mode,
    /// What the operands of products are rounded to, and what is stored between layers that can read it.
    pub precision: Precision,
    dropout: Option<(Stream, u64)>,
    draws: u64,
    condition: Option<Tensor<4>>,
    pub(super) layer: usize,
    pub(super) observed: Vec<Observed>,
    /// What went into the residual blocks that are open, the innermost last.
    pub(super) open: Vec<Tensor<4>>,
}

impl Pass {
    /// A pass as in use, in f32.
    pub fn infer() -> Self {
        Self {
            mode: Mode::Infer,
            precision: Precision::F32,
            dropout: None,
            draws: 0,
            condition: None,
            layer: 0,
            observed: Vec::new(),
            open: Vec::new(),
        }
    }

    /// A training pass; dropout draws from `stream` at `index`, which should differ from pass to pass. In f32.
    pub fn train(stream: Stream, index: u64) -> Self {
        Self { mode: Mode::Train, dropout: Some((stream, index)), ..Self::infer() }
    }

    /// The same pass, with operands rounded to `precision`.
    pub fn rounded(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// The same pass, with `labels` for the layers that want them: `[batch, 1, 1, labels]`, 1 for each that holds.
    pub fn given(mut self, labels: Option<Tensor<4>>) -> Self {
        self.condition = labels;
        self
    }

    /// The labels that were given.
    pub(super) fn labels(&self) -> Option<&Tensor<4>> {
        self.condition.as_ref()
    }

    /// The labels of a batch; all 0, "none of them", where none were given.
    pub fn condition(&self, batch: usize, labels: usize, like: &Tensor<4>) -> Tensor<4> {
        match &self.condition {
            Some(given) => given.clone(),
            None => Tensor::zeros([batch, 1, 1, labels], &like.device().inner()),
        }
    }

    /// Replaces the layers' own momentum for the statistics seen on this pass.
    pub fn set_momentum(&mut self, momentum: f32) {
        self.observed.iter_mut().for_each(|o| o.momentum = momentum);
    }

    /// Notes what the layer at work saw of its weight number `weight`, a statistic that follows with `momentum`.
    pub fn observe(&mut self, weight: usize, seen: Tensor<1>, momentum: f32) {
        self.observed.push(Observed { layer: self.layer, weight, seen, momentum });
    }

    /// Which of `count` values the next dropout layer of this pass keeps, 1 or 0, where it drops the share `rate`.
    pub(crate) fn kept(&mut self, count: usize, rate: f32) -> Vec<u8> {
        /// More dropout layers than this on one pass would share draws with the next; where D sees its halves apart, it meets
        /// each twice.
        const LAYERS: u64 = 64;
        self.draws += 1;
        match &self.dropout {
            Some((stream, index)) => stream.not_below(index * LAYERS + self.draws, count, rate),
            None => vec![1; count],
        }
    }

    /// What of `planned` holds on this pass: statistics of the batch are subtracted in training only, and an activation's
    /// gradient is left to the next layer where products are rounded, whose kernels multiply with it on the way.
    pub(super) fn backward_fusion(&self, planned: BackwardFusion) -> BackwardFusion {
        let rounded = self.precision == Precision::Bf16;
        BackwardFusion {
            followed_by_batchnorm: planned.followed_by_batchnorm && self.mode == Mode::Train,
            activation_grad_by_next: planned.activation_grad_by_next && rounded,
            input_activation: planned.input_activation.filter(|_| rounded),
        }
    }
}
