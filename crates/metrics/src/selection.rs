//! Which images of a data set are used.

use faussaire_data::Dataset;
use faussaire_data::random::Stream;

/// Which real images: `samples` of `set` selected by `seed`, or all where there are fewer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection<'a> {
    pub(crate) set: &'a dyn Dataset,
    pub(crate) samples: usize,
    pub(crate) seed: u64,
}

impl Selection<'_> {
    /// Their indices in the set.
    pub(crate) fn indices(&self) -> Vec<usize> {
        Stream::new(self.seed, "judge.real").choice(0, self.set.len(), self.samples)
    }
}
