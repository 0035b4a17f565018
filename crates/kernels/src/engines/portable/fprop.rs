//! Forward pass and input gradient (fprop and dgrad) on any processor: a plan is one or the other. im2col, then one matrix
//! product for each phase and block of images, then bias and activation. Images are split into fixed blocks over rayon's
//! pool.

use crate::activation::{self, Activation};
use crate::im2col::{Position, fill_columns};
use crate::matmul::{Strides, product};
use crate::memory::workspace;
use crate::plan::{Phase, Plan};
use rayon::prelude::*;

/// Destination pixels that one task makes at least, where images are small.
const TASK_PIXELS: usize = 256;
/// Values of one im2col buffer, about: 1 MB, so that a product has rows enough to pay for the packing of its weights.
const COLUMN_VALUES: usize = 1 << 18;

/// One call, as its tasks see it.
struct Call<'a> {
    plan: &'a Plan,
    x: &'a [f32],
    bias: Option<&'a [f32]>,
    act: Activation,
}

/// `y = act(plan(x, w) + bias)`; `y` is written completely.
pub(crate) fn run(plan: &Plan, x: &[f32], w: &[f32], bias: Option<&[f32]>, act: Activation, y: &mut [f32]) {
    let call = Call { plan, x, bias, act };
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
                run_phase(&call, phase, block * images, matrix, y);
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

/// One phase of the block of images that starts at `image`; `y` is that block's destination.
fn run_phase(call: &Call, phase: &Phase, image: usize, matrix: &[f32], y: &mut [f32]) {
    let Call { plan, x, bias, act } = *call;
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
