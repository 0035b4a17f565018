//! Parquet files with a column of encoded images, as on Hugging Face: a column `image` of bytes and path (or plain
//! bytes), often a column `label` of integers whose names are in the file's metadata. One file, or a
//! folder of shards (`train-00000-of-00002.parquet`, ...). The encoded images are kept in memory, up to 1 GiB, as
//! training reads them in random order; they are decoded like those of a folder.

#[cfg(feature = "parquet")]
mod columns;
#[cfg(feature = "parquet")]
mod rows;

use std::path::{Path, PathBuf};

use crate::class_labels::ClassLabels;
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::open_options::Split;
use crate::resize::ImageOptions;

/// Whether these first bytes are those of a parquet file.
pub(crate) fn matches(start: &[u8]) -> bool {
    start.starts_with(b"PAR1")
}

/// Rows of one or more files.
#[derive(Debug, Default)]
struct Table {
    /// The encoded images, concatenated.
    images: Vec<u8>,
    /// The end offset of each.
    ends: Vec<usize>,
    /// One label per image, or empty.
    labels: Vec<Option<i64>>,
    /// Names of the labels, if a file has them.
    names: Vec<String>,
}

/// Opens a file, or the shards of `split` in a folder.
///
/// # Errors
/// A file is damaged, has no or several columns of images, or the images exceed 1 GiB; as `Folder::open`.
pub fn open(path: &Path, split: Split, options: &ImageOptions) -> Result<Folder> {
    let files = if path.is_dir() { shards(path, split)? } else { vec![path.to_path_buf()] };
    let mut table = Table::default();
    for file in &files {
        read(file, &mut table).map_err(|what| unreadable(file, &what))?;
    }
    let Table { images, ends, labels, names } = table;
    Ok(Folder::in_memory(path, images, &ends, options)?.with_labels(ClassLabels::from_ints(labels, &names)))
}

#[cfg(feature = "parquet")]
fn read(file: &Path, table: &mut Table) -> Result<(), String> {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    // The parquet crate panics on some damaged files.
    catch_unwind(AssertUnwindSafe(|| rows::read(file, table)))
        .unwrap_or_else(|_| Err("the parquet reader failed on it; it is damaged".to_owned()))
}

#[cfg(not(feature = "parquet"))]
fn read(_file: &Path, _table: &mut Table) -> Result<(), String> {
    Err("this program was built without the feature parquet".to_owned())
}

fn unreadable(path: &Path, what: &str) -> Error {
    Error::data(
        format!("{} can't be read as a parquet file of images: {what}", path.display()),
        "expected a column of PNG or JPEG files; to pack a table with snappy, import pyarrow.parquet as pq; \
         pq.write_table(pq.read_table(\"FILE\"), \"NEW.parquet\")",
    )
}

/// The split of a file, by the start of its name.
fn split_name(path: &Path) -> Option<&'static str> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    ["train", "test", "val", "dev"].into_iter().find(|part| name.starts_with(part))
}

/// The files of `split` directly in `folder` or in its subfolder `data`, by name. Training files start with "train", else all
/// that are not test files; test files start with "test", else with "val" or "dev".
///
/// # Errors
/// The folder can't be read, or there is no such file.
pub(crate) fn shards(folder: &Path, split: Split) -> Result<Vec<PathBuf>> {
    let files = files(folder)?;
    let of = |parts: &[Option<&str>]| -> Vec<PathBuf> {
        files.iter().filter(|file| parts.contains(&split_name(file))).cloned().collect()
    };
    let choices: &[&[Option<&str>]] = match split {
        Split::Train => &[&[Some("train")], &[None]],
        Split::Test => &[&[Some("test")], &[Some("val"), Some("dev")]],
    };
    let chosen = choices.iter().map(|parts| of(parts)).find(|chosen| !chosen.is_empty());
    chosen.ok_or_else(|| {
        let what = if split == Split::Train { "training images" } else { "test images" };
        Error::usage(
            format!("{} has no parquet files with {what}", folder.display()),
            "expected names that begin with train or test, such as train-00000-of-00002.parquet",
        )
    })
}

/// The parquet files directly in a folder or in its subfolder `data`, sorted.
///
/// # Errors
/// Where the folder can't be read.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    for dir in [folder.to_path_buf(), folder.join("data")] {
        if !dir.is_dir() {
            continue;
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&dir).map_err(Error::io("read", &dir))? {
            let path = entry.map_err(Error::io("read", &dir))?.path();
            if path.extension().is_some_and(|extension| extension == "parquet") && path.is_file() {
                found.push(path);
            }
        }
        if !found.is_empty() {
            found.sort();
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

#[cfg(all(test, feature = "parquet"))]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
