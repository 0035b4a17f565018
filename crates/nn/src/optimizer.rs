//! Adam (Kingma & Ba 2015) over a network's trainable weights, with a learning rate schedule and gradient clipping.

use burn::tensor::Tensor;
use faussaire_data::error::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::net::Weights;
use crate::ops::{self, Adam};

/// Decay of the learning rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Decay {
    /// Constant.
    #[default]
    None,
    /// Linear to 0.
    Linear,
    /// Cosine to 0 (Loshchilov & Hutter 2017).
    Cosine,
}

/// Adam's settings in a recipe; the defaults are Keras's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct AdamSettings {
    /// Learning rate.
    #[serde(alias = "rate")]
    pub learning_rate: f64,
    /// Decay of the first moment.
    #[serde(alias = "beta_1")]
    pub beta1: f64,
    /// Decay of the second moment.
    #[serde(alias = "beta_2")]
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Maximum norm of the whole net's gradient (gradient clipping); 0 for none.
    pub clip: f64,
    /// Updates of linear warmup from 0.
    pub warmup: u64,
    /// Decay after the warmup.
    pub decay: Decay,
    /// Updates until a decaying rate reaches 0.
    pub decay_updates: u64,
}

impl Default for AdamSettings {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-7,
            clip: 0.0,
            warmup: 0,
            decay: Decay::None,
            decay_updates: 0,
        }
    }
}

impl AdamSettings {
    /// The first setting out of range, if any, checked as the `f32` used by the update.
    pub(crate) fn problem(&self) -> Option<String> {
        let bad = |name: &str, value: f64, range: &str| Some(format!("adam.{name} is {value}, expected {range}"));
        match self {
            s if !(s.learning_rate as f32 > 0.0 && s.learning_rate <= 10.0) => {
                bad("learning_rate", s.learning_rate, "a number above 0, at most 10")
            }
            s if !(0.0..1.0).contains(&(s.beta1 as f32)) => bad("beta1", s.beta1, "a number from 0, below 1"),
            s if !(0.0..1.0).contains(&(s.beta2 as f32)) => bad("beta2", s.beta2, "a number from 0, below 1"),
            s if !(s.epsilon as f32 > 0.0 && s.epsilon <= 1.0) => {
                bad("epsilon", s.epsilon, "a number above 0, at most 1")
            }
            s if !(0.0..1e9).contains(&s.clip) => bad("clip", s.clip, "a length above 0, or 0 for none"),
            s if (s.decay != Decay::None) != (s.decay_updates > 0) => {
                Some("adam.decay and adam.decay_updates go together".into())
            }
            s if s.decay != Decay::None && s.decay_updates <= s.warmup => {
                Some(format!("adam.decay_updates is {}, expected more than warmup, {}", s.decay_updates, s.warmup))
            }
            _ => None,
        }
    }

    /// The same settings, if all are within their ranges; a recipe's are checked with the recipe.
    ///
    /// # Errors
    /// A setting that is out of range.
    pub fn checked(self) -> Result<Self> {
        match self.problem() {
            None => Ok(self),
            Some(problem) => Err(Error::usage(problem, "Adam's usual settings are the defaults")),
        }
    }

    /// Adam with this learning rate, the rest as in Keras.
    pub fn new(learning_rate: f64) -> Self {
        Self { learning_rate, ..Self::default() }
    }

    /// With these decays of the first and second moment.
    #[must_use]
    pub fn betas(self, beta1: f64, beta2: f64) -> Self {
        Self { beta1, beta2, ..self }
    }

    /// With `epsilon` added to the root of the second moment.
    #[must_use]
    pub fn epsilon(self, epsilon: f64) -> Self {
        Self { epsilon, ..self }
    }

    /// With the norm of the net's whole gradient clipped to `norm`; 0: no clipping.
    #[must_use]
    pub fn clip(self, norm: f64) -> Self {
        Self { clip: norm, ..self }
    }

    /// With a learning rate that rises linearly from 0 over the first `updates`.
    #[must_use]
    pub fn warmup(self, updates: u64) -> Self {
        Self { warmup: updates, ..self }
    }

