//! Images that a set has twice: in folders that hold it once more, beside photographs of the same name, and in several sizes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::content::{Contents, Relation, relation};
use super::words::folder_is_set;
use super::{Companions, MAX_DEPTH, MIN_TWINS, Why, pairs_of, split, stems_in};
use crate::parts::part_of;

/// Twins that there must be, at least.
const MIN_TWIN_FILES: usize = 4;

/// Files of one name and length, more of which are files without compression.
const MAX_ALIKE: usize = 4;

/// Pairs of folders that are compared, those with the most equal files.
const MAX_COUPLES: usize = 100;

/// Pairs of files whose bytes are compared.
const COMPARED: usize = 8;

/// The folders in each folder.
pub(super) fn folders_below<'n>(names: &[&'n str]) -> BTreeMap<&'n str, BTreeSet<&'n str>> {
    let mut below: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut before = "";
    for name in names {
        let (folder, ..) = split(name);
        if folder == before {
            continue;
        }
        before = folder;
        let mut start = 0;
        for (slash, _) in folder.match_indices('/').take(MAX_DEPTH) {
            below.entry(&folder[..start]).or_default().insert(&folder[start..slash]);
            start = slash + 1;
        }
    }
    below
}

/// The pixels of a side that the name of a folder says, and whether it can say nothing else: `128`, `128x128`, `128px`, `images128`.
fn size_of(folder: &str) -> Option<(u32, bool)> {
    let name = folder.to_ascii_lowercase();
    let word = name.trim_end_matches(|c: char| !c.is_alphabetic() || c == 'x' || c == 'p');
    let word = if folder_is_set(word) { word } else { "" };
    let is_set = !word.is_empty();
    let name = name[word.len()..].trim_start_matches(['-', '_', ' ']).to_owned();
    let (number, is_clear) = match name.strip_suffix("px").or_else(|| name.split_once('x').map(|(one, _)| one)) {
        Some(number) => (number, true),
        None => (name.as_str(), false),
    };
    let is_size = name.split('x').all(|side| side.trim_end_matches('p').bytes().all(|byte| byte.is_ascii_digit()));
    number.parse().ok().filter(|side| is_size && (8..=16_384).contains(side)).map(|side| (side, is_clear || is_set))
}

/// Folders named by sizes that hold files of the same names: all but the one of the largest size. Classes may be called by numbers, but
/// not by powers of two of one number alone, unless they show other pictures.
pub(super) fn sizes(
    names: &[&str],
    below: &BTreeMap<&str, BTreeSet<&str>>,
    contents: &dyn Contents,
    found: &mut Companions,
) {
    for (parent, folders) in below {
        let sizes: Option<BTreeMap<u32, &str>> =
            folders.iter().map(|folder| size_of(folder).map(|(side, _)| (side, *folder))).collect();
        let Some(sizes) = sizes.filter(|sizes| sizes.len() > 1 && sizes.len() == folders.len()) else { continue };
        let are_clear = folders.iter().all(|folder| size_of(folder).is_some_and(|(_, is_clear)| is_clear));
        let mut pairs = sizes.keys().zip(sizes.keys().skip(1));
        if !are_clear && !pairs.all(|(less, more)| more % less == 0 && (more / less).is_power_of_two()) {
            continue;
        }
        let files = |folder: &str| stems_in(names, &format!("{parent}{folder}/"), 0..names.len(), found);
        let Some((_, largest)) = sizes.last_key_value() else { continue };
        let kept = files(largest);
        let others: Vec<(&str, HashMap<&str, usize>)> =
            sizes.values().filter(|folder| *folder != largest).map(|folder| (*folder, files(folder))).collect();
        let are_same = others.iter().all(|(_, files)| {
            let same = files.keys().filter(|name| kept.contains_key(*name)).count();
            same * 100 >= files.len().max(kept.len()) * MIN_TWINS
        });
        let show_others = |files: &HashMap<&str, usize>| relation(contents, &pairs_of(files, &kept)) == Relation::None;
        if kept.len() < MIN_TWIN_FILES || !are_same || others.iter().any(|(_, files)| show_others(files)) {
            continue;
        }
        for (folder, files) in others {
            found.leave(Why::Size, files.into_values().collect(), vec![format!("{parent}{folder}/")]);
        }
    }
}

