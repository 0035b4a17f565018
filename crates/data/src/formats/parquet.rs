//! Parquet files with a column of encoded images, as model and data hubs serve them: a column `image` of bytes and path
//! (or plain bytes), often a column `label` of whole numbers whose names stand in the file's metadata. One file, or a
//! folder of shards (`train-00000-of-00002.parquet`, ...). The encoded images are kept in memory, up to 1 GiB, as
//! training reads them in random order; they are decoded like those of a folder.

#[cfg(feature = "parquet")]
mod columns;
#[cfg(feature = "parquet")]
mod rows;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::open_options::Split;
use crate::resize::ImageOptions;

/// True where these first bytes are those of a parquet file.
pub(crate) fn matches(start: &[u8]) -> bool {
    start.starts_with(b"PAR1")
}

/// Rows of one or more files.
#[derive(Debug, Default)]
struct Table {
    /// The encoded images, one after the other.
    images: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    /// One label per image, or none at all; -1 means unknown.
    labels: Vec<i64>,
    /// Names of the labels, where a file has them.
    names: Vec<String>,
}

impl Table {
    /// Labels and class names; none where no image has one.
    fn classes(&mut self) -> Result<(Option<Vec<u32>>, Vec<String>), String> {
        const MAX_LABEL: i64 = 65_535;
        let labels = std::mem::take(&mut self.labels);
        if labels.len() != self.ends.len() || labels.iter().all(|&label| label == -1) {
            return Ok((None, Vec::new()));
        }
        if let Some(at) = labels.iter().position(|label| !(0..=MAX_LABEL).contains(label)) {
            return Err(format!("row {at} has the label {}, expected 0 to {MAX_LABEL}", labels[at]));
        }
        let labels: Vec<u32> = labels.into_iter().map(|label| label as u32).collect();
        let count = labels.iter().max().map_or(0, |&most| most as usize + 1);
        let mut names = std::mem::take(&mut self.names);
        if names.len() < count {
            names = (0..count).map(|label| label.to_string()).collect();
        }
        Ok((Some(labels), names))
    }
}

/// Opens a file, or the shards of `split` in a folder.
///
/// # Errors
/// Where a file is damaged, has no column of images or several, or the images take more than 1 GiB; as `Folder::open`.
pub fn open(path: &Path, split: Split, options: &ImageOptions) -> Result<Folder> {
    let files = if path.is_dir() { shards(path, split)? } else { vec![path.to_path_buf()] };
    let mut table = Table::default();
    for file in &files {
        read(file, &mut table).map_err(|what| unreadable(file, &what))?;
    }
    let (labels, classes) = table.classes().map_err(|what| unreadable(path, &what))?;
    let Table { images, ends, .. } = table;
    let folder = Folder::in_memory(path, images, &ends, options)?;
    Ok(match labels {
        Some(labels) => folder.with_labels(labels, classes),
        None => folder,
    })
}

#[cfg(feature = "parquet")]
fn read(file: &Path, table: &mut Table) -> Result<(), String> {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    // The reader is known to panic on some damaged files.
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

/// Which part of a set a file belongs to, by how its name begins.
fn part_of(path: &Path) -> Option<&'static str> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    ["train", "test", "val", "dev"].into_iter().find(|part| name.starts_with(part))
}

/// The files of `split` right in `folder` or in its subfolder `data`, by name. To learn from: those that begin with
/// "train", else all that are not held back; held back: those that begin with "test", else with "val" or "dev".
///
/// # Errors
/// Where the folder can't be read, or there is no such file.
pub(crate) fn shards(folder: &Path, split: Split) -> Result<Vec<PathBuf>> {
    let files = files(folder)?;
    let of = |parts: &[Option<&str>]| -> Vec<PathBuf> {
        files.iter().filter(|file| parts.contains(&part_of(file))).cloned().collect()
    };
    let choices: &[&[Option<&str>]] = match split {
        Split::Train => &[&[Some("train")], &[None]],
        Split::Test => &[&[Some("test")], &[Some("val"), Some("dev")]],
    };
    let chosen = choices.iter().map(|parts| of(parts)).find(|chosen| !chosen.is_empty());
    chosen.ok_or_else(|| {
        let what = if split == Split::Train { "to learn from" } else { "held back" };
        Error::usage(
            format!("{} has no parquet files with images {what}", folder.display()),
            "expected names that begin with train or test, such as train-00000-of-00002.parquet",
        )
    })
}

/// The parquet files right in a folder or in its subfolder `data`, sorted.
///
/// # Errors
/// Where the folder can't be read.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    for place in [folder.to_path_buf(), folder.join("data")] {
        if !place.is_dir() {
            continue;
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&place).map_err(Error::io("read", &place))? {
            let path = entry.map_err(Error::io("read", &place))?.path();
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
