//! Data sets, and the three things that every other crate rests on: errors, digests and counter-based random streams.
//!
//! A data set is where images come from. A data set is an indexed collection of images of one shape, read one at a time
//! into a buffer the caller owns; one file per format. `open` turns a name or a path into a data set, `Batches` says
//! which images belong to a training step.
//!
//! A new format is one file and one variant of `Format`; the compiler then points at each place that must know it.

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
pub use list::{Listing, Place, list};
pub use nearest::nearest;
pub use open_options::{OpenOptions, Split};
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

/// The forms in which images come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// The files of MNIST, gzipped or not.
    Idx,
    /// An array saved by numpy.
    Npy,
    /// Several arrays saved by numpy, images and labels among them.
    Npz,
    /// A table with a column of encoded images.
    Parquet,
    /// The binary version of CIFAR-10.
    Cifar,
    /// A folder of image files.
    Folder,
    /// Image files in a zip or tar archive.
    Archive,
    /// Digits drawn by program.
    Strokes,
}

impl Format {
    /// Every format.
    /// The order is that in which files are looked at: an archive of arrays or batches is also an archive.
    pub const ALL: [Self; 8] =
        [Self::Idx, Self::Npy, Self::Npz, Self::Parquet, Self::Cifar, Self::Folder, Self::Archive, Self::Strokes];

    /// What a person reads about it.
    pub fn about(self) -> &'static str {
        match self {
            Self::Idx => "IDX images as published with MNIST (.gz or not), labels beside them",
            Self::Npy => ".npy array [n, side*side], [n, height, width] or [n, height, width, 1 or 3]",
            Self::Npz => ".npz with such an array; labels beside it (y_train, labels, ...)",
            Self::Parquet => ".parquet with a column of encoded images, or a folder of shards; labels in a column",
            Self::Cifar => "CIFAR-10 binary version: folder, .tar.gz or .bin",
            Self::Folder => "folder of PNG, JPEG, WebP, GIF or BMP images; subfolders are classes",
            Self::Archive => ".zip, .tar or .tar.gz of such images, read without unpacking",
            Self::Strokes => "digits drawn by program",
        }
    }

    /// True where the file at `path`, which begins with `start` (after gunzip), has this format.
    fn claims(self, path: &Path, start: &[u8]) -> bool {
        match self {
            Self::Idx => idx::claims(start),
            Self::Npy => npy::claims(start),
            Self::Npz => archive::claims(start) && npz::claims(path),
            Self::Parquet => parquet::claims(start),
            Self::Cifar => cifar::is_rows(path) || (archive::claims(start) && cifar::is_archive(path)),
            Self::Archive => archive::claims(start),
            Self::Folder | Self::Strokes => false,
        }
    }

    /// Whether one file of this format may hold images held back beside those to learn from.
    fn has_parts(self) -> bool {
        match self {
            Self::Npz | Self::Cifar => true,
            Self::Idx | Self::Npy | Self::Parquet | Self::Folder | Self::Archive | Self::Strokes => false,
        }
    }

    /// Opens what is at `path`, in its own shape where the format has one.
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
