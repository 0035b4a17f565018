//! Normalisation of each image on its own, over its pixels and a group of channels: one group is layer normalisation,
//! as many as channels is instance normalisation. An image's channels share their group's mean and variance, so that
//! its rows go through the same loops as batch normalisation's.

mod tangent;

pub use tangent::{tangent, tangent_backward};

use crate::activation::Activation;
use crate::batchnorm::{self, BatchNorm, Coefficients, Layer, input_grads, parameter_grads};
use rayon::prelude::*;

/// The sizes of a batch of images and what they share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Groups {
    /// Values per row: a multiple of `groups`.
    pub channels: usize,
    /// Rows of one image.
    pub pixels: usize,
    /// Number of groups of neighbouring channels.
    pub groups: usize,
    /// Added to the variance.
    pub epsilon: f32,
}

impl Groups {
    /// Values of one image.
    fn image(&self) -> usize {
        self.channels * self.pixels
    }

    /// Values that share a mean.
    fn shared(&self) -> f64 {
        (self.image() / self.groups) as f64
    }

    fn check(&self, lens: &[(&str, usize)], rows: &[(&str, usize)]) {
        let Self { channels, groups, .. } = *self;
        assert!(groups > 0 && channels.is_multiple_of(groups), "{channels} channels are no {groups} groups");
        let first = lens[0].1;
        assert!(self.image() > 0 && first.is_multiple_of(self.image()), "{} has {first} values, no images", lens[0].0);
        for (name, len) in lens {
            assert!(*len == first, "{name} has {len} values, expected {first}");
        }
        for (name, len) in rows {
            assert!(*len == channels, "{name} has {len} values, expected {channels}");
        }
    }

    /// Each channel's mean and variance in an image: those of its group.
    fn statistics(&self, x: &[f32]) -> [Vec<f32>; 2] {
        let (mut mean, mut var) = (vec![0.0; self.channels], vec![0.0; self.channels]);
        batchnorm::moments(x, &mut mean, &mut var);
        let size = self.channels / self.groups;
        for (mean, var) in mean.chunks_exact_mut(size).zip(var.chunks_exact_mut(size)) {
            let average =
                |v: &[f32], f: &dyn Fn(f64) -> f64| v.iter().map(|v| f(f64::from(*v))).sum::<f64>() / size as f64;
            let centre = average(mean, &|m| m);
            let within = average(var, &|v| v) + average(mean, &|m| (m - centre).powi(2));
            mean.fill(centre as f32);
            var.fill(within as f32);
        }
        [mean, var]
    }

    /// Replaces each channel's value by the sum over its group.
    fn sum_groups(&self, values: &[f64]) -> Vec<f64> {
        let size = self.channels / self.groups;
        values.chunks_exact(size).flat_map(|group| vec![group.iter().sum::<f64>(); size]).collect()
    }
}

/// What is done to normalised values; one of each for each channel.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a> {
    /// What they are multiplied with.
    pub gamma: &'a [f32],
    /// What is added then.
    pub beta: &'a [f32],
    /// Applied to the result.
    pub activation: Activation,
}

