//! The first images of a set: to train on less than there is.

use super::digest::Digest;
use super::folder::BadFile;
use super::source::{Dataset, ImageShape};
use super::toys::Toy;
use crate::error::Result;

/// A set cut short.
#[derive(Debug)]
pub struct First {
    set: Box<dyn Dataset>,
    count: usize,
}

impl First {
    /// The first `count` images of `set`, or the whole set where it has no more.
    pub fn of(set: Box<dyn Dataset>, count: usize) -> Box<dyn Dataset> {
        if count >= set.len() { set } else { Box::new(Self { set, count }) }
    }
}

impl Dataset for First {
    fn name(&self) -> String {
        self.set.name()
    }

    fn len(&self) -> usize {
        self.count
    }

    fn shape(&self) -> ImageShape {
        self.set.shape()
    }

    fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
        self.set.read(index, out)
    }

    fn label(&self, index: usize) -> Option<u32> {
        self.set.label(index)
    }

    fn classes(&self) -> Vec<String> {
        self.set.classes()
    }

    fn toy(&self) -> Option<Toy> {
        self.set.toy()
    }

    fn channels_from(&self) -> Option<&dyn Dataset> {
        self.set.channels_from()
    }

    fn attributes(&self) -> Vec<String> {
        self.set.attributes()
    }

    fn has_attribute(&self, index: usize, attribute: usize) -> Option<bool> {
        self.set.has_attribute(index, attribute)
    }

    fn passed_over(&self) -> Vec<BadFile> {
        self.set.passed_over()
    }

    fn shown(&self, index: usize) -> usize {
        self.set.shown(index)
    }

    fn is_lazy(&self) -> bool {
        self.set.is_lazy()
    }

    fn remarks(&self) -> Vec<String> {
        self.set.remarks()
    }

    fn fingerprint(&self) -> String {
        let mut digest = Digest::new();
        digest.update(self.set.fingerprint().as_bytes());
        digest.update(&(self.count as u64).to_le_bytes());
        digest.finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::Strokes;

    #[test]
    fn a_part_is_another_set_with_the_same_beginning() {
        let part = First::of(Box::new(Strokes::new(1, 100)), 30);
        let whole = First::of(Box::new(Strokes::new(1, 100)), 100);
        assert_eq!((part.len(), whole.len()), (30, 100));
        assert_ne!(part.fingerprint(), whole.fingerprint());
        let (mut a, mut b) = (vec![0.0; 784], vec![0.0; 784]);
        part.read(29, &mut a).unwrap();
        whole.read(29, &mut b).unwrap();
        assert_eq!(a, b);
        assert_eq!(part.label(29), whole.label(29));
    }
}
