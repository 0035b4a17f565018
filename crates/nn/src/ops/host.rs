//! Tensors to and from values in the processor's memory.

use burn::tensor::{Device, Tensor, TensorData};

/// A tensor's values in order, on the host.
pub fn host<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.clone().without_autodiff().into_data().iter::<f32>().collect()
}

/// A tensor of host values on `device`.
pub fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}
