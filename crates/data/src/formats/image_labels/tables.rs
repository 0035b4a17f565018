//! Tables with the name of an image and its label in each row, as on Kaggle and hubs: `image_column` finds the column with the
//! names, `label_column` that of the labels.

use std::collections::{BTreeMap, BTreeSet};

use super::FIRST_OF_A_FIELD;
use super::image_column::{self, ImageColumn};
use super::label_column::{self, LabelColumn};
use super::{Labelled, MIN_SHARE, Sources, Values, counted, drop_missing, label_rank};
use crate::class_labels::ClassLabels;
use crate::formats::archive::is_image;
use crate::parts::Part;
use crate::sidecars::{Index, SEVERAL_OBJECTS, Sidecar, Table};

/// Columns looked at.
pub(super) const MAX_COLUMNS: usize = 64;

/// What R writes where a value is missing.
pub(super) const MISSING_IN_R: &str = "NA";

/// The labels in one table.
struct Read {
    /// The label of each image of the set.
    labels: Vec<Option<String>>,
    /// How the column is called.
    column: Option<String>,
    /// Whether the column has a name for labels, and one for those of any field.
    is_named: bool,
    is_label: bool,
    /// Whether there is a column for each class.
    is_one_hot: bool,
    /// The number of folders that the table gives for each image.
    folders: Vec<usize>,
    notes: Vec<String>,
}

/// Why a table has no labels.
#[derive(Debug)]
pub(super) enum Unfit {
    /// It names none of the images.
    NoImages,
    /// It says nothing of them that could be a label.
    NoLabels(String),
    Because(String),
}

/// A table with labels: the number of images that have one, the number of its file, and the labels.
type Candidate = (usize, usize, Read);

/// The tables with labels of the images of a part, those of most images first, and why others have none.
#[derive(Default)]
pub(super) struct Candidates {
    found: Vec<Candidate>,
    unused: Vec<String>,
    /// Those of `unused` that were made for labels of images, and are of interest also where folders are the classes.
    made_for_it: Vec<String>,
}

/// Reads the tables; `Sources` keeps the result.
pub(super) fn candidates(sources: &Sources<'_>, part: Part, images: &[u32]) -> Candidates {
    let Candidates { mut found, mut unused, mut made_for_it } = Candidates::default();
    for (at, sidecar) in sources.tables() {
        if !sources.is_about(sidecar, part) {
            continue;
        }
        let name = &sidecar.name;
        match sources.table(at) {
            None => {}
            Some(Err(_)) if sidecar.is_outside || sources.index().is_named(sidecar.stem()) => {}
            Some(Err(what)) if is_prose(sidecar) && what != SEVERAL_OBJECTS => {}
            Some(Err(what)) => unused.push(format!("{name}: {what}")),
            Some(Ok(table)) => match read(sources, table, sidecar, if part == Part::Train { 2 } else { 1 }) {
                Ok(read) => {
                    let count = images.iter().filter(|image| read.labels[**image as usize].is_some()).count();
                    if count * MIN_SHARE >= images.len().max(1) {
                        found.push((count, at, read));
                    } else if count > 0 {
                        unused.push(format!("{name}: it has labels of only {count} of {} images", images.len()));
                    }
                }
                // A table beside may be about something else.
                Err(Unfit::Because(_) | Unfit::NoLabels(_))
                    if sidecar.is_outside
                        && image_column::most_named(table, sources.index()) * 2 < sources.index().len() => {}
                // Files about one image each; lists of the images of a part.
                Err(_) if sources.index().is_named(sidecar.stem()) => {}
                Err(Unfit::Because(_) | Unfit::NoLabels(_)) if is_prose(sidecar) && table.columns() == 1 => {}
                Err(Unfit::NoLabels(why)) => unused.push(format!("{name}: {why}")),
                Err(Unfit::Because(why)) => {
                    if names_images(table) {
                        made_for_it.push(format!("{name}: {why}"));
                    }
                    unused.push(format!("{name}: {why}"));
                }
                Err(Unfit::NoImages) if sidecar.is_outside || is_prose(sidecar) && !is_made_for_it(table) => {}
                Err(Unfit::NoImages) => {
                    let row = usize::from(table.header.is_none() && table.rows() > 1);
                    let columns = if row < table.rows() { table.columns().min(3) } else { 0 };
                    let cells: Vec<&str> = (0..columns).map(|column| table.cell(row, column)).collect();
                    let image = images.first().map_or("", |image| sources.index().name(*image));
                    unused.push(format!(
                        "{name}: it names none of the images: a row begins with {}, an image is called {image}",
                        cells.join(", ")
                    ));
                    if is_made_for_it(table) {
                        made_for_it.extend(unused.last().cloned());
                    }
                }
            },
        }
    }
    let of_one_class: Vec<usize> =
        found.iter().filter(|(.., read)| is_of_one_class(read)).map(|(_, at, _)| *at).collect();
    if let [first, _, ..] = of_one_class[..] {
        unused.push(format!(
            "{} and {} more: each says of one class which images have it (-1, 1), and an image may have several",
            sources.sidecars()[first].name,
            of_one_class.len() - 1
        ));
        found.retain(|(_, at, _)| !of_one_class.contains(at));
    }
    // Stable: of equally good ones the first by depth and name.
    found.sort_by_key(|(count, at, read)| {
        let sidecar = &sources.sidecars()[*at];
        let rank = (std::cmp::Reverse(*count), !read.is_named, sidecar.is_outside);
        (rank, sidecar.name.matches('/').count(), sidecar.name.clone())
    });
    Candidates { found, unused, made_for_it }
}

