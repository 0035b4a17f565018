//! Data sets, and what every other crate uses: errors, digests and counter-based random streams.
//!
//! A data set is an indexed collection of images of one shape, read one at a time into a buffer of the caller. `open` opens a
//! data set by name or path; `Batches` selects the images of a training step.
//!
//! Each format has its own file and a variant of `Format`; after adding a variant, the compiler lists the code to extend.

pub mod alpha;
mod atomic_file;
pub mod attributes;
mod background;
mod batches;
mod cache;
mod cache_folder;
mod celeba;
mod class_labels;
mod dataset;
mod digest;
mod download;
pub mod error;
mod fetch;
mod first_names;
mod formats;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod fuzz;
#[cfg(any(test, fuzzing))]
#[allow(clippy::unwrap_used)]
#[doc(hidden)]
pub mod fuzz_targets;
mod in_memory;
pub mod labels;
mod list;
mod mirrored;
mod named;
mod nearest;
mod open_options;
mod parts;
mod plain_file;
mod pread;
mod prefetch;
mod printable;
pub mod random;
mod repeats;
mod resize;
mod resized;
mod resolve;
mod spelling;
mod spread;
mod subset;
mod synthetic;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;
mod toy;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod what_people_bring;
mod with_notes;

use std::path::Path;

pub use atomic_file::{PartFile, abandon_unfinished, commit_together, require_room, write_file};
pub use attributes::{Attributes, WithAttributes};
pub use background::Background;
pub use batches::{Batches, fill, fill_labels};
pub use cache_folder::cache_folder;
pub use dataset::{BadFile, Dataset, DatasetInfo, ImageShape, Kind, Labels, Sample};
pub use digest::Digest;
pub use error::{Error, Result};
pub use fetch::Progress;
pub use first_names::first_names;
pub use folder::Folder;
pub use formats::archive::is_image;
use formats::{archive, image_files, image_labels, pictures, pixel_csv, sidecars, signatures, sniff, stl10, survey};
pub use formats::{cifar, folder, idx, npy, npz, parquet};
pub use in_memory::{InMemory, MAX_SET_BYTES};
pub use labels::{Conditions, LabelKind, LabelSettings};
pub use list::{Listing, Location, list};
pub use mirrored::{Mirrored, mirror};
use named::{by_name, hub, registry, search_path};
pub use nearest::{did_you_mean, nearest};
pub use open_options::{OpenOptions, Split};
pub use plain_file::{open_plain, open_plain_with, read_plain};
pub use prefetch::Prefetcher;
pub use printable::{printable, printable_path};
pub use registry::quickdraw_categories;
pub use repeats::{Repeats, repeats};
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
    /// The binary versions of CIFAR-10 and CIFAR-100.
    Cifar,
    /// The binary version of STL-10.
    Stl10,
    /// A table of pixels.
    PixelCsv,
    /// A folder of image files.
    Folder,
    /// Image files in a zip or tar archive.
    Archive,
    /// Synthetic digits.
    Strokes,
}

impl Format {
    /// Every format, in the order of detection: specific kinds of archives come before archives of images.
    pub const ALL: [Self; 10] = [
        Self::Idx,
        Self::Npy,
        Self::Npz,
        Self::Parquet,
        Self::Cifar,
        Self::Stl10,
        Self::PixelCsv,
        Self::Folder,
        Self::Archive,
        Self::Strokes,
    ];

    /// A one-line description.
    pub fn about(self) -> &'static str {
        match self {
            Self::Idx => "IDX images as published with MNIST (.gz or not), labels beside them",
            Self::Npy => {
                ".npy array [n, side*side], [n, height, width] or [n, height, width, 1, 3 or 4]; a file per part, class or image"
            }
            Self::Npz => ".npz with such an array; labels in it or beside it (y_train, labels, ...)",
            Self::Parquet => ".parquet with a column of encoded images, or a folder of shards; labels in a column",
            Self::Cifar => "CIFAR-10 or CIFAR-100, binary version: folder, .tar.gz or .bin",
            Self::Stl10 => "STL-10 binary version: folder, .tar.gz or _X.bin",
            Self::PixelCsv => ".csv with a row per image: a label and a column per pixel, or all pixels in one column",
            Self::Folder => {
                "folder of PNG, JPEG, WebP, GIF, BMP, TIFF or PNM images; classes are subfolders or in a table beside"
            }
            Self::Archive => {
                ".zip, .tar, .tar.gz, .tar.xz, .tar.bz2 or .tar.zst of such images, or a folder of these, read without unpacking"
            }
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
            Self::Stl10 => stl10::is_images(path) || (archive::matches(start) && stl10::is_archive(path)),
            Self::PixelCsv => pixel_csv::matches(path, start),
            Self::Archive => archive::matches(start),
            Self::Folder | Self::Strokes => false,
        }
    }

    /// Whether one file of this format, with what is beside it, can hold both training and test images.
    fn has_splits(self) -> bool {
        match self {
            Self::Npy | Self::Npz | Self::Parquet | Self::Cifar | Self::Stl10 => true,
            Self::PixelCsv | Self::Folder | Self::Archive => true,
            Self::Idx | Self::Strokes => false,
        }
    }

    /// Opens the data set at `path`.
    fn load(self, path: &Path, options: &OpenOptions) -> Result<Box<dyn Dataset>> {
        Ok(match self {
            Self::Idx => Box::new(idx::open(path, options)?),
            Self::Npy => Box::new(npy::open(path, options)?),
            Self::Npz => Box::new(npz::open(path, options)?),
            Self::Parquet => Box::new(parquet::open(path, options.split, &options.image())?),
            Self::Cifar => Box::new(cifar::open(path, options.split)?.ranged(options.range)),
            Self::Stl10 => Box::new(stl10::open(path, options.split)?.ranged(options.range)),
            Self::PixelCsv => Box::new(pixel_csv::open(path, options)?),
            Self::Folder | Self::Archive => image_files::open(path, options)?,
            Self::Strokes => Box::new(by_name::strokes(options)?),
        })
    }
}

/// The programs of the README, which are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
