//! A label a line, without the names of the images: `labels.txt`. They are those of the images in the order of their files, if there
//! are as many and the files have one order. Lists with the names of the classes are left alone.

use super::{Labelled, Sources, Values, drop_missing, label, label_rank, take_back};
use crate::class_labels::{ids, natural_order};
use crate::parts::Part;
use crate::sidecars::{Sidecar, Table};

/// Labels from a file with as many lines as there are images.
pub(super) fn find(sources: &Sources<'_>, part: Part, images: &[u32], unused: &mut Vec<String>) -> Option<Labelled> {
    for (at, sidecar) in sources.tables() {
        if !is_named(sidecar) || !sources.is_about(sidecar, part) {
            continue;
        }
        let Some(Ok(table)) = sources.table(at) else { continue };
        match read(sources, images, at, table) {
            Some(Ok(labels)) => {
                take_back(unused, sidecar);
                return Some(labels);
            }
            Some(Err(why)) => {
                take_back(unused, sidecar);
                unused.push(format!("{}: {why}", sidecar.name));
            }
            None => {}
        }
    }
    None
}

/// Whether a file is named for labels.
fn is_named(sidecar: &Sidecar<'_>) -> bool {
    let mut words = sidecar.stem().split(|c: char| !c.is_alphanumeric());
    !sidecar.is_outside && words.any(|word| label_rank(word).is_some())
}

/// A label for each image, or why the labels in a file are not those of the images; `None` if it holds something else.
fn read(sources: &Sources<'_>, images: &[u32], at: usize, table: &Table) -> Option<Result<Labelled, String>> {
    let index = sources.index();
    if table.columns() != 1 || table.column(0).any(|cell| index.some(cell).is_some()) {
        return None;
    }
    let has_header = match &table.header {
        Some(_) => false,
        None => table.rows() > 0 && label_rank(table.cell(0, 0)).is_some(),
    };
    let mut labels: Vec<Option<String>> = table.column(0).skip(usize::from(has_header)).map(label).collect();
    drop_missing(&mut labels);
    let mut values: Vec<&String> = labels.iter().flatten().collect();
    values.sort_unstable();
    values.dedup();
    // Names of classes are all different.
    if values.len() < 2 || values.len() == labels.len() || ids(labels.iter().flatten()).is_some() {
        return None;
    }
    let name = &sources.sidecars()[at].name;
    if labels.len() != images.len() {
        return Some(Err(format!(
            "it has {} labels without names of images, for {} images; a table of file_name,label says which is which",
            labels.len(),
            images.len()
        )));
    }
    let is_ordered = |pair: &[u32]| natural_order(index.name(pair[0]), index.name(pair[1])).is_le();
    if let Some(pair) = images.windows(2).find(|pair| !is_ordered(pair)) {
        return Some(Err(format!(
            "it has a label a line, but the order of the images is unclear ({} before {}, or after it); a table of \
             file_name,label says which is which",
            index.name(pair[0]),
            index.name(pair[1])
        )));
    }
    let what = format!("the lines of {name}, in the order of the files");
    Some(Ok(Labelled::apart(Values::Classes(labels), what, Vec::new(), vec![at])))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use crate::parts::Part;

    #[test]
    fn lines_are_labels_in_the_order_of_the_files() {
        let (labels, what, _) =
            Case::new("a.png b.png c.png", &[("labels.txt", "cat\ndog\ncat\n")]).labels(Part::Train);
        assert_eq!(
            (labels.as_str(), what.as_str()),
            ("cat dog cat", "the lines of labels.txt, in the order of the files")
        );
        assert_eq!(Case::new("1.png 2.png 3.png", &[("y.csv", "label\n7\n9\n7\n")]).train(), "7 9 7");
        for (images, text, said) in [
            ("a.png b.png c.png d.png", "cat\ndog\ncat\n", "it has 3 labels without names of images, for 4 images"),
            ("1.png 10.png 2.png", "cat\ndog\ncat\n", "is unclear (10.png before 2.png, or after it)"),
            // Names of the classes; another list.
            ("a.png b.png c.png d.png", "cat\ndog\n", ""),
            ("a.png b.png c.png", "cat\ncat\ncat\n", ""),
        ] {
            let (labels, _, unused) = Case::new(images, &[("labels.txt", text)]).labels(Part::Train);
            assert_eq!(labels, "", "{images}");
            let unused = unused.join("; ");
            assert!(unused.contains(said) && unused.is_empty() == said.is_empty(), "{images}: {unused}");
        }
        assert_eq!(Case::new("a.png b.png c.png", &[("notes.txt", "cat\ndog\ncat\n")]).train(), "");
    }
}
