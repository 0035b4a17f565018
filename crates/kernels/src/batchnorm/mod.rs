//! Batch normalisation over the rows of `[rows, c]` (for images, a row is a pixel), with the activation that follows
//! it. Statistics are gathered block by block (mean and squared deviations within a block that fits the cache) and
//! combined in f64 in a fixed order, so they are accurate for any mean and the same for any number of threads.

mod backward;
mod moments;

pub(crate) use backward::{Coefficients, input_grads, parameter_grads};
pub use backward::{backward_infer, backward_train};
pub use moments::moments;

use crate::activation::{Activation, for_each_activation};
use crate::stored::{Values, ValuesMut, strip_len, strips};
use crate::vectorise::vectorised;
use crate::workspace::{self, Aligned};
use rayon::prelude::*;

/// Values of one block: within a second-level cache.
const BLOCK: usize = 1 << 15;

fn rows_per_block(c: usize) -> usize {
    BLOCK.div_ceil(c.max(1)).min(256)
}

/// Columns of a task where rows are [`long`].
const COLUMNS: usize = 256;

/// Whether `len` values are few long rows, as behind a dense layer: then tasks take some columns of all rows each.
fn long(len: usize, c: usize) -> bool {
    /// Rows at most: they are summed in f32.
    const ROWS: usize = 256;
    c > BLOCK / 8 && len / c <= ROWS
}

fn check(name: &str, got: usize, want: usize) {
    assert!(got == want, "{name} has {got} values, expected {want}");
}

fn check_rows(len: usize, c: usize) {
    assert!(len == 0 || (c > 0 && len.is_multiple_of(c)), "x has {len} values, no whole rows of {c}");
}

/// `y = act(gamma (x - mean) / sqrt(var + epsilon) + beta)`. `x` and `y` are `[rows, c]`, the others `[c]`.
#[allow(clippy::too_many_arguments)]
pub fn forward<'a>(
    x: impl Into<Values<'a>>,
    mean: &[f32],
    var: &[f32],
    gamma: &[f32],
    beta: &[f32],
    epsilon: f32,
    act: Activation,
    y: impl Into<ValuesMut<'a>>,
) {
    let (x, y) = (x.into(), y.into());
    let c = mean.len();
    for (name, len) in [("var", var.len()), ("gamma", gamma.len()), ("beta", beta.len())] {
        check(name, len, c);
    }
    check("y", y.len(), x.len());
    check_rows(x.len(), c);
    if x.is_empty() {
        return;
    }
    let scale: Vec<f32> = inverse_deviation(var, epsilon).zip(gamma).map(|(i, g)| i * g).collect();
    let [mean, scale, beta] = [mean, &scale, beta].map(|values| Aligned::of(values.iter().copied()));
    let values = rows_per_block(c) * c;
    let strip = strip_len(c);
    y.chunks(values).zip(x.chunks(values)).for_each(|(mut y, x)| {
        workspace::with(x.buffer_len(strip) + y.buffer_len(strip), |buffer| {
            let (wide, made) = buffer.split_at_mut(x.buffer_len(strip));
            for range in strips(x.len(), strip) {
                let x = x.strip(&range, wide);
                y.part(range).fill(made, |y| normalise(x, &mean, &scale, &beta, act, y));
            }
        });
    });
}

vectorised! {
    fn normalise(x: &[f32], mean: &[f32], scale: &[f32], beta: &[f32], act: Activation, y: &mut [f32]) {
        let c = mean.len();
        for_each_activation!(act, |a| {
            for (y, x) in y.chunks_exact_mut(c).zip(x.chunks_exact(c)) {
                let columns = mean.iter().zip(scale).zip(beta);
                for ((y, x), ((m, s), b)) in y.iter_mut().zip(x).zip(columns) {
                    *y = a.apply((x - m) * s + b);
                }
            }
        })
    }
}

pub(crate) fn inverse_deviation(var: &[f32], epsilon: f32) -> impl Iterator<Item = f32> {
    var.iter().map(move |v| 1.0 / (v + epsilon).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{assert_close, values};

    pub(super) const EPSILON: f32 = 1e-3;

    /// The forward pass in f64 with the statistics of `x`.
    pub(super) fn plain(x: &[f64], gamma: &[f32], beta: &[f32], act: Activation) -> Vec<f64> {
        let (mean, var) = plain_moments(x, gamma.len());
        let value = |(i, x): (usize, &f64)| {
            let c = i % gamma.len();
            let z = (x - mean[c]) / (var[c] + f64::from(EPSILON)).sqrt();
            crate::reference::activation(act, z * f64::from(gamma[c]) + f64::from(beta[c]))
        };
        x.iter().enumerate().map(value).collect()
    }

    pub(super) fn plain_moments(x: &[f64], c: usize) -> (Vec<f64>, Vec<f64>) {
        let rows = (x.len() / c) as f64;
        let (mut mean, mut var) = (vec![0.0; c], vec![0.0; c]);
        x.iter().enumerate().for_each(|(i, x)| mean[i % c] += x / rows);
        x.iter().enumerate().for_each(|(i, x)| var[i % c] += (x - mean[i % c]).powi(2) / rows);
        (mean, var)
    }

    pub(super) fn wide(x: &[f32]) -> Vec<f64> {
        x.iter().map(|v| f64::from(*v)).collect()
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
}
