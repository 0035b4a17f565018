//! The averaged generator: an exponential average of G's weights over the steps, whose images are steadier than those
//! of any single step (Yazici et al. 2019).
//!
//! Only trainable weights are averaged. Moving statistics describe the activations of the net that made them, so an
//! average of them fits no net; they are measured anew for the averaged weights, on fixed noise, whenever these are used.

use burn::tensor::Tensor;

use super::Latents;
use crate::net::{Network, Pass, Weights};
use crate::ops;
use crate::random::Stream;

/// Batches of noise on which statistics are measured, and their size.
const BATCHES: u64 = 4;
const BATCH: usize = 64;

/// G's averaged weights.
#[derive(Clone, Debug)]
pub struct Ema {
    /// Trainable weights averaged; statistics as last measured.
    pub weights: Weights,
    decay: f32,
}

impl Ema {
    /// Starts at `weights`; with `decay` 0 it follows them exactly.
    pub fn new(weights: Weights, decay: f32) -> Self {
        Self { weights, decay }
    }

    /// Takes in the weights after update `step` (from 1). Early on the average forgets faster, so that the first,
    /// random weights don't linger.
    pub fn update(&mut self, net: &Network, current: &Weights, step: u64) {
        let warm = (1.0 + step as f32) / (10.0 + step as f32);
        let decay = self.decay.min(warm);
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

    /// The averaged weights with statistics measured for them, on batches of `latents`.
    pub(super) fn settled(&self, net: &Network, latents: impl Fn(u64, usize) -> Latents) -> Weights {
        let mut weights = self.weights.clone();
        if self.decay == 0.0 || net.trainable().all(|t| t) {
            return weights;
        }
        for batch in 0..BATCHES {
            let Latents { z, y } = latents(batch, BATCH);
            let mut pass = Pass::train(Stream::new(0, "settle"), u64::MAX / 128 - batch).given(y);
            net.apply(&weights, z, &mut pass);
            // The mean of what was seen so far: 1, 1/2, 1/3, ... of each new batch.
            pass.set_momentum(batch as f32 / (batch + 1) as f32);
            net.absorb(&mut weights, pass);
        }
        weights
    }
}
