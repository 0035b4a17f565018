//! The two sides of the products of a block of tiles: source pixels to values at the points, and the values at the points
//! to destination pixels; and, for weight gradients, the gradients of destination pixels to values at the points.

// Loops by index in what runs on registers: an iterator's closure that is not inlined would be compiled without them.
#![allow(clippy::needless_range_loop)]

use super::form::{Inputs, Outputs, OutputsBack, both, with_form};
use super::lanes::{Lanes, MOST_LANES, on_lanes};
use super::tiling::{Class, Place, Tiling};
use crate::activation::{Activation, for_each_activation};
use crate::plan::{Image, Phase, Plan};
use crate::tiled::shared::Shared;
use std::ops::Range;

/// Points of the largest form.
const MOST: usize = 36;

/// Values after each point's, so that the points' values, which a transform writes side by side, don't fall on the same
/// few lines of the first-level cache.
const GAP: usize = 16;

/// Values at the points as rows of source channels: `[point][tile][stride]`.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub(super) stride: usize,
    /// Values from one point to the next.
    pub(super) point: usize,
}

impl Rows {
    pub(super) fn new(tiles: usize, stride: usize) -> Self {
        Self { stride, point: tiles * stride + GAP }
    }
}

/// Values at the points as panels of destination channels: `[point][panel][tile][column]`.
#[derive(Clone, Copy)]
pub(super) struct Panels {
    /// Columns of a panel.
    pub(super) cols: usize,
    /// Values from one panel to the next.
    pub(super) panel: usize,
    /// Values from one point to the next.
    pub(super) point: usize,
}

impl Panels {
    pub(super) fn new(tiles: usize, panels: usize, cols: usize) -> Self {
        Self { cols, panel: tiles * cols, point: panels * tiles * cols + GAP }
    }

    /// Where a panel's values of a tile start, at the first point.
    pub(super) fn at(self, panel: usize, tile: usize) -> usize {
        panel * self.panel + tile * self.cols
    }
}

/// What the inputs of tiles are read from: some channels of one class of source pixels.
pub(super) struct Source<'a> {
    pub(super) plan: &'a Plan,
    pub(super) tiling: &'a Tiling,
    pub(super) class: &'a Class,
    pub(super) channels: Range<usize>,
    pub(super) x: &'a [f32],
}

/// The inputs of `tiles` at all points.
pub(super) fn inputs(source: &Source, tiles: Range<usize>, rows: Rows, values: &mut [f32]) {
    let Source { plan, tiling, class, x, .. } = source;
    let channels = source.channels.clone();
    let zeros = vec![0.0; channels.len()];
    let n = tiling.form.points();
    for (row, tile) in tiles.enumerate() {
        let place = tiling.place(tile);
        let mut pixels: [&[f32]; MOST] = [&zeros; MOST];
        for k in 0..n * n {
            let at = [tiling.source(class, 0, place.row, k / n), tiling.source(class, 1, place.column, k % n)];
            if let Some(at) = inside(plan.from, place.image, at) {
                pixels[k] = &x[at + channels.start..at + channels.end];
            }
        }
        with_form!(tiling.form, transform_inputs(&pixels[..n * n], row, rows, values));
    }
}

/// Where pixel `[y, x]` of an image starts, if it is in it.
fn inside(image: Image, nth: usize, [y, x]: [isize; 2]) -> Option<usize> {
    let (y, x) = (usize::try_from(y).ok()?, usize::try_from(x).ok()?);
    (y < image.h && x < image.w).then(|| ((nth * image.h + y) * image.w + x) * image.c)
}

on_lanes! {
    fn transform_inputs<L, N, M, R>(pixels: &[&[f32]], row: usize, rows: Rows, values: &mut [f32]) {
        let channels = pixels[0].len();
        for c in (0..channels).step_by(L::COUNT) {
            let count = L::COUNT.min(channels - c);
            let mut grid = [[L::zero(); N]; N];
            for k in 0..N * N {
                grid[k / N][k % N] = L::load(&pixels[k][c..c + count]);
            }
            let mut points = [[L::zero(); N]; N];
            both::<Inputs, L, N, N>(&grid, &mut points);
            for p in 0..N * N {
                points[p / N][p % N].store(&mut values[p * rows.point + row * rows.stride + c..][..count]);
            }
        }
    }
}

/// The destination of a block's outputs.
pub(super) struct Destination<'a> {
    pub(super) plan: &'a Plan,
    pub(super) phase: &'a Phase,
    pub(super) tiling: &'a Tiling,
    pub(super) bias: &'a [f32],
    pub(super) act: Activation,
    pub(super) y: Shared<'a>,
    /// How sums lie.
    pub(super) sums: Panels,
}

