//! Cross-entropy of label logits: the auxiliary classifier's term in both losses of an AC-GAN (Odena et al. 2017, equation 3),
//! and the loss of the judge's classifier.

use super::softplus;
use burn::tensor::{Tensor, activation};
use faussaire_data::LabelKind;

/// Mean cross-entropy of `logits` against `labels`, both `[n, 1, 1, labels]`, labels 0 or 1: of the softmax for
/// classes, of the sigmoid for attributes, averaged over the attributes.
pub fn label_cross_entropy(logits: Tensor<4>, labels: Tensor<4>, kind: LabelKind) -> Tensor<1> {
    match kind {
        LabelKind::Classes => activation::log_softmax(logits, 3).mul(labels).sum_dim(3).mean().neg(),
        LabelKind::Attributes => softplus(logits.clone()).sub(logits.mul(labels)).mean(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    fn rows(values: [f32; 6]) -> Tensor<4> {
        Tensor::from_data(TensorData::new(values.to_vec(), [2, 1, 1, 3]), &Device::flex())
    }

    #[test]
    fn classes_and_attributes_by_hand() {
        let logits = [1.0, 2.0, 0.5, -1.0, 0.0, 3.0];
        let classes = label_cross_entropy(rows(logits), rows([0.0, 1.0, 0.0, 1.0, 0.0, 0.0]), LabelKind::Classes);
        let lse = |v: &[f32]| v.iter().map(|x| x.exp()).sum::<f32>().ln();
        let expected = (lse(&logits[..3]) - 2.0 + lse(&logits[3..]) + 1.0) / 2.0;
        assert!((classes.into_scalar::<f32>() - expected).abs() < 1e-6);
        let labels = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0];
        let each = label_cross_entropy(rows(logits), rows(labels), LabelKind::Attributes).into_scalar::<f32>();
        let one = |(x, y): (&f32, &f32)| (1.0 + x.exp()).ln() - x * y;
        let expected = logits.iter().zip(&labels).map(one).sum::<f32>() / 6.0;
        assert!((each - expected).abs() < 1e-6);
    }
}