/// Whether the first rows of a table are those of labels of images: names of images, and a column called like labels.
fn is_made_for_it(table: &Table) -> bool {
    names_images(table)
        && (0..table.columns().min(MAX_COLUMNS)).any(|column| label_rank(first(table, column)).is_some())
}

/// Whether a column of a table is called like images, or begins with the name of a file.
fn names_images(table: &Table) -> bool {
    let row = usize::from(table.header.is_none());
    let is_file = |column: usize| row < table.rows() && is_image(table.cell(row, column));
    let mut columns = 0..table.columns().min(MAX_COLUMNS);
    columns.any(|column| image_column::is_called_so(first(table, column)) || is_file(column))
}

/// The name of a column, if it has one, else its first cell.
fn first(table: &Table, column: usize) -> &str {
    match &table.header {
        Some(header) => &header[column],
        None if table.rows() > 0 => table.cell(0, column),
        None => "",
    }
}

/// Whether labels are those of Pascal VOC's lists, one for each class: -1, 1, and 0 for those that are hard to tell.
fn is_of_one_class(read: &Read) -> bool {
    let all = classes(&read.labels);
    !read.is_named
        && all.iter().any(|label| *label == "-1")
        && all.iter().all(|label| ["-1", "0", "1"].contains(&label.as_str()))
}

/// Labels from the table that labels most images, among those that `wanted` accepts.
pub(super) fn find(
    sources: &Sources<'_>,
    part: Part,
    images: &[u32],
    wanted: &dyn Fn(&Sidecar<'_>) -> bool,
    unused: &mut Vec<String>,
) -> Option<Labelled> {
    if !sources.tables().any(|(_, sidecar)| wanted(sidecar)) {
        return None;
    }
    let Candidates { found, unused: reasons, .. } = sources.candidates(part, images);
    unused.extend_from_slice(reasons);
    let best = found.iter().position(|(_, at, _)| wanted(&sources.sidecars()[*at]))?;
    let (count, at, read) = &found[best];
    let name = &sources.sidecars()[*at].name;
    let others = found.iter().enumerate().filter(|(place, _)| *place != best).map(|(_, other)| other);
    let notes = read.notes.iter().cloned().chain(against(sources, images, (*count, name, read), others)).collect();
    let labels: Vec<Option<String>> = images.iter().map(|image| read.labels[*image as usize].clone()).collect();
    let what = read.column.as_ref().map_or_else(|| name.clone(), |column| format!("{column} of {name}"));
    Some(Labelled::apart(Values::Classes(labels), what, notes, vec![*at]))
}

/// Notes on other tables with labels: those that disagree with the one that is taken, and those with other classes.
fn against<'r>(
    sources: &'r Sources<'_>,
    images: &[u32],
    (count, name, taken): (usize, &str, &Read),
    others: impl Iterator<Item = &'r Candidate>,
) -> Vec<String> {
    let own = classes(&taken.labels);
    let mut notes = Vec::new();
    let mut rivals: Vec<&str> = Vec::new();
    for (other_count, at, other) in others {
        let other_name = sources.sidecars()[*at].name.as_str();
        let pairs = images.iter().map(|image| (&taken.labels[*image as usize], &other.labels[*image as usize]));
        let both: Vec<(&String, &String)> =
            pairs.filter_map(|(one, other)| Some((one.as_ref()?, other.as_ref()?))).collect();
        let differ = both.iter().filter(|(one, other)| one != other).count();
        let theirs = classes(&other.labels);
        if differ > 0 && !own.is_disjoint(&theirs) {
            notes.push(format!(
                "{name} and {other_name} disagree on the labels of {differ} of {} images; {name} is taken",
                both.len()
            ));
        } else if *other_count == count && own != theirs {
            rivals.push(other_name);
        }
    }
    if !rivals.is_empty() {
        notes.push(format!("labels are also in {}, which is not used", rivals.join(", ")));
    }
    notes
}

