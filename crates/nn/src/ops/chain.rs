//! Two convolutions in a row, or two with batch normalisation between them, as one operation ([`faussaire_kernels::chain`]):
//! under bf16, if the intermediate image is much larger than the result.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::backend::{Dispatch, Flex};
use burn::tensor::Tensor;
use faussaire_kernels::ValuesMut;
use faussaire_kernels::chain::normed::{self, Norm};
use faussaire_kernels::chain::{self as kernel, Stage};

use super::backward::{ConvState, register};
use super::native::{NativeOps, flex, wrap};
use super::values::{filled, filled_with, plain, serves_stored, storage, stored, tensor, values};
use super::{Activation, Conv, Normalisation, Precision, batchnorm, conv, conv_transpose, moments};

/// A convolution with its weights.
#[derive(Clone, Debug)]
pub struct Convolution {
    /// Weights.
    pub weight: Tensor<1>,
    /// Bias.
    pub bias: Tensor<1>,
    /// The convolution.
    pub spec: Conv,
    /// Whether it is the transpose of `spec`.
    pub transposed: bool,
}

impl Convolution {
    fn is_tracked(&self) -> bool {
        self.weight.is_tracked() || self.bias.is_tracked()
    }

    fn apply(self, x: Tensor<4>) -> Tensor<4> {
        let Self { weight, bias, spec, transposed } = self;
        if transposed { conv_transpose(x, weight, bias, spec) } else { conv(x, weight, bias, spec) }
    }
}

/// The operations of a chain, without tensors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChainSpec {
    convs: [Conv; 2],
    transposed: [bool; 2],
}

impl ChainSpec {
    fn of(stages: [&Convolution; 2]) -> Self {
        Self { convs: stages.map(|stage| stage.spec), transposed: stages.map(|stage| stage.transposed) }
    }

    /// Both convolutions.
    pub(super) fn convs(&self) -> [Conv; 2] {
        self.convs
    }

    /// Output shape of stage `nth`.
    fn shape(&self, nth: usize) -> [usize; 4] {
        let g = &self.convs[nth].geometry;
        if self.transposed[nth] { [g.batch, g.in_h, g.in_w, g.in_c] } else { [g.batch, g.out_h, g.out_w, g.out_c] }
    }
}

/// Whether these can be fused: their kernels store the intermediate image as bf16.
fn go_together(x: &Tensor<4>, stages: [&Convolution; 2]) -> bool {
    let rounded = stages.iter().all(|stage| stage.spec.precision == Precision::Bf16);
    rounded && stages[0].spec.stored == Precision::Bf16 && serves_stored(x)
}

/// One convolution after the other, the first one's result being read by the second alone.
pub fn conv_chain(x: Tensor<4>, [first, second]: [Convolution; 2]) -> Tensor<4> {
    let tracked = x.is_tracked() || first.is_tracked() || second.is_tracked();
    // The gradients of a transposed one are left to it.
    let left = tracked && (first.transposed || second.transposed);
    if left || !go_together(&x, [&first, &second]) {
        return second.apply(first.apply(x));
    }
    let spec = ChainSpec::of([&first, &second]);
    let [w1, b1, w2, b2] = [first.weight, first.bias, second.weight, second.bias].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::native_conv_chain(x.into_dispatch(), w1, b1, w2, b2, spec))
}

/// A convolution without activation, batch normalisation with the batch's own statistics, and a convolution; also those
/// statistics, mean and biased variance. Fused without gradients, else one by one.
pub fn normed_chain(
    x: Tensor<4>,
    [first, second]: [Convolution; 2],
    [gamma, beta]: [Tensor<1>; 2],
    norm: Normalisation,
) -> (Tensor<4>, [Tensor<1>; 2]) {
    let tracked =
        x.is_tracked() || first.is_tracked() || second.is_tracked() || gamma.is_tracked() || beta.is_tracked();
    let usual = !tracked
        && norm.from_batch
        && norm.slice.is_none()
        && norm.stored == Precision::Bf16
        && first.spec.activation == Activation::Identity;
    if !usual || !go_together(&x, [&first, &second]) {
        let middle = first.apply(x);
        let statistics = moments(&middle, norm.slice.as_ref());
        return (second.apply(batchnorm(middle, [gamma, beta], statistics.clone(), norm)), statistics);
    }
    let spec = ChainSpec::of([&first, &second]);
    let [w1, b1, w2, b2, gamma, beta] = [first.weight, first.bias, second.weight, second.bias, gamma, beta].map(flex);
    let x = flex(x);
    let channels = spec.shape(0)[3];
    let (mut mean, mut variance) = (vec![0.0; channels], vec![0.0; channels]);
    let y = filled(spec.convs[1].stored, &spec.shape(1), |y| {
        with_stages([values(&w1), values(&w2)], [values(&b1), values(&b2)], &spec, |stages| {
            let (epsilon, activation) = (norm.epsilon, norm.activation);
            let norm = Norm { gamma: values(&gamma), beta: values(&beta), epsilon, activation };
            normed::forward(stages, &norm, stored(&x), y, &mut mean, &mut variance);
        });
    });
    (wrap(y), [mean, variance].map(|v| wrap(tensor(v, &[channels]))))
}

