//! Least squares GAN (Mao et al. 2017, equation 9): scores of real images are pulled to 1, of generated ones to 0, and
//! G pulls its own to 1. The score itself is used, without a sigmoid.

use burn::tensor::Tensor;

use super::Scores;
use super::gan_loss::{GanLoss, Scale};

pub(super) struct LeastSquares;

impl GanLoss for LeastSquares {
    /// `1/2 mean((D(x) - target)^2) + 1/2 mean(D(G(z))^2)`; the target is 1, with `smoothing` s it is 1 - s.
    fn discriminator(&self, scores: &Scores, smoothing: f32) -> Tensor<1> {
        let real = square(scores.real.clone().sub_scalar(1.0 - smoothing)).mean();
        real.add(square(scores.fake.clone()).mean()).mul_scalar(0.5)
    }

    /// `1/2 mean((D(G(z)) - 1)^2)`.
    fn generator(&self, fake: Tensor<4>, _real: Option<Tensor<4>>) -> Tensor<1> {
        square(fake.sub_scalar(1.0)).mean().mul_scalar(0.5)
    }

    fn scale(&self) -> Scale {
        Scale { middle: Some(0.5), unit: Some(0.25), log_odds: false }
    }

    fn chance_loss(&self) -> Option<f32> {
        Some(0.25)
    }

    fn has_labels(&self) -> bool {
        true
    }
}

fn square(x: Tensor<4>) -> Tensor<4> {
    x.clone().mul(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::testing::{gradient, logits};

    #[test]
    fn values_and_gradients() {
        let scores = Scores { real: logits(&[2.0, 0.5]), fake: logits(&[-1.0, 0.25]) };
        let value = |smoothing: f32| LeastSquares.discriminator(&scores, smoothing).into_scalar::<f32>();
        // ((1 + 0.25) / 2 + (1 + 0.0625) / 2) / 2
        assert!((value(0.0) - 0.578_125).abs() < 1e-6, "{}", value(0.0));
        assert!((value(0.1) - (1.21 + 0.16 + 1.0625) / 4.0).abs() < 1e-6);
        let slopes = gradient(&[-1.0, 3.0], |fake| LeastSquares.generator(fake, None));
        assert!((slopes[0] + 1.0).abs() < 1e-6 && (slopes[1] - 1.0).abs() < 1e-6, "{slopes:?}");
    }
}
