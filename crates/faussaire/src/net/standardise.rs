//! Zero mean and unit variance over some axes: what instance, layer and group normalisation do (batch normalisation
//! has kernels of its own), with the derivative along a direction.

use burn::tensor::Tensor;

use super::Dual;

/// The mean over `axes`, which keep length 1.
pub(super) fn mean_over(x: Tensor<4>, axes: &[usize]) -> Tensor<4> {
    axes.iter().fold(x, |x, &axis| x.mean_dim(axis))
}

/// `x` minus its mean, and one over its deviation, both over `axes`.
fn centred(x: Tensor<4>, axes: &[usize], epsilon: f32) -> [Tensor<4>; 2] {
    let centred = x.clone().sub(mean_over(x, axes));
    let variance = mean_over(centred.clone().mul(centred.clone()), axes);
    [centred, variance.add_scalar(epsilon).sqrt().recip()]
}

/// `(x - mean) / sqrt(variance + epsilon)` with mean and (biased) variance over `axes`.
pub(super) fn standardise(x: Tensor<4>, axes: &[usize], epsilon: f32) -> Tensor<4> {
    let [centred, scale] = centred(x, axes, epsilon);
    centred.mul(scale)
}

/// [`standardise`] and its derivative: with y the value and s the scale, `t' = s (t - mean(t) - y mean(y t))`.
pub(super) fn standardise_dual(x: Dual, axes: &[usize], epsilon: f32) -> Dual {
    let [centred, scale] = centred(x.value, axes, epsilon);
    let value = centred.mul(scale.clone());
    let t = x.tangent;
    let along = mean_over(value.clone().mul(t.clone()), axes);
    let tangent = t.clone().sub(mean_over(t, axes)).sub(value.clone().mul(along)).mul(scale);
    Dual { value, tangent }
}
