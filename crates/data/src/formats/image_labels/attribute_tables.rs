//! Tables of attributes beside the images, 1 or -1 for each attribute: CelebA's `list_attr_celeba.txt`, and CSV.

use super::{Labelled, Sources, Values, label_rank};
use crate::attributes::{Attributes, has_celebas_name, is_table};
use crate::class_labels::ClassLabels;
use crate::error::Result;
use crate::parts::Part;

/// A table: how well it fits, the number of its file, and the row of each image.
type Candidate = ((usize, bool, bool), usize, Attributes, Vec<Option<u32>>);

/// The attributes of the images with these numbers, which are those of `part`. Of several tables that of most images is taken, or
/// the one with CelebA's name.
///
/// # Errors
/// A table with CelebA's name is damaged.
pub(super) fn find(sources: &Sources<'_>, part: Part, images: &[u32]) -> Result<Option<Labelled>> {
    let mut best: Option<Candidate> = None;
    for (at, sidecar) in sources.tables() {
        if !matches!(sidecar.extension().as_str(), "csv" | "txt") {
            continue;
        }
        if !sources.is_about(sidecar, part) {
            continue;
        }
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
            Err(error) if is_celebas => return Err(error),
            Err(_) => continue,
        };
        let joined = sources.index().join(table.files().iter().map(String::as_str), sidecar.scope());
        let mut rows = vec![None; sources.index().len()];
        for (row, image) in joined.image.iter().enumerate() {
            if let Some(image) = image {
                rows[*image as usize] = Some(row as u32);
            }
        }
        let rows: Vec<Option<u32>> = images.iter().map(|image| rows[*image as usize]).collect();
        let rank = (rows.iter().flatten().count(), is_celebas, !sidecar.is_outside);
        if rank.0 > 0 && best.as_ref().is_none_or(|(before, ..)| rank > *before) {
            best = Some((rank, at, table, rows));
        }
    }
    Ok(best.map(|((_, is_celebas, _), at, table, rows)| {
        let name = sources.sidecars()[at].name.clone();
        if let Some(classes) = one_hot(&table, &rows).filter(|_| !is_celebas) {
            return Labelled::apart(
                Values::Ordered(classes),
                format!("one-hot columns of {name}"),
                Vec::new(),
                vec![at],
            );
        }
        Labelled::apart(Values::Attributes(table, rows), name, Vec::new(), vec![at])
    }))
}

/// The classes of rows of which each has exactly one attribute; `None` where one has none or several.
fn one_hot(table: &Attributes, rows: &[Option<u32>]) -> Option<ClassLabels> {
    /// Two flags may exclude each other by chance.
    const MIN_CLASSES: usize = 3;
    let class = |row: Option<u32>| -> Option<Option<u32>> {
        let Some(row) = row else { return Some(None) };
        let has = table.row(row as usize)?;
        let mut ones = has.iter().enumerate().filter(|(_, has)| **has).map(|(at, _)| at as u32);
        ones.next().filter(|_| ones.next().is_none()).map(Some)
    };
    let labels: Vec<Option<u32>> = rows.iter().map(|row| class(*row)).collect::<Option<_>>()?;
    let mut found: Vec<u32> = labels.iter().flatten().copied().collect();
    found.sort_unstable();
    found.dedup();
    let names = table.names().to_vec();
    (found.len() >= MIN_CLASSES).then_some(ClassLabels { labels, names, notes: Vec::new() })
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