/// Folders whose own folders are called like those beside them, and hold the same files: the set once more.
pub(super) fn copies(names: &[&str], below: &BTreeMap<&str, BTreeSet<&str>>, found: &mut Companions) {
    let is_copy = |parent: &str, folder: &str| {
        let Some(siblings) = below.get(parent).filter(|siblings| siblings.len() > 2) else { return false };
        let inside = below.get(format!("{parent}{folder}/").as_str());
        inside.is_some_and(|inside| siblings.iter().all(|other| *other == folder || inside.contains(other)))
    };
    // The folders that may be copies, and the length of the path above each.
    let tops: HashMap<String, usize> = below
        .iter()
        .flat_map(|(parent, folders)| folders.iter().map(move |folder| (*parent, *folder)))
        .filter(|(parent, folder)| part_of(folder).is_none() && is_copy(parent, folder))
        .map(|(parent, folder)| (format!("{parent}{folder}/"), parent.len()))
        .collect();
    if tops.is_empty() {
        return;
    }
    let known: HashSet<&str> = names.iter().copied().collect();
    let parents: HashSet<&str> = tops.iter().map(|(top, parent)| &top[..*parent]).collect();
    // The files of each copy, how many of them are in the folder above as well, and how many files that one has.
    let mut copies: BTreeMap<&str, (Vec<usize>, usize)> = BTreeMap::new();
    let mut totals: HashMap<&str, usize> = HashMap::new();
    for (at, name) in names.iter().enumerate() {
        let ends = || std::iter::once(0).chain(name.match_indices('/').take(MAX_DEPTH).map(|(slash, _)| slash + 1));
        for end in ends().filter(|end| parents.contains(&name[..*end])) {
            *totals.entry(&name[..end]).or_default() += 1;
        }
        if let Some((end, parent)) = ends().find_map(|end| Some((end, *tops.get(&name[..end])?))) {
            let (files, again) = copies.entry(&name[..end]).or_default();
            files.push(at);
            *again += usize::from(known.contains(format!("{}{}", &name[..parent], &name[end..]).as_str()));
        }
    }
    for (top, (files, again)) in copies {
        let beside = totals[&top[..tops[top]]] - files.len();
        if again * 100 >= files.len().max(beside) * MIN_TWINS {
            found.leave(Why::Copy, files, vec![top.to_owned()]);
        }
    }
}

/// Two folders that hold the same files at the same places below, and the files.
type SameFiles<'n> = BTreeMap<(&'n str, &'n str), Vec<(usize, usize)>>;

/// Folders whose files are nearly all in another folder as well, byte by byte: `dataset - Copy/` beside `dataset/`, `all/` beside
/// `cat/` and `dog/`, `data/X/` beside `X/`.
pub(super) fn exact(names: &[&str], contents: &dyn Contents, found: &mut Companions) {
    let same = same_files(names, contents, found);
    let is_most = |count: usize, of: usize| of > 0 && count * 100 >= of * MIN_TWINS;
    // The files in one folder that are not in the other one, which may be inside of it.
    let files_in = |folder: &str, other: &str, found: &Companions| -> Vec<usize> {
        let is_in = |name: &str| name.starts_with(folder) && !(other.len() > folder.len() && name.starts_with(other));
        (0..names.len()).filter(|at| !found.is_about.contains(at) && is_in(names[*at])).collect()
    };
    // Folders whose files are divided among several others.
    let all: BTreeSet<&str> = same.keys().flat_map(|(first, second)| [*first, *second]).collect();
    for folder in all {
        let others = same.iter().filter_map(|((first, second), pairs)| match (*first == folder, *second == folder) {
            (true, _) => Some((*second, pairs.len())),
            (_, true) => Some((*first, pairs.len())),
            _ => None,
        });
        let is_beside = |other: &str| !other.starts_with(folder) && !folder.starts_with(other);
        let inside: Vec<usize> = others
            .filter(|(other, count)| is_beside(other) && is_most(*count, files_in(other, folder, found).len()))
            .map(|(_, count)| count)
            .collect();
        let own = files_in(folder, folder, found);
        if inside.len() > 1 && is_most(inside.iter().sum(), own.len()) {
            found.leave(Why::Copy, own, vec![folder.to_owned()]);
        }
    }
    for ((first, second), pairs) in &same {
        let [one, other] = [files_in(first, second, found), files_in(second, first, found)];
        if one.is_empty() || other.is_empty() {
            continue;
        }
        // Of two that are the same, the deeper one or that of the longer name is the copy.
        let rank = |folder: &str| (folder.matches('/').count(), folder.len());
        let is_first = rank(first) > rank(second) || one.len() * 100 < other.len() * MIN_TWINS;
        let (copy, original) = if is_first { ((first, one), (second, other)) } else { ((second, other), (first, one)) };
        for (folder, files) in [copy, original] {
            if is_most(pairs.len(), files.len()) && !folder.is_empty() {
                found.leave(Why::Copy, files, vec![(*folder).to_owned()]);
                break;
            }
        }
    }
}

