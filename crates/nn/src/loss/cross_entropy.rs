//! Binary cross-entropy of logits against labels, Keras's `binary_crossentropy(from_logits=True)`.

use burn::tensor::Tensor;

use super::softplus;

/// Mean of `softplus(logit) - label * logit`; labels in [0, 1], shaped like the logits.
pub fn binary_cross_entropy(logits: Tensor<4>, labels: Tensor<4>) -> Tensor<1> {
    softplus(logits.clone()).sub(logits.mul(labels)).mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{Loss, Scores};
    use burn::tensor::{Device, TensorData};

    #[test]
    fn labels_one_and_zero_give_the_discriminators_loss() {
        let device = Device::flex();
        let values = vec![0.3f32, -1.2, 2.0, 0.7];
        let logits = Tensor::<4>::from_data(TensorData::new(values, [4, 1, 1, 1]), &device);
        let labels = Tensor::<4>::from_data(TensorData::new(vec![1.0f32, 1.0, 0.0, 0.0], [4, 1, 1, 1]), &device);
        let mixed = binary_cross_entropy(logits.clone(), labels).into_scalar::<f32>();
        let split = Loss::Nonsaturating.discriminator(&Scores::split(logits, 2), 0.0).into_scalar::<f32>();
        assert!((mixed - split).abs() < 1e-6);
        assert!((mixed - 1.3119).abs() < 1e-3, "{mixed}");
    }
}
