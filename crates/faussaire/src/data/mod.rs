//! Data sets: where images come from. A data set is an indexed collection of images of one shape, read one at a time
//! into a buffer the caller owns; one file per format. `open` turns a name or a path into a data set, `Batches` says
//! which images belong to a training step.
//!
//! A new format is one file and one variant of `Format`; the compiler then points at each place that must know it.

pub mod attributes;
mod batches;
mod digest;
mod fetch;
mod first;
pub mod folder;
pub mod idx;
mod list;
mod memory;
mod named;
mod nearest;
pub mod npy;
mod obtain;
mod open;
mod part;
mod places;
mod resize;
mod sniff;
mod source;
mod stacked;
mod strokes;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;
mod toys;

use std::path::Path;

pub use attributes::{Attributed, Attributes};
pub use batches::{Batches, fill, fill_labels};
pub use digest::Digest;
pub use fetch::Progress;
pub use first::First;
pub use folder::{BadFile, Folder};
pub use list::{Listing, Place, list};
pub use memory::{MAX_SET_BYTES, Memory};
pub use named::quickdraw_categories;
pub use nearest::nearest;
pub use open::{OpenOptions, Split, check, fetch, is_name, open};
pub use part::PartFile;
pub use places::cache_folder;
pub use resize::{ImageOptions, Resized};
pub use source::{Dataset, ImageShape};
pub use stacked::Stacked;
pub use strokes::Strokes;
pub use toys::{Coverage, Points, Toy};

use crate::error::Result;

/// The forms in which images come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// The files of MNIST, gzipped or not.
    Idx,
    /// An array saved by numpy.
    Npy,
    /// A folder of PNG and JPEG files.
    Folder,
    /// Digits drawn by program.
    Strokes,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Idx, Self::Npy, Self::Folder, Self::Strokes];

    /// What a person reads about it.
    pub fn about(self) -> &'static str {
        match self {
            Self::Idx => "IDX images as published with MNIST (.gz or not), labels beside them",
            Self::Npy => ".npy array [n, side*side], [n, height, width] or [n, height, width, 1 or 3]",
            Self::Folder => "folder of PNG and JPEG images; subfolders are classes",
            Self::Strokes => "digits drawn by program",
        }
    }

    /// True where a file that begins with `start` (after gunzip) has this format.
    fn claims(self, start: &[u8]) -> bool {
        match self {
            Self::Idx => idx::claims(start),
            Self::Npy => npy::claims(start),
            Self::Folder | Self::Strokes => false,
        }
    }

    /// Opens what is at `path`, in its own shape where the format has one.
    fn load(self, path: &Path, options: &OpenOptions) -> Result<Box<dyn Dataset>> {
        Ok(match self {
            Self::Idx => Box::new(idx::open(path)?),
            Self::Npy => Box::new(npy::open(path)?),
            Self::Folder => Box::new(Folder::open(path, &options.image())?),
            Self::Strokes => Box::new(open::strokes(options)?),
        })
    }
}
