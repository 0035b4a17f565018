//! Data sets, and what every other crate uses: errors, digests and counter-based random streams.
//!
//! A data set is an indexed collection of images of one shape, read one at a time into a buffer of the caller. `open` opens a
//! data set by name or path; `Batches` selects the images of a training step.
//!
//! Each format has its own file and a variant of `Format`; after adding a variant, the compiler lists the code to extend.

mod atomic_file;
pub mod attributes;
mod batches;
mod by_name;
mod cache;
mod cache_folder;
mod celeba;
mod dataset;
mod digest;
mod download;
pub mod error;
mod fetch;
mod formats;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod fuzz;
mod in_memory;
pub mod labels;
mod list;
mod nearest;
mod open_options;
mod plain_file;
mod pread;
mod prefetch;
pub mod random;
mod registry;
mod resize;
mod resized;
mod resolve;
mod search_path;
mod sniff;
mod split_dirs;
mod subset;
mod synthetic;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;
mod toy;

use std::path::Path;

pub use atomic_file::PartFile;
pub use attributes::{Attributes, WithAttributes};
pub use batches::{Batches, fill, fill_labels};
pub use cache_folder::cache_folder;
pub use dataset::{BadFile, Dataset, DatasetInfo, ImageShape, Kind, Labels};
pub use digest::Digest;
pub use error::{Error, Result};
pub use fetch::Progress;
pub use folder::Folder;
use formats::archive;
pub use formats::{cifar, folder, idx, npy, npz, parquet};
pub use in_memory::{InMemory, MAX_SET_BYTES};
pub use labels::{Conditions, LabelKind, LabelSettings};
pub use list::{Listing, Location, list};
pub use nearest::nearest;
pub use open_options::{OpenOptions, Split};
pub use plain_file::{open_plain, open_plain_with, read_plain};
pub use prefetch::Prefetcher;
pub use registry::quickdraw_categories;
pub use resize::{Fit, ImageOptions};
pub use resized::Resized;
pub use resolve::{IN_MEMORY, check, fetch, is_name, open};

pub use subset::Subset;
pub use synthetic::points::Points;
pub use synthetic::stacked::Stacked;
pub use synthetic::strokes::Strokes;
pub use toy::{Coverage, Toy};

/// The supported formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// The files of MNIST, gzipped or not.
    Idx,
    /// An array saved by numpy.
    Npy,
    /// Several arrays saved by numpy, including images and labels.
    Npz,
    /// A table with a column of encoded images.
    Parquet,
    /// The binary version of CIFAR-10.
    Cifar,
    /// A folder of image files.
    Folder,
    /// Image files in a zip or tar archive.
    Archive,
    /// Synthetic digits.
    Strokes,
}

impl Format {
    /// Every format, in the order of detection: specific kinds of archives come before archives of images.
    pub const ALL: [Self; 8] =
        [Self::Idx, Self::Npy, Self::Npz, Self::Parquet, Self::Cifar, Self::Folder, Self::Archive, Self::Strokes];

    /// A one-line description.
    pub fn about(self) -> &'static str {
        match self {
            Self::Idx => "IDX images as published with MNIST (.gz or not), labels beside them",
            Self::Npy => ".npy array [n, side*side], [n, height, width] or [n, height, width, 1 or 3]",
            Self::Npz => ".npz with such an array; labels beside it (y_train, labels, ...)",
            Self::Parquet => ".parquet with a column of encoded images, or a folder of shards; labels in a column",
            Self::Cifar => "CIFAR-10 binary version: folder, .tar.gz or .bin",
            Self::Folder => "folder of PNG, JPEG, WebP, GIF or BMP images; subfolders are classes",
            Self::Archive => ".zip, .tar or .tar.gz of such images, read without unpacking",
            Self::Strokes => "synthetic digits",
        }
    }

    /// Whether the file at `path`, whose first bytes (after gunzip) are `start`, has this format.
    fn matches(self, path: &Path, start: &[u8]) -> bool {
        match self {
            Self::Idx => idx::matches(start),
            Self::Npy => npy::matches(start),
            Self::Npz => archive::matches(start) && npz::matches(path),
            Self::Parquet => parquet::matches(start),
            Self::Cifar => cifar::is_rows(path) || (archive::matches(start) && cifar::is_archive(path)),
            Self::Archive => archive::matches(start),
            Self::Folder | Self::Strokes => false,
        }
    }

    /// Whether one file of this format can hold both training and test images.
    fn has_splits(self) -> bool {
        match self {
            Self::Npz | Self::Cifar => true,
            Self::Idx | Self::Npy | Self::Parquet | Self::Folder | Self::Archive | Self::Strokes => false,
        }
    }

    /// Opens the data set at `path`.
    fn load(self, path: &Path, options: &OpenOptions) -> Result<Box<dyn Dataset>> {
        Ok(match self {
            Self::Idx => Box::new(idx::open(path)?),
            Self::Npy => Box::new(npy::open(path)?),
            Self::Npz => Box::new(npz::open(path, options.split)?),
            Self::Parquet => Box::new(parquet::open(path, options.split, &options.image())?),
            Self::Cifar => Box::new(cifar::open(path, options.split)?),
            Self::Folder | Self::Archive => attributes::attach(Folder::open(path, &options.image())?, path)?,
            Self::Strokes => Box::new(by_name::strokes(options)?),
        })
    }
}

/// The programs of the README, which are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
