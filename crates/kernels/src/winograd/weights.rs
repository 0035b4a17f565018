//! Weights at the points of a form, as the products read them, and back: from the gradient at the points to that of the
//! weights.

use super::form::{LANES, Lanes, Matrices, sandwich, with_form};
use super::tiling::Tiling;
use super::{COLS, Shared};
use crate::plan::{Phase, Plan, Tap};
use crate::vectorise::vectorised;
use rayon::prelude::*;
use std::ops::Range;

/// Source channels of a chunk at most: its piece of a panel (16 KB) stays in the first-level cache.
const CHANNELS: usize = 256;

/// Some source channels of one class: what is transformed and multiplied in one go.
pub(super) struct Chunk {
    pub(super) class: usize,
    pub(super) channels: Range<usize>,
    /// Where its weights start.
    pub(super) at: usize,
}

/// All chunks of a phase, in order.
pub(super) fn chunks(plan: &Plan, tiling: &Tiling) -> Vec<Chunk> {
    let pieces = plan.from.c.div_ceil(CHANNELS);
    let per_channel = tiling.form.products() * width(plan);
    let chunk = |class: usize, piece: usize| {
        let channels = piece * plan.from.c / pieces..(piece + 1) * plan.from.c / pieces;
        Chunk { class, at: (class * plan.from.c + channels.start) * per_channel, channels }
    };
    (0..tiling.classes.len()).flat_map(|class| (0..pieces).map(move |piece| chunk(class, piece))).collect()
}

/// Destination channels, rounded up to whole panels.
pub(super) fn width(plan: &Plan) -> usize {
    plan.to.c.next_multiple_of(COLS)
}

/// Values of a phase's weights at all points.
pub(super) fn len(plan: &Plan, tiling: &Tiling) -> usize {
    tiling.classes.len() * plan.from.c * tiling.form.products() * width(plan)
}

/// Weights to `[chunk][panel][point][source channel][16]`; channels that a panel has too many of are zero.
pub(super) fn pack(plan: &Plan, phase: &Phase, tiling: &Tiling, w: &[f32], packed: &mut [f32]) {
    for chunk in chunks(plan, tiling) {
        let panel_len = tiling.form.products() * chunk.channels.len() * COLS;
        let panels = packed[chunk.at..][..panel_len * (width(plan) / COLS)].par_chunks_exact_mut(panel_len);
        let taps = taps_of(phase, tiling, chunk.class);
        panels.enumerate().for_each(|(panel, packed)| {
            with_form!(tiling.form, pack_panel(plan, &taps, w, chunk.channels.clone(), panel * COLS, packed));
        });
    }
}

/// The taps of a class, row after row.
fn taps_of<'a>(phase: &'a Phase, tiling: &Tiling, class: usize) -> Vec<Option<&'a Tap>> {
    tiling.classes[class].taps.iter().map(|tap| tap.map(|t| &phase.taps[t])).collect()
}

vectorised! {
    fn pack_panel[const N: usize, const M: usize, const R: usize](
        plan: &Plan,
        taps: &[Option<&Tap>],
        w: &[f32],
        channels: Range<usize>,
        first: usize,
        packed: &mut [f32],
    ) {
        let count = channels.len();
        for (nth, c) in channels.enumerate() {
            for half in 0..COLS / LANES {
                let mut grid = [[[0.0; LANES]; R]; R];
                for (lanes, tap) in grid.as_flattened_mut().iter_mut().zip(taps) {
                    if let Some(tap) = tap {
                        load_tap(plan, tap, w, c, first + half * LANES, lanes);
                    }
                }
                let points = sandwich(&Matrices::<N, M, R>::TAPS, &grid);
                for (p, lanes) in points.as_flattened().iter().enumerate() {
                    packed[(p * count + nth) * COLS + half * LANES..][..LANES].copy_from_slice(lanes);
                }
            }
        }
    }
}

/// The weights from source channel `c` to destination channels `n..`, kernel pixels of the tap summed.
#[inline(always)]
fn load_tap(plan: &Plan, tap: &Tap, w: &[f32], c: usize, n: usize, lanes: &mut Lanes) {
    let (along_c, along_n) = plan.weight_strides();
    let count = plan.to.c.saturating_sub(n).min(LANES);
    for &k in &tap.kernels {
        let w = &w[k * plan.from.c * plan.to.c + c * along_c..];
        for (l, value) in lanes[..count].iter_mut().enumerate() {
            *value += w[(n + l) * along_n];
        }
    }
}

/// Adds the gradient of one class's taps to `dw`; `sums` holds it at the points, `[point][source channel][width]`.
pub(super) fn add_gradient(plan: &Plan, phase: &Phase, tiling: &Tiling, class: usize, sums: &[f32], dw: &mut [f32]) {
    let taps = taps_of(phase, tiling, class);
    let dw = Shared(dw.as_mut_ptr());
    (0..plan.from.c).into_par_iter().for_each(|c| {
        with_form!(tiling.form, add_channel(plan, &taps, sums, c, dw));
    });
}

vectorised! {
    fn add_channel[const N: usize, const M: usize, const R: usize](
        plan: &Plan,
        taps: &[Option<&Tap>],
        sums: &[f32],
        c: usize,
        dw: Shared,
    ) {
        let width = width(plan);
        for n in (0..plan.to.c).step_by(LANES) {
            let mut points = [[[0.0; LANES]; N]; N];
            for (p, lanes) in points.as_flattened_mut().iter_mut().enumerate() {
                lanes.copy_from_slice(&sums[(p * plan.from.c + c) * width + n..][..LANES]);
            }
            let grid = sandwich(&Matrices::<N, M, R>::TAPS_BACK, &points);
            for (lanes, tap) in grid.as_flattened().iter().zip(taps) {
                if let Some(tap) = tap {
                    store_tap(plan, tap, c, n, lanes, dw);
                }
            }
        }
    }
}

/// Adds a tap's gradient to each of its kernel pixels' weights from source channel `c` to destination channels `n..`.
#[inline(always)]
fn store_tap(plan: &Plan, tap: &Tap, c: usize, n: usize, lanes: &Lanes, dw: Shared) {
    let (along_c, along_n) = plan.weight_strides();
    let count = (plan.to.c - n).min(LANES);
    for &k in &tap.kernels {
        for (l, value) in lanes[..count].iter().enumerate() {
            let at = k * plan.from.c * plan.to.c + c * along_c + (n + l) * along_n;
            // SAFETY: kernel pixel, source and destination channel are inside the weights, and only this call has
            // source channel `c`.
            unsafe { *dw.get().add(at) += value };
        }
    }
}
