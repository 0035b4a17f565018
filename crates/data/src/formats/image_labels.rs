//! Labels of image files. Sources, of which the first one that labels the training images is taken:
//!
//! 1. StyleGAN's `dataset.json` (`stylegan`);
//! 2. a file of its own beside each image, as in webdataset: `1.cls` or `1.json` beside `1.jpg` (`beside`);
//! 3. boxes of one class in each image, as YOLO has them (`yolo`);
//! 4. `metadata.csv` or `metadata.jsonl`, as hubs have them (`tables`);
//! 5. tables of attributes, 1 or -1 (`attribute_tables`);
//! 6. folders, one for each class (`folders`), unless a table gives other labels for the paths in them (`tables`);
//! 7. other tables with the name of an image and its label in each row (`tables`, `numbered`);
//! 8. files with a label a line, in the order of the images (`by_line`);
//! 9. a list of images for each class (`class_lists`);
//! 10. the names of the files, as in `cat.1.jpg` (`file_names`), or with words that a list beside them has (`class_names`).
//!
//! Classes that are numbers may have names in a file of their own (`class_names`).
//!
//! Each part of a set is labelled for itself; the classes are those of the training images.

mod attribute_tables;
mod beside;
mod by_line;
mod class_lists;
mod class_names;
mod column_parts;
mod file_names;
mod folders;
mod image_column;
mod label_column;
mod lists;
mod numbered;
mod stylegan;
mod tables;
mod yolo;

pub(crate) use class_names::{ClassNames, class_names};
pub(crate) use folders::loose;
pub(crate) use lists::lists;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use crate::attributes::Attributes;
use crate::class_labels::ClassLabels;
use crate::error::Result;
use crate::first_names::first_names;
use crate::parts::Part;
use crate::sidecars::{Index, Sidecar, Table, looks_like_table};
pub(crate) use column_parts::{parts_by_column, unclear_parts};
pub(crate) use numbered::parts as parts_by_number;
use tables::Candidates;
pub(crate) use tables::{has_labels, listed};

/// Files with the names of images that may still be tables.
const MAX_OWN: usize = 20;

/// Tables that are read, those in the fewest folders first.
const MAX_TABLES: usize = 500;

/// At least one in this many images of a part must have a label.
const MIN_SHARE: usize = 10;

/// Folders named in a note.
const MAX_FOLDERS_SAID: usize = 5;

/// The labels of the images of a part.
pub(crate) enum Values {
    /// A class for each image, by name.
    Classes(Vec<Option<String>>),
    /// Classes in their order.
    Ordered(ClassLabels),
    /// The row of each image in a table of attributes.
    Attributes(Attributes, Vec<Option<u32>>),
}

/// Labels, and where they are from.
pub(crate) struct Labelled {
    pub values: Values,
    /// `column label of train.csv`.
    pub what: String,
    /// Notes for the user.
    pub notes: Vec<String>,
    /// The files that were read, by number.
    pub used: Vec<usize>,
    /// Whether the labels are in files of their own, not in the names of the images.
    pub is_apart: bool,
}

/// The images of a set and the files beside them.
pub(crate) struct Sources<'a> {
    index: Index<'a>,
    /// The paths without the names of parts.
    kept: &'a [String],
    sidecars: &'a [Sidecar<'a>],
    /// The sidecars that may be tables, each with its table, or what is wrong with it, which is read on demand.
    tables: BTreeMap<usize, OnceLock<Result<Table, String>>>,
    /// The images by their names in any spelling, which is built on demand.
    loose: OnceLock<Index<'a>>,
    /// The labels in the tables, for each part.
    candidates: [OnceLock<Candidates>; 4],
}

/// What was found for a part.
#[derive(Default)]
pub(crate) struct Found {
    pub labels: Option<Labelled>,
    /// Why files that may hold labels are not used.
    pub unused: Vec<String>,
    /// Notes about folders that are no classes.
    pub notes: Vec<String>,
}

