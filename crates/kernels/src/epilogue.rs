//! The operation that follows a product: its sums go through it before they are stored.

use crate::activation::Activation;
use crate::stored::{Element, Values, ValuesMut};
use crate::vectorise::vectorised;
use rayon::prelude::*;

/// What happens to sums once their bias is added.
#[derive(Clone, Copy, Debug)]
pub enum Epilogue<'a> {
    /// A forward pass: the activation.
    Activate(Activation),
    /// An input gradient: multiplied with the slope of the activation that made the layer's input, which is given and of
    /// the result's length. The gradient is then the one in front of that activation.
    Slope(Activation, Values<'a>),
}

impl From<Activation> for Epilogue<'_> {
    fn from(activation: Activation) -> Self {
        Self::Activate(activation)
    }
}

impl<'a> Epilogue<'a> {
    /// For some of the results.
    pub(crate) fn part(self, range: std::ops::Range<usize>) -> Self {
        match self {
            Self::Activate(activation) => Self::Activate(activation),
            Self::Slope(activation, of) => Self::Slope(activation, of.part(range)),
        }
    }

    /// Both at once: the activation, and the slope's activation with its values.
    pub(crate) fn parts(self) -> (Activation, Option<(Activation, Values<'a>)>) {
        match self {
            Self::Activate(activation) => (activation, None),
            Self::Slope(activation, of) => (Activation::Identity, Some((activation, of))),
        }
    }
}

/// Values of one task.
const BLOCK: usize = 1 << 14;

/// `dx *= slope(y)`; equal lengths.
pub(crate) fn multiply_by_slope(act: Activation, y: Values, dx: ValuesMut) {
    dx.chunks(BLOCK).zip(y.chunks(BLOCK)).for_each(|(dx, y)| multiply_by_slope_here(act, y, dx));
}

/// [`multiply_by_slope`], on this thread.
pub(crate) fn multiply_by_slope_here(act: Activation, y: Values, dx: ValuesMut) {
    match (y, dx) {
        (Values::F32(y), ValuesMut::F32(dx)) => multiply_block(act, y, dx),
        (Values::F32(y), ValuesMut::Bf16(dx)) => multiply_block(act, y, dx),
        (Values::Bf16(y), ValuesMut::F32(dx)) => multiply_block(act, y, dx),
        (Values::Bf16(y), ValuesMut::Bf16(dx)) => multiply_block(act, y, dx),
    }
}

vectorised! {
    fn multiply_block<Y: Element, D: Element>(act: Activation, y: &[Y], dx: &mut [D]) {
        crate::activation::for_each_activation!(act, |a| {
            for (dx, y) in dx.iter_mut().zip(y) {
                *dx = D::of(dx.wide() * a.slope(y.wide()));
            }
        });
    }
}
