//! The parts of images by a column of a table, such as `split`.

use std::collections::BTreeSet;

use super::Sources;
use super::image_column::ImageColumn;
use super::tables::{MAX_COLUMNS, named};
use crate::parts::{Part, is_of_parts, part_in, part_of, rest_of, unclear_numbers, yes_or_no};

/// The parts of the images by a column of a table, such as `split`, whose values are names of parts; with the table's number and
/// the column's name. In a column that is called so, some may be other words.
pub(crate) fn parts_by_column(sources: &Sources<'_>) -> Option<(Vec<Option<Part>>, usize, String)> {
    by_column(sources, |name, cells, at| {
        let mut parts = vec![None; sources.index().len()];
        let mut are_all = true;
        for (cell, image) in cells {
            let part = part_in(name, cell);
            are_all &= part.is_some();
            if let Some(image) = image {
                parts[*image as usize] = part;
            }
        }
        // Beside the names of several parts, another word is that of none.
        let is_divided = parts.iter().flatten().any(|part| *part != Part::Train);
        let are_parts = (are_all || is_divided && is_of_parts(name)) && parts.contains(&Some(Part::Train));
        are_parts.then(|| (parts, at, name.to_owned()))
    })
}

/// What is to be said of a column that may be the parts: of numbers, though no word says which, or of yes and no under the name of
/// a part, which may as well be an attribute or the result of a test.
pub(crate) fn parts_in_numbers(sources: &Sources<'_>) -> Option<String> {
    by_column(sources, |name, cells, at| {
        let table = &sources.sidecars()[at].name;
        let is_part = part_of(name).is_some_and(|part| part != Part::Unlabelled) && rest_of(name).is_empty();
        let values: BTreeSet<String> = cells.iter().map(|(cell, _)| cell.to_ascii_lowercase()).collect();
        let is_flag = values.len() == 2 && values.iter().all(|value| yes_or_no(value).is_some());
        if is_part && is_flag {
            return Some(format!(
                "all images are learned from: column {name} of {table} may tell their parts; is_{} as its name says so",
                name.to_lowercase()
            ));
        }
        let numbers: Option<BTreeSet<i64>> =
            cells.iter().filter(|(cell, _)| !cell.is_empty()).map(|(cell, _)| cell.parse().ok()).collect();
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
