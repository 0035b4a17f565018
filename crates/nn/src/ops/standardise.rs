//! Zero mean and unit variance over some axes, composed of Burn's operations, with the derivative along a direction.

use burn::tensor::Tensor;

/// The mean over `axes`, which keep length 1.
fn mean_over(x: Tensor<4>, axes: &[usize]) -> Tensor<4> {
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

/// The same with its derivative along `tangent` of `x`: with y the value, t the tangent and s one over the deviation
/// `s (t - mean(t) - y mean(y t))`. Both are differentiable.
pub fn standardise_dual([x, tangent]: [Tensor<4>; 2], axes: &[usize], epsilon: f32) -> [Tensor<4>; 2] {
    let [centred, scale] = centred(x, axes, epsilon);
    let value = centred.mul(scale.clone());
    let along = mean_over(value.clone().mul(tangent.clone()), axes);
    let change = tangent.clone().sub(mean_over(tangent, axes)).sub(value.clone().mul(along)).mul(scale);
    [value, change]
}
