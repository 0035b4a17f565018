//! The gradients of batch normalisation. One pass over the rows sums what the parameters' gradients need, a second
//! one makes the input's gradient from those sums; in training it includes the paths through mean and variance.

use super::{BatchNorm, COLUMNS, Layer, check, check_rows, long, rows_per_block};
use crate::activation::{Activation, for_each_activation};
use crate::memory::workspace::{self, Aligned};
use crate::stored::{Element, Values, ValuesMut, alike};
use crate::vectorise::vectorised;
use rayon::prelude::*;

/// Gradients of [`forward`](super::forward) in training, where mean and variance are the moments of this very `x`. `dy` is the
/// gradient with respect to its output.
pub fn backward_train<'a>(
    norm: &BatchNorm,
    x: impl Into<Values<'a>>,
    dy: impl Into<Values<'a>>,
    dx: impl Into<ValuesMut<'a>>,
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) {
    let (x, dy, dx) = (x.into(), dy.into(), dx.into());
    let (layer, inverse) = (Layer::new(norm), norm.inverse_deviation());
    parameter_grads(x, &layer, &inverse, dy, dgamma, dbeta);
    train_input_grads(norm, [x, dy], dx, [dgamma, dbeta]);
}

/// As [`backward_train`] where the moments are those of several equal slices of rows, of which `x` is one. `dgamma` and `dbeta` are
/// this slice's; `means` gives their means over all slices for them, with which the gradient of `x` is made.
pub fn backward_train_slice<'a>(
    norm: &BatchNorm,
    x: impl Into<Values<'a>>,
    dy: impl Into<Values<'a>>,
    dx: impl Into<ValuesMut<'a>>,
    [dgamma, dbeta]: [&mut [f32]; 2],
    means: impl FnOnce([&[f32]; 2]) -> [Vec<f32>; 2],
) {
    let (x, dy, dx) = (x.into(), dy.into(), dx.into());
    let (layer, inverse) = (Layer::new(norm), norm.inverse_deviation());
    parameter_grads(x, &layer, &inverse, dy, dgamma, dbeta);
    let [means_of_dgamma, means_of_dbeta] = means([dgamma, dbeta]);
    train_input_grads(norm, [x, dy], dx, [&means_of_dgamma, &means_of_dbeta]);
}

/// The gradient of `x` from the sums `dgamma` and `dbeta` over as many rows as it has.
fn train_input_grads(norm: &BatchNorm, [x, dy]: [Values; 2], dx: ValuesMut, [dgamma, dbeta]: [&[f32]; 2]) {
    if x.is_empty() {
        return;
    }
    let (layer, inverse) = (Layer::new(norm), norm.inverse_deviation());
    // dx = gamma / sqrt(var + eps) * (dz - mean(dz) - xhat * mean(dz xhat)), as dz * a + x * b + d per column.
    let c = norm.mean.len();
    let rows = (x.len() / c) as f32;
    let mut coefficients = Coefficients::new(c);
    for i in 0..c {
        let a = norm.gamma[i] * inverse[i];
        coefficients.slope[i] = a;
        coefficients.centred[i] = -a * inverse[i] * dgamma[i] / rows;
        coefficients.constant[i] = -a * dbeta[i] / rows;
    }
    input_grads(x, &layer, dy, dx, &coefficients);
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

/// Gradients of [`forward`](super::forward) where mean and variance are constants (a frozen or evaluated layer).
pub fn backward_infer<'a>(
    norm: &BatchNorm,
    x: impl Into<Values<'a>>,
    dy: impl Into<Values<'a>>,
    dx: impl Into<ValuesMut<'a>>,
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) {
    let (x, dy, dx) = (x.into(), dy.into(), dx.into());
    let (layer, inverse) = (Layer::new(norm), norm.inverse_deviation());
    parameter_grads(x, &layer, &inverse, dy, dgamma, dbeta);
    if x.is_empty() {
        return;
    }
    let mut coefficients = Coefficients::new(norm.mean.len());
    for (slope, (g, i)) in coefficients.slope.iter_mut().zip(norm.gamma.iter().zip(&inverse)) {
        *slope = g * i;
    }
    input_grads(x, &layer, dy, dx, &coefficients);
}

