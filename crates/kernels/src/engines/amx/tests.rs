//! Every unit for bf16 products that this machine has, and the rounded f32 kernels, against plain f64 sums over rounded
//! operands: close enough (1e-5) that a wrong index shows, where 1e-2, what rounding itself costs, would let it pass.

use super::{prepared, wgrad};
use crate::activation::Activation;
use crate::dispatch::{fprop_emulated, wgrad_emulated};
use crate::epilogue::{Epilogue, multiply_by_slope};
use crate::isa::Bf16Unit;
use crate::memory::workspace;
use crate::plan::Plan;
use crate::reference::{self, assert_close, assert_same_on_any_pool, geometries, values};
use crate::stored::{Element, Values, ValuesMut};
use crate::{Geometry, Precision, bf16, conv, upsample_conv};
use proptest::prelude::*;

const ACTIVATIONS: [Activation; 5] =
    [Activation::Identity, Activation::Relu, Activation::LeakyRelu(0.2), Activation::Tanh, Activation::Sigmoid];

fn rounded(values: &[f32]) -> Vec<f32> {
    values.iter().map(|v| bf16::rounded(*v)).collect()
}

/// What runs a plan: a unit for bf16 products, or the f32 engines.
#[derive(Clone, Copy, Debug)]
struct Way(Option<Bf16Unit>);

impl Way {
    fn all() -> Vec<Self> {
        let units = Bf16Unit::all().into_iter().map(|unit| Self(Some(unit)));
        units.chain([Self(None)]).collect()
    }

    fn fprop(self, plan: &Plan, x: &[f32], w: &[f32], bias: &[f32], act: Activation, len: usize) -> Vec<f32> {
        let mut y = vec![f32::NAN; len];
        match self.0 {
            Some(unit) => prepared::run(unit, plan, x.into(), w, Some(bias), act.into(), (&mut y).into()),
            None => fprop_emulated(plan, x.into(), w, Some(bias), act, &mut y),
        }
        y
    }

    /// An input gradient as bf16, multiplied with the slopes at `of`.
    fn sloped(self, plan: &Plan, x: &[f32], w: &[f32], slope: (Activation, &[u16])) -> Vec<f32> {
        let (act, of) = slope;
        let mut y = vec![0xFFFF; of.len()];
        match self.0 {
            Some(unit) => {
                prepared::run(unit, plan, x.into(), w, None, Epilogue::Slope(act, Values::Bf16(of)), (&mut y).into());
            }
            None => {
                ValuesMut::from(&mut y).with_f32(|y| fprop_emulated(plan, x.into(), w, None, Activation::Identity, y));
                multiply_by_slope(act, Values::Bf16(of), (&mut y).into());
            }
        }
        Values::Bf16(&y).with_f32(<[f32]>::to_vec)
    }

    fn wgrad(self, plan: &Plan, from: &[f32], to: &[f32], len: usize) -> Vec<f32> {
        let mut dw = vec![f32::NAN; len];
        match self.0 {
            Some(unit) => {
                let (mut alone, mut db, to) = (dw.clone(), vec![f32::NAN; plan.to.c], rounded(to));
                wgrad::run(unit, plan, from.into(), (&to).into(), &mut alone, None);
                wgrad::run(unit, plan, from.into(), (&to).into(), &mut dw, Some(&mut db));
                assert_eq!(alone, dw, "asking for more changes nothing");
                let mut sums = vec![0.0; plan.to.c];
                to.iter().enumerate().for_each(|(i, v)| sums[i % plan.to.c] += f64::from(*v));
                assert_close("sums over pixels", &db, &sums);
            }
            None => wgrad_emulated(plan, from.into(), to.into(), &mut dw),
        }
        dw
    }
}

/// A plan in f64 whose taps' summed weights are rounded, as the single ones of col2im are.
fn reference_fprop(plan: &Plan, x: &[f32], w: &[f32]) -> Vec<f64> {
    let x = rounded(x);
    let columns = crate::engines::col2im::pays(plan);
    let (along_c, along_n) = plan.weight_strides();
    let mut y = vec![0.0; plan.batch * plan.to.len()];
    for phase in &plan.phases {
        for tap in &phase.taps {
            let weight = |c: usize, n: usize| {
                let each = tap.kernels.iter().map(|k| w[k * plan.from.c * plan.to.c + c * along_c + n * along_n]);
                if columns {
                    each.map(|v| f64::from(bf16::rounded(v))).sum::<f64>()
                } else {
                    f64::from(bf16::rounded(each.sum::<f32>()))
                }
            };
            let matrix: Vec<f64> =
                (0..plan.from.c).flat_map(|c| (0..plan.to.c).map(move |n| (c, n))).map(|(c, n)| weight(c, n)).collect();
            for r in 0..plan.batch * phase.rows * phase.cols {
                let at = crate::im2col::Position::new(phase, r);
                let (sy, sx) = ((plan.step[0] * at.i) as isize + tap.y, (plan.step[1] * at.j) as isize + tap.x);
                if sy < 0 || sx < 0 || sy >= plan.from.h as isize || sx >= plan.from.w as isize {
                    continue;
                }
                let source = ((at.image * plan.from.h + sy as usize) * plan.from.w + sx as usize) * plan.from.c;
                let target = &mut y[at.to(plan, phase)..][..plan.to.c];
                for (x, row) in x[source..].iter().zip(matrix.chunks_exact(plan.to.c)) {
                    target.iter_mut().zip(row).for_each(|(y, w)| *y += f64::from(*x) * w);
                }
            }
        }
    }
    y
}

