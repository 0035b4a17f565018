//! Subsets of a data set: the first images, those that meet a condition, or a random split into training and held-out images.

use std::sync::Arc;

use super::dataset::{Dataset, DatasetInfo, ImageShape};
use super::digest::Digest;
use crate::error::Result;
use crate::random::Stream;

/// The images of a set at given indices, in that order.
#[derive(Clone, Debug)]
pub struct Subset {
    set: Arc<dyn Dataset>,
    indices: Arc<[usize]>,
    info: DatasetInfo,
}

impl Subset {
    fn new(set: Arc<dyn Dataset>, indices: Arc<[usize]>) -> Self {
        let info = set.info().at(&indices);
        Self { set, indices, info }
    }

    /// The first `count` images of `set`, or the whole set if it has no more.
    pub fn first(set: Box<dyn Dataset>, count: usize) -> Box<dyn Dataset> {
        if count >= set.len() {
            return set;
        }
        Box::new(Self::new(Arc::from(set), (0..count).collect()))
    }

    /// The images of `set` for which `wanted` is true.
    pub fn filter(set: &Arc<dyn Dataset>, wanted: impl Fn(usize) -> bool) -> Self {
        Self::new(Arc::clone(set), (0..set.len()).filter(|&index| wanted(index)).collect())
    }

    /// Splits `set` at random with `seed` into training images and a share `held_out` of held-out images, at least one. Both
    /// keep the set's order.
    pub fn split_held_out(set: &Arc<dyn Dataset>, held_out: f64, seed: u64) -> [Self; 2] {
        let mut order = Stream::new(seed, "held-out").permutation(0, set.len());
        let count = ((held_out * set.len() as f64).round() as usize).clamp(1, set.len().max(2) - 1);
        let mut kept = order.split_off(count.min(order.len()));
        order.sort_unstable();
        kept.sort_unstable();
        [kept, order].map(|indices| Self::new(Arc::clone(set), indices.into()))
    }
}

impl Dataset for Subset {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn shape(&self) -> ImageShape {
        self.set.shape()
    }

    fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
        // An index past the end becomes `usize::MAX`, which the set refuses.
        self.set.read(self.indices.get(index).copied().unwrap_or(usize::MAX), out)
    }

    fn info(&self) -> &DatasetInfo {
        &self.info
    }

    fn inner(&self) -> Option<&dyn Dataset> {
        Some(self.set.as_ref())
    }

    fn resolved(&self, index: usize) -> usize {
        let resolved_at = self.indices.get(index).map(|at| self.set.resolved(*at));
        // A replacement outside the subset has no index here; the image then keeps its own.
        resolved_at.and_then(|at| self.indices.binary_search(&at).ok()).unwrap_or(index)
    }

    fn image_name(&self, index: usize) -> String {
        self.set.image_name(self.indices.get(index).copied().unwrap_or(index))
    }

    fn fingerprint_over(&self, inner: &str) -> Option<String> {
        let mut digest = Digest::new();
        digest.update(inner.as_bytes());
        self.indices.iter().for_each(|index| digest.update(&(*index as u64).to_le_bytes()));
        Some(digest.finish())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Strokes;

    #[test]
    fn the_first_images_are_another_set_with_the_same_beginning() {
        let part = Subset::first(Box::new(Strokes::new(1, 100)), 30);
        let whole = Subset::first(Box::new(Strokes::new(1, 100)), 100);
        assert_eq!((part.len(), whole.len()), (30, 100));
        assert_ne!(part.fingerprint(), whole.fingerprint());
        let (mut a, mut b) = (vec![0.0; 784], vec![0.0; 784]);
        part.read(29, &mut a).unwrap();
        whole.read(29, &mut b).unwrap();
        assert_eq!(a, b);
        assert_eq!(part.label(29), whole.label(29));
    }

    #[test]
    fn parts_are_disjoint_and_complete() {
        let set: Arc<dyn Dataset> = Arc::new(Strokes::new(1, 100));
        let [kept, held] = Subset::split_held_out(&set, 0.2, 3);
        assert_eq!((kept.len(), held.len()), (80, 20));
        let mut all: Vec<usize> = kept.indices.iter().chain(held.indices.iter()).copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        let (mut a, mut b) = (vec![0.0; 784], vec![0.0; 784]);
        kept.read(7, &mut a).unwrap();
        set.read(kept.indices[7], &mut b).unwrap();
        assert_eq!(a, b);
        assert_eq!(kept.label(7), set.label(kept.indices[7]));
        assert!(held.read(20, &mut a).is_err() && held.label(20).is_none());
        let other = Subset::split_held_out(&set, 0.2, 4);
        let prints = [kept.fingerprint(), held.fingerprint(), other[0].fingerprint(), set.fingerprint()];
        assert!((0..4).all(|a| (0..a).all(|b| prints[a] != prints[b])), "{prints:?}");
        assert_eq!(Subset::split_held_out(&set, 0.0001, 3)[1].len(), 1);
    }
}
