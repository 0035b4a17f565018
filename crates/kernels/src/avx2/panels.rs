//! Weights as the tiles read them: for each phase and each 16 destination channels a panel
//! `[tap, source channel, 16]`, kernel pixels of a tap summed, missing channels zero. Packed once per call.

use super::COLS;
use crate::plan::{Phase, Plan};
use rayon::prelude::*;

/// Panels of a phase.
pub(super) fn count(plan: &Plan) -> usize {
    plan.to.c.div_ceil(COLS)
}

/// Values of one panel of a phase.
pub(super) fn len(plan: &Plan, phase: &Phase) -> usize {
    phase.taps.len() * plan.from.c * COLS
}

/// Values of all panels of all phases.
pub(super) fn total(plan: &Plan) -> usize {
    plan.phases.iter().map(|p| len(plan, p)).sum::<usize>() * count(plan)
}

/// Values whose packing is worth another thread's attention.
const WORTH_A_THREAD: usize = 1 << 14;

/// Packs all phases one after the other; `packed` has [`total`] values.
pub(super) fn pack(plan: &Plan, w: &[f32], packed: &mut [f32]) {
    let mut rest = packed;
    let mut panels = Vec::new();
    for phase in &plan.phases {
        for panel in 0..count(plan) {
            let (values, tail) = rest.split_at_mut(len(plan, phase));
            panels.push((phase, panel * COLS, values));
            rest = tail;
        }
    }
    let longest = plan.phases.iter().map(|p| len(plan, p)).max().unwrap_or(0);
    let least = WORTH_A_THREAD.div_ceil(longest.max(1));
    panels.into_par_iter().with_min_len(least).for_each(|(phase, first, values)| {
        let taps = values.chunks_exact_mut((plan.from.c * COLS).max(1));
        for (values, tap) in taps.zip(&phase.taps) {
            for (nth, &k) in tap.kernels.iter().enumerate() {
                let w = &w[k * plan.from.c * plan.to.c..][..plan.from.c * plan.to.c];
                if plan.transposed {
                    add_columns(plan, w, first, nth == 0, values);
                } else {
                    add_rows(plan, w, first, nth == 0, values);
                }
            }
        }
    });
}

/// Weights `[source channel, destination channel]`: each row of the panel is a piece of a row of `w`.
fn add_rows(plan: &Plan, w: &[f32], first: usize, overwrite: bool, values: &mut [f32]) {
    let width = COLS.min(plan.to.c - first);
    for (row, w) in values.chunks_exact_mut(COLS).zip(w.chunks_exact(plan.to.c)) {
        let w = &w[first..first + width];
        match (overwrite, <&[f32; COLS]>::try_from(w)) {
            (true, Ok(w)) => row.copy_from_slice(w),
            (true, Err(_)) => {
                row[..width].copy_from_slice(w);
                row[width..].fill(0.0);
            }
            (false, _) => row.iter_mut().zip(w).for_each(|(v, w)| *v += w),
        }
    }
}

/// Weights `[destination channel, source channel]`: each row of `w` becomes a column of the panel.
fn add_columns(plan: &Plan, w: &[f32], first: usize, overwrite: bool, values: &mut [f32]) {
    let width = COLS.min(plan.to.c - first);
    let rows: [&[f32]; COLS] = std::array::from_fn(|j| {
        let n = first + j.min(width - 1);
        &w[n * plan.from.c..][..plan.from.c]
    });
    for (c, row) in values.chunks_exact_mut(COLS).enumerate() {
        for (j, value) in row.iter_mut().enumerate() {
            let w = if j < width { rows[j][c] } else { 0.0 };
            *value = if overwrite { w } else { *value + w };
        }
    }
}
