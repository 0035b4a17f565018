//! The parts of images by a column of a table, such as `split`.

use std::collections::BTreeSet;

use super::Sources;
use super::image_column::ImageColumn;
use super::tables::{MAX_COLUMNS, named};
use crate::parts::{
    Part, by_flag, is_of_parts, is_of_parts_alone, means_taken_out, part_in, part_of, rest_of, unclear_numbers,
    yes_or_no,
};

/// Most words of a column that may be those of parts, and that are listed.
const MAX_WORDS: usize = 5;

/// The parts of the images by a column of a table.
#[derive(Debug)]
pub(crate) struct ByColumn {
    pub parts: Vec<Option<Part>>,
    /// The table's number, and the column's name.
    pub table: usize,
    pub column: String,
    /// A word in it that is that of no part.
    pub other: Option<String>,
}

/// The parts of the images by a column of a table, such as `split`, whose values are names of parts. In a column that is called so, some
/// may be other words; a blank is yes or no, or the other part, if it has but one word.
pub(crate) fn parts_by_column(sources: &Sources<'_>) -> Option<ByColumn> {
    by_column(sources, |name, cells, table| {
        let [said, blank] = meaning(name, cells);
        let mut parts = vec![None; sources.index().len()];
        let mut other = None;
        for (cell, image) in cells {
            let part = if cell.is_empty() { blank } else { said.or_else(|| part_in(name, cell)) };
            if part.is_none() && other.is_none() {
                other = Some((*cell).to_owned());
            }
            if let Some(image) = image {
                parts[*image as usize] = part;
            }
        }
        // Beside the names of several parts, another word is that of none.
        let is_divided = parts.iter().flatten().any(|part| *part != Part::Train);
        let are_parts = (other.is_none() || is_divided && is_of_parts(name)) && parts.contains(&Some(Part::Train));
        are_parts.then(|| ByColumn {
            parts,
            table,
            column: name.to_owned(),
            other: other.filter(|word| !word.is_empty()),
        })
    })
}

/// What all words of a column mean, if it has but one beside blanks, and what a blank does: `x`, or `test`.
fn meaning(name: &str, cells: &[(&str, &Option<u32>)]) -> [Option<Part>; 2] {
    let mut words: BTreeSet<&str> = cells.iter().map(|(cell, _)| *cell).collect();
    let has_blanks = words.remove("");
    let (Some(word), 1, true) = (words.first(), words.len(), has_blanks) else { return [None, None] };
    let is_mark = word.eq_ignore_ascii_case("x") || yes_or_no(word) == Some(true);
    match (by_flag(name).filter(|_| is_mark), part_of(word)) {
        (Some([part, other]), _) => [Some(part), Some(other)],
        (None, Some(part @ (Part::Test | Part::Validation))) if is_of_parts(name) => [Some(part), Some(Part::Train)],
        _ => [None, None],
    }
}

/// What is to be said of a column that may be the parts: of numbers or other words, though none says which, or of yes and no under the
/// name of a part, which may as well be an attribute or the result of a test; or of a column of what is not to be learned from.
pub(crate) fn unclear_parts(sources: &Sources<'_>) -> Option<String> {
    by_column(sources, |name, cells, at| {
        let table = &sources.sidecars()[at].name;
        let is_part = part_of(name).is_some_and(|part| part != Part::Unlabelled) && rest_of(name).is_empty();
        let values: BTreeSet<String> = cells.iter().map(|(cell, _)| cell.to_lowercase()).collect();
        let is_yes = |value: &str| value == "x" || yes_or_no(value) == Some(true);
        let is_flag_word = |value: &String| value.is_empty() || is_yes(value) || yes_or_no(value).is_some();
        let is_flag = values.len() == 2 && values.iter().all(is_flag_word);
        if is_part && is_flag {
            return Some(format!(
                "all images are learned from: column {name} of {table} may tell their parts; is_{} as its name says so",
                name.to_lowercase()
            ));
        }
        if is_flag && means_taken_out(name) {
            let count = cells.iter().filter(|(cell, image)| is_yes(&cell.to_lowercase()) && image.is_some()).count();
            return Some(format!(
                "column {name} of {table} is not used: {count} images with a yes there are learned from; a folder excluded/ beside the \
                 others leaves them aside"
            ));
        }
        let numbers: Option<BTreeSet<i64>> =
            cells.iter().filter(|(cell, _)| !cell.is_empty()).map(|(cell, _)| cell.parse().ok()).collect();
        let said: BTreeSet<Option<Part>> = cells.iter().map(|(cell, _)| part_in(name, cell)).collect();
        let are_parts = said.contains(&Some(Part::Train)) && said.iter().flatten().count() > 1;
        if numbers.is_none() && is_of_parts_alone(name) && !are_parts && (2..=MAX_WORDS).contains(&values.len()) {
            let listed: BTreeSet<&str> = cells.iter().map(|(cell, _)| *cell).filter(|cell| !cell.is_empty()).collect();
            let listed = listed.into_iter().collect::<Vec<_>>().join(", ");
            return Some(format!(
                "all images are learned from: column {name} of {table} holds {listed}, of which no two are words for a training and \
                 another part; words such as train and test tell them"
            ));
        }
        let (listed, _) = unclear_numbers(name, &numbers.filter(|_| is_of_parts(name))?)?;
        Some(format!(
            "all images are learned from: column {name} of {table} holds the numbers {listed}, which may be the parts; words such as \
             train and test tell them"
        ))
    })
}

/// The first result for a column of a table of images: `look` gets its name, its cells, each with the image of its row, and the
/// table's number.
fn by_column<T>(sources: &Sources<'_>, look: impl Fn(&str, &[(&str, &Option<u32>)], usize) -> Option<T>) -> Option<T> {
    for (at, sidecar) in sources.tables() {
        let Some(Ok(table)) = sources.table(at) else { continue };
        let Ok((column, index)) = named(sources, table, sidecar) else { continue };
        let ImageColumn { at: image_column, has_header, .. } = column;
        let skip = usize::from(has_header);
        let joined = index.join(table.column(image_column).skip(skip), sidecar.scope());
        for column in (0..table.columns().min(MAX_COLUMNS)).filter(|column| *column != image_column) {
            let name = match &table.header {
                Some(header) => header[column].clone(),
                None if has_header => table.cell(0, column).to_owned(),
                None => continue,
            };
            let cells: Vec<(&str, &Option<u32>)> = table.column(column).skip(skip).zip(&joined.image).collect();
            if let Some(found) = look(&name, &cells, at) {
                return Some(found);
            }
        }
    }
    None
}
