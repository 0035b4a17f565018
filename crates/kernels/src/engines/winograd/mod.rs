//! The Winograd engine: convolutions in f32 with fewer multiplications, by Winograd's minimal filtering. A tile of `m x m`
//! outputs of an `r x r` kernel takes `(m + r - 1)^2` products per pair of channels instead of `m^2 r^2`, at the price of
//! additions that transform inputs, weights and outputs (`form`, `transform`, `weights`). The phases of an upsampled or
//! transposed convolution are such convolutions with small kernels, and so are the residue classes of one with steps
//! (`tiling`); `fprop` runs forward passes and input gradients, `wgrad` weight gradients. The products are made by the tiles
//! of the direct engine.
//!
//! Rounding: with six points sums are some 2e-6 from exact, relative to the norm, where the direct form's are 1e-6 from
//! it. Whether a layer is tiled depends on its sizes alone, not on the batch: a tiled image gets the same bits in any batch.

mod form;
pub(crate) mod fprop;
mod lanes;
mod tiling;
mod transform;
mod weights;
pub(crate) mod wgrad;

use crate::engines::direct::FEW_CHANNELS;
use crate::plan::Plan;
use tiling::Tiling;

/// The tilings of all phases, where each gains by it. With few channels on one side, transforms fill no registers, and
/// weight gradients would take twice as long as through im2col.
pub(crate) fn tilings(plan: &Plan) -> Option<Vec<Tiling>> {
    if plan.from.c.min(plan.to.c) < FEW_CHANNELS {
        return None;
    }
    plan.phases.iter().map(|phase| Tiling::of(plan, phase)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::engines::direct::Tiles;
    use crate::engines::direct::plain::Plain;
    use crate::engines::direct::with_tiles;
    use crate::reference::{self, assert_close, assert_same_on_any_pool, cases, values};
    use crate::{Activation, Geometry};
    use form::FORMS;
    use proptest::prelude::*;

    /// Runs a plan and its weight gradient by every form that fits all its phases, whether it pays or not.
    fn check<T: Tiles>(g: &Geometry, factor: usize) -> usize {
        let (small, act) = (reference::small_len(g, factor), Activation::LeakyRelu(0.2));
        let (x, w, dy) = (values(small, 1), values(g.w_len(), 2), values(g.y_len(), 3));
        let (b_out, b_in) = (values(g.out_c, 4), values(g.in_c, 5));
        let mut want_y = reference::forward(g, factor, &x, &w);
        reference::finish(&mut want_y, &b_out, act);
        let mut want_dx = reference::input_grad(g, factor, &dy, &w);
        reference::finish(&mut want_dx, &b_in, act);
        let want_dw = reference::weight_grad(g, factor, &x, &dy);
        let mut forms = 0;
        for &form in &FORMS {
            let fitting = |plan: &Plan| -> Option<Vec<Tiling>> {
                plan.phases.iter().map(|phase| Tiling::with(plan, phase, form)).collect()
            };
            let plan = Plan::forward(g, factor);
            if let Some(tilings) = fitting(&plan) {
                let mut y = vec![f32::NAN; g.y_len()];
                fprop::run::<T>(&plan, &tilings, &x, &w, Some(&b_out), act, &mut y);
                assert_close("y", &y, &want_y);
                let mut dw = vec![f32::NAN; g.w_len()];
                wgrad::run::<T>(&plan, &tilings, &x, &dy, &mut dw);
                assert_close("dw", &dw, &want_dw);
                forms += 1;
            }
            let plan = Plan::input_grad(g, factor);
            if let Some(tilings) = fitting(&plan) {
                let mut dx = vec![f32::NAN; small];
                fprop::run::<T>(&plan, &tilings, &dy, &w, Some(&b_in), act, &mut dx);
                assert_close("dx", &dx, &want_dx);
                let mut dw = vec![f32::NAN; g.w_len()];
                wgrad::run::<T>(&plan, &tilings, &dy, &x, &mut dw);
                assert_close("dw of the transposed", &dw, &want_dw);
                forms += 1;
            }
        }
        forms
    }

    proptest! {
        #![proptest_config(cases(150))]

        #[test]
        fn every_form_agrees_with_the_reference(
            batch in 1..4usize,
            size in prop::array::uniform2(1..12usize),
            channels in prop::array::uniform2(1..40usize),
            kernel in prop::array::uniform2(1..6usize),
            stride in prop::array::uniform2(1..4usize),
            factor in 1..3usize,
        ) {
            let [h, w] = size.map(|n| n * factor);
            let g = Geometry::same(batch, h, w, channels[0], channels[1], kernel, stride);
            with_tiles!(|T| check::<T>(&g, factor), else check::<Plain<8, 16>>(&g, factor));
        }
    }

    #[test]
    fn the_course_nets_layers_agree_in_every_form() {
        // By their taps: two (stride 2, upsampling), three, four and five, each with all forms.
        let shapes = [(4, 2, 1, 6), (3, 1, 2, 6), (3, 1, 1, 6), (4, 1, 1, 4), (5, 1, 1, 2), (6, 2, 1, 6)];
        for (kernel, stride, factor, forms) in shapes {
            let g = Geometry::same(3, 14 * factor, 14 * factor, 40, 50, [kernel, kernel], [stride, stride]);
            let fitting = with_tiles!(|T| check::<T>(&g, factor), else check::<Plain<6, 16>>(&g, factor));
            assert_eq!(fitting, forms, "{kernel}x{kernel}/{stride}");
        }
        // More channels than are transformed or multiplied in one go, and several blocks of tiles.
        for [inputs, outputs] in [[300, 20], [20, 300]] {
            let g = Geometry::same(9, 16, 16, inputs, outputs, [4, 4], [2, 2]);
            with_tiles!(|T| check::<T>(&g, 1), else check::<Plain<6, 16>>(&g, 1));
        }
    }

    #[test]
    fn an_image_s_own_channels_stay_direct() {
        for [inputs, outputs] in [[3, 64], [1, 64], [256, 1], [15, 512]] {
            let g = Geometry::same(64, 32, 32, inputs, outputs, [4, 4], [2, 2]);
            assert!(tilings(&Plan::forward(&g, 1)).is_none() && tilings(&Plan::input_grad(&g, 1)).is_none());
        }
        let quick = Geometry::same(32, 14, 14, 24, 48, [4, 4], [2, 2]);
        assert!(tilings(&Plan::forward(&quick, 1)).is_some());
    }

    fn check_bits<T: Tiles>() {
        let g = Geometry::same(16, 7, 7, 128, 112, [4, 4], [2, 2]);
        let (x, w, dy) = (values(g.x_len(), 1), values(g.w_len(), 2), values(g.y_len(), 3));
        let run = |batch: usize| {
            let g = Geometry { batch, ..g };
            let plan = Plan::forward(&g, 1);
            let tilings = tilings(&plan).expect("this layer gains by it");
            let mut y = vec![f32::NAN; g.y_len()];
            fprop::run::<T>(&plan, &tilings, &x[..g.x_len()], &w, None, Activation::Tanh, &mut y);
            y
        };
        assert_eq!(run(1), run(16)[..g.y_len() / 16]);
        assert_same_on_any_pool(|| run(16));
        assert_same_on_any_pool(|| {
            let mut dw = vec![f32::NAN; g.w_len()];
            let plan = Plan::forward(&g, 1);
            wgrad::run::<T>(&plan, &tilings(&plan).expect("as above"), &x, &dy, &mut dw);
            dw
        });
    }

    #[test]
    fn same_bits_on_any_number_of_threads_and_in_any_batch() {
        with_tiles!(|T| check_bits::<T>(), else check_bits::<Plain<6, 16>>());
    }
}
