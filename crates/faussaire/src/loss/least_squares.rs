//! Least squares GAN (Mao et al. 2017, equation 9): scores of real images are pulled to 1, of generated ones to 0, and
//! G pulls its own to 1. The score itself is used, without a sigmoid.

use burn::tensor::Tensor;

use super::Scores;

/// `1/2 mean((D(x) - target)^2) + 1/2 mean(D(G(z))^2)`; the target is 1, less with smoothing.
pub fn discriminator(scores: &Scores, target: f32) -> Tensor<1> {
    let real = square(scores.real.clone().sub_scalar(target)).mean();
    real.add(square(scores.fake.clone()).mean()).mul_scalar(0.5)
}

/// `1/2 mean((D(G(z)) - 1)^2)`.
pub fn generator(fake: Tensor<4>) -> Tensor<1> {
    square(fake.sub_scalar(1.0)).mean().mul_scalar(0.5)
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
        let value = |target: f32| discriminator(&scores, target).into_scalar::<f32>();
        // ((1 + 0.25) / 2 + (1 + 0.0625) / 2) / 2
        assert!((value(1.0) - 0.578_125).abs() < 1e-6, "{}", value(1.0));
        assert!((value(0.9) - (1.21 + 0.16 + 1.0625) / 4.0).abs() < 1e-6);
        let slopes = gradient(&[-1.0, 3.0], generator);
        assert!((slopes[0] + 1.0).abs() < 1e-6 && (slopes[1] - 1.0).abs() < 1e-6, "{slopes:?}");
    }
}
