//! The gradients of batch normalisation. One pass over the rows sums what the parameters' gradients need, a second
//! one makes the input's gradient from those sums; in training it includes the paths through mean and variance.

use super::{COLUMNS, check, check_rows, inverse_deviation, long, rows_per_block};
use crate::activation::{Activation, for_each_activation};
use crate::stored::{Values, ValuesMut, strip_len, strips};
use crate::vectorise::vectorised;
use crate::workspace::{self, Aligned};
use rayon::prelude::*;
use std::ops::Range;

/// Gradients of [`forward`](super::forward) in training, where `mean` and `var` are the moments of this very `x`. `y` is the forward
/// pass's output (for the activation's slope), `dy` the gradient with respect to it.
#[allow(clippy::too_many_arguments)]
pub fn backward_train<'a>(
    x: impl Into<Values<'a>>,
    mean: &[f32],
    var: &[f32],
    gamma: &[f32],
    epsilon: f32,
    act: Activation,
    y: impl Into<Values<'a>>,
    dy: impl Into<Values<'a>>,
    dx: impl Into<ValuesMut<'a>>,
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) {
    let (x, y, dy, dx) = (x.into(), y.into(), dy.into(), dx.into());
    let inverse = parameter_grads(x, mean, var, gamma, epsilon, act, y, dy, dgamma, dbeta);
    if x.is_empty() {
        return;
    }
    // dx = gamma / sqrt(var + eps) * (dz - mean(dz) - xhat * mean(dz xhat)), as dz * a + x * b + d per column.
    let rows = (x.len() / mean.len()) as f32;
    let c = mean.len();
    let mut coefficients = Coefficients::new(c);
    for i in 0..c {
        let a = gamma[i] * inverse[i];
        coefficients.slope[i] = a;
        coefficients.centred[i] = -a * inverse[i] * dgamma[i] / rows;
        coefficients.constant[i] = -a * dbeta[i] / rows;
    }
    input_grads(x, mean, act, y, dy, dx, &coefficients);
}

/// What each column's gradient is made of: `dx = slope * dz + centred * (x - mean) + constant`.
pub(crate) struct Coefficients {
    pub(crate) slope: Aligned,
    pub(crate) centred: Aligned,
    pub(crate) constant: Aligned,
}

impl Coefficients {
    pub(crate) fn new(c: usize) -> Self {
        let zeros = Aligned::zeros(c);
        Self { slope: zeros.clone(), centred: zeros.clone(), constant: zeros }
    }
}

/// Gradients of [`forward`](super::forward) where `mean` and `var` are constants (a frozen or evaluated layer).
#[allow(clippy::too_many_arguments)]
pub fn backward_infer<'a>(
    x: impl Into<Values<'a>>,
    mean: &[f32],
    var: &[f32],
    gamma: &[f32],
    epsilon: f32,
    act: Activation,
    y: impl Into<Values<'a>>,
    dy: impl Into<Values<'a>>,
    dx: impl Into<ValuesMut<'a>>,
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) {
    let (x, y, dy, dx) = (x.into(), y.into(), dy.into(), dx.into());
    let inverse = parameter_grads(x, mean, var, gamma, epsilon, act, y, dy, dgamma, dbeta);
    if x.is_empty() {
        return;
    }
    let mut coefficients = Coefficients::new(mean.len());
    for (slope, (g, i)) in coefficients.slope.iter_mut().zip(gamma.iter().zip(&inverse)) {
        *slope = g * i;
    }
    input_grads(x, mean, act, y, dy, dx, &coefficients);
}

/// Checks lengths and fills `dgamma` and `dbeta`; returns `1 / sqrt(var + epsilon)`.
#[allow(clippy::too_many_arguments)]
pub(crate) fn parameter_grads<'a>(
    x: impl Into<Values<'a>>,
    mean: &[f32],
    var: &[f32],
    gamma: &[f32],
    epsilon: f32,
    act: Activation,
    y: impl Into<Values<'a>>,
    dy: impl Into<Values<'a>>,
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) -> Vec<f32> {
    let (x, y, dy) = (x.into(), y.into(), dy.into());
    let c = mean.len();
    let lens = [("var", var.len()), ("gamma", gamma.len()), ("dgamma", dgamma.len()), ("dbeta", dbeta.len())];
    for (name, len) in lens {
        check(name, len, c);
    }
    for (name, len) in [("y", y.len()), ("dy", dy.len())] {
        check(name, len, x.len());
    }
    check_rows(x.len(), c);
    let inverse: Vec<f32> = inverse_deviation(var, epsilon).collect();
    if long(x.len(), c) {
        column_grads([x, y, dy], mean, act, dgamma, dbeta);
        dgamma.iter_mut().zip(&inverse).for_each(|(d, inverse)| *d *= inverse);
        return inverse;
    }
    let values = (rows_per_block(c) * c).max(1);
    let blocks = x.chunks(values).zip(y.chunks(values)).zip(dy.chunks(values));
    let mean = &Aligned::of(mean.iter().copied());
    let part = |((x, y), dy)| block_grads([x, y, dy], mean, act);
    let parts: Vec<[Aligned; 2]> = blocks.map(part).collect();
    for i in 0..c {
        dbeta[i] = parts.iter().map(|[sums, _]| f64::from(sums[i])).sum::<f64>() as f32;
        let centred: f64 = parts.iter().map(|[_, products]| f64::from(products[i])).sum();
        dgamma[i] = (centred * f64::from(inverse[i])) as f32;
    }
    inverse
}

