//! The exponential moving average (EMA) of G's weights over the steps, whose images are more stable than those of any
//! single step (Yazici et al. 2019).
//!
//! Only trainable weights are averaged. Moving statistics of batch normalisation describe one net's activations, so
//! their average fits no net; they are recomputed for the averaged weights, on fixed noise, whenever these are used.

use burn::tensor::Tensor;

use super::Latents;
use crate::net::{Network, Pass, Weights};
use crate::ops;
use crate::random::Stream;

/// Number and size of the batches of noise on which statistics are computed.
const BATCHES: u64 = 4;
const BATCH: usize = 64;

/// The moving average of G's weights.
#[derive(Clone, Debug)]
pub struct Ema {
    /// Averaged trainable weights; statistics are those of the last update.
    pub weights: Weights,
    decay: f32,
}

impl Ema {
    /// An average that starts at `weights`; with `decay` 0 it equals the current weights.
    pub fn new(weights: Weights, decay: f32) -> Self {
        Self { weights, decay }
    }

    /// Adds the weights after update `step` (from 1). The decay is smaller in the first steps, so that the initial
    /// random weights don't persist.
    pub fn update(&mut self, net: &Network, current: &Weights, step: u64) {
        let warmup = (1.0 + step as f32) / (10.0 + step as f32);
        let decay = self.decay.min(warmup);
        let slots = self.weights.tensors_mut().iter_mut().zip(current.tensors()).zip(net.trainable());
        for ((slot, value), trainable) in slots {
            if self.decay == 0.0 || !trainable {
                *slot = value.clone();
            } else {
                let empty = Tensor::empty([0], &value.device());
                let average = std::mem::replace(slot, empty);
                *slot = ops::average(average, value.clone(), decay);
            }
        }
    }

    /// The averaged weights with statistics computed for them, on batches of `latents`.
    pub(super) fn with_statistics(&self, net: &Network, latents: impl Fn(u64, usize) -> Latents) -> Weights {
        let mut weights = self.weights.clone();
        if self.decay == 0.0 || net.trainable().all(|t| t) {
            return weights;
        }
        for batch in 0..BATCHES {
            let Latents { z, y } = latents(batch, BATCH);
            let mut pass = Pass::train(Stream::new(0, "settle"), u64::MAX / 128 - batch).given(y);
            net.apply(&weights, z, &mut pass);
            // The mean of all batches so far: the weight of each new batch is 1, 1/2, 1/3, ...
            pass.set_momentum(batch as f32 / (batch + 1) as f32);
            net.absorb(&mut weights, pass);
        }
        weights
    }
}
