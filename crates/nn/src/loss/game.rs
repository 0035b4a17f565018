//! What a loss says of itself: both sides of its game, and what its scores mean to those who look at them.

use burn::tensor::Tensor;

use super::Scores;

/// A loss. Scores are logits, `[batch, 1, 1, 1]`.
pub(crate) trait Game {
    /// What the discriminator minimises; a scalar. `smoothing` is for losses that [have labels](Self::has_labels).
    fn discriminator(&self, scores: &Scores, smoothing: f32) -> Tensor<1>;

    /// What the generator minimises, from the scores of its images; a scalar. `real` are those of as many real images, for
    /// losses that [compare](Self::compares).
    fn generator(&self, fake: Tensor<4>, real: Option<Tensor<4>>) -> Tensor<1>;

    /// What its scores mean.
    fn scale(&self) -> Scale;

    /// What D's loss comes to where it can't tell real from generated at all, at best; none where scores have no scale.
    fn of_guessing(&self) -> Option<f32>;

    /// What D's loss can't fall below, because a share of the labels is softened or wrong on purpose.
    fn floor(&self, _smoothing: f64, _flips: f64) -> f32 {
        0.0
    }

    /// Whether its generator's side compares scores on real and generated images.
    fn compares(&self) -> bool {
        false
    }

    /// Whether its discriminator learns from labels that can be smoothed.
    fn has_labels(&self) -> bool {
        false
    }

    /// Whether it means nothing unless the critic's slope is bounded.
    fn wants_bounded_slope(&self) -> bool {
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
pub(super) const LOG_ODDS: Scale = Scale { middle: Some(0.0), unit: Some(1.0), log_odds: true };
