//! Classes from folders: images in two or more sibling folders are labelled by folder. Folders that only spread many files are no
//! classes: those numbered like the files in them (`00000/00017.png`, `01000/01234.png`), chunks (`part_1`, `images_002`), those
//! named by the first letters of checksums or of the folders in them, those of cameras, dates and the tiles of maps, and archives
//! numbered one after the other. Where many folders hold the same ones, such as those of subjects, these are the classes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::class_labels::ClassLabels;
use crate::first_names::first_names;
use crate::formats::archive::is_archive_name;
use crate::parts::{common_folders, folder_is_about, folder_is_set, words};
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

/// Images that may lie beside the folders of classes, in percent.
const MAX_LOOSE: usize = 30;

/// Folders that hold the same ones, from which number on these are the classes.
const MIN_OUTER: usize = 3;

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

/// Classes from the first path component that differs between files, if it has two or more values and most images are in such a
/// folder. Folders named by numbers are sorted numerically.
pub(super) fn classes(names: &[&str]) -> Folders {
    // What is left of each path; `None` for those beside the folders.
    let mut left: Vec<Option<&str>> = names.iter().copied().map(Some).collect();
    let mut note: Option<String> = None;
    let (mut above, mut are_dated) = (String::new(), false);
    for _ in 0..MAX_LEVELS {
        let shared = shared_folders(&left);
        let prefix = left.iter().flatten().filter_map(|name| name.get(..shared)).find(|name| name.ends_with('/'));
        let prefix = prefix.unwrap_or("");
        above = prefix
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .filter(|name| !name.is_empty())
            .map_or(above, str::to_owned);
        let all: Vec<Option<(&str, &str)>> =
            left.iter().map(|name| name.filter(|name| name.len() > shared)?.get(shared..)?.split_once('/')).collect();
        let paths: Vec<(&str, &str)> = all.iter().copied().flatten().collect();
        let stray = all.iter().position(Option::is_none).map(|at| (all.len() - paths.len(), names[at]));
        if paths.is_empty() {
            note = note.or_else(|| names.first().and_then(|_| bucket(prefix)));
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
        if let Some((count, example)) = stray.filter(|(count, _)| count * 100 > all.len() * MAX_LOOSE) {
            note = note.or_else(|| Some(said(&folders, &format!("{} beside them ({example}, for one)", lie(count)))));
            break;
        }
        if folders.len() >= MIN_SINGLES && folders.len() == paths.len() {
            note = note.or_else(|| Some(said(&folders, "each of them holds one image")));
            break;
        }
        if are_checksums(&paths) {
            note = Some(said(&folders, "they are named by the first letters of the files"));
            break;
        }
        if are_tiles(&above, &paths) {
            note = Some(said(&folders, "they hold the tiles of a map"));
            break;
        }
        let are_dates = are_dates(&folders, are_dated);
        let why = if are_chunks(&folders) {
            Some("they are named as chunks of one collection".to_owned())
        } else if are_numbered(&folders, &paths) {
            Some("the files in them are numbered on from folder to folder".to_owned())
        } else if folders.iter().all(|folder| is_of_camera(folder)) {
            Some("they are named as cameras name them".to_owned())
        } else if are_dates {
            Some("they are named by dates".to_owned())
        } else if are_initials(&paths) {
            Some("they are named by the first letters of the folders in them, which are the classes".to_owned())
        } else {
            same_inside(&folders, &paths)
        };
        let Some(why) = why else {
            let inner = inner(&folders, &paths);
            return Folders { classes: Some(labelled(folders, &all)), no_classes: note, inner };
        };
        if !is_archive_name(folders[0]) {
            note = note.or_else(|| Some(said(&folders, &why)));
        }
        are_dated |= are_dates;
        left = all.into_iter().map(|path| path.map(|(_, rest)| rest)).collect();
    }
    Folders { classes: None, no_classes: note, inner: None }
}

/// The numbers of the images that lie beside the folders of the classes.
pub(crate) fn loose(names: &[&str]) -> Vec<usize> {
    let labels = classes(names).classes.map_or(Vec::new(), |classes| classes.labels);
    (0..labels.len()).filter(|at| labels[*at].is_none()).collect()
}

/// The length of the folders that nearly all paths share.
fn shared_folders(names: &[Option<&str>]) -> usize {
    let known = || names.iter().copied().flatten();
    let shared = common_folders(known());
    let below = |name: &str| name[shared..].contains('/');
    let inside = known().filter(|name| below(name)).count();
    // A few images beside the only folder.
    if inside * 100 >= known().count() * (100 - MAX_LOOSE) {
        common_folders(known().filter(|name| below(name)))
    } else {
        shared
    }
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
        return Some(format!(
            "each of these folders holds the same ones ({listed}), which are no classes; labels.csv (file_name,label) can name them"
        ));
    }
    // Such as the characters in the folders of alphabets.
    let (outer, inner) = below.iter().find(|(_, inner)| inner.len() > 1 && !inner.contains(""))?;
    let listed: Vec<&str> = inner.iter().copied().collect();
    Some(format!("the folders in these are no classes ({} in {outer})", first_names(&listed, MAX_SAID)))
}

