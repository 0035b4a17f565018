//! Weights as the tiles read them: for each phase and each 32 destination channels a panel `[step][tile][pair of
//! source values][16]`, kernel pixels of a tap summed, then rounded, missing channels zero. Packed once per call.

use super::transpose::transpose;
use super::{Depth, ROWS, SIDE, STEP, STEP_PAIRS};
use crate::bf16;
use crate::memory::workspace;
use crate::plan::{Phase, Plan};
use rayon::prelude::*;

/// Panels of a phase.
pub(super) fn count(plan: &Plan) -> usize {
    plan.to.c.div_ceil(SIDE)
}

/// Pairs of one panel of a phase.
pub(super) fn len(plan: &Plan, phase: &Phase) -> usize {
    Depth::of(plan, phase).steps() * STEP_PAIRS
}

/// Pairs of all panels of all phases.
pub(super) fn total(plan: &Plan) -> usize {
    plan.phases.iter().map(|p| len(plan, p)).sum::<usize>() * count(plan)
}

/// Pairs whose packing is worth another thread's attention.
const WORTH_A_THREAD: usize = 1 << 13;

/// Packs all phases one after the other; `packed` has [`total`] pairs.
pub(super) fn pack(plan: &Plan, w: &[f32], packed: &mut [u32]) {
    let mut rest = packed;
    let mut panels = Vec::new();
    for phase in &plan.phases {
        for panel in 0..count(plan) {
            let (pairs, tail) = rest.split_at_mut(len(plan, phase));
            panels.push((phase, panel * SIDE, pairs));
            rest = tail;
        }
    }
    let longest = plan.phases.iter().map(|p| len(plan, p)).max().unwrap_or(0);
    let least = WORTH_A_THREAD.div_ceil(longest.max(1));
    panels.into_par_iter().with_min_len(least).for_each(|(phase, first, pairs)| {
        let depth = Depth::of(plan, phase);
        workspace::with(2 * pairs.len(), |sums| {
            sums.fill(0.0);
            if plan.transposed {
                add_columns(plan, phase, depth, w, first, sums);
                pack_columns(depth.values, sums, pairs);
            } else {
                add_rows(plan, phase, depth, w, first, sums);
                pack_rows(sums, pairs);
            }
        });
    });
}

/// Adds weights `[source channel, destination channel]` up into `sums`, `[depth, 32]`.
fn add_rows(plan: &Plan, phase: &Phase, depth: Depth, w: &[f32], first: usize, sums: &mut [f32]) {
    let width = SIDE.min(plan.to.c - first);
    for (t, k) in kernels(phase) {
        let w = &w[k * plan.from.c * plan.to.c..][..plan.from.c * plan.to.c];
        let rows = sums[t * depth.spread * SIDE..].chunks_exact_mut(SIDE);
        for (row, w) in rows.zip(w.chunks_exact(plan.to.c)) {
            row.iter_mut().zip(&w[first..first + width]).for_each(|(s, w)| *s += w);
        }
    }
}

/// Adds weights `[destination channel, source channel]` up into `sums`, `[32, depth]`.
fn add_columns(plan: &Plan, phase: &Phase, depth: Depth, w: &[f32], first: usize, sums: &mut [f32]) {
    let c = plan.from.c;
    for (t, k) in kernels(phase) {
        let w = w[k * c * plan.to.c..][..c * plan.to.c].chunks_exact(c).skip(first);
        for (column, w) in sums.chunks_exact_mut(depth.values.max(1)).zip(w) {
            column[t * depth.spread..][..c].iter_mut().zip(w).for_each(|(s, w)| *s += w);
        }
    }
}

/// The kernel pixels of each tap.
fn kernels(phase: &Phase) -> impl Iterator<Item = (usize, usize)> + '_ {
    phase.taps.iter().enumerate().flat_map(|(t, tap)| tap.kernels.iter().map(move |&k| (t, k)))
}

/// Rounds and packs values `[depth, 32]`.
fn pack_rows(sums: &[f32], pairs: &mut [u32]) {
    for (step, pairs) in sums.chunks_exact(STEP * SIDE).zip(pairs.chunks_exact_mut(STEP_PAIRS)) {
        let (left, right) = pairs.split_at_mut(STEP_PAIRS / 2);
        let places = left.chunks_exact_mut(ROWS).zip(right.chunks_exact_mut(ROWS));
        for (rows, (left, right)) in step.chunks_exact(2 * SIDE).zip(places) {
            let (a, b) = rows.split_at(SIDE);
            bf16::to_pairs(&a[..ROWS], &b[..ROWS], left);
            bf16::to_pairs(&a[ROWS..], &b[ROWS..], right);
        }
    }
}

/// Rounds and packs values `[32, depth]`, `depth` whole steps.
pub(super) fn pack_columns(depth: usize, sums: &[f32], pairs: &mut [u32]) {
    workspace::with(sums.len() / 2, |buffer| {
        let halves = bf16::as_halves(buffer);
        bf16::to_bits(sums, halves);
        // Neighbouring values of a column are a pair already.
        let columns = bf16::as_pairs(buffer);
        for (step, pairs) in pairs.chunks_exact_mut(STEP_PAIRS).enumerate() {
            for (tile, pairs) in pairs.chunks_exact_mut(STEP_PAIRS / 2).enumerate() {
                let columns = &columns[tile * ROWS * depth / 2 + step * ROWS..];
                transpose([ROWS, ROWS], (columns, depth / 2), (pairs, ROWS));
            }
        }
    });
}
