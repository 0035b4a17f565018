//! Between tensors and plain values on the host.

use burn::tensor::{Device, Tensor, TensorData};

/// A tensor's values in order, on the host.
pub fn host<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.clone().without_autodiff().into_data().iter::<f32>().collect()
}

/// A tensor of host values, `[batch, height, width, channels]`.
pub fn tensor(values: Vec<f32>, shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::from_data(TensorData::new(values, shape), device)
}
