//! What the tests of operations and nets share: numbers made by a formula that Python knows too, and tensors of them in either
//! precision.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::Peers;

/// The numbers of the first slice of two; the other one is tested.
#[derive(Debug)]
pub(crate) struct Known(pub Vec<f32>);

impl Peers for Known {
    fn gather(&self, _: usize, mine: &[f32]) -> Vec<f32> {
        [&self.0, mine].concat()
    }
}

/// splitmix64's top 24 bits as numbers in [0, 1): bench/layers/reference.py has the same.
pub(crate) fn uniform(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed;
    (0..count)
        .map(|_| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^= z >> 31;
            (z >> 40) as f64 / 16_777_216.0
        })
        .collect()
}

/// From -1 to 1, and exact in single precision.
pub(crate) fn signed(seed: u64, count: usize) -> Vec<f64> {
    uniform(seed, count).into_iter().map(|u| 2.0 * u - 1.0).collect()
}

pub(crate) fn tensor<const D: usize>(values: &[f64], shape: [usize; D], dtype: DType) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), (&Device::flex(), dtype))
}

pub(crate) fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.clone().without_autodiff().into_data().iter::<f64>().collect()
}

pub(crate) fn norm(v: &[f64]) -> f64 {
    v.iter().map(|v| v * v).sum::<f64>().sqrt()
}

pub(crate) fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}
