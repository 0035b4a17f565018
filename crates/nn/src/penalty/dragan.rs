//! DRAGAN (Kodali et al. 2017): the gradient norm is pulled to 1 around real images, at random points between an image and
//! the image plus noise of half the batch's deviation.

use burn::tensor::{Tensor, TensorData};

use super::wgan_gp::WganGp;
use super::{Cost, GradientPenalty};
use crate::ops::host;
use faussaire_data::random::Stream;

pub(super) struct Dragan;

impl GradientPenalty for Dragan {
    fn points(&self, real: &Tensor<4>, _: &Tensor<4>, draws: &Stream, turn: u64) -> Tensor<4> {
        points(real, draws, turn)
    }

    fn cost(&self, norm: f64) -> Cost {
        WganGp.cost(norm)
    }
}

/// `x + alpha * 0.5 std(x) u`, alpha and u uniform on [0, 1), alpha one per image.
fn points(real: &Tensor<4>, draws: &Stream, turn: u64) -> Tensor<4> {
    let dims = real.dims();
    let count: usize = dims.iter().product();
    let mut uniform = draws.uniform(turn, dims[0] + count, 0.0, 1.0);
    let alpha = uniform.split_off(count);
    let per_image = count / dims[0].max(1);
    for (noise, a) in uniform.chunks_mut(per_image.max(1)).zip(alpha) {
        noise.iter_mut().for_each(|u| *u *= 0.5 * a);
    }
    let noise = Tensor::from_data(TensorData::new(uniform, dims), (&real.device().inner(), real.dtype()));
    real.clone().add(noise.mul_scalar(deviation(&host(real))))
}

/// The standard deviation of all values, summed in their order: a parallel sum would depend on the number of threads.
fn deviation(values: &[f32]) -> f32 {
    let n = values.len().max(1) as f64;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    (values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n).sqrt() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn points_stay_within_half_a_deviation() {
        let values: Vec<f32> = (0..60).map(|i| if i % 2 == 0 { 1.0 } else { 3.0 }).collect();
        let real = Tensor::<4>::from_data(TensorData::new(values.clone(), [10, 2, 3, 1]), &Device::flex());
        let moved = host(&points(&real, &Stream::new(1, "alpha"), 0));
        let steps: Vec<f32> = moved.iter().zip(&values).map(|(a, b)| a - b).collect();
        assert!(steps.iter().all(|s| (0.0..0.5).contains(s)), "{steps:?}");
        let mean = steps.iter().sum::<f32>() / 60.0;
        assert!((0.05..0.25).contains(&mean), "{mean}");
    }
}