impl<'a> Affine<'a> {
    /// The layer with an image's statistics.
    fn with(self, g: &Groups, [mean, variance]: &'a [Vec<f32>; 2]) -> BatchNorm<'a> {
        let Self { gamma, beta, activation } = self;
        BatchNorm { mean, variance, gamma, beta, epsilon: g.epsilon, activation }
    }
}

/// `y = act(gamma (x - mean) / sqrt(variance + epsilon) + beta)`. `x` and `y` are `[images, pixels, channels]`, `gamma`
/// and `beta` `[channels]`.
pub fn forward(g: &Groups, affine: &Affine, x: &[f32], y: &mut [f32]) {
    g.check(&[("x", x.len()), ("y", y.len())], &[("gamma", affine.gamma.len()), ("beta", affine.beta.len())]);
    y.par_chunks_mut(g.image()).zip(x.par_chunks(g.image())).for_each(|(y, x)| {
        batchnorm::forward(&affine.with(g, &g.statistics(x)), x, y);
    });
}

/// The gradients of [`forward`]; `dy` is the gradient with respect to its output.
pub fn backward(
    g: &Groups,
    affine: &Affine,
    x: &[f32],
    dy: &[f32],
    dx: &mut [f32],
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) {
    let lens = [("x", x.len()), ("dy", dy.len()), ("dx", dx.len())];
    let [gamma, beta] = [affine.gamma.len(), affine.beta.len()];
    g.check(&lens, &[("gamma", gamma), ("beta", beta), ("dgamma", dgamma.len()), ("dbeta", dbeta.len())]);
    let size = g.image();
    let images = dx.par_chunks_mut(size).zip(x.par_chunks(size).zip(dy.par_chunks(size)));
    let parts: Vec<[Vec<f32>; 2]> = images.map(|(dx, (x, dy))| image_backward(g, affine, x, dy, dx)).collect();
    add_images(&parts, [dgamma, dbeta]);
}

/// Fills an image's `dx`; returns its parts of `dgamma` and `dbeta`.
fn image_backward(g: &Groups, affine: &Affine, x: &[f32], dy: &[f32], dx: &mut [f32]) -> [Vec<f32>; 2] {
    let (statistics, gamma) = (g.statistics(x), affine.gamma);
    let (mut dgamma, mut dbeta) = (vec![0.0; g.channels], vec![0.0; g.channels]);
    let norm = affine.with(g, &statistics);
    let (layer, inverse) = (Layer::new(&norm), norm.inverse_deviation());
    parameter_grads(x, &layer, &inverse, dy, &mut dgamma, &mut dbeta);
    // With d = gamma dz: dx = (d - mean(d) - xhat mean(d xhat)) / sqrt(var + eps), the means over the group.
    let times_gamma = |v: &[f32]| -> Vec<f64> {
        g.sum_groups(&v.iter().zip(gamma).map(|(v, g)| f64::from(*v) * f64::from(*g)).collect::<Vec<_>>())
    };
    let (along, sum) = (times_gamma(&dgamma), times_gamma(&dbeta));
    let mut coefficients = Coefficients::new(g.channels);
    for i in 0..g.channels {
        let scale = f64::from(inverse[i]);
        coefficients.slope[i] = gamma[i] * inverse[i];
        coefficients.centred[i] = (-scale * scale * along[i] / g.shared()) as f32;
        coefficients.constant[i] = (-scale * sum[i] / g.shared()) as f32;
    }
    input_grads(x, &layer, dy, dx, &coefficients);
    [dgamma, dbeta]
}

/// Adds up what the images contribute to `N` gradients of channels, in order.
fn add_images<const N: usize>(parts: &[[Vec<f32>; N]], totals: [&mut [f32]; N]) {
    for (k, total) in totals.into_iter().enumerate() {
        for (c, total) in total.iter_mut().enumerate() {
            *total = parts.iter().map(|p| f64::from(p[k][c])).sum::<f64>() as f32;
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::reference::{activation, assert_close, assert_same_on_any_pool, values};

    pub(super) const EPSILON: f32 = 1e-3;

    /// `xhat` and one over the deviation of each value, in f64.
    pub(super) fn standard(g: &Groups, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let set = |i: usize| (i / g.image(), i % g.channels / (g.channels / g.groups));
        let mean = |i: usize, f: &dyn Fn(usize) -> f64| {
            (0..x.len()).filter(|j| set(*j) == set(i)).map(f).sum::<f64>() / g.shared()
        };
        let scale = |i: usize| {
            let centre = mean(i, &|j| x[j]);
            (centre, 1.0 / (mean(i, &|j| (x[j] - centre).powi(2)) + f64::from(g.epsilon)).sqrt())
        };
        (0..x.len()).map(|i| (i, scale(i))).map(|(i, (m, s))| ((x[i] - m) * s, s)).unzip()
    }

    fn plain(g: &Groups, x: &[f64], gamma: &[f32], beta: &[f32], act: Activation) -> Vec<f64> {
        let affine = |(i, v): (usize, f64)| v * f64::from(gamma[i % g.channels]) + f64::from(beta[i % g.channels]);
        standard(g, x).0.into_iter().enumerate().map(affine).map(|v| activation(act, v)).collect()
    }

    pub(super) fn wide(x: &[f32]) -> Vec<f64> {
        x.iter().map(|v| f64::from(*v)).collect()
    }

    /// Central differences of `f` at `x`.
    pub(super) fn slopes(x: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
        let at = |i: usize, by: f64| {
            let mut x = x.to_vec();
            x[i] += by;
            f(&x)
        };
        (0..x.len()).map(|i| (at(i, 1e-5) - at(i, -1e-5)) / 2e-5).collect()
    }

    #[test]
    fn values_and_gradients_agree_with_f64() {
        for (images, pixels, channels, groups) in [(2, 6, 6, 2), (3, 5, 4, 4), (2, 9, 3, 1), (1, 1, 8, 1)] {
            let g = Groups { channels, pixels, groups, epsilon: EPSILON };
            let len = images * g.image();
            let (x, gamma, beta, dy) = (values(len, 1), values(channels, 2), values(channels, 3), values(len, 4));
            let act = Activation::Tanh;
            let mut y = vec![0.0; len];
            let affine = Affine { gamma: &gamma, beta: &beta, activation: act };
            forward(&g, &affine, &x, &mut y);
            assert_close("y", &y, &plain(&g, &wide(&x), &gamma, &beta, act));
            let (mut dx, mut dgamma, mut dbeta) = (vec![0.0; len], vec![0.0; channels], vec![0.0; channels]);
            backward(&g, &affine, &x, &dy, &mut dx, &mut dgamma, &mut dbeta);
            let loss =
                |x: &[f64]| plain(&g, x, &gamma, &beta, act).iter().zip(&dy).map(|(y, d)| y * f64::from(*d)).sum();
            assert_close("dx", &dx, &slopes(&wide(&x), loss));
            let (mut want_gamma, mut want_beta) = (vec![0.0; channels], vec![0.0; channels]);
            for (i, xhat) in standard(&g, &wide(&x)).0.into_iter().enumerate() {
                let dz = f64::from(dy[i]) * (1.0 - f64::from(y[i]).powi(2));
                want_gamma[i % channels] += dz * xhat;
                want_beta[i % channels] += dz;
            }
            assert_close("dgamma", &dgamma, &want_gamma);
            assert_close("dbeta", &dbeta, &want_beta);
        }
    }

    #[test]
    fn same_bits_on_any_number_of_threads() {
        let g = Groups { channels: 48, pixels: 300, groups: 6, epsilon: EPSILON };
        let len = 5 * g.image();
        let (x, t, gamma) = (values(len, 1), values(len, 2), values(48, 3));
        assert_same_on_any_pool(|| {
            let (mut y, mut dx, mut dgamma, mut dbeta) = (vec![0.0; len], vec![0.0; len], vec![0.0; 48], vec![0.0; 48]);
            let affine = Affine { gamma: &gamma, beta: &gamma, activation: Activation::Relu };
            forward(&g, &affine, &x, &mut y);
            backward(&g, &affine, &x, &t, &mut dx, &mut dgamma, &mut dbeta);
            let (mut out, mut ds, mut dt, mut dg) = (vec![0.0; len], vec![0.0; len], vec![0.0; len], vec![0.0; 48]);
            tangent(&g, &x, &t, &gamma, &mut out);
            tangent_backward(&g, [&x, &t, &y], &gamma, [&mut ds, &mut dt, &mut dg]);
            [y, dx, dgamma, dbeta, out, ds, dt, dg].concat()
        });
    }
}
