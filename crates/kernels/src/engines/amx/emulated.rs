//! bf16 where no instruction multiplies it: operands are rounded into f32 buffers, and an f32 engine does the rest.

use crate::bf16;
use crate::engines::col2im;
use crate::memory::workspace;
use crate::plan::{Phase, Plan, Tap};
use crate::stored::Values;
use rayon::prelude::*;

/// Calls `run` with source and weights rounded, and with a plan that is right for those weights. For forward passes and
/// input gradients.
pub(crate) fn with_rounded_operands<R>(
    plan: &Plan,
    x: Values,
    w: &[f32],
    run: impl FnOnce(&Plan, &[f32], &[f32]) -> R,
) -> R {
    let sums_taps = plan.phases.iter().flat_map(|p| &p.taps).any(|tap| tap.kernels.len() > 1);
    with_rounded(x, |x| {
        if sums_taps && !col2im::pays(plan) {
            return with_summed(plan, w, |plan, w| run(plan, x, w));
        }
        with_rounded(Values::F32(w), |w| run(plan, x, w))
    })
}

/// Calls `work` with the values rounded, as f32; stored as bf16 they are rounded already.
pub(crate) fn with_rounded<R>(x: Values, work: impl FnOnce(&[f32]) -> R) -> R {
    match x {
        Values::F32(x) => workspace::with(x.len(), |rounded| {
            bf16::round_all(x, rounded);
            work(rounded)
        }),
        Values::Bf16(_) => x.with_f32(work),
    }
}

/// Where a tap's weights are the sum of several kernel pixels' the sum is rounded, not its parts: each tap becomes a
/// kernel pixel of its own.
fn with_summed<R>(plan: &Plan, w: &[f32], run: impl FnOnce(&Plan, &[f32]) -> R) -> R {
    let mut kernels = 0;
    let own = |tap: &Tap| {
        kernels += 1;
        Tap { y: tap.y, x: tap.x, kernels: vec![kernels - 1] }
    };
    let mut own = own;
    let phases = plan.phases.iter().map(|p| Phase { taps: p.taps.iter().map(&mut own).collect(), ..*p }).collect();
    let summed = Plan { phases, kernels, ..*plan };
    let matrix = plan.from.c * plan.to.c;
    workspace::with(summed.kernels * matrix, |weights| {
        let taps: Vec<&Tap> = plan.phases.iter().flat_map(|p| &p.taps).collect();
        weights.par_chunks_mut(matrix).zip(taps).for_each(|(sum, tap)| {
            sum.fill(0.0);
            for &k in &tap.kernels {
                sum.iter_mut().zip(&w[k * matrix..]).for_each(|(s, w)| *s += w);
            }
            sum.iter_mut().for_each(|s| *s = bf16::rounded(*s));
        });
        run(&summed, weights)
    })
}
