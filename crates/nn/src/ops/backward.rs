//! The hand-written backward passes of the native operations. Each computes only the requested gradients: the gradient of a
//! frozen net's weights, or of the images, is never computed. The gradient of an image is stored as the image is; those of
//! weights are f32.

use burn::backend::Flex;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use faussaire_kernels::batchnorm::BatchNorm;
use faussaire_kernels::upsample_conv::Upsampled;
use faussaire_kernels::{Epilogue, ValuesMut, activation, batchnorm as norm, conv as conv_kernel, upsample_conv};

use super::values::{filled, plain, storage, stored, tensor, values};
use super::{Activation, Conv, Normalisation, Precision};

/// What a convolution's backward pass needs; `y` for the activation's derivative, unless that is left to the next layer.
#[derive(Clone, Debug)]
pub(super) struct ConvState {
    pub(super) x: FlexTensor,
    pub(super) weight: FlexTensor,
    y: Option<FlexTensor>,
    pub(super) spec: Conv,
}

impl ConvState {
    /// For a convolution with output `y`.
    pub(super) fn new(x: FlexTensor, weight: FlexTensor, y: &FlexTensor, spec: Conv) -> Self {
        let own_slope = spec.activation != Activation::Identity && !spec.backward.activation_grad_by_next;
        let y = own_slope.then(|| y.clone());
        Self { x, weight, y, spec }
    }

    /// The gradient before the activation. It only enters products, which round it to the layer's precision anyway: so it
    /// is stored as that. `db` is filled if that needs no separate pass; true if it was.
    pub(super) fn before_activation(&self, dy: FlexTensor, db: Option<&mut [f32]>) -> (FlexTensor, bool) {
        let (act, dy) = (self.spec.activation, plain(dy));
        let Some(y) = self.y.clone().map(plain) else { return (dy, false) };
        let made = db.is_some();
        let dz = filled(self.spec.precision, dy.layout().shape(), |dz| match db {
            Some(db) => activation::backward_with_bias(act, stored(&y), stored(&dy), dz, db),
            None => activation::backward(act, stored(&y), stored(&dy), dz),
        });
        (dz, made)
    }

    /// The gradients of a convolution's image, weights and bias, as far as they are `wanted`.
    pub(super) fn gradients(&self, dy: FlexTensor, wanted: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let Conv { geometry: g, upsample: factor, precision, .. } = self.spec;
        let mut db = vec![0.0; g.out_c];
        // A bias that is subtracted by the next layer has no gradient.
        let sum = wanted[2] && !self.spec.backward.followed_by_batchnorm;
        let (dz, made) = self.before_activation(dy, sum.then_some(&mut db[..]));
        let mut missing = (sum && !made).then_some(&mut db[..]);
        let (x, weight) = (plain(self.x.clone()), plain(self.weight.clone()));
        let dw = wanted[1].then(|| {
            let mut dw = vec![0.0; g.w_len()];
            if factor == 1 {
                conv_kernel::weight_grad(&g, precision, stored(&x), stored(&dz), &mut dw, missing.take());
            } else {
                upsample_conv::weight_grad(
                    &self.spec.upsampled(),
                    precision,
                    stored(&x),
                    stored(&dz),
                    &mut dw,
                    missing.take(),
                );
            }
            tensor(dw, weight.layout().shape())
        });
        if let Some(db) = missing {
            activation::bias_grad(stored(&dz), db);
        }
        let dx = wanted[0].then(|| {
            filled(storage(&x), x.layout().shape(), |dx| {
                let (dz, w) = (stored(&dz), values(&weight));
                if factor == 1 {
                    conv_kernel::input_grad(&g, precision, dz, w, None, self.spec.epilogue(&x), dx);
                } else {
                    upsample_conv::input_grad(&self.spec.upsampled(), precision, dz, w, self.spec.epilogue(&x), dx);
                }
            })
        });
        [dx, dw, wanted[2].then(|| tensor(db, &[g.out_c]))]
    }
}

