//! Tables of attributes beside the images, 1 or -1 for each attribute: CelebA's `list_attr_celeba.txt`, and CSV.

use std::collections::BTreeSet;

use super::{Labelled, Sources, Values, label_rank};
use crate::attributes::{Attributes, has_celebas_name, is_table};
use crate::class_labels::ClassLabels;
use crate::error::Result;
use crate::first_names::first_names;
use crate::parts::Part;

/// Columns named in a note.
const MAX_SAID: usize = 5;

/// A table, and how well it fits a part.
struct Candidate {
    /// The number of its file.
    at: usize,
    is_celebas: bool,
    table: Attributes,
    /// The row of each image of the part; `None` if the table is about another part.
    rows: Option<Vec<Option<u32>>>,
}

/// The attributes of the images with these numbers, which are those of `part`. Of several tables that of most images is taken, or
/// the one with CelebA's name. Whether its columns are classes (one-hot) is decided by all rows of the tables with these columns,
/// so that all parts have the same.
///
/// # Errors
/// A table with CelebA's name is damaged.
pub(super) fn find(sources: &Sources<'_>, part: Part, images: &[u32]) -> Result<Option<Labelled>> {
    let mut found: Vec<Candidate> = Vec::new();
    for (at, sidecar) in sources.tables() {
        if !matches!(sidecar.extension().as_str(), "csv" | "txt") {
            continue;
        }
        let is_about = sources.is_about(sidecar, part);
        let Ok(bytes) = sidecar.read() else { continue };
        let is_celebas = has_celebas_name(sidecar.file());
        if !is_table(&bytes, is_celebas) {
            continue;
        }
        // A file that only starts like a table may be something else.
        let table = match Attributes::parse(&bytes[..], &sidecar.name) {
            Ok(table)
                if !is_celebas
                    && table.names().len() <= 3
                    && table.names().iter().any(|name| label_rank(name).is_some()) =>
            {
                continue;
            }
            Ok(table) => table,
            Err(error) if is_celebas && is_about => return Err(error),
            Err(_) => continue,
        };
        if !is_about {
            found.push(Candidate { at, is_celebas, table, rows: None });
            continue;
        }
        let joined = sources.index().join(table.files().iter().map(String::as_str), sidecar.scope());
        let mut rows = vec![None; sources.index().len()];
        for (row, image) in joined.image.iter().enumerate() {
            if let Some(image) = image {
                rows[*image as usize] = Some(row as u32);
            }
        }
        let rows = images.iter().map(|image| rows[*image as usize]).collect();
        found.push(Candidate { at, is_celebas, table, rows: Some(rows) });
    }
    let rank = |candidate: &Candidate| {
        let count = candidate.rows.iter().flatten().flatten().count();
        (count, candidate.is_celebas, !sources.sidecars()[candidate.at].is_outside)
    };
    // The first one of the best.
    let best = (0..found.len()).rev().filter(|at| rank(&found[*at]).0 > 0).max_by_key(|at| rank(&found[*at]));
    let Some(best) = best else { return Ok(None) };
    let alike = found.iter().map(|other| &other.table).filter(|other| other.names() == found[best].table.names());
    let is_one_hot = !found[best].is_celebas && are_one_hot(alike.clone());
    // Classes of no image, in no part, are none.
    let marked: BTreeSet<u32> = alike.filter(|_| is_one_hot).flat_map(rows_of).filter_map(class).collect();
    let Candidate { at, table, rows, .. } = found.swap_remove(best);
    let (name, rows) = (sources.sidecars()[at].name.clone(), rows.unwrap_or_default());
    Ok(Some(if is_one_hot {
        let place = |class: u32| marked.iter().position(|marked| *marked == class).map(|place| place as u32);
        let labels = rows.iter().map(|row| place(class(table.row((*row)? as usize)?)?)).collect();
        let (with, without): (Vec<_>, Vec<_>) = table.names().iter().zip(0..).partition(|(_, at)| marked.contains(at));
        let names =
            |columns: Vec<(&String, u32)>| columns.into_iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let without = first_names(&names(without), MAX_SAID);
        let note = format!("{name}: no row has {without}, which is no class");
        let notes = if without.is_empty() { Vec::new() } else { vec![note] };
        let classes = ClassLabels { labels, names: names(with), notes: Vec::new() };
        Labelled::apart(Values::Ordered(classes), format!("one-hot columns of {name}"), notes, vec![at])
    } else {
        Labelled::apart(Values::Attributes(table, rows), name, Vec::new(), vec![at])
    }))
}

/// Whether each row of some tables with the same columns has exactly one attribute.
fn are_one_hot<'a>(tables: impl Iterator<Item = &'a Attributes>) -> bool {
    /// Two flags may exclude each other by chance.
    const MIN_CLASSES: usize = 3;
    let classes: Option<BTreeSet<u32>> = tables.flat_map(rows_of).map(class).collect();
    classes.is_some_and(|classes| classes.len() >= MIN_CLASSES)
}

