//! Parquet files with a column of encoded images, as on Hugging Face: a column `image` of bytes and path (or plain
//! bytes), often a column `label` of integers whose names are in the file's metadata. One file, or a
//! folder of shards (`train-00000-of-00002.parquet`, ...). The encoded images are kept in memory, up to 1 GiB, as
//! training reads them in random order; they are decoded like those of a folder.

#[cfg(feature = "parquet")]
mod columns;
#[cfg(feature = "parquet")]
mod rows;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::class_labels::ClassLabels;
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::folder::scan::scan;
use crate::open_options::Split;
use crate::parts::{Part, divide_data_files};
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

/// The files of `split` in a folder, by name, as their folders and names say: training files, or all if nothing names a part; for
/// test images the test files, else the validation files.
///
/// # Errors
/// The folder can't be read, there is no such file, or the files are several sets.
pub(crate) fn shards(folder: &Path, split: Split) -> Result<Vec<PathBuf>> {
    let files = files(folder, true)?;
    let names: Vec<String> = files.iter().map(|file| name_in(folder, file)).collect();
    let division = divide_data_files(names.iter().map(String::as_str));
    let wanted: &[Part] = match split {
        Split::Train => &[Part::Train],
        Split::Test if !division.divided => &[],
        Split::Test => &[Part::Test, Part::Validation],
    };
    let of = |part: &Part| (0..files.len()).filter(|index| division.part(*index) == Some(*part)).collect::<Vec<_>>();
    let chosen = wanted.iter().map(of).find(|chosen| !chosen.is_empty()).unwrap_or_default();
    if chosen.is_empty() {
        let (what, hint) = (
            format!("{} has no parquet files with {} images", folder.display(), split.describe()),
            "expected names that begin with train or test, such as train-00000-of-00002.parquet",
        );
        return Err(match split {
            Split::Train => Error::data(what, hint),
            Split::Test => Error::NoTestImages { what, hint: hint.into() },
        });
    }
    let sets: BTreeSet<String> =
        chosen.iter().map(|index| set_of(&division.kept(*index, &format!("{}/", names[*index])))).collect();
    if sets.len() > 1 {
        let sets: Vec<String> = sets.iter().map(|set| folder.join(set).display().to_string()).collect();
        return Err(Error::data(
            format!("{} holds {} sets of parquet files", folder.display(), sets.len()),
            format!("name one of them: {}", sets.join(", ")),
        ));
    }
    Ok(chosen.into_iter().map(|index| files[index].clone()).collect())
}

/// The path of a file inside a folder, with `/` between its parts.
fn name_in(folder: &Path, file: &Path) -> String {
    let inside = file.strip_prefix(folder).unwrap_or(file).components();
    inside.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join("/")
}

/// The folders of a path whose names of parts are taken out, which tell sets apart.
fn set_of(kept: &str) -> String {
    let folders: Vec<&str> = kept.split('/').filter(|part| !part.is_empty() && !part.ends_with(".parquet")).collect();
    folders.join("/")
}

/// Whether a file has a column of images.
#[cfg(feature = "parquet")]
pub(crate) fn holds_images(path: &Path) -> bool {
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    use std::panic::catch_unwind;
    let path = path.to_path_buf();
    // The parquet crate panics on some damaged files.
    let chosen = catch_unwind(move || {
        let reader = SerializedFileReader::new(std::fs::File::open(path).ok()?).ok()?;
        columns::choose(reader.metadata().file_metadata()).ok()
    });
    matches!(chosen, Ok(Some(_)))
}

/// Whether a file has a column of images: unknown, but likely.
#[cfg(not(feature = "parquet"))]
pub(crate) fn holds_images(_path: &Path) -> bool {
    true
}

/// The parquet files directly in a folder or in its subfolder `data`, sorted; if there are none and `deep`, those at any depth.
///
/// # Errors
/// Where the folder can't be read.
pub(crate) fn files(folder: &Path, deep: bool) -> Result<Vec<PathBuf>> {
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
    if !deep {
        return Ok(Vec::new());
    }
    let (members, _) = scan(folder)?;
    let tables = members.iter().filter(|member| member.name.ends_with(".parquet"));
    Ok(tables.map(|member| member.location.path(folder, &member.name)).collect())
}

#[cfg(all(test, feature = "parquet"))]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
