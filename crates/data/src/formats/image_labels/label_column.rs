//! The column of a table that holds the labels: one called so, else the only other one with few values, or several of one class
//! each (one-hot).

use std::collections::{BTreeSet, HashMap};

use super::tables::{MAX_COLUMNS, MISSING_IN_R, Unfit};
use super::{LABEL_COLUMNS, MISSING, are_signs, label, label_rank};
use crate::first_names::first_names;
use crate::parts::{is_of_parts, part_of, yes_or_no};
use crate::sidecars::Table;

/// Columns with few values that are about the making of a set: folds of a cross-validation, days.
const NO_LABELS: [&str; 9] = ["fold", "folds", "kfold", "kfolds", "cv", "cvfold", "date", "datetime", "timestamp"];

/// Most classes of a table.
const MAX_CLASSES: usize = 65_536;

/// Fewest columns of one class each: two may exclude each other by chance.
const MIN_ONE_HOT: usize = 3;

/// Columns named in a message.
const MAX_SAID: usize = 5;

/// Where the labels of a table are.
pub(super) enum LabelColumn {
    /// In this column, which may have a name for labels.
    One { at: usize, is_named: bool },
    /// In columns of one class each, of which a row marks one; with their names.
    OneHot(Vec<(usize, String)>),
}

impl LabelColumn {
    /// The label in a row.
    pub fn label(&self, table: &Table, row: usize) -> Option<String> {
        match self {
            Self::One { at, .. } => label(table.cell(row, *at)),
            Self::OneHot(columns) => {
                columns.iter().find(|(at, _)| mark(table.cell(row, *at)) == Some(true)).map(|(_, name)| name.clone())
            }
        }
    }

    /// How the column is called, in a table with these names of columns.
    pub fn describe(&self, header: Option<&[String]>) -> Option<String> {
        match self {
            Self::One { at, .. } => header.map(|header| format!("column {}", header[*at])),
            Self::OneHot(columns) => {
                let names: Vec<&str> = columns.iter().map(|(_, name)| name.as_str()).collect();
                Some(format!("one-hot columns {}", first_names(&names, MAX_SAID)))
            }
        }
    }

    /// Whether it has a name for labels.
    pub fn is_named(&self) -> bool {
        matches!(self, Self::One { is_named: true, .. })
    }
}

/// Finds the column of labels of the images in `rows`, each with its row, which must have at least `least` different values.
///
/// # Errors
/// No column holds labels, or several may.
pub(super) fn find(
    table: &Table,
    header: Option<&[String]>,
    image_column: usize,
    rows: &[(usize, u32)],
    least: usize,
) -> Result<LabelColumn, Unfit> {
    let because = |why: String| Err(Unfit::Because(why));
    let others: Vec<usize> = (0..table.columns().min(MAX_COLUMNS)).filter(|column| *column != image_column).collect();
    let name = |column: usize| header.map_or(String::new(), |header| header[column].clone());
    let of = |&column: &usize| (column, Found::of(table, column, rows, &name(column)));
    let found: HashMap<usize, Found> = others.iter().map(of).collect();
    let is_called =
        |wanted: &str| header.is_some_and(|header| header.iter().any(|own| own.trim().eq_ignore_ascii_case(wanted)));
    let are_places = is_called("x") && is_called("y");
    let is_place =
        |column: usize| are_places && ["x", "y"].iter().any(|own| name(column).trim().eq_ignore_ascii_case(own));
    let mut named: Vec<(usize, usize)> = others
        .iter()
        .filter(|&&column| !is_place(column))
        .filter_map(|&column| Some((label_rank(&name(column))?, column)))
        .collect();
    named.sort_unstable();
    let may_be_named = |column: &usize| found[column].distinct < rows.len() || rows.len() < 3 || least == 1;
    if let Some((_, column)) = named.iter().find(|(_, column)| found[column].is_fit(least) && may_be_named(column)) {
        return Ok(LabelColumn::One { at: *column, is_named: true });
    }
    let unfit = |column: &usize| {
        let Found { distinct, several, has_missing, .. } = found[column];
        match (distinct, several) {
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
        }
    };
    // Another column says something else of an image than its labels.
    if let Some((_, column)) = named.iter().find(|(_, column)| found[column].several) {
        return because(unfit(column));
    }
    // What is wrong with the best one counts, if no other column fits.
    let why = named.first().map(|(_, column)| unfit(column));
    let because_of = |other: String| because(why.clone().unwrap_or(other));
    let is_about_the_set = |column: usize| {
        let name = name(column);
        let plain = name.to_lowercase().replace(['_', '-', ' '], "");
        part_of(&name).is_some() || is_of_parts(&name) || NO_LABELS.contains(&plain.as_str())
    };
    let marks = others.iter().copied().filter(|&column| header.is_some() && !is_about_the_set(column));
    let marks: Vec<usize> = marks.filter(|&column| holds_marks(table, column, rows)).collect();
    let names = |columns: &[usize]| {
        let names: Vec<String> = columns.iter().map(|column| name(*column)).collect();
        first_names(&names, MAX_SAID)
    };
    if marks.len() >= MIN_ONE_HOT {
        let marked = |row: usize| marks.iter().filter(|&&column| mark(table.cell(row, column)) == Some(true)).count();
        let (one, several) = rows.iter().fold((0, 0), |(one, several), (row, _)| match marked(*row) {
            0 => (one, several),
            1 => (one + 1, several),
            _ => (one, several + 1),
        });
        if several == 0 && one * 10 >= rows.len() * 9 {
            return Ok(LabelColumn::OneHot(marks.into_iter().map(|column| (column, name(column))).collect()));
        }
        let often = if several > 0 { "may have several" } else { "often has none" };
        return because_of(yes_or_no_columns(&names(&marks), often));
    }
    let few = |column: &&usize| {
        let of = &found[*column];
        of.is_fit(2)
            && of.distinct * 2 <= rows.len() + 1
            && !of.are_parts
            && !is_about_the_set(**column)
            && !is_place(**column)
    };
    let is_free = |column: &&usize| !named.iter().any(|(_, named)| named == *column);
    let fit: Vec<usize> = others.iter().filter(is_free).filter(few).copied().collect();
    match (&fit[..], header) {
        ([only], _) => Ok(LabelColumn::One { at: *only, is_named: false }),
        // In lists without names of columns the label follows the image.
        ([first, ..], None) => Ok(LabelColumn::One { at: *first, is_named: false }),
        ([], _) => Err(match why {
            Some(why) => Unfit::Because(why),
            None if others.is_empty() => Unfit::NoLabels("it has no column beside the names of the images".to_owned()),
            None => Unfit::NoLabels(no_labels(
                others.iter().map(|column| (name(*column), found[column].distinct)),
                rows.len(),
            )),
        }),
        (several, _) if several.iter().all(|column| marks.contains(column)) => {
            because_of(yes_or_no_columns(&names(several), "may have several"))
        }
        (several, _) => {
            because_of(format!("its labels may be in {}; call the right column {}", names(several), LABEL_COLUMNS[3]))
        }
    }
}

