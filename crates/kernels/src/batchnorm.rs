//! Batch normalisation over the rows of `[rows, c]` (for images, a row is a pixel), with the activation that follows
//! it. Statistics are gathered block by block (mean and squared deviations within a block that fits the cache) and
//! combined in f64 in a fixed order, so they are accurate for any mean and the same for any number of threads.

use crate::activation::{Activation, for_each_activation};
use rayon::prelude::*;

/// Values of one block: a first-level cache.
const BLOCK: usize = 1 << 13;

fn rows_per_block(c: usize) -> usize {
    BLOCK.div_ceil(c.max(1)).min(256)
}

fn check(name: &str, got: usize, want: usize) {
    assert!(got == want, "{name} has {got} values, expected {want}");
}

fn check_rows(len: usize, c: usize) {
    assert!(
        len == 0 || (c > 0 && len.is_multiple_of(c)),
        "x has {len} values, no whole rows of {c}"
    );
}

/// Mean and biased variance of each of the `c = mean.len()` columns of `x`, `[rows, c]`; zero where there are no rows.
pub fn moments(x: &[f32], mean: &mut [f32], var: &mut [f32]) {
    let c = mean.len();
    check("var", var.len(), c);
    check_rows(x.len(), c);
    if x.is_empty() {
        mean.fill(0.0);
        var.fill(0.0);
        return;
    }
    let blocks = x.par_chunks(rows_per_block(c) * c);
    let parts: Vec<(usize, Vec<f32>)> =
        blocks.map(|x| (x.len() / c, block_moments(x, c))).collect();
    for i in 0..c {
        // Chan, Golub and LeVeque (1983): combine counts, means and squared deviations.
        let (mut n, mut mu, mut m2) = (0.0f64, 0.0f64, 0.0f64);
        for (rows, part) in &parts {
            let (rows, part_mean, part_m2) =
                (*rows as f64, f64::from(part[i]), f64::from(part[c + i]));
            let delta = part_mean - mu;
            let total = n + rows;
            mu += delta * rows / total;
            m2 += part_m2 + delta * delta * n * rows / total;
            n = total;
        }
        mean[i] = mu as f32;
        var[i] = (m2 / n) as f32;
    }
}

/// Means, then sums of squared deviations from them.
fn block_moments(x: &[f32], c: usize) -> Vec<f32> {
    let mut out = vec![0.0f32; 2 * c];
    let (mean, m2) = out.split_at_mut(c);
    // Sums are taken about the first row, so that a large common offset costs no digits.
    let first = &x[..c];
    for row in x.chunks_exact(c) {
        for ((m, x), f) in mean.iter_mut().zip(row).zip(first) {
            *m += x - f;
        }
    }
    let scale = 1.0 / (x.len() / c) as f32;
    for (m, f) in mean.iter_mut().zip(first) {
        *m = *m * scale + f;
    }
    for row in x.chunks_exact(c) {
        for ((s, x), m) in m2.iter_mut().zip(row).zip(mean.iter()) {
            let d = x - m;
            *s += d * d;
        }
    }
    out
}

/// `y = act(gamma (x - mean) / sqrt(var + epsilon) + beta)`. `x` and `y` are `[rows, c]`, the others `[c]`.
#[allow(clippy::too_many_arguments)]
pub fn forward(
    x: &[f32],
    mean: &[f32],
    var: &[f32],
    gamma: &[f32],
    beta: &[f32],
    epsilon: f32,
    act: Activation,
    y: &mut [f32],
) {
    let c = mean.len();
    for (name, len) in [
        ("var", var.len()),
        ("gamma", gamma.len()),
        ("beta", beta.len()),
    ] {
        check(name, len, c);
    }
    check("y", y.len(), x.len());
    check_rows(x.len(), c);
    if x.is_empty() {
        return;
    }
    let scale: Vec<f32> = inverse_deviation(var, epsilon)
        .zip(gamma)
        .map(|(i, g)| i * g)
        .collect();
    let values = rows_per_block(c) * c;
    let blocks = y.par_chunks_mut(values).zip(x.par_chunks(values));
    blocks.for_each(|(y, x)| {
        for_each_activation!(act, |a| {
            for (y, x) in y.chunks_exact_mut(c).zip(x.chunks_exact(c)) {
                for i in 0..c {
                    y[i] = a.apply((x[i] - mean[i]) * scale[i] + beta[i]);
                }
            }
        })
    });
}

