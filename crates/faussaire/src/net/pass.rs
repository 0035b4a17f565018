//! What a forward pass carries along besides the images: its mode, the dropout's randomness, and the statistics that
//! batch normalisation sees on the way.

use burn::tensor::Tensor;

use crate::ops::Activation;
use crate::random::Stream;

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
}

/// A batch's mean and variance, and how slowly the moving statistics follow them.
#[derive(Clone, Debug)]
pub struct Observed {
    pub(super) layer: usize,
    pub(super) statistics: [Tensor<1>; 2],
    pub(super) momentum: f32,
}

/// One forward pass.
#[derive(Debug)]
pub struct Pass {
    /// Training or use.
    pub mode: Mode,
    dropout: Option<(Stream, u64)>,
    draws: u64,
    pub(super) layer: usize,
    pub(super) observed: Vec<Observed>,
}

impl Pass {
    /// A pass as in use.
    pub fn infer() -> Self {
        Self { mode: Mode::Infer, dropout: None, draws: 0, layer: 0, observed: Vec::new() }
    }

    /// A training pass; dropout draws from `stream` at `index`, which should differ from pass to pass.
    pub fn train(stream: Stream, index: u64) -> Self {
        Self { mode: Mode::Train, dropout: Some((stream, index)), draws: 0, layer: 0, observed: Vec::new() }
    }

    /// Replaces the layers' own momentum for the statistics seen on this pass.
    pub fn set_momentum(&mut self, momentum: f32) {
        self.observed.iter_mut().for_each(|o| o.momentum = momentum);
    }

    pub(super) fn observe(&mut self, statistics: [Tensor<1>; 2], momentum: f32) {
        self.observed.push(Observed { layer: self.layer, statistics, momentum });
    }

    /// Fresh draws from [0, 1) for the next dropout layer of this pass.
    pub(super) fn uniform(&mut self, count: usize) -> Vec<f32> {
        /// More dropout layers than this in one net would share draws with the next pass.
        const LAYERS: u64 = 64;
        self.draws += 1;
        match &self.dropout {
            Some((stream, index)) => stream.uniform(index * LAYERS + self.draws, count, 0.0, 1.0),
            None => vec![1.0; count],
        }
    }
}