/// Why folders that hold the same ones are no classes, as those of subjects, versions and sources: there are several of them, or they
/// differ in numbers only. Those in them may be views of each class.
fn same_inside(folders: &[&str], paths: &[(&str, &str)]) -> Option<String> {
    const VIEWS: [&str; 14] = [
        "front", "back", "rear", "left", "right", "top", "bottom", "side", "day", "night", "indoor", "outdoor",
        "color", "gray",
    ];
    const CLASS_WORDS: [&str; 8] = ["class", "classe", "klasse", "clase", "label", "category", "type", "grade"];
    let shared = common_folders(paths.iter().map(|(_, rest)| *rest));
    let mut below: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (folder, rest) in paths {
        below.entry(folder).or_default().insert(rest[shared..].split_once('/').map_or("", |(inner, _)| inner));
    }
    let first = below.first_key_value().map(|(_, inner)| inner)?;
    let is_class = |name: &&str| {
        !VIEWS.contains(&name.to_lowercase().as_str())
            && name.contains(char::is_alphabetic)
            && !folder_is_set(name)
            && !folder_is_about(name)
    };
    if first.len() < 2 || !first.iter().all(is_class) || below.values().any(|inner| inner != first) {
        return None;
    }
    let of_first = words(folders[0]);
    let are_numbered = !of_first.is_empty()
        && !of_first.iter().any(|word| CLASS_WORDS.contains(&word.as_str()))
        && folders.iter().all(|name| name.contains(|c: char| c.is_ascii_digit()) && words(name) == of_first);
    let are_sources = folders.len() >= MIN_OUTER;
    let listed: Vec<&str> = first.iter().copied().collect();
    (are_numbered || are_sources).then(|| {
        let listed = first_names(&listed, MAX_SAID);
        format!("each of them holds the same ones ({listed}), which are the classes; labels.csv (file_name,label) can name others")
    })
}

/// Whether a folder is called as a camera calls it: `100APPLE`, `101_PANA`.
fn is_of_camera(folder: &str) -> bool {
    const LENGTH: usize = 8;
    let (number, free) = folder.split_at_checked(3).unwrap_or(("", ""));
    let is_free = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b'_';
    folder.len() == LENGTH
        && number.parse::<u32>().is_ok_and(|number| number >= 100)
        && free.bytes().all(is_free)
        && free.bytes().any(|c| !c.is_ascii_digit())
}

