//! Relativistic pairing, RpGAN (Jolicoeur-Martineau 2018; the loss of R3GAN, Huang et al. 2024): D decides which image of a
//! pair is real. This loss landscape has no local minimum at which all generated images stay at one mode.

use burn::tensor::Tensor;

use super::gan_loss::{GanLoss, Scale};
use super::{Scores, softplus};

pub(super) struct Relativistic;

impl GanLoss for Relativistic {
    /// `mean of -log sigmoid(D(x) - D(G(z)))` over pairs, one real and one generated image each.
    fn discriminator(&self, scores: &Scores, _smoothing: f32) -> Tensor<1> {
        softplus(scores.fake.clone().sub(scores.real.clone())).mean()
    }

    /// `mean of -log sigmoid(D(G(z)) - D(x))`; missing real scores count as 0.
    fn generator(&self, fake: Tensor<4>, real: Option<Tensor<4>>) -> Tensor<1> {
        let lead = match real {
            Some(real) => real.sub(fake),
            None => fake.neg(),
        };
        softplus(lead).mean()
    }

    fn scale(&self) -> Scale {
        Scale { middle: None, unit: Some(1.0), log_odds: true }
    }

    fn chance_loss(&self) -> Option<f32> {
        Some(std::f32::consts::LN_2)
    }

    fn is_relativistic(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::testing::{gradient, logits};

    #[test]
    fn only_differences_count() {
        let d = |real: &[f32], fake: &[f32]| {
            Relativistic.discriminator(&Scores { real: logits(real), fake: logits(fake) }, 0.0).into_scalar::<f32>()
        };
        let value = d(&[2.0, 0.5], &[1.0, 1.5]);
        let expected = ((1.0 + (-1.0f32).exp()).ln() + (1.0 + 1.0f32.exp()).ln()) / 2.0;
        assert!((value - expected).abs() < 1e-6, "{value} {expected}");
        assert!((d(&[12.0, 10.5], &[11.0, 11.5]) - value).abs() < 1e-5);
        assert!((d(&[1.0, 0.5], &[2.0, 1.5]) - value).abs() > 0.1);
        let slopes = gradient(&[1.0, 1.5], |fake| Relativistic.generator(fake, Some(logits(&[2.0, 0.5]))));
        assert!(slopes.iter().all(|s| *s < 0.0) && slopes[0] < slopes[1], "{slopes:?}");
    }
}
