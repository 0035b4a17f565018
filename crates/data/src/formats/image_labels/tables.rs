//! Tables with the name of an image and its label in each row, as on Kaggle and hubs: `image_column` finds the
//! column with the names; the labels are in a column called so, else in the only other one with few values.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::FIRST_OF_A_FIELD;
use super::image_column::{self, ImageColumn};
use super::{
    LABEL_COLUMNS, Labelled, MIN_SHARE, MISSING, Sources, Values, are_signs, counted, drop_missing, label, label_rank,
};
use crate::class_labels::ClassLabels;
use crate::parts::{Part, part_of, rest_of};
use crate::sidecars::{Index, SEVERAL_OBJECTS, Sidecar, Table};

/// Columns looked at.
pub(super) const MAX_COLUMNS: usize = 64;

/// What R writes where a value is missing.
const MISSING_IN_R: &str = "NA";

/// Most classes of a table.
const MAX_CLASSES: usize = 65_536;

/// The labels in one table.
struct Read {
    /// The label of each image of the set.
    labels: Vec<Option<String>>,
    /// The name of the column.
    column: Option<String>,
    /// Whether the column has a name for labels.
    is_named: bool,
    /// The number of folders that the table gives for each image.
    folders: Vec<usize>,
    notes: Vec<String>,
}

/// Why a table has no labels.
#[derive(Debug)]
pub(super) enum Unfit {
    /// It names none of the images.
    NoImages,
    Because(String),
}

/// A table with labels: the number of images that have one, the number of its file, and the labels.
type Candidate = (usize, usize, Read);

/// The tables with labels of the images, those of most images first.
fn candidates(sources: &Sources<'_>, part: Part, images: &[u32], unused: &mut Vec<String>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
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
            Some(Ok(table)) => match read(table, sources.index(), sidecar, if part == Part::Train { 2 } else { 1 }) {
                Ok(read) => {
                    let count = images.iter().filter(|image| read.labels[**image as usize].is_some()).count();
                    if count * MIN_SHARE >= images.len().max(1) {
                        found.push((count, at, read));
                    } else if count > 0 {
                        unused.push(format!("{name}: it has labels of only {count} of {} images", images.len()));
                    }
                }
                // A table beside may be about something else.
                Err(Unfit::Because(_))
                    if sidecar.is_outside
                        && image_column::most_named(table, sources.index()) * 2 < sources.index().len() => {}
                // Files about one image each; lists of the images of a part.
                Err(_) if sources.index().is_named(sidecar.stem()) => {}
                Err(Unfit::Because(_)) if is_prose(sidecar) && table.columns() == 1 => {}
                Err(Unfit::Because(why)) => unused.push(format!("{name}: {why}")),
                Err(Unfit::NoImages) if sidecar.is_outside || is_prose(sidecar) => {}
                Err(Unfit::NoImages) => {
                    let row = usize::from(table.header.is_none() && table.rows() > 1);
                    let columns = if row < table.rows() { table.columns().min(3) } else { 0 };
                    let cells: Vec<&str> = (0..columns).map(|column| table.cell(row, column)).collect();
                    let image = images.first().map_or("", |image| sources.index().name(*image));
                    unused.push(format!(
                        "{name}: it names none of the images: a row begins with {}, an image is called {image}",
                        cells.join(", ")
                    ));
                }
            },
        }
    }
    // Stable: of equally good ones the first by depth and name.
    found.sort_by_key(|(count, at, read)| {
        let sidecar = &sources.sidecars()[*at];
        let rank = (std::cmp::Reverse(*count), !read.is_named, sidecar.is_outside);
        (rank, sidecar.name.matches('/').count(), sidecar.name.clone())
    });
    found
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
    let mut found = candidates(sources, part, images, unused);
    let best = found.iter().position(|(_, at, _)| wanted(&sources.sidecars()[*at]))?;
    let (count, at, mut read) = found.remove(best);
    let others = against(sources, images, (count, &sources.sidecars()[at].name, &read), &found);
    let name = &sources.sidecars()[at].name;
    let labels: Vec<Option<String>> = images.iter().map(|image| read.labels[*image as usize].take()).collect();
    read.notes.extend(others);
    let what = read.column.map_or_else(|| name.clone(), |column| format!("column {column} of {name}"));
    Some(Labelled::apart(Values::Classes(labels), what, read.notes, vec![at]))
}

