//! A batch that is computed in slices, each by itself on a thread or machine of its own. What looks across the batch, batch
//! normalisation, gathers numbers from all slices in their order, so that every slice has those of the whole batch.

use std::fmt::Debug;
use std::sync::Arc;

use burn::tensor::Tensor;

use super::host::{host, tensor};

/// The slices of a batch, which are computed at the same time.
pub trait Peers: Debug + Send + Sync {
    /// The `mine` of every slice, one after the other; the call waits for all. Every slice calls it equally often, in the same
    /// order, with as many numbers.
    fn gather(&self, slice: usize, mine: &[f32]) -> Vec<f32>;
}

/// One of several slices of equal size of a batch.
#[derive(Clone, Debug)]
pub struct Slice {
    index: usize,
    count: usize,
    peers: Arc<dyn Peers>,
}

impl PartialEq for Slice {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && Arc::ptr_eq(&self.peers, &other.peers)
    }
}

impl Slice {
    /// Slice `index` of `count`.
    pub fn new(index: usize, count: usize, peers: Arc<dyn Peers>) -> Self {
        Self { index, count, peers }
    }

    /// Its number, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// How many slices there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The means of these numbers over all slices, added up in f64 in the order of slices.
    pub(super) fn means<const N: usize>(&self, mine: [&[f32]; N]) -> [Vec<f32>; N] {
        let all = self.peers.gather(self.index, &mine.concat());
        let mut start = 0;
        mine.map(|part| {
            let columns = start..start + part.len();
            start = columns.end;
            let mean = |at| self.column(&all, at).sum::<f64>() / self.count as f64;
            columns.map(|at| mean(at) as f32).collect()
        })
    }

    /// Mean and biased variance over the batch from those of this slice.
    pub(super) fn moments(&self, own: [Tensor<1>; 2]) -> [Tensor<1>; 2] {
        let device = own[0].device();
        let [mean, variance] = own.each_ref().map(host);
        let channels = mean.len();
        let all = self.peers.gather(self.index, &[mean, variance].concat());
        let count = self.count as f64;
        let of_all = |at: usize| {
            let mean = self.column(&all, at).sum::<f64>() / count;
            let within = self.column(&all, channels + at).sum::<f64>();
            let between = self.column(&all, at).map(|own| (own - mean) * (own - mean)).sum::<f64>();
            (mean as f32, ((within + between) / count) as f32)
        };
        let (mean, variance) = (0..channels).map(of_all).unzip();
        [mean, variance].map(|values| tensor(values, [channels], &device))
    }

    /// Number `at` of every slice.
    fn column<'a>(&self, all: &'a [f32], at: usize) -> impl Iterator<Item = f64> + use<'a> {
        all.chunks_exact(all.len() / self.count).map(move |slice| f64::from(slice[at]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::Known;
    use crate::ops::{Activation, Normalisation, Precision, batchnorm, moments};
    use burn::tensor::Device;

    /// The second half of a batch, whose first half has the numbers `first`.
    fn second(first: Vec<f32>) -> Slice {
        Slice::new(1, 2, Arc::new(Known(first)))
    }

    #[test]
    fn moments_of_halves_are_those_of_the_whole() {
        let values: Vec<f32> = (0..24).map(|v| (v * v % 17) as f32 + 100.0).collect();
        let whole: Tensor<4> = tensor(values.clone(), [4, 1, 2, 3], &Device::flex());
        let [first, last] = [0, 2].map(|start| whole.clone().narrow(0, start, 2));
        let other = moments(&first, None).map(|t| host(&t)).concat();
        let joint = moments(&last, Some(&second(other))).map(|t| host(&t)).concat();
        let expected = moments(&whole, None).map(|t| host(&t)).concat();
        assert!(joint.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-4), "{joint:?} {expected:?}");
        let apart = moments(&last, None).map(|t| host(&t)).concat();
        assert!(apart.iter().zip(&expected).any(|(a, b)| (a - b).abs() > 0.1));
    }

    #[test]
    fn gradients_of_halves_are_those_of_the_whole() {
        let device = Device::flex();
        let numbers =
            |count: usize, seed: usize| (0..count).map(|v| ((v * 31 + seed) % 23) as f32 / 8.0).collect::<Vec<_>>();
        let whole: Tensor<4> = tensor(numbers(24, 3), [4, 1, 2, 3], &device);
        let weights: Tensor<4> = tensor(numbers(24, 5), [4, 1, 2, 3], &device);
        let [gamma, beta]: [Tensor<1>; 2] = [1, 2].map(|seed| tensor(numbers(3, seed), [3], &device));
        let statistics = moments(&whole, None);
        let gradient = |start: usize, rows: usize, slice: Option<Slice>| {
            let x = whole.clone().narrow(0, start, rows).autodiff().require_grad();
            let parameters = [gamma.clone(), beta.clone()].map(|t| t.autodiff().require_grad());
            let activation = Activation::LeakyRelu(0.2);
            let spec = Normalisation { epsilon: 1e-3, activation, from_batch: true, stored: Precision::F32, slice };
            let y = batchnorm(x.clone(), parameters.clone(), statistics.clone(), spec);
            let mut all = y.mul(weights.clone().narrow(0, start, rows)).sum().backward();
            let of = |t: &Tensor<1>, all: &mut _| t.grad_remove(all).map(|t| host(&t)).unwrap_or_default();
            let sums = [&parameters[0], &parameters[1]].map(|t| of(t, &mut all)).concat();
            (x.grad_remove(&mut all).map(|t| host(&t)).unwrap_or_default(), sums)
        };
        let (dx, sums) = gradient(0, 4, None);
        let (_, first) = gradient(0, 2, None);
        let (dx_last, last) = gradient(2, 2, Some(second(first.clone())));
        let near = |a: &[f32], b: &[f32]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
        assert!(near(&dx_last, &dx[12..]), "{dx_last:?} {dx:?}");
        // Each slice has its own part of the parameters' gradients.
        let total: Vec<f32> = first.iter().zip(&last).map(|(a, b)| a + b).collect();
        assert!(near(&total, &sums), "{total:?} {sums:?}");
    }
}
