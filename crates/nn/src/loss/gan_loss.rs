//! What a loss says of itself: what both nets minimise, and what its scores mean to the doctor and the studio.

use burn::tensor::Tensor;

use super::Scores;

/// A loss. Scores are logits, `[batch, 1, 1, 1]`. A program adds its own with [`super::register`].
pub trait GanLoss: Send + Sync {
    /// What the discriminator minimises; a scalar. `smoothing` is for losses that [have labels](Self::has_labels).
    fn discriminator(&self, scores: &Scores, smoothing: f32) -> Tensor<1>;

    /// What the generator minimises, from the scores of its images; a scalar. `real` are those of as many real images, for
    /// losses that [compare](Self::is_relativistic).
    fn generator(&self, fake: Tensor<4>, real: Option<Tensor<4>>) -> Tensor<1>;

    /// What its scores mean.
    fn scale(&self) -> Scale;

    /// The lowest loss of a D that can't tell real from generated at all; none where scores have no scale.
    fn chance_loss(&self) -> Option<f32>;

    /// What D's loss can't fall below, because a share of the labels is softened or wrong on purpose.
    fn min_loss(&self, _smoothing: f64, _flips: f64) -> f32 {
        0.0
    }

    /// Whether the generator's loss compares scores on real and generated images.
    fn is_relativistic(&self) -> bool {
        false
    }

    /// Whether its discriminator learns from labels that can be smoothed.
    fn has_labels(&self) -> bool {
        false
    }

    /// Whether it means nothing unless the critic is Lipschitz: unless the norm of its gradient is bounded.
    fn requires_lipschitz(&self) -> bool {
        false
    }
}

/// What scores mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The score of what is as likely real as not; none where only comparisons count.
    pub middle: Option<f32>,
    /// How far from it one is rather sure; none where scores have no scale.
    pub unit: Option<f32>,
    /// Whether a score, or a difference of two, is the logarithm of an odds.
    pub log_odds: bool,
}

/// Scores that are the logarithm of an odds each.
pub const LOG_ODDS: Scale = Scale { middle: Some(0.0), unit: Some(1.0), log_odds: true };
