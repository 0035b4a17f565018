//! A data set whose images are resized as they are read.

use std::sync::Arc;

use super::cache::{Decoded, Found};
use super::dataset::{Dataset, DatasetInfo, ImageShape};
use super::digest::Digest;
use super::in_memory::{check_read, copy_bytes};
use super::resize::{Fit, ImageOptions, resize};
use crate::error::Result;

/// A resized data set. Resized images are cached in memory, if all of them fit.
pub struct Resized {
    inner: Arc<dyn Dataset>,
    info: DatasetInfo,
    shape: ImageShape,
    options: ImageOptions,
    kept: Decoded,
}

impl Resized {
    /// `inner` in the shape of `options`; `inner` itself if it has that shape.
    ///
    /// # Errors
    /// Invalid options.
    pub fn over(inner: Box<dyn Dataset>, options: &ImageOptions) -> Result<Box<dyn Dataset>> {
        options.check()?;
        if options.apply(inner.shape()) == inner.shape() {
            return Ok(inner);
        }
        Ok(Box::new(Self::new(Arc::from(inner), options)))
    }

    fn new(inner: Arc<dyn Dataset>, options: &ImageOptions) -> Self {
        let shape = options.apply(inner.shape());
        let mut info = inner.info().clone();
        // Each channel is still an image of the source in the new size, unless channels are mixed.
        let source = info.channel_source.take().filter(|_| shape.channels == inner.shape().channels);
        info.channel_source = source.map(|source| {
            let options = ImageOptions { channels: None, ..*options };
            if options.apply(source.shape()) == source.shape() { source } else { Arc::new(Self::new(source, &options)) }
        });
        let kept = Decoded::in_memory(inner.len(), shape);
        Self { inner, info, shape, options: *options, kept }
    }
}

impl std::fmt::Debug for Resized {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Resized({:?} to {})", self.inner, self.shape)
    }
}

impl Dataset for Resized {
    fn len(&self) -> usize {
        self.inner.len()
    }

    fn shape(&self) -> ImageShape {
        self.shape
    }

    fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
        check_read(self, index, out)?;
        if self.kept.read(index, out) == Found::Image {
            return Ok(());
        }
        let mut image = vec![0.0; self.inner.shape().len()];
        self.inner.read(index, &mut image)?;
        let bytes = image.iter().map(|value| (value * 255.0).round() as u8).collect();
        let bytes = resize(bytes, self.inner.shape(), self.shape, self.options.fit);
        copy_bytes(&bytes, out);
        self.kept.keep(index, Ok(&bytes));
        Ok(())
    }

    fn info(&self) -> &DatasetInfo {
        &self.info
    }

    fn inner(&self) -> Option<&dyn Dataset> {
        Some(self.inner.as_ref())
    }

    fn is_lazy(&self) -> bool {
        !self.kept.is_complete()
    }

    fn notes(&self) -> Vec<String> {
        self.options.describe().into_iter().chain(self.inner.notes()).collect()
    }

    fn fingerprint_over(&self, inner: &str) -> Option<String> {
        let fit = if self.options.fit == Fit::Pad { ", fitted" } else { "" };
        Some(Digest::of(format!("{inner} as {}{fit}", self.shape).as_bytes()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{InMemory, Stacked, Strokes};

    #[test]
    fn a_set_is_resized_as_it_is_read() {
        let shape = |height, width, channels| ImageShape { height, width, channels };
        let bytes: Vec<u8> = (0..32).map(|k| if k < 16 { 0 } else { 204 }).collect();
        let set = || Box::new(InMemory::from_bytes("x", shape(4, 4, 1), bytes.clone()).unwrap());
        let options = ImageOptions { size: Some((2, 3)), channels: Some(3), ..ImageOptions::default() };
        let resized = Resized::over(set(), &options).unwrap();
        assert_eq!((resized.len(), resized.shape()), (2, shape(2, 3, 3)));
        for _ in 0..2 {
            let mut image = [9.0; 18];
            resized.read(1, &mut image).unwrap();
            assert_eq!(image, [0.8; 18]);
        }
        assert!(resized.is_lazy(), "one image is still to be worked out");
        resized.read(0, &mut [0.0; 18]).unwrap();
        assert!(!resized.is_lazy());
        assert!(resized.read(2, &mut [0.0; 18]).is_err());
        assert!(resized.notes()[0].starts_with("centre crop"));
        assert_ne!(resized.fingerprint(), set().fingerprint());
        let padded = Resized::over(set(), &ImageOptions { fit: Fit::Pad, ..options }).unwrap();
        assert_ne!(padded.fingerprint(), resized.fingerprint());
        let same = Resized::over(set(), &ImageOptions::default()).unwrap();
        assert_eq!(same.fingerprint(), set().fingerprint());
    }

    #[test]
    fn stacked_digits_keep_the_set_of_each_channel() {
        let strokes = || Box::new(Strokes::new(1, 50));
        let stacked = || Box::new(Stacked::new("stacked", strokes(), 1, 20).unwrap());
        let size = ImageOptions { size: Some((32, 32)), ..ImageOptions::default() };
        let resized = Resized::over(stacked(), &size).unwrap();
        let (digits, alone) = (resized.channel_source().unwrap(), Resized::over(strokes(), &size).unwrap());
        assert_eq!((digits.shape(), digits.len()), (ImageShape { height: 32, width: 32, channels: 1 }, 50));
        let (mut a, mut b) = (vec![0.0; 1024], vec![0.0; 1024]);
        digits.read(7, &mut a).unwrap();
        alone.read(7, &mut b).unwrap();
        assert_eq!((a, digits.label(7), digits.classes()), (b, alone.label(7), alone.classes()));
        assert_eq!((resized.label(3), resized.classes().len()), (stacked().label(3), 1000));
        // Each channel of the resized stack is a resized digit.
        let (mut stack, mut digit) = (vec![0.0; 3 * 1024], vec![0.0; 1024]);
        resized.read(3, &mut stack).unwrap();
        for (channel, which) in stacked().digits(3).into_iter().enumerate() {
            digits.read(which, &mut digit).unwrap();
            assert!(stack.iter().skip(channel).step_by(3).eq(&digit), "channel {channel}");
        }
        // In grey there are no channels left to judge.
        let grey = Resized::over(stacked(), &ImageOptions { channels: Some(1), ..size }).unwrap();
        assert!(grey.channel_source().is_none());
    }
}
