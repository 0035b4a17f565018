//! Self-attention between positions.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Tensor, activation};
use faussaire_kernels::attention::{self as kernel, Attention};
use faussaire_kernels::memory::zeros;

use super::values::{plain, serves, tensor, values};

/// `softmax(query key') value` for each image, the softmax over the keys. `query` and `key` are `[batch, positions,
/// narrow]`, `value` `[batch, positions, wide]`, as is the result.
pub fn attend([query, key, value]: [Tensor<3>; 3]) -> Tensor<3> {
    if serves(&query) {
        let [query, key, value] = [query, key, value].map(Tensor::into_dispatch);
        return Tensor::from_dispatch(Dispatch::native_attend(query, key, value));
    }
    shares(query, key).matmul(value)
}

/// The same with its derivative along `tangents` of the three; both are differentiable. With a the
/// softmax of the scores s, row by row, `a' = a (s' - sum(a s'))`.
pub fn attend_dual([query, key, value]: [Tensor<3>; 3], tangents: [Tensor<3>; 3]) -> [Tensor<3>; 2] {
    let [query_change, key_change, value_change] = tangents;
    let scores_change = query_change.matmul(key.clone().transpose()).add(query.clone().matmul(key_change.transpose()));
    let shares = shares(query, key);
    let weighted = shares.clone().mul(scores_change);
    let shares_change = weighted.clone().sub(shares.clone().mul(weighted.sum_dim(2)));
    let change = shares_change.matmul(value.clone()).add(shares.clone().matmul(value_change));
    [shares.matmul(value), change]
}

fn shares(query: Tensor<3>, key: Tensor<3>) -> Tensor<3> {
    activation::softmax(query.matmul(key.transpose()), 2)
}

/// The operation of this file.
#[backend_extension(Flex, Autodiff)]
pub trait NativeAttention: Backend {
    /// Attention.
    fn native_attend(query: FloatTensor<Self>, key: FloatTensor<Self>, value: FloatTensor<Self>) -> FloatTensor<Self>;
}

fn sizes(query: &FlexTensor, value: &FlexTensor) -> Attention {
    let (query, value) = (query.layout().shape(), value.layout().shape());
    Attention { positions: query[1], narrow: query[2], wide: value[2] }
}

impl NativeAttention for Flex {
    fn native_attend(query: FlexTensor, key: FlexTensor, value: FlexTensor) -> FlexTensor {
        let [query, key, value] = [query, key, value].map(plain);
        let mut out = zeros(values(&value).len());
        kernel::forward(&sizes(&query, &value), values(&query), values(&key), values(&value), &mut out);
        tensor(out, value.layout().shape())
    }
}

#[derive(Debug)]
struct AttendBackward;

impl Backward<Flex, 3> for AttendBackward {
    /// Query, key, value.
    type State = [FlexTensor; 3];

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [query, key, value] = ops.state.map(plain);
        let dout = plain(grads.consume::<Flex>(&ops.node));
        let [mut dq, mut dk, mut dv] = [&query, &key, &value].map(|t| zeros(values(t).len()));
        let inputs = [&query, &key, &value].map(values);
        kernel::backward(&sizes(&query, &value), inputs, values(&dout), [&mut dq, &mut dk, &mut dv]);
        let gradients = [(dq, &query), (dk, &key), (dv, &value)];
        for (node, (gradient, like)) in ops.parents.into_iter().zip(gradients) {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, tensor(gradient, like.layout().shape()));
            }
        }
    }
}

impl<C: CheckpointStrategy> NativeAttention for Autodiff<Flex, C> {
    fn native_attend(query: FloatTensor<Self>, key: FloatTensor<Self>, value: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [query.node(), key.node(), value.node()];
        let saved = [query, key, value].map(|t| t.into_primitive());
        let [query, key, value] = saved.clone();
        let out = Flex::native_attend(query, key, value);
        match AttendBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(saved, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }
}