    /// With a learning rate that decays to 0 after `updates` updates.
    #[must_use]
    pub fn decay(self, decay: Decay, updates: u64) -> Self {
        Self { decay, decay_updates: updates, ..self }
    }

    /// The learning rate of update `update`, counted from 1.
    pub(crate) fn rate_at(&self, update: u64) -> f64 {
        if update <= self.warmup {
            return self.learning_rate * update as f64 / self.warmup as f64;
        }
        let span = self.decay_updates.saturating_sub(self.warmup).max(1) as f64;
        let done = ((update - 1 - self.warmup) as f64 / span).min(1.0);
        match self.decay {
            Decay::None => self.learning_rate,
            Decay::Linear => self.learning_rate * (1.0 - done),
            Decay::Cosine => self.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
        }
    }
}

/// The state of one network's optimizer.
#[derive(Clone, Debug)]
pub struct Optimizer {
    settings: AdamSettings,
    /// Number of updates so far.
    pub updates: u64,
    /// First and second moment of every trainable weight, in order.
    pub moments: Vec<[Tensor<1>; 2]>,
}

impl Optimizer {
    /// A new optimizer for the `trainable` ones of `weights`.
    pub fn new(settings: AdamSettings, weights: &Weights, trainable: impl Iterator<Item = bool>) -> Self {
        let zeros = |t: &Tensor<1>| [t.zeros_like(), t.zeros_like()];
        let moments = weights.tensors().iter().zip(trainable).filter(|(_, t)| *t).map(|(w, _)| zeros(w)).collect();
        Self { settings, updates: 0, moments }
    }

    /// Its settings.
    pub fn settings(&self) -> AdamSettings {
        self.settings
    }

    /// Updates the trainable `weights` with `gradients` (in order; `None` keeps a weight). Returns the norm of the whole
    /// gradient before clipping.
    pub fn step(
        &mut self,
        weights: &mut Weights,
        trainable: impl Iterator<Item = bool>,
        gradients: Vec<Option<Tensor<1>>>,
    ) -> f64 {
        self.updates += 1;
        let AdamSettings { beta1, beta2, epsilon, clip, .. } = self.settings;
        let [rate, beta1, beta2, epsilon] =
            [self.settings.rate_at(self.updates), beta1, beta2, epsilon].map(|v| v as f32);
        let adam = Adam { rate, beta1, beta2, epsilon };
        let length = gradients.iter().flatten().map(ops::square_sum).sum::<f64>().sqrt();
        let shorten = (clip > 0.0 && length > clip).then(|| (clip / length) as f32);
        let slots = weights.tensors_mut().iter_mut().zip(trainable).filter(|(_, t)| *t).map(|(w, _)| w);
        for ((weight, moments), gradient) in slots.zip(&mut self.moments).zip(gradients) {
            let Some(gradient) = gradient else { continue };
            let gradient = match shorten {
                Some(factor) => gradient.mul_scalar(factor),
                None => gradient,
            };
            // Moved out of the list, so that they are not shared and the update happens in place.
            let empty = || Tensor::empty([0], &gradient.device());
            let state = [
                std::mem::replace(weight, empty()),
                std::mem::replace(&mut moments[0], empty()),
                std::mem::replace(&mut moments[1], empty()),
            ];
            [*weight, moments[0], moments[1]] = ops::adam(state, gradient, self.updates, &adam);
        }
        length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_warm_up_and_decay() {
        let linear = AdamSettings {
            learning_rate: 1.0,
            warmup: 10,
            decay: Decay::Linear,
            decay_updates: 110,
            ..AdamSettings::default()
        };
        let at = |s: &AdamSettings, update| (s.rate_at(update) * 1000.0).round() / 1000.0;
        assert_eq!([1, 5, 10, 11, 61, 111, 500].map(|u| at(&linear, u)), [0.1, 0.5, 1.0, 1.0, 0.5, 0.0, 0.0]);
        let cosine = AdamSettings { decay: Decay::Cosine, ..linear };
        assert_eq!([11, 61, 111].map(|u| at(&cosine, u)), [1.0, 0.5, 0.0]);
        assert!(at(&cosine, 36) > at(&linear, 36));
        let constant = AdamSettings::default();
        assert_eq!(constant.rate_at(1), constant.rate_at(1_000_000));
    }
}
