//! Images that a set has in several versions, by their names and by what they show: `raw/cat/1.png` and `processed/cat/1.png`, `1.png`
//! and `1-150x150.png`, and masks that no known word tells. Where it is not sure which of them are to be learned from, all are, which
//! is said.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::content::{Contents, Relation, relation};
use super::words::{file_is_about, folder_is_about, folder_is_set};
use super::{Companions, MAX_DEPTH, MIN_TWINS, Why, pairs_of, split, stems_in};
use crate::first_names::first_names;
use crate::parts::part_of;

/// Versions of the images that there must be, at least.
const MIN_FILES: usize = 4;

/// More folders side by side are classes.
const MAX_FOLDERS: usize = 8;

/// Groups that are compared by what they show.
const MAX_COMPARED: usize = 40;

/// Folders and endings named in a remark.
const MAX_SAID: usize = 4;

/// What is to be done with two versions of the same images.
enum Verdict {
    /// The images of the second one are not learned from.
    Second(Why),
    First(Why),
    /// Both are kept; `true` if that is to be said.
    Both(bool),
}

fn verdict(relation: Relation, is_about: [bool; 2], is_set: [bool; 2]) -> Verdict {
    match (relation, is_about, is_set) {
        (Relation::Same { first_is_better: true }, ..) => Verdict::Second(Why::Version),
        (Relation::Same { first_is_better: false }, ..) => Verdict::First(Why::Version),
        (Relation::Map { first_is_map: true, belong }, [about, _], _) if belong || about => Verdict::First(Why::About),
        (Relation::Map { first_is_map: false, belong }, [_, about], _) if belong || about => {
            Verdict::Second(Why::About)
        }
        (Relation::Pairs, [false, true], _) => Verdict::Second(Why::About),
        (Relation::Pairs, [true, false], _) => Verdict::First(Why::About),
        // No class is called `images`.
        (_, _, [true, false]) => Verdict::Second(Why::About),
        (_, _, [false, true]) => Verdict::First(Why::About),
        (Relation::Pairs, ..) => Verdict::Both(true),
        _ => Verdict::Both(false),
    }
}

/// Two folders side by side, by their names; there may be several such pairs.
type Couple<'n> = (&'n str, &'n str);

/// Folders side by side that hold images of the same names and belong together. All folders of the same two names are decided upon
/// at once.
pub(super) fn folders(
    names: &[&str],
    below: &BTreeMap<&str, BTreeSet<&str>>,
    contents: &dyn Contents,
    found: &mut Companions,
) {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_unstable_by_key(|at| names[*at]);
    let inside = |top: &str| {
        let start = order.partition_point(|at| names[*at] < top);
        order[start..].iter().copied().take_while(|at| names[*at].starts_with(top)).collect::<Vec<usize>>()
    };
    // The files of two folders that have the same names, how many each has, and all its files.
    let mut couples: BTreeMap<Couple<'_>, Couples> = BTreeMap::new();
    for (parent, folders) in below {
        let folders: Vec<&str> = folders.iter().copied().filter(|folder| part_of(folder).is_none()).collect();
        if !(2..=MAX_FOLDERS).contains(&folders.len()) {
            continue;
        }
        let files: Vec<HashMap<&str, usize>> = folders
            .iter()
            .map(|folder| {
                let top = format!("{parent}{folder}/");
                stems_in(names, &top, inside(&top).into_iter(), found)
            })
            .collect();
        for (one, first) in folders.iter().enumerate() {
            for (other, second) in folders.iter().enumerate().skip(one + 1) {
                let couple = couples.entry((*first, *second)).or_default();
                couple.add([&files[one], &files[other]], [first, second].map(|folder| format!("{parent}{folder}/")));
            }
        }
    }
    let is_full = |couple: &Couples| {
        let least = couple.files[0].len().min(couple.files[1].len());
        couple.pairs.len() >= MIN_FILES && couple.pairs.len() * 100 >= least * MIN_TWINS
    };
    for ((first, second), couple) in couples.into_iter().filter(|(_, couple)| is_full(couple)).take(MAX_COMPARED) {
        // One of them may have been left aside beside a third one.
        if couple.pairs.iter().any(|(one, other)| found.is_about.contains(one) || found.is_about.contains(other)) {
            continue;
        }
        let relation = relation(contents, &couple.pairs);
        let about = [first, second].map(folder_is_about);
        let [files, others] = couple.files;
        let [tops, other_tops] = couple.tops;
        match verdict(relation, about, [first, second].map(folder_is_set)) {
            Verdict::First(why) => found.leave(why, files, tops),
            Verdict::Second(why) => found.leave(why, others, other_tops),
            Verdict::Both(false) => {}
            Verdict::Both(true) => found.remarks.push(format!(
                "images of the same names in {first}/ and {second}/ belong together by what they show, as pairs or versions: if only \
                 those of one folder are to be learned from, give this folder"
            )),
        }
    }
}

