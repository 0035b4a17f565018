//! Our kernels plugged into Burn's `flex` device as a backend extension; `backward` holds their gradients.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::ops::{Backward, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use faussaire_kernels::{
    activation, adam as adam_kernel, batchnorm as batchnorm_kernel, conv as conv_kernel, upsample_conv,
};
use rayon::prelude::*;

use super::backward::{ActivationBackward, ConvBackward, ConvState, ConvTransposeBackward, NormBackward, NormState};
use super::chain::{self, ChainBackward, ChainSpec, ChainState};
use super::values::{filled, plain, storage, stored, tensor, values};
use super::{Activation, Adam, Conv, Normalisation, Precision};

/// The operations that train through our kernels.
#[backend_extension(Flex, Autodiff)]
pub trait NativeOps: Backend {
    /// Convolution, bias, activation.
    fn native_conv(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        spec: Conv,
    ) -> FloatTensor<Self>;
    /// Transposed convolution, bias, activation.
    fn native_conv_transpose(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        spec: Conv,
    ) -> FloatTensor<Self>;
    /// Convolution, bias, activation, twice.
    fn native_conv_chain(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        second_weight: FloatTensor<Self>,
        second_bias: FloatTensor<Self>,
        spec: ChainSpec,
    ) -> FloatTensor<Self>;
    /// Batch normalisation, activation.
    fn native_batchnorm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        spec: Normalisation,
    ) -> FloatTensor<Self>;
    /// Activation with the given storage.
    fn native_activate(x: FloatTensor<Self>, activation: Activation, storage: Precision) -> FloatTensor<Self>;
    /// A direction times the slope of the activation whose value is `y`, a constant.
    fn native_activation_tangent(
        tangent: FloatTensor<Self>,
        y: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self>;
}

pub(super) fn conv(x: Tensor<4>, weight: Tensor<1>, bias: Tensor<1>, spec: Conv) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::native_conv(x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch(), spec))
}

pub(super) fn conv_transpose(x: Tensor<4>, weight: Tensor<1>, bias: Tensor<1>, spec: Conv) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::native_conv_transpose(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        spec,
    ))
}

pub(super) fn batchnorm(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    mean: Tensor<1>,
    variance: Tensor<1>,
    spec: Normalisation,
) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::native_batchnorm(
        x.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        mean.into_dispatch(),
        variance.into_dispatch(),
        spec,
    ))
}

pub(super) fn activate(x: Tensor<4>, activation: Activation, storage: Precision) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::native_activate(x.into_dispatch(), activation, storage))
}

pub(super) fn activation_tangent(tangent: Tensor<4>, y: Tensor<4>, activation: Activation) -> Tensor<4> {
    let y = if tangent.device() == y.device() { y } else { y.autodiff() };
    Tensor::from_dispatch(Dispatch::native_activation_tangent(tangent.into_dispatch(), y.into_dispatch(), activation))
}

pub(super) fn moments(x: Tensor<4>) -> [Tensor<1>; 2] {
    let channels = x.dims()[3];
    let x = flex(x);
    let (mut mean, mut variance) = (vec![0.0; channels], vec![0.0; channels]);
    batchnorm_kernel::moments(stored(&x), &mut mean, &mut variance);
    [mean, variance].map(|v| wrap(tensor(v, &[channels])))
}

pub(super) fn adam(state: [Tensor<1>; 3], gradient: Tensor<1>, t: u64, adam: &Adam) -> [Tensor<1>; 3] {
    let [mut parameter, mut m, mut v] = state.map(flex);
    let gradient = flex(gradient);
    adam_kernel::step(adam, t, parameter.storage_mut(), values(&gradient), m.storage_mut(), v.storage_mut());
    [parameter, m, v].map(wrap)
}

pub(super) fn average(average: Tensor<1>, value: Tensor<1>, decay: f32) -> Tensor<1> {
    let (mut average, value) = (flex(average), flex(value));
    adam_kernel::average(decay, average.storage_mut(), values(&value));
    wrap(average)
}

pub(super) fn square_sum(x: &Tensor<1>) -> f64 {
    let x = flex(x.clone());
    // Sixteen partial sums are as exact as one and can be vectorised.
    let block = |values: &[f32]| {
        let mut sums = [0.0f32; 16];
        let parts = values.chunks_exact(16);
        let rest: f32 = parts.remainder().iter().map(|v| v * v).sum();
        parts.for_each(|part| sums.iter_mut().zip(part).for_each(|(s, v)| *s += v * v));
        f64::from(sums.iter().sum::<f32>() + rest)
    };
    let blocks: Vec<f64> = values(&x).par_chunks(1 << 12).with_min_len(8).map(block).collect();
    blocks.into_iter().sum()
}

/// The `flex` tensor under `t`, contiguous and starting at its buffer's start.
pub(super) fn flex<const D: usize>(t: Tensor<D>) -> FlexTensor {
    let device = t.device();
    match t.without_autodiff().try_into_primitive::<Flex>() {
        Ok(primitive) => plain(primitive),
        // Checked by `serves` before: the tensor is of this device.
        Err(_) => unreachable!("a tensor of {device:?} reached the native kernels"),
    }
}

pub(super) fn wrap<const D: usize>(t: FlexTensor) -> Tensor<D> {
    Tensor::from_primitive::<Flex>(t)
}

