//! Group normalisation and its derivative along a direction by our kernels, with their gradients.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use faussaire_kernels::groupnorm as kernel;
use faussaire_kernels::groupnorm::{Affine, Groups};
use faussaire_kernels::memory::zeros;

use super::super::values::{plain, tensor, values};
use super::{Activation, GroupNormalisation};

/// The operations of this file.
#[backend_extension(Flex, Autodiff)]
pub trait NativeGroupNorm: Backend {
    /// Normalisation, affine map, activation.
    fn native_groupnorm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        groups: Groups,
        activation: Activation,
    ) -> FloatTensor<Self>;
    /// The derivative of the value before the activation along `tangent` of `x`.
    fn native_groupnorm_tangent(
        x: FloatTensor<Self>,
        tangent: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        groups: Groups,
    ) -> FloatTensor<Self>;
}

pub(super) fn groupnorm(x: Tensor<4>, [gamma, beta]: [Tensor<1>; 2], spec: GroupNormalisation) -> Tensor<4> {
    let groups = spec.of(x.dims());
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::native_groupnorm(x.into_dispatch(), gamma, beta, groups, spec.activation))
}

pub(super) fn groupnorm_tangent([x, t]: [Tensor<4>; 2], gamma: Tensor<1>, spec: GroupNormalisation) -> Tensor<4> {
    let groups = spec.of(x.dims());
    let [x, t] = [x, t].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::native_groupnorm_tangent(x, t, gamma.into_dispatch(), groups))
}

impl NativeGroupNorm for Flex {
    fn native_groupnorm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        groups: Groups,
        activation: Activation,
    ) -> FlexTensor {
        let [x, gamma, beta] = [x, gamma, beta].map(plain);
        let mut y = zeros(values(&x).len());
        let affine = Affine { gamma: values(&gamma), beta: values(&beta), activation };
        kernel::forward(&groups, &affine, values(&x), &mut y);
        tensor(y, x.layout().shape())
    }

    fn native_groupnorm_tangent(x: FlexTensor, t: FlexTensor, gamma: FlexTensor, groups: Groups) -> FlexTensor {
        let [x, t, gamma] = [x, t, gamma].map(plain);
        let mut out = zeros(values(&x).len());
        kernel::tangent(&groups, values(&x), values(&t), values(&gamma), &mut out);
        tensor(out, x.layout().shape())
    }
}

/// What the backward pass needs: x, gamma, beta.
type State = ([FlexTensor; 3], Groups, Activation);

#[derive(Debug)]
struct GroupNormBackward;

impl Backward<Flex, 3> for GroupNormBackward {
    type State = State;

    fn backward(self, ops: Ops<State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (saved, groups, activation) = ops.state;
        let [x, gamma, beta] = saved.map(plain);
        let dy = plain(grads.consume::<Flex>(&ops.node));
        let channels = groups.channels;
        let mut dx = zeros(values(&x).len());
        let (mut dgamma, mut dbeta) = (vec![0.0; channels], vec![0.0; channels]);
        let affine = Affine { gamma: values(&gamma), beta: values(&beta), activation };
        kernel::backward(&groups, &affine, values(&x), values(&dy), &mut dx, &mut dgamma, &mut dbeta);
        let shape = x.layout().shape();
        let all = [tensor(dx, shape), tensor(dgamma, &[channels]), tensor(dbeta, &[channels])];
        for (node, gradient) in ops.parents.into_iter().zip(all) {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct TangentBackward;

impl Backward<Flex, 3> for TangentBackward {
    /// x, tangent, gamma.
    type State = ([FlexTensor; 3], Groups);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (saved, groups) = ops.state;
        let [x, t, gamma] = saved.map(plain);
        let r = plain(grads.consume::<Flex>(&ops.node));
        let len = values(&x).len();
        let (mut dx, mut dt, mut dgamma) = (zeros(len), zeros(len), vec![0.0; groups.channels]);
        let inputs = [&x, &t, &r].map(values);
        kernel::tangent_backward(&groups, inputs, values(&gamma), [&mut dx, &mut dt, &mut dgamma]);
        let shape = x.layout().shape();
        let all = [tensor(dx, shape), tensor(dt, shape), tensor(dgamma, &[groups.channels])];
        for (node, gradient) in ops.parents.into_iter().zip(all) {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, gradient);
            }
        }
    }
}

impl<C: CheckpointStrategy> NativeGroupNorm for Autodiff<Flex, C> {
    fn native_groupnorm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        groups: Groups,
        activation: Activation,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), gamma.node(), beta.node()];
        let [x, gamma, beta] = [x, gamma, beta].map(|t| t.into_primitive());
        let y = Flex::native_groupnorm(x.clone(), gamma.clone(), beta.clone(), groups, activation);
        match GroupNormBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(([x, gamma, beta], groups, activation), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn native_groupnorm_tangent(
        x: FloatTensor<Self>,
        tangent: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        groups: Groups,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), tangent.node(), gamma.node()];
        let [x, t, gamma] = [x, tangent, gamma].map(|t| t.into_primitive());
        let out = Flex::native_groupnorm_tangent(x.clone(), t.clone(), gamma.clone(), groups);
        match TangentBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(([x, t, gamma], groups), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }
}
