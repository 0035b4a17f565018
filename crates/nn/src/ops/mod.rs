//! The expensive operations of nets, channels-last: dense, convolution and its transpose, upsampling with convolution,
//! batch normalisation, activation, Adam, averaging. On the processor (Burn's `flex` device) they are our own kernels
//! with hand-written gradients (`native`); on any other device they compose ordinary Burn operations (`composed`) with
//! equal results. Nets, losses and the training loop use only the functions of this file.
//!
//! Activations are `Tensor<4>`, `[batch, height, width, channels]`; a flat vector is `[batch, 1, 1, features]`.
//! Weights are flat `Tensor<1>` in Keras's layouts, so that optimizers, averages and checkpoints need no shapes.

#[cfg(test)]
mod agreement;
mod attention;
mod backward;
mod chain;
mod composed;
mod dropout;
mod groupnorm;
mod host;
mod native;
mod resample;
mod slice;
mod standardise;
#[cfg(test)]
pub(crate) mod testing;
mod values;

pub use attention::{attend, attend_dual};
pub use chain::{ChainSpec, Convolution, conv_chain, normed_chain};
pub use dropout::{Kept, dropout};
pub use faussaire_kernels::Activation;
pub use faussaire_kernels::Adam;
pub use faussaire_kernels::Geometry;
pub use faussaire_kernels::Precision;
pub use groupnorm::{GroupNormalisation, groupnorm, groupnorm_dual};
pub use host::{host, tensor};
pub use resample::{average_pool, upsample, upsample_bilinear};
pub use slice::{Peers, Slice};
pub use standardise::standardise_dual;

use burn::tensor::Tensor;
use values::{serves, serves_stored};

/// A convolution's geometry, the nearest-neighbour upsampling in front of it, and the activation behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conv {
    /// Sizes; for a transposed convolution those of the convolution that it transposes.
    pub geometry: Geometry,
    /// 1, or the factor by which the image is upsampled first (`geometry` describes the upsampled image).
    pub upsample: usize,
    /// Applied to the result.
    pub activation: Activation,
    /// Precision of image, weight and gradients in products; on the CPU only.
    pub precision: Precision,
    /// Storage of the result; on the CPU only.
    pub stored: Precision,
    /// Fusion with its neighbours' backward passes; on the CPU only.
    pub backward: BackwardFusion,
}

/// Fusion of neighbouring layers' backward passes: a convolution leaves a part of its backward pass to the layer that reads its
/// result, or takes over a part of its input's layer. The values are read there anyway, which saves a pass over them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BackwardFusion {
    /// The next layer subtracts the result's mean over the batch: the bias changes nothing, and its gradient is 0.
    pub followed_by_batchnorm: bool,
    /// The next layer multiplies the result's gradient with the derivative of our activation.
    pub activation_grad_by_next: bool,
    /// The activation that made the input, where the input's gradient is to be multiplied with its derivative.
    pub input_activation: Option<Activation>,
}

/// Parameters of batch normalisation.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalisation {
    /// Added to the variance.
    pub epsilon: f32,
    /// Applied to the result.
    pub activation: Activation,
    /// Whether mean and variance are those of `x` itself, so that the gradient flows through them.
    pub from_batch: bool,
    /// Storage of the result; on the CPU only.
    pub stored: Precision,
    /// The slice of the batch that `x` is, where mean and variance are those of all slices; on the CPU only.
    pub slice: Option<Slice>,
}

/// Convolution of `x` with `weight` `[kh, kw, in, out]`, plus `bias` `[out]`, then the activation.
/// A dense layer is the convolution of a 1x1 image with a 1x1 kernel.
pub fn conv(x: Tensor<4>, weight: Tensor<1>, bias: Tensor<1>, spec: Conv) -> Tensor<4> {
    if serves_stored(&x) { native::conv(x, weight, bias, spec) } else { composed::conv(x, weight, bias, spec) }
}

/// Transposed convolution of `x` with `weight` `[kh, kw, out, in]`, plus `bias` `[out]`, then the activation: the
/// input gradient of the convolution in `spec.geometry`, whose output is our `x`.
pub fn conv_transpose(x: Tensor<4>, weight: Tensor<1>, bias: Tensor<1>, spec: Conv) -> Tensor<4> {
    if serves_stored(&x) {
        native::conv_transpose(x, weight, bias, spec)
    } else {
        composed::conv_transpose(x, weight, bias, spec)
    }
}

/// Batch normalisation over all but the last axis: `gamma * (x - mean) / sqrt(variance + epsilon) + beta`, then the
/// activation (Ioffe & Szegedy 2015).
pub fn batchnorm(
    x: Tensor<4>,
    [gamma, beta]: [Tensor<1>; 2],
    [mean, variance]: [Tensor<1>; 2],
    spec: Normalisation,
) -> Tensor<4> {
    if serves_stored(&x) {
        native::batchnorm(x, gamma, beta, mean, variance, spec)
    } else {
        composed::batchnorm(x, [gamma, beta], [mean, variance], spec)
    }
}

/// Mean and biased variance of each channel over the batch and all positions, of all slices where `x` is one; constants to
/// differentiation.
pub fn moments(x: &Tensor<4>, slice: Option<&Slice>) -> [Tensor<1>; 2] {
    let x = x.clone().without_autodiff();
    let own = if serves_stored(&x) { native::moments(x) } else { composed::moments(x) };
    match slice {
        Some(slice) => slice.moments(own),
        None => own,
    }
}

/// An activation that is not fused into the layer before it; on the processor stored as `stored`.
pub(crate) fn activate(x: Tensor<4>, activation: Activation, stored: Precision) -> Tensor<4> {
    if serves_stored(&x) { native::activate(x, activation, stored) } else { composed::activate(x, activation) }
}

/// The derivative of an activation with output `y` along `tangent`: `tangent` times the slope. The
/// slope of a piecewise linear activation is a constant to differentiation; that of a smooth one is not.
pub(crate) fn activation_tangent(tangent: Tensor<4>, y: Tensor<4>, activation: Activation) -> Tensor<4> {
    let piecewise = !matches!(activation, Activation::Tanh | Activation::Sigmoid);
    if piecewise && serves(&tangent) {
        native::activation_tangent(tangent, y.without_autodiff(), activation)
    } else {
        composed::activation_tangent(tangent, y, activation)
    }
}

/// One Adam update (Kingma & Ba 2015, in Keras's form) at step `t`, counted from 1.
/// Takes and returns `[parameter, first moment, second moment]`, in place where no other tensor shares them.
pub fn adam(state: [Tensor<1>; 3], gradient: Tensor<1>, t: u64, adam: &Adam) -> [Tensor<1>; 3] {
    if serves(&gradient) { native::adam(state, gradient, t, adam) } else { composed::adam(state, gradient, t, adam) }
}

/// The sum of the squares of all values, added up in blocks of fixed length.
pub(crate) fn square_sum(x: &Tensor<1>) -> f64 {
    if serves(x) {
        return native::square_sum(x);
    }
    let x = x.clone().without_autodiff();
    f64::from(x.clone().mul(x).sum().into_scalar::<f32>())
}

/// Exponential average: `decay * average + (1 - decay) * value`.
pub fn average(average: Tensor<1>, value: Tensor<1>, decay: f32) -> Tensor<1> {
    if serves(&value) {
        native::average(average, value, decay)
    } else {
        average.mul_scalar(decay).add(value.mul_scalar(1.0 - decay))
    }
}

/// How often weight gradients of convolutions and dense layers were computed in this process: a frozen net's are not.
pub fn weight_gradients_computed() -> u64 {
    faussaire_kernels::counters::weight_gradients()
}
