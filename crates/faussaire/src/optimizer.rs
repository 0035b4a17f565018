//! Adam over a network's trainable weights: the moments, and the count of updates.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::net::Weights;
use crate::ops::{self, Adam};

/// Adam's settings in a recipe; the defaults are Keras's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamSettings {
    /// Learning rate.
    pub rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
}

impl Default for AdamSettings {
    fn default() -> Self {
        Self { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }
    }
}

impl AdamSettings {
    /// What is out of range, if anything; what counts is the value as an `f32`, with which the update computes.
    pub fn problem(&self) -> Option<String> {
        let bad = |name: &str, value: f64, range: &str| Some(format!("adam.{name} is {value}, expected {range}"));
        match self {
            s if !(s.rate as f32 > 0.0 && s.rate <= 10.0) => bad("rate", s.rate, "a number above 0, at most 10"),
            s if !(0.0..1.0).contains(&(s.beta1 as f32)) => bad("beta1", s.beta1, "a number from 0, below 1"),
            s if !(0.0..1.0).contains(&(s.beta2 as f32)) => bad("beta2", s.beta2, "a number from 0, below 1"),
            s if !(s.epsilon as f32 > 0.0 && s.epsilon <= 1.0) => {
                bad("epsilon", s.epsilon, "a number above 0, at most 1")
            }
            _ => None,
        }
    }
}

/// The state of one network's optimizer.
#[derive(Clone, Debug)]
pub struct Optimizer {
    settings: AdamSettings,
    /// Updates made so far.
    pub updates: u64,
    /// First and second moment of every trainable weight, in order.
    pub moments: Vec<[Tensor<1>; 2]>,
}

impl Optimizer {
    /// A fresh optimizer for those of `weights` that are `trainable`.
    pub fn new(settings: AdamSettings, weights: &Weights, trainable: impl Iterator<Item = bool>) -> Self {
        let zeros = |t: &Tensor<1>| [t.zeros_like(), t.zeros_like()];
        let moments = weights.tensors().iter().zip(trainable).filter(|(_, t)| *t).map(|(w, _)| zeros(w)).collect();
        Self { settings, updates: 0, moments }
    }

    /// Changes the trainable `weights` by one step along `gradients` (in order; `None` leaves a weight as it is).
    pub fn step(
        &mut self,
        weights: &mut Weights,
        trainable: impl Iterator<Item = bool>,
        gradients: Vec<Option<Tensor<1>>>,
    ) {
        let AdamSettings { rate, beta1, beta2, epsilon } = self.settings;
        let [rate, beta1, beta2, epsilon] = [rate, beta1, beta2, epsilon].map(|v| v as f32);
        let adam = Adam { rate, beta1, beta2, epsilon };
        self.updates += 1;
        let slots = weights.tensors_mut().iter_mut().zip(trainable).filter(|(_, t)| *t).map(|(w, _)| w);
        for ((weight, moments), gradient) in slots.zip(&mut self.moments).zip(gradients) {
            let Some(gradient) = gradient else { continue };
            // Taken out of their places so that nobody else holds them and the update happens in place.
            let empty = || Tensor::empty([0], &gradient.device());
            let state = [
                std::mem::replace(weight, empty()),
                std::mem::replace(&mut moments[0], empty()),
                std::mem::replace(&mut moments[1], empty()),
            ];
            [*weight, moments[0], moments[1]] = ops::adam(state, gradient, self.updates, &adam);
        }
    }
}
