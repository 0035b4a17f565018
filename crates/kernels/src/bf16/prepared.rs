//! A gather whose weights are laid out, in the form that suits its shape: to be run on all images at once, or on some at a
//! time.

use super::product::Engine;
use super::{columns, finish, gather};
use crate::epilogue::{Epilogue, multiply_by_slope};
use crate::plan::Plan;
use crate::stored::{Values, ValuesMut};
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

/// Who runs it.
#[derive(Clone, Copy, PartialEq)]
enum Threads {
    All,
    This,
}

impl Prepared<'_> {
    /// `y = then(gather(x, w) + bias)` for all images; `y` is written completely.
    pub(super) fn run(&self, x: Values, then: Epilogue, y: ValuesMut) {
        self.run_on(Threads::All, x, then, y);
    }

    /// [`Self::run`] for the images of `x`, some of the plan's or all, on this thread.
    pub(super) fn run_here(&self, x: Values, then: Epilogue, y: ValuesMut) {
        self.run_on(Threads::This, x, then, y);
    }

    fn run_on(&self, threads: Threads, x: Values, then: Epilogue, mut y: ValuesMut) {
        let (act, slope) = then.parts();
        match self {
            // Few outputs: rounding them takes no time to speak of.
            Self::Columns(ready) => y.again().with_f32(|y| match threads {
                Threads::All => ready.run(x, act, y),
                Threads::This => ready.run_here(x, act, y),
            }),
            Self::Blocks(ready) => {
                let run = |then, y| match threads {
                    Threads::All => ready.run(x, then, y),
                    Threads::This => ready.run_here(x, then, y),
                };
                if let (Some((bent, Values::Bf16(of))), ValuesMut::Bf16(_)) = (slope, &y)
                    && let Some(below) = finish::slope_below(bent)
                {
                    return run(Then::Slope(below, of), y);
                }
                run(Then::Activate(act), y.again());
            }
        }
        if let Some((bent, of)) = slope {
            multiply_by_slope(bent, of, y);
        }
    }
}
