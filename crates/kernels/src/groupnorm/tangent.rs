//! The directional derivative (tangent) of group normalisation along a direction t, and its gradients, which gradient
//! penalties need. With u the normalised x, s one over the deviation, and means over the n values of a group,
//! the change is `gamma P t`, where `P t = s (t - mean(t) - u mean(u t))`; P is symmetric.
//!
//! For a gradient r with respect to the change, with `q = gamma r`, the gradients are `P q` for t, `r P t` for gamma, and
//! for x, from `ds/dx = -s^2 u / n` and `du/dx = P`:
//! `-(s^2 / n) (u ((q - mean q).(t - mean t) - 3 (u.q)(u.t) / n) + (u.t) (q - mean q) + (u.q) (t - mean t))`.

use super::{Affine, Groups, add_images};
use crate::activation::Activation;
use crate::batchnorm::{Coefficients, Layer, input_grads, parameter_grads};
use crate::vectorise::vectorised;
use rayon::prelude::*;

/// `out = gamma s (t - mean(t) - u mean(u t))`; `x`, `t`, `out` are `[images, pixels, channels]`, `gamma` `[channels]`.
pub fn tangent(g: &Groups, x: &[f32], t: &[f32], gamma: &[f32], out: &mut [f32]) {
    g.check(&[("x", x.len()), ("t", t.len()), ("out", out.len())], &[("gamma", gamma.len())]);
    let inputs = x.par_chunks(g.image()).zip(t.par_chunks(g.image()));
    out.par_chunks_mut(g.image()).zip(inputs).for_each(|(out, (x, t))| {
        let statistics = g.statistics(x);
        let (mut along, mut sum) = (vec![0.0; g.channels], vec![0.0; g.channels]);
        // The sums are those of a gradient t that no activation bends.
        let norm = Affine { gamma, beta: gamma, activation: Activation::Identity }.with(g, &statistics);
        let (layer, inverse) = (Layer::new(&norm), norm.inverse_deviation());
        parameter_grads(x, &layer, &inverse, t, &mut along, &mut sum);
        let group = |v: &[f32]| g.sum_groups(&v.iter().map(|v| f64::from(*v)).collect::<Vec<_>>());
        let (along, sum) = (group(&along), group(&sum));
        let mut coefficients = Coefficients::new(g.channels);
        for i in 0..g.channels {
            let (scale, gamma) = (f64::from(inverse[i]), f64::from(gamma[i]));
            coefficients.slope[i] = (gamma * scale) as f32;
            coefficients.centred[i] = (-gamma * scale * scale * along[i] / g.shared()) as f32;
            coefficients.constant[i] = (-gamma * scale * sum[i] / g.shared()) as f32;
        }
        input_grads(x, &layer, t, out, &coefficients);
    });
}

/// The gradients of [`tangent`] for the gradient `r` with respect to its `out`: those for x, t and gamma.
pub fn tangent_backward(g: &Groups, [x, t, r]: [&[f32]; 3], gamma: &[f32], [dx, dt, dgamma]: [&mut [f32]; 3]) {
    let lens = [("x", x.len()), ("t", t.len()), ("r", r.len()), ("dx", dx.len()), ("dt", dt.len())];
    g.check(&lens, &[("gamma", gamma.len()), ("dgamma", dgamma.len())]);
    let size = g.image();
    let inputs = x.par_chunks(size).zip(t.par_chunks(size)).zip(r.par_chunks(size));
    let outputs = dx.par_chunks_mut(size).zip(dt.par_chunks_mut(size));
    let parts: Vec<[Vec<f32>; 1]> =
        outputs.zip(inputs).map(|((dx, dt), ((x, t), r))| [image_backward(g, [x, t, r], gamma, [dx, dt])]).collect();
    add_images(&parts, [dgamma]);
}