fn inverse_deviation(var: &[f32], epsilon: f32) -> impl Iterator<Item = f32> {
    var.iter().map(move |v| 1.0 / (v + epsilon).sqrt())
}

/// Gradients of [`forward`] in training, where `mean` and `var` are the moments of this very `x`. `y` is the forward
/// pass's output (for the activation's slope), `dy` the gradient with respect to it.
#[allow(clippy::too_many_arguments)]
pub fn backward_train(
    x: &[f32],
    mean: &[f32],
    var: &[f32],
    gamma: &[f32],
    epsilon: f32,
    act: Activation,
    y: &[f32],
    dy: &[f32],
    dx: &mut [f32],
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) {
    let inverse = parameter_grads(x, mean, var, gamma, epsilon, act, y, dy, dx, dgamma, dbeta);
    if x.is_empty() {
        return;
    }
    // dx = gamma / sqrt(var + eps) * (dz - mean(dz) - xhat * mean(dz xhat)), as dz * a + x * b + d per column.
    let rows = (x.len() / mean.len()) as f32;
    let c = mean.len();
    let coefficients: Vec<[f32; 3]> = (0..c)
        .map(|i| {
            let a = gamma[i] * inverse[i];
            let b = -a * inverse[i] * dgamma[i] / rows;
            [a, b, -a * dbeta[i] / rows]
        })
        .collect();
    input_grads(x, mean, act, y, dy, dx, &coefficients);
}

/// Gradients of [`forward`] where `mean` and `var` are constants (a frozen or evaluated layer).
#[allow(clippy::too_many_arguments)]
pub fn backward_infer(
    x: &[f32],
    mean: &[f32],
    var: &[f32],
    gamma: &[f32],
    epsilon: f32,
    act: Activation,
    y: &[f32],
    dy: &[f32],
    dx: &mut [f32],
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) {
    let inverse = parameter_grads(x, mean, var, gamma, epsilon, act, y, dy, dx, dgamma, dbeta);
    if x.is_empty() {
        return;
    }
    let coefficients: Vec<[f32; 3]> = gamma
        .iter()
        .zip(&inverse)
        .map(|(g, i)| [g * i, 0.0, 0.0])
        .collect();
    input_grads(x, mean, act, y, dy, dx, &coefficients);
}

/// Checks lengths and fills `dgamma` and `dbeta`; returns `1 / sqrt(var + epsilon)`.
#[allow(clippy::too_many_arguments)]
fn parameter_grads(
    x: &[f32],
    mean: &[f32],
    var: &[f32],
    gamma: &[f32],
    epsilon: f32,
    act: Activation,
    y: &[f32],
    dy: &[f32],
    dx: &[f32],
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) -> Vec<f32> {
    let c = mean.len();
    let lens = [
        ("var", var.len()),
        ("gamma", gamma.len()),
        ("dgamma", dgamma.len()),
        ("dbeta", dbeta.len()),
    ];
    for (name, len) in lens {
        check(name, len, c);
    }
    for (name, len) in [("y", y.len()), ("dy", dy.len()), ("dx", dx.len())] {
        check(name, len, x.len());
    }
    check_rows(x.len(), c);
    let inverse: Vec<f32> = inverse_deviation(var, epsilon).collect();
    let values = (rows_per_block(c) * c).max(1);
    let blocks = x
        .par_chunks(values)
        .zip(y.par_chunks(values))
        .zip(dy.par_chunks(values));
    let parts: Vec<Vec<f32>> = blocks
        .map(|((x, y), dy)| block_grads(x, mean, act, y, dy))
        .collect();
    for i in 0..c {
        dbeta[i] = parts.iter().map(|p| f64::from(p[i])).sum::<f64>() as f32;
        let centred: f64 = parts.iter().map(|p| f64::from(p[c + i])).sum();
        dgamma[i] = (centred * f64::from(inverse[i])) as f32;
    }
    inverse
}

