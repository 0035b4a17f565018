//! A data set whose images are brought to another shape as they are read.

use super::cache::{Decoded, Found};
use super::digest::Digest;
use super::folder::BadFile;
use super::memory::{check_read, copy_bytes};
use super::resize::{Fit, ImageOptions, resize};
use super::source::{Dataset, ImageShape};
use crate::error::Result;

/// A set in another shape. Images worked out once are kept in memory, where all of them fit.
pub struct Resized {
    inner: Box<dyn Dataset>,
    shape: ImageShape,
    options: ImageOptions,
    kept: Decoded,
}

impl Resized {
    /// `inner` in the shape that `options` ask for; `inner` itself where it has that shape.
    ///
    /// # Errors
    /// Where the options make no sense.
    pub fn over(inner: Box<dyn Dataset>, options: &ImageOptions) -> Result<Box<dyn Dataset>> {
        options.check()?;
        let shape = options.apply(inner.shape());
        if shape == inner.shape() {
            return Ok(inner);
        }
        let kept = Decoded::in_memory(inner.len(), shape);
        Ok(Box::new(Self { inner, shape, options: *options, kept }))
    }
}

impl std::fmt::Debug for Resized {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Resized({:?} to {})", self.inner, self.shape)
    }
}

impl Dataset for Resized {
    fn name(&self) -> String {
        self.inner.name()
    }

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

    fn label(&self, index: usize) -> Option<u32> {
        self.inner.label(index)
    }

    fn classes(&self) -> Vec<String> {
        self.inner.classes()
    }

    fn attributes(&self) -> Vec<String> {
        self.inner.attributes()
    }

    fn has_attribute(&self, index: usize, attribute: usize) -> Option<bool> {
        self.inner.has_attribute(index, attribute)
    }

    fn passed_over(&self) -> Vec<BadFile> {
        self.inner.passed_over()
    }

    fn shown(&self, index: usize) -> usize {
        self.inner.shown(index)
    }

    fn is_lazy(&self) -> bool {
        !self.kept.is_complete()
    }

    fn remarks(&self) -> Vec<String> {
        self.options.describe().into_iter().chain(self.inner.remarks()).collect()
    }

    fn fingerprint(&self) -> String {
        let mut digest = Digest::new();
        let fit = if self.options.fit == Fit::Pad { ", fitted" } else { "" };
        digest.update(format!("{} as {}{fit}", self.inner.fingerprint(), self.shape).as_bytes());
        digest.finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Memory;

    #[test]
    fn a_set_is_resized_as_it_is_read() {
        let shape = |height, width, channels| ImageShape { height, width, channels };
        let bytes: Vec<u8> = (0..32).map(|k| if k < 16 { 0 } else { 204 }).collect();
        let set = || Box::new(Memory::from_bytes("x", shape(4, 4, 1), bytes.clone()).unwrap());
        let options = ImageOptions { size: Some((2, 3)), channels: Some(3), fit: Fit::Crop };
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
        assert!(resized.remarks()[0].starts_with("centre crop"));
        assert_ne!(resized.fingerprint(), set().fingerprint());
        let padded = Resized::over(set(), &ImageOptions { fit: Fit::Pad, ..options }).unwrap();
        assert_ne!(padded.fingerprint(), resized.fingerprint());
        let same = Resized::over(set(), &ImageOptions::default()).unwrap();
        assert_eq!(same.fingerprint(), set().fingerprint());
    }
}
