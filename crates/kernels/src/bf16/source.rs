//! Images rounded to bf16 and laid out for tiles: pixel after pixel for a gather, whose tiles have pixels as rows; channel
//! after channel for the weight gradient, whose tiles have channels as rows and pixels as steps; and the destination's
//! pixels in pairs, as the weight gradient's other operand.

use super::grid::Grid;
use super::transpose::transpose;
use super::{Depth, ROWS, SIDE, STEP, STEP_PAIRS, convert};
use crate::gather::fill_columns;
use crate::plan::{Phase, Plan};
use crate::stored::Values;
use crate::workspace;
use std::ops::Range;

/// Pixels that im2col makes at a time.
const COLUMN_PIXELS: usize = 128;

/// Values from one pixel to the next. Pixels a multiple of 2 KB apart would all fall into the same few sets of the
/// first-level cache.
pub(super) fn pixel_stride(values: usize) -> usize {
    if (2 * values).is_multiple_of(2048) { values + STEP } else { values }
}

/// Values from one channel to the next: whole cache lines, and an odd number of them, for the same reason.
pub(super) fn channel_stride(indices: usize) -> usize {
    (indices.div_ceil(STEP) | 1) * STEP
}

/// Lays the source out pixel by pixel, `stride` values each; image 0 of the grid is image `image` of `x`.
pub(super) fn pixels(plan: &Plan, grid: &Grid, image: usize, x: Values, stride: usize, target: &mut [u16]) {
    let c = plan.from.c;
    for (nth, target) in target.chunks_exact_mut(grid.class_len * stride).enumerate() {
        let mut done = 0;
        for line in grid.stored(plan, nth) {
            let first = line.index * stride;
            target[done..first].fill(0);
            done = first + line.count * stride;
            let start = (image + line.image) * plan.from.len() + (line.y * plan.from.w + line.x) * c;
            if plan.step[1] == 1 && stride == c {
                to_bits(x.part(start..start + line.count * c), &mut target[first..done]);
                continue;
            }
            for (n, pixel) in target[first..done].chunks_exact_mut(stride).enumerate() {
                let start = start + n * plan.step[1] * c;
                to_bits(x.part(start..start + c), &mut pixel[..c]);
                pixel[c..].fill(0);
            }
        }
        target[done..].fill(0);
    }
}

/// Lays the source out through im2col: one pixel per destination pixel, with the values of all taps.
pub(super) fn columns(
    plan: &Plan,
    phase: &Phase,
    grid: &Grid,
    image: usize,
    x: Values,
    stride: usize,
    target: &mut [u16],
) {
    let values = phase.taps.len() * plan.from.c;
    let (pixels, tail) = target.split_at_mut(grid.positions() * stride);
    tail.fill(0);
    if values == 0 {
        return pixels.fill(0);
    }
    with_images(plan, image, grid, x, |x| {
        workspace::with(COLUMN_PIXELS * values, |buffer| {
            for (nth, pixels) in pixels.chunks_mut(COLUMN_PIXELS * stride).enumerate() {
                let buffer = &mut buffer[..pixels.len() / stride * values];
                fill_columns(plan, phase, 0, nth * COLUMN_PIXELS, x, buffer);
                for (pixel, column) in pixels.chunks_exact_mut(stride).zip(buffer.chunks_exact(values)) {
                    convert::to_bits(column, &mut pixel[..values]);
                    pixel[values..].fill(0);
                }
            }
        });
    });
}

/// Calls `work` with the grid's images as f32; the first of them is image `image` of `x`.
fn with_images(plan: &Plan, image: usize, grid: &Grid, x: Values, work: impl FnOnce(&[f32])) {
    let x = x.part(image * plan.from.len()..(image + grid.images()) * plan.from.len());
    workspace::with(x.buffer_len(x.len()), |buffer| work(x.widened(buffer)));
}

/// Values to bf16 bits; equal lengths.
pub(super) fn to_bits(x: Values, target: &mut [u16]) {
    match x {
        Values::F32(x) => convert::to_bits(x, target),
        Values::Bf16(x) => target.copy_from_slice(x),
    }
}

/// No pixel stands there.
const NONE: usize = usize::MAX;

/// Where in `x` the pixel at each index begins.
fn starts(plan: &Plan, grid: &Grid, image: usize) -> Vec<usize> {
    let mut starts = vec![NONE; grid.classes.len() * grid.class_len];
    for nth in 0..grid.classes.len() {
        for line in grid.stored(plan, nth) {
            let first = (image + line.image) * plan.from.len() + (line.y * plan.from.w + line.x) * plan.from.c;
            let places = &mut starts[nth * grid.class_len + line.index..][..line.count];
            for (n, place) in places.iter_mut().enumerate() {
                *place = first + n * plan.step[1] * plan.from.c;
            }
        }
    }
    starts
}

