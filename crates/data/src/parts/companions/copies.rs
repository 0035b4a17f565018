//! Images that a set has twice: in folders that hold it once more, beside photographs of the same name, and in several sizes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::words::folder_is_set;
use super::{Companions, MAX_DEPTH, MIN_TWINS, split};
use crate::parts::part_of;

/// Twins that there must be, at least.
const MIN_TWIN_FILES: usize = 4;

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
/// not by powers of two of one number alone.
pub(super) fn sizes(names: &[&str], below: &BTreeMap<&str, BTreeSet<&str>>, found: &mut Companions) {
    for (parent, folders) in below {
        let sizes: Option<BTreeMap<u32, &str>> =
            folders.iter().map(|folder| size_of(folder).map(|(side, _)| (side, *folder))).collect();
        let Some(sizes) = sizes.filter(|sizes| sizes.len() > 1 && sizes.len() == folders.len()) else { continue };
        let are_clear = folders.iter().all(|folder| size_of(folder).is_some_and(|(_, is_clear)| is_clear));
        let mut pairs = sizes.keys().zip(sizes.keys().skip(1));
        if !are_clear && !pairs.all(|(less, more)| more % less == 0 && (more / less).is_power_of_two()) {
            continue;
        }
        let files = |folder: &str| -> HashMap<&str, usize> {
            let top = format!("{parent}{folder}/");
            let inside =
                names.iter().enumerate().filter(|(at, name)| name.starts_with(&top) && !found.is_about.contains(at));
            inside.map(|(at, name)| (&name[top.len()..name.len() - split(name).2.len()], at)).collect()
        };
        let Some((_, largest)) = sizes.last_key_value() else { continue };
        let kept = files(largest);
        let others: Vec<(&str, HashMap<&str, usize>)> =
            sizes.values().filter(|folder| *folder != largest).map(|folder| (*folder, files(folder))).collect();
        let are_same = others.iter().all(|(_, files)| {
            let same = files.keys().filter(|name| kept.contains_key(*name)).count();
            same * 100 >= files.len().max(kept.len()) * MIN_TWINS
        });
        if kept.len() < MIN_TWIN_FILES || !are_same {
            continue;
        }
        for (folder, files) in others {
            found.sizes.files += files.len();
            found.sizes.folders.push(format!("{parent}{folder}/"));
            found.is_about.extend(files.into_values());
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
            found.copies.files += files.len();
            found.copies.folders.push(top.to_owned());
            found.is_about.extend(files);
        }
    }
}

/// PNG and BMP files that are called like a photograph beside them, if nearly every one of these has such a file: masks.
pub(super) fn twins(names: &[&str], found: &mut Companions) {
    let is = |ending: &str, wanted: [&str; 2]| wanted.iter().any(|wanted| ending.eq_ignore_ascii_case(wanted));
    let mut photos: HashMap<&str, HashSet<&str>> = HashMap::new();
    let mut others: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, name) in names.iter().enumerate().filter(|(at, _)| !found.is_about.contains(at)) {
        let (folder, stem, ending) = split(name);
        if is(ending, [".jpg", ".jpeg"]) {
            photos.entry(folder).or_default().insert(stem);
        } else if is(ending, [".png", ".bmp"]) {
            others.entry(folder).or_default().push(at);
        }
    }
    for (folder, files) in others {
        let Some(photos) = photos.get(folder) else { continue };
        let twins = files.iter().filter(|at| photos.contains(split(names[**at]).1)).count();
        if twins < MIN_TWIN_FILES || twins * 100 < files.len().max(photos.len()) * MIN_TWINS {
            continue;
        }
        found.twins.files += files.len();
        found.twins.folders.push(names[files[0]].to_owned());
        found.is_about.extend(files);
    }
}
