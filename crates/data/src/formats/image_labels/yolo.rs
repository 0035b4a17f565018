//! Boxes as YOLO has them: `1.txt` beside `1.jpg`, or in `labels/` where the image is in `images/`, with `class x y w h` (or the
//! corners of a polygon) in each line. Where each image has objects of one class alone, this is its label, as in COCO's
//! annotations; `class_names` finds the names of the numbers.

use std::collections::{BTreeSet, HashMap};

use rayon::prelude::*;

use super::{Labelled, MIN_SHARE, Sources, Values};
use crate::sidecars::stem;

/// Files looked at to see whether they are of this kind.
const SAMPLE: usize = 32;

/// Numbers of a line: the class and a box.
const MIN_NUMBERS: usize = 5;

/// Names of folders of images beside `labels`.
const FOLDERS: [&str; 4] = ["images", "image", "imgs", "img"];

/// The labels, or why boxes are none; `None` without boxes.
pub(super) fn find(sources: &Sources<'_>, images: &[u32]) -> Option<Result<Labelled, String>> {
    let files = files(sources, images);
    let there: Vec<usize> = files.iter().flatten().copied().collect();
    if there.is_empty() || there.len() * MIN_SHARE < images.len() {
        return None;
    }
    let read = |at: usize| objects(&sources.sidecars()[at].read().ok()?);
    let step = there.len().div_ceil(SAMPLE);
    if !there.iter().step_by(step).all(|at| read(*at).is_some()) {
        return None;
    }
    let found: Vec<Option<BTreeSet<u32>>> = files.par_iter().map(|file| read((*file)?)).collect();
    if found.iter().flatten().count() < there.len() {
        return None;
    }
    let name = |at: usize| sources.sidecars()[at].name.as_str();
    let several = found.iter().zip(&files).filter(|(of, _)| of.as_ref().is_some_and(|of| of.len() > 1));
    let (mut count, mut first) = (0, None);
    for (_, file) in several {
        count += 1;
        first = first.or(*file);
    }
    let example = name(first.unwrap_or(there[0]));
    if count > 0 {
        return Some(Err(format!(
            "{count} of {} .txt files with boxes, as YOLO has them, have objects of several classes ({example}, for one), not one \
             class per image",
            there.len()
        )));
    }
    let all: BTreeSet<u32> = found.iter().flatten().flatten().copied().collect();
    if all.len() < 2 {
        return Some(Err(format!(
            "the {} .txt files with boxes, as YOLO has them, have objects of one class alone ({example}, for one)",
            there.len()
        )));
    }
    let labels = found.into_iter().map(|of| Some(of?.first()?.to_string())).collect();
    let what = format!("the classes of the boxes in YOLO's .txt files ({example}, for one)");
    Some(Ok(Labelled::apart(Values::Classes(labels), what, Vec::new(), there)))
}

/// The file of boxes of each image: beside it, in `labels/` where it is in `images/`, or the only one of its name.
fn files(sources: &Sources<'_>, images: &[u32]) -> Vec<Option<usize>> {
    let mut by_path: HashMap<&str, usize> = HashMap::new();
    let mut by_name: HashMap<&str, Option<usize>> = HashMap::new();
    for (at, sidecar) in sources.sidecars().iter().enumerate() {
        if sidecar.is_outside || sidecar.extension() != "txt" {
            continue;
        }
        by_path.insert(&sidecar.name[..sidecar.name.len() - ".txt".len()], at);
        by_name.entry(sidecar.stem()).and_modify(|at| *at = None).or_insert(Some(at));
    }
    if by_path.is_empty() {
        return vec![None; images.len()];
    }
    let mut names: HashMap<&str, usize> = HashMap::new();
    (0..sources.index().len() as u32)
        .for_each(|image| *names.entry(stem(sources.index().name(image))).or_default() += 1);
    let file = |image: &u32| {
        let path = sources.index().name(*image);
        let name = stem(path);
        let file = path.rfind('/').map_or(0, |slash| slash + 1);
        let start = &path[..file + name.len()];
        let beside = || {
            let parts: Vec<&str> = start.split('/').collect();
            let at = parts.iter().rposition(|part| FOLDERS.iter().any(|own| part.eq_ignore_ascii_case(own)))?;
            let beside: Vec<&str> =
                parts.iter().enumerate().map(|(own, part)| if own == at { "labels" } else { *part }).collect();
            by_path.get(beside.join("/").as_str()).copied()
        };
        let only = || by_name.get(name).copied().flatten().filter(|_| names.get(name) == Some(&1));
        by_path.get(start).copied().or_else(beside).or_else(only)
    };
    images.iter().map(file).collect()
}

/// The classes of the objects in a file; `None` for a file of another kind.
fn objects(bytes: &[u8]) -> Option<BTreeSet<u32>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let class = |line: &str| {
        let mut words = line.split_whitespace();
        let class: u32 = words.next()?.parse().ok()?;
        let places: Option<Vec<f64>> = words.map(|word| word.parse().ok()).collect();
        let places = places?;
        let are_shares = places.iter().all(|place| (-0.5..=1.5).contains(place));
        (places.len() + 1 >= MIN_NUMBERS && are_shares).then_some(class)
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(class).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use crate::parts::Part;

    #[test]
    fn the_class_of_all_objects_of_an_image_is_its_label() {
        let (one, two) = ("0 0.5 0.5 1 1\n", "2 0.1 0.1 0.5 0.5\n2 0.7 0.7 0.1 0.1\n");
        for (images, files, expected) in [
            ("images/1.jpg images/2.jpg", &[("labels/1.txt", one), ("labels/2.txt", two)][..], "0 2"),
            ("a/1.jpg a/2.jpg a/3.jpg", &[("a/1.txt", one), ("a/2.txt", two), ("a/3.txt", "")], "0 2 -"),
            ("pics/1.jpg pics/2.jpg", &[("boxes/1.txt", one), ("boxes/2.txt", "1 0 0 1 0 1 1\n")], "0 1"),
            ("1.jpg 2.jpg", &[("1.txt", one), ("2.txt", "3 250 120 10 10\n")], ""),
            ("1.jpg 2.jpg", &[("1.txt", one), ("2.txt", one)], ""),
        ] {
            assert_eq!(Case::new(images, files).train(), expected, "{images} {files:?}");
        }
        let named = [("labels/1.txt", one), ("labels/2.txt", two)];
        let what = Case::new("images/1.jpg images/2.jpg", &named).labels(Part::Train).1;
        assert_eq!(what, "the classes of the boxes in YOLO's .txt files (labels/1.txt, for one)");
    }

    #[test]
    fn objects_of_several_classes_are_no_label() {
        let files = [("labels/1.txt", "0 0.5 0.5 1 1\n2 0.1 0.1 1 1\n"), ("labels/2.txt", "1 0.5 0.5 1 1\n")];
        let said = Case::new("images/1.jpg images/2.jpg", &files).labels(Part::Train).2;
        let expected = "1 of 2 .txt files with boxes, as YOLO has them, have objects of several classes (labels/1.txt, for one), \
                        not one class per image";
        assert_eq!(said, [expected]);
    }
}
