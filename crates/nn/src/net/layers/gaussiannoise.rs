//! `gaussiannoise 0.1`: while training, adds normal noise with that standard deviation to every value; does nothing
//! otherwise. Noise on all that D sees is `train.noise`, which can fade out.

use burn::tensor::{Tensor, TensorData};

use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, LayerKind, Mode, Op, Pass, Shape};

/// Additive noise.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianNoise {
    deviation: f32,
}

impl GaussianNoise {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        Ok(Self { deviation: words.number("a standard deviation", 0.0, 1e6)? })
    }

    fn noisy(&self, x: Tensor<4>, pass: &mut Pass) -> Tensor<4> {
        if pass.mode != Mode::Train || self.deviation == 0.0 {
            return x;
        }
        let noise = pass.normal(x.dims().iter().product()).into_iter().map(|v| v * self.deviation).collect();
        let data = TensorData::new::<f32, _>(noise, x.dims());
        let noise = Tensor::from_data(data, (&x.device().inner(), x.dtype()));
        x.add(noise)
    }
}

impl LayerKind for GaussianNoise {
    fn keyword(&self) -> &'static str {
        "gaussiannoise"
    }

    fn op(&self, _: Shape) -> Op {
        Op::Nothing
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        Ok(input)
    }

    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, pass: &mut Pass) -> Tensor<4> {
        self.noisy(x, pass)
    }

    /// The noise doesn't depend on the input.
    fn tangent(&self, _: Shape, x: Dual, _: &[Tensor<1>], pass: &mut Pass) -> Dual {
        Dual { value: self.noisy(x.value, pass), tangent: x.tangent }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::net::testing::{applied, network, tensor, values};
    use burn::tensor::{DType, Device};
    use faussaire_data::random::Stream;

    #[test]
    fn noise_of_the_deviation_is_added_while_training_alone() {
        let shape = Shape::Flat(4000);
        let x = vec![2.0; 4000];
        assert_eq!(applied("gaussiannoise 0.5", shape, &x), x);
        let net = network("gaussiannoise 0.5", shape, 0, false);
        let made = |turn: u64| {
            let mut pass = Pass::train(Stream::new(1, "dropout"), turn);
            values(&net.apply(&net.initial(1, &Device::flex()), tensor(&x, [1, 1, 1, 4000], DType::F32), &mut pass))
        };
        let noisy = made(0);
        let mean = noisy.iter().sum::<f64>() / 4000.0;
        let deviation = (noisy.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 4000.0).sqrt();
        assert!((mean - 2.0).abs() < 0.04 && (deviation - 0.5).abs() < 0.03, "{mean} {deviation}");
        assert!(made(0) == noisy && made(1) != noisy);
    }
}
