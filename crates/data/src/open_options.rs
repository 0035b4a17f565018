//! Options for opening a data set: which part, and the size, channels and number of its images.

use std::path::PathBuf;

use crate::background::Background;
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
    /// `training` or `test`.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Train => "training",
            Self::Test => "test",
        }
    }

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
#[non_exhaustive]
pub struct OpenOptions {
    /// A folder searched first for named sets.
    pub data_dir: Option<PathBuf>,
    /// The part of the set to open.
    pub split: Split,
    /// Height and width to resize every image to; `None` keeps the size.
    pub size: Option<(usize, usize)>,
    /// 1 (grey), 3 (RGB) or 4 (RGB and alpha) to convert every image to; `None` keeps the channels, of image files without
    /// alpha.
    pub channels: Option<usize>,
    /// How images with another aspect ratio than `size` are fitted.
    pub fit: Fit,
    /// The colour under transparent pixels.
    pub background: Background,
    /// The pixel values that become 0 and 1, in the units of the file (0 to 65535 for 16 bits); values outside are clipped.
    /// `None`: the whole range of the pixels' type.
    pub range: Option<(f32, f32)>,
    /// The seed of synthetic sets.
    pub seed: u64,
    /// Number of images of synthetic sets; `None` for each set's default.
    pub count: Option<usize>,
}

impl OpenOptions {
    /// How every image is read: size, channels, fit, background and range.
    pub fn image(&self) -> ImageOptions {
        ImageOptions {
            size: self.size,
            channels: self.channels,
            fit: self.fit,
            background: self.background,
            range: self.range,
        }
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

    /// Searches this folder first for named sets.
    #[must_use]
    pub fn data_dir(mut self, folder: impl Into<Option<PathBuf>>) -> Self {
        self.data_dir = folder.into();
        self
    }

    /// Opens this part of the set.
    #[must_use]
    pub fn split(mut self, split: Split) -> Self {
        self.split = split;
        self
    }

    /// Resizes every image to this height and width; `None` keeps the size.
    #[must_use]
    pub fn size(mut self, size: impl Into<Option<(usize, usize)>>) -> Self {
        self.size = size.into();
        self
    }

    /// Converts every image to 1 (grey), 3 (RGB) or 4 (RGB and alpha) channels; `None` keeps the channels, of image files
    /// without alpha.
    #[must_use]
    pub fn channels(mut self, channels: impl Into<Option<usize>>) -> Self {
        self.channels = channels.into();
        self
    }

    /// Fits images with another aspect ratio than the size in this way.
    #[must_use]
    pub fn fit(mut self, fit: Fit) -> Self {
        self.fit = fit;
        self
    }

    /// Composites transparent images over this colour.
    #[must_use]
    pub fn background(mut self, background: Background) -> Self {
        self.background = background;
        self
    }

    /// Maps these pixel values to 0 and 1, and clips others; `None` for the whole range of the pixels' type.
    #[must_use]
    pub fn range(mut self, range: impl Into<Option<(f32, f32)>>) -> Self {
        self.range = range.into();
        self
    }

    /// Sets the seed of synthetic sets.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the number of images of synthetic sets.
    #[must_use]
    pub fn count(mut self, count: usize) -> Self {
        self.count = Some(count);
        self
    }
}