impl<'a> Sources<'a> {
    /// Images by their paths, also without the names of parts, and parts, and the files beside them.
    pub fn new(names: &'a [&'a str], kept: &'a [String], parts: &'a [Part], sidecars: &'a [Sidecar<'a>]) -> Self {
        let index = Index::new(names, parts);
        let may_be = |at: &usize| looks_like_table(&sidecars[*at].extension());
        let (own, mut tables): (Vec<usize>, Vec<usize>) =
            (0..sidecars.len()).filter(may_be).partition(|at| index.is_named(sidecars[*at].stem()));
        // Many files with the names of images are about one image each.
        if own.len() <= MAX_OWN {
            tables.extend(own);
        }
        tables.sort_by_key(|at| sidecars[*at].name.matches('/').count());
        tables.truncate(MAX_TABLES);
        let tables = tables.into_iter().map(|at| (at, OnceLock::new())).collect();
        Self { index, kept, sidecars, tables, loose: OnceLock::new(), candidates: Default::default() }
    }

    /// The tables with labels of the images of `part`, which are read once.
    fn candidates(&self, part: Part, images: &[u32]) -> &Candidates {
        let place = match part {
            Part::Train => 0,
            Part::Validation => 1,
            Part::Test => 2,
            Part::Unlabelled => 3,
        };
        self.candidates[place].get_or_init(|| tables::candidates(self, part, images))
    }

    /// The images' names in any spelling.
    fn loosely(&self) -> &Index<'a> {
        self.loose.get_or_init(|| self.index.loose())
    }

    /// The images' names.
    pub fn index(&self) -> &Index<'a> {
        &self.index
    }

    /// The files beside the images.
    pub fn sidecars(&self) -> &'a [Sidecar<'a>] {
        self.sidecars
    }

    /// The sidecars that may be tables, with their numbers.
    pub fn tables(&self) -> impl Iterator<Item = (usize, &'a Sidecar<'a>)> {
        self.tables.keys().map(|at| (*at, &self.sidecars[*at]))
    }

    /// The table in sidecar number `at`, or what is wrong with it; `None` if it can't be one.
    pub fn table(&self, at: usize) -> Option<&Result<Table, String>> {
        let sidecar = &self.sidecars[at];
        let is_name = |cell: &str| self.index.some(cell).is_some();
        let table = || sidecar.read().and_then(|bytes| Table::parse(&sidecar.extension(), &bytes, &is_name));
        Some(self.tables.get(&at)?.get_or_init(table))
    }

    /// Whether a table may be about images of `part`: its name names no other part that the set has, and it is no form to fill in.
    fn is_about(&self, sidecar: &Sidecar<'_>, part: Part) -> bool {
        match sidecar.scope().part {
            Some(other) if other == part => true,
            Some(Part::Unlabelled) => false,
            Some(other) => !self.index.has(other),
            None => true,
        }
    }

    /// The labels of the images with these numbers, which are those of `part`.
    ///
    /// # Errors
    /// A table with the name of CelebA's is damaged.
    pub fn of(&self, part: Part, images: &[u32]) -> Result<Found> {
        let mut found = Found::default();
        let kept: Vec<&str> = images.iter().map(|image| self.kept[*image as usize].as_str()).collect();
        if let Some(labels) = stylegan::find(self, images, &mut found.unused) {
            // The folders of classes are not used, so that those in them are of no interest.
            let notes = folders::classes(&kept).no_classes.into_iter().collect();
            return Ok(Found { labels: Some(labels), notes, ..found });
        }
        if let Some(labels) = beside::find(self, images) {
            return Ok(Found { labels: Some(labels), ..found });
        }
        let boxes = match yolo::find(self, images) {
            Some(Ok(labels)) => return Ok(Found { labels: Some(labels), ..found }),
            Some(Err(why)) => Some(why),
            None => None,
        };
        let is_metadata = |sidecar: &Sidecar<'_>| sidecar.stem().eq_ignore_ascii_case("metadata");
        if let Some(labels) = tables::find(self, part, images, &is_metadata, &mut Vec::new()) {
            return Ok(Found { labels: Some(labels), ..found });
        }
        if let Some(labels) = attribute_tables::find(self, part, images)? {
            return Ok(Found { labels: Some(labels), ..found });
        }
        let folders = folders::classes(&kept);
        found.notes.extend(folders.no_classes.into_iter().chain(folders.inner));
        let instead = match &folders.classes {
            Some(classes) => self.instead_of_folders(part, images, classes, &mut found.unused),
            None => None,
        };
        if let Some(table) = &instead {
            let names = folders.classes.map_or(String::new(), |classes| first_names(&classes.names, MAX_FOLDERS_SAID));
            let note = format!("the folders ({names}) are no classes: {table} gives the labels of the images in them");
            found.notes = vec![note];
        } else if let Some(classes) = folders.classes {
            found.labels = Some(Labelled {
                values: Values::Ordered(classes),
                what: "folders".to_owned(),
                notes: Vec::new(),
                used: Vec::new(),
                is_apart: false,
            });
            return Ok(found);
        }
        // Other parts may have tables of their own.
        let wanted =
            |sidecar: &Sidecar<'_>| part != Part::Train || instead.as_ref().is_none_or(|table| *table == sidecar.name);
        found.labels = tables::find(self, part, images, &wanted, &mut found.unused)
            .or_else(|| numbered::find(self, images))
            .or_else(|| by_line::find(self, part, images, &mut found.unused))
            .or_else(|| class_lists::find(self, images, &mut found.unused))
            .or_else(|| class_names::by_last_words(self, images))
            .or_else(|| file_names::find(&kept));
        if found.labels.is_none() {
            found.unused.extend(self.unreadable());
            found.unused.extend(boxes.or_else(|| beside::unread(self, images)));
            found.unused.extend(file_names::unclear(&kept));
        }
        Ok(found)
    }

    /// The table whose labels are taken instead of the folders of classes. The training images decide for all parts.
    fn instead_of_folders(
        &self,
        part: Part,
        images: &[u32],
        classes: &ClassLabels,
        unused: &mut Vec<String>,
    ) -> Option<String> {
        if part == Part::Train || !self.index.has(Part::Train) {
            let beside = tables::beside_folders(self, part, images, classes);
            if beside.instead.is_none() {
                unused.extend(beside.unused);
            }
            return beside.instead;
        }
        let train: Vec<u32> =
            (0..self.index.len() as u32).filter(|image| self.index.part(*image) == Part::Train).collect();
        let kept: Vec<&str> = train.iter().map(|image| self.kept[*image as usize].as_str()).collect();
        let classes = folders::classes(&kept).classes?;
        tables::beside_folders(self, Part::Train, &train, &classes).instead
    }

    /// Files that hold labels by their names, but are not read.
    fn unreadable(&self) -> impl Iterator<Item = String> {
        // Tables, and files that may hold anything.
        const TABLES: [&str; 11] =
            ["xlsx", "xls", "ods", "numbers", "parquet", "feather", "db", "sqlite", "sqlite3", "rds", "dta"];
        const OTHERS: [&str; 10] = ["mat", "pkl", "pickle", "npy", "npz", "h5", "gz", "xml", "yaml", "yml"];
        const WORDS: [&str; 8] = ["label", "class", "anno", "target", "meta", "attr", "truth", "digitstruct"];
        let holds = |sidecar: &&Sidecar<'_>| {
            let (stem, extension) = (sidecar.stem().to_lowercase(), sidecar.extension());
            let is_named = WORDS.iter().any(|word| stem.contains(word)) || stem.ends_with(".csv");
            let may_hold = TABLES.contains(&extension.as_str()) || OTHERS.contains(&extension.as_str()) && is_named;
            // Windows' own previews.
            may_hold && stem != "thumbs" && !self.index.is_named(sidecar.stem())
        };
        let say = |sidecar: &Sidecar<'_>| {
            let (name, extension) = (&sidecar.name, sidecar.extension());
            format!(
                "{name}: labels in .{extension} beside image files are not read; save them as CSV with the columns file_name and label"
            )
        };
        self.sidecars.iter().filter(holds).take(3).map(say)
    }
}

