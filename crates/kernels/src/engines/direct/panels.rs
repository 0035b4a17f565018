//! Weights as the tiles read them: for each phase and each `COLS` destination channels a panel
//! `[tap, source channel, COLS]`, kernel pixels of a tap summed, missing channels zero. Packed once per call.

use super::Tiles;
use crate::plan::{Phase, Plan};
use rayon::prelude::*;

/// Panels of a phase.
pub(super) fn count<T: Tiles>(plan: &Plan) -> usize {
    plan.to.c.div_ceil(T::COLS)
}

/// Values of one panel of a phase.
pub(super) fn len<T: Tiles>(plan: &Plan, phase: &Phase) -> usize {
    phase.taps.len() * plan.from.c * T::COLS
}

/// Values of all panels of all phases.
pub(super) fn total<T: Tiles>(plan: &Plan) -> usize {
    plan.phases.iter().map(|p| len::<T>(plan, p)).sum::<usize>() * count::<T>(plan)
}

/// Values whose packing is worth another thread's attention.
const WORTH_A_THREAD: usize = 1 << 14;

/// Packs all phases one after the other; `packed` has [`total`] values.
pub(super) fn pack<T: Tiles>(plan: &Plan, w: &[f32], packed: &mut [f32]) {
    let mut rest = packed;
    let mut panels = Vec::new();
    for phase in &plan.phases {
        for panel in 0..count::<T>(plan) {
            let (values, tail) = rest.split_at_mut(len::<T>(plan, phase));
            panels.push((phase, panel * T::COLS, values));
            rest = tail;
        }
    }
    let longest = plan.phases.iter().map(|p| len::<T>(plan, p)).max().unwrap_or(0);
    let least = WORTH_A_THREAD.div_ceil(longest.max(1));
    panels.into_par_iter().with_min_len(least).for_each(|(phase, first, values)| {
        let taps = values.chunks_exact_mut((plan.from.c * T::COLS).max(1));
        for (values, tap) in taps.zip(&phase.taps) {
            for (nth, &k) in tap.kernels.iter().enumerate() {
                let w = &w[k * plan.from.c * plan.to.c..][..plan.from.c * plan.to.c];
                if plan.transposed {
                    add_columns::<T>(plan, w, first, nth == 0, values);
                } else {
                    add_rows::<T>(plan, w, first, nth == 0, values);
                }
            }
        }
    });
}

/// Weights `[source channel, destination channel]`: each row of the panel is a piece of a row of `w`.
fn add_rows<T: Tiles>(plan: &Plan, w: &[f32], first: usize, overwrite: bool, values: &mut [f32]) {
    let width = T::COLS.min(plan.to.c - first);
    for (row, w) in values.chunks_exact_mut(T::COLS).zip(w.chunks_exact(plan.to.c)) {
        let w = &w[first..first + width];
        match (overwrite, width == T::COLS) {
            (true, true) => row.copy_from_slice(&w[..T::COLS]),
            (true, false) => {
                row[..width].copy_from_slice(w);
                row[width..].fill(0.0);
            }
            (false, _) => row.iter_mut().zip(w).for_each(|(v, w)| *v += w),
        }
    }
}

/// Rows of `w` that are turned at a time.
const TURNED: usize = 16;

/// Weights `[destination channel, source channel]`: each row of `w` becomes a column of the panel.
fn add_columns<T: Tiles>(plan: &Plan, w: &[f32], first: usize, overwrite: bool, values: &mut [f32]) {
    for at in (0..T::COLS).step_by(TURNED) {
        let width = TURNED.min(plan.to.c.saturating_sub(first + at));
        let rows: [&[f32]; TURNED] = std::array::from_fn(|j| {
            let n = if j < width { first + at + j } else { first };
            &w[n * plan.from.c..][..plan.from.c]
        });
        for (c, row) in values.chunks_exact_mut(T::COLS).enumerate() {
            for (j, value) in row[at..at + TURNED].iter_mut().enumerate() {
                let w = if j < width { rows[j][c] } else { 0.0 };
                *value = if overwrite { w } else { *value + w };
            }
        }
    }
}
