//! The trait of all data sets, the description that each returns, and the shape of images.

mod info;

use std::path::PathBuf;

use crate::error::Result;
use crate::toy::Toy;
pub use info::{DatasetInfo, Kind, Labels};

/// An unusable image file, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFile {
    /// The file; one in an archive as `ARCHIVE/FILE`.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// Height, width and channels of an image; pixels are stored channels-last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ImageShape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// 1 (grey) or 3 (RGB).
    pub channels: usize,
}

impl ImageShape {
    /// Values in one image.
    pub fn len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// True where an image would hold nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl std::fmt::Display for ImageShape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}x{}", self.height, self.width, self.channels)
    }
}

/// An indexed collection of images of one shape. Four methods are enough for a data set of one's own; the others follow from
/// them. A wrapper (a part of a set, a set in another shape) hands on the `info` of the set that it wraps, changed where it
/// must be, and names that set as `inner`, so that nothing which is known of it is lost.
pub trait Dataset: Send + Sync + std::fmt::Debug {
    /// How many images.
    fn len(&self) -> usize;

    /// The shape of every image.
    fn shape(&self) -> ImageShape;

    /// Writes image `index` into `out` (`shape().len()` values, channels-last, in [0, 1]).
    ///
    /// # Errors
    /// Where the image can't be read or decoded. `index` must be below `len()`.
    fn read(&self, index: usize, out: &mut [f32]) -> Result<()>;

    /// Name, labels, kind and the rest of what doesn't change while images are read.
    fn info(&self) -> &DatasetInfo;

    /// Of a wrapper, the set that it wraps.
    fn inner(&self) -> Option<&dyn Dataset> {
        None
    }

    /// A digest of the content (format, sizes, bytes), so that a run resumes only on the data that it began with. Without
    /// one of its own, a set is read once from its first image to its last.
    fn fingerprint(&self) -> String {
        self.info().digest(|| info::content(self.len(), self.shape(), self.info(), |at, out| self.read(at, out)))
    }

    /// Files that were found bad so far and passed over, another image standing in for each; in no certain order.
    fn skipped(&self) -> Vec<BadFile> {
        self.inner().map_or_else(Vec::new, |inner| inner.skipped())
    }

    /// The image that `read` gives for `index`: itself, or the one that stands in for it where its file is bad, as far
    /// as that is known; after `read(index, ..)` it is. A wrapper with another order than `inner` has one of its own.
    fn resolved(&self, index: usize) -> usize {
        self.inner().map_or(index, |inner| inner.resolved(index))
    }

    /// True where reading an image takes decoding it, so that it pays to read ahead.
    fn is_lazy(&self) -> bool {
        self.inner().is_some_and(|inner| inner.is_lazy())
    }

    /// What a person should know about how the set is read, one sentence each: how images are brought to shape, which
    /// files are left aside.
    fn notes(&self) -> Vec<String> {
        self.inner().map_or_else(|| self.info().notes.clone(), |inner| inner.notes())
    }

    /// True where there is no image.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a person calls it: `mnist`, `strokes`, a path.
    fn name(&self) -> String {
        self.info().name.clone()
    }

    /// The class of image `index`, where the set has labels.
    fn label(&self, index: usize) -> Option<u32> {
        self.info().labels.class(index)
    }

    /// Names of the classes in label order; empty where the set has no labels.
    fn classes(&self) -> Vec<String> {
        self.info().labels.classes().to_vec()
    }

    /// Names of the binary attributes that each image has or hasn't (CelebA's Smiling, Eyeglasses, ...); empty where
    /// the set has none. A set has classes or attributes, not both.
    fn attributes(&self) -> Vec<String> {
        self.info().labels.attributes().to_vec()
    }

    /// Whether image `index` has attribute number `attribute`; none where the set has no attributes.
    fn has_attribute(&self, index: usize, attribute: usize) -> Option<bool> {
        self.info().labels.has_attribute(index, attribute)
    }

    /// Which toy it is, if its points are drawn from clusters that are known.
    fn toy(&self) -> Option<Toy> {
        self.info().kind.toy()
    }

    /// The set of grey images that each channel of an image is drawn from, for itself: stacked MNIST's digits.
    fn channel_source(&self) -> Option<&dyn Dataset> {
        self.info().channel_source.as_deref()
    }
}
