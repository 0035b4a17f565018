//! Classes from folders: images in two or more sibling folders are labelled by folder. Folders that only spread many files are no
//! classes: those numbered like the files in them (`00000/00017.png`, `01000/01234.png`), chunks (`part_1`, `images_002`), those
//! named by the first letters of checksums, and archives numbered one after the other.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::class_labels::ClassLabels;
use crate::first_names::first_names;
use crate::formats::archive::is_archive_name;
use crate::parts::common_folders;
use crate::sidecars::stem;

/// Folders inside each other that are looked at.
const MAX_LEVELS: usize = 8;

/// Files that a folder named by a number must hold, at least, before the next one begins.
const MIN_STEP: u64 = 10;

/// Words for chunks of a set.
const CHUNK_WORDS: [&str; 23] = [
    "fold", "folds", "cv", "part", "parts", "batch", "chunk", "shard", "image", "images", "img", "imgs", "vol",
    "volume", "disk", "disc", "data", "dataset", "section", "folder", "dir", "subset", "block",
];

/// One image in this many may lie beside the folders of classes.
const STRAY_SHARE: usize = 10;

/// Folders that are named in a note.
const MAX_SAID: usize = 5;

/// Folders with an image each, from this number on, are no classes.
const MIN_SINGLES: usize = 5;

/// Classes, or why folders are none.
#[derive(Debug, Default)]
pub(super) struct Folders {
    pub classes: Option<ClassLabels>,
    /// Why some folders are no classes.
    pub no_classes: Option<String>,
    /// A note on the folders in those of the classes.
    pub inner: Option<String>,
}

/// Classes from the first path component that differs between files, if it has two or more values and nearly every image is in
/// such a folder. Folders named by numbers are sorted numerically.
pub(super) fn classes(names: &[&str]) -> Folders {
    let mut names = names.to_vec();
    let mut note: Option<String> = None;
    for _ in 0..MAX_LEVELS {
        let shared = common_folders(names.iter().copied());
        let all: Vec<Option<(&str, &str)>> = names.iter().map(|name| name[shared..].split_once('/')).collect();
        let paths: Vec<(&str, &str)> = all.iter().copied().flatten().collect();
        let stray = all.iter().position(Option::is_none).map(|at| (all.len() - paths.len(), names[at]));
        if paths.is_empty() {
            note = note.or_else(|| names.first().and_then(|name| bucket(&name[..shared])));
            break;
        }
        let mut folders: Vec<&str> = paths.iter().map(|(folder, _)| *folder).collect();
        // Neighbours mostly share a folder, so that little is left to sort.
        folders.dedup();
        folders.sort_unstable();
        folders.dedup();
        if folders.len() < 2 {
            break;
        }
        if let Some((count, example)) = stray.filter(|(count, _)| count * STRAY_SHARE > all.len()) {
            note = note.or_else(|| Some(said(&folders, &format!("{} beside them ({example}, for one)", lie(count)))));
            break;
        }
        if are_checksums(&paths) {
            note = Some(said(&folders, "they are named by the first letters of the files"));
            break;
        }
        if folders.len() >= MIN_SINGLES && folders.len() == paths.len() {
            note = note.or_else(|| Some(said(&folders, "each of them holds one image")));
            break;
        }
        if are_chunks(&folders) {
            let note_now = || said(&folders, "they are named as chunks of one collection");
            note = note.or_else(|| (!is_archive_name(folders[0])).then(note_now));
        } else if are_numbered(&folders, &paths) {
            note = note.or_else(|| Some(said(&folders, "the files in them are numbered on from folder to folder")));
        } else {
            let inner = inner(&folders, &paths);
            return Folders { classes: Some(labelled(folders, &all)), no_classes: note, inner };
        }
        if stray.is_some() {
            break;
        }
        names = paths.into_iter().map(|(_, rest)| rest).collect();
    }
    Folders { classes: None, no_classes: note, inner: None }
}