/// What to do with columns of yes and no.
fn yes_or_no_columns(names: &str, often: &str) -> String {
    format!(
        "its columns {names} say yes or no, and an image {often}: a table of these columns and the names of the images alone, as 1 \
         and 0, is read as attributes; a column {} gives classes",
        LABEL_COLUMNS[3]
    )
}

/// Why none of some columns, each with its number of different values, holds labels.
fn no_labels(columns: impl Iterator<Item = (String, usize)>, rows: usize) -> String {
    let own: Vec<String> = columns.filter(|(_, distinct)| *distinct * 2 > rows + 1).map(|(name, _)| name).collect();
    match &own[..] {
        [only] if !only.is_empty() => {
            format!("it has no column of labels: in its column {only} nearly each image has a value of its own")
        }
        _ => "it has no column of labels: none of its columns has few values".to_owned(),
    }
}

/// Whether a cell marks its row: yes or no as programs write it, or a cross.
fn mark(cell: &str) -> Option<bool> {
    match cell.trim() {
        "" => Some(false),
        "x" | "X" | "\u{2713}" | "\u{2714}" => Some(true),
        cell => yes_or_no(cell),
    }
}

/// Whether a column marks some rows, and others not.
fn holds_marks(table: &Table, column: usize, rows: &[(usize, u32)]) -> bool {
    let marks: Option<BTreeSet<bool>> = rows.iter().map(|(row, _)| mark(table.cell(*row, column))).collect();
    marks.is_some_and(|marks| marks.len() == 2)
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

/// Whether some of the values of a column are lists of several labels. A sign parts these if all parts of a value are values of
/// others, or if the parts make up fewer labels than there are values. Spaces part numbers, and tags.
fn are_lists(values: &BTreeSet<String>, name: &str) -> bool {
    const SIGNS: [char; 6] = [',', ';', ' ', '+', '&', '/'];
    let is_called = |known: &[&str]| known.iter().any(|known| name.trim().eq_ignore_ascii_case(known));
    let (are_tags, are_many) = (is_called(&["tags", "attributes"]), is_called(&["labels", "classes", "categories"]));
    let is_number = |part: &&str| part.parse::<u64>().is_ok();
    let parts_of = |value: &'_ str, sign: char| -> Vec<String> {
        value.split(sign).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    values.iter().any(|value| value.contains(super::SEVERAL))
        || SIGNS.into_iter().any(|sign| {
            let parted: Vec<Vec<String>> = values.iter().map(|value| parts_of(value, sign)).collect();
            let lists = || parted.iter().filter(|parts| parts.len() > 1);
            if lists().next().is_none() {
                return false;
            }
            let labels: BTreeSet<&String> = parted.iter().flatten().collect();
            let are_numbers = labels.iter().all(|part| is_number(&part.as_str()));
            // 3,5 is a number where commas are points.
            let is_decimal = sign == ',' && are_numbers && !are_many && lists().all(|parts| parts.len() == 2);
            let are_values = |parts: &Vec<String>| {
                parts.iter().all(|part| values.contains(part)) && parts.iter().any(|part| *part != parts[0])
            };
            let are_shared = match sign {
                ' ' => {
                    are_tags && labels.len() < parted.iter().map(Vec::len).sum()
                        || are_many && labels.len() <= values.len()
                }
                ',' | ';' => !is_decimal && labels.len() <= values.len(),
                _ => false,
            };
            are_shared || sign == ' ' && are_numbers || !is_decimal && lists().any(are_values)
        })
}