/// Fills an image's `dx` and `dt`; returns its part of `dgamma`.
fn image_backward(g: &Groups, [x, t, r]: [&[f32]; 3], gamma: &[f32], [dx, dt]: [&mut [f32]; 2]) -> Vec<f32> {
    let statistics = g.statistics(x);
    let norm = Affine { gamma, beta: gamma, activation: Activation::Identity }.with(g, &statistics);
    let scale: Vec<f64> = norm.inverse_deviation().into_iter().map(f64::from).collect();
    let mean = norm.mean;
    let gamma: Vec<f64> = gamma.iter().map(|v| f64::from(*v)).collect();
    let n = g.shared();
    // Of each channel: sums of t, t (x - mean), r, r (x - mean), r t.
    let sums = image_sums(x, t, r, mean);
    let [sum_t, sum_xt, sum_r, sum_xr, sum_rt] = &sums;
    let group = |f: &dyn Fn(usize) -> f64| g.sum_groups(&(0..g.channels).map(f).collect::<Vec<_>>());
    let mean_t = group(&|i| sum_t[i] / n);
    let mean_q = group(&|i| gamma[i] * sum_r[i] / n);
    let along_t = group(&|i| scale[i] * sum_xt[i] / n);
    let along_q = group(&|i| gamma[i] * scale[i] * sum_xr[i] / n);
    let product = group(&|i| gamma[i] * sum_rt[i] / n);
    let mut of_x = [const { Vec::new() }; 4];
    let mut of_t = [const { Vec::new() }; 3];
    let mut dgamma = Vec::with_capacity(g.channels);
    for i in 0..g.channels {
        let s = scale[i];
        let bend = product[i] - mean_q[i] * mean_t[i] - 3.0 * along_q[i] * along_t[i];
        // Factors of r, t, x - mean and 1.
        let factors = [
            -s * s * along_t[i] * gamma[i],
            -s * s * along_q[i],
            -s * s * s * bend,
            s * s * (along_t[i] * mean_q[i] + along_q[i] * mean_t[i]),
        ];
        of_x.iter_mut().zip(factors).for_each(|(list, f)| list.push(f as f32));
        let factors = [gamma[i] * s, -s * s * along_q[i], -s * mean_q[i]];
        of_t.iter_mut().zip(factors).for_each(|(list, f)| list.push(f as f32));
        dgamma.push((s * (sum_rt[i] - mean_t[i] * sum_r[i] - s * sum_xr[i] * along_t[i])) as f32);
    }
    combine([x, t, r], mean, &of_x, &of_t, dx, dt);
    dgamma
}

/// Rows whose sums are taken in single precision before they join those in double.
const ROWS: usize = 128;

/// Sums over the rows of t, t (x - mean), r, r (x - mean) and r t.
fn image_sums(x: &[f32], t: &[f32], r: &[f32], mean: &[f32]) -> [Vec<f64>; 5] {
    let c = mean.len();
    let mut totals = std::array::from_fn(|_| vec![0.0f64; c]);
    let mut sums = vec![0.0f32; 5 * c];
    for ((x, t), r) in x.chunks(ROWS * c).zip(t.chunks(ROWS * c)).zip(r.chunks(ROWS * c)) {
        sums.fill(0.0);
        add_rows(x, t, r, mean, &mut sums);
        for (total, sums) in totals.iter_mut().zip(sums.chunks_exact(c)) {
            total.iter_mut().zip(sums).for_each(|(total, sum)| *total += f64::from(*sum));
        }
    }
    totals
}

vectorised! {
    fn add_rows(x: &[f32], t: &[f32], r: &[f32], mean: &[f32], sums: &mut [f32]) {
        let c = mean.len();
        let (sum_t, rest) = sums.split_at_mut(c);
        let (sum_xt, rest) = rest.split_at_mut(c);
        let (sum_r, rest) = rest.split_at_mut(c);
        let (sum_xr, sum_rt) = rest.split_at_mut(c);
        for ((x, t), r) in x.chunks_exact(c).zip(t.chunks_exact(c)).zip(r.chunks_exact(c)) {
            let totals = sum_t.iter_mut().zip(sum_xt.iter_mut()).zip(sum_r.iter_mut());
            let totals = totals.zip(sum_xr.iter_mut()).zip(sum_rt.iter_mut());
            let row = x.iter().zip(t).zip(r).zip(mean);
            for (((((st, sxt), sr), sxr), srt), (((x, t), r), m)) in totals.zip(row) {
                let d = x - m;
                *st += t;
                *sxt += t * d;
                *sr += r;
                *sxr += r * d;
                *srt += r * t;
            }
        }
    }
}