/// The folders that have the most equal files, by their names, lengths and some of their bytes.
fn same_files<'n>(names: &[&'n str], contents: &dyn Contents, found: &Companions) -> SameFiles<'n> {
    let mut alike: HashMap<(&str, u64), Vec<usize>> = HashMap::new();
    for (at, name) in names.iter().enumerate().filter(|(at, _)| !found.is_about.contains(at)) {
        let Some(length) = contents.length(at) else { return SameFiles::new() };
        alike.entry((&name[split(name).0.len()..], length)).or_default().push(at);
    }
    let mut same = SameFiles::new();
    for files in alike.into_values().filter(|files| (2..=MAX_ALIKE).contains(&files.len())) {
        for (place, one) in files.iter().enumerate() {
            for other in &files[place + 1..] {
                let (first, second) = heads(names[*one], names[*other]);
                let ((first, one), (second, other)) =
                    if first <= second { ((first, one), (second, other)) } else { ((second, other), (first, one)) };
                if parts_in(first) == parts_in(second) {
                    same.entry((first, second)).or_default().push((*one, *other));
                }
            }
        }
    }
    let mut counts: Vec<usize> = same.values().map(Vec::len).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let least = counts.get(MAX_COUPLES).map_or(0, |count| count + 1).max(MIN_TWIN_FILES);
    same.retain(|_, files| {
        files.sort_unstable();
        let are_equal = |(one, other): &(usize, usize)| {
            contents.bytes(*one).is_some_and(|bytes| Some(bytes) == contents.bytes(*other))
        };
        files.len() >= least && files.iter().step_by(files.len().div_ceil(COMPARED)).all(are_equal)
    });
    same
}

/// What two paths begin with up to the folders and the name that both end in.
fn heads<'n>(one: &'n str, other: &'n str) -> (&'n str, &'n str) {
    let same = one.rsplit('/').zip(other.rsplit('/')).take_while(|(a, b)| a == b);
    let length: usize = same.map(|(name, _)| name.len() + 1).sum();
    let head = |path: &'n str| &path[..(path.len() + 1).saturating_sub(length)];
    (head(one), head(other))
}

/// The parts of a set that the folders of a path name.
fn parts_in(head: &str) -> Vec<crate::parts::Part> {
    head.split('/').filter_map(part_of).collect()
}

/// PNG and BMP files that are called like a photograph beside them, if nearly every one of these has such a file: masks, unless they
/// show other pictures.
pub(super) fn twins(names: &[&str], contents: &dyn Contents, found: &mut Companions) {
    let is = |ending: &str, wanted: [&str; 2]| wanted.iter().any(|wanted| ending.eq_ignore_ascii_case(wanted));
    let mut photos: HashMap<&str, HashMap<&str, usize>> = HashMap::new();
    let mut others: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, name) in names.iter().enumerate().filter(|(at, _)| !found.is_about.contains(at)) {
        let (folder, stem, ending) = split(name);
        if is(ending, [".jpg", ".jpeg"]) {
            photos.entry(folder).or_default().insert(stem, at);
        } else if is(ending, [".png", ".bmp"]) {
            others.entry(folder).or_default().push(at);
        }
    }
    for (folder, files) in others {
        let Some(photos) = photos.get(folder) else { continue };
        let twins: Vec<(usize, usize)> =
            files.iter().filter_map(|at| Some((*photos.get(split(names[*at]).1)?, *at))).collect();
        if twins.len() < MIN_TWIN_FILES || twins.len() * 100 < files.len().max(photos.len()) * MIN_TWINS {
            continue;
        }
        if relation(contents, &twins) == Relation::None {
            continue;
        }
        let example = names[files[0]].to_owned();
        found.leave(Why::Twin, files, vec![example]);
    }
}
