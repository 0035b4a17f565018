//! Classes from the names of files that are numbered within each class: `cat.1.jpg`, `dog.1.jpg`; `Abyssinian_12.jpg`.

use std::collections::HashMap;

use super::{Labelled, Values};
use crate::parts::part_of;
use crate::sidecars::stem;

/// Images that each class must have, at least.
const MIN_IMAGES: usize = 4;

/// Words that files are numbered with whatever they show.
const GENERIC: [&str; 30] = [
    "img",
    "image",
    "images",
    "imgs",
    "dsc",
    "dscn",
    "dscf",
    "pic",
    "pict",
    "picture",
    "photo",
    "frame",
    "p",
    "im",
    "i",
    "x",
    "y",
    "file",
    "sample",
    "seed",
    "page",
    "scan",
    "screenshot",
    "untitled",
    "cell",
    "tile",
    "patch",
    "crop",
    "copy",
    "output",
];

/// Labels from the names of the files, without the names of parts.
pub(super) fn find(names: &[&str]) -> Option<Labelled> {
    by_word(names).or_else(|| by_digit(names))
}

/// The most classes that are numbers.
const MAX_NUMBERS: usize = 100;

/// Classes from the first or the last of two numbers, where the other one counts all images: `7_00012.png`, `00012-7.png`. If it
/// counts the images of each class, they may as well be rows and columns of tiles, or the frames of videos.
fn by_digit(names: &[&str]) -> Option<Labelled> {
    let pairs = pairs(names)?;
    let (first, last) = (counts(&pairs, |pair| pair.0), counts(&pairs, |pair| pair.1));
    let are_classes = |counts: &HashMap<u64, usize>, others: &HashMap<u64, usize>| {
        (2..=MAX_NUMBERS).contains(&counts.len())
            && counts.values().all(|count| *count >= MIN_IMAGES)
            && counts.keys().all(|number| *number < MAX_NUMBERS as u64)
            && others.len() == pairs.len()
    };
    let is_first = are_classes(&first, &last);
    if !is_first && !are_classes(&last, &first) {
        return None;
    }
    let which = if is_first { "first" } else { "last" };
    let label = |pair: &(u64, u64)| if is_first { pair.0 } else { pair.1 };
    let labels = pairs.iter().map(|pair| Some(label(pair).to_string())).collect();
    let what = format!("the {which} number in the names of the files ({}, for one)", stem(names[0]));
    Some(Labelled { values: Values::Classes(labels), what, notes: Vec::new(), used: Vec::new(), is_apart: false })
}

/// The two numbers that each name consists of.
fn pairs(names: &[&str]) -> Option<Vec<(u64, u64)>> {
    let numbers = |name: &&str| -> Option<(u64, u64)> {
        let (a, b) = stem(name).split_once(['_', '-', '.', ' '])?;
        let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        Some((number(a)?, number(b)?))
    };
    names.iter().map(numbers).collect()
}

/// How often each number occurs.
fn counts(pairs: &[(u64, u64)], of: impl Fn(&(u64, u64)) -> u64) -> HashMap<u64, usize> {
    let mut counts: HashMap<u64, usize> = HashMap::new();
    pairs.iter().for_each(|pair| *counts.entry(of(pair)).or_default() += 1);
    counts
}

/// A note on names of two numbers, the first of which may be a class or the row of a tile.
pub(super) fn unclear(names: &[&str]) -> Option<String> {
    /// More numbers are those of rows or frames.
    const MOST: usize = 26;
    let first = counts(&pairs(names)?, |pair| pair.0);
    let (least, most) = (first.keys().min()?, first.keys().max()?);
    let may_be = (2..=MOST).contains(&first.len()) && first.values().all(|count| *count >= MIN_IMAGES);
    (may_be && *most < MAX_NUMBERS as u64).then(|| {
        format!(
            "the names of the files begin with {} numbers ({least} to {most}, as in {}), which may be classes or parts of a \
             picture: a folder for each, or a table of file_name,label, makes classes of them",
            first.len(),
            names[0]
        )
    })
}

