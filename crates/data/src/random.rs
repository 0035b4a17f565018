//! Counter-based random numbers: every number is a function of the seed, the name of a stream and an index (a step, an epoch,
//! an image). No state is carried between steps, so resuming and the number of threads can't change the results. The
//! generator is ChaCha8.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

/// A stream of random numbers for one purpose ("latent", "shuffle", "dropout", ...).
#[derive(Clone, Debug)]
pub struct Stream {
    key: [u8; 32],
}

impl Stream {
    /// The stream called `name` under `seed`. Different names or seeds give unrelated numbers.
    pub fn new(seed: u64, name: &str) -> Self {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        hash.update(name.as_bytes());
        Self { key: hash.finalize().into() }
    }

    /// The generator at `index`; the same index always gives the same numbers.
    pub fn at(&self, index: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::from_seed(self.key);
        rng.set_stream(index);
        rng
    }

    /// `count` draws from N(0, 1) at `index`.
    pub fn normal(&self, index: u64, count: usize) -> Vec<f32> {
        let mut rng = self.at(index);
        (0..count).map(|_| StandardNormal.sample(&mut rng)).collect()
    }

    /// `count` draws from the uniform distribution on [low, high) at `index`.
    pub fn uniform(&self, index: u64, count: usize, low: f32, high: f32) -> Vec<f32> {
        let mut rng = self.at(index);
        (0..count).map(|_| low + (high - low) * unit(&mut rng)).collect()
    }

    /// For each of the `count` draws of [`Self::uniform`] from [0, 1) at `index`, 1 where it is `limit` or more, else 0.
    pub fn not_below(&self, index: u64, count: usize, limit: f32) -> Vec<u8> {
        self.not_below_from(index, 0, count, limit)
    }

    /// As [`Self::not_below`], of the draws after the first `start`.
    pub fn not_below_from(&self, index: u64, start: usize, count: usize, limit: f32) -> Vec<u8> {
        /// Draws per task: whole blocks of the generator.
        const DRAWS: usize = 1 << 13;
        // A draw is its upper 24 bits.
        let limit = (f64::from(limit) * f64::from(1 << 24)).ceil() as u32;
        let mut kept = vec![0u8; count];
        kept.par_chunks_mut(DRAWS).enumerate().for_each(|(nth, kept)| {
            let mut rng = self.at(index);
            rng.set_word_pos((start + nth * DRAWS) as u128);
            let mut bytes = [0u8; 1 << 10];
            for kept in kept.chunks_mut(bytes.len() / 4) {
                rng.fill_bytes(&mut bytes);
                for (kept, word) in kept.iter_mut().zip(bytes.chunks_exact(4)) {
                    *kept = u8::from(u32::from_le_bytes([word[0], word[1], word[2], word[3]]) >> 8 >= limit);
                }
            }
        });
        kept
    }

    /// A permutation of `0..len` at `index` (Fisher-Yates).
    pub fn permutation(&self, index: u64, len: usize) -> Vec<usize> {
        let mut rng = self.at(index);
        let mut order: Vec<usize> = (0..len).collect();
        for last in (1..len).rev() {
            let pick = (rng.next_u64() % (last as u64 + 1)) as usize;
            order.swap(last, pick);
        }
        order
    }

    /// `count` different numbers of `0..len` at `index` in random order, or all if there are no more.
    pub fn choice(&self, index: u64, len: usize, count: usize) -> Vec<usize> {
        let mut order = self.permutation(index, len);
        order.truncate(count);
        order
    }
}

/// A draw from [0, 1) with 24 bits.
pub fn unit(rng: &mut impl Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_repeatable_and_distinct() {
        let latent = Stream::new(7, "latent");
        assert_eq!(latent.normal(3, 50), Stream::new(7, "latent").normal(3, 50));
        assert_ne!(latent.normal(3, 50), latent.normal(4, 50));
        assert_ne!(latent.normal(3, 50), Stream::new(7, "shuffle").normal(3, 50));
        assert_ne!(latent.normal(3, 50), Stream::new(8, "latent").normal(3, 50));
        // A longer read starts with the shorter one.
        assert_eq!(latent.normal(3, 50), latent.normal(3, 80)[..50]);
    }

    #[test]
    fn draws_on_all_threads_are_those_in_a_row() {
        let stream = Stream::new(7, "dropout");
        for (count, limit) in [(20_001, 0.2f32), (300, 0.5), (9000, 0.0), (8192, 0.99), (0, 0.3)] {
            let in_a_row = stream.uniform(5, count, 0.0, 1.0);
            let want: Vec<u8> = in_a_row.iter().map(|u| u8::from(*u >= limit)).collect();
            assert_eq!(stream.not_below(5, count, limit), want);
            for start in [0, count / 3, count / 2] {
                assert_eq!(stream.not_below_from(5, start, count - start, limit), want[start..]);
            }
        }
    }

    #[test]
    fn normal_draws_have_unit_variance() {
        let draws = Stream::new(1, "latent").normal(0, 100_000);
        let mean = draws.iter().sum::<f32>() / 1e5;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 1e5;
        assert!(mean.abs() < 0.015, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.02, "variance {variance}");
    }

    #[test]
    fn permutation_holds_each_index_once() {
        let mut order = Stream::new(1, "shuffle").permutation(5, 1000);
        assert_ne!(order, (0..1000).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..1000).collect::<Vec<_>>());
    }
}
