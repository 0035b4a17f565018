//! Labels in files beside a file of images: `y_train.npy` of `x_train.npy`, `kmnist-train-labels.npz` of
//! `kmnist-train-imgs.npz`, `labels.npy` of `images.npy`; and the part of each image: `split.npy`, `is_train.npy`. What looks like
//! labels or parts but is not read is named.

mod text;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::array::key::{Key, Role, words};
use super::array::labels::{Array, Labels, Unread};
use super::array::rows::{self, Rows, Teller};
use super::compression::unpacked;
use super::{idx, npy, npz};
use crate::Dataset;
use crate::error::{Error, Result};
use crate::in_memory::InMemory;
use crate::parts::part_of;

/// Formats of files that may hold labels but are not read as such.
const OTHERS: [&str; 6] = ["json", "mat", "pkl", "pickle", "h5", "parquet"];

/// A file beside the images.
struct Beside {
    path: PathBuf,
    key: Key,
}

/// The name of a file without the endings of formats and compressions.
pub(crate) fn stem(path: &Path) -> String {
    const ENDINGS: [&str; 18] = [
        ".gz", ".bz2", ".xz", ".zst", ".npy", ".npz", ".idx", ".parquet", ".bin", ".csv", ".tsv", ".txt", ".json",
        ".mat", ".pkl", ".pickle", ".h5", ".tar",
    ];
    let mut name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    while let Some(ending) = ENDINGS.iter().find(|ending| name.to_ascii_lowercase().ends_with(**ending)) {
        name.truncate(name.len() - ending.len());
    }
    name
}

/// The files beside `images`, sorted by name.
fn files_beside(images: &Path) -> Vec<Beside> {
    let folder = images.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths =
        entries.map(|entry| folder.join(entry.file_name())).filter(|path| path.file_name() != images.file_name());
    let mut found: Vec<Beside> = paths.map(|path| Beside { key: Key::of(&stem(&path)), path }).collect();
    found.retain(|file| file.key.role.is_some_and(|role| role != Role::Images) && file.path.is_file());
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// `set`, the images of the file `images`, with the labels in a file beside it, if there are such.
///
/// # Errors
/// The labels are damaged.
pub(crate) fn attach(set: InMemory, images: &Path) -> Result<InMemory> {
    let key = Key::of(&stem(images));
    let beside = files_beside(images);
    let labels_of_set = |file: &&Beside| file.key.role == Some(Role::Labels);
    // Labels without other words belong to the only images beside them.
    let fits = |file: &&Beside| file.key.pairs(&key) || (file.key.part == key.part && file.key.rest.is_empty());
    let mut notes = Vec::new();
    let (mut found, mut class_names) = (None, None);
    for file in beside.iter().filter(labels_of_set).filter(fits) {
        match read(&file.path, Some(set.len()))? {
            Ok(labels) if labels.len() == set.len() && found.is_none() => found = Some((labels, file)),
            Ok(labels) if labels.len() == set.len() => {
                notes.push(format!("{} beside it is not read: other labels are", name(&file.path)));
            }
            Ok(labels) if file.key.pairs(&key) => notes.push(format!(
                "{} beside it is not read: it has {} labels for {} images",
                name(&file.path),
                labels.len(),
                set.len()
            )),
            Ok(_) => {}
            // Names of classes, to which numbers refer.
            Err(_) if text_names(&file.path).is_some_and(|names| names.len() < set.len()) => {
                class_names = class_names.or_else(|| text_names(&file.path).map(|names| (names, name(&file.path))));
            }
            Err(unread) => notes.push(format!("the labels in {} are not read: {unread}", name(&file.path))),
        }
    }
    let Some((labels, file)) = found else {
        notes.extend(class_names.map(|(names, file)| {
            format!("{file} beside it is not read: it has {} names for {} images", names.len(), set.len())
        }));
        return Ok(set.with_notes(notes));
    };
    let others = labels_of_other_parts(&file.path);
    let names = beside.iter().filter(|file| file.key.role == Some(Role::Names));
    let mut names = names.filter(|file| file.key.same_set(&key) || file.key.rest.is_empty());
    let names = names.find_map(|file| names_in(&file.path)).or_else(|| class_names.map(|(names, _)| names));
    let names = names.unwrap_or_default();
    Ok(labels.attach(set, &name(&file.path), &others, &names, false)?.with_notes(notes))
}

/// An array beside images that tells parts by its name.
struct PartsFile {
    path: PathBuf,
    name: String,
    sizes: Vec<u64>,
    count: Option<(u64, u64)>,
}

impl PartsFile {
    fn teller(&self) -> Teller<'_> {
        Teller {
            name: &self.name,
            shown: name(&self.path),
            sizes: &self.sizes,
            count: self.count,
            read: Box::new(|| read(&self.path, None)),
        }
    }
}

/// Whether a file beside `images` tells their parts by its name.
pub(crate) fn tells_parts(path: &Path, images: &Path) -> bool {
    rows::tells_parts(&own_name(path, images))
}

/// The words of a file's name that are not in that of `images`: `split` of `faces_split.npy` beside `faces_images.npy`.
fn own_name(path: &Path, images: &Path) -> String {
    let shared = words(&stem(images));
    let own: Vec<String> = words(&stem(path)).into_iter().filter(|word| !shared.contains(word)).collect();
    own.join("_")
}