/// Sums at the points to destination pixels, through bias and activation.
///
/// # Safety
/// No other task writes the pixels of these tiles; `y` is the whole destination.
pub(super) unsafe fn outputs(to: &Destination, tiles: Range<usize>, sums: &[f32]) {
    // Panel by panel, so that at every point the sums are read in the order in which they lie.
    for panel in 0..to.plan.to.c.div_ceil(to.sums.cols) {
        for (row, tile) in tiles.clone().enumerate() {
            let place = to.tiling.place(tile);
            with_form!(to.tiling.form, transform_outputs(to, place, panel, row, sums));
        }
    }
}

on_lanes! {
    fn transform_outputs<L, N, M, R>(to: &Destination, place: Place, panel: usize, row: usize, sums: &[f32]) {
        let (channels, cols) = (to.plan.to.c, to.sums.cols);
        let (ys, xs) = (to.tiling.outputs(place.row, to.phase.rows), to.tiling.outputs(place.column, to.phase.cols));
        for c in (panel * cols..channels.min((panel + 1) * cols)).step_by(L::COUNT) {
            let first = to.sums.at(panel, row) + c % cols;
            let bias = L::load(&to.bias[c..c + L::COUNT]);
            let count = L::COUNT.min(channels - c);
            let mut grid = [[L::zero(); N]; N];
            for p in 0..N * N {
                grid[p / N][p % N] = L::load(&sums[first + p * to.sums.point..][..L::COUNT]);
            }
            let mut results = [[L::zero(); M]; M];
            both::<Outputs, L, M, N>(&grid, &mut results);
            for i in 0..ys.len() {
                for j in 0..xs.len() {
                    let at = destination(to.plan, to.phase, place.image, ys.start + i, xs.start + j) + c;
                    // SAFETY: the pixel has `channels` values, of which these are `count` from `c` on; no other task
                    // has it (the contract of `outputs`).
                    let y = unsafe { to.y.values(at, count) };
                    finish(to.act, results[i][j].add(bias), y);
                }
            }
        }
    }
}

/// Index of the first value of pixel `(i, j)` of a phase.
fn destination(plan: &Plan, phase: &Phase, image: usize, i: usize, j: usize) -> usize {
    let (y, x) = (phase.first_y + plan.period[0] * i, phase.first_x + plan.period[1] * j);
    ((image * plan.to.h + y) * plan.to.w + x) * plan.to.c
}

/// `y = act(value)`.
#[inline(always)]
fn finish<L: Lanes>(act: Activation, value: L, y: &mut [f32]) {
    if act == Activation::Identity {
        return value.store(y);
    }
    let mut lanes = [0.0; MOST_LANES];
    value.store(&mut lanes[..L::COUNT]);
    for_each_activation!(act, |a| {
        for l in 0..L::COUNT {
            lanes[l] = a.apply(lanes[l]);
        }
    });
    L::load(&lanes[..L::COUNT]).store(y);
}

/// The gradients of the destination pixels of `tiles` at all points, for the panels asked for.
#[allow(clippy::too_many_arguments)]
pub(super) fn gradients(
    plan: &Plan,
    phase: &Phase,
    tiling: &Tiling,
    tiles: Range<usize>,
    panels: Range<usize>,
    layout: Panels,
    dy: &[f32],
    values: &mut [f32],
) {
    let m = tiling.form.outputs;
    for (row, tile) in tiles.enumerate() {
        let place = tiling.place(tile);
        let (ys, xs) = (tiling.outputs(place.row, phase.rows), tiling.outputs(place.column, phase.cols));
        let mut pixels: [&[f32]; MOST] = [&[]; MOST];
        for (i, y) in ys.enumerate() {
            for (j, x) in xs.clone().enumerate() {
                let at = destination(plan, phase, place.image, y, x);
                pixels[i * m + j] = &dy[at..at + plan.to.c];
            }
        }
        with_form!(tiling.form, transform_gradients(&pixels[..m * m], panels.clone(), row, layout, values));
    }
}

on_lanes! {
    fn transform_gradients<L, N, M, R>(
        pixels: &[&[f32]],
        panels: Range<usize>,
        row: usize,
        layout: Panels,
        values: &mut [f32],
    ) {
        for (local, panel) in panels.enumerate() {
            for half in (0..layout.cols).step_by(L::COUNT) {
                let c = panel * layout.cols + half;
                let first = layout.at(local, row) + half;
                let mut grid = [[L::zero(); M]; M];
                for k in 0..M * M {
                    grid[k / M][k % M] = L::load(pixels[k].get(c..).unwrap_or(&[]));
                }
                let mut points = [[L::zero(); N]; N];
                both::<OutputsBack, L, N, M>(&grid, &mut points);
                for p in 0..N * N {
                    points[p / N][p % N].store(&mut values[first + p * layout.point..][..L::COUNT]);
                }
            }
        }
    }
}
