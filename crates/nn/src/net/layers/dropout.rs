//! `dropout 0.2`: while training, sets that share of the values to zero and scales the others up (Srivastava et al.
//! 2014); does nothing otherwise.

use burn::tensor::{DType, Tensor};

use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, LayerKind, Mode, Op, Pass, Shape, Storage};
use crate::ops::{self, Activation, Kept, Precision};

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
    /// The mask for `x`; `None` if nothing is dropped.
    fn kept(&self, x: &Tensor<4>, pass: &mut Pass) -> Option<Kept> {
        if pass.mode != Mode::Train || self.rate == 0.0 {
            return None;
        }
        let values = pass.kept(x.dims().iter().product(), self.rate).into();
        Some(Kept { values, scale: 1.0 / (1.0 - self.rate) })
    }
}

impl LayerKind for Dropout {
    fn keyword(&self) -> &'static str {
        "dropout"
    }

    fn op(&self, _: Shape) -> Op {
        Op::Nothing
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        Ok(input)
    }

    fn storage(&self) -> Storage {
        Storage::Either
    }

    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], fused: Fused, pass: &mut Pass) -> Tensor<4> {
        match self.kept(&x, pass) {
            Some(kept) => ops::dropout(x, kept, fused.stored),
            None if x.dtype() == DType::BF16 && fused.stored == Precision::F32 => {
                ops::activate(x, Activation::Identity, fused.stored)
            }
            None => x,
        }
    }

    fn tangent(&self, _: Shape, x: Dual, _: &[Tensor<1>], pass: &mut Pass) -> Dual {
        match self.kept(&x.value, pass) {
            Some(kept) => x.linear(|t| ops::dropout(t, kept.clone(), Precision::F32)),
            None => x,
        }
    }
}
