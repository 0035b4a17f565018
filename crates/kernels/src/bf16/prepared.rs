//! A gather whose weights are laid out, in the form that suits its shape: to be run on all images at once, or on some at a
//! time.

use super::product::Engine;
use super::{columns, finish, gather};
use crate::epilogue::{Epilogue, multiply_by_slope, multiply_by_slope_here};
use crate::plan::Plan;
use crate::stored::{Values, ValuesMut};
use crate::workspace;
use finish::Then;

pub(super) enum Prepared<'a> {
    Columns(&'a columns::Ready<'a>),
    Blocks(&'a gather::Ready<'a>),
}

/// Lays out the weights of a plan, for `work` to run it. The engine's instructions must be there.
pub(super) fn with_weights<R>(
    engine: Engine,
    plan: &Plan,
    w: &[f32],
    bias: Option<&[f32]>,
    work: impl FnOnce(&Prepared) -> R,
) -> R {
    if crate::columns::pays(plan) {
        columns::with_weights(engine, plan, w, bias, |ready| work(&Prepared::Columns(ready)))
    } else {
        gather::with_weights(engine, plan, w, bias, |ready| work(&Prepared::Blocks(ready)))
    }
}

impl Prepared<'_> {
    /// `y = then(gather(x, w) + bias)` for all images; `y` is written completely.
    pub(super) fn run(&self, x: Values, then: Epilogue, mut y: ValuesMut) {
        let (act, slope) = then.parts();
        match self {
            // Few outputs: rounding them takes no time to speak of.
            Self::Columns(ready) => y.again().with_f32(|y| ready.run(x, act, y)),
            Self::Blocks(ready) => match in_blocks(then, &y) {
                Some(then) => return ready.run(x, then, y),
                None => ready.run(x, Then::Activate(act), y.again()),
            },
        }
        if let Some((bent, of)) = slope {
            multiply_by_slope(bent, of, y);
        }
    }

    /// [`Self::run`] for the images of `x`, some of the plan's or all, on this thread.
    pub(super) fn run_here(&self, x: Values, then: Epilogue, mut y: ValuesMut) {
        let (act, slope) = then.parts();
        match self {
            Self::Columns(ready) => workspace::with(y.buffer_len(y.len()), |buffer| {
                y.again().fill(buffer, |y| ready.run_here(x, act, y));
            }),
            Self::Blocks(ready) => match in_blocks(then, &y) {
                Some(then) => return ready.run_here(x, then, y),
                None => ready.run_here(x, Then::Activate(act), y.again()),
            },
        }
        if let Some((bent, of)) = slope {
            multiply_by_slope_here(bent, of, y);
        }
    }
}

/// The slope as blocks multiply with it, if they can.
fn in_blocks<'a>(then: Epilogue<'a>, y: &ValuesMut) -> Option<Then<'a>> {
    match (then, y) {
        (Epilogue::Slope(bent, Values::Bf16(of)), ValuesMut::Bf16(_)) => {
            finish::slope_below(bent).map(|below| Then::Slope(below, of))
        }
        _ => None,
    }
}
