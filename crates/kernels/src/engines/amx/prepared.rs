//! Forward pass or input gradient (fprop or dgrad) with the weights laid out, in the form that suits its shape: to be run on
//! all images at once, or on some at a time.

use super::{col2im, finish, fprop};
use crate::epilogue::{Epilogue, multiply_by_slope, multiply_by_slope_here};
use crate::isa::Bf16Unit;
use crate::memory::workspace;
use crate::plan::Plan;
use crate::stored::{Values, ValuesMut};
use finish::Then;

pub(super) enum Prepared<'a> {
    Col2im(&'a col2im::Ready<'a>),
    Blocks(&'a fprop::Ready<'a>),
}

/// `y = then(plan(x, w) + bias)` for all images; `y` is written completely. The processor must have the unit.
pub(crate) fn run(
    unit: Bf16Unit,
    plan: &Plan,
    x: Values,
    w: &[f32],
    bias: Option<&[f32]>,
    then: Epilogue,
    y: ValuesMut,
) {
    if y.is_empty() {
        return;
    }
    with_weights(unit, plan, w, bias, |prepared| prepared.run(x, then, y));
}

/// Lays out the weights of a plan, for `work` to run it. The processor must have the unit.
pub(super) fn with_weights<R>(
    unit: Bf16Unit,
    plan: &Plan,
    w: &[f32],
    bias: Option<&[f32]>,
    work: impl FnOnce(&Prepared) -> R,
) -> R {
    if crate::engines::col2im::pays(plan) {
        col2im::with_weights(unit, plan, w, bias, |ready| work(&Prepared::Col2im(ready)))
    } else {
        fprop::with_weights(unit, plan, w, bias, |ready| work(&Prepared::Blocks(ready)))
    }
}

impl Prepared<'_> {
    /// `y = then(plan(x, w) + bias)` for all images; `y` is written completely.
    pub(super) fn run(&self, x: Values, then: Epilogue, mut y: ValuesMut) {
        let (act, slope) = then.parts();
        match self {
            // Few outputs: rounding them takes no time to speak of.
            Self::Col2im(ready) => y.again().with_f32(|y| ready.run(x, act, y)),
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
            Self::Col2im(ready) => workspace::with(y.buffer_len(y.len()), |buffer| {
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
