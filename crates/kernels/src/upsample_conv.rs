//! Nearest-neighbour upsampling by a whole factor, then a convolution, as one operation: the enlarged image is
//! never made, and the kernel pixels that read the same source pixel are summed first (for a factor 2 and a 3x3
//! kernel, 4/9 of the multiplications). The geometry describes the convolution on the enlarged
//! image: the small one is `[g.batch, g.in_h / factor, g.in_w / factor, g.in_c]`.

use crate::activation::Activation;
use crate::conv::{check, checked};
use crate::dispatch::{fprop, wgrad};
use crate::geometry::product;
use crate::plan::Plan;
use crate::stored::{Values, ValuesMut};
use crate::{Epilogue, Geometry, Precision, counters};

/// A convolution of an upsampled image.
#[derive(Clone, Copy, Debug)]
pub struct Upsampled<'a> {
    /// The convolution on the enlarged image.
    pub geometry: &'a Geometry,
    /// By which height and width are enlarged, at least 1.
    pub factor: usize,
}

impl Upsampled<'_> {
    /// Values of the small image.
    fn small_len(&self) -> usize {
        let Self { geometry: g, factor } = *self;
        assert!(factor > 0, "the upsampling factor is zero");
        product([g.batch, g.in_h / factor, g.in_w / factor, g.in_c])
    }
}

/// `y = act(conv(upsample(x), w) + bias)`.
pub fn forward<'a>(
    conv: &Upsampled,
    precision: Precision,
    x: impl Into<Values<'a>>,
    w: &[f32],
    bias: Option<&[f32]>,
    act: Activation,
    y: impl Into<ValuesMut<'a>>,
) {
    let (g, x, y) = (conv.geometry, x.into(), y.into());
    check("x", x.len(), conv.small_len());
    check("w", w.len(), g.w_len());
    check("y", y.len(), g.y_len());
    check("bias", bias.map_or(g.out_c, <[f32]>::len), g.out_c);
    fprop(precision, &Plan::forward(g, conv.factor), x, w, bias, act.into(), y);
}

/// `dx`: the gradient with respect to the small image, `Activation::Identity` or a slope behind it.
pub fn input_grad<'a>(
    conv: &Upsampled,
    precision: Precision,
    dy: impl Into<Values<'a>>,
    w: &[f32],
    then: impl Into<Epilogue<'a>>,
    dx: impl Into<ValuesMut<'a>>,
) {
    let (g, dy, dx) = (conv.geometry, dy.into(), dx.into());
    check("dy", dy.len(), g.y_len());
    check("w", w.len(), g.w_len());
    check("dx", dx.len(), conv.small_len());
    fprop(precision, &Plan::input_grad(g, conv.factor), dy, w, None, checked(then, dx.len()), dx);
}

