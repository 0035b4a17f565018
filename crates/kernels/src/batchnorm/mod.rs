//! Batch normalisation over the rows of `[rows, c]` (for images, a row is a pixel), with the activation that follows
//! it. Statistics are gathered block by block (mean and squared deviations within a block that fits the cache) and
//! combined in f64 in a fixed order, so they are accurate for any mean and the same for any number of threads.

mod backward;
pub(crate) mod moments;

pub(crate) use backward::{Coefficients, input_grads, parameter_grads};
pub use backward::{backward_infer, backward_train, backward_train_slice};
pub use moments::moments;

use crate::activation::{Activation, for_each_activation};
use crate::memory::workspace::Aligned;
use crate::stored::{Element, Values, ValuesMut, alike};
use crate::vectorise::vectorised;
use rayon::prelude::*;
use std::ops::Range;

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
    assert!(len == 0 || (c > 0 && len.is_multiple_of(c)), "x has {len} values, not whole rows of {c}");
}

/// A layer: its parameters and the statistics that it normalises with, one value for each channel.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm<'a> {
    /// Means of the channels.
    pub mean: &'a [f32],
    /// Biased variances of the channels.
    pub variance: &'a [f32],
    /// What normalised values are multiplied with.
    pub gamma: &'a [f32],
    /// What is added then.
    pub beta: &'a [f32],
    /// Added to the variance.
    pub epsilon: f32,
    /// Applied to the result.
    pub activation: Activation,
}

impl BatchNorm<'_> {
    /// One over the deviation of each channel.
    pub(crate) fn inverse_deviation(&self) -> Vec<f32> {
        self.variance.iter().map(|v| 1.0 / (v + self.epsilon).sqrt()).collect()
    }
}

/// `y = act(gamma (x - mean) / sqrt(variance + epsilon) + beta)`. `x` and `y` are `[rows, c]`, the others `[c]`.
pub fn forward<'a>(norm: &BatchNorm, x: impl Into<Values<'a>>, y: impl Into<ValuesMut<'a>>) {
    let (x, y) = (x.into(), y.into());
    let c = norm.mean.len();
    for (name, len) in [("variance", norm.variance.len()), ("gamma", norm.gamma.len()), ("beta", norm.beta.len())] {
        check(name, len, c);
    }
    check("y", y.len(), x.len());
    check_rows(x.len(), c);
    if x.is_empty() {
        return;
    }
    let layer = Layer::new(norm);
    let values = rows_per_block(c) * c;
    y.chunks(values).zip(x.chunks(values)).for_each(|(y, x)| alike!([x] -> y => normalise(x, &layer, y)));
}

/// The operation on each column: `y = act((x - mean) * scale + beta)`. Gradients make `y` again from `x`, which they
/// read anyway.
pub(crate) struct Layer {
    mean: Aligned,
    scale: Aligned,
    beta: Aligned,
    act: Activation,
}

impl Layer {
    pub(crate) fn new(norm: &BatchNorm) -> Self {
        let scale: Vec<f32> = norm.inverse_deviation().iter().zip(norm.gamma).map(|(i, g)| i * g).collect();
        let [mean, scale, beta] = [norm.mean, &scale, norm.beta].map(|values| Aligned::of(values.iter().copied()));
        Self { mean, scale, beta, act: norm.activation }
    }

    /// Mean, scale and offset of some columns.
    fn columns(&self, columns: Range<usize>) -> [&[f32]; 3] {
        [&self.mean, &self.scale, &self.beta].map(|values| &values[columns.clone()])
    }
}

/// [`forward`] of some rows, on this thread.
pub(crate) fn forward_here(x: Values, layer: &Layer, y: ValuesMut) {
    alike!([x] -> y => normalise(x, layer, y));
}

vectorised! {
    fn normalise<T: Element>(x: &[T], layer: &Layer, y: &mut [T]) {
        let c = layer.mean.len();
        let [mean, scale, beta] = layer.columns(0..c);
        for_each_activation!(layer.act, |a| {
            for (y, x) in y.chunks_exact_mut(c).zip(x.chunks_exact(c)) {
                let columns = mean.iter().zip(scale).zip(beta);
                for ((y, x), ((m, s), b)) in y.iter_mut().zip(x).zip(columns) {
                    *y = T::of(a.apply((x.wide() - m) * s + b));
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{assert_close, values};

    pub(super) const EPSILON: f32 = 1e-3;

    /// A layer of mean, variance, gamma and beta.
    pub(super) fn layer<'a>([mean, variance, gamma, beta]: [&'a [f32]; 4], activation: Activation) -> BatchNorm<'a> {
        BatchNorm { mean, variance, gamma, beta, epsilon: EPSILON, activation }
    }

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
            forward(&layer([&mean, &var, &gamma, &beta], act), &x, &mut y);
            assert_close("y", &y, &plain(&wide(&x), &gamma, &beta, act));
        }
    }
}