/// Notes on other tables with labels: those that disagree with the one that is taken, and those with other classes.
fn against(
    sources: &Sources<'_>,
    images: &[u32],
    (count, name, taken): (usize, &str, &Read),
    others: &[Candidate],
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
    let mut beside = Beside::default();
    for (count, at, read) in candidates(sources, part, images, &mut Vec::new()) {
        let sidecar = &sources.sidecars()[at];
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
        if are_same || !(read.is_named || is_most(count) && !is_prose(sidecar)) {
            continue;
        }
        let largest = |folder: &&str| pairs.iter().filter(|((of, _), _)| of == folder).map(|(_, count)| *count).max();
        let alike: usize = of_folders.iter().filter_map(largest).sum();
        let all: usize = pairs.values().sum();
        let share_names = !of_folders.is_disjoint(&of_table);
        let is_label = read.column.as_deref().and_then(label_rank).is_some_and(|rank| rank < FIRST_OF_A_FIELD);
        if is_label && is_most(with_folder) && alike * 10 <= all * 9 && !share_names && beside.instead.is_none() {
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

/// Reads a table whose labels must have at least `least` different values.
fn read(table: &Table, index: &Index<'_>, sidecar: &Sidecar<'_>, least: usize) -> Result<Read, Unfit> {
    let ImageColumn { at: image_column, has_header, note } = image_column::find(table, index, sidecar.scope())?;
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
                "{count} rows name several images each ({}, for one); give the paths of the images",
                table.cell(row + skip, image_column)
            )),
            (_, None) => Unfit::NoImages,
        });
    }
    let (column, is_named) = label_column(table, header.as_deref(), image_column, &rows, least)?;
    let mut labels: Vec<Option<String>> = vec![None; index.len()];
    let mut cells: Vec<Option<String>> = rows.iter().map(|(row, _)| label(table.cell(*row, column))).collect();
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
    let mut notes: Vec<String> = note.into_iter().map(|note| format!("{}: {note}", sidecar.name)).collect();
    let cell = |row: usize| table.cell(row + skip, image_column);
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
    Ok(Read { labels, column: header.map(|header| header[column].clone()), is_named, folders, notes })
}

