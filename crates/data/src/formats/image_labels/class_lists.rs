//! A list of images for each class: `cat.txt` and `dog.txt`, with the name of an image in each line.

use std::collections::BTreeSet;

use super::{Labelled, MIN_SHARE, Sources, Values, take_back};
use crate::parts::{Part, is_of_parts, part_of};

/// Fewest lists: one may be of any selection.
const MIN_LISTS: usize = 2;

/// Labels by the lists that name each image once.
pub(super) fn find(sources: &Sources<'_>, images: &[u32], unused: &mut Vec<String>) -> Option<Labelled> {
    let mut labels: Vec<Option<String>> = vec![None; sources.index().len()];
    let mut used = Vec::new();
    for (at, sidecar) in sources.tables() {
        let class = sidecar.stem();
        let is_other = part_of(class).is_some_and(|part| part != Part::Unlabelled) || is_of_parts(class);
        if sidecar.is_outside || is_other || sources.index().is_named(class) {
            continue;
        }
        let Some(Ok(table)) = sources.table(at) else { continue };
        if table.columns() != 1 || table.rows() == 0 {
            continue;
        }
        let has_header = usize::from(table.header.is_none() && sources.index().some(table.cell(0, 0)).is_none());
        let joined = sources.index().join(table.column(0).skip(has_header), sidecar.scope());
        let named: Vec<u32> = joined.image.iter().flatten().copied().collect();
        // Other lists may be about anything.
        if named.is_empty() || named.len() * 10 < joined.image.len() * 9 {
            continue;
        }
        for image in named {
            if labels[image as usize].replace(class.to_owned()).is_some_and(|before| before != class) {
                return None;
            }
        }
        used.push(at);
    }
    let labels: Vec<Option<String>> = images.iter().map(|image| labels[*image as usize].take()).collect();
    let count = labels.iter().flatten().count();
    let names: Vec<&str> = used.iter().map(|at| sources.sidecars()[*at].file()).collect();
    // `fold_0.txt` and `fold_1.txt` are no classes.
    let without_number = |name: &&str| name.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let kinds: BTreeSet<String> = names.iter().map(without_number).collect();
    (kinds.len() >= MIN_LISTS && count > 0 && count * MIN_SHARE >= images.len()).then(|| {
        for at in &used {
            take_back(unused, &sources.sidecars()[*at]);
        }
        let what = format!("the lists of images in each class ({}, for one)", names[0]);
        Labelled::apart(Values::Classes(labels), what, Vec::new(), used)
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use crate::parts::Part;

    #[test]
    fn a_list_for_each_class_labels_its_images() {
        let images = "a.png b.png c.png d.png";
        let lists = |one, other| Case::new(images, &[("cat.txt", one), ("dog.csv", other)]).labels(Part::Train);
        let (labels, what, _) = lists("a.png\nc.png\n", "filename\nb.png\n");
        assert_eq!(
            (labels.as_str(), what.as_str()),
            ("cat dog cat -", "the lists of images in each class (cat.txt, for one)")
        );
        // An image in both, texts.
        assert_eq!(lists("a.png\nc.png\n", "a.png\nb.png\n").0, "");
        assert_eq!(lists("a.png\nc.png\n", "some\nwords\n").0, "");
        let folds = [("fold_0.txt", "a.png\nb.png\n"), ("fold_1.txt", "c.png\nd.png\n")];
        assert_eq!(Case::new(images, &folds).train(), "");
        let parts = [("train.txt", "a.png\nb.png\n"), ("cat.txt", "c.png\nd.png\n")];
        assert_eq!(Case::new(images, &parts).train(), "");
    }
}
