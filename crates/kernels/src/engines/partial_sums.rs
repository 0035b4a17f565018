//! The end of every weight gradient in f32. Engines split the images into a fixed number of parts with sums of their own;
//! here the parts are added in order, so that the result does not depend on the number of threads, and the sums of taps
//! go to the kernel pixels that they belong to.

use crate::plan::Plan;
use crate::vectorise::vectorised;
use rayon::prelude::*;

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