impl Labelled {
    /// Labels in files of their own.
    fn apart(values: Values, what: String, notes: Vec<String>, used: Vec<usize>) -> Self {
        Self { values, what, notes, used, is_apart: true }
    }
}

/// Text of a label; `None` if it says that there is none. What -1 says depends on the other labels: see `drop_missing`. A list as
/// Python writes it is its only label, or all of them with signs between.
fn label(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let labels = inner.split(',').filter_map(|one| label(one.trim().trim_matches(['\'', '"'])));
        return Some(labels.collect::<Vec<_>>().join(SEVERAL)).filter(|labels| !labels.is_empty());
    }
    // As VGG's annotator writes them.
    if text.starts_with('{')
        && let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(text)
    {
        let ranked = fields.iter().min_by_key(|(key, _)| label_rank(key).unwrap_or(usize::MAX));
        let (_, value) = ranked.filter(|(key, _)| fields.len() == 1 || label_rank(key).is_some())?;
        return match value {
            serde_json::Value::String(text) => label(text),
            serde_json::Value::Number(number) => label(&number.to_string()),
            _ => None,
        };
    }
    let none = ["", "?", "nan", "null", "none", "n/a", "<na>"].iter().any(|none| text.eq_ignore_ascii_case(none));
    // Tables with missing labels are written with the others as fractions, numpy's as 7.000000e+00.
    let whole = text.strip_suffix(".0").unwrap_or(text);
    let whole = Some(whole.strip_prefix('+').unwrap_or(whole)).filter(|whole| whole.parse::<i64>().is_ok());
    let number = || text.parse::<f64>().ok().filter(|_| text.contains('.') && text.contains(['e', 'E']));
    let number = || number().filter(|number| number.fract() == 0.0 && number.abs() < 1e9);
    (!none).then(|| {
        whole.map(str::to_owned).or_else(|| Some(format!("{:.0}", number()?))).unwrap_or_else(|| text.to_owned())
    })
}