impl Normalisation {
    /// The layer with its mean, variance, gamma and beta.
    pub(super) fn with<'a>(&self, tensors: [&'a FlexTensor; 4]) -> BatchNorm<'a> {
        let [mean, variance, gamma, beta] = tensors.map(values);
        BatchNorm { mean, variance, gamma, beta, epsilon: self.epsilon, activation: self.activation }
    }
}

impl Conv {
    /// The convolution with its upsampling.
    pub(super) fn upsampled(&self) -> Upsampled<'_> {
        Upsampled { geometry: &self.geometry, factor: self.upsample }
    }

    /// What a gradient of its input `x` goes through at the end.
    pub(super) fn epilogue<'a>(&self, x: &'a FlexTensor) -> Epilogue<'a> {
        match self.backward.input_activation {
            Some(activation) => Epilogue::Slope(activation, stored(x)),
            None => Epilogue::Activate(Activation::Identity),
        }
    }
}

#[derive(Debug)]
pub(super) struct ConvBackward;

impl Backward<Flex, 3> for ConvBackward {
    type State = ConvState;

    fn backward(self, ops: Ops<ConvState, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<Flex>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let made = ops.state.gradients(dy, wanted);
        register(grads, ops.parents.map(|node| node.map(|node| node.id)), made);
    }
}

/// Gives each parent that wants one its gradient.
pub(super) fn register<const N: usize>(
    grads: &mut Gradients,
    parents: [Option<NodeId>; N],
    made: [Option<FlexTensor>; N],
) {
    for (parent, gradient) in parents.into_iter().zip(made) {
        if let (Some(parent), Some(gradient)) = (parent, gradient) {
            grads.register::<Flex>(parent, gradient);
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
        let mut db = vec![0.0; g.in_c];
        // A bias that is subtracted by the next layer has no gradient.
        let wanted = bias_node.is_some() && !state.spec.backward.followed_by_batchnorm;
        let (dz, made) = state.before_activation(dy, wanted.then_some(&mut db[..]));
        let mut missing = (wanted && !made).then_some(&mut db[..]);
        let (x, weight) = (plain(state.x.clone()), plain(state.weight.clone()));
        if let Some(node) = weight_node {
            let mut dw = vec![0.0; g.w_len()];
            conv_kernel::weight_grad(&g, precision, stored(&dz), stored(&x), &mut dw, None);
            grads.register::<Flex>(node.id, tensor(dw, weight.layout().shape()));
        }
        if let Some(db) = missing.take() {
            activation::bias_grad(stored(&dz), db);
        }
        if let Some(node) = bias_node {
            grads.register::<Flex>(node.id, tensor(db, &[g.in_c]));
        }
        if let Some(node) = x_node {
            let dx = filled(storage(&x), x.layout().shape(), |dx| {
                conv_kernel::forward(&g, precision, stored(&dz), values(&weight), None, state.spec.epilogue(&x), dx);
            });
            grads.register::<Flex>(node.id, dx);
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct NormState {
    pub(super) x: FlexTensor,
    pub(super) gamma: FlexTensor,
    pub(super) beta: FlexTensor,
    pub(super) mean: FlexTensor,
    pub(super) variance: FlexTensor,
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
        let [x, gamma, beta, mean, variance] = [s.x, s.gamma, s.beta, s.mean, s.variance].map(plain);
        let channels = values(&mean).len();
        let (mut dgamma, mut dbeta) = (vec![0.0; channels], vec![0.0; channels]);
        let dx = filled(storage(&x), x.layout().shape(), |dx| {
            let layer = s.spec.with([&mean, &variance, &gamma, &beta]);
            let (x, dy) = (stored(&x), stored(&dy));
            match &s.spec.slice {
                Some(slice) if s.spec.from_batch => {
                    norm::backward_train_slice(&layer, x, dy, dx, [&mut dgamma, &mut dbeta], |own| slice.means(own));
                }
                _ if s.spec.from_batch => norm::backward_train(&layer, x, dy, dx, &mut dgamma, &mut dbeta),
                _ => norm::backward_infer(&layer, x, dy, dx, &mut dgamma, &mut dbeta),
            }
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
