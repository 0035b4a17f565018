//! WGAN-GP (Gulrajani et al. 2017): the critic's gradient norm is pulled to 1 at random points on the lines between real and generated
//! images.

use burn::tensor::{Tensor, TensorData};

use super::{Cost, GradientPenalty};
use faussaire_data::random::Stream;

pub(super) struct WganGp;

impl GradientPenalty for WganGp {
    /// `alpha x + (1 - alpha) G(z)`, alpha uniform on [0, 1), one per image.
    fn points(&self, real: &Tensor<4>, fake: &Tensor<4>, draws: &Stream, turn: u64) -> Tensor<4> {
        let batch = real.dims()[0];
        let alpha = TensorData::new(draws.uniform(turn, batch, 0.0, 1.0), [batch, 1, 1, 1]);
        let alpha = Tensor::from_data(alpha, (&real.device().inner(), real.dtype()));
        fake.clone().add(real.clone().sub(fake.clone()).mul(alpha))
    }

    /// `(n - 1)^2`. At n = 0 the gradient has no direction, and the cost has no gradient.
    fn cost(&self, norm: f64) -> Cost {
        let rate = if norm > 0.0 { 2.0 * (norm - 1.0) / norm } else { 0.0 };
        Cost { value: (norm - 1.0).powi(2), rate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::host;
    use burn::tensor::Device;

    #[test]
    fn points_lie_between() {
        let constant = |v: f32| Tensor::<4>::full([50, 1, 1, 2], v, &Device::flex());
        let points = host(&WganGp.points(&constant(3.0), &constant(1.0), &Stream::new(1, "alpha"), 7));
        assert!(points.iter().all(|p| (1.0..3.0).contains(p)));
        assert!(points.chunks(2).all(|p| p[0] == p[1]), "one alpha per image");
        let mean = points.iter().sum::<f32>() / 100.0;
        assert!((mean - 2.0).abs() < 0.25, "{mean}");
    }
}