/// What tables say of images that are in folders of classes.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// The file whose labels are to be taken instead of the folders.
    pub instead: Option<String>,
    /// Tables that are not used.
    pub unused: Vec<String>,
}

/// Compares tables with folders of classes. A table is taken instead if it has a column of labels, gives nearly every image by its
/// path with the folder, and its labels differ within folders and have other names. One whose labels are the folders by other names
/// goes without saying.
pub(super) fn beside_folders(sources: &Sources<'_>, part: Part, images: &[u32], folders: &ClassLabels) -> Beside {
    let Candidates { found, made_for_it, .. } = sources.candidates(part, images);
    let mut beside = Beside { instead: None, unused: made_for_it.clone() };
    for (count, at, read) in found {
        let sidecar = &sources.sidecars()[*at];
        let mut pairs: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut with_folder = 0;
        for (image, folder) in images.iter().zip(&folders.labels) {
            let (Some(folder), Some(label)) = (folder, &read.labels[*image as usize]) else { continue };
            let folder = folders.names[*folder as usize].as_str();
            *pairs.entry((folder, label.as_str())).or_default() += 1;
            // Folders from the file up to that of the class.
            let path: Vec<&str> = sources.index().name(*image).rsplit('/').collect();
            let depth = path.iter().skip(1).position(|part| *part == folder).map(|depth| depth + 1);
            with_folder += usize::from(depth.is_some_and(|depth| read.folders[*image as usize] >= depth));
        }
        let of_folders: BTreeSet<&str> = pairs.keys().map(|(folder, _)| *folder).collect();
        let of_table: BTreeSet<&str> = pairs.keys().map(|(_, label)| *label).collect();
        let are_same = pairs.len() == of_folders.len() && pairs.len() == of_table.len();
        let is_most = |count: usize| count * 10 >= images.len() * 9;
        if are_same || !(read.is_named || is_most(*count) && !is_prose(sidecar)) {
            continue;
        }
        let largest = |folder: &&str| pairs.iter().filter(|((of, _), _)| of == folder).map(|(_, count)| *count).max();
        let alike: usize = of_folders.iter().filter_map(largest).sum();
        let all: usize = pairs.values().sum();
        let share_names = !of_folders.is_disjoint(&of_table);
        if read.is_label && is_most(with_folder) && alike * 10 <= all * 9 && !share_names && beside.instead.is_none() {
            beside.instead = Some(sidecar.name.clone());
            continue;
        }
        let differ: usize = pairs.iter().filter(|((folder, label), _)| folder != label).map(|(_, count)| count).sum();
        beside.unused.push(match share_names {
            true => format!(
                "{}: it disagrees with the folders on {differ} of {all} images; the folders are taken",
                sidecar.name
            ),
            false => format!("{}: the folders are taken instead", sidecar.name),
        });
    }
    beside
}

/// Files that are tables only by chance.
fn is_prose(sidecar: &Sidecar<'_>) -> bool {
    matches!(sidecar.extension().as_str(), "txt" | "json" | "list" | "lst")
}

fn classes(labels: &[Option<String>]) -> BTreeSet<&String> {
    labels.iter().flatten().collect()
}

/// The column with the names of images, and the index by which these are found. If no column names images as these are written, or
/// only one of labels does (images may be called 0 and 1), the names may be those of images in another spelling.
pub(super) fn named<'s, 'a>(
    sources: &'s Sources<'a>,
    table: &Table,
    sidecar: &Sidecar<'_>,
) -> Result<(ImageColumn, &'s Index<'a>), Unfit> {
    let by = |index: &'s Index<'a>| image_column::find(table, index, sidecar.scope()).map(|column| (column, index));
    let is_of_labels = |column: &ImageColumn| {
        let name = match &table.header {
            Some(header) => header[column.at].as_str(),
            None if column.has_header => table.cell(0, column.at),
            None => "",
        };
        label_rank(name).is_some()
    };
    let found = by(sources.index());
    match &found {
        Err(Unfit::NoImages) => {}
        Ok((column, _)) if is_of_labels(column) => {}
        _ => return found,
    }
    by(sources.loosely()).ok().filter(|(column, _)| !is_of_labels(column)).map_or(found, Ok)
}

/// Reads a table whose labels must have at least `least` different values.
fn read(sources: &Sources<'_>, table: &Table, sidecar: &Sidecar<'_>, least: usize) -> Result<Read, Unfit> {
    let (column, index) = named(sources, table, sidecar)?;
    read_by(index, column, table, sidecar, least).map_err(|why| if index.is_loose() { Unfit::NoImages } else { why })
}

