//! `dropout 0.2`: while training, sets that share of the values to zero and scales the others up (Srivastava et al.
//! 2014); does nothing otherwise.

use burn::tensor::{Tensor, TensorData};

use super::words::{Reading, Words};
use super::{Dual, Form, Fused, LayerKind, Mode, Pass, Shape};

/// Dropout of single values.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropout {
    rate: f32,
}

impl Dropout {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        Ok(Self { rate: words.number("the share to drop", 0.0, 0.99)? })
    }
}

impl Dropout {
    /// What to multiply `x` with; nothing where nothing is dropped.
    fn mask(&self, x: &Tensor<4>, pass: &mut Pass) -> Option<Tensor<4>> {
        if pass.mode != Mode::Train || self.rate == 0.0 {
            return None;
        }
        let dims = x.dims();
        let scale = 1.0 / (1.0 - self.rate);
        let draws = pass.uniform(dims.iter().product());
        let mask: Vec<f32> = draws.into_iter().map(|u| if u < self.rate { 0.0 } else { scale }).collect();
        Some(Tensor::from_data(TensorData::new(mask, dims), (&x.device().inner(), x.dtype())))
    }
}

impl LayerKind for Dropout {
    fn keyword(&self) -> &'static str {
        "dropout"
    }

    fn form(&self, _: Shape) -> Form {
        Form::Nothing
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        Ok(input)
    }

    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, pass: &mut Pass) -> Tensor<4> {
        match self.mask(&x, pass) {
            Some(mask) => x.mul(mask),
            None => x,
        }
    }

    fn tangent(&self, _: Shape, x: Dual, _: &[Tensor<1>], pass: &mut Pass) -> Dual {
        match self.mask(&x.value, pass) {
            Some(mask) => x.linear(|t| t.mul(mask.clone())),
            None => x,
        }
    }
}
