//! Weights at the points of a form, as the products read them, and back: from the gradient at the points to that of the
//! weights.

use super::form::{Taps, TapsBack, both, with_form};
use super::lanes::{Lanes, MOST_LANES, on_lanes};
use super::tiling::Tiling;
use crate::engines::shared::Shared;
use crate::plan::{Phase, Plan, Tap};
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

/// All chunks of a phase, in order; destination channels in panels of `cols`.
pub(super) fn chunks(plan: &Plan, tiling: &Tiling, cols: usize) -> Vec<Chunk> {
    let pieces = plan.from.c.div_ceil(CHANNELS);
    let per_channel = tiling.form.products() * plan.to.c.next_multiple_of(cols);
    let chunk = |class: usize, piece: usize| {
        let channels = piece * plan.from.c / pieces..(piece + 1) * plan.from.c / pieces;
        Chunk { class, at: (class * plan.from.c + channels.start) * per_channel, channels }
    };
    (0..tiling.classes.len()).flat_map(|class| (0..pieces).map(move |piece| chunk(class, piece))).collect()
}

/// Values of a phase's weights at all points.
pub(super) fn len(plan: &Plan, tiling: &Tiling, cols: usize) -> usize {
    tiling.classes.len() * plan.from.c * tiling.form.products() * plan.to.c.next_multiple_of(cols)
}

/// Weights to `[chunk][panel][point][source channel][cols]`; channels that a panel has too many of are zero.
pub(super) fn pack(plan: &Plan, phase: &Phase, tiling: &Tiling, cols: usize, w: &[f32], packed: &mut [f32]) {
    for chunk in chunks(plan, tiling, cols) {
        let panel_len = tiling.form.products() * chunk.channels.len() * cols;
        let panels = packed[chunk.at..][..panel_len * plan.to.c.div_ceil(cols)].par_chunks_exact_mut(panel_len);
        let taps = taps_of(phase, tiling, chunk.class);
        panels.enumerate().for_each(|(panel, packed)| {
            let columns = panel * cols..(panel + 1) * cols;
            with_form!(tiling.form, pack_panel(plan, &taps, w, chunk.channels.clone(), columns, packed));
        });
    }
}

/// The taps of a class, row after row.
fn taps_of<'a>(phase: &'a Phase, tiling: &Tiling, class: usize) -> Vec<Option<&'a Tap>> {
    tiling.classes[class].taps.iter().map(|tap| tap.map(|t| &phase.taps[t])).collect()
}

on_lanes! {
    fn pack_panel<L, N, M, R>(
        plan: &Plan,
        taps: &[Option<&Tap>],
        w: &[f32],
        channels: Range<usize>,
        columns: Range<usize>,
        packed: &mut [f32],
    ) {
        let count = channels.len();
        for (nth, c) in channels.enumerate() {
            for n in (0..columns.len()).step_by(L::COUNT) {
                let mut grid = [[L::zero(); R]; R];
                for k in 0..R * R {
                    if let Some(tap) = taps[k] {
                        grid[k / R][k % R] = load_tap(plan, tap, w, c, columns.start + n);
                    }
                }
                let mut points = [[L::zero(); N]; N];
                both::<Taps, L, N, R>(&grid, &mut points);
                for p in 0..N * N {
                    points[p / N][p % N].store(&mut packed[(p * count + nth) * columns.len() + n..][..L::COUNT]);
                }
            }
        }
    }
}

/// The weights from source channel `c` to destination channels `n..`, kernel pixels of the tap summed.
#[inline(always)]
fn load_tap<L: Lanes>(plan: &Plan, tap: &Tap, w: &[f32], c: usize, n: usize) -> L {
    let (along_c, along_n) = plan.weight_strides();
    let count = plan.to.c.saturating_sub(n).min(L::COUNT);
    let mut sum = L::zero();
    for &k in &tap.kernels {
        let w = &w[k * plan.from.c * plan.to.c + c * along_c..];
        if along_n == 1 {
            sum = sum.add(L::load(&w[n.min(w.len())..][..count]));
        } else {
            let mut column = [0.0; MOST_LANES];
            for l in 0..count {
                column[l] = w[(n + l) * along_n];
            }
            sum = sum.add(L::load(&column));
        }
    }
    sum
}

/// Adds the gradient of one class's taps to `dw`; `sums` holds it at the points, `[point][source channel][width]`.
pub(super) fn add_gradient(
    plan: &Plan,
    phase: &Phase,
    tiling: &Tiling,
    class: usize,
    (sums, width): (&[f32], usize),
    dw: &mut [f32],
) {
    let taps = taps_of(phase, tiling, class);
    let dw = Shared::new(dw);
    (0..plan.from.c).into_par_iter().for_each(|c| {
        with_form!(tiling.form, add_channel(plan, &taps, (sums, width), c, dw));
    });
}

on_lanes! {
    fn add_channel<L, N, M, R>(
        plan: &Plan,
        taps: &[Option<&Tap>],
        sums: (&[f32], usize),
        c: usize,
        dw: Shared,
    ) {
        let (sums, width) = sums;
        for n in (0..plan.to.c).step_by(L::COUNT) {
            let mut points = [[L::zero(); N]; N];
            for p in 0..N * N {
                points[p / N][p % N] = L::load(&sums[(p * plan.from.c + c) * width + n..][..L::COUNT]);
            }
            let mut grid = [[L::zero(); R]; R];
            both::<TapsBack, L, R, N>(&points, &mut grid);
            for k in 0..R * R {
                if let Some(tap) = taps[k] {
                    let mut lanes = [0.0; MOST_LANES];
                    grid[k / R][k % R].store(&mut lanes[..L::COUNT]);
                    store_tap(plan, tap, c, n, &lanes[..L::COUNT.min(plan.to.c - n)], dw);
                }
            }
        }
    }
}

/// Adds a tap's gradient to each of its kernel pixels' weights from source channel `c` to destination channels `n..`.
#[inline(always)]
fn store_tap(plan: &Plan, tap: &Tap, c: usize, n: usize, lanes: &[f32], dw: Shared) {
    let (along_c, along_n) = plan.weight_strides();
    for &k in &tap.kernels {
        for (l, value) in lanes.iter().enumerate() {
            let at = k * plan.from.c * plan.to.c + c * along_c + (n + l) * along_n;
            // SAFETY: kernel pixel, source and destination channel are inside the weights, and only this call has
            // source channel `c`.
            unsafe { dw.values(at, 1)[0] += value };
        }
    }
}
