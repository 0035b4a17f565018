//! What a sample of a set's files shows beyond the shape in which its images are read.

use super::ImageShape;

/// Files of a sample with these properties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sample {
    /// Files that were examined; 0 for sets that are not made of image files.
    pub files: usize,
    /// Of these, files with transparent pixels.
    pub transparent: usize,
    /// Of these, files whose size is not that of the image that determined the set's shape.
    pub other_sizes: usize,
    /// The usual shape of the images in the files, whatever they are resized to.
    pub shape: Option<ImageShape>,
}
