//! The trait of GAN losses: what both nets minimise, and the properties that the doctor and the studio use.

use burn::tensor::Tensor;

use super::Scores;

/// A loss. Scores are logits, `[batch, 1, 1, 1]`. A program adds its own with [`super::register`].
pub trait GanLoss: Send + Sync {
    /// The discriminator's loss; a scalar. `smoothing` applies to losses that [have labels](Self::has_labels).
    fn discriminator(&self, scores: &Scores, smoothing: f32) -> Tensor<1>;

    /// The generator's loss from the scores of its images; a scalar. `real` are the scores of as many real images, for
    /// [relativistic](Self::is_relativistic) losses.
    fn generator(&self, fake: Tensor<4>, real: Option<Tensor<4>>) -> Tensor<1>;

    /// The scale of its scores.
    fn scale(&self) -> Scale;

    /// D's lowest loss when guessing; `None` if scores have no scale.
    fn chance_loss(&self) -> Option<f32>;

    /// The minimum of D's loss, given smoothed or flipped labels.
    fn min_loss(&self, _smoothing: f64, _flips: f64) -> f32 {
        0.0
    }

    /// Whether the generator's loss compares scores of real and generated images.
    fn is_relativistic(&self) -> bool {
        false
    }

    /// Whether the discriminator's loss has labels that can be smoothed.
    fn has_labels(&self) -> bool {
        false
    }

    /// Whether the loss is valid only for a Lipschitz critic, whose gradient norm is bounded.
    fn requires_lipschitz(&self) -> bool {
        false
    }
}

/// The scale of scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The score at which real and generated are equally likely; `None` for relativistic scores.
    pub middle: Option<f32>,
    /// The distance from it that counts as fairly sure; `None` if scores have no scale.
    pub unit: Option<f32>,
    /// Whether a score, or a difference of two, is a log odds.
    pub log_odds: bool,
}

/// Scores that are log odds.
pub const LOG_ODDS: Scale = Scale { middle: Some(0.0), unit: Some(1.0), log_odds: true };
