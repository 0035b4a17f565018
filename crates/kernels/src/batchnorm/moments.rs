//! Mean and variance of columns, in one pass over memory.

use super::{check, check_rows, rows_per_block};
use crate::stored::Values;
use crate::vectorise::vectorised;
use crate::workspace;
use rayon::prelude::*;

/// Mean and biased variance of each of the `c = mean.len()` columns of `x`, `[rows, c]`; zero where there are no rows.
pub fn moments<'a>(x: impl Into<Values<'a>>, mean: &mut [f32], var: &mut [f32]) {
    let x = x.into();
    let c = mean.len();
    check("var", var.len(), c);
    check_rows(x.len(), c);
    if x.is_empty() {
        mean.fill(0.0);
        var.fill(0.0);
        return;
    }
    let values = rows_per_block(c) * c;
    let part =
        |x: Values| workspace::with(x.buffer_len(values), |wide| (x.len() / c, block_moments(x.widened(wide), c)));
    let parts: Vec<(usize, Vec<f32>)> = x.chunks(values).map(part).collect();
    // Chan, Golub and LeVeque (1983): combine counts, means and squared deviations, in f64 and in order.
    let (mut n, mut mu, mut m2) = (0.0f64, vec![0.0f64; c], vec![0.0f64; c]);
    for (rows, part) in &parts {
        let rows = *rows as f64;
        let total = n + rows;
        combine(&mut mu, &mut m2, part, rows / total, n * rows / total);
        n = total;
    }
    mean.iter_mut().zip(&mu).for_each(|(mean, mu)| *mean = *mu as f32);
    var.iter_mut().zip(&m2).for_each(|(var, m2)| *var = (m2 / n) as f32);
}

vectorised! {
    fn combine(mu: &mut [f64], m2: &mut [f64], part: &[f32], share: f64, weight: f64) {
        let (part_mu, part_m2) = part.split_at(mu.len());
        for (((mu, m2), part_mu), part_m2) in mu.iter_mut().zip(m2).zip(part_mu).zip(part_m2) {
            let delta = f64::from(*part_mu) - *mu;
            *mu += delta * share;
            *m2 += f64::from(*part_m2) + delta * delta * weight;
        }
    }
}

/// Means, then sums of squared deviations from them.
fn block_moments(x: &[f32], c: usize) -> Vec<f32> {
    let mut out = vec![0.0f32; 2 * c];
    let (mean, m2) = out.split_at_mut(c);
    sum_moments(x, mean, m2);
    out
}

vectorised! {
    fn sum_moments(x: &[f32], mean: &mut [f32], m2: &mut [f32]) {
        let c = mean.len();
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
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{plain_moments, wide};
    use super::*;
    use crate::reference::{assert_close, values};

    #[test]
    fn moments_are_accurate_even_far_from_zero() {
        for (rows, c, offset) in [(12_544, 128, 0.0), (5000, 7, 1000.0), (1, 3, 5.0), (40_000, 1, -300.0)] {
            let x: Vec<f32> = values(rows * c, 1).iter().map(|v| v + offset).collect();
            let (mut mean, mut var) = (vec![0.0; c], vec![0.0; c]);
            moments(&x, &mut mean, &mut var);
            let (want_mean, want_var) = plain_moments(&wide(&x), c);
            assert_close("mean", &mean, &want_mean);
            assert_close("var", &var, &want_var);
        }
    }
}
