//! Hinge loss (Lim & Ye 2017; Miyato et al. 2018): D pushes real scores above 1 and generated ones below -1;
//! beyond these margins its loss is 0. G's loss is unbounded.

use burn::tensor::{Tensor, activation};

use super::Scores;
use super::gan_loss::{GanLoss, Scale};
use super::wasserstein::Wasserstein;

pub(super) struct Hinge;

impl GanLoss for Hinge {
    /// `mean(max(0, 1 - D(x))) + mean(max(0, 1 + D(G(z))))`.
    fn discriminator(&self, scores: &Scores, _smoothing: f32) -> Tensor<1> {
        let real = activation::relu(scores.real.clone().neg().add_scalar(1.0)).mean();
        real.add(activation::relu(scores.fake.clone().add_scalar(1.0)).mean())
    }

    /// `-mean(D(G(z)))`.
    fn generator(&self, fake: Tensor<4>, real: Option<Tensor<4>>) -> Tensor<1> {
        Wasserstein.generator(fake, real)
    }

    fn scale(&self) -> Scale {
        Scale { middle: Some(0.0), unit: Some(0.5), log_odds: false }
    }

    fn chance_loss(&self) -> Option<f32> {
        Some(2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::testing::{gradient, logits};

    #[test]
    fn beyond_the_margin_nothing_is_gained() {
        let scores = Scores { real: logits(&[2.0, 0.5]), fake: logits(&[-3.0, 0.25]) };
        let value = Hinge.discriminator(&scores, 0.0).into_scalar::<f32>();
        assert!((value - (0.25 + 0.625)).abs() < 1e-6, "{value}");
        let slopes = gradient(&[2.0, 0.5], |real| Hinge.discriminator(&Scores { real, fake: logits(&[-3.0]) }, 0.0));
        assert!(slopes[0] == 0.0 && (slopes[1] + 0.5).abs() < 1e-6, "{slopes:?}");
    }
}