/// Checks lengths and fills `dgamma` and `dbeta`; `inverse` is `1 / sqrt(variance + epsilon)`.
pub(crate) fn parameter_grads<'a>(
    x: impl Into<Values<'a>>,
    layer: &Layer,
    inverse: &[f32],
    dy: impl Into<Values<'a>>,
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) {
    let (x, dy) = (x.into(), dy.into());
    let c = layer.mean.len();
    let lens = [("variance", inverse.len()), ("gamma", layer.scale.len()), ("beta", layer.beta.len())];
    for (name, len) in lens.into_iter().chain([("dgamma", dgamma.len()), ("dbeta", dbeta.len())]) {
        check(name, len, c);
    }
    check("dy", dy.len(), x.len());
    check_rows(x.len(), c);
    if long(x.len(), c) {
        column_grads([x, dy], layer, dgamma, dbeta);
        dgamma.iter_mut().zip(inverse).for_each(|(d, inverse)| *d *= inverse);
        return;
    }
    let values = (rows_per_block(c) * c).max(1);
    let part = |(x, dy): (Values, Values)| {
        let [mut sums, mut products] = [0, 1].map(|_| Aligned::zeros(c));
        alike!([x, dy] => sum_grads(x, dy, layer.act, layer.columns(0..c), &mut sums, &mut products));
        [sums, products]
    };
    let parts: Vec<[Aligned; 2]> = x.chunks(values).zip(dy.chunks(values)).map(part).collect();
    for i in 0..c {
        dbeta[i] = parts.iter().map(|[sums, _]| f64::from(sums[i])).sum::<f64>() as f32;
        let centred: f64 = parts.iter().map(|[_, products]| f64::from(products[i])).sum();
        dgamma[i] = (centred * f64::from(inverse[i])) as f32;
    }
}

/// The sums of [`sum_grads`] over few long rows.
fn column_grads(inputs: [Values; 2], layer: &Layer, products: &mut [f32], sums: &mut [f32]) {
    let c = layer.mean.len();
    let rows = inputs[0].len() / c;
    let blocks = sums.par_chunks_mut(COLUMNS).zip(products.par_chunks_mut(COLUMNS)).enumerate();
    blocks.for_each(|(nth, (sums, products))| {
        let columns = nth * COLUMNS..nth * COLUMNS + sums.len();
        sums.fill(0.0);
        products.fill(0.0);
        workspace::with(2 * rows * columns.len(), |buffer| {
            let (x, dy) = buffer.split_at_mut(rows * columns.len());
            inputs[0].columns(c, &columns, x);
            inputs[1].columns(c, &columns, dy);
            sum_grads(&*x, &*dy, layer.act, layer.columns(columns), sums, products);
        });
    });
}

vectorised! {
    /// Adds the sums of `dz`, and of `dz * (x - mean)`, over the rows of `x` and `dy`.
    fn sum_grads<T: Element>(
        x: &[T],
        dy: &[T],
        act: Activation,
        layer: [&[f32]; 3],
        sums: &mut [f32],
        products: &mut [f32],
    ) {
        let [mean, scale, beta] = layer;
        let c = mean.len();
        for_each_activation!(act, |a| {
            for (x, dy) in x.chunks_exact(c).zip(dy.chunks_exact(c)) {
                let columns = mean.iter().zip(scale).zip(beta);
                let sums = sums.iter_mut().zip(products.iter_mut());
                for (((s, p), (x, dy)), ((m, k), b)) in sums.zip(x.iter().zip(dy)).zip(columns) {
                    let centred = x.wide() - m;
                    let dz = dy.wide() * a.slope(a.apply(centred * k + b));
                    *s += dz;
                    *p += dz * centred;
                }
            }
        });
    }
}

/// The gradient of `x` from its coefficients.
pub(crate) fn input_grads<'a>(
    x: impl Into<Values<'a>>,
    layer: &Layer,
    dy: impl Into<Values<'a>>,
    dx: impl Into<ValuesMut<'a>>,
    coefficients: &Coefficients,
) {
    let (x, dy, dx) = (x.into(), dy.into(), dx.into());
    check("dx", dx.len(), x.len());
    let c = layer.mean.len();
    let values = rows_per_block(c) * c;
    let inputs = x.chunks(values).zip(dy.chunks(values));
    dx.chunks(values).zip(inputs).for_each(|(dx, (x, dy))| {
        alike!([x, dy] -> dx => block_input_grads(x, dy, layer, coefficients, dx));
    });
}

