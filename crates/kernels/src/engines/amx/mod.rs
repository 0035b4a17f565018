//! The AMX engine: products of bfloat16 operands, summed in f32, for processors that multiply bf16 themselves ([`Bf16Unit`]):
//! on AMX's tiles (`tiles`) or with AVX-512's dot product of pairs (`avx512`). `emulated` prepares the operands where neither
//! is there; an f32 engine does the rest, Winograd's form included where that pays: the same sums but for f32's rounding, and
//! for numbers below the normal ones, which AMX and AVX-512 take for 0.
//!
//! Images are rounded and laid out once per task (`grid`, `source`, `im2col`), weights once per call (`panels`, `prepared`),
//! and blocks of 32 x 32 sums are made from both (`product`). `fprop` runs forward passes and input gradients, `wgrad` weight
//! gradients, `col2im` plans with few destination channels, `chain` two convolutions in a row; `finish` takes sums to stored
//! results.
//!
//! Rounding is part of the meaning of a layer and is the same everywhere: a source value once; a weight once, after the
//! kernel pixels of one tap were summed; in col2im, which has no taps, every weight.
//!
//! [`Bf16Unit`]: crate::isa::Bf16Unit

#[cfg(target_arch = "x86_64")]
mod avx512;
pub(crate) mod chain;
mod col2im;
pub(crate) mod emulated;
mod finish;
mod fprop;
mod grid;
mod im2col;
mod panels;
pub(crate) mod prepared;
mod product;
mod source;
#[cfg(target_arch = "x86_64")]
mod tiles;
mod transpose;
pub(crate) mod wgrad;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use crate::plan::{Phase, Plan};

/// Rows of a tile: pixels of a plan, destination channels of a weight gradient (source values under im2col).
const ROWS: usize = 16;
/// Operand values that one step of a tile multiplies: 16 pairs of source channels, or of pixels.
const STEP: usize = 32;
/// Sums along each side of a block: two tiles.
const SIDE: usize = 2 * ROWS;
/// Pairs of one step of a panel: 16 for each of 32 columns.
const STEP_PAIRS: usize = STEP / 2 * SIDE;
/// Source channels up to which im2col pays: steps of 32 would be mostly zeros.
const FEW_CHANNELS: usize = 16;

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