/// Takes back why a file is not used, as another reading of it is.
fn take_back(unused: &mut Vec<String>, sidecar: &Sidecar<'_>) {
    let start = format!("{}: ", sidecar.name);
    unused.retain(|reason| !reason.starts_with(&start));
}

/// What is between several labels of an image.
const SEVERAL: &str = "|";

/// A label that says that there is none, but beside 1 alone.
const MISSING: &str = "-1";

/// Whether labels are those of two classes, -1 and 1.
fn are_signs<'a>(labels: impl Iterator<Item = &'a String>) -> bool {
    let found: BTreeSet<&str> = labels.map(String::as_str).collect();
    found.into_iter().eq([MISSING, "1"])
}

/// Takes away -1 where it is no class: the labels of a source, by the rule of `ClassLabels`.
fn drop_missing(labels: &mut [Option<String>]) {
    if !are_signs(labels.iter().flatten()) {
        labels.iter_mut().filter(|label| label.as_deref() == Some(MISSING)).for_each(|label| *label = None);
    }
}

/// A note on things of which there are `count`, with an example.
fn counted(count: usize, one: &str, many: &str, example: &str) -> String {
    match count {
        1 => format!("1 {one} ({example})"),
        _ => format!("{count} {many} ({example}, for one)"),
    }
}

/// The names of the columns that hold labels, without spaces and signs, in order of preference.
const LABEL_COLUMNS: [&str; 38] = [
    "labelname",
    "classname",
    "categoryname",
    "label",
    "labels",
    "class",
    "classes",
    "category",
    "categories",
    "target",
    "targets",
    "y",
    "cls",
    "classid",
    "labelid",
    "categoryid",
    "classlabel",
    "categorylabel",
    "choice",
    "species",
    "breed",
    "variety",
    "diagnosis",
    "dx",
    "disease",
    "findinglabels",
    "emotion",
    "expression",
    "digit",
    "character",
    "kind",
    "style",
    "genre",
    "artist",
    "groundtruth",
    "type",
    "tag",
    "tags",
];

/// The place of `species`, from which on the names are those of certain fields.
const FIRST_OF_A_FIELD: usize = 19;

/// The rank of a column's name among those of labels.
fn label_rank(name: &str) -> Option<usize> {
    // `y]` is the end of a name with commas, not a name.
    if name.matches(['[', '(']).count() != name.matches([']', ')']).count() {
        return None;
    }
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    LABEL_COLUMNS.iter().position(|known| *known == plain)
}