vectorised! {
    fn block_input_grads<T: Element>(x: &[T], dy: &[T], layer: &Layer, coefficients: &Coefficients, dx: &mut [T]) {
        let c = layer.mean.len();
        let [mean, scale, beta] = layer.columns(0..c);
        let Coefficients { slope, centred, constant } = coefficients;
        let (slope, factor, constant) = (&slope[..c], &centred[..c], &constant[..c]);
        for_each_activation!(layer.act, |a| {
            for (dx, (x, dy)) in dx.chunks_exact_mut(c).zip(x.chunks_exact(c).zip(dy.chunks_exact(c))) {
                let columns = mean.iter().zip(scale).zip(beta).zip(slope.iter().zip(factor).zip(constant));
                for ((dx, (x, dy)), (((m, k), b), ((s, z), d))) in dx.iter_mut().zip(x.iter().zip(dy)).zip(columns) {
                    let centred = x.wide() - m;
                    let dz = dy.wide() * a.slope(a.apply(centred * k + b));
                    *dx = T::of(dz * s + centred * z + d);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{EPSILON, layer, plain, wide};
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
        forward(&layer([&mean, &var, &gamma, &beta], act), &x, &mut y);
        let (mut dx, mut dgamma, mut dbeta) = (vec![0.0; x.len()], vec![0.0; c], vec![0.0; c]);
        backward_train(&layer([&mean, &var, &gamma, &beta], act), &x, &r, &mut dx, &mut dgamma, &mut dbeta);
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
        let (mean, var, beta) = (values(c, 4), vec![0.7; c], values(c, 5));
        let mut y = vec![0.0; x.len()];
        let act = Activation::LeakyRelu(0.3);
        forward(&layer([&mean, &var, &gamma, &beta], act), &x, &mut y);
        let (mut dx, mut dgamma, mut dbeta) = (vec![0.0; x.len()], vec![0.0; c], vec![0.0; c]);
        backward_infer(&layer([&mean, &var, &gamma, &beta], act), &x, &dy, &mut dx, &mut dgamma, &mut dbeta);
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
        use crate::bf16;
        let (c, rows, act) = (20, 4000, Activation::LeakyRelu(0.2));
        let bits = |seed| values(rows * c, seed).into_iter().map(bf16::bits).collect::<Vec<u16>>();
        let wide = |bits: &[u16]| Values::Bf16(bits).with_f32(<[f32]>::to_vec);
        let rounded = |values: &[f32]| values.iter().map(|v| bf16::bits(*v)).collect::<Vec<_>>();
        let (x, dy, gamma) = (bits(1), bits(2), values(c, 3));
        let (mut mean, mut var) = (vec![0.0; c], vec![0.0; c]);
        moments(Values::Bf16(&x), &mut mean, &mut var);
        let (mut y, mut exact) = (vec![0u16; x.len()], vec![0.0; x.len()]);
        forward(&layer([&mean, &var, &gamma, &gamma], act), Values::Bf16(&x), &mut y);
        forward(&layer([&mean, &var, &gamma, &gamma], act), &wide(&x), &mut exact);
        assert_eq!(y, rounded(&exact));
        let (mut dx, mut dgamma, mut dbeta) = (vec![0u16; x.len()], vec![0.0; c], vec![0.0; c]);
        let [a, d] = [&x, &dy].map(|bits| Values::Bf16(bits));
        backward_train(&layer([&mean, &var, &gamma, &gamma], act), a, d, &mut dx, &mut dgamma, &mut dbeta);
        let (mut want, mut want_gamma, mut want_beta) = (vec![0.0; x.len()], vec![0.0; c], vec![0.0; c]);
        let [x, dy] = [&x, &dy].map(|bits| wide(bits));
        backward_train(&layer([&mean, &var, &gamma, &gamma], act), &x, &dy, &mut want, &mut want_gamma, &mut want_beta);
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
            forward(&layer([&mean, &var, &gamma, &gamma], Activation::Relu), &x, &mut y);
            let (mut dx, mut dgamma, mut dbeta) = (vec![0.0; x.len()], vec![0.0; c], vec![0.0; c]);
            let act = Activation::Relu;
            backward_train(&layer([&mean, &var, &gamma, &gamma], act), &x, &dy, &mut dx, &mut dgamma, &mut dbeta);
            [mean, var, y, dx, dgamma, dbeta].concat()
        });
    }
}
