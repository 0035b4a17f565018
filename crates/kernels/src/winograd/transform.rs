//! The two sides of the products of a block of tiles: source pixels to values at the points, and the values at the points
//! to destination pixels; and, for weight gradients, the gradients of destination pixels to values at the points.

use super::form::{LANES, Lanes, Matrices, sandwich, with_form};
use super::tiling::{Class, Place, Tiling};
use super::{COLS, Shared};
use crate::activation::{Activation, for_each_activation};
use crate::plan::{Image, Phase, Plan};
use crate::vectorise::vectorised;
use std::ops::Range;

/// Points of the largest form.
const MOST: usize = 36;

/// Values at the points as rows: row `t` of point `p` starts at `(p * tiles + t) * stride`.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub(super) tiles: usize,
    pub(super) stride: usize,
}

/// Some channels of the source pixels of `tiles`, at all points.
pub(super) fn inputs(
    plan: &Plan,
    tiling: &Tiling,
    class: &Class,
    channels: Range<usize>,
    tiles: Range<usize>,
    x: &[f32],
    rows: Rows,
    values: &mut [f32],
) {
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

vectorised! {
    fn transform_inputs[const N: usize, const M: usize, const R: usize](
        pixels: &[&[f32]],
        row: usize,
        rows: Rows,
        values: &mut [f32],
    ) {
        let channels = pixels[0].len();
        for c in (0..channels).step_by(LANES) {
            let mut grid = [[[0.0; LANES]; N]; N];
            for (lanes, pixel) in grid.as_flattened_mut().iter_mut().zip(pixels) {
                load(&pixel[c..], lanes);
            }
            let points = sandwich(&Matrices::<N, M, R>::INPUT, &grid);
            let count = LANES.min(channels - c);
            for (p, lanes) in points.as_flattened().iter().enumerate() {
                store(lanes, &mut values[(p * rows.tiles + row) * rows.stride + c..][..count]);
            }
        }
    }
}

#[inline(always)]
fn load(from: &[f32], lanes: &mut Lanes) {
    if let Some(from) = from.first_chunk::<LANES>() {
        *lanes = *from;
    } else {
        lanes[..from.len()].copy_from_slice(from);
    }
}

#[inline(always)]
fn store(lanes: &Lanes, to: &mut [f32]) {
    if let Some(to) = to.first_chunk_mut::<LANES>() {
        *to = *lanes;
    } else {
        let count = to.len();
        to.copy_from_slice(&lanes[..count]);
    }
}

/// The destination of a block's outputs.
pub(super) struct Destination<'a> {
    pub(super) plan: &'a Plan,
    pub(super) phase: &'a Phase,
    pub(super) tiling: &'a Tiling,
    pub(super) bias: &'a [f32],
    pub(super) act: Activation,
    pub(super) y: Shared,
}

/// Sums at the points, `[point][panel][tile][16]` with room for `room` tiles, to destination pixels, through bias and
/// activation.
///
/// # Safety
/// No other task writes the pixels of these tiles; `y` is the whole destination.
pub(super) unsafe fn outputs(to: &Destination, tiles: Range<usize>, room: usize, sums: &[f32]) {
    for (row, tile) in tiles.enumerate() {
        let place = to.tiling.place(tile);
        with_form!(to.tiling.form, transform_outputs(to, place, row, room, sums));
    }
}

vectorised! {
    fn transform_outputs[const N: usize, const M: usize, const R: usize](
        to: &Destination,
        place: Place,
        row: usize,
        room: usize,
        sums: &[f32],
    ) {
        let channels = to.plan.to.c;
        let panels = channels.div_ceil(COLS);
        let (ys, xs) = (to.tiling.outputs(place.row, to.phase.rows), to.tiling.outputs(place.column, to.phase.cols));
        for c in (0..channels).step_by(LANES) {
            let mut grid = [[[0.0; LANES]; N]; N];
            for (p, lanes) in grid.as_flattened_mut().iter_mut().enumerate() {
                let at = ((p * panels + c / COLS) * room + row) * COLS + c % COLS;
                load(&sums[at..at + LANES], lanes);
            }
            let results = sandwich(&Matrices::<N, M, R>::OUTPUT, &grid);
            let count = LANES.min(channels - c);
            let mut bias = [0.0; LANES];
            load(&to.bias[c..c + LANES], &mut bias);
            for (i, results) in ys.clone().zip(&results) {
                for (j, lanes) in xs.clone().zip(results) {
                    let at = destination(to.plan, to.phase, place.image, i, j) + c;
                    // SAFETY: the pixel has `channels` values, of which these are `count` from `c` on; no other task
                    // has it (the contract of `outputs`).
                    let y = unsafe { std::slice::from_raw_parts_mut(to.y.get().add(at), count) };
                    finish(to.act, lanes, &bias, y);
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

/// `y = act(sums + bias)`.
#[inline(always)]
fn finish(act: Activation, sums: &Lanes, bias: &Lanes, y: &mut [f32]) {
    for_each_activation!(act, |a| {
        let mut values = [0.0; LANES];
        for l in 0..LANES {
            values[l] = a.apply(sums[l] + bias[l]);
        }
        store(&values, y);
    });
}

/// The gradients of the destination pixels of `tiles` at all points, destination channels as panels:
/// `[point][panel][tile][16]`, for the panels asked for, with room for `room` tiles.
#[allow(clippy::too_many_arguments)]
pub(super) fn gradients(
    plan: &Plan,
    phase: &Phase,
    tiling: &Tiling,
    tiles: Range<usize>,
    panels: Range<usize>,
    room: usize,
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
        with_form!(tiling.form, transform_gradients(&pixels[..m * m], panels.clone(), row, room, values));
    }
}

vectorised! {
    fn transform_gradients[const N: usize, const M: usize, const R: usize](
        pixels: &[&[f32]],
        panels: Range<usize>,
        row: usize,
        room: usize,
        values: &mut [f32],
    ) {
        for (local, panel) in panels.clone().enumerate() {
            for half in 0..COLS / LANES {
                let c = panel * COLS + half * LANES;
                let mut grid = [[[0.0; LANES]; M]; M];
                for (lanes, pixel) in grid.as_flattened_mut().iter_mut().zip(pixels) {
                    load(pixel.get(c..).unwrap_or(&[]), lanes);
                }
                let points = sandwich(&Matrices::<N, M, R>::OUTPUT_BACK, &grid);
                for (p, lanes) in points.as_flattened().iter().enumerate() {
                    let at = ((p * panels.len() + local) * room + row) * COLS + half * LANES;
                    store(lanes, &mut values[at..at + LANES]);
                }
            }
        }
    }
}