#[cfg(test)]
mod tests {
    use super::testing::Case;
    use super::{Part, label};

    #[test]
    fn labels_are_read_as_programs_write_them() {
        for (text, expected) in [
            ("7.000000e+00", Some("7")),
            ("7.0", Some("7")),
            ("7.5e+00", Some("7.5e+00")),
            ("1e5", Some("1e5")),
            ("{\"kind\": \"cat\"}", Some("cat")),
            ("{\"size\": 3, \"label\": \"cat\"}", Some("cat")),
            ("{\"size\": 3, \"height\": 4}", None),
            ("{}", None),
            ("['cat']", Some("cat")),
            ("nan", None),
        ] {
            assert_eq!(label(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn files_that_are_not_read_are_named() {
        for name in ["labels.numbers", "set.db", "x.parquet", "digitStruct.mat", "annotations.xml", "labels.yaml"] {
            let said = Case::new("1.png 2.png", &[(name, "")]).labels(Part::Train).2.join("; ");
            assert!(said.starts_with(name) && said.contains("are not read; save them as CSV"), "{name}: {said}");
        }
        for name in ["notes.yaml", "x.mat", "1.xml", "readme.pdf", "Thumbs.db"] {
            assert_eq!(Case::new("1.png 2.png", &[(name, "")]).labels(Part::Train).2, [""; 0], "{name}");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod testing {
    use super::*;

    /// A set of training images with the texts beside them.
    pub(crate) struct Case {
        pub names: Vec<&'static str>,
        pub kept: Vec<String>,
        pub parts: Vec<Part>,
        pub sidecars: Vec<Sidecar<'static>>,
    }

    impl Case {
        /// Images by their names, with spaces between them; those in `test/` are test images.
        pub fn new(images: &'static str, sidecars: &[(&'static str, &'static str)]) -> Self {
            let names: Vec<&str> = images.split_whitespace().collect();
            let part = |name: &&str| if name.starts_with("test/") { Part::Test } else { Part::Train };
            Self {
                kept: names.iter().map(|name| (*name).to_owned()).collect(),
                parts: names.iter().map(part).collect(),
                sidecars: sidecars
                    .iter()
                    .map(|&(name, text)| Sidecar::new(name, false, move || Ok(text.as_bytes().to_vec())))
                    .collect(),
                names,
            }
        }

        /// The labels of the images of a part (`-` for none), where they are from, and notes.
        pub fn labels(&self, part: Part) -> (String, String, Vec<String>) {
            let sources = Sources::new(&self.names, &self.kept, &self.parts, &self.sidecars);
            let images: Vec<u32> = (0..self.names.len() as u32).filter(|at| self.parts[*at as usize] == part).collect();
            let found = sources.of(part, &images).unwrap();
            let Some(labelled) = found.labels else { return (String::new(), String::new(), found.unused) };
            let labels: Vec<String> = match labelled.values {
                Values::Classes(labels) => labels.into_iter().map(|label| label.unwrap_or("-".to_owned())).collect(),
                Values::Ordered(classes) => classes
                    .labels
                    .iter()
                    .map(|label| label.map_or("-".to_owned(), |label| classes.names[label as usize].clone()))
                    .collect(),
                Values::Attributes(table, rows) => rows
                    .into_iter()
                    .map(|row| match row.and_then(|row| table.row(row as usize)) {
                        Some(row) => row.iter().map(|has| if *has { '1' } else { '0' }).collect(),
                        None => "-".to_owned(),
                    })
                    .collect(),
            };
            (labels.join(" "), labelled.what, labelled.notes)
        }

        /// What is said of folders, and of files that are not used.
        pub fn said(&self, part: Part) -> Vec<String> {
            let sources = Sources::new(&self.names, &self.kept, &self.parts, &self.sidecars);
            let images: Vec<u32> = (0..self.names.len() as u32).filter(|at| self.parts[*at as usize] == part).collect();
            let found = sources.of(part, &images).unwrap();
            [found.notes, found.unused].concat()
        }

        /// The labels of the training images.
        pub fn train(&self) -> String {
            self.labels(Part::Train).0
        }
    }
}