vectorised! {
    /// `dx = r a + t b + (x - mean) d + e` and `dt = r k + (x - mean) l + m` with factors for each channel.
    fn combine(
        inputs: [&[f32]; 3],
        mean: &[f32],
        of_x: &[Vec<f32>; 4],
        of_t: &[Vec<f32>; 3],
        dx: &mut [f32],
        dt: &mut [f32],
    ) {
        let ([x, t, r], c) = (inputs, mean.len());
        let rows = x.chunks_exact(c).zip(t.chunks_exact(c)).zip(r.chunks_exact(c));
        for ((dx, dt), ((x, t), r)) in dx.chunks_exact_mut(c).zip(dt.chunks_exact_mut(c)).zip(rows) {
            let centred = x.iter().zip(mean).map(|(x, m)| x - m);
            let [a, b, d, e] = of_x;
            let factors = a.iter().zip(b).zip(d).zip(e);
            for (((dx, x), (t, r)), (((a, b), d), e)) in dx.iter_mut().zip(centred.clone()).zip(t.iter().zip(r)).zip(factors) {
                *dx = r * a + t * b + x * d + e;
            }
            let [k, l, m] = of_t;
            let factors = k.iter().zip(l).zip(m);
            for (((dt, x), r), ((k, l), m)) in dt.iter_mut().zip(centred).zip(r).zip(factors) {
                *dt = r * k + x * l + m;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{EPSILON, slopes, standard, wide};
    use super::*;
    use crate::reference::{assert_close, values};

    /// The change in f64: `gamma s (t - mean(t) - u mean(u t))`.
    fn plain(g: &Groups, x: &[f64], t: &[f64], gamma: &[f64]) -> Vec<f64> {
        let (u, s) = standard(g, x);
        let set = |i: usize| (i / g.image(), i % g.channels / (g.channels / g.groups));
        let mean = |i: usize, f: &dyn Fn(usize) -> f64| {
            (0..x.len()).filter(|j| set(*j) == set(i)).map(f).sum::<f64>() / g.shared()
        };
        let change = |i: usize| s[i] * (t[i] - mean(i, &|j| t[j]) - u[i] * mean(i, &|j| u[j] * t[j]));
        (0..x.len()).map(|i| gamma[i % g.channels] * change(i)).collect()
    }

    #[test]
    fn values_and_gradients_agree_with_f64() {
        for (images, pixels, channels, groups) in [(2, 6, 6, 2), (3, 5, 4, 4), (2, 9, 3, 1), (1, 1, 8, 1)] {
            let g = Groups { channels, pixels, groups, epsilon: EPSILON };
            let len = images * channels * pixels;
            let (x, t, gamma, r) = (values(len, 1), values(len, 2), values(channels, 3), values(len, 4));
            let mut out = vec![0.0; len];
            tangent(&g, &x, &t, &gamma, &mut out);
            let (wide_x, wide_t, wide_gamma) = (wide(&x), wide(&t), wide(&gamma));
            assert_close("tangent", &out, &plain(&g, &wide_x, &wide_t, &wide_gamma));
            // It is the derivative of the value.
            let moved = |by: f64| {
                let x: Vec<f64> = wide_x.iter().zip(&wide_t).map(|(x, t)| x + by * t).collect();
                standard(&g, &x).0
            };
            let (up, down) = (moved(1e-5), moved(-1e-5));
            let slope: Vec<f64> = (0..len).map(|i| wide_gamma[i % channels] * (up[i] - down[i]) / 2e-5).collect();
            assert_close("derivative", &out, &slope);
            let (mut dx, mut dt, mut dgamma) = (vec![0.0; len], vec![0.0; len], vec![0.0; channels]);
            tangent_backward(&g, [&x, &t, &r], &gamma, [&mut dx, &mut dt, &mut dgamma]);
            let loss = |x: &[f64], t: &[f64], gamma: &[f64]| -> f64 {
                plain(&g, x, t, gamma).iter().zip(&r).map(|(v, r)| v * f64::from(*r)).sum()
            };
            assert_close("dx", &dx, &slopes(&wide_x, |x| loss(x, &wide_t, &wide_gamma)));
            assert_close("dt", &dt, &slopes(&wide_t, |t| loss(&wide_x, t, &wide_gamma)));
            assert_close("dgamma", &dgamma, &slopes(&wide_gamma, |gamma| loss(&wide_x, &wide_t, gamma)));
        }
    }
}
