//! Runs a [`Plan`]: every destination pixel is the sum, over its phase's taps, of a source pixel times the tap's
//! weights, then bias and activation. Images are split into fixed blocks over rayon's pool.

use crate::activation::{self, Activation};
use crate::matmul::{Strides, product};
use crate::plan::{Phase, Plan};
use crate::tiled::with_tiles;
use crate::{columns, workspace};
use rayon::prelude::*;

/// Destination pixels that one task makes at least, where images are small.
const TASK_PIXELS: usize = 256;
/// Values of one im2col buffer, about: 1 MB, so that a product has rows enough to pay for the packing of its weights.
const COLUMN_VALUES: usize = 1 << 18;

/// `y = act(gather(x, w) + bias)`; `y` is written completely.
pub(crate) fn gather(plan: &Plan, x: &[f32], w: &[f32], bias: Option<&[f32]>, act: Activation, y: &mut [f32]) {
    if y.is_empty() {
        return;
    }
    if columns::pays(plan) {
        return columns::gather(plan, x, w, bias, act, y);
    }
    with_tiles!(|T| crate::winograd::gather::<T>(plan, x, w, bias, act, y), else gather_plain(plan, x, w, bias, act, y))
}

/// [`gather`] through im2col, matrix by matrix.
fn gather_plain(plan: &Plan, x: &[f32], w: &[f32], bias: Option<&[f32]>, act: Activation, y: &mut [f32]) {
    let sizes: Vec<usize> = plan.phases.iter().map(|p| matrix_len(plan, p)).collect();
    workspace::with(sizes.iter().sum(), |matrices| {
        let mut rest = &mut *matrices;
        for (phase, &size) in plan.phases.iter().zip(&sizes) {
            let (matrix, tail) = rest.split_at_mut(size);
            fill_matrix(plan, phase, w, matrix);
            rest = tail;
        }
        let matrices = &*matrices;
        let images = TASK_PIXELS.div_ceil(plan.to.h * plan.to.w);
        y.par_chunks_mut(images * plan.to.len()).enumerate().for_each(|(block, y)| {
            let mut matrices = matrices;
            for (phase, &size) in plan.phases.iter().zip(&sizes) {
                let (matrix, tail) = matrices.split_at(size);
                run_phase(plan, phase, block * images, x, matrix, bias, act, y);
                matrices = tail;
            }
        });
    });
}

fn matrix_len(plan: &Plan, phase: &Phase) -> usize {
    phase.taps.len() * plan.from.c * plan.to.c
}

/// The weights of one phase as rows (tap, source channel) of `to.c` values, kernel pixels of a tap summed.
fn fill_matrix(plan: &Plan, phase: &Phase, w: &[f32], matrix: &mut [f32]) {
    let (inputs, outputs) = (plan.from.c, plan.to.c);
    let (along_c, along_n) = plan.weight_strides();
    let tap_matrices = matrix.par_chunks_mut((inputs * outputs).max(1));
    tap_matrices.zip(&phase.taps).for_each(|(matrix, tap)| {
        for (c, row) in matrix.chunks_exact_mut(outputs).enumerate() {
            row.fill(0.0);
            for &k in &tap.kernels {
                let w = &w[k * inputs * outputs + c * along_c..];
                for (n, value) in row.iter_mut().enumerate() {
                    *value += w[n * along_n];
                }
            }
        }
    });
}

/// Pixel number `r` of a phase over a block of images: which image, row and column.
#[derive(Clone, Copy)]
pub(crate) struct Position {
    pub(crate) image: usize,
    pub(crate) i: usize,
    pub(crate) j: usize,
}

impl Position {
    pub(crate) fn new(phase: &Phase, r: usize) -> Self {
        let (line, j) = (r / phase.cols, r % phase.cols);
        Self { image: line / phase.rows, i: line % phase.rows, j }
    }

