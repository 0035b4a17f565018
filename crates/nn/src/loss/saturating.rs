//! The minimax loss of Goodfellow et al. (2014), equation 1: G minimises log(1 - D(G(z))), the same value that D maximises. Its gradient vanishes while D is right, which is why the non-saturating form is the usual one.

use burn::tensor::Tensor;

use super::gan_loss::{GanLoss, LOG_ODDS, Scale};
use super::nonsaturating::Nonsaturating;
use super::{Scores, softplus};

pub(super) struct Saturating;

/// D's loss is that of the non-saturating loss.
impl GanLoss for Saturating {
    fn discriminator(&self, scores: &Scores, smoothing: f32) -> Tensor<1> {
        Nonsaturating.discriminator(scores, smoothing)
    }

    /// `mean of log(1 - D(G(z)))`, D(x) = sigmoid(logit).
    fn generator(&self, fake: Tensor<4>, _real: Option<Tensor<4>>) -> Tensor<1> {
        softplus(fake).mean().neg()
    }

    fn scale(&self) -> Scale {
        LOG_ODDS
    }

    fn chance_loss(&self) -> Option<f32> {
        Nonsaturating.chance_loss()
    }

    fn min_loss(&self, smoothing: f64, flips: f64) -> f32 {
        Nonsaturating.min_loss(smoothing, flips)
    }

    fn has_labels(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::testing::{gradient, logits};

    #[test]
    fn the_gradient_vanishes_where_d_is_right() {
        let generator = |fake| Saturating.generator(fake, None);
        let value = generator(logits(&[0.0, 1.0])).into_scalar::<f32>();
        let expected = (0.5f32.ln() + (1.0 - 1.0 / (1.0 + (-1.0f32).exp())).ln()) / 2.0;
        assert!((value - expected).abs() < 1e-6, "{value} {expected}");
        let slopes = gradient(&[-8.0, 8.0], generator);
        assert!(slopes[0].abs() < 1e-3 && (slopes[1] + 0.5).abs() < 1e-3, "{slopes:?}");
    }
}
