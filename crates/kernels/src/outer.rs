//! The weight gradient of a [`Plan`]: for every tap, the sum over destination pixels of source pixel (x)
//! destination pixel. The images are split into a fixed number of parts, each with its own sums, which are then
//! added in order, so the result does not depend on the number of threads.

use crate::gather::{Position, fill_columns};
use crate::matmul::{Strides, product};
use crate::plan::{Phase, Plan};
use crate::tiled::with_tiles;
use crate::vectorise::vectorised;
use crate::workspace;
use rayon::prelude::*;

/// Parts at most; each costs a copy of the weights' size.
const PARTS: usize = 8;
/// Destination pixels that make a part worth its own sums.
const PART_PIXELS: usize = 128;
/// Values of one im2col buffer, about: 1 MB, so that a product has steps enough to pay for reading and writing its sums.
const COLUMN_VALUES: usize = 1 << 18;

/// `dw[kernel pixel] = sum over pixels of from (x) to`, in the weights' layout; `dw` is written completely.
pub(crate) fn outer(plan: &Plan, from: &[f32], to: &[f32], dw: &mut [f32]) {
    if dw.is_empty() {
        return;
    }
    let matrix = plan.from.c * plan.to.c;
    let total = matrix * plan.phases.iter().map(|p| p.taps.len()).sum::<usize>();
    let pixels = plan.batch * plan.to.h * plan.to.w;
    if total == 0 || pixels == 0 {
        return dw.fill(0.0);
    }
    with_tiles!(|T| crate::winograd::outer::<T>(plan, from, to, dw), else outer_plain(plan, from, to, total, dw))
}

/// [`outer`] through im2col, matrix by matrix; `total` values in all matrices of all phases' taps.
fn outer_plain(plan: &Plan, from: &[f32], to: &[f32], total: usize, dw: &mut [f32]) {
    let pixels = plan.batch * plan.to.h * plan.to.w;
    let parts = (pixels / PART_PIXELS).clamp(1, PARTS.min(plan.batch));
    workspace::with(parts * total, |sums| {
        let matrix = plan.from.c * plan.to.c;
        sums.par_chunks_mut(total).enumerate().for_each(|(part, sums)| {
            let images = part * plan.batch / parts..(part + 1) * plan.batch / parts;
            let mut rest = sums;
            for phase in &plan.phases {
                let (matrices, tail) = rest.split_at_mut(phase.taps.len() * matrix);
                run_phase(plan, phase, images.clone(), from, to, matrices);
                rest = tail;
            }
        });
        let (first, others) = sums.split_at_mut(total);
        add_parts(first, others);
        scatter(plan, first, plan.to.c, dw);
    });
}

/// `matrices[tap, source channel, destination channel]` for a range of images.
fn run_phase(
    plan: &Plan,
    phase: &Phase,
    images: std::ops::Range<usize>,
    from: &[f32],
    to: &[f32],
    matrices: &mut [f32],
) {
    let (depth, outputs) = (phase.taps.len() * plan.from.c, plan.to.c);
    if depth == 0 {
        return;
    }
    let to = &to[images.start * plan.to.len()..images.end * plan.to.len()];
    let pixels = images.len() * phase.rows * phase.cols;
    let step = (COLUMN_VALUES / depth).clamp(64, 1024);
    for first in (0..pixels).step_by(step) {
        let count = step.min(pixels - first);
        workspace::with(count * (depth + outputs), |buffer| {
            let (columns, rows) = buffer.split_at_mut(count * depth);
            fill_columns(plan, phase, images.start, first, from, columns);
            let mut position = Position::new(phase, first);
            for row in rows.chunks_exact_mut(outputs) {
                let at = position.to(plan, phase);
                row.copy_from_slice(&to[at..at + outputs]);
                position.advance(phase);
            }
            product(
                [depth, outputs, count],
                (columns, Strides::transposed(depth)),
                (rows, Strides::rows(outputs)),
                first > 0,
                (matrices, Strides::rows(outputs)),
            );
        });
    }
}

/// Adds `others`, one or more times as long as `first`, to it, in order.
pub(crate) fn add_parts(first: &mut [f32], others: &[f32]) {
    let total = first.len();
    const BLOCK: usize = 4096;
    let blocks = first.par_chunks_mut(BLOCK).enumerate();
    blocks.for_each(|(block, target)| {
        for part in others.chunks_exact(total) {
            add(target, &part[block * BLOCK..]);
        }
    });
}

vectorised! {
    fn add(target: &mut [f32], values: &[f32]) {
        for (t, v) in target.iter_mut().zip(values) {
            *t += v;
        }
    }
}

/// From sums `[phase and tap, source channel, width]`, `width >= to.c`, to the gradient of each kernel pixel.
pub(crate) fn scatter(plan: &Plan, sums: &[f32], width: usize, dw: &mut [f32]) {
    let (inputs, outputs) = (plan.from.c, plan.to.c);
    dw.par_chunks_mut(inputs * outputs).enumerate().for_each(|(k, dw)| {
        dw.fill(0.0);
        let taps = plan.phases.iter().flat_map(|phase| &phase.taps);
        for (tap, sums) in taps.zip(sums.chunks_exact(inputs * width)) {
            if tap.kernels.contains(&k) {
                add_matrix(plan, sums, width, dw);
            }
        }
    });
}

fn add_matrix(plan: &Plan, sums: &[f32], width: usize, dw: &mut [f32]) {
    if plan.transposed {
        for (n, row) in dw.chunks_exact_mut(plan.from.c).enumerate() {
            for (c, value) in row.iter_mut().enumerate() {
                *value += sums[c * width + n];
            }
        }
    } else {
        for (row, sums) in dw.chunks_exact_mut(plan.to.c).zip(sums.chunks_exact(width)) {
            add(row, sums);
        }
    }
}