/// All pairs of folders of two names.
#[derive(Default)]
struct Couples {
    /// Files of the same names.
    pairs: Vec<(usize, usize)>,
    /// All files of each.
    files: [Vec<usize>; 2],
    tops: [Vec<String>; 2],
}

impl Couples {
    fn add(&mut self, files: [&HashMap<&str, usize>; 2], tops: [String; 2]) {
        self.pairs.extend(pairs_of(files[0], files[1]));
        for (place, top) in tops.into_iter().enumerate() {
            self.files[place].extend(files[place].values());
            self.tops[place].push(top);
        }
    }
}

/// Files called like an image beside them but for what follows, such as `1_lung_mask.png` and `1-150x150.png` beside `1.png`, where nearly
/// every image has one, and files that differ from each other in this alone, such as `1_ch0.png` and `1_ch1.png`.
pub(super) fn suffixes(names: &[&str], contents: &dyn Contents, found: &mut Companions) {
    let mut stems: BTreeMap<&str, HashMap<&str, usize>> = BTreeMap::new();
    for (at, name) in names.iter().enumerate().filter(|(at, _)| !found.is_about.contains(at)) {
        let (folder, stem, _) = split(name);
        stems.entry(folder).or_default().insert(stem, at);
    }
    // By what follows: the pairs of an image and its companion.
    let mut groups: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    let mut images = 0;
    for stems in stems.values() {
        for (stem, at) in stems {
            match base_in(stem, stems) {
                Some((base, suffix)) => groups.entry(suffix).or_default().push((base, *at)),
                None => images += 1,
            }
        }
    }
    groups.retain(|_, pairs| pairs.len() >= MIN_FILES && pairs.len() * 100 >= images * MIN_TWINS);
    let mut kinds: Vec<&str> = Vec::new();
    for (suffix, pairs) in groups.iter_mut().take(MAX_COMPARED) {
        pairs.sort_unstable();
        let is_number = suffix.chars().all(|c| !c.is_alphabetic());
        // A word behind a name, as of any file.
        let is_about = file_is_about(&format!("0{suffix}"));
        let relation = relation(contents, pairs);
        let why = match verdict(relation, [false, is_about], [false, false]) {
            Verdict::Second(why) => Some(why),
            // Of one picture the smaller ones, however they are called.
            Verdict::First(Why::Version) => Some(Why::Version),
            _ if has_size(suffix, pairs, contents) => Some(Why::Version),
            _ if !is_number => {
                kinds.push(suffix);
                None
            }
            _ => None,
        };
        if let Some(why) = why {
            let files: Vec<usize> = pairs.iter().map(|(_, at)| *at).collect();
            let example = files.iter().map(|at| names[*at].to_owned()).next();
            found.leave(why, files, example.into_iter().collect());
        }
    }
    if !kinds.is_empty() {
        found.remarks.push(format!(
            "nearly every image is there once more with {} behind its name: all are learned from",
            first_names(&kinds, MAX_SAID)
        ));
    }
}

/// The image beside a file that is called like it but for what follows a sign, the longest name first; and what follows.
fn base_in<'n>(stem: &'n str, stems: &HashMap<&str, usize>) -> Option<(usize, &'n str)> {
    let signs = stem.char_indices().filter(|(at, c)| *at > 0 && !c.is_alphanumeric()).map(|(at, _)| at);
    let signs: Vec<usize> = signs.take(MAX_DEPTH).collect();
    signs.into_iter().rev().find_map(|at| Some((*stems.get(&stem[..at])?, &stem[at..])))
}

