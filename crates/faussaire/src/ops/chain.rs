//! Two convolutions in a row as one operation ([`faussaire_kernels::chain`]): under bf16, where what lies between them is
//! much larger than what comes out.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::backend::{Dispatch, Flex};
use burn::tensor::Tensor;
use faussaire_kernels::ValuesMut;
use faussaire_kernels::chain::{self as kernel, Stage};

use super::backward::{ConvState, register};
use super::native::NativeOps;
use super::values::{filled, filled_with, plain, serves_stored, storage, stored, tensor, values};
use super::{Conv, Precision, conv};

/// Weights and bias of a convolution, and what it is.
pub type Convolution = ([Tensor<1>; 2], Conv);

/// [`conv`] twice, what the first makes going to the second and to nobody else.
pub fn conv_chain(x: Tensor<4>, [first, second]: [Convolution; 2]) -> Tensor<4> {
    let ([w1, b1], spec1) = first;
    let ([w2, b2], spec2) = second;
    let rounded = |spec: Conv| spec.precision == Precision::Bf16;
    let together = rounded(spec1) && rounded(spec2) && spec1.stored == Precision::Bf16;
    if !together || !serves_stored(&x) {
        return conv(conv(x, w1, b1, spec1), w2, b2, spec2);
    }
    let [w1, b1, w2, b2] = [w1, b1, w2, b2].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::native_conv_chain(x.into_dispatch(), w1, b1, w2, b2, [spec1, spec2]))
}

/// Calls `work` with the stages that these weights and biases make.
fn with_stages<R>(weights: [&[f32]; 2], biases: [&[f32]; 2], specs: &[Conv; 2], work: impl FnOnce([&Stage; 2]) -> R) -> R {
    let stage = |nth: usize| {
        let Conv { geometry, upsample, activation, .. } = &specs[nth];
        Stage { geometry, upsample: *upsample, weight: weights[nth], bias: biases[nth], activation: *activation }
    };
    work([&stage(0), &stage(1)])
}

/// The result.
pub(super) fn forward(x: FlexTensor, weights: [FlexTensor; 2], biases: [FlexTensor; 2], specs: &[Conv; 2]) -> FlexTensor {
    run(x, weights, biases, specs, None)
}

/// What lies between, and the result.
pub(super) fn forward_keeping(
    x: FlexTensor,
    weights: [FlexTensor; 2],
    biases: [FlexTensor; 2],
    specs: &[Conv; 2],
) -> (FlexTensor, FlexTensor) {
    let g = &specs[0].geometry;
    filled_with(Precision::Bf16, &[g.batch, g.out_h, g.out_w, g.out_c], |between| {
        run(x, weights, biases, specs, Some(between))
    })
}

fn run(
    x: FlexTensor,
    weights: [FlexTensor; 2],
    biases: [FlexTensor; 2],
    specs: &[Conv; 2],
    between: Option<ValuesMut>,
) -> FlexTensor {
    let (x, weights, biases) = (plain(x), weights.map(plain), biases.map(plain));
    let Conv { geometry: g, stored: storage, .. } = &specs[1];
    let (weights, biases) = (weights.each_ref().map(values), biases.each_ref().map(values));
    filled(*storage, &[g.batch, g.out_h, g.out_w, g.out_c], |y| {
        with_stages(weights, biases, specs, |stages| kernel::forward(stages, stored(&x), between, y));
    })
}

/// What the backward pass needs; what lies between is the second one's `x`.
#[derive(Clone, Debug)]
pub(super) struct ChainState {
    pub(super) stages: [ConvState; 2],
    pub(super) biases: [FlexTensor; 2],
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
    let specs = [first.spec, second.spec];
    let [mut dw1, mut dw2] = specs.map(|spec| vec![0.0; spec.geometry.w_len()]);
    let [mut db1, mut db2] = specs.map(|spec| vec![0.0; spec.geometry.out_c]);
    let weights = [values(&w1), values(&w2)];
    let mut run = |dx: Option<ValuesMut>| {
        with_stages(weights, [values(&b1), values(&b2)], &specs, |stages| {
            let gradients =
                kernel::Gradients { weights: [&mut dw1, &mut dw2], biases: [&mut db1, &mut db2], x: dx };
            kernel::backward(stages, stored(&x), stored(&between), stored(&dz), first.epilogue(&x), gradients);
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
    [dx, dw1, db1, dw2, db2]
}