/// Whether all folders are named by dates: `2023-05`, `2023-05-14 Lisbon`, `20230514`, years alone, `Photos from 2021`; and in folders of
/// dates months and days.
fn are_dates(folders: &[&str], are_dated: bool) -> bool {
    let is_in = |text: &str, from: u32, to: u32| text.parse().is_ok_and(|number: u32| (from..=to).contains(&number));
    let is_year = |text: &str| text.len() == 4 && is_in(text, 1950, 2049);
    let is_day = |text: &str| (1..=2).contains(&text.len()) && is_in(text, 1, 31);
    let is_whole = |text: &str| {
        text.len() == 8
            && text.is_ascii()
            && is_year(&text[..4])
            && is_in(&text[4..6], 1, 12)
            && is_in(&text[6..], 1, 31)
    };
    let is_date = |folder: &&str| {
        let first = folder.split([' ', 'T']).next().unwrap_or(folder);
        let parts: Vec<&str> = first.split(['-', '_', '.']).collect();
        match parts[..] {
            [year, month] | [month, year] if is_year(year) => is_in(month, 1, 12) && month.len() == 2,
            [year, month, day] | [day, month, year] if is_year(year) => is_in(month, 1, 12) && is_day(day),
            [one] => is_whole(one) || folder.strip_prefix("Photos from ").is_some_and(is_year),
            _ => false,
        }
    };
    folders.iter().all(is_date)
        || folders.iter().all(|folder| is_year(folder))
        || (are_dated && folders.iter().all(|folder| is_day(folder)))
}