/// Whether what follows the names of images is the size of these files, as WordPress writes it (`-150x150`), or a scale (`@2x`).
fn has_size(suffix: &str, pairs: &[(usize, usize)], contents: &dyn Contents) -> bool {
    let number = |text: &str| text.parse::<usize>().ok();
    let Some((width, height)) = suffix.trim_start_matches(['-', '_', '@', ' ']).split_once('x') else { return false };
    match (number(width), number(height)) {
        (Some(width), Some(height)) => {
            let is_so_large =
                |(_, at): &(usize, usize)| contents.glance(*at).is_some_and(|glance| glance.pixels == width * height);
            pairs.iter().take(MIN_FILES).all(is_so_large)
        }
        (Some(_), None) => height.is_empty() && suffix.starts_with('@'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::companions;
    use super::super::content::testing::{Glances, mask, photo};
    use super::super::content::{Glance, Names};
    use super::*;

    /// What is left aside of files, each with what it shows, and what is said.
    fn aside(files: &[(String, Glance)]) -> (String, Vec<String>) {
        let mut files = files.to_vec();
        files.sort_by(|a, b| a.0.cmp(&b.0));
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        let contents = Glances(files.iter().map(|(_, glance)| glance.clone()).collect());
        let Companions { is_about, held, remarks, .. } = companions(&names, &contents);
        assert_eq!(is_about.len(), held.values().map(|held| held.files).sum::<usize>());
        let folders = held.into_iter().map(|(why, held)| format!("{why:?} {} {}", held.files, held.folders.join(" ")));
        (folders.collect::<Vec<_>>().join("; "), remarks)
    }

    fn set(name: &str, of: &dyn Fn(usize) -> Glance) -> Vec<(String, Glance)> {
        (0..10).map(|k| (name.replace('#', &k.to_string()), of(k))).collect()
    }

    #[test]
    fn folders_of_the_same_names_are_compared_by_what_they_show() {
        let small = |k: usize| Glance { pixels: 64, ..photo(k) };
        let dark = |k: usize| Glance { thumbnail: photo(k).thumbnail.iter().map(|v| v / 2).collect(), ..photo(k) };
        let other = |k: usize| photo(k + 50);
        let maps = |k: usize| mask(&photo(k));
        for (files, expected, remarks) in [
            // Masks and versions beside folders of any name.
            (vec![set("cells/#.png", &photo), set("outlines/#.png", &maps)], "About 10 outlines/", 0),
            (vec![set("cells/#.png", &photo), set("masks/#.png", &|k| maps(k + 50))], "About 10 masks/", 0),
            (vec![set("full/cat/#.jpg", &photo), set("half/cat/#.jpg", &small)], "Version 10 half/", 0),
            (
                vec![
                    set("a/raw/#.png", &photo),
                    set("a/done/#.jpg", &small),
                    set("b/raw/x#.png", &other),
                    set("b/done/x#.jpg", &|k| Glance { pixels: 64, ..other(k) }),
                ],
                "Version 20 a/done/ b/done/",
                0,
            ),
            (vec![set("images/#.png", &photo), set("overlay2/#.png", &other)], "About 10 overlay2/", 0),
            // Pairs of which both may be wanted.
            (vec![set("day/#.png", &photo), set("night/#.png", &dark)], "", 1),
            // Classes that are numbered alike.
            (vec![set("cat/#.png", &photo), set("dog/#.png", &other)], "", 0),
            (vec![set("photo/#.png", &photo), set("sketch/#.png", &|k| mask(&other(k)))], "", 0),
            (vec![set("train/#.png", &photo), set("test/#.png", &photo)], "", 0),
        ] {
            let (found, said) = aside(&files.concat());
            assert_eq!((found.as_str(), said.len()), (expected, remarks), "{said:?}");
        }
    }

    #[test]
    fn files_with_a_suffix_are_compared_by_what_they_show() {
        let small = |k: usize| Glance { pixels: 64, ..photo(k) };
        let dark = |k: usize| Glance { thumbnail: photo(k).thumbnail.iter().map(|v| v / 2).collect(), ..photo(k) };
        for (second, of, expected, remarks) in [
            (
                "a#_outlines.png",
                &(|k: usize| mask(&photo(k))) as &dyn Fn(usize) -> Glance,
                "About 10 a0_outlines.png",
                0,
            ),
            ("a#-64x64.png", &|k| photo(k + 50), "Version 10 a0-64x64.png", 0),
            ("a#-150x150.png", &|k| photo(k + 50), "", 1),
            ("a#@2x.png", &|k| photo(k + 50), "Version 10 a0@2x.png", 0),
            ("a#_small.png", &small, "Version 10 a0_small.png", 0),
            ("a#_heatmap.png", &dark, "About 10 a0_heatmap.png", 0),
            ("a#_night.png", &dark, "", 1),
            // More photographs of the same things.
            ("a#_1.png", &|k| photo(k + 50), "", 0),
            ("a#_1.png", &dark, "", 0),
            ("a#_b.png", &|k| photo(k + 50), "", 1),
        ] {
            let (found, said) = aside(&[set("a#.png", &photo), set(second, of)].concat());
            assert_eq!((found.as_str(), said.len()), (expected, remarks), "{second} {said:?}");
        }
    }

    #[test]
    fn names_alone_say_nothing() {
        let names = ["a/0.png", "a/1.png", "a/2.png", "a/3.png", "b/0.png", "b/1.png", "b/2.png", "b/3.png"];
        assert!(companions(&names, &Names).is_about.is_empty());
        let names = ["0.png", "0_x.png", "1.png", "1_x.png", "2.png", "2_x.png", "3.png", "3_x.png"];
        assert!(companions(&names, &Names).is_about.is_empty());
    }
}