/// `read` of the images in a column.
fn read_by(
    index: &Index<'_>,
    ImageColumn { at: image_column, has_header, note }: ImageColumn,
    table: &Table,
    sidecar: &Sidecar<'_>,
    least: usize,
) -> Result<Read, Unfit> {
    let skip = usize::from(has_header);
    let header: Option<Vec<String>> = table
        .header
        .clone()
        .or_else(|| has_header.then(|| (0..table.columns()).map(|c| table.cell(0, c).to_owned()).collect()));
    let joined = index.join(table.column(image_column).skip(skip), sidecar.scope());
    let rows: Vec<(usize, u32)> =
        joined.image.iter().enumerate().filter_map(|(row, image)| Some((row + skip, (*image)?))).collect();
    if rows.is_empty() {
        return Err(match joined.ambiguous {
            (count, Some(row)) => Unfit::Because(format!(
                "{}; give the paths of the images",
                counted(
                    count,
                    "row names several images",
                    "rows name several images each",
                    table.cell(row + skip, image_column)
                )
            )),
            (_, None) => Unfit::NoImages,
        });
    }
    let column = label_column::find(table, header.as_deref(), image_column, &rows, least)?;
    let mut labels: Vec<Option<String>> = vec![None; index.len()];
    let mut cells: Vec<Option<String>> = rows.iter().map(|(row, _)| column.label(table, *row)).collect();
    drop_missing(&mut cells);
    for ((_, image), label) in rows.iter().zip(cells) {
        let before = &mut labels[*image as usize];
        if let (Some(before), Some(label)) = (&before, &label)
            && before != label
        {
            return Err(Unfit::Because(format!(
                "it gives {} several labels ({before} and {label})",
                index.name(*image)
            )));
        }
        *before = label.or(before.take());
    }
    let notes = table.note.clone().into_iter().chain(note);
    let mut notes: Vec<String> = notes.map(|note| format!("{}: {note}", sidecar.name)).collect();
    let cell = |row: usize| table.cell(row + skip, image_column);
    if let (true, Some((row, image))) = (index.is_loose(), rows.first()) {
        notes.push(format!(
            "{}: its names are those of images, but written otherwise ({} is {})",
            sidecar.name,
            table.cell(*row, image_column),
            index.name(*image)
        ));
    }
    // Rows without an image of this part may name one of another part.
    let is_lost = |row: &usize| joined.image[*row].is_none() && index.some(cell(*row)).is_none();
    let mut lost = (0..joined.image.len()).filter(is_lost);
    let first_lost = lost.next();
    for ((count, first), one, many) in [
        ((usize::from(first_lost.is_some()) + lost.count(), first_lost), "row has no image", "rows have no image"),
        (joined.ambiguous, "row names several images", "rows name several images"),
    ] {
        if let Some(row) = first {
            let example = cell(row);
            notes.push(format!("{}: {}", sidecar.name, counted(count, one, many, example)));
        }
    }
    let labels = labels.into_iter().map(|label| label.filter(|label| label != MISSING_IN_R)).collect();
    let mut folders = vec![0; index.len()];
    for (row, image) in &rows {
        let cell = table.cell(*row, image_column).trim().trim_start_matches("./");
        folders[*image as usize] = cell.matches(['/', '\\']).count();
    }
    let rank = match (&column, &header) {
        (LabelColumn::One { at, .. }, Some(header)) => label_rank(&header[*at]),
        _ => None,
    };
    let is_one_hot = matches!(column, LabelColumn::OneHot(_));
    let (is_named, is_label) = (column.is_named(), rank.is_some_and(|rank| rank < FIRST_OF_A_FIELD));
    Ok(Read { labels, column: column.describe(header.as_deref()), is_named, is_label, is_one_hot, folders, notes })
}

/// Whether table number `at` has a column of labels of images. One-hot columns do not tell the images to learn from: beside their
/// table, as that of Plant Pathology, all images are learned from, and those without labels are said.
pub(crate) fn has_labels(sources: &Sources<'_>, at: usize) -> bool {
    let Some(Ok(table)) = sources.table(at) else { return false };
    read(sources, table, &sources.sidecars()[at], 1)
        .is_ok_and(|read| !read.is_one_hot && read.labels.iter().any(Option::is_some))
}

/// The images in a table, which is number `at`, if nearly all of its rows name one.
pub(crate) fn listed(sources: &Sources<'_>, at: usize, table: &Table) -> Option<Vec<u32>> {
    let sidecar = &sources.sidecars()[at];
    let (ImageColumn { at: column, has_header, .. }, index) = named(sources, table, sidecar).ok()?;
    let joined = index.join(table.column(column).skip(usize::from(has_header)), sidecar.scope());
    let found: Vec<u32> = joined.image.iter().flatten().copied().collect();
    (found.len() * 10 >= joined.image.len() * 9).then_some(found)
}

#[cfg(test)]
mod tests;