/// The column of labels, and whether it has a name for labels.
fn label_column(
    table: &Table,
    header: Option<&[String]>,
    image_column: usize,
    rows: &[(usize, u32)],
    least: usize,
) -> Result<(usize, bool), Unfit> {
    let because = |why: String| Err(Unfit::Because(why));
    let others: Vec<usize> = (0..table.columns().min(MAX_COLUMNS)).filter(|column| *column != image_column).collect();
    let name = |column: usize| header.map_or(String::new(), |header| header[column].clone());
    let of = |&column: &usize| (column, Found::of(table, column, rows, &name(column)));
    let found: HashMap<usize, Found> = others.iter().map(of).collect();
    let mut named: Vec<(usize, usize)> =
        others.iter().filter_map(|&column| Some((label_rank(&name(column))?, column))).collect();
    named.sort_unstable();
    let may_be_named = |column: &usize| found[column].distinct < rows.len() || rows.len() < 3 || least == 1;
    if let Some((_, column)) = named.iter().find(|(_, column)| found[column].is_fit(least) && may_be_named(column)) {
        return Ok((*column, true));
    }
    if let Some((_, column)) = named.first() {
        let Found { distinct, several, has_missing, .. } = found[column];
        return because(match (distinct, several) {
            (_, true) => format!("its column {} has several labels for an image", name(*column)),
            (0, _) => format!("its column {} holds no labels", name(*column)),
            (1, _) if has_missing => {
                format!("its column {} has the same value in all rows with a label (-1 is none)", name(*column))
            }
            (1, _) => format!("its column {} has the same value in all rows", name(*column)),
            _ => format!(
                "its column {} has {distinct} different values in {} rows, which are no classes",
                name(*column),
                rows.len()
            ),
        });
    }
    let few = |column: &&usize| {
        let of = &found[*column];
        of.is_fit(2) && of.distinct * 2 <= rows.len() + 1 && part_of(&name(**column)).is_none() && !of.are_parts
    };
    let fit: Vec<usize> = others.iter().filter(few).copied().collect();
    match (&fit[..], header) {
        ([only], _) => Ok((*only, false)),
        // In lists without names of columns the label follows the image.
        ([first, ..], None) => Ok((*first, false)),
        ([], _) if others.is_empty() => because("it has no column beside the names of the images".to_owned()),
        ([], _) => because("it has no column of labels: none of its columns has few values".to_owned()),
        (several, _) => {
            let names: Vec<String> = several.iter().take(5).map(|column| name(*column)).collect();
            because(format!("its labels may be in {}; call the right column {}", names.join(", "), LABEL_COLUMNS[3]))
        }
    }
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    /// Different values, not counting empty ones and -1 for a missing one.
    distinct: usize,
    /// Whether some are -1 for a missing one.
    has_missing: bool,
    /// Whether some are fractions.
    fractions: bool,
    /// Whether some are several labels.
    several: bool,
    /// Whether all are names of parts.
    are_parts: bool,
}

impl Found {
    fn of(table: &Table, column: usize, rows: &[(usize, u32)], name: &str) -> Self {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut found = Self { are_parts: true, ..Self::default() };
        for (row, _) in rows {
            let Some(label) = label(table.cell(*row, column)).filter(|label| label != MISSING_IN_R) else { continue };
            found.fractions |= label.contains('.') && label.parse::<f64>().is_ok();
            if seen.len() <= MAX_CLASSES && !seen.contains(&label) {
                found.are_parts &= label == MISSING || part_of(&label).is_some();
                seen.insert(label);
            }
        }
        let has_missing = seen.contains(MISSING) && !are_signs(seen.iter());
        let distinct = seen.len() - usize::from(has_missing);
        Self { distinct, has_missing, several: are_lists(&seen, name), ..found }
    }

    /// Whether the values may be classes, of which there must be `least`.
    fn is_fit(&self, least: usize) -> bool {
        (least..=MAX_CLASSES).contains(&self.distinct) && !self.fractions && !self.several
    }
}

/// Whether some of the values of a column are lists of several labels: words between signs that make up fewer labels than there are
/// values. Spaces part labels only in columns whose names say so.
fn are_lists(values: &BTreeSet<String>, name: &str) -> bool {
    let plural = ["tags", "labels", "classes", "categories", "attributes"];
    let spaces = plural.iter().any(|plural| name.trim().eq_ignore_ascii_case(plural));
    values.iter().any(|value| value.contains('|'))
        || [',', ';', ' '].into_iter().filter(|sign| *sign != ' ' || spaces).any(|sign| {
            let labels: BTreeSet<&str> = values.iter().flat_map(|value| value.split(sign).map(str::trim)).collect();
            values.iter().any(|value| value.contains(sign)) && labels.len() <= values.len()
        })
}

/// The part that a column such as `is_valid` says of its rows by yes and no. Columns such as `train`, `test` and `pred` may also
/// be attributes or a model's answers.
fn part_by_flag(name: &str, cell: &str) -> Option<Part> {
    let part = part_of(name).filter(|part| *part != Part::Unlabelled && rest_of(name).eq_ignore_ascii_case("is"))?;
    let other = if part == Part::Train { Part::Validation } else { Part::Train };
    match cell.to_ascii_lowercase().as_str() {
        "1" | "1.0" | "true" | "yes" => Some(part),
        "0" | "0.0" | "false" | "no" => Some(other),
        _ => None,
    }
}

