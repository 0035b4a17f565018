//! Dropout with a given mask.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Tensor, TensorData};
use faussaire_kernels::dropout as kernel;

use super::Precision;
use super::values::{filled, plain, serves_stored, storage, stored};

/// A dropout mask and the scale of kept values.
#[derive(Clone, Debug)]
pub struct Kept {
    /// 1 for each value that is kept, 0 for one that is dropped.
    pub values: Arc<[u8]>,
    /// The scale of kept values.
    pub scale: f32,
}

/// `x` with dropped values set to 0 and the others scaled; on the CPU stored as `stored`.
pub fn dropout(x: Tensor<4>, kept: Kept, stored: Precision) -> Tensor<4> {
    if serves_stored(&x) {
        return Tensor::from_dispatch(Dispatch::native_dropout(x.into_dispatch(), kept, stored));
    }
    let factors: Vec<f32> = kept.values.iter().map(|k| f32::from(*k) * kept.scale).collect();
    let factors = Tensor::from_data(TensorData::new(factors, x.dims()), (&x.device().inner(), x.dtype()));
    x.mul(factors)
}

/// The operation of this file.
#[backend_extension(Flex, Autodiff)]
pub trait NativeDropout: Backend {
    /// Dropout, stored as asked.
    fn native_dropout(x: FloatTensor<Self>, kept: Kept, storage: Precision) -> FloatTensor<Self>;
}

fn apply(x: &FlexTensor, kept: &Kept, storage: Precision) -> FlexTensor {
    filled(storage, x.layout().shape(), |y| kernel::apply(&kept.values, kept.scale, stored(x), y))
}

impl NativeDropout for Flex {
    fn native_dropout(x: FlexTensor, kept: Kept, storage: Precision) -> FlexTensor {
        apply(&plain(x), &kept, storage)
    }
}

#[derive(Debug)]
struct DropoutBackward;

impl Backward<Flex, 1> for DropoutBackward {
    /// The mask, and the storage of the input and its gradient.
    type State = (Kept, Precision);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = plain(grads.consume::<Flex>(&ops.node));
        let [x_node] = ops.parents;
        let (kept, storage_of_x) = ops.state;
        if let Some(node) = x_node {
            grads.register::<Flex>(node.id, apply(&dy, &kept, storage_of_x));
        }
    }
}

impl<C: CheckpointStrategy> NativeDropout for Autodiff<Flex, C> {
    fn native_dropout(x: FloatTensor<Self>, kept: Kept, storage_of_y: Precision) -> FloatTensor<Self> {
        let nodes = [x.node()];
        let x = x.into_primitive();
        let storage_of_x = storage(&x);
        let y = Flex::native_dropout(x, kept.clone(), storage_of_y);
        match DropoutBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((kept, storage_of_x), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }
}
