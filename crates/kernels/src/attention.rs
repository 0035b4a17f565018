//! Attention of every position to every other, `softmax(q k') v`, some rows of the scores at a time, so that they stay
//! in the cache: the whole matrix of an image's scores is never made, and the backward pass makes the rows anew.

use crate::exponential::exp_of_negative;
use crate::matmul::{Strides, product};
use crate::memory::workspace;
use crate::vectorise::vectorised;
use rayon::prelude::*;

/// The sizes of a batch: queries and keys are `[images, positions, narrow]`, values `[images, positions, wide]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attention {
    /// Positions of one image, all of which see each other.
    pub positions: usize,
    /// Values of a query or key.
    pub narrow: usize,
    /// Values of a value.
    pub wide: usize,
}

/// Queries whose scores are made at a time.
const ROWS: usize = 64;

impl Attention {
    fn check(&self, narrow: &[(&str, usize)], wide: &[(&str, usize)]) {
        let Self { positions, narrow: n, wide: w } = *self;
        assert!(positions > 0 && n > 0 && w > 0, "no attention with {self:?}");
        let images = narrow[0].1 / (positions * n);
        for (list, size) in [(narrow, n), (wide, w)] {
            for (name, len) in list {
                let want = images * positions * size;
                assert!(*len == want, "{name} has {len} values, expected {want}");
            }
        }
    }

    /// The shares of all positions, row by row, for the queries `q` of one image whose keys are `k`.
    fn shares(&self, q: &[f32], k: &[f32], shares: &mut [f32]) {
        let n = self.narrow;
        let sizes = [q.len() / n, self.positions, n];
        let out = (&mut *shares, Strides::rows(self.positions));
        product(sizes, (q, Strides::rows(n)), (k, Strides::transposed(n)), false, out);
        softmax_rows(shares, self.positions);
    }
}

/// `out = softmax(q k') v` for each image.
pub fn forward(a: &Attention, q: &[f32], k: &[f32], v: &[f32], out: &mut [f32]) {
    a.check(&[("q", q.len()), ("k", k.len())], &[("v", v.len()), ("out", out.len())]);
    let (narrow, wide) = (a.positions * a.narrow, a.positions * a.wide);
    let images = q.par_chunks(narrow).zip(k.par_chunks(narrow)).zip(v.par_chunks(wide));
    out.par_chunks_mut(wide).zip(images).for_each(|(out, ((q, k), v))| {
        let blocks = out.par_chunks_mut(ROWS * a.wide).zip(q.par_chunks(ROWS * a.narrow));
        blocks.for_each(|(out, q)| {
            let rows = q.len() / a.narrow;
            workspace::with(rows * a.positions, |shares| {
                a.shares(q, k, shares);
                let (shares, v) = ((&*shares, Strides::rows(a.positions)), (v, Strides::rows(a.wide)));
                product([rows, a.wide, a.positions], shares, v, false, (out, Strides::rows(a.wide)));
            });
        });
    });
}

/// The gradients of [`forward`] with respect to `q`, `k` and `v`, for the gradient `dout` with respect to its result.
pub fn backward(a: &Attention, [q, k, v]: [&[f32]; 3], dout: &[f32], [dq, dk, dv]: [&mut [f32]; 3]) {
    let narrow = [("q", q.len()), ("k", k.len()), ("dq", dq.len()), ("dk", dk.len())];
    a.check(&narrow, &[("v", v.len()), ("dout", dout.len()), ("dv", dv.len())]);
    let (narrow, wide) = (a.positions * a.narrow, a.positions * a.wide);
    let inputs = q.par_chunks(narrow).zip(k.par_chunks(narrow)).zip(v.par_chunks(wide)).zip(dout.par_chunks(wide));
    let outputs = dq.par_chunks_mut(narrow).zip(dk.par_chunks_mut(narrow)).zip(dv.par_chunks_mut(wide));
    outputs.zip(inputs).for_each(|(((dq, dk), dv), (((q, k), v), dout))| {
        dk.fill(0.0);
        dv.fill(0.0);
        let blocks = q.chunks(ROWS * a.narrow).zip(dout.chunks(ROWS * a.wide)).zip(dq.chunks_mut(ROWS * a.narrow));
        blocks.for_each(|((q, dout), dq)| rows_backward(a, [q, k, v, dout], [dq, dk, dv]));
    });
}

