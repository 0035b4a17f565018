//! Adam (Kingma and Ba 2015) as Keras 3 writes it, and the exponential average of weights, each in one pass over
//! memory.

use crate::vectorise::vectorised;
use rayon::prelude::*;

/// Settings of Adam; Keras's defaults are 0.001, 0.9, 0.999, 1e-7.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Learning rate.
    pub rate: f32,
    /// Decay of the mean of gradients.
    pub beta1: f32,
    /// Decay of the mean of squared gradients.
    pub beta2: f32,
    /// Added to the root of the second mean.
    pub epsilon: f32,
}

const BLOCK: usize = 1 << 14;

/// Update number `t` (counting from 1) of `param`: moves the means `m` and `v` (zero before the first step) towards
/// the gradient and its square, then `param -= alpha m / (sqrt(v) + epsilon)` with
/// `alpha = rate sqrt(1 - beta2^t) / (1 - beta1^t)`. All slices have the same length.
pub fn step(adam: &Adam, t: u64, param: &mut [f32], grad: &[f32], m: &mut [f32], v: &mut [f32]) {
    assert!(t > 0, "Adam's steps count from 1");
    for (name, len) in [("grad", grad.len()), ("m", m.len()), ("v", v.len())] {
        assert!(len == param.len(), "{name} has {len} values, param has {}", param.len());
    }
    let steps = t as f64;
    let second = (1.0 - f64::from(adam.beta2).powf(steps)).sqrt();
    let alpha = (f64::from(adam.rate) * second / (1.0 - f64::from(adam.beta1).powf(steps))) as f32;
    let means = m.par_chunks_mut(BLOCK).zip(v.par_chunks_mut(BLOCK));
    let values = param.par_chunks_mut(BLOCK).zip(grad.par_chunks(BLOCK));
    values.zip(means).for_each(|((param, grad), (m, v))| step_block(adam, alpha, param, grad, m, v));
}

vectorised! {
    fn step_block(adam: &Adam, alpha: f32, param: &mut [f32], grad: &[f32], m: &mut [f32], v: &mut [f32]) {
        let (gain1, gain2, epsilon) = (1.0 - adam.beta1, 1.0 - adam.beta2, adam.epsilon);
        for (((p, g), m), v) in param.iter_mut().zip(grad).zip(m).zip(v) {
            *m += (g - *m) * gain1;
            *v += (g * g - *v) * gain2;
            *p -= alpha * *m / (v.sqrt() + epsilon);
        }
    }
}

/// `average = decay * average + (1 - decay) * value`; equal lengths.
pub fn average(decay: f32, average: &mut [f32], value: &[f32]) {
    assert!(average.len() == value.len(), "average has {} values, value has {}", average.len(), value.len());
    let blocks = average.par_chunks_mut(BLOCK).zip(value.par_chunks(BLOCK));
    blocks.for_each(|(average, value)| average_block(decay, average, value));
}

vectorised! {
    fn average_block(decay: f32, average: &mut [f32], value: &[f32]) {
        let gain = 1.0 - decay;
        for (a, v) in average.iter_mut().zip(value) {
            *a = decay * *a + gain * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_steps_by_hand() {
        let adam = Adam { rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
        let (mut p, mut m, mut v) = ([1.0f32, -2.0], [0.0f32; 2], [0.0f32; 2]);
        let (mut p64, mut m64, mut v64) = ([1.0f64, -2.0], [0.0f64; 2], [0.0f64; 2]);
        for (t, grad) in [[0.5f32, -3.0], [-1.0, 0.25], [2.0, 1e-3]].into_iter().enumerate() {
            step(&adam, t as u64 + 1, &mut p, &grad, &mut m, &mut v);
            for i in 0..2 {
                let g = f64::from(grad[i]);
                m64[i] = 0.9 * m64[i] + 0.1 * g;
                v64[i] = 0.999 * v64[i] + 0.001 * g * g;
                let n = t as i32 + 1;
                let alpha = 0.01 * (1.0 - 0.999f64.powi(n)).sqrt() / (1.0 - 0.9f64.powi(n));
                p64[i] -= alpha * m64[i] / (v64[i].sqrt() + 1e-7);
                assert!((f64::from(p[i]) - p64[i]).abs() < 1e-6, "step {n}: {} {}", p[i], p64[i]);
            }
        }
        assert!(p[0] < 1.0 && p[1] > -2.0);
    }

    #[test]
    fn average_moves_by_its_gain() {
        let mut a = [1.0, 0.0];
        average(0.75, &mut a, &[5.0, -4.0]);
        assert_eq!(a, [2.0, -1.0]);
    }

    #[test]
    #[should_panic(expected = "grad has 1 values, param has 2")]
    fn lengths_are_checked() {
        let adam = Adam { rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
        step(&adam, 1, &mut [0.0; 2], &[0.0], &mut [0.0; 2], &mut [0.0; 2]);
    }
}
