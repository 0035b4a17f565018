//! The trait of all data sets, the description that each returns, and the shape of images.

mod info;
mod sample;

use std::path::PathBuf;

use crate::error::Result;
use crate::toy::Toy;
pub use info::{DatasetInfo, Kind, Labels};
pub use sample::Sample;

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
    /// 1 (grey), 3 (RGB) or 4 (RGB and alpha, straight: RGB is not multiplied by alpha, and 0 where alpha is 0).
    pub channels: usize,
}

impl ImageShape {
    /// Values in one image.
    pub fn len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether it is that of a picture: at least one pixel, in grey, RGB or RGBA. Points of the plane are none.
    pub fn is_picture(&self) -> bool {
        !self.is_empty() && matches!(self.channels, 1 | 3 | 4)
    }

    /// Whether an image has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl std::fmt::Display for ImageShape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}x{}", self.height, self.width, self.channels)
    }
}

/// An indexed collection of images of one shape. An implementation needs four methods; the others have
/// defaults. A wrapper (a subset, a resized set) returns an adapted clone of the wrapped set's `info`, and the wrapped set as
/// `inner`, so that its other properties are forwarded.
///
/// ```
/// use faussaire_data::{Dataset, DatasetInfo, ImageShape, Result}; // faussaire::data
///
/// /// Grey images of one brightness each.
/// #[derive(Debug)]
/// struct Plain(DatasetInfo);
///
/// impl Dataset for Plain {
///     fn len(&self) -> usize {
///         64
///     }
///     fn shape(&self) -> ImageShape {
///         ImageShape { height: 8, width: 8, channels: 1 }
///     }
///     fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
///         out.fill(index as f32 / 64.0);
///         Ok(())
///     }
///     fn info(&self) -> &DatasetInfo {
///         &self.0
///     }
/// }
///
/// let plain = Plain(DatasetInfo::new("plain"));
/// assert_eq!(plain.name(), "plain");
/// assert_eq!(plain.fingerprint(), Plain(DatasetInfo::new("plain")).fingerprint());
/// ```
pub trait Dataset: Send + Sync + std::fmt::Debug {
    /// Number of images.
    fn len(&self) -> usize;

    /// The shape of every image.
    fn shape(&self) -> ImageShape;

    /// Writes image `index` into `out` (`shape().len()` values, channels-last, in [0, 1]).
    ///
    /// # Errors
    /// The image can't be read or decoded, or `index` is not below `len()`.
    fn read(&self, index: usize, out: &mut [f32]) -> Result<()>;

    /// Name, labels, kind and other fixed properties.
    fn info(&self) -> &DatasetInfo;

    /// The wrapped set, for a wrapper.
    fn inner(&self) -> Option<&dyn Dataset> {
        None
    }

    /// A digest of the content (format, sizes, bytes), so that a run resumes only on the same data. The default is
    /// `fingerprint_over` of the wrapped set's, or reads all images once.
    fn fingerprint(&self) -> String {
        let over = self.inner().and_then(|inner| self.fingerprint_over(&inner.fingerprint()));
        let content = || info::content(self.len(), self.shape(), self.info(), |at, out| self.read(at, out));
        over.unwrap_or_else(|| self.info().digest(content))
    }

    /// The fingerprint that a wrapper would have if that of the wrapped set were `inner`; `None`, the default, where it doesn't
    /// follow from it.
    fn fingerprint_over(&self, _inner: &str) -> Option<String> {
        None
    }

    /// The fingerprints by which earlier versions knew the same images, so that their runs go on; they may lack labels that were
    /// not read then.
    fn earlier_fingerprints(&self) -> Vec<String> {
        let inner = self.inner().map_or_else(Vec::new, |inner| inner.earlier_fingerprints());
        inner.iter().filter_map(|inner| self.fingerprint_over(inner)).collect()
    }

    /// Whether `fingerprint` is that of a set with the same images, now or in an earlier version.
    fn matches(&self, fingerprint: &str) -> bool {
        self.fingerprint() == fingerprint || self.earlier_fingerprints().iter().any(|earlier| earlier == fingerprint)
    }

    /// Unusable files found so far, each replaced by another image; in no particular order.
    fn skipped(&self) -> Vec<BadFile> {
        self.inner().map_or_else(Vec::new, |inner| inner.skipped())
    }

    /// The index of the image that `read` returns for `index`: `index`, or its replacement if the file is unusable (known only
    /// after `read(index, ..)`). A wrapper that reorders `inner` must override it.
    fn resolved(&self, index: usize) -> usize {
        self.inner().map_or(index, |inner| inner.resolved(index))
    }

    /// Whether reading decodes images, so that prefetching pays off.
    fn is_lazy(&self) -> bool {
        self.inner().is_some_and(|inner| inner.is_lazy())
    }

    /// Notes for the user on how the set is read, one sentence each: resizing, skipped files.
    fn notes(&self) -> Vec<String> {
        self.inner().map_or_else(|| self.info().notes.clone(), |inner| inner.notes())
    }

    /// What messages call image `index`: the path of its file if it has one, else `image INDEX`. A wrapper that reorders
    /// `inner` must override it.
    fn image_name(&self, index: usize) -> String {
        self.inner().map_or_else(|| format!("image {index}"), |inner| inner.image_name(index))
    }

    /// What a sample of the set's files shows, whatever size and channels they are read in.
    fn sample(&self) -> Sample {
        self.inner().map_or_else(Sample::default, |inner| inner.sample())
    }

    /// Whether there are no images.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The set's name: `mnist`, `strokes`, a path.
    fn name(&self) -> String {
        self.info().name.clone()
    }

    /// The class of image `index`; `None` without classes, and for an image without label.
    fn label(&self, index: usize) -> Option<u32> {
        self.info().labels.class(index)
    }

    /// Names of the classes in label order; empty without classes.
    fn classes(&self) -> Vec<String> {
        self.info().labels.classes().to_vec()
    }

    /// Names of the binary attributes of the images (CelebA's Smiling, Eyeglasses, ...); empty without attributes. A set has classes or attributes, not both.
    fn attributes(&self) -> Vec<String> {
        self.info().labels.attributes().to_vec()
    }

    /// Whether image `index` has attribute number `attribute`; `None` without attributes.
    fn has_attribute(&self, index: usize, attribute: usize) -> Option<bool> {
        self.info().labels.has_attribute(index, attribute)
    }

    /// The toy distribution, for a set of points.
    fn toy(&self) -> Option<Toy> {
        self.info().kind.toy()
    }

    /// The set of grey images from which each channel is drawn separately: the digits of stacked MNIST.
    fn channel_source(&self) -> Option<&dyn Dataset> {
        self.info().channel_source.as_deref()
    }
}
