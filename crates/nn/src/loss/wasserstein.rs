//! Wasserstein GAN (Arjovsky et al. 2017): the critic's mean score on real images minus that on generated ones
//! estimates, up to its Lipschitz constant, the distance of the two distributions. It is valid only if the norm of the critic's
//! gradient is bounded: by a gradient penalty, clipped weights or spectral normalisation.

use burn::tensor::Tensor;

use super::Scores;
use super::gan_loss::{GanLoss, Scale};

pub(super) struct Wasserstein;

impl GanLoss for Wasserstein {
    /// `mean(D(G(z))) - mean(D(x))`.
    fn discriminator(&self, scores: &Scores, _smoothing: f32) -> Tensor<1> {
        scores.fake.clone().mean().sub(scores.real.clone().mean())
    }

    /// `-mean(D(G(z)))`, which is also G's hinge loss.
    fn generator(&self, fake: Tensor<4>, _real: Option<Tensor<4>>) -> Tensor<1> {
        fake.mean().neg()
    }

    fn scale(&self) -> Scale {
        Scale { middle: None, unit: None, log_odds: false }
    }

    fn chance_loss(&self) -> Option<f32> {
        None
    }

    fn requires_lipschitz(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::testing::{gradient, logits};

    #[test]
    fn values_and_gradients() {
        let scores = Scores { real: logits(&[2.0, 0.5, 0.5]), fake: logits(&[-3.0, 0.25, 2.0]) };
        assert!((Wasserstein.discriminator(&scores, 0.0).into_scalar::<f32>() + 1.25).abs() < 1e-6);
        assert_eq!(gradient(&[5.0, -7.0], |fake| Wasserstein.generator(fake, None)), [-0.5, -0.5]);
    }
}