/// Sums of `dz`, then of `dz * (x - mean)`, over a block of rows.
fn block_grads(x: &[f32], mean: &[f32], act: Activation, y: &[f32], dy: &[f32]) -> Vec<f32> {
    let c = mean.len();
    let mut out = vec![0.0f32; 2 * c];
    let (sums, products) = out.split_at_mut(c);
    for_each_activation!(act, |a| {
        let rows = x
            .chunks_exact(c)
            .zip(y.chunks_exact(c))
            .zip(dy.chunks_exact(c));
        for ((x, y), dy) in rows {
            for i in 0..c {
                let dz = dy[i] * a.slope(y[i]);
                sums[i] += dz;
                products[i] += dz * (x[i] - mean[i]);
            }
        }
    });
    out
}

/// `dx = dz * a + (x - mean) * b + d` with the column's coefficients `[a, b, d]`.
fn input_grads(
    x: &[f32],
    mean: &[f32],
    act: Activation,
    y: &[f32],
    dy: &[f32],
    dx: &mut [f32],
    coefficients: &[[f32; 3]],
) {
    let c = mean.len();
    let values = rows_per_block(c) * c;
    let inputs = x
        .par_chunks(values)
        .zip(y.par_chunks(values))
        .zip(dy.par_chunks(values));
    dx.par_chunks_mut(values)
        .zip(inputs)
        .for_each(|(dx, ((x, y), dy))| {
            for_each_activation!(act, |act| {
                let rows = x
                    .chunks_exact(c)
                    .zip(y.chunks_exact(c))
                    .zip(dy.chunks_exact(c));
                for (dx, ((x, y), dy)) in dx.chunks_exact_mut(c).zip(rows) {
                    for i in 0..c {
                        let [a, b, d] = coefficients[i];
                        dx[i] = dy[i] * act.slope(y[i]) * a + (x[i] - mean[i]) * b + d;
                    }
                }
            })
        });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::reference::{assert_close, assert_same_on_any_pool, values};

    const EPSILON: f32 = 1e-3;

    /// The forward pass in f64 with the statistics of `x`.
    fn plain(x: &[f64], gamma: &[f32], beta: &[f32], act: Activation) -> Vec<f64> {
        let (mean, var) = plain_moments(x, gamma.len());
        let value = |(i, x): (usize, &f64)| {
            let c = i % gamma.len();
            let z = (x - mean[c]) / (var[c] + f64::from(EPSILON)).sqrt();
            crate::reference::activation(act, z * f64::from(gamma[c]) + f64::from(beta[c]))
        };
        x.iter().enumerate().map(value).collect()
    }

    fn plain_moments(x: &[f64], c: usize) -> (Vec<f64>, Vec<f64>) {
        let rows = (x.len() / c) as f64;
        let (mut mean, mut var) = (vec![0.0; c], vec![0.0; c]);
        x.iter()
            .enumerate()
            .for_each(|(i, x)| mean[i % c] += x / rows);
        x.iter()
            .enumerate()
            .for_each(|(i, x)| var[i % c] += (x - mean[i % c]).powi(2) / rows);
        (mean, var)
    }

    fn wide(x: &[f32]) -> Vec<f64> {
        x.iter().map(|v| f64::from(*v)).collect()
    }

    #[test]
    fn moments_are_accurate_even_far_from_zero() {
        for (rows, c, offset) in [
            (12_544, 128, 0.0),
            (5000, 7, 1000.0),
            (1, 3, 5.0),
            (40_000, 1, -300.0),
        ] {
            let x: Vec<f32> = values(rows * c, 1).iter().map(|v| v + offset).collect();
            let (mut mean, mut var) = (vec![0.0; c], vec![0.0; c]);
            moments(&x, &mut mean, &mut var);
            let (want_mean, want_var) = plain_moments(&wide(&x), c);
            assert_close("mean", &mean, &want_mean);
            assert_close("var", &var, &want_var);
        }
    }

    #[test]
    fn forward_agrees_with_f64() {
        for (rows, c) in [(1000, 6), (37, 128), (3, 1)] {
            let (x, gamma, beta) = (values(rows * c, 1), values(c, 2), values(c, 3));
            let (mut mean, mut var, mut y) = (vec![0.0; c], vec![0.0; c], vec![0.0; x.len()]);
            moments(&x, &mut mean, &mut var);
            let act = Activation::LeakyRelu(0.2);
            forward(&x, &mean, &var, &gamma, &beta, EPSILON, act, &mut y);
            assert_close("y", &y, &plain(&wide(&x), &gamma, &beta, act));
        }
    }

    /// Central differences of `sum(y * r)` in f64, for `x`, `gamma` and `beta` one by one.
    #[test]
    fn training_gradients_match_finite_differences() {
        let (rows, c, act) = (6, 3, Activation::Tanh);
        let (x, gamma, beta, r) = (
            values(rows * c, 1),
            values(c, 2),
            values(c, 3),
            values(rows * c, 4),
        );
        let (mut mean, mut var, mut y) = (vec![0.0; c], vec![0.0; c], vec![0.0; x.len()]);
        moments(&x, &mut mean, &mut var);
        forward(&x, &mean, &var, &gamma, &beta, EPSILON, act, &mut y);
        let (mut dx, mut dgamma, mut dbeta) = (vec![0.0; x.len()], vec![0.0; c], vec![0.0; c]);
        backward_train(
            &x,
            &mean,
            &var,
            &gamma,
            EPSILON,
            act,
            &y,
            &r,
            &mut dx,
            &mut dgamma,
            &mut dbeta,
        );
        let loss = |x: &[f64], gamma: &[f32], beta: &[f32]| -> f64 {
            plain(x, gamma, beta, act)
                .iter()
                .zip(&r)
                .map(|(y, r)| y * f64::from(*r))
                .sum()
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
            assert!(
                (f64::from(dgamma[i]) - d).abs() < 1e-3,
                "dgamma[{i}] {} {d}",
                dgamma[i]
            );
            let (up, down) = (nudge(&beta, i, 1.0 / 64.0), nudge(&beta, i, -1.0 / 64.0));
            let d = (loss(&x, &gamma, &up) - loss(&x, &gamma, &down)) * 32.0;
            assert!(
                (f64::from(dbeta[i]) - d).abs() < 1e-3,
                "dbeta[{i}] {} {d}",
                dbeta[i]
            );
        }
    }

    #[test]
    fn inference_gradients_hold_the_statistics_still() {
        let (c, rows) = (5, 900);
        let (x, gamma, dy) = (values(rows * c, 1), values(c, 2), values(rows * c, 3));
        let (mean, var) = (values(c, 4), vec![0.7; c]);
        let mut y = vec![0.0; x.len()];
        let act = Activation::LeakyRelu(0.3);
        forward(&x, &mean, &var, &gamma, &values(c, 5), EPSILON, act, &mut y);
        let (mut dx, mut dgamma, mut dbeta) = (vec![0.0; x.len()], vec![0.0; c], vec![0.0; c]);
        backward_infer(
            &x,
            &mean,
            &var,
            &gamma,
            EPSILON,
            act,
            &y,
            &dy,
            &mut dx,
            &mut dgamma,
            &mut dbeta,
        );
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
    fn same_bits_on_any_number_of_threads() {
        let (c, rows) = (48, 5000);
        let (x, dy, gamma) = (values(rows * c, 1), values(rows * c, 2), values(c, 3));
        assert_same_on_any_pool(|| {
            let (mut mean, mut var, mut y) = (vec![0.0; c], vec![0.0; c], vec![0.0; x.len()]);
            moments(&x, &mut mean, &mut var);
            forward(
                &x,
                &mean,
                &var,
                &gamma,
                &gamma,
                EPSILON,
                Activation::Relu,
                &mut y,
            );
            let (mut dx, mut dgamma, mut dbeta) = (vec![0.0; x.len()], vec![0.0; c], vec![0.0; c]);
            let act = Activation::Relu;
            backward_train(
                &x,
                &mean,
                &var,
                &gamma,
                EPSILON,
                act,
                &y,
                &dy,
                &mut dx,
                &mut dgamma,
                &mut dbeta,
            );
            [mean, var, y, dx, dgamma, dbeta].concat()
        });
    }
}
