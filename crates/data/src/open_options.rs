//! Options for opening a data set: which part, and the size, channels and number of its images.

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::resize::{Fit, ImageOptions};

/// The part of a data set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Split {
    /// Training images.
    #[default]
    Train,
    /// Test images.
    Test,
}

impl Split {
    /// The prefix of MNIST's file names.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "t10k",
        }
    }
}

/// Options for opening a data set.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// A folder searched first for named sets.
    pub data_dir: Option<PathBuf>,
    /// The part of the set to open.
    pub split: Split,
    /// Height and width to resize every image to; `None` keeps the size.
    pub size: Option<(usize, usize)>,
    /// 1 (grey) or 3 (RGB) to convert every image to; `None` keeps the channels.
    pub channels: Option<usize>,
    /// How images with another aspect ratio than `size` are fitted.
    pub fit: Fit,
    /// The seed of synthetic sets.
    pub seed: u64,
    /// Number of images of synthetic sets; `None` for each set's default.
    pub count: Option<usize>,
}

impl OpenOptions {
    /// The size, channels and fit of every image.
    pub fn image(&self) -> ImageOptions {
        ImageOptions { size: self.size, channels: self.channels, fit: self.fit }
    }

    /// Refuses `Split::Test` for a set without test images.
    ///
    /// # Errors
    /// [`Error::NoTestImages`] for `Split::Test`.
    pub(crate) fn refuse_test_split(&self, name: &str) -> Result<()> {
        match self.split {
            Split::Train => Ok(()),
            Split::Test => Err(Error::NoTestImages {
                what: format!("{name} has no test images of its own"),
                hint:
                    "use its training images, or give a data set that has both: mnist, fashion-mnist, cifar10, strokes"
                        .into(),
            }),
        }
    }
}
