//! Batches: the images of a step, and their values. The order is a function of the seed and the epoch, so the batch of a step
//! can be computed directly: resuming needs only the step number.

use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::dataset::Dataset;
use crate::error::{Error, Result};
use crate::random::Stream;

/// The batches of all steps over a set of `len` images.
#[derive(Debug)]
pub struct Batches {
    len: usize,
    batch: usize,
    stream: Stream,
    /// The last requested epoch and its order.
    current: Mutex<Option<(u64, Arc<[usize]>)>>,
}

impl Batches {
    /// Batches of `batch` of `len` images, shuffled with `seed`. Each epoch has each image once, in a new order; if `len` is
    /// not a multiple of `batch`, the last incomplete batch is dropped.
    ///
    /// # Errors
    /// `batch` is 0 or larger than the set.
    pub fn new(len: usize, batch: usize, seed: u64) -> Result<Self> {
        if len == 0 {
            return Err(Error::data("the data set holds no image", "choose another data set"));
        }
        if batch == 0 {
            return Err(Error::usage(
                "a batch of 0 images was asked for",
                "expected at least 1 (`train.batch`), such as 64",
            ));
        }
        if batch > len {
            return Err(Error::usage(
                format!("a batch of {batch} images was asked for, but the data set holds {len}"),
                format!("choose a `train.batch` of {len} or less"),
            ));
        }
        Ok(Self { len, batch, stream: Stream::new(seed, "shuffle"), current: Mutex::new(None) })
    }

    /// Images in a batch.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Steps in an epoch.
    pub fn batches_per_epoch(&self) -> u64 {
        (self.len / self.batch) as u64
    }

    /// The epoch (from 0) that step `step` (from 0) belongs to.
    pub fn epoch(&self, step: u64) -> u64 {
        step / self.batches_per_epoch()
    }

    /// The indices of step `step` (from 0); a pure function of the step.
    pub fn indices(&self, step: u64) -> Vec<usize> {
        let order = self.order(self.epoch(step));
        let start = (step % self.batches_per_epoch()) as usize * self.batch;
        order[start..start + self.batch].to_vec()
    }

    fn order(&self, epoch: u64) -> Arc<[usize]> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, order)) = &*current
            && *known == epoch
        {
            return Arc::clone(order);
        }
        let order: Arc<[usize]> = self.stream.permutation(epoch, self.len).into();
        *current = Some((epoch, Arc::clone(&order)));
        order
    }
}

/// Fills `out` with the images at `indices`, one after the other: `[indices.len(), height, width, channels]` in
/// [0, 1]. The buffer is reused. Images are read in parallel, in the order of `indices`.
///
/// # Errors
/// The error of the first image that can't be read.
pub fn fill(dataset: &dyn Dataset, indices: &[usize], out: &mut Vec<f32>) -> Result<()> {
    let size = dataset.shape().len();
    out.resize(indices.len() * size, 0.0);
    if size == 0 {
        return Ok(());
    }
    let failed = out
        .par_chunks_mut(size)
        .zip(indices)
        .with_min_len(4)
        .enumerate()
        .filter_map(|(at, (image, &index))| dataset.read(index, image).err().map(|error| (at, error)))
        .min_by_key(|(at, _)| *at);
    failed.map_or(Ok(()), |(_, error)| Err(error))
}

/// Fills `out` with the labels of the images at `indices`.
///
/// # Errors
/// An image has no label.
pub fn fill_labels(dataset: &dyn Dataset, indices: &[usize], out: &mut Vec<u32>) -> Result<()> {
    out.clear();
    for &index in indices {
        out.push(dataset.label(index).ok_or_else(|| {
            Error::data(
                format!("{} has no label for {}", dataset.name(), dataset.image_name(index)),
                "choose a data set with classes, or train without them",
            )
        })?);
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::{ImageShape, InMemory};
    use proptest::prelude::*;

    fn set(count: u8) -> InMemory {
        let shape = ImageShape { height: 1, width: 2, channels: 1 };
        InMemory::from_bytes("x", shape, (0..count).flat_map(|k| [k, 255 - k]).collect()).unwrap()
    }

    #[test]
    fn steps_do_not_depend_on_each_other() {
        let batches = Batches::new(100, 7, 3).unwrap();
        assert_eq!(batches.batches_per_epoch(), 14);
        let forward: Vec<_> = (0..60).map(|step| batches.indices(step)).collect();
        for step in (0..60).rev() {
            assert_eq!(Batches::new(100, 7, 3).unwrap().indices(step), forward[step as usize]);
            assert_eq!(batches.indices(step), forward[step as usize]);
        }
        assert_ne!(forward[0], forward[14], "each epoch has its own order");
        assert_ne!(forward[0], Batches::new(100, 7, 4).unwrap().indices(0), "each seed has its own order");
        assert_eq!((batches.epoch(13), batches.epoch(14)), (0, 1));
    }

    #[test]
    fn impossible_batches_are_refused() {
        assert!(Batches::new(0, 1, 0).is_err());
        assert!(Batches::new(10, 0, 0).unwrap_err().hint().contains("`train.batch`), such as 64"));
        let error = Batches::new(10, 11, 0).unwrap_err();
        assert_eq!(error.to_string(), "a batch of 11 images was asked for, but the data set holds 10");
        assert_eq!(error.hint(), "choose a `train.batch` of 10 or less");
        assert_eq!(Batches::new(10, 10, 0).unwrap().batches_per_epoch(), 1);
    }

    #[test]
    fn images_come_in_the_order_asked() {
        let set =
            set(200).with_labels((0..200).map(|k| k % 3).collect(), vec!["a".into(), "b".into(), "c".into()]).unwrap();
        let indices: Vec<usize> = (0..200).rev().step_by(3).collect();
        let (mut images, mut labels) = (vec![7.0; 3], vec![9]);
        fill(&set, &indices, &mut images).unwrap();
        let want: Vec<f32> = indices.iter().flat_map(|&k| [k as f32 / 255.0, (255 - k) as f32 / 255.0]).collect();
        assert_eq!(images, want);
        fill_labels(&set, &indices[..4], &mut labels).unwrap();
        assert_eq!(labels, [1, 1, 1, 1]);
        fill_labels(&set, &[3, 4, 5], &mut labels).unwrap();
        assert_eq!(labels, [0, 1, 2]);
    }

    #[test]
    fn the_first_unreadable_image_is_the_error() {
        let (set, mut out) = (set(10), Vec::new());
        for _ in 0..20 {
            let error = fill(&set, &[1, 2, 30, 3, 20, 4, 40], &mut out).unwrap_err();
            assert!(error.to_string().contains("image 30 of 10 images"), "{error}");
        }
        let error = fill_labels(&set, &[0], &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "x has no label for image 0");
    }

    proptest! {
        #[test]
        fn an_epoch_shows_each_image_once(len in 1usize..300, batch in 1usize..40, epoch in 0u64..1_000_000, seed: u64) {
            prop_assume!(batch <= len);
            let batches = Batches::new(len, batch, seed).unwrap();
            let steps = batches.batches_per_epoch();
            let mut seen: Vec<_> = (epoch * steps..(epoch + 1) * steps).flat_map(|step| batches.indices(step)).collect();
            prop_assert_eq!(seen.len(), len / batch * batch);
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), len / batch * batch, "no image twice");
            prop_assert!(seen.iter().all(|&index| index < len));
        }
    }
}
