//! `dropout2d 0.2`: while training, sets that share of an image's channels to zero and scales the others up (Tompson et
//! al. 2015, SpatialDropout); does nothing otherwise.

use burn::tensor::{Tensor, TensorData};

use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, LayerKind, Mode, Op, Pass, Shape};

/// Dropout of whole channels.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropout2d {
    rate: f32,
}

impl Dropout2d {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        Ok(Self { rate: words.number("the share to drop", 0.0, 0.99)? })
    }

    /// The factor of each channel, `[batch, 1, 1, channels]`; `None` if nothing is dropped.
    fn factors(&self, x: &Tensor<4>, pass: &mut Pass) -> Option<Tensor<4>> {
        if pass.mode != Mode::Train || self.rate == 0.0 {
            return None;
        }
        let [batch, _, _, channels] = x.dims();
        let scale = 1.0 / (1.0 - self.rate);
        let factors = pass.kept(batch * channels, self.rate).into_iter().map(|kept| f32::from(kept) * scale).collect();
        let data = TensorData::new::<f32, _>(factors, [batch, 1, 1, channels]);
        Some(Tensor::from_data(data, (&x.device().inner(), x.dtype())))
    }
}

impl LayerKind for Dropout2d {
    fn keyword(&self) -> &'static str {
        "dropout2d"
    }

    fn op(&self, _: Shape) -> Op {
        Op::Nothing
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        Ok(input)
    }

    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, pass: &mut Pass) -> Tensor<4> {
        match self.factors(&x, pass) {
            Some(factors) => x.mul(factors),
            None => x,
        }
    }

    fn tangent(&self, _: Shape, x: Dual, _: &[Tensor<1>], pass: &mut Pass) -> Dual {
        match self.factors(&x.value, pass) {
            Some(factors) => x.linear(|t| t.mul(factors.clone())),
            None => x,
        }
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
    fn whole_channels_are_dropped_while_training_alone() {
        let shape = Shape::Image(2, 2, 8);
        let ones = vec![1.0; 4 * 8 * 50];
        assert_eq!(applied("dropout2d 0.5", shape, &ones), ones);
        let net = network("dropout2d 0.25", shape, 0, false);
        let x = tensor(&ones, [50, 2, 2, 8], DType::F32);
        let mut pass = Pass::train(Stream::new(1, "dropout"), 0);
        let made = values(&net.apply(&net.initial(1, &Device::flex()), x, &mut pass));
        let (mut dropped, channels) = (0, 50 * 8);
        for image in made.chunks(4 * 8) {
            for channel in 0..8 {
                let pixels: Vec<f64> = image.iter().skip(channel).step_by(8).copied().collect();
                assert!(
                    pixels.iter().all(|v| *v == pixels[0])
                        && (pixels[0] == 0.0 || (pixels[0] - 4.0 / 3.0).abs() < 1e-6)
                );
                dropped += usize::from(pixels[0] == 0.0);
            }
        }
        assert!((dropped as f64 / f64::from(channels) - 0.25).abs() < 0.08, "{dropped} of {channels}");
    }
}
