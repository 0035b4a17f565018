//! Which engine runs a convolution. Everything here is decided by the precision, the instruction set and the plan's sizes,
//! never by the batch or the number of threads. The map of the engines is in [`crate::engines`].

use crate::activation::{self, Activation};
use crate::engines::amx::{self, emulated};
use crate::engines::col2im;
use crate::engines::direct::{self, Tiles, with_tiles};
use crate::engines::{portable, winograd};
use crate::epilogue::{Epilogue, multiply_by_slope};
use crate::isa::{Bf16Unit, multiplies_bf16};
use crate::plan::Plan;
use crate::stored::{Values, ValuesMut};
use crate::{Geometry, Precision};

/// Forward pass (fprop) or input gradient (dgrad), which the plan says: `y = then(plan(x, w) + bias)`, operands rounded to
/// the precision. Images may be stored in either form; `y` is written completely.
pub(crate) fn fprop(
    precision: Precision,
    plan: &Plan,
    x: Values,
    w: &[f32],
    bias: Option<&[f32]>,
    then: Epilogue,
    mut y: ValuesMut,
) {
    if let (Precision::Bf16, Some(unit)) = (precision, Bf16Unit::in_use()) {
        return amx::prepared::run(unit, plan, x, w, bias, then, y);
    }
    let (act, slope) = then.parts();
    match precision {
        Precision::F32 => x.with_f32(|x| y.again().with_f32(|y| fprop_f32(plan, x, w, bias, act, y))),
        Precision::Bf16 => y.again().with_f32(|y| fprop_emulated(plan, x, w, bias, act, y)),
    }
    if let Some((bent, of)) = slope {
        multiply_by_slope(bent, of, y);
    }
}

/// Weight gradient (wgrad): `dw[kernel pixel] = sum over pixels of from (x) to`, operands rounded to the precision; `db`,
/// where asked for, is the sum of `to` over all pixels. Both are written completely.
pub(crate) fn wgrad(
    precision: Precision,
    plan: &Plan,
    from: Values,
    to: Values,
    dw: &mut [f32],
    db: Option<&mut [f32]>,
) {
    match (precision, Bf16Unit::in_use()) {
        (Precision::F32, _) => from.with_f32(|from| to.with_f32(|to| wgrad_f32(plan, from, to, dw))),
        (Precision::Bf16, None) => wgrad_emulated(plan, from, to, dw),
        (Precision::Bf16, Some(unit)) => return amx::wgrad::run(unit, plan, from, to, dw, db),
    }
    if let Some(db) = db {
        activation::bias_grad(to, db);
    }
}

/// bf16 without an instruction for it: rounded operands on the f32 engines.
pub(crate) fn fprop_emulated(plan: &Plan, x: Values, w: &[f32], bias: Option<&[f32]>, act: Activation, y: &mut [f32]) {
    emulated::with_rounded_operands(plan, x, w, |plan, x, w| fprop_f32(plan, x, w, bias, act, y));
}

/// As [`fprop_emulated`], for weight gradients.
pub(crate) fn wgrad_emulated(plan: &Plan, from: Values, to: Values, dw: &mut [f32]) {
    emulated::with_rounded(from, |from| emulated::with_rounded(to, |to| wgrad_f32(plan, from, to, dw)));
}

fn fprop_f32(plan: &Plan, x: &[f32], w: &[f32], bias: Option<&[f32]>, act: Activation, y: &mut [f32]) {
    if y.is_empty() {
        return;
    }
    if col2im::pays(plan) {
        return col2im::run(plan, x, w, bias, act, y);
    }
    with_tiles!(|T| fprop_tiled::<T>(plan, x, w, bias, act, y), else portable::fprop::run(plan, x, w, bias, act, y))
}

fn wgrad_f32(plan: &Plan, from: &[f32], to: &[f32], dw: &mut [f32]) {
    if dw.is_empty() {
        return;
    }
    let taps = plan.phases.iter().map(|p| p.taps.len()).sum::<usize>();
    if plan.from.c * plan.to.c * taps == 0 || plan.batch * plan.to.h * plan.to.w == 0 {
        return dw.fill(0.0);
    }
    with_tiles!(|T| wgrad_tiled::<T>(plan, from, to, dw), else portable::wgrad::run(plan, from, to, dw))
}

/// By Winograd's filtering where that takes less work, else by direct sums.
fn fprop_tiled<T: Tiles>(plan: &Plan, x: &[f32], w: &[f32], bias: Option<&[f32]>, act: Activation, y: &mut [f32]) {
    match winograd::tilings(plan) {
        Some(tilings) => winograd::fprop::run::<T>(plan, &tilings, x, w, bias, act, y),
        None => direct::fprop::run::<T>(plan, x, w, bias, act, y),
    }
}

/// As [`fprop_tiled`]. Neither the batch nor the images may be empty.
fn wgrad_tiled<T: Tiles>(plan: &Plan, from: &[f32], to: &[f32], dw: &mut [f32]) {
    match winograd::tilings(plan) {
        Some(tilings) => winograd::wgrad::run::<T>(plan, &tilings, from, to, dw),
        None => direct::wgrad::run::<T>(plan, from, to, dw),
    }
}

/// Whether a weight gradient takes the taps on the side of `dy`: where that is the smaller one.
pub(crate) fn taps_on_dy(g: &Geometry, precision: Precision) -> bool {
    let few_outputs = g.out_c <= 4 && g.in_c > g.out_c;
    let strided = g.stride_h > 1 || g.stride_w > 1;
    few_outputs || (precision == Precision::Bf16 && multiplies_bf16() && strided && g.in_c > 16)
}