    /// The next pixel of the phase.
    pub(crate) fn advance(&mut self, phase: &Phase) {
        self.j += 1;
        if self.j == phase.cols {
            self.j = 0;
            self.i += 1;
            if self.i == phase.rows {
                self.i = 0;
                self.image += 1;
            }
        }
    }

    /// Index of the first value of the destination pixel.
    pub(crate) fn to(self, plan: &Plan, phase: &Phase) -> usize {
        plan.destination(phase, self.image, self.i, self.j)
    }
}

/// im2col: the source pixels that destination pixels `first..` of the phase read, one row of taps each, zero
/// outside the image. Positions count from image `image`.
pub(crate) fn fill_columns(plan: &Plan, phase: &Phase, image: usize, first: usize, x: &[f32], columns: &mut [f32]) {
    let (c, steps) = (plan.from.c, phase.taps.len() * plan.from.c);
    let mut position = Position::new(phase, first);
    let mut rest = columns;
    while !rest.is_empty() {
        // The pixels up to the end of a line.
        let count = (phase.cols - position.j).min(rest.len() / steps);
        let (line, tail) = rest.split_at_mut(count * steps);
        let image = &x[(image + position.image) * plan.from.len()..][..plan.from.len()];
        for (t, tap) in phase.taps.iter().enumerate() {
            let y = (plan.step[0] * position.i) as isize + tap.y;
            let source = if y >= 0 && y < plan.from.h as isize {
                &image[y as usize * plan.from.w * c..][..plan.from.w * c]
            } else {
                &[]
            };
            let left = (plan.step[1] * position.j) as isize + tap.x;
            fill_tap(source, left, plan.step[1], c, &mut line[t * c..], steps);
        }
        position.j += count - 1;
        position.advance(phase);
        rest = tail;
    }
}

/// Copies the `c` values of pixels `left`, `left + step`, ... of a line of the source to every `steps`-th value of
/// `target`, zeros outside the line.
fn fill_tap(source: &[f32], left: isize, step: usize, c: usize, target: &mut [f32], steps: usize) {
    let mut x = left;
    for row in target.chunks_mut(steps) {
        if x < 0 || x as usize * c >= source.len() {
            row[..c].fill(0.0);
        } else if c == 1 {
            row[0] = source[x as usize];
        } else {
            row[..c].copy_from_slice(&source[x as usize * c..][..c]);
        }
        x += step as isize;
    }
}

/// One phase of the block of images that starts at `image`; `y` is that block's destination.
#[allow(clippy::too_many_arguments)]
fn run_phase(
    plan: &Plan,
    phase: &Phase,
    image: usize,
    x: &[f32],
    matrix: &[f32],
    bias: Option<&[f32]>,
    act: Activation,
    y: &mut [f32],
) {
    let pixels = y.len() / plan.to.len() * phase.rows * phase.cols;
    let (depth, outputs) = (phase.taps.len() * plan.from.c, plan.to.c);
    let step = (COLUMN_VALUES / depth.max(1)).clamp(16, 512);
    for first in (0..pixels).step_by(step) {
        let count = step.min(pixels - first);
        workspace::with(count * (depth + outputs), |buffer| {
            let (columns, sums) = buffer.split_at_mut(count * depth);
            if depth > 0 {
                fill_columns(plan, phase, image, first, x, columns);
            }
            product(
                [count, outputs, depth],
                (columns, Strides::rows(depth)),
                (matrix, Strides::rows(outputs)),
                false,
                (sums, Strides::rows(outputs)),
            );
            let mut position = Position::new(phase, first);
            for row in sums.chunks_exact_mut(outputs) {
                let at = position.to(plan, phase);
                finish(row, bias, act, &mut y[at..at + outputs]);
                position.advance(phase);
            }
        });
    }
}

/// Bias and activation of one pixel's sums.
fn finish(sums: &mut [f32], bias: Option<&[f32]>, act: Activation, y: &mut [f32]) {
    if let Some(bias) = bias {
        for (s, b) in sums.iter_mut().zip(bias) {
            *s += b;
        }
    }
    activation::apply_all(act, sums, y);
}
