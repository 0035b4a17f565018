//! The weight gradient of a plan whose phases are tiled. At each point, the gradient is a product of the transformed
//! inputs (source channels x tiles) and the transformed gradients of the outputs (tiles x destination channels), summed
//! over all tiles; only then do the sums go back from points to taps. Images are split into a fixed number of parts with
//! sums of their own, which are added in order.

use super::tiling::Tiling;
use super::transform::{Panels, Rows, Source, gradients, inputs};
use super::weights;
use super::{COLS, ROWS, Shared, tiles};
use crate::outer::add_parts;
use crate::plan::{Phase, Plan};
use crate::workspace;
use rayon::prelude::*;
use std::ops::Range;

/// Tiles of a block.
const TILES: usize = 48;
/// Parts at most; each costs sums for all points of a class.
const PARTS: usize = 4;
/// Tiles that make a part worth its own sums.
const PART_TILES: usize = 96;
/// Source channels whose values at one point stay in the first-level cache with a block's tiles.
const CHANNELS: usize = 128;
/// Tasks per thread at least, where the size allows. How panels are grouped changes no sum, so this may depend on the
/// number of threads; each group transforms the inputs again.
const TASKS_PER_THREAD: usize = 2;

/// One class of one phase, as its tasks see it.
struct Call<'a> {
    plan: &'a Plan,
    phase: &'a Phase,
    tiling: &'a Tiling,
    class: usize,
    from: &'a [f32],
    to: &'a [f32],
    /// `[part][point][source channel][width]`
    sums: Shared,
    /// Values of one part.
    total: usize,
}

/// `dw[kernel pixel] = sum over pixels of from (x) to`, one tiling for each phase; `dw` is written completely.
pub(super) fn outer(plan: &Plan, tilings: &[Tiling], from: &[f32], to: &[f32], dw: &mut [f32]) {
    dw.fill(0.0);
    for (phase, tiling) in plan.phases.iter().zip(tilings) {
        let total = tiling.form.products() * plan.from.c * weights::width(plan);
        let parts = (plan.batch * tiling.per_image() / PART_TILES).clamp(1, PARTS.min(plan.batch));
        workspace::with(parts * total, |sums| {
            for class in 0..tiling.classes.len() {
                let shared = Shared(sums.as_mut_ptr());
                run_tasks(&Call { plan, phase, tiling, class, from, to, sums: shared, total }, parts);
                let (first, others) = sums.split_at_mut(total);
                add_parts(first, others);
                weights::add_gradient(plan, phase, tiling, class, first, dw);
            }
        });
    }
}

/// Splits by parts, and by panels where there are few parts.
fn run_tasks(call: &Call, parts: usize) {
    let panels = weights::width(call.plan) / COLS;
    let groups = (TASKS_PER_THREAD * rayon::current_num_threads()).div_ceil(parts).min(panels);
    let tasks = parts * groups;
    let least = call.plan.tasks_worth_a_thread(tasks * call.plan.phases.len() * call.tiling.classes.len());
    (0..tasks).into_par_iter().with_min_len(least).for_each(|task| {
        let (part, group) = (task / groups, task % groups);
        let images = part * call.plan.batch / parts..(part + 1) * call.plan.batch / parts;
        let per_image = call.tiling.per_image();
        let panels = group * panels / groups..(group + 1) * panels / groups;
        run_task(call, part, images.start * per_image..images.end * per_image, panels);
    });
}

/// The sums of a part's tiles for a group of panels.
fn run_task(call: &Call, part: usize, part_tiles: Range<usize>, panels: Range<usize>) {
    let (plan, tiling) = (call.plan, call.tiling);
    let products = tiling.form.products();
    // Rows that are a multiple of a large power of two apart would fall on few lines of the first-level cache.
    let rows = Rows::new(TILES, plan.from.c.next_multiple_of(COLS) + COLS);
    let layout = Panels::new(TILES, panels.len());
    let class = &tiling.classes[call.class];
    let source = Source { plan, tiling, class, channels: 0..plan.from.c, x: call.from };
    workspace::with(products * (rows.point + layout.point), |buffer| {
        let (values, cols) = buffer.split_at_mut(products * rows.point);
        for first in part_tiles.clone().step_by(TILES) {
            let tiles = first..(first + TILES).min(part_tiles.end);
            inputs(&source, tiles.clone(), rows, values);
            gradients(plan, call.phase, tiling, tiles.clone(), panels.clone(), layout, call.to, cols);
            let accumulate = first > part_tiles.start;
            for (p, (values, cols)) in values.chunks_exact(rows.point).zip(cols.chunks_exact(layout.point)).enumerate()
            {
                // SAFETY: point `p` of part `part`, inside the sums; no other task has this part's panels.
                let sums = Shared(unsafe { call.sums.get().add(part * call.total + p * call.total / products) });
                let point = Point { values, stride: rows.stride, cols, tiles: tiles.len() };
                multiply(call, &point, &panels, sums, accumulate);
            }
        }
    });
}

/// A block's values at one point.
struct Point<'a> {
    values: &'a [f32],
    stride: usize,
    cols: &'a [f32],
    tiles: usize,
}

/// Adds a block's products at one point to the sums `[source channel][width]`, or sets them.
fn multiply(call: &Call, point: &Point, panels: &Range<usize>, sums: Shared, accumulate: bool) {
    let (channels, width) = (call.plan.from.c, weights::width(call.plan));
    let offsets: [u32; TILES] = std::array::from_fn(|t| (t * point.stride) as u32);
    for run in (0..channels).step_by(CHANNELS) {
        for (panel, cols) in panels.clone().zip(point.cols.chunks_exact(TILES * COLS)) {
            for c in (run..(run + CHANNELS).min(channels)).step_by(ROWS) {
                let height = ROWS.min(channels - c);
                // SAFETY: this module runs only where AVX2 and FMA are. Each tile's row has `stride` values, at least
                // six more than the channels; `cols` holds 16 values for each tile; the sums are `height` rows of 16
                // inside this task's part and panels, which no other task has.
                unsafe {
                    let tile = tiles::Outer {
                        offsets: &offsets[..point.tiles],
                        rows: point.values[c..].as_ptr(),
                        cols: cols.as_ptr(),
                        sums: sums.get().add(c * width + panel * COLS),
                        stride: width,
                        accumulate,
                    };
                    tiles::outer(height, &tile);
                }
            }
        }
    }
}
