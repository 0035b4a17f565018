//! Resampling by an integer factor: nearest-neighbour and bilinear upsampling, average pooling. All are linear, so that each is
//! its own derivative along a direction.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Tensor, TensorData};
use faussaire_kernels::memory::zeros;
use faussaire_kernels::resample::Resample;

use super::composed;
use super::values::{plain, serves, tensor, values};

/// Every pixel becomes `factor` x `factor` equal ones; if no convolution after it can absorb it.
pub fn upsample(x: Tensor<4>, factor: usize) -> Tensor<4> {
    if serves(&x) && factor > 1 {
        resample(x, Resample::Spread { factor, scale: 1.0 })
    } else {
        composed::upsample(x, factor)
    }
}

/// The mean of every `factor` x `factor` pixels; `factor` divides both sides.
pub fn average_pool(x: Tensor<4>, factor: usize) -> Tensor<4> {
    if serves(&x) {
        return resample(x, Resample::Collect { factor, scale: 1.0 / (factor * factor) as f32 });
    }
    let [batch, h, w, c] = x.dims();
    let (rows, columns) = (h / factor, w / factor);
    // Pairs of rows first: they are far apart in memory, but contiguous.
    let x: Tensor<4> = x.reshape([batch * rows, factor, w, c]).mean_dim(1);
    let x: Tensor<4> = x.reshape([batch * rows, columns, factor, c]).mean_dim(2);
    x.reshape([batch, rows, columns, c])
}

/// `factor` times as many pixels in both directions, each a weighted mean of the four nearest. Pixels are
/// squares with their centres at half numbers, and the edge is repeated: Keras's `bilinear`, PyTorch's with
/// `align_corners=False`.
pub fn upsample_bilinear(x: Tensor<4>, factor: usize) -> Tensor<4> {
    if serves(&x) {
        return resample(x, Resample::Blend { factor });
    }
    // Along each axis a product with a fixed matrix.
    let [batch, h, w, c] = x.dims();
    let columns = shares(w, factor, &x).matmul(x.reshape([batch * h, w, c]));
    let wide = w * factor;
    let rows = shares(h, factor, &columns).matmul(columns.reshape([batch, h, wide * c]));
    rows.reshape([batch, h * factor, wide, c])
}

/// How much of each of `length` pixels is in each of `factor` times as many: `[1, length * factor, length]`, of the
/// device and precision of `like`.
fn shares<const D: usize>(length: usize, factor: usize, like: &Tensor<D>) -> Tensor<3> {
    let mut shares = vec![0.0f64; length * factor * length];
    for (i, row) in shares.chunks_exact_mut(length).enumerate() {
        let position = ((i as f64 + 0.5) / factor as f64 - 0.5).max(0.0);
        let first = position as usize;
        let second = position - first as f64;
        row[first] += 1.0 - second;
        row[(first + 1).min(length - 1)] += second;
    }
    let data = TensorData::new(shares, [1, length * factor, length]);
    Tensor::from_data(data, (&like.device().inner(), like.dtype()))
}

fn resample(x: Tensor<4>, kind: Resample) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::native_resample(x.into_dispatch(), kind))
}

/// The operation of this file.
#[backend_extension(Flex, Autodiff)]
pub trait NativeResample: Backend {
    /// Resamples every image of `[batch, h, w, c]`.
    fn native_resample(x: FloatTensor<Self>, kind: Resample) -> FloatTensor<Self>;
}

impl NativeResample for Flex {
    fn native_resample(x: FlexTensor, kind: Resample) -> FlexTensor {
        let x = plain(x);
        let shape = x.layout().shape();
        let [batch, h, w, c] = [shape[0], shape[1], shape[2], shape[3]];
        let [rows, columns] = kind.size([h, w]);
        let mut y = zeros(batch * rows * columns * c);
        kind.apply(values(&x), [batch, h, w, c], &mut y);
        tensor(y, &[batch, rows, columns, c])
    }
}

#[derive(Debug)]
struct ResampleBackward;

impl Backward<Flex, 1> for ResampleBackward {
    type State = Resample;

    fn backward(self, ops: Ops<Resample, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<Flex>(&ops.node);
        let [node] = ops.parents;
        if let Some(node) = node {
            grads.register::<Flex>(node.id, Flex::native_resample(dy, ops.state.transpose()));
        }
    }
}

impl<C: CheckpointStrategy> NativeResample for Autodiff<Flex, C> {
    fn native_resample(x: FloatTensor<Self>, kind: Resample) -> FloatTensor<Self> {
        let nodes = [x.node()];
        let y = Flex::native_resample(x.into_primitive(), kind);
        match ResampleBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(kind, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }
}
