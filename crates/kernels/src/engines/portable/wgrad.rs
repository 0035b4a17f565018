//! The weight gradient (wgrad) on any processor: for every tap, the sum over destination pixels of source pixel (x)
//! destination pixel, by im2col and one matrix product for each phase and block of pixels.

use crate::engines::partial_sums::{add_parts, scatter};
use crate::im2col::{Position, fill_columns};
use crate::matmul::{Strides, product};
use crate::memory::workspace;
use crate::plan::{Phase, Plan};
use rayon::prelude::*;

/// Parts at most; each costs a copy of the weights' size.
const PARTS: usize = 8;
/// Destination pixels that make a part worth its own sums.
const PART_PIXELS: usize = 128;
/// Values of one im2col buffer, about: 1 MB, so that a product has steps enough to pay for reading and writing its sums.
const COLUMN_VALUES: usize = 1 << 18;

/// `dw[kernel pixel] = sum over pixels of from (x) to`, in the weights' layout; `dw` is written completely. Neither the
/// batch nor the images nor the taps may be empty.
pub(crate) fn run(plan: &Plan, from: &[f32], to: &[f32], dw: &mut [f32]) {
    let total = plan.from.c * plan.to.c * plan.phases.iter().map(|p| p.taps.len()).sum::<usize>();
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
