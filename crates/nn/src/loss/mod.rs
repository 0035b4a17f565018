//! Losses: pure functions of the discriminator's logits, one file each. They take logits before a final sigmoid, and compute
//! log(sigmoid(x)) as the stable -softplus(-x).
//!
//! A loss is a file with an `impl GanLoss` and a line in the list below. A program's own is registered by name ([`register`]).

mod cross_entropy;
mod gan_loss;
mod hinge;
mod labels;
mod least_squares;
mod nonsaturating;
mod relativistic;
mod saturating;
mod wasserstein;

pub use cross_entropy::binary_cross_entropy;
pub use gan_loss::{GanLoss, LOG_ODDS, Scale};
pub use labels::label_cross_entropy;

use std::sync::Arc;

use burn::tensor::{Tensor, activation};

use crate::registry::named;
use faussaire_data::error::Result;

/// The discriminator's logits, `[batch, 1, 1, 1]` each.
#[derive(Clone, Debug)]
pub struct Scores {
    /// Of real images.
    pub real: Tensor<4>,
    /// Of generated images.
    pub fake: Tensor<4>,
}

impl Scores {
    /// Splits the logits of a mixed batch whose first `real` rows are real images.
    pub fn split(logits: Tensor<4>, real: usize) -> Self {
        let (batch, logits) = (logits.dims()[0], Self::of(logits));
        Self { real: logits.clone().narrow(0, 0, real), fake: logits.narrow(0, real, batch - real) }
    }

    /// The scores in a discriminator's output: the first channel.
    pub fn of(outputs: Tensor<4>) -> Tensor<4> {
        let [batch, h, w, c] = outputs.dims();
        if c == 1 { outputs } else { outputs.slice([0..batch, 0..h, 0..w, 0..1]) }
    }

    /// The scores with some labels flipped: real and generated scores are exchanged where `flipped` `[batch, 1, 1, 1]` is 1.
    pub fn flipped(self, flipped: Tensor<4>) -> Self {
        let difference = self.fake.clone().sub(self.real.clone()).mul(flipped);
        Self { real: self.real.add(difference.clone()), fake: self.fake.sub(difference) }
    }
}

named! {
    /// The loss of both nets.
    #[derive(Default)]
    Loss, each a GanLoss, called "loss", others in OWN:
    /// Binary cross-entropy for both, the generator's with flipped labels (Goodfellow et al. 2014, section 3).
    #[default]
    Nonsaturating = "nonsaturating" or "binary_crossentropy" or "binary-crossentropy" or "binarycrossentropy" or "bce"
        or "bceloss" or "bcewithlogitsloss" or "cross-entropy" in nonsaturating,
    /// The minimax loss (Goodfellow et al. 2014, equation 1).
    Saturating = "saturating" or "minimax" in saturating,
    /// Squares instead of cross-entropies (Mao et al. 2017).
    LeastSquares = "least-squares" or "least_squares" or "lsgan" or "mse" or "mean_squared_error" or "mseloss" in least_squares,
    /// Margins (Lim & Ye 2017; Miyato et al. 2018).
    Hinge = "hinge" or "hinge_loss" in hinge,
    /// Mean scores (Arjovsky et al. 2017); requires a Lipschitz critic.
    Wasserstein = "wasserstein" or "wgan" or "wasserstein_loss" in wasserstein,
    /// Relativistic pairing (Jolicoeur-Martineau 2018; Huang et al. 2024).
    Relativistic = "relativistic" in relativistic,
}

/// Registers `loss` for recipes as `loss = "own:NAME"`; registering a name again replaces it for recipes parsed later. See [`crate::registry`].
///
/// # Errors
/// The name has other characters than lower-case letters, digits, `-` and `_`.
pub fn register(name: &str, loss: Arc<dyn GanLoss>) -> Result<()> {
    OWN.register(name, loss)
}