/// Calls `work` with the stages that these weights and biases make.
fn with_stages<R>(
    weights: [&[f32]; 2],
    biases: [&[f32]; 2],
    spec: &ChainSpec,
    work: impl FnOnce([&Stage; 2]) -> R,
) -> R {
    let stage = |nth: usize| {
        let Conv { geometry, upsample, activation, .. } = &spec.convs[nth];
        let (weight, bias) = (weights[nth], biases[nth]);
        let (transposed, activation) = (spec.transposed[nth], *activation);
        Stage { geometry, upsample: *upsample, transposed, weight, bias, activation }
    };
    work([&stage(0), &stage(1)])
}

/// The result.
pub(super) fn forward(
    x: FlexTensor,
    weights: [FlexTensor; 2],
    biases: [FlexTensor; 2],
    spec: &ChainSpec,
) -> FlexTensor {
    run(x, weights, biases, spec, None)
}

/// The intermediate image, and the result.
pub(super) fn forward_keeping(
    x: FlexTensor,
    weights: [FlexTensor; 2],
    biases: [FlexTensor; 2],
    spec: &ChainSpec,
) -> (FlexTensor, FlexTensor) {
    filled_with(Precision::Bf16, &spec.shape(0), |between| run(x, weights, biases, spec, Some(between)))
}

fn run(
    x: FlexTensor,
    weights: [FlexTensor; 2],
    biases: [FlexTensor; 2],
    spec: &ChainSpec,
    between: Option<ValuesMut>,
) -> FlexTensor {
    let (x, weights, biases) = (plain(x), weights.map(plain), biases.map(plain));
    let (weights, biases) = (weights.each_ref().map(values), biases.each_ref().map(values));
    filled(spec.convs[1].stored, &spec.shape(1), |y| {
        with_stages(weights, biases, spec, |stages| kernel::forward(stages, stored(&x), between, y));
    })
}

/// What the backward pass needs; the intermediate image is the second one's `x`.
#[derive(Clone, Debug)]
pub(super) struct ChainState {
    pub(super) stages: [ConvState; 2],
    pub(super) biases: [FlexTensor; 2],
    pub(super) spec: ChainSpec,
}

#[derive(Debug)]
pub(super) struct ChainBackward;

impl Backward<Flex, 5> for ChainBackward {
    type State = ChainState;

    fn backward(self, ops: Ops<ChainState, 5>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<Flex>(&ops.node);
        let [first, second] = &ops.state.stages;
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let made = match wanted {
            [dx, true, true, true, true] => together(&ops.state, dy, dx),
            // A frozen layer: each as it would do alone.
            [dx, w1, b1, w2, b2] => {
                let [dz, dw2, db2] = second.gradients(dy, [dx || w1 || b1, w2, b2]);
                let [dx, dw1, db1] = dz.map(|dz| first.gradients(dz, [dx, w1, b1])).unwrap_or_default();
                [dx, dw1, db1, dw2, db2]
            }
        };
        register(grads, ops.parents.map(|node| node.map(|node| node.id)), made);
    }
}

fn together(state: &ChainState, dy: FlexTensor, wants_dx: bool) -> [Option<FlexTensor>; 5] {
    let [first, second] = &state.stages;
    let (dz, _) = second.before_activation(dy, None);
    let [x, between] = [first, second].map(|stage| plain(stage.x.clone()));
    let [w1, w2] = [first, second].map(|stage| plain(stage.weight.clone()));
    let [b1, b2] = state.biases.clone().map(plain);
    let [mut dw1, mut dw2] = [&w1, &w2].map(|w| vec![0.0; values(w).len()]);
    let [mut db1, mut db2] = [&b1, &b2].map(|b| vec![0.0; values(b).len()]);
    let weights = [values(&w1), values(&w2)];
    let mut run = |dx: Option<ValuesMut>| {
        with_stages(weights, [values(&b1), values(&b2)], &state.spec, |stages| {
            let gradients = kernel::Gradients { weights: [&mut dw1, &mut dw2], biases: [&mut db1, &mut db2], x: dx };
            kernel::backward(stages, stored(&x), stored(&between), stored(&dz), first.spec.epilogue(&x), gradients);
        });
    };
    let dx = if wants_dx {
        Some(filled(storage(&x), x.layout().shape(), |dx| run(Some(dx))))
    } else {
        run(None);
        None
    };
    let [dw1, dw2] = [(dw1, &w1), (dw2, &w2)].map(|(dw, w)| Some(tensor(dw, w.layout().shape())));
    let [db1, db2] = [(db1, &b1), (db2, &b2)].map(|(db, b)| Some(tensor(db, b.layout().shape())));
    // A bias that is subtracted again has no gradient.
    let db2 = if second.spec.backward.followed_by_batchnorm {
        Some(tensor(vec![0.0; values(&b2).len()], b2.layout().shape()))
    } else {
        db2
    };
    [dx, dw1, db1, dw2, db2]
}
