//! The weight gradient (wgrad) of a plan whose phases are tiled. At each point, the gradient is a product of the transformed
//! inputs (source channels x tiles) and the transformed gradients of the outputs (tiles x destination channels), summed
//! over all tiles; only then do the sums go back from points to taps. Images are split into a fixed number of parts with
//! sums of their own, which are added in order.

use super::tiling::Tiling;
use super::transform::{Panels, Rows, Source, Target, gradients, inputs};
use super::weights;
use crate::engines::direct::Tiles;
use crate::engines::direct::tile::Outer;
use crate::engines::partial_sums::add_parts;
use crate::engines::shared::Shared;
use crate::memory::workspace;
use crate::plan::{Phase, Plan};
use rayon::prelude::*;
use std::ops::Range;

/// Tiles of a block.
const TILES: usize = 96;
/// Parts at most; each costs sums for all points of a class.
const PARTS: usize = 4;
/// Tiles that make a part worth its own sums.
const PART_TILES: usize = 96;
/// Source channels whose values at one point stay in the first-level cache with a block's tiles.
const CHANNELS: usize = 60;
/// Values of a cache line.
const LINE: usize = 16;
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
    sums: Shared<'a>,
    /// Destination channels, rounded up to whole panels.
    width: usize,
    /// Values of one part.
    total: usize,
}

/// `dw[kernel pixel] = sum over pixels of from (x) to`, one tiling for each phase; `dw` is written completely.
pub(crate) fn run<T: Tiles>(plan: &Plan, tilings: &[Tiling], from: &[f32], to: &[f32], dw: &mut [f32]) {
    dw.fill(0.0);
    let width = plan.to.c.next_multiple_of(T::COLS);
    for (phase, tiling) in plan.phases.iter().zip(tilings) {
        let total = tiling.form.products() * plan.from.c * width;
        let parts = (plan.batch * tiling.per_image() / PART_TILES).clamp(1, PARTS.min(plan.batch));
        workspace::with(parts * total, |sums| {
            for class in 0..tiling.classes.len() {
                let shared = Shared::new(sums);
                run_tasks::<T>(&Call { plan, phase, tiling, class, from, to, sums: shared, width, total }, parts);
                let (first, others) = sums.split_at_mut(total);
                add_parts(first, others);
                weights::add_gradient(plan, phase, tiling, class, (first, width), dw);
            }
        });
    }
}

/// Splits by parts, and by panels where there are few parts.
fn run_tasks<T: Tiles>(call: &Call, parts: usize) {
    let panels = call.width / T::COLS;
    let groups = (TASKS_PER_THREAD * rayon::current_num_threads()).div_ceil(parts).min(panels);
    let tasks = parts * groups;
    let least = call.plan.tasks_worth_a_thread(tasks * call.plan.phases.len() * call.tiling.classes.len());
    (0..tasks).into_par_iter().with_min_len(least).for_each(|task| {
        let (part, group) = (task / groups, task % groups);
        let images = part * call.plan.batch / parts..(part + 1) * call.plan.batch / parts;
        let per_image = call.tiling.per_image();
        let panels = group * panels / groups..(group + 1) * panels / groups;
        run_task::<T>(call, part, images.start * per_image..images.end * per_image, panels);
    });
}

/// The sums of a part's tiles for a group of panels.
fn run_task<T: Tiles>(call: &Call, part: usize, part_tiles: Range<usize>, panels: Range<usize>) {
    let (plan, tiling) = (call.plan, call.tiling);
    let products = tiling.form.products();
    // Rows that are a multiple of a large power of two apart would fall on few lines of the first-level cache.
    let rows = Rows::new(TILES, plan.from.c.next_multiple_of(LINE) + LINE);
    let layout = Panels::new(TILES, panels.len(), T::COLS);
    let class = &tiling.classes[call.class];
    let source = Source { plan, tiling, class, channels: 0..plan.from.c, x: call.from };
    let target = Target { plan, phase: call.phase, tiling, panels: panels.clone(), dy: call.to };
    workspace::with(products * (rows.point + layout.point), |buffer| {
        let (values, cols) = buffer.split_at_mut(products * rows.point);
        for first in part_tiles.clone().step_by(TILES) {
            let tiles = first..(first + TILES).min(part_tiles.end);
            inputs(&source, tiles.clone(), rows, values);
            gradients(&target, tiles.clone(), layout, cols);
            let accumulate = first > part_tiles.start;
            for (p, (values, cols)) in values.chunks_exact(rows.point).zip(cols.chunks_exact(layout.point)).enumerate()
            {
                let at_point = call.total / products;
                let sums = call.sums.part(part * call.total + p * at_point, at_point);
                let point = Point { values, stride: rows.stride, cols, tiles: tiles.len() };
                multiply::<T>(call, &point, &panels, sums, accumulate);
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
fn multiply<T: Tiles>(call: &Call, point: &Point, panels: &Range<usize>, sums: Shared, accumulate: bool) {
    let (channels, width) = (call.plan.from.c, call.width);
    let offsets: [u32; TILES] = std::array::from_fn(|t| (t * point.stride) as u32);
    for run in (0..channels).step_by(CHANNELS) {
        for (panel, cols) in panels.clone().zip(point.cols.chunks_exact(TILES * T::COLS)) {
            for c in (run..(run + CHANNELS).min(channels)).step_by(T::ROWS) {
                let height = T::ROWS.min(channels.min(run + CHANNELS) - c);
                // SAFETY: `height` rows of the sums inside this task's part and panels, which no other task has.
                let sums = unsafe { sums.rows(c * width + panel * T::COLS, height, width, T::COLS) };
                let (offsets, rows) = (&offsets[..point.tiles], &point.values[c..]);
                let tile = Outer { offsets, rows, cols, sums, stride: width, accumulate };
                tile.check::<T>(height);
                // SAFETY: `T` is a set that the processor has (see `Tiles`). Each tile's row has as many values as there are
                // channels; `cols` holds `COLS` values for each tile.
                unsafe { T::outer(height, &tile) };
            }
        }
    }
}
