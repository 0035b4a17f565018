//! Mean and variance of columns, in one pass over memory.

use super::{COLUMNS, check, check_rows, long, rows_per_block};
use crate::memory::workspace::{self, Aligned};
use crate::stored::{Element, Values, alike};
use crate::vectorise::vectorised;
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
    if long(x.len(), c) {
        return column_moments(x, mean, var);
    }
    let parts: Vec<Part> = x.chunks(rows_per_block(c) * c).map(|x| part(x, c)).collect();
    combine_parts(parts.iter(), mean, var);
}

/// The moments of a block of rows: their number, the columns' means and their sums of squared deviations.
pub(crate) type Part = (f64, [Aligned; 2]);

fn part(x: Values, c: usize) -> Part {
    let [mut mean, mut squares] = [0, 1].map(|_| Aligned::zeros(c));
    alike!([x] => sum_moments(x, &mut mean, &mut squares));
    ((x.len() / c) as f64, [mean, squares])
}

/// The moments of the blocks of some rows, one after the other, on this thread.
pub(crate) fn parts_here(x: Values, c: usize) -> Vec<Part> {
    let values = rows_per_block(c) * c;
    (0..x.len()).step_by(values).map(|first| part(x.part(first..(first + values).min(x.len())), c)).collect()
}

/// Mean and biased variance of all rows, whose blocks are given in order.
pub(crate) fn combine_parts<'a>(parts: impl Iterator<Item = &'a Part>, mean: &mut [f32], var: &mut [f32]) {
    let mut all = Moments::new(mean.len());
    parts.for_each(|(rows, [mean, squares])| all.add(*rows, mean, squares));
    mean.iter_mut().zip(&all.mean).for_each(|(mean, all)| *mean = *all as f32);
    var.iter_mut().zip(&all.squares).for_each(|(var, m2)| *var = (m2 / all.rows) as f32);
}

/// [`moments`] of few long rows.
fn column_moments(x: Values, mean: &mut [f32], var: &mut [f32]) {
    let c = mean.len();
    let rows = x.len() / c;
    let blocks = mean.par_chunks_mut(COLUMNS).zip(var.par_chunks_mut(COLUMNS)).enumerate();
    blocks.for_each(|(nth, (mean, var))| {
        let columns = nth * COLUMNS..nth * COLUMNS + mean.len();
        workspace::with(rows * columns.len(), |buffer| {
            x.columns(c, &columns, buffer);
            sum_moments(&*buffer, mean, var);
            var.iter_mut().for_each(|var| *var /= rows as f32);
        });
    });
}

/// The moments of some rows: their number, the columns' means and their sums of squared deviations.
struct Moments {
    rows: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    fn new(c: usize) -> Self {
        Self { rows: 0.0, mean: vec![0.0; c], squares: vec![0.0; c] }
    }

    /// Chan, Golub and LeVeque (1983): counts, means and squared deviations combined, in f64 and in order.
    fn add(&mut self, rows: f64, mean: &[f32], squares: &[f32]) {
        let total = self.rows + rows;
        combine(&mut self.mean, &mut self.squares, mean, squares, rows / total, self.rows * rows / total);
        self.rows = total;
    }
}

vectorised! {
    fn combine(mu: &mut [f64], m2: &mut [f64], part_mu: &[f32], part_m2: &[f32], share: f64, weight: f64) {
        for (((mu, m2), part_mu), part_m2) in mu.iter_mut().zip(m2).zip(part_mu).zip(part_m2) {
            let delta = f64::from(*part_mu) - *mu;
            *mu += delta * share;
            *m2 += f64::from(*part_m2) + delta * delta * weight;
        }
    }
}

/// Rows whose mean the sums of a block are taken about: near enough to the block's own for no digits to be lost.
const PIVOT_ROWS: usize = 8;

vectorised! {
    /// Means, and sums of squared deviations from them, in one pass.
    fn sum_moments<T: Element>(x: &[T], mean: &mut [f32], m2: &mut [f32]) {
        let c = mean.len();
        let mut pivot = Aligned::zeros(c);
        let first = &x[..x.len().min(PIVOT_ROWS * c)];
        let share = 1.0 / (first.len() / c) as f32;
        for row in first.chunks_exact(c) {
            for (p, x) in pivot.iter_mut().zip(row) {
                *p += x.wide() * share;
            }
        }
        mean.fill(0.0);
        m2.fill(0.0);
        for row in x.chunks_exact(c) {
            for (((m, s), x), p) in mean.iter_mut().zip(m2.iter_mut()).zip(row).zip(pivot.iter()) {
                let d = x.wide() - p;
                *m += d;
                *s += d * d;
            }
        }
        let share = 1.0 / (x.len() / c) as f32;
        for ((m, s), p) in mean.iter_mut().zip(m2.iter_mut()).zip(pivot.iter()) {
            let off = *m * share;
            *s = (*s - *m * off).max(0.0);
            *m = p + off;
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
        for (rows, c, offset) in
            [(12_544, 128, 0.0), (5000, 7, 1000.0), (1, 3, 5.0), (40_000, 1, -300.0), (9, 5000, 3.0)]
        {
            let x: Vec<f32> = values(rows * c, 1).iter().map(|v| v + offset).collect();
            let (mut mean, mut var) = (vec![0.0; c], vec![0.0; c]);
            moments(&x, &mut mean, &mut var);
            let (want_mean, want_var) = plain_moments(&wide(&x), c);
            assert_close("mean", &mean, &want_mean);
            assert_close("var", &var, &want_var);
        }
    }
}
