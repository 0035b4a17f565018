//! Convolution, its input gradient and its weight gradient: each is built of the other two's derivatives, so these
//! three primitives suffice for any order of differentiation. A transposed convolution's forward pass is
//! [`input_grad`]. Images, stored as f32 or as bf16, are `[batch, height, width, channels]`, weights
//! `[kernel_h, kernel_w, in_c, out_c]`.

use crate::dispatch::{fprop, taps_on_dy, wgrad};
use crate::plan::Plan;
use crate::stored::{Values, ValuesMut};
use crate::{Epilogue, Geometry, Precision, activation, counters};

/// `y = then(conv(x, w) + bias)`. Lengths: `g.x_len()`, `g.w_len()`, `g.out_c`, `g.y_len()`.
pub fn forward<'a>(
    g: &Geometry,
    precision: Precision,
    x: impl Into<Values<'a>>,
    w: &[f32],
    bias: Option<&[f32]>,
    then: impl Into<Epilogue<'a>>,
    y: impl Into<ValuesMut<'a>>,
) {
    let (x, y) = (x.into(), y.into());
    check("x", x.len(), g.x_len());
    check("w", w.len(), g.w_len());
    check("y", y.len(), g.y_len());
    check("bias", bias.map_or(g.out_c, <[f32]>::len), g.out_c);
    fprop(precision, &Plan::forward(g, 1), x, w, bias, checked(then, y.len()), y);
}

/// `dx = then(conv^T(dy, w) + bias)`: the gradient with respect to `x` (no bias, `Activation::Identity` or a slope), or the
/// forward pass of a transposed convolution from `[out_h, out_w, out_c]` to `[in_h, in_w, in_c]` with `in_c` biases.
/// Lengths: `g.y_len()`, `g.w_len()`, `g.in_c`, `g.x_len()`.
pub fn input_grad<'a>(
    g: &Geometry,
    precision: Precision,
    dy: impl Into<Values<'a>>,
    w: &[f32],
    bias: Option<&[f32]>,
    then: impl Into<Epilogue<'a>>,
    dx: impl Into<ValuesMut<'a>>,
) {
    let (dy, dx) = (dy.into(), dx.into());
    check("dy", dy.len(), g.y_len());
    check("w", w.len(), g.w_len());
    check("dx", dx.len(), g.x_len());
    check("bias", bias.map_or(g.in_c, <[f32]>::len), g.in_c);
    fprop(precision, &Plan::input_grad(g, 1), dy, w, bias, checked(then, dx.len()), dx);
}

/// `dw`: the gradient of the convolution with respect to its weights, summed over the batch, and `db`, where asked for, that
/// with respect to its bias. Counted by [`counters::weight_gradients`]. Lengths: `g.x_len()`, `g.y_len()`, `g.w_len()`, `g.out_c`.
pub fn weight_grad<'a>(
    g: &Geometry,
    precision: Precision,
    x: impl Into<Values<'a>>,
    dy: impl Into<Values<'a>>,
    dw: &mut [f32],
    db: Option<&mut [f32]>,
) {
    let (x, dy) = (x.into(), dy.into());
    check("x", x.len(), g.x_len());
    check("dy", dy.len(), g.y_len());
    check("dw", dw.len(), g.w_len());
    check("db", db.as_ref().map_or(g.out_c, |db| db.len()), g.out_c);
    counters::count_weight_gradient();
    if taps_on_dy(g, precision) {
        wgrad(precision, &Plan::input_grad(g, 1), dy, x, dw, None);
        if let Some(db) = db {
            activation::bias_grad(dy, db);
        }
    } else {
        wgrad(precision, &Plan::forward(g, 1), x, dy, dw, db);
    }
}

/// The epilogue, its values as many as the result's.
pub(crate) fn checked<'a>(then: impl Into<Epilogue<'a>>, len: usize) -> Epilogue<'a> {
    let then = then.into();
    if let Epilogue::Slope(_, of) = then {
        check("the slope's values", of.len(), len);
    }
    then
}

