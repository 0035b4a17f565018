//! Batches: the images of a step, and their values. The order is a function of the seed and the epoch, so the batch of a step
//! can be computed directly: resuming needs only the step number.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::dataset::Dataset;
use super::mirrored::mirror;
use crate::error::{Error, Result};
use crate::random::Stream;

/// The batches of all steps over a set of `len` images.
#[derive(Debug)]
pub struct Batches {
    len: usize,
    batch: usize,
    /// The images of each batch that are read here.
    part: Range<usize>,
    stream: Stream,
    /// Decides which images are mirrored; none: all stay as they are.
    mirror: Option<Stream>,
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
        Ok(Self {
            len,
            batch,
            part: 0..batch,
            stream: Stream::new(seed, "shuffle"),
            mirror: None,
            current: Mutex::new(None),
        })
    }

    /// The same batches in which every image is mirrored left to right with probability 1/2, drawn anew in each step with
    /// `seed`.
    #[must_use]
    pub fn mirrored(self, seed: u64) -> Self {
        Self { mirror: Some(Stream::new(seed, "mirror")), ..self }
    }

    /// The same batches, of which only the images `part` of each are read: the others are another process's.
    #[must_use]
    pub fn part(self, part: Range<usize>) -> Self {
        let end = part.end.min(self.batch);
        Self { part: part.start.min(end)..end, ..self }
    }

    /// Images in a batch, of all parts.
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

    /// The indices of step `step` (from 0), of this part of its batch; a pure function of the step.
    pub fn indices(&self, step: u64) -> Vec<usize> {
        let order = self.order(self.epoch(step));
        let start = (step % self.batches_per_epoch()) as usize * self.batch;
        order[start + self.part.start..start + self.part.end].to_vec()
    }

    /// Fills `out` with the images of step `step` of `dataset`, as [`fill`] does, mirrored where the batches are.
    ///
    /// # Errors
    /// The error of the first image that can't be read.
    pub fn fill(&self, dataset: &dyn Dataset, step: u64, out: &mut Vec<f32>) -> Result<()> {
        fill(dataset, &self.indices(step), out)?;
        if let Some(stream) = &self.mirror {
            let shape = dataset.shape();
            let stay = stream.not_below_from(step, self.part.start, self.part.len(), 0.5);
            let images = out.chunks_exact_mut(shape.len().max(1)).zip(stay);
            images.filter(|(_, stay)| *stay == 0).for_each(|(image, _)| mirror(image, shape));
        }
        Ok(())
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
    fn parts_of_a_batch_are_the_batch() {
        let set = set(60);
        let (whole, filled) = (
            || Batches::new(60, 12, 3).unwrap().mirrored(3),
            |batches: &Batches, step| {
                let mut out = Vec::new();
                batches.fill(&set, step, &mut out).unwrap();
                (batches.indices(step), out)
            },
        );
        let parts = [0..4, 4..6, 6..12].map(|part| whole().part(part));
        for step in [0, 3, 7, 60] {
            let (indices, images): (Vec<_>, Vec<_>) = parts.iter().map(|part| filled(part, step)).unzip();
            assert_eq!((indices.concat(), images.concat()), filled(&whole(), step));
        }
        assert_eq!((parts[1].batch(), parts[1].batches_per_epoch()), (12, 5));
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

    #[test]
    fn half_of_the_images_are_mirrored_and_stay_whole() {
        for (width, channels) in [(1, 1), (2, 3), (5, 3), (4, 4), (7, 1)] {
            let shape = ImageShape { height: 3, width, channels };
            let bytes: Vec<u8> = (0..40 * shape.len()).map(|at| (at * 7 % 251) as u8).collect();
            let set = InMemory::from_bytes("x", shape, bytes).unwrap();
            let plain = Batches::new(40, 8, 3).unwrap();
            let mirrored = || Batches::new(40, 8, 3).unwrap().mirrored(3);
            let filled = |batches: &Batches, step| {
                let mut out = Vec::new();
                batches.fill(&set, step, &mut out).unwrap();
                out
            };
            let mut turned = 0;
            for step in 0..20 {
                let (as_is, out) = (filled(&plain, step), filled(&mirrored(), step));
                assert_eq!(out, filled(&mirrored(), step), "the same at every try");
                for (image, as_is) in out.chunks(shape.len()).zip(as_is.chunks(shape.len())) {
                    let other: Vec<f32> = as_is
                        .chunks(width * channels)
                        .flat_map(|row| row.chunks(channels).rev().flatten().copied().collect::<Vec<_>>())
                        .collect();
                    assert!(image == as_is || image == other, "{width}x{channels}");
                    turned += usize::from(image != as_is);
                }
            }
            let wanted = if width == 1 { 0..1 } else { 60..101 };
            assert!(wanted.contains(&turned), "{turned} of 160 images of {shape}");
            if width > 1 {
                assert_ne!(filled(&mirrored(), 0), filled(&Batches::new(40, 8, 3).unwrap().mirrored(4), 0));
            }
        }
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