/// Whether table number `at` has labels of images.
pub(crate) fn has_labels(sources: &Sources<'_>, at: usize) -> bool {
    let Some(Ok(table)) = sources.table(at) else { return false };
    read(table, sources.index(), &sources.sidecars()[at], 1).is_ok_and(|read| read.labels.iter().any(Option::is_some))
}

/// The images in a table, which is number `at`, if nearly all of its rows name one.
pub(crate) fn listed(sources: &Sources<'_>, at: usize, table: &Table) -> Option<Vec<u32>> {
    let scope = sources.sidecars()[at].scope();
    let ImageColumn { at: column, has_header, .. } = image_column::find(table, sources.index(), scope).ok()?;
    let joined = sources.index().join(table.column(column).skip(usize::from(has_header)), scope);
    let found: Vec<u32> = joined.image.iter().flatten().copied().collect();
    (found.len() * 10 >= joined.image.len() * 9).then_some(found)
}

/// The parts of the images by a column of a table, such as `split`, whose values are names of parts; with the table's number and
/// the column's name.
pub(crate) fn parts_by_column(sources: &Sources<'_>) -> Option<(Vec<Option<Part>>, usize, String)> {
    for (at, sidecar) in sources.tables() {
        let Some(Ok(table)) = sources.table(at) else { continue };
        let column = image_column::find(table, sources.index(), sidecar.scope());
        let Ok(ImageColumn { at: image_column, has_header, .. }) = column else { continue };
        let skip = usize::from(has_header);
        let joined = sources.index().join(table.column(image_column).skip(skip), sidecar.scope());
        for column in (0..table.columns().min(MAX_COLUMNS)).filter(|column| *column != image_column) {
            let name = match &table.header {
                Some(header) => header[column].clone(),
                None if has_header => table.cell(0, column).to_owned(),
                None => continue,
            };
            let mut parts = vec![None; sources.index().len()];
            let cells = table.column(column).skip(skip).zip(&joined.image);
            let all = cells.map(|(cell, image)| {
                let part = part_of(cell).or_else(|| part_by_flag(&name, cell))?;
                if let Some(image) = image {
                    parts[*image as usize] = Some(part);
                }
                Some(())
            });
            if all.collect::<Option<()>>().is_some() && parts.contains(&Some(Part::Train)) {
                return Some((parts, at, name));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use crate::parts::Part;

    const SIX: &str = "img/1.png img/2.png img/3.png img/4.png img/5.png img/6.png";

    #[test]
    fn labels_are_found_in_any_usual_table() {
        for (name, text, what, labels) in [
            (
                "train.csv",
                "id,label\n1,cat\n2,dog\n3,cat\n4,dog\n5,cat\n6,dog\n",
                "column label of train.csv",
                "cat dog cat dog cat dog",
            ),
            (
                "labels.csv",
                "image_id;breed\n1.png;b\n2.png;a\n3.png;b\n4.png;a\n5.png;b\n",
                "column breed of labels.csv",
                "b a b a b -",
            ),
            // Named for labels, though each value is rare; unnamed, with few values; the other name is that of the image.
            ("x.csv", "file,class\n1,a\n2,b\n3,c\n4,d\n5,e\n6,e\n", "column class of x.csv", "a b c d e e"),
            ("x.csv", "file,blob\n1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n", "column blob of x.csv", "a b a b a b"),
            (
                "train.csv",
                "Image,Id\n1.png,w1\n2.png,w2\n3.png,w1\n4.png,w2\n5.png,w1\n6.png,new\n",
                "column Id of train.csv",
                "w1 w2 w1 w2 w1 new",
            ),
            // Without a header.
            (
                "val_annotations.txt",
                "1.png\tn1\t0\t0\n2.png\tn2\t0\t1\n3.png\tn1\t5\t2\n4.png\tn2\t5\t3\n",
                "val_annotations.txt",
                "n1 n2 n1 n2 - -",
            ),
            ("list.txt", "img/1 1\nimg/2 2\nimg/3 1\nimg/4 2\nimg/5 1\nimg/6 2\n", "list.txt", "1 2 1 2 1 2"),
            // A path, a number first; missing labels.
            (
                "x.csv",
                ",path,label\n0,img/1.png,3.0\n1,img/2.png,\n2,img/3.png,4.0\n3,img/4.png,3.0\n",
                "column label of x.csv",
                "3 - 4 3 - -",
            ),
            (
                "metadata.jsonl",
                "{\"file_name\": \"img/1.png\", \"label\": 7}\n{\"file_name\": \"img/2.png\", \"label\": 9}\n",
                "column label of metadata.jsonl",
                "7 9 - - - -",
            ),
            (
                "labels.json",
                "{\"1.png\": \"a\", \"2.png\": \"b\", \"3.png\": \"a\", \"4.png\": \"b\"}",
                "labels.json",
                "a b a b - -",
            ),
            // Two classes, of which one is -1; a missing label.
            ("x.csv", "id,label\n1,1\n2,-1\n3,1\n4,-1\n", "column label of x.csv", "1 -1 1 -1 - -"),
            ("x.csv", "id,label\n1,1.0\n2,-1.0\n3,+1\n4,-1.0\n", "column label of x.csv", "1 -1 1 -1 - -"),
            ("x.csv", "id,blob\n1,1\n2,-1\n3,1\n4,-1\n", "column blob of x.csv", "1 -1 1 -1 - -"),
            ("x.csv", "id,label\n1,1\n2,-1\n3,0\n4,-1\n4,1\n", "column label of x.csv", "1 - 0 1 - -"),
            ("x.csv", "id,label\n1,cat\n2,-1.0\n3,dog\n4,cat\n", "column label of x.csv", "cat - dog cat - -"),
            // Both a number and a name.
            ("x.csv", "file,class_id,class_name\n1,0,a\n2,1,b\n3,0,a\n", "column class_name of x.csv", "a b a - - -"),
        ] {
            let (found, from, notes) = Case::new(SIX, &[(name, text)]).labels(Part::Train);
            assert_eq!((found.as_str(), from.as_str()), (labels, what), "{text} {notes:?}");
        }
    }

    #[test]
    fn tables_that_do_not_fit_say_why() {
        for (text, expected) in [
            ("id\n1\n2\n", "it has no column beside the names of the images"),
            ("id,score\n1,0.25\n2,0.5\n3,0.25\n4,0.5\n", "none of its columns has few values"),
            ("id,a,b\n1,x,u\n2,y,v\n3,x,u\n4,y,v\n", "its labels may be in a, b; call the right column label"),
            ("id,label\n1,a\n1,b\n2,a\n", "it gives img/1.png several labels (a and b)"),
            ("id,label\n1,a\n2,a\n3,a\n", "its column label has the same value in all rows"),
            ("id,label\n1,5\n2,-1\n3,5\n", "its column label has the same value in all rows with a label (-1 is none)"),
            ("id,label\n1,-1\n2,-1\n3,-1\n", "its column label holds no labels"),
            ("id,label\n1,a\n2,b\n3,c\n4,d\n", "its column label has 4 different values in 4 rows"),
            ("id,labels\n1,a|b\n2,a\n3,a\n", "its column labels has several labels for an image"),
            ("id,label\nx,a\ny,b\n", "it names none of the images"),
        ] {
            let (found, _, unused) = Case::new(SIX, &[("x.csv", text)]).labels(Part::Train);
            assert_eq!(found, "", "{text}");
            assert!(
                unused.len() == 1 && unused[0].starts_with("x.csv: ") && unused[0].contains(expected),
                "{unused:?}"
            );
        }
        let (found, _, unused) =
            Case::new("a/1.png b/1.png c.png", &[("x.csv", "id,label\n1,a\n1,b\n")]).labels(Part::Train);
        assert_eq!((found.as_str(), unused.len()), ("", 1));
        assert!(unused[0].contains("rows name several images each (1, for one)"), "{unused:?}");
    }

    #[test]
    fn what_is_missing_is_counted() {
        let text = "id,label\n1,cat\n2,dog\n3,cat\n4,dog\n8,cat\n9,dog\n";
        let (_, _, notes) = Case::new(SIX, &[("x.csv", text)]).labels(Part::Train);
        assert_eq!(notes, ["x.csv: 2 rows have no image (8, for one)"]);
        // The first of them names a test image.
        let text = "id,label\n4,a\n1,a\n2,b\n3,a\n9,b\n8,a\n";
        let (_, _, notes) =
            Case::new("train/1.png train/2.png train/3.png test/4.png", &[("train.csv", text)]).labels(Part::Train);
        assert_eq!(notes, ["train.csv: 2 rows have no image (9, for one)"]);
    }

    #[test]
    fn each_part_has_its_table_and_the_better_one_is_taken() {
        let images = "train/1.png train/2.png train/3.png test/1.png test/2.png test/3.png";
        let tables = [("train.csv", "id,label\n1,a\n2,b\n3,a\n"), ("test.csv", "id,label\n1,b\n2,b\n3,a\n")];
        let case = Case::new(images, &tables);
        assert_eq!((case.train().as_str(), case.labels(Part::Test).0.as_str()), ("a b a", "b b a"));
        let inside = [
            ("train/metadata.csv", "file_name,label\n1.png,a\n2.png,b\n3.png,a\n"),
            ("test/metadata.csv", "file_name,label\n1.png,b\n2.png,a\n3.png,a\n"),
        ];
        let case = Case::new(images, &inside);
        assert_eq!((case.train().as_str(), case.labels(Part::Test).0.as_str()), ("a b a", "b a a"));
        let two = [("a.csv", "id,label\n1,a\n2,b\n3,a\n"), ("b.csv", "id,label\n1,a\n2,b\n3,a\n4,b\n5,a\n")];
        let (_, what, notes) = Case::new(SIX, &two).labels(Part::Train);
        assert_eq!((what.as_str(), notes.len()), ("column label of b.csv", 0));
        let equal = [("a.csv", "id,label\n1,a\n2,b\n3,a\n"), ("b.csv", "id,label\n1,x\n2,y\n3,x\n")];
        let (_, what, notes) = Case::new("1.png 2.png 3.png", &equal).labels(Part::Train);
        assert_eq!(
            (what.as_str(), notes),
            ("column label of a.csv", vec!["labels are also in b.csv, which is not used".to_owned()])
        );
    }

    #[test]
    fn tables_that_disagree_are_named() {
        let images = "1.png 2.png 3.png 4.png";
        let labels = ("labels.csv", "file,label\n1.png,a\n2.png,b\n3.png,a\n4.png,b\n");
        for (name, text, used, said) in [
            (
                "annotations.csv",
                "file,label\n1.png,b\n2.png,b\n3.png,b\n4.png,a\n",
                "annotations.csv",
                "annotations.csv and labels.csv disagree on the labels of 3 of 4 images; annotations.csv is taken",
            ),
            (
                "metadata.csv",
                "file_name,label\n1.png,b\n2.png,b\n3.png,a\n",
                "metadata.csv",
                "metadata.csv and labels.csv disagree on the labels of 1 of 3 images; metadata.csv is taken",
            ),
            ("z.csv", "file,label\n1.png,a\n2.png,b\n3.png,a\n4.png,b\n", "labels.csv", ""),
            (
                "z.csv",
                "file,label\n1.png,x\n2.png,y\n3.png,y\n4.png,y\n",
                "labels.csv",
                "labels are also in z.csv, which is not used",
            ),
        ] {
            let (_, what, notes) = Case::new(images, &[labels, (name, text)]).labels(Part::Train);
            assert_eq!((what, notes.join("; ").as_str()), (format!("column label of {used}"), said), "{text}");
        }
    }

    #[test]
    fn missing_values_of_r_are_no_class() {
        let text = "file,label\n1,cat\n2,NA\n3,dog\n4,cat\n5,Na\n6,dog\n";
        assert_eq!(Case::new(SIX, &[("x.csv", text)]).train(), "cat - dog cat Na dog");
    }

    #[test]
    fn a_table_of_paths_with_other_labels_comes_before_folders() {
        let images = "batch_x/0.png batch_x/1.png batch_y/0.png batch_y/1.png test/batch_x/2.png test/batch_y/2.png";
        let rows = "batch_x/0.png,cat\nbatch_x/1.png,dog\nbatch_y/0.png,dog\nbatch_y/1.png,cat\n";
        let table: &'static str =
            Box::leak(format!("path,label\n{rows}test/batch_x/2.png,dog\ntest/batch_y/2.png,cat\n").into_boxed_str());
        let case = Case::new(images, &[("labels.csv", table)]);
        let (labels, what, _) = case.labels(Part::Train);
        assert_eq!((labels.as_str(), what.as_str()), ("cat dog dog cat", "column label of labels.csv"));
        // One label for each folder of test images, yet those of the table.
        assert_eq!(case.labels(Part::Test).0, "dog cat");
        let said = |images, text| {
            let case = Case::new(images, &[("labels.csv", text)]);
            (case.train(), case.said(Part::Train).join("; "))
        };
        let images = "batch_x/0.png batch_x/1.png batch_y/0.png batch_y/1.png";
        let folders = "batch_x batch_x batch_y batch_y";
        // Another table with labels is not taken for the one that decides.
        let table: &'static str = Box::leak(format!("path,label\n{rows}").into_boxed_str());
        let species = "file,species\nbatch_x/0.png,x\nbatch_x/1.png,y\nbatch_y/0.png,x\nbatch_y/1.png,x\n";
        let two = Case::new(images, &[("labels.csv", table), ("a.csv", species)]);
        assert_eq!(two.labels(Part::Train).1, "column label of labels.csv");
        let taken = said(images, Box::leak(format!("path,label\n{rows}").into_boxed_str()));
        let note = "the folders (batch_x, batch_y) are no classes: labels.csv gives the labels of the images in them";
        assert_eq!(taken, ("cat dog dog cat".to_owned(), note.to_owned()));
        for (text, note) in [
            // The same classes by other names.
            ("path,label\nbatch_x/0.png,u\nbatch_x/1.png,u\nbatch_y/0.png,v\nbatch_y/1.png,v\n", ""),
            // No label, but something else.
            (
                "path,weather\nbatch_x/0.png,u\nbatch_x/1.png,v\nbatch_y/0.png,v\nbatch_y/1.png,u\n",
                "labels.csv: the folders are taken instead",
            ),
            // Not of every image.
            (
                "path,label\nbatch_x/0.png,u\nbatch_x/1.png,v\nbatch_y/0.png,v\n",
                "labels.csv: the folders are taken instead",
            ),
            (
                "path,label\nbatch_x/0.png,batch_x\nbatch_x/1.png,batch_y\nbatch_y/0.png,batch_y\nbatch_y/1.png,batch_x\n",
                "labels.csv: it disagrees with the folders on 2 of 4 images; the folders are taken",
            ),
        ] {
            assert_eq!(said(images, text), (folders.to_owned(), note.to_owned()), "{text}");
        }
    }

    #[test]
    fn folders_that_are_classes_come_before_tables() {
        let images = "cat/1.png cat/2.png dog/3.png dog/4.png";
        let table = [("x.csv", "id,label\n1,a\n2,b\n3,a\n4,b\n")];
        assert_eq!(Case::new(images, &table).train(), "cat cat dog dog");
        assert_eq!(Case::new(images, &[("metadata.csv", table[0].1)]).train(), "a b a b");
    }
}