/// The sums of [`block_grads`] over few long rows.
fn column_grads(inputs: [Values; 3], mean: &[f32], act: Activation, products: &mut [f32], sums: &mut [f32]) {
    let c = mean.len();
    let rows = inputs[0].len() / c;
    let blocks = sums.par_chunks_mut(COLUMNS).zip(products.par_chunks_mut(COLUMNS)).enumerate();
    blocks.for_each(|(nth, (sums, products))| {
        let columns = nth * COLUMNS..nth * COLUMNS + sums.len();
        sums.fill(0.0);
        products.fill(0.0);
        workspace::with(3 * rows * columns.len(), |buffer| {
            let mut each = buffer.chunks_exact_mut((rows * columns.len()).max(1));
            let [x, y, dy] = inputs.map(|values| {
                let wide = each.next().unwrap_or_default();
                values.columns(c, &columns, wide);
                &*wide
            });
            sum_grads(x, &mean[columns.clone()], act, y, dy, sums, products);
        });
    });
}

/// Sums of `dz`, then of `dz * (x - mean)`, over a block of rows of `x`, `y` and `dy`.
fn block_grads(block: [Values; 3], mean: &[f32], act: Activation) -> [Aligned; 2] {
    let [mut sums, mut products] = [0, 1].map(|_| Aligned::zeros(mean.len()));
    each_strip(block, mean.len(), 0, |[x, y, dy], _, _| sum_grads(x, mean, act, y, dy, &mut sums, &mut products));
    [sums, products]
}

vectorised! {
    fn sum_grads(
        x: &[f32],
        mean: &[f32],
        act: Activation,
        y: &[f32],
        dy: &[f32],
        sums: &mut [f32],
        products: &mut [f32],
    ) {
        let c = mean.len();
        for_each_activation!(act, |a| {
            let rows = x.chunks_exact(c).zip(y.chunks_exact(c)).zip(dy.chunks_exact(c));
            for ((x, y), dy) in rows {
                let columns = sums.iter_mut().zip(products.iter_mut()).zip(mean);
                for (((s, p), m), ((x, y), dy)) in columns.zip(x.iter().zip(y).zip(dy)) {
                    let dz = dy * a.slope(*y);
                    *s += dz;
                    *p += dz * (x - m);
                }
            }
        });
    }
}

/// The gradient of `x` from its coefficients.
pub(crate) fn input_grads<'a>(
    x: impl Into<Values<'a>>,
    mean: &[f32],
    act: Activation,
    y: impl Into<Values<'a>>,
    dy: impl Into<Values<'a>>,
    dx: impl Into<ValuesMut<'a>>,
    coefficients: &Coefficients,
) {
    let (x, y, dy, dx) = (x.into(), y.into(), dy.into(), dx.into());
    check("dx", dx.len(), x.len());
    let c = mean.len();
    let values = rows_per_block(c) * c;
    let mean = &Aligned::of(mean.iter().copied());
    let inputs = x.chunks(values).zip(y.chunks(values)).zip(dy.chunks(values));
    dx.chunks(values).zip(inputs).for_each(|(mut dx, ((x, y), dy))| {
        each_strip([x, y, dy], c, dx.buffer_len(strip_len(c)), |[x, y, dy], range, made| {
            dx.part(range).fill(made, |dx| block_input_grads(x, mean, act, y, dy, dx, coefficients));
        });
    });
}

