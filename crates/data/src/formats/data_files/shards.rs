//! Numbered files that are one set in pieces, each with its labels in it or beside it: `shard_0.npz`, `x_1.npy` with `y_1.npy`.

use std::path::Path;

use super::DataFile;
use crate::Format;
use crate::class_labels::{ClassLabels, describe_classes, ids, natural_order};
use crate::dataset::{Dataset, ImageShape};
use crate::error::{Error, Result};
use crate::formats::array::key::words;
use crate::formats::beside::stem;
use crate::formats::{npy, npz, pixel_csv};
use crate::in_memory::InMemory;
use crate::open_options::OpenOptions;

/// Words for pieces of one set.
pub const PIECES: [&str; 6] = ["batch", "part", "shard", "chunk", "piece", "fold"];

/// Whether files are pieces of one set: of one format, with names that differ in numbers only, and images of one shape.
pub fn are_shards(files: &[DataFile]) -> bool {
    let is_number = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
    let named = |file: &DataFile| -> (Vec<String>, usize) {
        let (numbers, rest): (Vec<String>, Vec<String>) = words(&stem(&file.path)).into_iter().partition(is_number);
        (rest, numbers.len())
    };
    let Some(first) = files.first().filter(|_| files.len() > 1) else { return false };
    let name = named(first);
    let known = matches!(first.format, Format::Npy | Format::Npz | Format::PixelCsv);
    let alike = |file: &DataFile| file.format == first.format && named(file) == name;
    known
        && name.1 > 0
        && files.iter().all(alike)
        && shape(first).is_none_or(|of| files.iter().all(|f| shape(f) == Some(of)))
}

/// The shape of the images in an array; `None` for other files, and for arrays that are not read.
fn shape(file: &DataFile) -> Option<ImageShape> {
    (file.format == Format::Npy).then(|| npy::layout(&file.path).ok().map(|(_, shape)| shape))?
}

/// Opens all files as one set called as `folder`.
///
/// # Errors
/// A file can't be opened, has other values of black and white or images of another shape than the first one, or has no images of
/// the part.
pub fn open(folder: &Path, files: &[DataFile], options: &OpenOptions) -> Result<InMemory> {
    let open = |file: &DataFile| match file.format {
        Format::Npz => npz::open(&file.path, options),
        Format::PixelCsv => pixel_csv::open(&file.path, options),
        _ => npy::open(&file.path, options),
    };
    let sets: Vec<InMemory> = files.iter().map(open).collect::<Result<_>>()?;
    if let Some(at) = (1..sets.len()).find(|at| sets[*at].levels() != sets[0].levels()) {
        let said = |at: usize| {
            let (black, white) = sets[at].levels().unwrap_or_default();
            format!("{} ({black} and {white})", files[at].name())
        };
        return Err(Error::data(
            format!("{}: the values of black and white differ: {}, {}", folder.display(), said(0), said(at)),
            "say which they are for all files (`data.range`), such as [0, 255]",
        ));
    }
    // The labels of a few images may all differ in one file, but not in all of them.
    let own: Vec<(Vec<String>, Vec<Option<u32>>)> = sets
        .iter()
        .map(|set| match set.labels_aside() {
            Some(aside) => (aside.names.clone(), aside.labels.clone()),
            None => (set.classes(), (0..set.len()).map(|index| set.label(index)).collect()),
        })
        .collect();
    let mut classes: Vec<String> = own.iter().flat_map(|(names, _)| names.clone()).collect();
    classes.sort_by(|a, b| natural_order(a, b));
    classes.dedup();
    let mut labels: Vec<Option<u32>> = Vec::new();
    for (names, own) in &own {
        let place = |label: u32| classes.iter().position(|class| names.get(label as usize) == Some(class));
        labels.extend(own.iter().map(|label| label.and_then(place).map(|at| at as u32)));
    }
    let other = sets.iter().filter(|set| set.labels_aside().is_none());
    let mut unused: Vec<String> = other.flat_map(|set| set.info().unused_labels.clone()).collect();
    if let Some(why) = ids(labels.iter().flatten()) {
        classes.clear();
        unused.push(format!("labels in each file: {why}"));
    }
    let attributes = sets.iter().any(|set| !set.attributes().is_empty());
    // What each file says of its labels is said of all.
    let notes = |set: InMemory| {
        let info = set.info().notes.iter().filter(|note| !note.starts_with("labels: ")).cloned().collect();
        set.only_notes(info)
    };
    let mut set = InMemory::concatenated(folder.display().to_string(), sets.into_iter().map(notes).collect())?;
    if let Some(reason) = unused.into_iter().next() {
        set = set.with_unused_labels(reason);
    }
    if attributes {
        set = set.with_unused_labels("attributes in several files are not read".to_owned());
    }
    if classes.is_empty() {
        return Ok(set);
    }
    let said = format!("labels: in each file, {}", describe_classes(&classes));
    Ok(set.with_class_labels(ClassLabels { labels, names: classes, notes: Vec::new() })?.with_notes([said]))
}
