//! Products of bfloat16 operands, summed in f32. Where the processor multiplies bf16 itself (AMX tiles, or AVX-512's dot
//! product of pairs), images are rounded and laid out once per task (`grid`, `source`, `im2col`), weights once per call (`panels`, `prepared`),
//! and blocks of 32 x 32 sums are made from both (`product`, with one file per instruction set). Elsewhere the rounded
//! operands are kept as f32 and the f32 kernels do the rest (`emulated`), in Winograd's form where that pays: the same sums but for f32's
//! rounding, and for numbers below the normal ones, which AMX and AVX-512 take for 0.
//!
//! Rounding is part of the meaning of a layer and is the same everywhere: a source value once; a weight once, after the
//! kernel pixels of one tap were summed; in the columns form, which has no taps, every weight.

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod chain;
mod columns;
pub(crate) mod convert;
mod emulated;
mod finish;
mod gather;
mod grid;
mod im2col;
mod outer;
mod panels;
mod prepared;
mod product;
mod source;
mod transpose;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use crate::activation;
use crate::epilogue::{Epilogue, multiply_by_slope};
use crate::plan::{Phase, Plan};
use crate::precision::Precision;
use crate::stored::{Values, ValuesMut};
use product::Engine;

/// Rows of a tile: pixels of a gather, destination channels of a weight gradient (source values under im2col).
const ROWS: usize = 16;
/// Operand values that one step of a tile multiplies: 16 pairs of source channels, or of pixels.
const STEP: usize = 32;
/// Sums along each side of a block: two tiles.
const SIDE: usize = 2 * ROWS;
/// Pairs of one step of a panel: 16 for each of 32 columns.
const STEP_PAIRS: usize = STEP / 2 * SIDE;
/// Source channels up to which im2col pays: steps of 32 would be mostly zeros.
const FEW_CHANNELS: usize = 16;

pub(crate) use chain::chain;

/// True where the instruction set in use multiplies bf16.
pub(crate) fn in_hardware() -> bool {
    Engine::in_use().is_some()
}

/// True where the processor and the system have AMX with bf16.
#[cfg(target_arch = "x86_64")]
pub(crate) fn amx_available() -> bool {
    amx::available()
}

/// [`crate::gather::gather`] with operands of the given precision, stored in either form.
pub(crate) fn gather(
    precision: Precision,
    plan: &Plan,
    x: Values,
    w: &[f32],
    bias: Option<&[f32]>,
    then: Epilogue,
    mut y: ValuesMut,
) {
    if let (Precision::Bf16, Some(engine)) = (precision, Engine::in_use()) {
        return gather_on(engine, plan, x, w, bias, then, y);
    }
    let (act, slope) = then.parts();
    match precision {
        Precision::F32 => x.with_f32(|x| y.again().with_f32(|y| crate::gather::gather(plan, x, w, bias, act, y))),
        Precision::Bf16 => y.again().with_f32(|y| emulated::gather(plan, x, w, bias, act, y)),
    }
    if let Some((bent, of)) = slope {
        multiply_by_slope(bent, of, y);
    }
}

fn gather_on(engine: Engine, plan: &Plan, x: Values, w: &[f32], bias: Option<&[f32]>, then: Epilogue, y: ValuesMut) {
    if y.is_empty() {
        return;
    }
    prepared::with_weights(engine, plan, w, bias, |prepared| prepared.run(x, then, y));
}

/// [`crate::outer::outer`] with operands of the given precision, stored in either form; where asked for, `db` is the sum of
/// `to` over all pixels.
pub(crate) fn outer(
    precision: Precision,
    plan: &Plan,
    from: Values,
    to: Values,
    dw: &mut [f32],
    db: Option<&mut [f32]>,
) {
    match (precision, Engine::in_use()) {
        (Precision::F32, _) => from.with_f32(|from| to.with_f32(|to| crate::outer::outer(plan, from, to, dw))),
        (Precision::Bf16, None) => emulated::outer(plan, from, to, dw),
        (Precision::Bf16, Some(engine)) => return outer::outer(engine, plan, from, to, dw, db),
    }
    if let Some(db) = db {
        activation::bias_grad(to, db);
    }
}

/// How the source values behind one destination pixel of a phase are lined up: tap after tap, `spread` values each, filled
/// up with zeros to whole steps.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Depth {
    /// Values of one tap: the channels under im2col, else the channels filled up to whole steps.
    spread: usize,
    /// Values in all, whole steps.
    values: usize,
}

impl Depth {
    fn of(plan: &Plan, phase: &Phase) -> Self {
        let spread = if few_channels(plan) { plan.from.c } else { plan.from.c.next_multiple_of(STEP) };
        Self { spread, values: (phase.taps.len() * spread).next_multiple_of(STEP) }
    }

    fn steps(self) -> usize {
        self.values / STEP
    }
}

/// Whether the source is laid out through im2col.
fn few_channels(plan: &Plan) -> bool {
    plan.from.c <= FEW_CHANNELS
}
