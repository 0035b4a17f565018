//! The hand-written backward passes of the native operations. Each computes only what is asked for: the gradient of a
//! frozen net's weights, or of the images, is never computed. The gradient of an image is stored as the image is; those of
//! weights are f32.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use faussaire_kernels::{ValuesMut, activation, batchnorm as norm, conv as conv_kernel, upsample_conv};

use super::values::{filled, plain, storage, stored, tensor, values};
use super::{Activation, Conv, Normalisation, Precision};

/// What a convolution's backward pass needs; `y` for the activation's slope, where it has one.
#[derive(Clone, Debug)]
pub(super) struct ConvState {
    pub(super) x: FlexTensor,
    pub(super) weight: FlexTensor,
    y: Option<FlexTensor>,
    pub(super) spec: Conv,
}

impl ConvState {
    /// Of a convolution that made `y`.
    pub(super) fn new(x: FlexTensor, weight: FlexTensor, y: &FlexTensor, spec: Conv) -> Self {
        let y = (spec.activation != Activation::Identity).then(|| y.clone());
        Self { x, weight, y, spec }
    }

    /// The gradient before the activation and, where asked for, of the bias. The first only enters products, which round it
    /// to the layer's precision anyway: so it is stored as that, and the bias is summed before.
    fn before_activation(&self, dy: FlexTensor, bias: bool, channels: usize) -> (FlexTensor, Option<FlexTensor>) {
        let act = self.spec.activation;
        let dy = plain(dy);
        let mut db = vec![0.0; channels];
        let Some(y) = self.y.clone().map(plain) else {
            if bias {
                activation::bias_grad(stored(&dy), &mut db);
            }
            return (dy, bias.then(|| tensor(db, &[channels])));
        };
        let dz = filled(self.spec.precision, dy.layout().shape(), |dz| {
            if bias {
                activation::backward_with_bias(act, stored(&y), stored(&dy), dz, &mut db);
            } else {
                activation::backward(act, stored(&y), stored(&dy), dz);
            }
        });
        (dz, bias.then(|| tensor(db, &[channels])))
    }
}

#[derive(Debug)]
pub(super) struct ConvBackward;

impl Backward<Flex, 3> for ConvBackward {
    type State = ConvState;

    fn backward(self, ops: Ops<ConvState, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [x_node, weight_node, bias_node] = ops.parents;
        let state = ops.state;
        let Conv { geometry: g, upsample: factor, precision, .. } = state.spec;
        let dy = grads.consume::<Flex>(&ops.node);
        let (dz, db) = state.before_activation(dy, bias_node.is_some(), g.out_c);
        if let (Some(node), Some(db)) = (bias_node, db) {
            grads.register::<Flex>(node.id, db);
        }
        let (x, weight) = (plain(state.x), plain(state.weight));
        if let Some(node) = weight_node {
            let mut dw = vec![0.0; g.w_len()];
            if factor == 1 {
                conv_kernel::weight_grad(&g, precision, stored(&x), stored(&dz), &mut dw);
            } else {
                upsample_conv::weight_grad(&g, precision, factor, stored(&x), stored(&dz), &mut dw);
            }
            grads.register::<Flex>(node.id, tensor(dw, weight.layout().shape()));
        }
        if let Some(node) = x_node {
            let dx = filled(storage(&x), x.layout().shape(), |dx| {
                let (dz, w) = (stored(&dz), values(&weight));
                if factor == 1 {
                    conv_kernel::input_grad(&g, precision, dz, w, None, Activation::Identity, dx);
                } else {
                    upsample_conv::input_grad(&g, precision, factor, dz, w, dx);
                }
            });
            grads.register::<Flex>(node.id, dx);
        }
    }
}

#[derive(Debug)]
pub(super) struct ConvTransposeBackward;

impl Backward<Flex, 3> for ConvTransposeBackward {
    type State = ConvState;

    fn backward(self, ops: Ops<ConvState, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [x_node, weight_node, bias_node] = ops.parents;
        let state = ops.state;
        let Conv { geometry: g, precision, .. } = state.spec;
        let dy = grads.consume::<Flex>(&ops.node);
        let (dz, db) = state.before_activation(dy, bias_node.is_some(), g.in_c);
        if let (Some(node), Some(db)) = (bias_node, db) {
            grads.register::<Flex>(node.id, db);
        }
        let (x, weight) = (plain(state.x), plain(state.weight));
        if let Some(node) = weight_node {
            let mut dw = vec![0.0; g.w_len()];
            conv_kernel::weight_grad(&g, precision, stored(&dz), stored(&x), &mut dw);
            grads.register::<Flex>(node.id, tensor(dw, weight.layout().shape()));
        }
        if let Some(node) = x_node {
            let dx = filled(storage(&x), x.layout().shape(), |dx| {
                conv_kernel::forward(&g, precision, stored(&dz), values(&weight), None, Activation::Identity, dx);
            });
            grads.register::<Flex>(node.id, dx);
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct NormState {
    pub(super) x: FlexTensor,
    pub(super) gamma: FlexTensor,
    pub(super) mean: FlexTensor,
    pub(super) variance: FlexTensor,
    pub(super) y: FlexTensor,
    pub(super) spec: Normalisation,
}

#[derive(Debug)]
pub(super) struct NormBackward;

impl Backward<Flex, 3> for NormBackward {
    type State = NormState;

    fn backward(self, ops: Ops<NormState, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [x_node, gamma_node, beta_node] = ops.parents;
        let s = ops.state;
        let dy = plain(grads.consume::<Flex>(&ops.node));
        let [x, gamma, mean, variance, y] = [s.x, s.gamma, s.mean, s.variance, s.y].map(plain);
        let channels = values(&mean).len();
        let (mut dgamma, mut dbeta) = (vec![0.0; channels], vec![0.0; channels]);
        let dx = filled(storage(&x), x.layout().shape(), |dx| {
            let backward = if s.spec.from_batch { norm::backward_train } else { norm::backward_infer };
            backward(
                stored(&x),
                values(&mean),
                values(&variance),
                values(&gamma),
                s.spec.epsilon,
                s.spec.activation,
                stored(&y),
                stored(&dy),
                dx,
                &mut dgamma,
                &mut dbeta,
            );
        });
        if let Some(node) = x_node {
            grads.register::<Flex>(node.id, dx);
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
pub(super) struct ActivationBackward;

impl Backward<Flex, 1> for ActivationBackward {
    /// The value, the activation, and what the input and so its gradient are stored as.
    type State = (FlexTensor, Activation, Precision);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = plain(grads.consume::<Flex>(&ops.node));
        let [x_node] = ops.parents;
        let (y, act, storage_of_x) = ops.state;
        if let Some(node) = x_node {
            let y = plain(y);
            let fill = |dx: ValuesMut| activation::backward(act, stored(&y), stored(&dy), dx);
            grads.register::<Flex>(node.id, filled(storage_of_x, y.layout().shape(), fill));
        }
    }
}
