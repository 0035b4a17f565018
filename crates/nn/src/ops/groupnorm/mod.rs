//! Group normalisation: each image separately, over all its pixels and a group of its channels.

mod native;

use burn::tensor::Tensor;
use faussaire_kernels::groupnorm::Groups;

use super::standardise::{standardise, standardise_dual};
use super::values::serves;
use super::{Activation, Precision, activate};

/// Parameters of group normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupNormalisation {
    /// Number of groups of consecutive channels; it divides the number of channels.
    pub groups: usize,
    /// Added to the variance.
    pub epsilon: f32,
    /// Applied to the result.
    pub activation: Activation,
}

impl GroupNormalisation {
    /// The kernels' parameters for images of `dims`.
    fn of(self, [_, h, w, c]: [usize; 4]) -> Groups {
        Groups { channels: c, pixels: h * w, groups: self.groups, epsilon: self.epsilon }
    }
}

/// `gamma * (x - mean) / sqrt(variance + epsilon) + beta`, then the activation, with mean and (biased) variance over the
/// pixels and each group of channels of each image, and `gamma`, `beta` `[c]`.
pub fn groupnorm(x: Tensor<4>, [gamma, beta]: [Tensor<1>; 2], spec: GroupNormalisation) -> Tensor<4> {
    if serves(&x) { native::groupnorm(x, [gamma, beta], spec) } else { composed(x, [gamma, beta], spec) }
}

/// The same without an activation, with its derivative along `tangent` of `x`; both are differentiable.
pub fn groupnorm_dual(
    [x, tangent]: [Tensor<4>; 2],
    [gamma, beta]: [Tensor<1>; 2],
    spec: GroupNormalisation,
) -> [Tensor<4>; 2] {
    let spec = GroupNormalisation { activation: Activation::Identity, ..spec };
    if serves(&x) {
        let change = native::groupnorm_tangent([x.clone(), tangent], gamma.clone(), spec);
        return [native::groupnorm(x, [gamma, beta], spec), change];
    }
    let dims = x.dims();
    let [value, change] = standardise_dual([x, tangent].map(|t| grouped(t, spec)), &[1, 3], spec.epsilon);
    let gamma = row(gamma);
    [value.reshape(dims).mul(gamma.clone()).add(row(beta)), change.reshape(dims).mul(gamma)]
}

fn composed(x: Tensor<4>, [gamma, beta]: [Tensor<1>; 2], spec: GroupNormalisation) -> Tensor<4> {
    let dims = x.dims();
    let standard = standardise(grouped(x, spec), &[1, 3], spec.epsilon).reshape(dims);
    activate(standard.mul(row(gamma)).add(row(beta)), spec.activation, Precision::F32)
}

/// `[batch, pixels, groups, channels of a group]`.
fn grouped(x: Tensor<4>, spec: GroupNormalisation) -> Tensor<4> {
    let [batch, h, w, c] = x.dims();
    x.reshape([batch, h * w, spec.groups, c / spec.groups])
}

fn row(values: Tensor<1>) -> Tensor<4> {
    values.reshape([1, 1, 1, -1])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ops::testing::{signed, tensor};
    use burn::tensor::DType;

    /// Which of x, tangent and gamma get gradients when those marked are tracked.
    fn tracked(marks: [bool; 3]) -> [bool; 3] {
        let spec = GroupNormalisation { groups: 2, epsilon: 1e-5, activation: Activation::Identity };
        let image = |seed| tensor::<4>(&signed(seed, 48), [2, 3, 2, 4], DType::F32);
        let [mut x, mut t, mut gamma] = [image(1), image(2), image(3)];
        let track = |t: &Tensor<4>| t.clone().autodiff().require_grad();
        for (tensor, mark) in [&mut x, &mut t, &mut gamma].into_iter().zip(marks) {
            if mark {
                *tensor = track(tensor);
            }
        }
        let row: Tensor<1> = gamma.clone().slice([0..1, 0..1, 0..1, 0..4]).reshape([4]);
        let beta = tensor(&[0.0; 4], [4], DType::F32);
        let [value, change] = groupnorm_dual([x.clone(), t.clone()], [row, beta], spec);
        let gradients = value.mul(image(4)).add(change.mul(image(5))).sum().backward();
        [x, t, gamma].map(|tensor| tensor.is_autodiff() && tensor.grad(&gradients).is_some())
    }

    #[test]
    fn any_part_may_be_a_constant() {
        for bits in 1..8 {
            let marks = [bits & 1 > 0, bits & 2 > 0, bits & 4 > 0];
            assert_eq!(tracked(marks), marks);
        }
    }
}