fn by_word(names: &[&str]) -> Option<Labelled> {
    let words: Option<Vec<&str>> = names.iter().map(|name| word(name)).collect();
    let words = words?;
    let mut counts: HashMap<&str, usize> = HashMap::new();
    words.iter().for_each(|word| *counts.entry(word).or_default() += 1);
    if counts.len() < 2 || counts.values().any(|count| *count < MIN_IMAGES) {
        return None;
    }
    let labels = words.iter().map(|word| Some((*word).to_owned())).collect();
    let what = format!("the names of the files before their numbers ({}, for one)", words[0]);
    Some(Labelled { values: Values::Classes(labels), what, notes: Vec::new(), used: Vec::new(), is_apart: false })
}

/// What stands before the number in a file's name, if it may be a class.
fn word(name: &str) -> Option<&str> {
    let stem = stem(name);
    // `cat (1).jpg`, as Windows numbers files.
    let stem = stem.strip_suffix(')').filter(|stem| stem.contains('(')).unwrap_or(stem);
    let before = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let word = before.trim_end_matches(['.', '_', '-', ' ', '(']);
    let is_generic = GENERIC.iter().any(|generic| word.eq_ignore_ascii_case(generic));
    let may_be = before.len() < stem.len() && !word.contains(|c: char| c.is_ascii_digit());
    (may_be && word.contains(char::is_alphabetic) && !is_generic && part_of(word).is_none()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn tiles_and_frames_are_no_classes() {
        for (firsts, lasts) in [(20, 12), (8, 120), (39, 5), (5, 39)] {
            let names: Vec<String> =
                (0..firsts).flat_map(|first| (0..lasts).map(move |last| format!("{first}_{last}.png"))).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            assert!(super::find(&names).is_none(), "{firsts} {lasts}");
        }
    }

    #[test]
    fn numbered_names_are_classes() {
        let cats = "cat.0.jpg cat.1.jpg cat.2.jpg cat.3.jpg dog.0.jpg dog.1.jpg dog.2.jpg dog.3.jpg";
        assert_eq!(Case::new(cats, &[]).train(), "cat cat cat cat dog dog dog dog");
        // Names are separated by spaces here.
        let cats = "cat(1).jpg cat(2).jpg cat(3).jpg cat(4).jpg dog(1).jpg dog(2).jpg dog(3).jpg dog(4).jpg";
        assert_eq!(Case::new(cats, &[]).train(), "cat cat cat cat dog dog dog dog");
        let digits = "7_00.png 7_01.png 7_02.png 7_03.png 3_04.png 3_05.png 3_06.png 3_07.png";
        assert_eq!(Case::new(digits, &[]).train(), "7 7 7 7 3 3 3 3");
        let last = "00-7.png 01-7.png 02-7.png 03-7.png 04-3.png 05-3.png 06-3.png 07-3.png";
        assert_eq!(Case::new(last, &[]).train(), "7 7 7 7 3 3 3 3");
        for others in [
            "20_1_2_99.jpg 20_1_2_98.jpg 21_1_2_99.jpg 21_1_2_98.jpg",
            "901_1.png 901_2.png 901_3.png 901_4.png 902_1.png 902_2.png 902_3.png 902_4.png 902_5.png",
            "cat.0.jpg cat.1.jpg cat.2.jpg cat.3.jpg cat.4.jpg",
            "cat.0.jpg cat.1.jpg cat.2.jpg cat.3.jpg dog.0.jpg",
            "IMG_1.jpg IMG_2.jpg IMG_3.jpg IMG_4.jpg DSC_1.jpg DSC_2.jpg DSC_3.jpg DSC_4.jpg",
            "image(1).jpg image(2).jpg image(3).jpg image(4).jpg a(1).jpg a(2).jpg a(3).jpg",
            "Train_1.jpg Train_2.jpg Train_3.jpg Train_4.jpg Test_1.jpg Test_2.jpg Test_3.jpg Test_4.jpg",
            "1.jpg 2.jpg 3.jpg 4.jpg 5.jpg 6.jpg 7.jpg 8.jpg",
            "ada.jpg bob.jpg cy.jpg",
            "a1b2_1.jpg a1b2_2.jpg a1b2_3.jpg a1b2_4.jpg c_1.jpg c_2.jpg c_3.jpg c_4.jpg",
        ] {
            assert_eq!(Case::new(others, &[]).train(), "", "{others}");
        }
    }
}