/// Forward, input gradient and weight gradient of one geometry, each way.
fn check(g: &Geometry, factor: usize, act: Activation) {
    let small = reference::small_len(g, factor);
    let (x, w, dy) = (values(small, 1), values(g.w_len(), 2), values(g.y_len(), 3));
    let (out_bias, in_bias) = (values(g.out_c, 4), values(g.in_c, 5));
    let (forward, backward) = (Plan::forward(g, factor), Plan::input_grad(g, factor));
    let mut y = reference_fprop(&forward, &x, &w);
    reference::finish(&mut y, &out_bias, act);
    let mut dx = reference_fprop(&backward, &dy, &w);
    reference::finish(&mut dx, &in_bias, act);
    let dw = reference::weight_grad(g, factor, &rounded(&x), &rounded(&dy));
    let of: Vec<u16> = values(small, 6).into_iter().map(|v| bf16::bits(act.apply(v))).collect();
    let slopes = of.iter().map(|of| f64::from(act.slope(of.wide())));
    let sloped: Vec<f64> = reference_fprop(&backward, &dy, &w).iter().zip(slopes).map(|(dx, s)| dx * s).collect();
    for way in Way::all() {
        workspace::spoil();
        let name = |what: &str| format!("{what}, {way:?}, {g:?} x{factor}");
        assert_close(&name("forward"), &way.fprop(&forward, &x, &w, &out_bias, act, g.y_len()), &y);
        assert_close(&name("input gradient"), &way.fprop(&backward, &dy, &w, &in_bias, act, small), &dx);
        let ours = way.sloped(&backward, &dy, &w, (act, &of));
        let norm = sloped.iter().map(|v| v * v).sum::<f64>().sqrt();
        let apart = ours.iter().zip(&sloped).map(|(a, b)| (f64::from(*a) - b).powi(2)).sum::<f64>().sqrt();
        assert!(apart <= 4e-3 * norm + 1e-6, "{}: apart by {apart} of {norm}", name("sloped"));
        assert_close(&name("weight gradient"), &way.wgrad(&forward, &x, &dy, g.w_len()), &dw);
        if g.out_c <= 4 {
            let turned = Plan::input_grad(g, factor);
            assert_close(&name("turned weight gradient"), &way.wgrad(&turned, &dy, &x, g.w_len()), &dw);
        }
    }
}

proptest! {
    #![proptest_config(reference::cases(200))]

    #[test]
    fn convolutions_agree_with_rounded_operands(g in geometries(), act in 0..5usize) {
        check(&g, 1, ACTIVATIONS[act]);
    }

    #[test]
    fn upsampled_convolutions_agree_with_rounded_operands(g in geometries(), factor in 2..4usize) {
        check(&Geometry { in_h: g.in_h * factor, in_w: g.in_w * factor, ..g }, factor, Activation::LeakyRelu(0.2));
    }
}

/// Shapes like the course nets' layers, which reach what small random ones may not: several tasks, blocks, panels, bands
/// and steps.
fn layers() -> Vec<(Geometry, usize)> {
    vec![
        (Geometry::same(5, 28, 28, 1, 64, [4, 4], [2, 2]), 1),
        (Geometry::same(17, 14, 14, 40, 70, [4, 4], [2, 2]), 1),
        (Geometry::same(3, 28, 28, 48, 1, [5, 5], [1, 1]), 1),
        (Geometry::same(3, 14, 14, 40, 33, [5, 5], [1, 1]), 1),
        (Geometry::same(3, 15, 13, 40, 64, [5, 5], [1, 1]), 1),
        (Geometry::same(5, 12, 14, 64, 96, [4, 4], [2, 2]), 1),
        (Geometry::same(2, 40, 36, 33, 20, [3, 3], [1, 1]), 1),
        (Geometry::same(2, 28, 28, 64, 40, [3, 3], [1, 1]), 2),
        (Geometry::dense(64, 32, 600), 1),
        (Geometry::dense(200, 1024, 9), 1),
        (Geometry::dense(70, 31, 17), 1),
        (Geometry::valid(2, 40, 9, 66, 7, [2, 3], [1, 1]), 1),
    ]
}

#[test]
fn layer_shapes_agree_with_rounded_operands() {
    for (g, factor) in layers() {
        check(&g, factor, Activation::LeakyRelu(0.2));
    }
}

#[test]
fn same_bits_on_any_number_of_threads() {
    for (g, factor) in layers() {
        let (x, w, dy) = (values(reference::small_len(&g, factor), 1), values(g.w_len(), 2), values(g.y_len(), 3));
        let bias = values(g.out_c, 4);
        let plan = Plan::forward(&g, factor);
        for way in Way::all() {
            assert_same_on_any_pool(|| way.fprop(&plan, &x, &w, &bias, Activation::Relu, g.y_len()));
            assert_same_on_any_pool(|| way.wgrad(&plan, &x, &dy, g.w_len()));
        }
    }
}