/// What some rows of one image's scores contribute: `dq` is theirs alone, `dk` and `dv` are added to.
fn rows_backward(a: &Attention, [q, k, v, dout]: [&[f32]; 4], [dq, dk, dv]: [&mut [f32]; 3]) {
    let Attention { positions, narrow, wide } = *a;
    let rows = q.len() / narrow;
    workspace::with(2 * rows * positions, |buffer| {
        let (shares, scores) = buffer.split_at_mut(rows * positions);
        a.shares(q, k, shares);
        let across = Strides::transposed(positions);
        let dout = (dout, Strides::rows(wide));
        product([positions, wide, rows], (shares, across), dout, true, (dv, Strides::rows(wide)));
        // The gradient of the shares, then of the scores.
        let out = (&mut *scores, Strides::rows(positions));
        product([rows, positions, wide], dout, (v, Strides::transposed(wide)), false, out);
        softmax_backward(shares, scores, positions);
        let (k, along) = ((k, Strides::rows(narrow)), Strides::rows(positions));
        product([rows, narrow, positions], (scores, along), k, false, (dq, Strides::rows(narrow)));
        let q = (q, Strides::rows(narrow));
        product([positions, narrow, rows], (scores, across), q, true, (dk, Strides::rows(narrow)));
    });
}

/// Values added up side by side, so that a sum becomes vector code.
const LANES: usize = 16;

/// `f` over the row, folded lane by lane, then the lanes by `fold`.
#[inline(always)]
fn folded(row: &[f32], start: f32, fold: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [start; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, v)| *lane = fold(*lane, *v));
    }
    lanes.iter_mut().zip(rest).for_each(|(lane, v)| *lane = fold(*lane, *v));
    lanes.into_iter().fold(start, fold)
}

vectorised! {
    /// Every row becomes positive shares of 1. NaN makes its whole row NaN.
    fn softmax_rows(scores: &mut [f32], length: usize) {
        for row in scores.chunks_exact_mut(length) {
            // The comparison lets NaN through only if it comes first; the exponential below keeps all.
            let largest = folded(row, f32::NEG_INFINITY, |a, b| if b > a { b } else { a });
            row.iter_mut().for_each(|v| *v = exp_of_negative(*v - largest));
            let scale = 1.0 / folded(row, 0.0, |a, b| a + b);
            row.iter_mut().for_each(|v| *v *= scale);
        }
    }
}