fn lie(count: usize) -> String {
    if count == 1 { "1 image lies".to_owned() } else { format!("{count} images lie") }
}

/// A note on a folder named by digits that holds all images.
fn bucket(folder: &str) -> Option<String> {
    let name = folder.trim_end_matches('/').rsplit('/').next()?;
    let is_bucket = name.len() >= 4 && name.bytes().all(|byte| byte.is_ascii_digit());
    is_bucket.then(|| format!("the folder {name} is no class: it holds all images"))
}

/// A note on the folders in those of the classes, which may be the classes that are meant.
fn inner(folders: &[&str], paths: &[(&str, &str)]) -> Option<String> {
    let mut below: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let shared = common_folders(paths.iter().map(|(_, rest)| *rest));
    for (folder, rest) in paths {
        let rest = &rest[shared..];
        below.entry(folder).or_default().insert(rest.split_once('/').map_or("", |(inner, _)| inner));
    }
    let first = &below[folders[0]];
    let are_same = first.len() > 1 && !first.contains("") && below.values().all(|inner| inner == first);
    if are_same {
        let listed: Vec<&str> = first.iter().copied().collect();
        let listed = first_names(&listed, MAX_SAID);
        return Some(format!("each of these folders holds the same ones ({listed}), which are no classes"));
    }
    // Such as the characters in the folders of alphabets.
    let (outer, inner) = below.iter().find(|(_, inner)| inner.len() > 1 && !inner.contains(""))?;
    let listed: Vec<&str> = inner.iter().copied().collect();
    Some(format!("the folders in these are no classes ({} in {outer})", first_names(&listed, MAX_SAID)))
}

fn labelled(mut folders: Vec<&str>, paths: &[Option<(&str, &str)>]) -> ClassLabels {
    if folders.iter().all(|folder| folder.parse::<u64>().is_ok()) {
        folders.sort_by_key(|folder| folder.parse::<u64>().unwrap_or(u64::MAX));
    }
    let rank: HashMap<&str, u32> = folders.iter().copied().zip(0..).collect();
    let labels = paths.iter().map(|path| path.map(|(folder, _)| rank[folder])).collect();
    let names = folders.into_iter().map(|folder| plain(folder).to_owned()).collect();
    ClassLabels { labels, names, notes: Vec::new() }
}

/// A folder's name, or that of an archive without its ending.
fn plain(folder: &str) -> &str {
    if !is_archive_name(folder) {
        return folder;
    }
    let name = folder.rsplit_once('.').map_or(folder, |(name, _)| name);
    if name.to_ascii_lowercase().ends_with(".tar") { &name[..name.len() - 4] } else { name }
}

/// A note on folders, sorted by name, that are no classes.
fn said(folders: &[&str], why: &str) -> String {
    let (first, last) = (folders.first().unwrap_or(&""), folders.last().unwrap_or(&""));
    format!("the folders {first} to {last} are no classes: {why}")
}

/// Words before the number of a class.
const CLASS_WORDS: [&str; 4] = ["class", "category", "label", "klasse"];

/// Whether names differ in numbers only and are those of archives or chunks.
fn are_chunks(folders: &[&str]) -> bool {
    let words = |folder: &str| -> Vec<String> {
        let words = plain(folder).split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect()
    };
    let first = words(folders[0]);
    let is_chunk =
        |folder: &str| is_archive_name(folder) || first.iter().any(|word| CHUNK_WORDS.contains(&word.as_str()));
    let numbered = |folder: &str| plain(folder).contains(|c: char| c.is_ascii_digit());
    // `Class 1-samples.zip`.
    let are_classes = first.first().is_some_and(|word| CLASS_WORDS.contains(&word.as_str()));
    !are_classes && folders.iter().all(|folder| numbered(folder) && is_chunk(folder) && words(folder) == first)
}