fn rows_of(table: &Attributes) -> impl Iterator<Item = &[bool]> {
    (0..table.files().len()).filter_map(|row| table.row(row))
}

/// The only attribute of a row.
fn class(row: &[bool]) -> Option<u32> {
    let mut ones = row.iter().zip(0..).filter(|(has, _)| **has).map(|(_, at)| at);
    ones.next().filter(|_| ones.next().is_none())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::testing::Case;
    use crate::parts::Part;

    #[test]
    fn the_table_of_most_images_is_taken() {
        let images = "a/1.jpg a/2.jpg a/3.png";
        let (labels, what, _) = Case::new(
            images,
            &[
                ("few.csv", "f,A,B\n1.jpg,1,-1\n"),
                ("many.csv", "f,A,B\n1.jpg,1,-1\n3.jpg,0,1\n9.jpg,1,1\n"),
                ("notes.txt", "2 sheep\n1 2\n"),
                ("boxes.csv", "f,x,y\n1.jpg,95,71\n"),
            ],
        )
        .labels(Part::Train);
        assert_eq!((labels.as_str(), what.as_str()), ("10 - 01", "many.csv"));
        // One attribute may be a class; CelebA's name says that it is none.
        assert_eq!(Case::new(images, &[("x.csv", "f,A\n1,1\n2,0\n3,1\n")]).train(), "1 0 1");
        assert_eq!(
            Case::new(images, &[("list_attr.csv", "f,A\n1,1\n2,0\n3,1\n")]).labels(Part::Train).1,
            "list_attr.csv"
        );
        // A label among flags.
        assert_eq!(
            Case::new(images, &[("x.csv", "f,label,is_valid\n1,1,0\n2,0,0\n3,1,1\n")]).labels(Part::Train).1,
            "column label of x.csv"
        );
    }

    #[test]
    fn folders_and_one_hot_columns_keep_their_place() {
        let (labels, what, _) =
            Case::new("a/1.jpg b/2.jpg", &[("x.csv", "f,A,B\n1,1,0\n2,0,1.0\n")]).labels(Part::Train);
        assert_eq!((labels.as_str(), what.as_str()), ("10 01", "x.csv"));
        let isic = "f,MEL,NV,BCC\n1,0.0,1.0,0.0\n2,1.0,0.0,0.0\n3,0.0,0.0,1.0\n";
        let (labels, what, _) = Case::new("1.jpg 2.jpg 3.jpg 4.jpg", &[("x.csv", isic)]).labels(Part::Train);
        assert_eq!((labels.as_str(), what.as_str()), ("NV MEL BCC -", "one-hot columns of x.csv"));
        // A column that marks no row is no class.
        let empty = "f,MEL,NV,BCC,UNK\n1,0,1,0,0\n2,1,0,0,0\n3,0,0,1,0\n";
        let (labels, _, notes) = Case::new("1.jpg 2.jpg 3.jpg", &[("x.csv", empty)]).labels(Part::Train);
        assert_eq!(
            (labels.as_str(), notes),
            ("NV MEL BCC", vec!["x.csv: no row has UNK, which is no class".to_owned()])
        );
        // A part with fewer classes, with the same table and with its own.
        let images = "1.jpg 2.jpg 3.jpg test/4.jpg test/5.jpg";
        let rest = "4,0,1,0\n5,1,0,0\n";
        let whole: &'static str = [isic, rest].concat().leak();
        let own: &'static str = ["f,MEL,NV,BCC\n", rest].concat().leak();
        for tables in [&[("x.csv", whole)][..], &[("train.csv", isic), ("test.csv", own)]] {
            let case = Case::new(images, tables);
            assert_eq!((case.train().as_str(), case.labels(Part::Test).0.as_str()), ("NV MEL BCC", "NV MEL"));
        }
        // Several attributes in a row of another part.
        let text: &'static str = [isic, "4,1,1,0\n5,1,0,0\n"].concat().leak();
        assert_eq!(Case::new(images, &[("x.csv", text)]).train(), "010 100 001");
        let several = Case::new("1.jpg 2.jpg 3.jpg", &[("x.csv", "f,A,B,C\n1,1,0,0\n2,0,1,1\n3,0,0,1\n")]);
        assert_eq!(several.train(), "100 011 001");
    }

    #[test]
    fn damaged_tables_with_celebas_name_are_errors() {
        let case = Case::new("1.jpg", &[("list_attr.csv", "f,A,B\n1.jpg,1,-1\n3.jpg,1,1\n4.jpg,1,7\n")]);
        let sources = super::Sources::new(&case.names, &case.kept, &case.parts, &case.sidecars);
        let error = sources.of(Part::Train, &[0]).err().unwrap();
        assert!(error.to_string().contains("line 4: B is '7'"), "{error}");
        assert_eq!(Case::new("1.jpg", &[("x.csv", "f,A,B\n1.jpg,1,-1\n3.jpg,1,1\n4.jpg,1,7\n")]).train(), "");
    }
}