vectorised! {
    /// The gradient of the scores from that of the shares, in place: `shares * (gradient - sum(shares * gradient))`.
    fn softmax_backward(shares: &[f32], gradient: &mut [f32], length: usize) {
        for (shares, gradient) in shares.chunks_exact(length).zip(gradient.chunks_exact_mut(length)) {
            let mut lanes = [0.0f32; LANES];
            for (shares, gradient) in shares.chunks(LANES).zip(gradient.chunks(LANES)) {
                lanes.iter_mut().zip(shares.iter().zip(gradient)).for_each(|(lane, (s, g))| *lane += s * g);
            }
            let along: f32 = lanes.iter().sum();
            gradient.iter_mut().zip(shares).for_each(|(g, s)| *g = s * (*g - along));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{assert_close, assert_same_on_any_pool, values};

    fn plain(a: &Attention, q: &[f64], k: &[f64], v: &[f64]) -> Vec<f64> {
        let Attention { positions, narrow, wide } = *a;
        let mut out = Vec::new();
        for (row, q) in q.chunks(narrow).enumerate() {
            let image = row / positions * positions;
            let score = |j: usize| -> f64 { q.iter().zip(&k[(image + j) * narrow..]).map(|(q, k)| q * k).sum() };
            let weights: Vec<f64> = (0..positions).map(|j| score(j).exp()).collect();
            let total: f64 = weights.iter().sum();
            out.extend(
                (0..wide).map(|c| {
                    weights.iter().enumerate().map(|(j, w)| w / total * v[(image + j) * wide + c]).sum::<f64>()
                }),
            );
        }
        out
    }

    fn wide(v: &[f32]) -> Vec<f64> {
        v.iter().map(|v| f64::from(*v)).collect()
    }

    fn inputs(a: &Attention, images: usize) -> [Vec<f32>; 4] {
        let n = images * a.positions;
        [values(n * a.narrow, 1), values(n * a.narrow, 2), values(n * a.wide, 3), values(n * a.wide, 4)]
    }

    fn gradients(a: &Attention, [q, k, v, dout]: &[Vec<f32>; 4]) -> [Vec<f32>; 3] {
        let [mut dq, mut dk, mut dv] = [q, k, v].map(|t| vec![f32::NAN; t.len()]);
        backward(a, [q, k, v], dout, [&mut dq, &mut dk, &mut dv]);
        [dq, dk, dv]
    }

    #[test]
    fn values_and_gradients_agree_with_f64() {
        for (images, positions, narrow, wide_) in [(2, 9, 3, 5), (1, 70, 1, 2), (3, 1, 2, 1), (1, 33, 4, 3)] {
            let a = Attention { positions, narrow, wide: wide_ };
            let all = inputs(&a, images);
            let mut out = vec![0.0; all[2].len()];
            forward(&a, &all[0], &all[1], &all[2], &mut out);
            let f64s = [&all[0], &all[1], &all[2]].map(|t| wide(t));
            assert_close("out", &out, &plain(&a, &f64s[0], &f64s[1], &f64s[2]));
            for (which, ours) in gradients(&a, &all).iter().enumerate() {
                let loss = |i: usize, by: f64| -> f64 {
                    let mut moved = f64s.clone();
                    moved[which][i] += by;
                    let out = plain(&a, &moved[0], &moved[1], &moved[2]);
                    out.iter().zip(&all[3]).map(|(o, d)| o * f64::from(*d)).sum()
                };
                let slopes: Vec<f64> = (0..ours.len()).map(|i| (loss(i, 1e-5) - loss(i, -1e-5)) / 2e-5).collect();
                if slopes.iter().all(|s| s.abs() < 1e-9) {
                    // A single position: its share is 1 whatever the scores.
                    assert!(ours.iter().all(|g| g.abs() < 1e-6), "{which} {ours:?}");
                } else {
                    assert_close("gradient", ours, &slopes);
                }
            }
        }
    }

    #[test]
    fn extreme_scores_stay_finite_and_nan_shows() {
        let a = Attention { positions: 20, narrow: 1, wide: 1 };
        let (mut q, k, v) = (vec![1e4; 20], values(20, 1), values(20, 2));
        let mut out = vec![0.0; 20];
        forward(&a, &q, &k, &v, &mut out);
        assert!(out.iter().all(|o| o.is_finite()));
        q[3] = f32::NAN;
        forward(&a, &q, &k, &v, &mut out);
        assert!(out[3].is_nan() && out[4].is_finite());
    }

    #[test]
    fn same_bits_on_any_number_of_threads() {
        let a = Attention { positions: 150, narrow: 3, wide: 7 };
        let all = inputs(&a, 3);
        assert_same_on_any_pool(|| {
            let mut out = vec![0.0; all[2].len()];
            forward(&a, &all[0], &all[1], &all[2], &mut out);
            [vec![out], gradients(&a, &all).to_vec()].concat().concat()
        });
    }
}