/// Whether folders hold the tiles of a map, `z/x/y.png`, below the folder `above`: at zoom z there are 2 to the power z of them each way.
fn are_tiles(above: &str, paths: &[(&str, &str)]) -> bool {
    const MAX_ZOOM: u32 = 24;
    /// Smaller numbers may be those of classes.
    const MIN_PLACE: u64 = 32;
    let number = |text: &str| text.bytes().all(|c| c.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let mut most = 0;
    let mut is_tile = |zoom: &str, x: &str, y: &str| {
        let (Some(zoom), Some(x), Some(y)) = (number(zoom), number(x), number(stem(y))) else { return false };
        most = most.max(x);
        zoom <= u64::from(MAX_ZOOM) && x < 1 << zoom && y < 1 << zoom
    };
    let are_tiles = paths.iter().all(|(folder, rest)| match rest.split_once('/') {
        None => is_tile(above, folder, rest),
        Some((x, y)) => is_tile(folder, x, y),
    });
    are_tiles && most >= MIN_PLACE
}

/// Whether each folder is the first letter of all those in it: `a/abbey`.
fn are_initials(paths: &[(&str, &str)]) -> bool {
    paths.iter().all(|(folder, rest)| {
        let inner = rest.split_once('/').map_or("", |(inner, _)| inner).to_lowercase();
        folder.chars().count() == 1 && inner.len() > folder.len() && inner.starts_with(&folder.to_lowercase())
    })
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

/// Whether folders named by numbers, maybe behind the same word, hold the files whose numbers follow.
fn are_numbered(folders: &[&str], paths: &[(&str, &str)]) -> bool {
    /// Files that must have the numbers of short names of folders.
    const MIN_FILES: usize = 8;
    let digits = |text: &str| !text.is_empty() && text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
    let last_digits = |text: &str| text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let word = &folders[0][..last_digits(folders[0])];
    let numbers: Option<Vec<&str>> =
        folders.iter().map(|folder| folder.strip_prefix(word).filter(|number| digits(number))).collect();
    let Some(numbers) = numbers else { return false };
    // The smallest and the largest number in each folder.
    let mut ranges: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    let width = numbers[0].len();
    let largest = numbers.iter().filter_map(|number| number.parse::<u64>().ok()).max().unwrap_or(0);
    let modulus = 10u64.pow(largest.checked_ilog10().unwrap_or(0).max(width.min(3) as u32 - 1) + 1);
    let (mut same_rest, mut same_first) = (true, true);
    for (folder, rest) in paths {
        let stem = stem(rest);
        let number = &stem[last_digits(stem)..];
        let first = stem.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("");
        let (Ok(folder), true) = (folder[word.len()..].parse::<u64>(), digits(number)) else { return false };
        let number: u64 = number.parse().unwrap_or(0);
        let (least, most) = ranges.entry(folder).or_insert((number, number));
        (*least, *most) = ((*least).min(number), (*most).max(number));
        same_rest &= number % modulus == folder;
        same_first &=
            digits(first) && first.parse::<u64>().is_ok_and(|first| first >= modulus && first % modulus == folder);
    }
    let padded =
        numbers.iter().all(|number| number.len() == width) && numbers.iter().any(|number| number.starts_with('0'));
    if padded && width >= 2 && paths.len() >= MIN_FILES && same_first {
        return true;
    }
    if !word.is_empty() {
        return false;
    }
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
            ("0000/140000.jpg 0000/688000.jpg 0001/414001.jpg", ""),
            (
                "0/00/10000_1.jpg 0/00/10100_2.jpg 0/00/10200_3.jpg 0/00/10300_4.jpg 0/07/10007_5.jpg 0/07/10107_6.jpg 0/07/10207_7.jpg 0/07/10307_8.jpg",
                "",
            ),
            // Cameras, dates, tiles of maps.
            ("DCIM/100APPLE/IMG_1.jpg DCIM/101APPLE/IMG_2.jpg", ""),
            ("2022/05/14/1.jpg 2022/06/15/2.jpg 2023/05/14/3.jpg", ""),
            ("2023-05/1.jpg 2023-06/2.jpg", ""),
            ("2023-05-14 Lisbon/1.jpg 2023-06-01/2.jpg", ""),
            ("Photos from 2021/1.jpg Photos from 2022/2.jpg", ""),
            ("14/8500/5600.png 14/8501/5601.png", ""),
            ("13/7800/5200.png 13/7801/5200.png 14/8500/5600.png 14/8501/5601.png", ""),
            // Folders of the first letters; subjects and sources.
            ("s/a/abbey/1.jpg s/a/alley/2.jpg s/b/bakery/shop/3.jpg", "abbey alley bakery"),
            ("P0/open/1 P0/shut/2 P1/open/3 P1/shut/4", "open shut open shut"),
            (
                "w/i/cat/1 w/i/dog/2 w/i/fox/3 x/i/cat/4 x/i/dog/5 x/i/fox/6 y/i/cat/7 y/i/dog/8 y/i/fox/9",
                "cat dog fox cat dog fox cat dog fox",
            ),
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
            ("100Apple/1.jpg 101Apple/2.jpg", "100Apple 101Apple"),
            ("05/1.jpg 06/2.jpg", "05 06"),
            ("1/3/7.png 1/4/8.png", "3 4"),
            ("a/x/1 a/y/2 b/bx/3", "a a b"),
            ("a/front/1 a/back/2 b/front/3 b/back/4 c/front/5 c/back/6", "a a b b c c"),
            ("a/good/1 a/bad/2 b/good/3 b/bad/4 c/good/5 c/bad/6", "good bad good bad good bad"),
            ("class_1/x/1 class_1/y/2 class_2/x/3 class_2/y/4", "class_1 class_1 class_2 class_2"),
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
            ("a/1 b/3 x.png", "", "the folders a to b are no classes: 1 image lies beside them (x.png, for one)"),
            ("a/1 a/2 b/3 x.png", "a a b ", ""),
            ("all/a/1 all/a/2 all/b/3 x.png", "a a b ", ""),
            ("a/1 a/2 a/3 a/4 a/5 b/1 b/2 b/3 b/4 x.png", "a a a a a b b b b ", ""),
            (
                "a/x/1 a/y/1 b/x/1 b/y/1",
                "a a b b",
                "each of these folders holds the same ones (x, y), which are no classes; labels.csv (file_name,label) can name them",
            ),
            (
                "a/i/x/1 a/i/y/1 b/i/x/1 b/i/y/1",
                "a a b b",
                "each of these folders holds the same ones (x, y), which are no classes; labels.csv (file_name,label) can name them",
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
