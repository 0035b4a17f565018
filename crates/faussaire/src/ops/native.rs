//! Our kernels plugged into Burn's `flex` device as a backend extension, each with its hand-written backward pass.
//! A backward pass computes only what is asked for: the gradient of a frozen net's weights, or of the images, is
//! never computed.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Tensor, TensorData};
use faussaire_kernels::{activation, adam as adam_kernel, batchnorm as norm, conv as conv_kernel, upsample_conv};

use super::{Activation, Adam, Conv, Normalisation};

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
    /// Batch normalisation, activation.
    fn native_batchnorm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        spec: Normalisation,
    ) -> FloatTensor<Self>;
    /// Activation.
    fn native_activate(x: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self>;
}

/// Whether the kernels can serve `x`: it lies in the processor's memory.
pub(super) fn serves<const D: usize>(x: &Tensor<D>) -> bool {
    x.device() == burn::tensor::Device::flex()
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

pub(super) fn activate(x: Tensor<4>, activation: Activation) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::native_activate(x.into_dispatch(), activation))
}

pub(super) fn moments(x: Tensor<4>) -> [Tensor<1>; 2] {
    let channels = x.dims()[3];
    let x = flex(x);
    let (mut mean, mut variance) = (vec![0.0; channels], vec![0.0; channels]);
    norm::moments(values(&x), &mut mean, &mut variance);
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

/// The `flex` tensor under `t`, contiguous and starting at its buffer's start.
fn flex<const D: usize>(t: Tensor<D>) -> FlexTensor {
    let device = t.device();
    match t.without_autodiff().try_into_primitive::<Flex>() {
        Ok(primitive) => plain(primitive),
        // `serves` was asked before: only a tensor of this device gets here.
        Err(_) => unreachable!("a tensor of {device:?} reached the native kernels"),
    }
}

fn wrap<const D: usize>(t: FlexTensor) -> Tensor<D> {
    Tensor::from_primitive::<Flex>(t)
}

fn plain(t: FlexTensor) -> FlexTensor {
    let whole = t.layout().start_offset() == 0 && t.storage::<f32>().len() == t.layout().num_elements();
    if t.is_contiguous() && whole { t } else { FlexTensor::from_data(t.into_data()) }
}

/// All values of a contiguous tensor.
fn values(t: &FlexTensor) -> &[f32] {
    let start = t.layout().start_offset();
    &t.storage::<f32>()[start..start + t.layout().num_elements()]
}

fn tensor(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape.to_vec()))
}

impl NativeOps for Flex {
    fn native_conv(x: FlexTensor, weight: FlexTensor, bias: FlexTensor, spec: Conv) -> FlexTensor {
        let (x, weight, bias) = (plain(x), plain(weight), plain(bias));
        let g = &spec.geometry;
        let mut y = vec![0.0; g.y_len()];
        let (xs, ws, bs) = (values(&x), values(&weight), Some(values(&bias)));
        if spec.upsample == 1 {
            conv_kernel::forward(g, xs, ws, bs, spec.activation, &mut y);
        } else {
            upsample_conv::forward(g, spec.upsample, xs, ws, bs, spec.activation, &mut y);
        }
        tensor(y, &[g.batch, g.out_h, g.out_w, g.out_c])
    }

    fn native_conv_transpose(x: FlexTensor, weight: FlexTensor, bias: FlexTensor, spec: Conv) -> FlexTensor {
        let (x, weight, bias) = (plain(x), plain(weight), plain(bias));
        let g = &spec.geometry;
        let mut y = vec![0.0; g.x_len()];
        conv_kernel::input_grad(g, values(&x), values(&weight), Some(values(&bias)), spec.activation, &mut y);
        tensor(y, &[g.batch, g.in_h, g.in_w, g.in_c])
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
        let mut y = vec![0.0; x.layout().num_elements()];
        norm::forward(
            values(&x),
            values(&mean),
            values(&variance),
            values(&gamma),
            values(&beta),
            spec.epsilon,
            spec.activation,
            &mut y,
        );
        tensor(y, x.layout().shape())
    }