/// The public functions, with rounding as the only difference: within 1e-2 of the exact result.
#[test]
fn rounding_costs_less_than_a_hundredth() {
    let close = |name: &str, got: &[f32], want: &[f64]| {
        let norm = want.iter().map(|w| w * w).sum::<f64>().sqrt();
        let apart = got.iter().zip(want).map(|(g, w)| (f64::from(*g) - w).powi(2)).sum::<f64>().sqrt();
        assert!(apart < 1e-2 * norm, "{name}: apart by {apart} of {norm}");
        // Were nothing rounded, the two would agree to seven digits.
        assert!(apart > 1e-4 * norm, "{name}: nothing was rounded, {apart} of {norm}");
    };
    let (p, none) = (Precision::Bf16, Activation::Identity);
    for (g, factor) in layers() {
        let small = reference::small_len(&g, factor);
        let (x, w, dy) = (values(small, 1), values(g.w_len(), 2), values(g.y_len(), 3));
        let (mut y, mut dx, mut dw) = (vec![0.0; g.y_len()], vec![0.0; small], vec![0.0; g.w_len()]);
        if factor == 1 {
            conv::forward(&g, p, &x, &w, None, none, &mut y);
            conv::input_grad(&g, p, &dy, &w, None, none, &mut dx);
            conv::weight_grad(&g, p, &x, &dy, &mut dw, None);
        } else {
            let up = upsample_conv::Upsampled { geometry: &g, factor };
            upsample_conv::forward(&up, p, &x, &w, None, none, &mut y);
            upsample_conv::input_grad(&up, p, &dy, &w, none, &mut dx);
            upsample_conv::weight_grad(&up, p, &x, &dy, &mut dw, None);
        }
        close("forward", &y, &reference::forward(&g, factor, &x, &w));
        close("input gradient", &dx, &reference::input_grad(&g, factor, &dy, &w));
        close("weight gradient", &dw, &reference::weight_grad(&g, factor, &x, &dy));
    }
}

/// Operands are rounded anyway: whether that happened before they were stored changes no bit; results stored as bf16 are the
/// f32 results, rounded.
#[test]
fn the_form_of_storage_changes_nothing() {
    let bits = |values: &[f32]| values.iter().map(|v| bf16::bits(*v)).collect::<Vec<u16>>();
    for (g, factor) in layers() {
        let small = reference::small_len(&g, factor);
        let (x, w, dy, bias) = (values(small, 1), values(g.w_len(), 2), values(g.y_len(), 3), values(g.out_c, 4));
        let (stored_x, stored_dy) = (bits(&x), bits(&dy));
        let (plan, act) = (Plan::forward(&g, factor), Activation::LeakyRelu(0.2));
        for way in Way::all() {
            let exact = way.fprop(&plan, &x, &w, &bias, act, g.y_len());
            let (from, to) = (Values::Bf16(&stored_x), Values::Bf16(&stored_dy));
            let mut y = vec![0u16; g.y_len()];
            let mut dw = vec![0.0; g.w_len()];
            workspace::spoil();
            match way.0 {
                Some(unit) => {
                    prepared::run(unit, &plan, from, &w, Some(&bias), act.into(), (&mut y).into());
                    wgrad::run(unit, &plan, from, to, &mut dw, None);
                }
                None => {
                    ValuesMut::from(&mut y).with_f32(|y| fprop_emulated(&plan, from, &w, Some(&bias), act, y));
                    wgrad_emulated(&plan, from, to, &mut dw);
                }
            }
            assert_eq!(y, bits(&exact), "{way:?} {g:?}");
            assert_eq!(dw, way.wgrad(&plan, &x, &dy, g.w_len()), "{way:?} {g:?}");
        }
    }
}

#[test]
fn a_value_that_is_no_number_is_not_lost() {
    let g = Geometry::same(1, 6, 6, 32, 32, [3, 3], [1, 1]);
    let (mut x, w) = (values(g.x_len(), 1), values(g.w_len(), 2));
    x[40] = f32::NAN;
    for way in Way::all() {
        let y = way.fprop(&Plan::forward(&g, 1), &x, &w, &[0.0; 32], Activation::Identity, g.y_len());
        assert!(y[0].is_nan() && !y[g.y_len() - 1].is_nan(), "{way:?}");
    }
}

#[test]
fn nothing_in_nothing_out() {
    let g = Geometry::same(0, 4, 4, 20, 30, [3, 3], [1, 1]);
    for way in Way::all() {
        assert!(
            way.fprop(&Plan::forward(&g, 1), &[], &values(g.w_len(), 1), &[0.0; 30], Activation::Relu, 0).is_empty()
        );
        assert!(way.wgrad(&Plan::forward(&g, 1), &[], &[], g.w_len()).iter().all(|v| *v == 0.0));
    }
}