impl Loss {
    /// The discriminator's loss; a scalar. With `smoothing` s the label of real images is 1 - s instead of 1
    /// (Salimans et al. 2016), for losses with labels.
    pub fn discriminator(self, scores: &Scores, smoothing: f32) -> Tensor<1> {
        self.imp().discriminator(scores, smoothing)
    }

    /// The generator's loss from the logits of its images; a scalar. A relativistic loss also takes the logits of as many
    /// `real` images; without them it compares with 0.
    pub fn generator(self, fake: Tensor<4>, real: Option<Tensor<4>>) -> Tensor<1> {
        self.imp().generator(fake, real)
    }

    /// The scale of its scores.
    pub fn scale(self) -> Scale {
        self.imp().scale()
    }

    /// D's lowest loss when guessing; `None` if scores have no scale.
    pub fn chance_loss(self) -> Option<f32> {
        self.imp().chance_loss()
    }

    /// The minimum of D's loss with `smoothing` and a share of `flips`.
    pub fn min_loss(self, smoothing: f64, flips: f64) -> f32 {
        self.imp().min_loss(smoothing, flips)
    }

    /// Whether the generator's loss compares scores of real and generated images.
    pub fn is_relativistic(self) -> bool {
        self.imp().is_relativistic()
    }

    /// Whether the discriminator's loss has labels that can be smoothed.
    pub fn has_labels(self) -> bool {
        self.imp().has_labels()
    }

    /// Whether the loss is valid only for a Lipschitz critic, whose gradient norm is bounded.
    pub fn requires_lipschitz(self) -> bool {
        self.imp().requires_lipschitz()
    }
}

/// log(1 + exp(x)), without overflow.
pub(crate) fn softplus(x: Tensor<4>) -> Tensor<4> {
    activation::log_sigmoid(x.neg()).neg()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing {
    use super::*;
    use burn::tensor::{Device, TensorData};

    /// These logits, one per image.
    pub fn logits(values: &[f32]) -> Tensor<4> {
        Tensor::from_data(TensorData::new(values.to_vec(), [values.len(), 1, 1, 1]), &Device::flex())
    }

    /// The gradient of `loss` at `values`.
    pub fn gradient(values: &[f32], loss: impl Fn(Tensor<4>) -> Tensor<1>) -> Vec<f32> {
        let leaf = logits(values).autodiff().require_grad();
        let gradients = loss(leaf.clone()).backward();
        leaf.grad(&gradients).unwrap().into_data().iter::<f32>().collect()
    }

    #[test]
    fn guessing_costs_what_each_loss_says() {
        // A score in the middle for every image, or the same one where only comparisons count.
        for loss in Loss::ALL {
            let middle = loss.scale().middle.unwrap_or(3.0);
            let scores = Scores { real: logits(&[middle; 2]), fake: logits(&[middle; 2]) };
            let value = loss.discriminator(&scores, 0.0).into_scalar::<f32>();
            assert!((value - loss.chance_loss().unwrap_or(0.0)).abs() < 1e-6, "{loss:?}: {value}");
            assert_eq!(loss.scale().unit.is_none(), loss.chance_loss().is_none(), "{loss:?}");
        }
    }

    #[test]
    fn recipes_call_each_by_its_name() {
        for (loss, name) in Loss::ALL.iter().zip(Loss::NAMES) {
            assert_eq!(serde_json::to_string(loss).unwrap(), format!("\"{name}\""));
            let text = include_str!("../../../../docs/recipes.md");
            assert!(text.contains(&format!("`{name}`")), "docs/recipes.md doesn't name {name}");
        }
    }

    #[test]
    fn flipping_swaps_pairs() {
        let scores = Scores { real: logits(&[1.0, 2.0]), fake: logits(&[3.0, 5.0]) }.flipped(logits(&[0.0, 1.0]));
        assert_eq!(crate::ops::host(&scores.real), [1.0, 5.0]);
        assert_eq!(crate::ops::host(&scores.fake), [3.0, 2.0]);
    }
}