    fn native_activate(x: FlexTensor, act: Activation) -> FlexTensor {
        let x = plain(x);
        let mut y = vec![0.0; x.layout().num_elements()];
        activation::forward(act, values(&x), &mut y);
        tensor(y, x.layout().shape())
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
            OpsKind::Tracked(prep) => prep.finish(ConvState { x, weight, y: y.clone(), spec }, y),
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
            OpsKind::Tracked(prep) => prep.finish(ConvState { x, weight, y: y.clone(), spec }, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
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
        let y = Flex::native_batchnorm(x.clone(), gamma.clone(), beta, mean.clone(), variance.clone(), spec);
        let state = NormState { x, gamma, mean, variance, y: y.clone(), spec };
        match NormBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn native_activate(x: FloatTensor<Self>, act: Activation) -> FloatTensor<Self> {
        let nodes = [x.node()];
        let y = Flex::native_activate(x.into_primitive(), act);
        match ActivationBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((y.clone(), act), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }
}

/// What a convolution's backward pass needs; `y` for the activation's slope.
#[derive(Clone, Debug)]
struct ConvState {
    x: FlexTensor,
    weight: FlexTensor,
    y: FlexTensor,
    spec: Conv,
}

impl ConvState {
    /// The gradient before the activation and, where asked for, of the bias.
    fn before_activation(&self, dy: FlexTensor, bias: bool, channels: usize) -> (FlexTensor, Option<FlexTensor>) {
        let act = self.spec.activation;
        let dy = plain(dy);
        let y = plain(self.y.clone());
        let mut db = vec![0.0; channels];
        if act == Activation::Identity {
            if bias {
                activation::bias_grad(values(&dy), &mut db);
            }
            return (dy, bias.then(|| tensor(db, &[channels])));
        }
        let mut dz = vec![0.0; values(&dy).len()];
        if bias {
            activation::backward_with_bias(act, values(&y), values(&dy), &mut dz, &mut db);
        } else {
            activation::backward(act, values(&y), values(&dy), &mut dz);
        }
        (tensor(dz, dy.layout().shape()), bias.then(|| tensor(db, &[channels])))
    }
}

#[derive(Debug)]
struct ConvBackward;

impl Backward<Flex, 3> for ConvBackward {
    type State = ConvState;

    fn backward(self, ops: Ops<ConvState, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [x_node, weight_node, bias_node] = ops.parents;
        let state = ops.state;
        let (g, factor) = (state.spec.geometry, state.spec.upsample);
        let dy = grads.consume::<Flex>(&ops.node);
        let (dz, db) = state.before_activation(dy, bias_node.is_some(), g.out_c);
        if let (Some(node), Some(db)) = (bias_node, db) {
            grads.register::<Flex>(node.id, db);
        }
        let (x, weight) = (plain(state.x), plain(state.weight));
        if let Some(node) = weight_node {
            let mut dw = vec![0.0; g.w_len()];
            if factor == 1 {
                conv_kernel::weight_grad(&g, values(&x), values(&dz), &mut dw);
            } else {
                upsample_conv::weight_grad(&g, factor, values(&x), values(&dz), &mut dw);
            }
            grads.register::<Flex>(node.id, tensor(dw, weight.layout().shape()));
        }
        if let Some(node) = x_node {
            let mut dx = vec![0.0; values(&x).len()];
            if factor == 1 {
                conv_kernel::input_grad(&g, values(&dz), values(&weight), None, Activation::Identity, &mut dx);
            } else {
                upsample_conv::input_grad(&g, factor, values(&dz), values(&weight), &mut dx);
            }
            grads.register::<Flex>(node.id, tensor(dx, x.layout().shape()));
        }
    }
}

#[derive(Debug)]
struct ConvTransposeBackward;

impl Backward<Flex, 3> for ConvTransposeBackward {
    type State = ConvState;

    fn backward(self, ops: Ops<ConvState, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [x_node, weight_node, bias_node] = ops.parents;
        let state = ops.state;
        let g = state.spec.geometry;
        let dy = grads.consume::<Flex>(&ops.node);
        let (dz, db) = state.before_activation(dy, bias_node.is_some(), g.in_c);
        if let (Some(node), Some(db)) = (bias_node, db) {
            grads.register::<Flex>(node.id, db);
        }
        let (x, weight) = (plain(state.x), plain(state.weight));
        if let Some(node) = weight_node {
            let mut dw = vec![0.0; g.w_len()];
            conv_kernel::weight_grad(&g, values(&dz), values(&x), &mut dw);
            grads.register::<Flex>(node.id, tensor(dw, weight.layout().shape()));
        }
        if let Some(node) = x_node {
            let mut dx = vec![0.0; g.y_len()];
            conv_kernel::forward(&g, values(&dz), values(&weight), None, Activation::Identity, &mut dx);
            grads.register::<Flex>(node.id, tensor(dx, x.layout().shape()));
        }
    }
}

#[derive(Clone, Debug)]
struct NormState {
    x: FlexTensor,
    gamma: FlexTensor,
    mean: FlexTensor,
    variance: FlexTensor,
    y: FlexTensor,
    spec: Normalisation,
}

#[derive(Debug)]
struct NormBackward;

impl Backward<Flex, 3> for NormBackward {
    type State = NormState;

    fn backward(self, ops: Ops<NormState, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [x_node, gamma_node, beta_node] = ops.parents;
        let s = ops.state;
        let dy = plain(grads.consume::<Flex>(&ops.node));
        let [x, gamma, mean, variance, y] = [s.x, s.gamma, s.mean, s.variance, s.y].map(plain);
        let channels = values(&mean).len();
        let mut dx = vec![0.0; values(&x).len()];
        let (mut dgamma, mut dbeta) = (vec![0.0; channels], vec![0.0; channels]);
        let backward = if s.spec.from_batch { norm::backward_train } else { norm::backward_infer };
        backward(
            values(&x),
            values(&mean),
            values(&variance),
            values(&gamma),
            s.spec.epsilon,
            s.spec.activation,
            values(&y),
            values(&dy),
            &mut dx,
            &mut dgamma,
            &mut dbeta,
        );
        if let Some(node) = x_node {
            grads.register::<Flex>(node.id, tensor(dx, x.layout().shape()));
        }
        if let Some(node) = gamma_node {
            grads.register::<Flex>(node.id, tensor(dgamma, &[channels]));
        }
        if let Some(node) = beta_node {
            grads.register::<Flex>(node.id, tensor(dbeta, &[channels]));
        }
    }
}

#[derive(Debug)]
struct ActivationBackward;

impl Backward<Flex, 1> for ActivationBackward {
    type State = (FlexTensor, Activation);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = plain(grads.consume::<Flex>(&ops.node));
        let [x_node] = ops.parents;
        let (y, act) = ops.state;
        if let Some(node) = x_node {
            let y = plain(y);
            let mut dx = vec![0.0; values(&y).len()];
            activation::backward(act, values(&y), values(&dy), &mut dx);
            grads.register::<Flex>(node.id, tensor(dx, y.layout().shape()));
        }
    }
}
