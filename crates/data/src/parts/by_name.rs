//! Parts of image files that lie together, by a word in each name: `train_000.png` beside `test_000.png`, `cat.val.12.jpg`.

use std::collections::HashSet;

use super::{Part, part_of};
use crate::sidecars::stem;

/// Files that are looked at first: most sets have no such names.
const SAMPLE: usize = 32;

/// One file in this many may be of no part.
const STRAY_SHARE: usize = 10;

/// What the names of files say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ByName {
    Nothing,
    /// The part of each file.
    Parts(Vec<Option<Part>>),
    /// Two files whose names have words for parts, but nothing else in common.
    Doubt(String, String),
}

/// The parts of files with these paths.
pub(crate) fn by_name(names: &[&str]) -> ByName {
    let step = names.len().div_ceil(SAMPLE).max(1);
    let sample = || names.iter().step_by(step);
    let are_few = |strays: usize, all: usize| strays * STRAY_SHARE <= all;
    let strays = sample().filter(|name| part_of(stem(name)).is_none()).count();
    if names.is_empty() || !are_few(strays, sample().count()) {
        return ByName::Nothing;
    }
    let parts: Vec<Option<Part>> = names.iter().map(|name| part_of(stem(name))).collect();
    let of = |wanted: &dyn Fn(Part) -> bool| -> Vec<usize> {
        (0..names.len()).filter(|at| parts[*at].is_some_and(wanted)).collect()
    };
    let (trains, others) = (of(&|part| part == Part::Train), of(&|part| part != Part::Train));
    let (Some(train), Some(other)) = (trains.first(), others.first()) else { return ByName::Nothing };
    if !are_few(names.len() - trains.len() - others.len(), names.len()) {
        return ByName::Nothing;
    }
    let known: HashSet<String> = trains.iter().map(|at| form(stem(names[*at]))).collect();
    let alike = others.iter().filter(|at| known.contains(&form(stem(names[**at])))).count();
    if alike * 2 < others.len() {
        return ByName::Doubt(names[*train].to_owned(), names[*other].to_owned());
    }
    ByName::Parts(parts)
}

/// A path without the words for parts in the name of its file.
pub(crate) fn without_part(name: &str) -> String {
    let start = name.rfind('/').map_or(0, |slash| slash + 1);
    let end = start + name[start..].rfind('.').unwrap_or(name.len() - start);
    let is_sign = |c: char| !c.is_alphanumeric();
    let words = name[start..end].split_inclusive(is_sign);
    let kept: String = words.filter(|word| part_of(word.trim_end_matches(is_sign)).is_none()).collect();
    [&name[..start], kept.trim_end_matches(is_sign), &name[end..]].concat()
}

/// The words of a name but for those of parts; those with digits are all alike.
fn form(stem: &str) -> String {
    let words = stem.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty() && part_of(word).is_none());
    let form = |word: &str| {
        if word.contains(|c: char| c.is_ascii_digit()) { "#".to_owned() } else { word.to_lowercase() }
    };
    words.map(form).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The part of each file by its first letter, `-` for none; `?` for a doubt.
    fn of(names: &str) -> String {
        let names: Vec<&str> = names.split(' ').collect();
        match by_name(&names) {
            ByName::Nothing => String::new(),
            ByName::Doubt(..) => "?".to_owned(),
            ByName::Parts(parts) => parts
                .into_iter()
                .map(|part| match part {
                    Some(Part::Train) => 'T',
                    Some(Part::Validation) => 'v',
                    Some(Part::Test) => 't',
                    Some(Part::Unlabelled) => 'u',
                    None => '-',
                })
                .collect(),
        }
    }

    #[test]
    fn parts_stand_in_the_names_of_files() {
        for (names, expected) in [
            ("train_0.png train_1.png test_0.png", "TTt"),
            ("a/0-train.png a/1-Val.png", "Tv"),
            ("cat.train.0.jpg cat.test.0.jpg dog.train.1.jpg", "TtT"),
            ("train_ab1.png test_9cf.png", "Tt"),
            ("Train0.png Test0.png", "Tt"),
            // One stray in ten.
            ("train_0 train_1 train_2 train_3 train_4 train_5 train_6 train_7 test_8 cover", "TTTTTTTTt-"),
            ("train_0 test_1 cover", ""),
            // One part, classes, none.
            ("train_0.png train_1.png", ""),
            ("test_0.png test_1.png", ""),
            ("train_0.png bus_0.png", ""),
            ("train_station_0.png test_tube_0.png", "?"),
            ("a.png b.png", ""),
        ] {
            assert_eq!(of(names), expected, "{names}");
        }
        assert_eq!(by_name(&[]), ByName::Nothing);
    }

    #[test]
    fn words_for_parts_are_taken_out() {
        for (name, expected) in [
            ("train/train_0.png", "train/0.png"),
            ("cat.train.0.png", "cat.0.png"),
            ("é/0-train.png", "é/0.png"),
            ("train.png", ".png"),
            ("a", "a"),
        ] {
            assert_eq!(without_part(name), expected);
        }
    }
}
