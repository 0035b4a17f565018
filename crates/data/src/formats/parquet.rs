//! Parquet files with a column of encoded images, as on Hugging Face: a column `image` of bytes and path (or plain
//! bytes), often a column `label` of integers whose names are in the file's metadata, or of text. One file, or a
//! folder of shards (`data/train-00000-of-00002.parquet`, `default/train/0000.parquet`). The encoded images are kept in memory, up
//! to 1 GiB, as training reads them in random order; they are decoded like those of a folder.

#[cfg(feature = "parquet")]
mod columns;
#[cfg(feature = "parquet")]
mod rows;
mod shards;
#[cfg(all(feature = "parquet", feature = "compression"))]
mod zstandard;

use std::path::{Path, PathBuf};

use crate::class_labels::{ClassLabels, ids};
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::open_options::{OpenOptions, Split};
use crate::parts::{Holdings, Part, choose, describe};
use crate::resize::ImageOptions;
use shards::Shards;
pub(crate) use shards::files;

/// Whether these first bytes are those of a parquet file.
pub(crate) fn matches(start: &[u8]) -> bool {
    start.starts_with(b"PAR1")
}

/// The labels of rows; `None` where a row has none.
#[derive(Clone, Debug)]
enum Labels {
    Ints(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
}

impl Default for Labels {
    fn default() -> Self {
        Self::Ints(Vec::new())
    }
}

#[cfg_attr(not(feature = "parquet"), allow(dead_code))]
impl Labels {
    fn len(&self) -> usize {
        match self {
            Self::Ints(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// The labels of the rows that are `wanted`.
    fn of(self, wanted: &[bool]) -> Self {
        let mut wanted = wanted.iter();
        let mut is_wanted = || wanted.next() == Some(&true);
        match self {
            Self::Ints(values) => Self::Ints(values.into_iter().filter(|_| is_wanted()).collect()),
            Self::Text(values) => Self::Text(values.into_iter().filter(|_| is_wanted()).collect()),
        }
    }

    fn into_text(self) -> Vec<Option<String>> {
        match self {
            Self::Ints(values) => values.into_iter().map(|value| value.map(|value| value.to_string())).collect(),
            Self::Text(values) => values,
        }
    }

    /// Adds the labels of more rows; numbers become text beside text.
    fn extend(&mut self, more: Self) {
        match (&mut *self, more) {
            (Self::Ints(all), Self::Ints(more)) => all.extend(more),
            (Self::Text(all), more) => all.extend(more.into_text()),
            (Self::Ints(_), more @ Self::Text(_)) => {
                let mut all = std::mem::take(self).into_text();
                all.extend(more.into_text());
                *self = Self::Text(all);
            }
        }
    }

    /// Why they are the numbers or names of the images, if they are.
    fn ids(&self) -> Option<String> {
        match self {
            Self::Ints(values) => ids(values.iter().flatten().filter(|value| **value != -1)),
            Self::Text(values) => ids(values.iter().flatten().map(|text| text.trim()).filter(|text| !text.is_empty())),
        }
    }

    /// The classes, among those of `others`.
    fn classes(self, others: Self, names: &[String]) -> ClassLabels {
        match (self, others) {
            (Self::Ints(values), Self::Ints(others)) => ClassLabels::from_ints_among(values, &others, names),
            (values, others) => ClassLabels::from_text_among(values.into_text(), &others.into_text()),
        }
    }
}

/// The parts that a column names, one for each row.
#[derive(Debug)]
struct Parts {
    /// The name of the column.
    column: String,
    /// `None` where a row has no value.
    of_rows: Vec<Option<Part>>,
}

/// Rows of one or more files.
#[derive(Debug, Default)]
struct Table {
    /// The encoded images, concatenated.
    images: Vec<u8>,
    /// The end offset of each.
    ends: Vec<usize>,
    /// Rows so far, and the first that has no image.
    rows: usize,
    first_without: Option<usize>,
    /// One label per image, or none at all.
    labels: Labels,
    /// Labels of the rows of other parts.
    labels_of_others: Labels,
    /// Names of the labels, if a file has them.
    names: Vec<String>,
    /// The name of the column of labels.
    column: Option<String>,
    /// What to tell the user, a sentence each.
    notes: Vec<String>,
    /// Whether the labels of a file are not read, so that none are.
    without_labels: bool,
}

#[cfg_attr(not(feature = "parquet"), allow(dead_code))]
impl Table {
    /// Leaves out all labels, for this reason.
    fn unlabelled(&mut self, note: String) {
        self.notes.push(note);
        self.without_labels = true;
    }
}

/// Opens a file, or the shards of `split` in a folder. Rows without an image are passed over.
///
/// # Errors
/// A file is damaged, has no or several columns of images, or the images exceed 1 GiB; as `Folder::open`.
pub fn open(path: &Path, split: Split, options: &ImageOptions) -> Result<Folder> {
    let Shards { files, others, notes: parts } = shards(path, split)?;
    let mut table = Table::default();
    files.iter().try_for_each(|file| refuse_other_formats(file))?;
    let by_column = part_by_column(path, &files, split)?;
    if by_column.is_none() && !path.is_dir() {
        OpenOptions::default().split(split).refuse_test_split(&path.display().to_string())?;
    }
    for (at, file) in files.iter().enumerate() {
        let wanted = by_column.as_ref().and_then(|by_column| by_column.wanted[at].as_deref());
        read(file, wanted, &mut table).map_err(|what| unreadable(file, &what))?;
    }
    let Table { images, ends, rows, first_without, labels, labels_of_others, names, column, mut notes, without_labels } =
        table;
    // Every shard has the same columns.
    let mut said = std::collections::HashSet::new();
    notes.retain(|note| said.insert(note.clone()));
    notes.splice(0..0, parts.into_iter().chain(by_column.map_or(Vec::new(), |by_column| by_column.notes)));
    if rows == 0 {
        return Err(unreadable(path, "it has no rows"));
    }
    if let Some(first) = first_without {
        let without = rows - ends.len();
        if ends.is_empty() {
            let what = format!("none of its {rows} rows has an image in it (only a path or an address, perhaps)");
            return Err(unreadable(path, &what));
        }
        let (have, are) = if without == 1 { ("has", "is") } else { ("have", "are") };
        notes.push(format!("{without} of {rows} rows {have} no image and {are} passed over, row {first} for one"));
    }
    let folder = Folder::in_memory(path, images, &ends, options)?;
    let (mut classes, mut unused) = (ClassLabels::default(), Vec::new());
    if !without_labels && labels.len() == ends.len() {
        // Without names, another part may have classes that this one lacks.
        let others = if names.is_empty() { others } else { Vec::new() };
        let mut known = labels_of_others;
        others.iter().filter_map(|file| read_labels(file)).for_each(|more| known.extend(more));
        let largest = if known.len() > labels.len() { &known } else { &labels };
        let column = column.map_or(String::new(), |column| format!("column {column}"));
        match largest.ids().filter(|_| names.is_empty()) {
            Some(why) => unused.push(format!("{column}: {why}")),
            None => classes = labels.classes(known, &names),
        }
        if !classes.names.is_empty() {
            notes.push(format!("labels: {column}, {}", classes.describe()));
        }
    }
    Ok(folder.with_labels(classes).with_notes(notes, unused))
}

/// The files that hold the images of `split`: where the names of files tell no test part, a column may.
fn shards(path: &Path, split: Split) -> Result<Shards> {
    if !path.is_dir() {
        return Ok(Shards::one(path.to_path_buf()));
    }
    match shards::of(path, split) {
        Err(none @ Error::NoTestImages { .. }) => {
            let all = shards::of(path, Split::Train)?;
            part_by_column(path, &all.files, split)?.map(|_| all).ok_or(none)
        }
        found => found,
    }
}

/// The rows of a part, where a column names the part of each row.
struct ByColumn {
    /// Whether each row of each file is wanted; `None` for a file without such a column.
    wanted: Vec<Option<Vec<bool>>>,
    /// What to tell the user, a sentence each.
    notes: Vec<String>,
}

/// The rows of the part that serves as `split`, if a column names parts.
fn part_by_column(path: &Path, files: &[PathBuf], split: Split) -> Result<Option<ByColumn>> {
    let (mut holdings, mut column, mut of_files) = (Holdings::new(), None, Vec::new());
    for file in files {
        let found = parts(file).map_err(|what| unreadable(file, &what))?;
        of_files.push(found.map(|found| {
            found.of_rows.iter().for_each(|part| holdings.entry(*part).or_default().files += 1);
            column = Some(found.column);
            found.of_rows
        }));
    }
    let Some(column) = column else { return Ok(None) };
    match choose(&holdings, split) {
        Some(part) => {
            let said = describe(&holdings, Some(&format!("column {column}")));
            let aside = holdings.remove(&None).map(|held| match held.files {
                1 => "1 row of no part is left aside".to_owned(),
                rows => format!("{rows} rows of no part are left aside"),
            });
            let notes: Vec<String> = said.into_iter().chain(aside).filter(|_| split == Split::Train).collect();
            let is_wanted = |rows: Vec<Option<Part>>| rows.into_iter().map(|row| row == Some(part)).collect();
            Ok(Some(ByColumn { wanted: of_files.into_iter().map(|rows| rows.map(is_wanted)).collect(), notes }))
        }
        None => {
            let name = if split == Split::Train { "training" } else { "test" };
            let what = format!("{} has no {name} images by its column {column}", path.display());
            Err(match split {
                Split::Train => Error::data(what, "leave the column out to learn from all rows"),
                Split::Test => Error::NoTestImages { what, hint: "use its training images".into() },
            })
        }
    }
}

/// Whether a file has a column of images.
pub(crate) fn holds_images(file: &Path) -> bool {
    #[cfg(feature = "parquet")]
    return trusting(|| Ok(rows::has_images(file))).unwrap_or(false);
    #[cfg(not(feature = "parquet"))]
    return file.is_file();
}

/// The number of rows of a file.
fn images_in(file: &Path) -> usize {
    #[cfg(feature = "parquet")]
    return trusting(|| Ok(rows::count(file))).unwrap_or(0);
    #[cfg(not(feature = "parquet"))]
    return usize::from(file.is_file());
}

/// Refuses a file that only its name makes a parquet file.
fn refuse_other_formats(file: &Path) -> Result<()> {
    let mut start = [0; 4];
    let got = std::fs::File::open(file).and_then(|file| crate::pread::read_at(&file, &mut start, 0));
    if got.is_ok() && matches(&start) {
        return Ok(());
    }
    match crate::sniff::format_of(file) {
        // The message says what it is.
        Err(error) => Err(error),
        Ok(other) => Err(unreadable(file, &format!("it is {}", other.about()))),
    }
}

#[cfg(feature = "parquet")]
fn trusting<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    // The parquet crate panics on some damaged files.
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err("the parquet reader failed on it; it is damaged".to_owned()))
}

#[cfg(feature = "parquet")]
fn read(file: &Path, wanted: Option<&[bool]>, table: &mut Table) -> Result<(), String> {
    trusting(|| rows::read(file, wanted, table))
}

#[cfg(feature = "parquet")]
fn parts(file: &Path) -> Result<Option<Parts>, String> {
    trusting(|| rows::parts(file))
}

#[cfg(feature = "parquet")]
fn read_labels(file: &Path) -> Option<Labels> {
    // What is wrong with it is reported when that part is opened.
    trusting(|| rows::read_labels(file)).ok().flatten()
}

#[cfg(not(feature = "parquet"))]
fn read(_file: &Path, _wanted: Option<&[bool]>, _table: &mut Table) -> Result<(), String> {
    Err("this program was built without the feature parquet".to_owned())
}

#[cfg(not(feature = "parquet"))]
fn parts(_file: &Path) -> Result<Option<Parts>, String> {
    Ok(None)
}

#[cfg(not(feature = "parquet"))]
fn read_labels(_file: &Path) -> Option<Labels> {
    None
}

fn unreadable(path: &Path, what: &str) -> Error {
    let hint = match what.contains("are packed with") {
        true => {
            "to pack the table with snappy: import pyarrow.parquet as pq; pq.write_table(pq.read_table(\"FILE\"), \"NEW.parquet\")"
        }
        false => {
            "expected a column of PNG or JPEG files; images that are only named in a table are given as their folder, with the \
             table beside it as CSV"
        }
    };
    Error::data(format!("{} can't be read as a parquet file of images: {what}", path.display()), hint)
}

#[cfg(all(test, feature = "parquet"))]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
