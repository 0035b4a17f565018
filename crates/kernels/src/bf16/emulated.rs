//! bf16 where no instruction multiplies it: operands are rounded into f32 buffers, and the f32 kernels do the rest.

use super::convert;
use crate::activation::Activation;
use crate::plan::{Phase, Plan, Tap};
use crate::stored::Values;
use crate::{columns, workspace};
use rayon::prelude::*;

/// `y = act(gather(bf16(x), bf16(w)) + bias)`.
pub(super) fn gather(plan: &Plan, x: Values, w: &[f32], bias: Option<&[f32]>, act: Activation, y: &mut [f32]) {
    let sums_taps = plan.phases.iter().flat_map(|p| &p.taps).any(|tap| tap.kernels.len() > 1);
    with_rounded(x, |x| {
        if sums_taps && !columns::pays(plan) {
            return gather_summed(plan, x, w, bias, act, y);
        }
        with_rounded(Values::F32(w), |w| crate::gather::gather(plan, x, w, bias, act, y));
    });
}

/// Calls `work` with the values rounded, as f32; stored as bf16 they are rounded already.
fn with_rounded<R>(x: Values, work: impl FnOnce(&[f32]) -> R) -> R {
    match x {
        Values::F32(x) => workspace::with(x.len(), |rounded| {
            convert::round_all(x, rounded);
            work(rounded)
        }),
        Values::Bf16(_) => x.with_f32(work),
    }
}

/// Where a tap's weights are the sum of several kernel pixels' the sum is rounded, not its parts: each tap becomes a
/// kernel pixel of its own.
fn gather_summed(plan: &Plan, x: &[f32], w: &[f32], bias: Option<&[f32]>, act: Activation, y: &mut [f32]) {
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
            sum.iter_mut().for_each(|s| *s = convert::rounded(*s));
        });
        crate::gather::gather(&summed, x, weights, bias, act, y);
    });
}

/// `dw = outer(bf16(from), bf16(to))`.
pub(super) fn outer(plan: &Plan, from: Values, to: Values, dw: &mut [f32]) {
    with_rounded(from, |from| with_rounded(to, |to| crate::outer::outer(plan, from, to, dw)));
}