/// `dw`: the gradient with respect to the weights, and `db`, where asked for, to the bias. Counted by [`counters::weight_gradients`].
pub fn weight_grad<'a>(
    conv: &Upsampled,
    precision: Precision,
    x: impl Into<Values<'a>>,
    dy: impl Into<Values<'a>>,
    dw: &mut [f32],
    db: Option<&mut [f32]>,
) {
    let (g, x, dy) = (conv.geometry, x.into(), dy.into());
    check("x", x.len(), conv.small_len());
    check("dy", dy.len(), g.y_len());
    check("dw", dw.len(), g.w_len());
    counters::count_weight_gradient();
    check("db", db.as_ref().map_or(g.out_c, |db| db.len()), g.out_c);
    wgrad(precision, &Plan::forward(g, conv.factor), x, dy, dw, db);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::reference::{self, assert_close, assert_same_on_any_pool, geometries, values};
    use proptest::prelude::*;

    const F32: Precision = Precision::F32;

    fn up(geometry: &Geometry, factor: usize) -> Upsampled<'_> {
        Upsampled { geometry, factor }
    }

    fn check_all(g: &Geometry, factor: usize) {
        let small = reference::small_len(g, factor);
        let (x, w, b) = (values(small, 1), values(g.w_len(), 2), values(g.out_c, 3));
        let dy = values(g.y_len(), 4);
        let act = Activation::LeakyRelu(0.2);
        let mut y = vec![f32::NAN; g.y_len()];
        forward(&up(g, factor), F32, &x, &w, Some(&b), act, &mut y);
        let mut want = reference::forward(g, factor, &x, &w);
        reference::finish(&mut want, &b, act);
        assert_close("y", &y, &want);
        let mut dx = vec![f32::NAN; small];
        input_grad(&up(g, factor), F32, &dy, &w, Activation::Identity, &mut dx);
        assert_close("dx", &dx, &reference::input_grad(g, factor, &dy, &w));
        let mut dw = vec![f32::NAN; g.w_len()];
        weight_grad(&up(g, factor), F32, &x, &dy, &mut dw, None);
        assert_close("dw", &dw, &reference::weight_grad(g, factor, &x, &dy));
    }

    proptest! {
        #![proptest_config(reference::cases(250))]

        /// Any factor, also together with a stride (the random geometry's input size is the small one).
        #[test]
        fn agrees_with_the_reference(g in geometries(), factor in 1..4usize) {
            let g = Geometry { in_h: g.in_h * factor, in_w: g.in_w * factor, ..g };
            check_all(&g, factor);
        }
    }

    fn layers() -> [Geometry; 3] {
        [
            Geometry::same(9, 14, 14, 64, 48, [3, 3], [1, 1]),
            Geometry::same(3, 28, 28, 40, 70, [3, 3], [1, 1]),
            Geometry::same(3, 28, 28, 20, 1, [5, 5], [1, 1]),
        ]
    }

    #[test]
    fn layer_shapes_agree_with_the_reference() {
        layers().iter().for_each(|g| check_all(g, 2));
    }

    #[test]
    fn equals_a_convolution_of_the_enlarged_image() {
        let g = Geometry::same(1, 4, 4, 1, 2, [3, 3], [1, 1]);
        let w = values(g.w_len(), 1);
        let small = [1.0, 2.0, -3.0, 4.0];
        let large: Vec<f32> = (0..16).map(|i| small[i / 8 * 2 + i % 4 / 2]).collect();
        let (mut fused, mut plain) = (vec![0.0; 32], vec![1.0; 32]);
        forward(&up(&g, 2), F32, &small, &w, None, Activation::Identity, &mut fused);
        crate::conv::forward(&g, F32, &large, &w, None, Activation::Identity, &mut plain);
        assert_close("fused", &fused, &plain.iter().map(|v| f64::from(*v)).collect::<Vec<_>>());
    }

    /// The loss `sum(y * r)` is linear in `x` and in `w`: its slope along a random direction is exact up to rounding.
    #[test]
    fn gradients_match_finite_differences() {
        let g = Geometry::same(2, 6, 8, 5, 20, [3, 3], [1, 1]);
        let (x, w) = (values(reference::small_len(&g, 2), 1), values(g.w_len(), 2));
        let r = values(g.y_len(), 3);
        let loss = |x: &[f32], w: &[f32]| {
            let mut y = vec![0.0; g.y_len()];
            forward(&up(&g, 2), F32, x, w, None, Activation::Identity, &mut y);
            y.iter().zip(&r).map(|(y, r)| f64::from(y * r)).sum::<f64>()
        };
        let (mut dx, mut dw) = (vec![0.0; x.len()], vec![0.0; w.len()]);
        input_grad(&up(&g, 2), F32, &r, &w, Activation::Identity, &mut dx);
        weight_grad(&up(&g, 2), F32, &x, &r, &mut dw, None);
        let moved = |v: &[f32], d: &[f32], s: f32| -> Vec<f32> { v.iter().zip(d).map(|(v, d)| v + s * d).collect() };
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let (ux, uw) = (values(x.len(), 4), values(w.len(), 5));
        let along_x = loss(&moved(&x, &ux, 0.5), &w) - loss(&moved(&x, &ux, -0.5), &w);
        let along_w = loss(&x, &moved(&w, &uw, 0.5)) - loss(&x, &moved(&w, &uw, -0.5));
        assert!((along_x / dot(&dx, &ux) - 1.0).abs() < 1e-4);
        assert!((along_w / dot(&dw, &uw) - 1.0).abs() < 1e-4);
    }

    #[test]
    fn same_bits_on_any_number_of_threads() {
        for g in layers() {
            let small = reference::small_len(&g, 2);
            let (x, w, dy) = (values(small, 1), values(g.w_len(), 2), values(g.y_len(), 3));
            assert_same_on_any_pool(|| {
                let mut y = vec![0.0; g.y_len()];
                forward(&up(&g, 2), F32, &x, &w, None, Activation::Relu, &mut y);
                y
            });
            assert_same_on_any_pool(|| {
                let mut dx = vec![0.0; small];
                input_grad(&up(&g, 2), F32, &dy, &w, Activation::Identity, &mut dx);
                dx
            });
            assert_same_on_any_pool(|| {
                let mut dw = vec![0.0; g.w_len()];
                weight_grad(&up(&g, 2), F32, &x, &dy, &mut dw, None);
                dw
            });
        }
    }
}
