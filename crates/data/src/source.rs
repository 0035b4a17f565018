//! What every data set offers, whatever its format.

use super::folder::BadFile;
use super::toys::Toy;
use crate::error::Result;

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

/// An indexed collection of images of one shape.
pub trait Dataset: Send + Sync + std::fmt::Debug {
    /// What a person calls it: `mnist`, `strokes`, a path.
    fn name(&self) -> String;

    /// How many images.
    fn len(&self) -> usize;

    /// True where there is no image.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shape of every image.
    fn shape(&self) -> ImageShape;

    /// Writes image `index` into `out` (`shape().len()` values, channels-last, in [0, 1]).
    ///
    /// # Errors
    /// Where the image can't be read or decoded. `index` must be below `len()`.
    fn read(&self, index: usize, out: &mut [f32]) -> Result<()>;

    /// The class of image `index`, where the set has labels.
    fn label(&self, index: usize) -> Option<u32>;

    /// Names of the classes in label order; empty where the set has no labels.
    fn classes(&self) -> Vec<String>;

    /// Names of the binary attributes that each image has or hasn't (CelebA's Smiling, Eyeglasses, ...); empty where
    /// the set has none. A set has classes or attributes, not both.
    fn attributes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether image `index` has attribute number `attribute`; none where the set has no attributes.
    fn has_attribute(&self, _index: usize, _attribute: usize) -> Option<bool> {
        None
    }

    /// Which toy it is, if its points are drawn from clusters that are known.
    fn toy(&self) -> Option<Toy> {
        None
    }

    /// The set of grey images that each channel of an image is drawn from, for itself: stacked MNIST's digits.
    fn channels_from(&self) -> Option<&dyn Dataset> {
        None
    }

    /// Files that were found bad so far and passed over, another image standing in for each; in no certain order.
    fn passed_over(&self) -> Vec<BadFile> {
        Vec::new()
    }

    /// The image that `read` gives for `index`: itself, or the one that stands in for it where its file is bad, as far
    /// as that is known; after `read(index, ..)` it is.
    fn shown(&self, index: usize) -> usize {
        index
    }

    /// True where reading an image takes decoding it, so that it pays to read ahead.
    fn is_lazy(&self) -> bool {
        false
    }

    /// What a person should know about how the set is read, one sentence each: how images are brought to shape, which
    /// files are left aside.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }

    /// A digest of the content (format, sizes, bytes), so that a run resumes only on the data that it began with.
    fn fingerprint(&self) -> String;
}