/// Lays the source out channel by channel, `stride` values each, channels filled up to whole tiles with zeros.
pub(super) fn channels(plan: &Plan, grid: &Grid, image: usize, x: Values, stride: usize, target: &mut [u32]) {
    spread(x, plan.from.c, &starts(plan, grid, image), stride, target);
}

/// As [`channels`], through im2col; of the phase's pixels from number `first` on.
pub(super) fn channels_of_columns(
    plan: &Plan,
    phase: &Phase,
    grid: &Grid,
    (image, first): (usize, usize),
    x: Values,
    stride: usize,
    target: &mut [u32],
) {
    let (pixels, values) = (grid.positions(), phase.taps.len() * plan.from.c);
    let starts: Vec<usize> = (0..pixels).map(|p| p * values).collect();
    with_images(plan, image, grid, x, |x| {
        workspace::with(pixels * values, |buffer| {
            fill_columns(plan, phase, 0, first, x, buffer);
            spread(Values::F32(buffer), values, &starts, stride, target);
        });
    });
}

/// Turns pixels of `c` values, which begin at `starts`, into rows of one channel, two pixels in a pair.
fn spread(x: Values, c: usize, starts: &[usize], stride: usize, target: &mut [u32]) {
    let (rows, stride) = (c.next_multiple_of(ROWS), stride / 2);
    let pairs = STEP / 2;
    workspace::with(pairs * rows + c, |buffer| {
        let (block, zeros) = buffer.split_at_mut(pairs * rows);
        zeros.fill(0.0);
        let block = convert::as_pairs(block);
        block.fill(0);
        for nth in 0..stride / pairs {
            let here = starts.get(nth * STEP..).unwrap_or(&[]);
            for (p, row) in block.chunks_exact_mut(rows).enumerate() {
                to_pairs(x, c, [2 * p, 2 * p + 1].map(|i| here.get(i).copied().unwrap_or(NONE)), zeros, row);
            }
            transpose([pairs, rows], (block, rows), (&mut target[nth * pairs..], stride));
        }
    });
}

/// The pair of pixels that begin at `starts`, channel by channel; `zeros` stands for a missing one.
fn to_pairs(x: Values, c: usize, starts: [usize; 2], zeros: &[f32], pairs: &mut [u32]) {
    let pairs = &mut pairs[..c];
    if starts == [NONE; 2] {
        return pairs.fill(0);
    }
    match x {
        Values::F32(x) => {
            let [a, b] = starts.map(|s| if s == NONE { &zeros[..c] } else { &x[s..s + c] });
            convert::to_pairs(a, b, pairs);
        }
        Values::Bf16(x) => {
            let [a, b] = starts.map(|s| if s == NONE { &convert::halves(zeros)[..c] } else { &x[s..s + c] });
            convert::join_bits(a, b, pairs);
        }
    }
}

/// Lays destination pixels out as panels of 32 channels: `[panel][step][tile][pair of positions][16]`, zeros where no
/// pixel stands and for missing channels. Image 0 of the grid is image `image` of `to`.
pub(super) fn pairs(
    plan: &Plan,
    phase: &Phase,
    grid: &Grid,
    image: usize,
    to: Values,
    panels: Range<usize>,
    target: &mut [u32],
) {
    let steps = grid.positions().div_ceil(STEP);
    let (first, width) = (panels.start * SIDE, plan.to.c.min(panels.end * SIDE) - panels.start * SIDE);
    let start = |position: usize| match grid.pixel_at(phase, position) {
        None => NONE,
        Some([nth, i, j]) => plan.destination(phase, image + nth, i, j) + first,
    };
    workspace::with(panels.len() * SIDE + width, |buffer| {
        let (row, zeros) = buffer.split_at_mut(panels.len() * SIDE);
        zeros.fill(0.0);
        let row = convert::as_pairs(row);
        row.fill(0);
        for pair in 0..steps * STEP / 2 {
            to_pairs(to, width, [start(2 * pair), start(2 * pair + 1)], zeros, row);
            let at = pair / ROWS * STEP_PAIRS + pair % ROWS * ROWS;
            for (tile, row) in row.chunks_exact(ROWS).enumerate() {
                let at = tile / 2 * steps * STEP_PAIRS + tile % 2 * STEP_PAIRS / 2 + at;
                target[at..at + ROWS].copy_from_slice(row);
            }
        }
    });
}

/// Pairs in the buffer of [`pairs`].
pub(super) fn pairs_len(grid: &Grid, panels: usize) -> usize {
    panels * grid.positions().div_ceil(STEP) * STEP_PAIRS
}

/// Rows of the buffer of [`channels`] and [`channels_of_columns`].
pub(super) fn channel_rows(plan: &Plan, depth: Depth) -> usize {
    let values = if super::im2col(plan) { depth.values } else { plan.from.c };
    values.next_multiple_of(ROWS)
}