/// Whether all folders of each path together begin its file's name, which is a checksum.
fn are_checksums(paths: &[(&str, &str)]) -> bool {
    const MIN_DIGITS: usize = 16;
    paths.iter().all(|(folder, rest)| {
        let stem = stem(rest);
        let is_checksum = stem.len() >= MIN_DIGITS && stem.bytes().all(|byte| byte.is_ascii_hexdigit());
        let inner = rest.rsplit_once('/').map_or("", |(folders, _)| folders);
        let start: String = [folder, inner].concat().chars().filter(|c| *c != '/').collect();
        is_checksum && stem.starts_with(&start)
    })
}

/// Whether folders named by numbers hold the files whose numbers follow.
fn are_numbered(folders: &[&str], paths: &[(&str, &str)]) -> bool {
    let digits = |text: &str| !text.is_empty() && text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !folders.iter().all(|folder| digits(folder)) {
        return false;
    }
    // The smallest and the largest number in each folder.
    let mut ranges: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    let width = folders[0].len();
    let modulus = 10u64.pow(width as u32);
    let mut same_rest = true;
    for (folder, rest) in paths {
        let stem = stem(rest);
        let number = &stem[stem.trim_end_matches(|c: char| c.is_ascii_digit()).len()..];
        let (Ok(folder), true) = (folder.parse::<u64>(), digits(number)) else { return false };
        let number: u64 = number.parse().unwrap_or(0);
        let (least, most) = ranges.entry(folder).or_insert((number, number));
        (*least, *most) = ((*least).min(number), (*most).max(number));
        same_rest &= number % modulus == folder;
    }
    let padded =
        folders.iter().all(|folder| folder.len() == width) && folders.iter().any(|folder| folder.starts_with('0'));
    let next = || ranges.iter().zip(ranges.iter().skip(1));
    // 01000/01234.png.
    let begins_at_name = ranges.iter().all(|(folder, (least, _))| folder <= least)
        && next().all(|((folder, (_, most)), (after, _))| most < after && after - folder >= MIN_STEP);
    // 00001/img00001234.png: the number divided by the same step everywhere.
    let from = ranges.iter().map(|(folder, (_, most))| most / (folder + 1) + 1).max().unwrap_or(0).max(MIN_STEP);
    let to = ranges.iter().filter(|(folder, _)| **folder > 0).map(|(folder, (least, _))| least / folder).min();
    let divides = to.is_some_and(|to| from <= to);
    let goes_on = next().all(|((_, (_, most)), (_, (least, _)))| most < least);
    begins_at_name || (padded && width >= 3 && divides) || (padded && width >= 4 && (goes_on || same_rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The class of each file, and the note.
    fn of(names: &str) -> (String, Option<String>) {
        let names: Vec<&str> = names.split(' ').collect();
        let Folders { classes, no_classes, inner } = classes(&names);
        let note = no_classes.or(inner);
        let Some(classes) = classes else { return (String::new(), note) };
        let name = |label: &Option<u32>| label.map_or(String::new(), |label| classes.names[label as usize].clone());
        (classes.labels.iter().map(name).collect::<Vec<_>>().join(" "), note)
    }

    #[test]
    fn classes_need_two_folders_and_no_stray() {
        let names = |names: &str| {
            let names: Vec<&str> = names.split(' ').collect();
            classes(&names).classes.map(|classes| (classes.labels, classes.names.join(" ")))
        };
        let labels = |labels: &[u32]| labels.iter().copied().map(Some).collect::<Vec<_>>();
        assert_eq!(names("10/a 9/b 9/c/d"), Some((labels(&[1, 0, 0]), "9 10".to_owned())));
        assert_eq!(names("cat/a 10/b"), Some((labels(&[1, 0]), "10 cat".to_owned())));
        assert_eq!(names("all/cat/a all/dog/b"), Some((labels(&[0, 1]), "cat dog".to_owned())));
        assert_eq!(names("cats.zip/a dogs.tar.gz/b"), Some((labels(&[0, 1]), "cats dogs".to_owned())));
        for others in ["cat/a cat/b", "cat/a dog/b c", "all/cat/a all/b", "a b"] {
            assert_eq!(names(others), None, "{others}");
        }
        let Folders { classes, no_classes, inner } = classes(&[]);
        assert_eq!((classes, no_classes, inner), (None, None, None));
    }

    #[test]
    fn folders_that_spread_files_are_no_classes() {
        for (names, expected) in [
            // FFHQ, StyleGAN, img2dataset, Danbooru, LSUN, chest X-rays, shards.
            ("00000/00000.png 00000/00999.png 01000/01000.png 69000/69123.png", ""),
            ("00000/img00000000.png 00000/img00000019.png 00001/img00000020.png", ""),
            ("00000/000000000.jpg 00000/000000009.jpg 00001/000010000.jpg", ""),
            ("0000/1000.jpg 0000/25000.jpg 0123/2510123.jpg", ""),
            ("a/b/abcdef0123456789.webp c/0/c0ffee0123456789.webp", ""),
            ("images_001/images/0.png images_002/images/1.png", ""),
            ("HAM_part_1/a.jpg HAM_part_2/b.jpg", ""),
            ("0.tar/s0.jpg 1.tar/s1.jpg 10.tar/s2.jpg", ""),
            // Below them may be classes.
            ("0.tar/cat/s0.jpg 1.tar/dog/s1.jpg", "cat dog"),
            ("part1/cat/1.png part2/dog/1.png", "cat dog"),
            // Classes: digits, ImageNet, signs, people, numbered within each.
            ("0/1.png 0/2.png 1/1.png 9/7.png", "0 0 1 9"),
            ("0/0.png 0/1.png 1/2.png 1/3.png", "0 0 1 1"),
            ("n01440764/n01440764_10.JPEG n01443537/n01443537_11.JPEG", "n01440764 n01443537"),
            ("00000/00000_00000.png 00000/00000_00029.png 00042/00000_00003.png", "00000 00000 00042"),
            ("0001/a.png 0002/b.png", "0001 0002"),
            ("s1/1.png s2/1.png", "s1 s2"),
            ("class_1/1.png class_2/2.png", "class_1 class_2"),
            ("a/a1.png b/b1.png", "a b"),
        ] {
            assert_eq!(of(names).0, expected, "{names}");
        }
        let note = of("00000/00000.png 01000/01000.png").1;
        let expected =
            "the folders 00000 to 01000 are no classes: the files in them are numbered on from folder to folder";
        assert_eq!(note.as_deref(), Some(expected));
        assert_eq!(of("0.tar/0.jpg 1.tar/1.jpg").1, None);
        for (names, labels, note) in [
            ("00000/img0.png 00000/img1.png", "", "the folder 00000 is no class: it holds all images"),
            (
                "fold_1/a/1 fold_1/b/1 fold_2/a/2 fold_2/b/2",
                "a b a b",
                "the folders fold_1 to fold_2 are no classes: they are named as chunks of one collection",
            ),
            ("a/1 b/2 c/3 d/4 e/5", "", "the folders a to e are no classes: each of them holds one image"),
            ("a/1 a/2 b/3 x.png", "", "the folders a to b are no classes: 1 image lies beside them (x.png, for one)"),
            ("a/1 a/2 a/3 a/4 a/5 b/1 b/2 b/3 b/4 x.png", "a a a a a b b b b ", ""),
            (
                "a/x/1 a/y/1 b/x/1 b/y/1",
                "a a b b",
                "each of these folders holds the same ones (x, y), which are no classes",
            ),
            (
                "a/i/x/1 a/i/y/1 b/i/x/1 b/i/y/1",
                "a a b b",
                "each of these folders holds the same ones (x, y), which are no classes",
            ),
            ("a/x/1 a/y/1 b/x/1", "a a b", "the folders in these are no classes (x, y in a)"),
            ("a/x/1 b/y/1", "a b", ""),
            ("cat/1 cat/2", "", ""),
        ] {
            let (found, said) = of(names);
            assert_eq!((found.as_str(), said.unwrap_or_default().as_str()), (labels, note), "{names}");
        }
    }
}