/// Calls `work` with one strip of a block after the other as f32, its range, and `more` values of scratch.
fn each_strip(block: [Values; 3], c: usize, more: usize, mut work: impl FnMut([&[f32]; 3], Range<usize>, &mut [f32])) {
    let strip = strip_len(c);
    let lens = block.map(|values| values.buffer_len(strip));
    workspace::with(lens.iter().sum::<usize>() + more, |buffer| {
        let (wide_x, rest) = buffer.split_at_mut(lens[0]);
        let (wide_y, rest) = rest.split_at_mut(lens[1]);
        let (wide_dy, rest) = rest.split_at_mut(lens[2]);
        for range in strips(block[0].len(), strip) {
            let [x, y, dy] = block;
            let wide = [x.strip(&range, wide_x), y.strip(&range, wide_y), dy.strip(&range, wide_dy)];
            work(wide, range, rest);
        }
    });
}

vectorised! {
    fn block_input_grads(
        x: &[f32],
        mean: &[f32],
        act: Activation,
        y: &[f32],
        dy: &[f32],
        dx: &mut [f32],
        coefficients: &Coefficients,
    ) {
        let c = mean.len();
        let Coefficients { slope, centred, constant } = coefficients;
        for_each_activation!(act, |a| {
            let rows = x.chunks_exact(c).zip(y.chunks_exact(c)).zip(dy.chunks_exact(c));
            for (dx, ((x, y), dy)) in dx.chunks_exact_mut(c).zip(rows) {
                let columns = slope.iter().zip(centred.iter()).zip(constant.iter()).zip(mean);
                let values = dx.iter_mut().zip(x).zip(y).zip(dy);
                for ((((dx, x), y), dy), (((s, z), d), m)) in values.zip(columns) {
                    *dx = dy * a.slope(*y) * s + (x - m) * z + d;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{EPSILON, plain, wide};
    use super::super::{forward, moments};
    use super::*;
    use crate::reference::{assert_close, assert_same_on_any_pool, values};

    /// Central differences of `sum(y * r)` in f64, for `x`, `gamma` and `beta` one by one.
    #[test]
    fn training_gradients_match_finite_differences() {
        let (rows, c, act) = (6, 3, Activation::Tanh);
        let (x, gamma, beta, r) = (values(rows * c, 1), values(c, 2), values(c, 3), values(rows * c, 4));
        let (mut mean, mut var, mut y) = (vec![0.0; c], vec![0.0; c], vec![0.0; x.len()]);
        moments(&x, &mut mean, &mut var);
        forward(&x, &mean, &var, &gamma, &beta, EPSILON, act, &mut y);
        let (mut dx, mut dgamma, mut dbeta) = (vec![0.0; x.len()], vec![0.0; c], vec![0.0; c]);
        backward_train(&x, &mean, &var, &gamma, EPSILON, act, &y, &r, &mut dx, &mut dgamma, &mut dbeta);
        let loss = |x: &[f64], gamma: &[f32], beta: &[f32]| -> f64 {
            plain(x, gamma, beta, act).iter().zip(&r).map(|(y, r)| y * f64::from(*r)).sum()
        };
        for i in 0..x.len() {
            let (mut up, mut down) = (wide(&x), wide(&x));
            up[i] += 1e-5;
            down[i] -= 1e-5;
            let d = (loss(&up, &gamma, &beta) - loss(&down, &gamma, &beta)) / 2e-5;
            assert!((f64::from(dx[i]) - d).abs() < 1e-4, "dx[{i}] {} {d}", dx[i]);
        }
        let nudge = |v: &[f32], i: usize, by: f32| {
            let mut v = v.to_vec();
            v[i] += by;
            v
        };
        for i in 0..c {
            let x = wide(&x);
            let (up, down) = (nudge(&gamma, i, 1.0 / 64.0), nudge(&gamma, i, -1.0 / 64.0));
            let d = (loss(&x, &up, &beta) - loss(&x, &down, &beta)) * 32.0;
            assert!((f64::from(dgamma[i]) - d).abs() < 1e-3, "dgamma[{i}] {} {d}", dgamma[i]);
            let (up, down) = (nudge(&beta, i, 1.0 / 64.0), nudge(&beta, i, -1.0 / 64.0));
            let d = (loss(&x, &gamma, &up) - loss(&x, &gamma, &down)) * 32.0;
            assert!((f64::from(dbeta[i]) - d).abs() < 1e-3, "dbeta[{i}] {} {d}", dbeta[i]);
        }
    }

    #[test]
    fn inference_gradients_hold_the_statistics_still() {
        for (c, rows) in [(5, 900), (5001, 9)] {
            inference_gradients(c, rows);
        }
    }

    fn inference_gradients(c: usize, rows: usize) {
        let (x, gamma, dy) = (values(rows * c, 1), values(c, 2), values(rows * c, 3));
        let (mean, var) = (values(c, 4), vec![0.7; c]);
        let mut y = vec![0.0; x.len()];
        let act = Activation::LeakyRelu(0.3);
        forward(&x, &mean, &var, &gamma, &values(c, 5), EPSILON, act, &mut y);
        let (mut dx, mut dgamma, mut dbeta) = (vec![0.0; x.len()], vec![0.0; c], vec![0.0; c]);
        backward_infer(&x, &mean, &var, &gamma, EPSILON, act, &y, &dy, &mut dx, &mut dgamma, &mut dbeta);
        let inverse = 1.0 / (0.7f64 + f64::from(EPSILON)).sqrt();
        let (mut want, mut want_gamma, mut want_beta) = (vec![], vec![0.0; c], vec![0.0; c]);
        for i in 0..x.len() {
            let dz = f64::from(dy[i]) * f64::from(act.slope(y[i]));
            want.push(dz * f64::from(gamma[i % c]) * inverse);
            want_gamma[i % c] += dz * (f64::from(x[i]) - f64::from(mean[i % c])) * inverse;
            want_beta[i % c] += dz;
        }
        assert_close("dx", &dx, &want);
        assert_close("dgamma", &dgamma, &want_gamma);
        assert_close("dbeta", &dbeta, &want_beta);
    }

    #[test]
    fn stored_as_bf16_only_the_stored_values_are_rounded() {
        use crate::bf16::convert;
        let (c, rows, act) = (20, 4000, Activation::LeakyRelu(0.2));
        let bits = |seed| values(rows * c, seed).into_iter().map(convert::bits).collect::<Vec<u16>>();
        let wide = |bits: &[u16]| Values::Bf16(bits).with_f32(<[f32]>::to_vec);
        let rounded = |values: &[f32]| values.iter().map(|v| convert::bits(*v)).collect::<Vec<_>>();
        let (x, dy, gamma) = (bits(1), bits(2), values(c, 3));
        let (mut mean, mut var) = (vec![0.0; c], vec![0.0; c]);
        moments(Values::Bf16(&x), &mut mean, &mut var);
        let (mut y, mut exact) = (vec![0u16; x.len()], vec![0.0; x.len()]);
        forward(Values::Bf16(&x), &mean, &var, &gamma, &gamma, EPSILON, act, &mut y);
        forward(&wide(&x), &mean, &var, &gamma, &gamma, EPSILON, act, &mut exact);
        assert_eq!(y, rounded(&exact));
        let (mut dx, mut dgamma, mut dbeta) = (vec![0u16; x.len()], vec![0.0; c], vec![0.0; c]);
        let stored = [&x, &y, &dy].map(|bits| Values::Bf16(bits));
        let [a, b, d] = stored;
        backward_train(a, &mean, &var, &gamma, EPSILON, act, b, d, &mut dx, &mut dgamma, &mut dbeta);
        let (mut want, mut want_gamma, mut want_beta) = (vec![0.0; x.len()], vec![0.0; c], vec![0.0; c]);
        let [x, y, dy] = [&x, &y, &dy].map(|bits| wide(bits));
        backward_train(&x, &mean, &var, &gamma, EPSILON, act, &y, &dy, &mut want, &mut want_gamma, &mut want_beta);
        assert_eq!((dx, dgamma, dbeta), (rounded(&want), want_gamma, want_beta));
        let (mut again, mut again_var) = (vec![0.0; c], vec![0.0; c]);
        moments(&x, &mut again, &mut again_var);
        assert_eq!((again, again_var), (mean, var));
    }

    #[test]
    fn same_bits_on_any_number_of_threads() {
        let (c, rows) = (48, 5000);
        let (x, dy, gamma) = (values(rows * c, 1), values(rows * c, 2), values(c, 3));
        assert_same_on_any_pool(|| {
            let (mut mean, mut var, mut y) = (vec![0.0; c], vec![0.0; c], vec![0.0; x.len()]);
            moments(&x, &mut mean, &mut var);
            forward(&x, &mean, &var, &gamma, &gamma, EPSILON, Activation::Relu, &mut y);
            let (mut dx, mut dgamma, mut dbeta) = (vec![0.0; x.len()], vec![0.0; c], vec![0.0; c]);
            let act = Activation::Relu;
            backward_train(&x, &mean, &var, &gamma, EPSILON, act, &y, &dy, &mut dx, &mut dgamma, &mut dbeta);
            [mean, var, y, dx, dgamma, dbeta].concat()
        });
    }
}