/// Stops a caller whose slice does not fit the geometry.
pub(crate) fn check(name: &str, got: usize, want: usize) {
    assert!(got == want, "{name} has {got} values, the geometry asks for {want}");
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Activation;
    use crate::reference::{self, assert_close, assert_same_on_any_pool, geometries, values};
    use proptest::prelude::*;

    const F32: Precision = Precision::F32;
    const ACTIVATIONS: [Activation; 5] =
        [Activation::Identity, Activation::Relu, Activation::LeakyRelu(0.2), Activation::Tanh, Activation::Sigmoid];

    fn check_forward(g: &Geometry, act: Activation) {
        let (x, w, b) = (values(g.x_len(), 1), values(g.w_len(), 2), values(g.out_c, 3));
        let mut y = vec![f32::NAN; g.y_len()];
        forward(g, F32, &x, &w, Some(&b), act, &mut y);
        let mut want = reference::forward(g, 1, &x, &w);
        reference::finish(&mut want, &b, act);
        assert_close("y", &y, &want);
        forward(g, F32, &x, &w, None, Activation::Identity, &mut y);
        assert_close("y without bias", &y, &reference::forward(g, 1, &x, &w));
    }

    fn check_input_grad(g: &Geometry, act: Activation) {
        let (dy, w, b) = (values(g.y_len(), 4), values(g.w_len(), 5), values(g.in_c, 6));
        let mut dx = vec![f32::NAN; g.x_len()];
        input_grad(g, F32, &dy, &w, None, Activation::Identity, &mut dx);
        assert_close("dx", &dx, &reference::input_grad(g, 1, &dy, &w));
        input_grad(g, F32, &dy, &w, Some(&b), act, &mut dx);
        let mut want = reference::input_grad(g, 1, &dy, &w);
        reference::finish(&mut want, &b, act);
        assert_close("transposed convolution", &dx, &want);
    }

    fn check_weight_grad(g: &Geometry) {
        let (x, dy) = (values(g.x_len(), 7), values(g.y_len(), 8));
        let mut dw = vec![f32::NAN; g.w_len()];
        weight_grad(g, F32, &x, &dy, &mut dw, None);
        assert_close("dw", &dw, &reference::weight_grad(g, 1, &x, &dy));
    }

    proptest! {
        #![proptest_config(reference::cases(400))]

        #[test]
        fn agrees_with_the_reference(g in geometries(), act in 0..5usize) {
            check_forward(&g, ACTIVATIONS[act]);
            check_input_grad(&g, ACTIVATIONS[act]);
            check_weight_grad(&g);
        }
    }

    /// Shapes like the course nets' layers, which reach the blocked paths that small random ones may not.
    fn layers() -> Vec<Geometry> {
        vec![
            Geometry::same(9, 28, 28, 1, 64, [4, 4], [2, 2]),
            Geometry::same(5, 14, 14, 64, 128, [4, 4], [2, 2]),
            Geometry::same(33, 7, 7, 24, 70, [4, 4], [2, 2]),
            Geometry::same(3, 28, 28, 48, 1, [5, 5], [1, 1]),
            Geometry::same(3, 14, 14, 40, 33, [5, 5], [1, 1]),
            Geometry::dense(64, 32, 3000),
            Geometry::dense(300, 500, 1),
            Geometry::dense(300, 31, 17),
            Geometry::valid(2, 40, 9, 130, 7, [2, 3], [1, 1]),
        ]
    }

    #[test]
    fn layer_shapes_agree_with_the_reference() {
        for g in layers() {
            check_forward(&g, Activation::LeakyRelu(0.2));
            check_input_grad(&g, Activation::Relu);
            check_weight_grad(&g);
        }
    }

    #[test]
    fn strides_beyond_the_kernel_and_kernels_beyond_the_image_agree_with_the_reference() {
        for g in [
            Geometry::same(2, 40, 30, 12, 9, [3, 2], [7, 5]),
            Geometry::same(2, 40, 30, 9, 2, [1, 1], [9, 11]),
            Geometry::same(3, 9, 70, 16, 20, [2, 4], [4, 33]),
            Geometry::valid(2, 33, 20, 10, 17, [2, 3], [15, 4]),
            Geometry::same(2, 4, 3, 10, 1, [31, 21], [1, 1]),
            Geometry::same(2, 5, 5, 9, 2, [13, 13], [2, 3]),
            Geometry::same(2, 4, 4, 12, 5, [1, 1], [1024, 1024]),
            // No output reads any input.
            Geometry { pad_top: 50, ..Geometry::same(2, 4, 4, 9, 1, [3, 3], [1, 1]) },
        ] {
            check_forward(&g, Activation::LeakyRelu(0.2));
            check_input_grad(&g, Activation::Relu);
            check_weight_grad(&g);
        }
    }

    #[test]
    fn same_bits_on_any_number_of_threads() {
        for g in layers() {
            let (x, w, dy) = (values(g.x_len(), 1), values(g.w_len(), 2), values(g.y_len(), 3));
            assert_same_on_any_pool(|| {
                let mut y = vec![0.0; g.y_len()];
                forward(&g, F32, &x, &w, None, Activation::Tanh, &mut y);
                y
            });
            assert_same_on_any_pool(|| {
                let mut dx = vec![0.0; g.x_len()];
                input_grad(&g, F32, &dy, &w, None, Activation::Identity, &mut dx);
                dx
            });
            assert_same_on_any_pool(|| {
                let mut dw = vec![0.0; g.w_len()];
                weight_grad(&g, F32, &x, &dy, &mut dw, None);
                dw
            });
        }
    }

    /// The loss `sum(y * r)` changes along a random direction as the gradients say (the loss is linear in each
    /// argument, so a wide step is exact up to rounding).
    #[test]
    fn gradients_match_finite_differences() {
        let g = Geometry::same(2, 7, 6, 5, 20, [4, 3], [2, 1]);
        let (x, w, r) = (values(g.x_len(), 1), values(g.w_len(), 2), values(g.y_len(), 3));
        let loss = |x: &[f32], w: &[f32]| {
            let mut y = vec![0.0; g.y_len()];
            forward(&g, F32, x, w, None, Activation::Identity, &mut y);
            y.iter().zip(&r).map(|(y, r)| f64::from(y * r)).sum::<f64>()
        };
        let (mut dx, mut dw) = (vec![0.0; x.len()], vec![0.0; w.len()]);
        input_grad(&g, F32, &r, &w, None, Activation::Identity, &mut dx);
        weight_grad(&g, F32, &x, &r, &mut dw, None);
        let moved = |v: &[f32], d: &[f32], s: f32| v.iter().zip(d).map(|(v, d)| v + s * d).collect::<Vec<_>>();
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let (ux, uw) = (values(x.len(), 4), values(w.len(), 5));
        let along_x = (loss(&moved(&x, &ux, 0.5), &w) - loss(&moved(&x, &ux, -0.5), &w)) / dot(&dx, &ux);
        let along_w = (loss(&x, &moved(&w, &uw, 0.5)) - loss(&x, &moved(&w, &uw, -0.5))) / dot(&dw, &uw);
        assert!((along_x - 1.0).abs() < 1e-4 && (along_w - 1.0).abs() < 1e-4, "{along_x} {along_w}");
    }

    #[test]
    fn empty_batches_give_zero_weight_gradients() {
        let g = Geometry::same(0, 4, 4, 2, 3, [3, 3], [1, 1]);
        let mut dw = vec![1.0; g.w_len()];
        weight_grad(&g, F32, &[], &[], &mut dw, None);
        forward(&g, F32, &[], &values(g.w_len(), 1), None, Activation::Relu, &mut []);
        assert!(dw.iter().all(|v| *v == 0.0));
    }

    #[test]
    fn weight_gradients_are_counted() {
        let before = counters::weight_gradients();
        check_weight_grad(&Geometry::dense(2, 3, 4));
        assert!(counters::weight_gradients() > before);
    }

    #[test]
    #[should_panic(expected = "w has 3 values, the geometry asks for 12")]
    fn lengths_are_checked() {
        let g = Geometry::dense(2, 3, 4);
        forward(&g, F32, &[0.0; 6], &[0.0; 3], None, Activation::Relu, &mut [0.0; 8]);
    }
}