/// The files beside `images` that tell parts by their names, sorted: arrays, and the names of those of other formats.
fn parts_files(images: &Path) -> (Vec<PartsFile>, Vec<String>) {
    let folder = images.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| folder.join(entry.file_name())).collect();
    paths.retain(|path| path.file_name() != images.file_name() && tells_parts(path, images) && path.is_file());
    paths.sort();
    let (mut arrays, mut others) = (Vec::new(), Vec::new());
    for path in paths {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match npy::open_array(&path) {
            Ok(npy::Opened { header, .. }) => {
                let array = Array { descr: &header.descr, fortran: header.fortran_order, sizes: &header.shape };
                let count = array.count();
                arrays.push(PartsFile { name: own_name(&path, images), path, sizes: header.shape, count });
            }
            Err(_) if ending == "npz" || is_text(&path) || OTHERS.contains(&&*ending) => others.push(name(&path)),
            Err(_) => {}
        }
    }
    (arrays, others)
}

/// The part of each of the `count` images in the file `images`, where arrays beside it tell it.
///
/// # Errors
/// An array is damaged, or its numbers may be parts, which no word says.
pub(crate) fn rows(images: &Path, count: u64) -> Result<Option<Rows>> {
    let (files, _) = parts_files(images);
    let tellers: Vec<Teller<'_>> = files.iter().map(PartsFile::teller).collect();
    rows::find(&images.display().to_string(), &tellers, count)
}

/// A note on files beside `images` that tell parts by their names, if the parts of its `count` images are not `known` from any.
pub(crate) fn unread_parts(images: &Path, count: usize, known: bool) -> Option<String> {
    if known || Key::of(&stem(images)).part.is_some() {
        return None;
    }
    let (files, others) = parts_files(images);
    if let Some(file) = files.first() {
        let values = file.count.map_or(0, |(values, _)| values);
        let why = match read(&file.path, None) {
            Ok(Err(unread)) => unread,
            _ if values != count as u64 => format!("it has {values} values for {count} images"),
            _ => "it names no part for each image".to_owned(),
        };
        return Some(format!("all images are learned from: {} beside them tells no parts, as {why}", name(&file.path)));
    }
    let other = others.first()?;
    Some(format!(
        "all images are learned from: the parts in {other} beside them are not read; save them as an array, {}.npy",
        stem(Path::new(other))
    ))
}

/// The labels of the other parts of the set that has its labels in the file `labels`.
pub(crate) fn labels_of_other_parts(labels: &Path) -> Vec<Labels> {
    let key = Key::of(&stem(labels));
    let is_other = |other: &&Beside| {
        other.key.role == Some(Role::Labels) && other.key.same_set(&key) && other.key.part != key.part
    };
    let beside = files_beside(labels).into_iter().filter(|other| is_other(&other)).map(|other| other.path);
    // Labels of another part that can't be read are reported when that part is opened.
    beside
        .chain(in_other_part_folders(labels))
        .filter_map(|other| read(&other, None).ok().and_then(Result::ok))
        .collect()
}

/// The files called like `file` in the folders of other parts: `test/y.npy` of `train/y.npy`.
fn in_other_part_folders(file: &Path) -> Vec<PathBuf> {
    let part = |folder: &Path| part_of(&folder.file_name()?.to_string_lossy());
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return Vec::new() };
    let (Some(own), Some(root)) = (part(folder), folder.parent()) else { return Vec::new() };
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| root.join(entry.file_name()))
        .filter(|other| part(other).is_some_and(|part| part != own))
        .map(|other| other.join(name))
        .filter(|other| other.is_file())
        .collect();
    found.sort();
    found
}

/// The labels in a file, of `count` images if that is known.
///
/// # Errors
/// The file is damaged. Within: why it is not read.
fn read(path: &Path, count: Option<usize>) -> Result<Result<Labels, Unread>> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let mut start = Vec::new();
    // What can't be unpacked is of no known format.
    let _ = unpacked(file).and_then(|(reader, _)| reader.take(8).read_to_end(&mut start));
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if npz::is_zip(&start) {
        return npz::only_labels(path);
    }
    if is_text(path) {
        return text::labels(path, count);
    }
    if OTHERS.contains(&&*ending) {
        return Ok(Err("save them as labels.npy".to_owned()));
    }
    if idx::matches_labels(&start) {
        return idx::labels(path).map(Ok);
    }
    let npy::Opened { mut reader, header, .. } = match npy::open_array(path) {
        Ok(opened) => opened,
        Err(_) => return Ok(Err("their format is unknown; save them as labels.npy".to_owned())),
    };
    Array { descr: &header.descr, fortran: header.fortran_order, sizes: &header.shape }.read(path, &mut reader)
}

/// Whether a file is text by its name, compressed or not.
fn is_text(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let name = name.trim_end_matches(".gz");
    name.rsplit_once('.').is_some_and(|(_, ending)| text::ENDINGS.contains(&ending))
}

/// The names in a text of one name per line.
fn text_names(path: &Path) -> Option<Vec<String>> {
    is_text(path).then(|| text::names(path))?
}

/// The names of classes in a file: an array of text, or text with a name per line.
fn names_in(path: &Path) -> Option<Vec<String>> {
    if path.extension().is_some_and(|ending| ending == "txt") {
        let text = std::fs::read_to_string(path).ok()?;
        return Some(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect());
    }
    match read(path, None).ok()?.ok()? {
        Labels::Text(names) => names.into_iter().collect(),
        Labels::Ints(_) | Labels::Attributes(..) => None,
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