impl NativeOps for Flex {
    fn native_conv(x: FlexTensor, weight: FlexTensor, bias: FlexTensor, spec: Conv) -> FlexTensor {
        let (x, weight, bias) = (plain(x), plain(weight), plain(bias));
        let g = &spec.geometry;
        let (xs, ws, bs) = (stored(&x), values(&weight), Some(values(&bias)));
        filled(spec.stored, &[g.batch, g.out_h, g.out_w, g.out_c], |y| {
            if spec.upsample == 1 {
                conv_kernel::forward(g, spec.precision, xs, ws, bs, spec.activation, y);
            } else {
                upsample_conv::forward(&spec.upsampled(), spec.precision, xs, ws, bs, spec.activation, y);
            }
        })
    }

    fn native_conv_transpose(x: FlexTensor, weight: FlexTensor, bias: FlexTensor, spec: Conv) -> FlexTensor {
        let (x, weight, bias) = (plain(x), plain(weight), plain(bias));
        let g = &spec.geometry;
        let (xs, ws, bs) = (stored(&x), values(&weight), Some(values(&bias)));
        filled(spec.stored, &[g.batch, g.in_h, g.in_w, g.in_c], |y| {
            conv_kernel::input_grad(g, spec.precision, xs, ws, bs, spec.activation, y);
        })
    }

    fn native_conv_chain(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        second_weight: FlexTensor,
        second_bias: FlexTensor,
        spec: ChainSpec,
    ) -> FlexTensor {
        chain::forward(x, [weight, second_weight], [bias, second_bias], &spec)
    }

    fn native_batchnorm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        mean: FlexTensor,
        variance: FlexTensor,
        spec: Normalisation,
    ) -> FlexTensor {
        let x = plain(x);
        let [gamma, beta, mean, variance] = [gamma, beta, mean, variance].map(plain);
        filled(spec.stored, x.layout().shape(), |y| {
            let norm = spec.with([&mean, &variance, &gamma, &beta]);
            batchnorm_kernel::forward(&norm, stored(&x), y);
        })
    }

    fn native_activate(x: FlexTensor, act: Activation, storage: Precision) -> FlexTensor {
        let x = plain(x);
        filled(storage, x.layout().shape(), |y| activation::forward(act, stored(&x), y))
    }

    fn native_activation_tangent(t: FlexTensor, y: FlexTensor, act: Activation) -> FlexTensor {
        let (t, y) = (plain(t), plain(y));
        filled(storage(&t), t.layout().shape(), |product| activation::backward(act, stored(&y), stored(&t), product))
    }
}

impl<C: CheckpointStrategy> NativeOps for Autodiff<Flex, C> {
    fn native_conv(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        spec: Conv,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let (x, weight) = (x.into_primitive(), weight.into_primitive());
        let y = Flex::native_conv(x.clone(), weight.clone(), bias.into_primitive(), spec);
        match ConvBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(ConvState::new(x, weight, &y, spec), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn native_conv_transpose(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        spec: Conv,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let (x, weight) = (x.into_primitive(), weight.into_primitive());
        let y = Flex::native_conv_transpose(x.clone(), weight.clone(), bias.into_primitive(), spec);
        match ConvTransposeBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(ConvState::new(x, weight, &y, spec), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn native_conv_chain(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        second_weight: FloatTensor<Self>,
        second_bias: FloatTensor<Self>,
        spec: ChainSpec,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node(), second_weight.node(), second_bias.node()];
        let [x, w1, b1, w2, b2] = [x, weight, bias, second_weight, second_bias].map(|t| t.into_primitive());
        match ChainBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let weights = [w1.clone(), w2.clone()];
                let (between, y) = chain::forward_keeping(x.clone(), weights, [b1.clone(), b2.clone()], &spec);
                let [first, second] = spec.convs();
                let stages = [ConvState::new(x, w1, &between, first), ConvState::new(between.clone(), w2, &y, second)];
                prep.finish(ChainState { stages, biases: [b1, b2], spec }, y)
            }
            OpsKind::UnTracked(prep) => prep.finish(Flex::native_conv_chain(x, w1, b1, w2, b2, spec)),
        }
    }

    fn native_batchnorm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        spec: Normalisation,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), gamma.node(), beta.node()];
        let [x, gamma, beta, mean, variance] = [x, gamma, beta, mean, variance].map(|t| t.into_primitive());
        let y = Flex::native_batchnorm(
            x.clone(),
            gamma.clone(),
            beta.clone(),
            mean.clone(),
            variance.clone(),
            spec.clone(),
        );
        let state = NormState { x, gamma, beta, mean, variance, spec };
        match NormBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn native_activate(x: FloatTensor<Self>, act: Activation, storage_of_y: Precision) -> FloatTensor<Self> {
        let nodes = [x.node()];
        let x = x.into_primitive();
        let storage_of_x = storage(&x);
        let y = Flex::native_activate(x, act, storage_of_y);
        match ActivationBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((y.clone(), act, storage_of_x), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn native_activation_tangent(
        tangent: FloatTensor<Self>,
        y: FloatTensor<Self>,
        act: Activation,
    ) -> FloatTensor<Self> {
        let nodes = [tangent.node()];
        let (tangent, y) = (tangent.into_primitive(), y.into_primitive());
        let storage = storage(&tangent);
        let product = Flex::native_activation_tangent(tangent, y.clone(), act);
        // Its derivative with respect to the tangent is the same product again.
        match ActivationBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((y, act, storage), product),
            OpsKind::UnTracked(prep) => prep.finish(product),
        }
    }
}
