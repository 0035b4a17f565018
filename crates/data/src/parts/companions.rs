//! Pictures about other images of a set, which are not to be learned from: masks, depth maps, thumbnails and the like, and
//! folders that hold the set once more. They are told by a word in the name of the file or of a folder, and by the image that they
//! are about: `benign (1)_mask.png` beside `benign (1).png`, `gtFine/train/a_gtFine_color.png` of
//! `leftImg8bit/train/a_leftImg8bit.png`, `thumbnails/cat/1.png` of `images/cat/1.png`, `1.png` beside `1.jpg`. Where names say too
//! little, some images of the same names are compared (`content`).
//!
//! A class may be called `mask`, and hand-made sets number the files of all classes alike. A folder beside it that is named
//! neither for images nor for pictures about them nor for a part (`gloves`, `no_mask`) tells that these are classes. In doubt an
//! image is kept: a class that is lost is worse than masks that are learned from.

mod content;
mod copies;
mod versions;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Holding, common_folders, part_of};
pub(crate) use content::{Contents, Glance, Names, SIDE};
use words::{base, file_is_about, folder_is_images, is_image, is_number, is_scale, tokens, version_of, without_scale};
pub(crate) use words::{folder_is_about, folder_is_set};

/// Share of the pictures in a folder that must be about a known image, in percent; where its folders of classes are those of the
/// images; and of the files that must be there twice, of twins and copies.
const MIN_PAIRED: usize = 50;
const MIN_PAIRED_VERSIONS: usize = 10;
const MIN_TWINS: usize = 90;

/// Words that may follow the name of the image: `00007_l_brow` is about `7`.
const MAX_MORE_WORDS: usize = 2;

/// Folders below this depth are not told apart.
const MAX_DEPTH: usize = 16;

/// Why pictures are not learned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// Masks and the like.
    About,
    /// Folders that hold the set once more.
    Copy,
    /// Pictures called like a photograph beside them.
    Twin,
    /// Folders of smaller images of the same names.
    Size,
    /// The same pictures in another size or format.
    Version,
}

impl Why {
    /// What is said of the pictures, with `what` and where they are.
    pub fn describe(self, what: &str) -> String {
        match self {
            Self::About => format!("{what}, by their names masks or other pictures about the images"),
            Self::Copy => format!("{what}: the same folders once more"),
            Self::Twin => format!("{what}, called like a JPEG file beside them"),
            Self::Size => format!("{what}: the same names as in the folder of the largest size"),
            Self::Version => format!("{what}: the same pictures as others, in another size or format"),
        }
    }
}

/// The pictures about other images, and where they are.
#[derive(Debug, Default)]
pub(super) struct Companions {
    /// The files, if there are any.
    pub is_about: HashSet<usize>,
    pub held: BTreeMap<Why, Holding>,
    /// What else is to be said, a sentence each.
    pub remarks: Vec<String>,
}

impl Companions {
    /// Leaves `files` aside, which are in `folders`.
    fn leave(&mut self, why: Why, files: Vec<usize>, folders: Vec<String>) {
        let held = self.held.entry(why).or_default();
        held.files += files.len();
        held.folders.extend(folders);
        self.is_about.extend(files);
    }
}

/// The folders of a set.
#[derive(Debug, Default)]
struct Folders {
    places: HashMap<String, Place>,
    /// The first words of the folders of pictures about images, each with the folder above, which is named without parts.
    firsts: HashSet<(String, String)>,
    /// The words of other folders, each with the folder above.
    others: HashMap<(String, Vec<String>), String>,
}

/// A folder as it is compared.
#[derive(Debug, Default)]
struct Place {
    /// Its parts without words for images and for pictures about them.
    plain: Vec<String>,
    /// The path up to the folder that is named as pictures about images, and how much of it is the folder above.
    top: Option<(String, usize)>,
    /// The folder above `top`, named without parts.
    above: String,
    /// Whether it has smaller versions of the images in a folder beside it: `cats_resized` beside `cats`.
    is_version: bool,
    /// The folder in `top`.
    below: Option<String>,
    /// Whether a folder is named for images, and whether one in `top` is.
    has_images: bool,
    has_images_below: bool,
    /// The folders on the path that are named for nothing but what they hold, with the folder above each, and whether one in it is
    /// named for images.
    classes: Vec<(String, String, bool)>,
    /// All folders on the path which are not of pictures about images, with the folder above each.
    others: Vec<(String, String)>,
}

impl Folders {
    /// The folders of files with these paths, below the first `shared` bytes.
    fn of(names: &[&str], shared: usize) -> Self {
        let mut folders = Self::default();
        let all: BTreeSet<&str> = names.iter().map(|name| split(name).0).collect();
        for folder in &all {
            let mut above = String::new();
            for name in path_of(&folder[shared..]) {
                if folder_is_about(name) {
                    folders.firsts.extend(super::words(name).into_iter().next().map(|first| (above.clone(), first)));
                    break;
                }
                folders.others.entry((above.clone(), tokens(name).collect())).or_insert_with(|| name.to_lowercase());
                go_down(&mut above, name);
            }
        }
        folders.places = all.iter().map(|folder| ((*folder).to_owned(), folders.place(folder, shared))).collect();
        folders
    }

    /// Whether a folder is named as one of images: `images`, or `HAM10000_images` beside `HAM10000_segmentations`.
    fn is_images(&self, name: &str, above: &str) -> bool {
        let words = || super::words(name).into_iter();
        let first = || words().next().map(|first| (above.to_owned(), first));
        folder_is_images(name)
            || (words().any(|word| is_image(&word)) && first().is_some_and(|first| self.firsts.contains(&first)))
    }

    fn place(&self, folder: &str, shared: usize) -> Place {
        let (mut place, mut above, mut length) = (Place::default(), String::new(), shared);
        for name in path_of(&folder[shared..]) {
            let part = part_of(name).map(|part| format!("{part:?}"));
            if place.top.is_some() && place.below.is_none() && part.is_none() {
                place.below = Some(name.to_lowercase());
            }
            if folder_is_about(name) {
                if place.top.is_none() {
                    place.top = Some((folder[..length + name.len() + 1].to_owned(), length));
                    place.above.clone_from(&above);
                }
                place.plain.extend(part);
                let sibling = version_of(name).and_then(|rest| self.others.get(&(above.clone(), rest)));
                if let Some(sibling) = sibling.filter(|_| part_of(name).is_none()) {
                    place.is_version = true;
                    place.plain.push(sibling.clone());
                }
            } else if place.top.is_some() && is_scale(name) {
                // `LR_bicubic/X2`.
            } else if self.is_images(name, &above) {
                place.has_images = true;
                place.plain.extend(part);
                place.has_images_below |= place.top.is_some();
                place.classes.iter_mut().for_each(|(.., leads_to_images)| *leads_to_images = true);
                place.others.push((above.clone(), name.to_lowercase()));
            } else {
                if part.is_none() {
                    place.classes.push((above.clone(), name.to_lowercase(), false));
                    place.others.push((above.clone(), name.to_lowercase()));
                }
                place.plain.push(part.unwrap_or_else(|| name.to_lowercase()));
            }
            length += name.len() + 1;
            go_down(&mut above, name);
        }
        place
    }
}

/// The folders on a path.
fn path_of(folder: &str) -> impl Iterator<Item = &str> {
    folder.strip_suffix('/').into_iter().flat_map(|folder| folder.splitn(MAX_DEPTH, '/'))
}

/// The path of a folder called `name` in `above`, without the names of parts: a class may have no images in one of them.
fn go_down(above: &mut String, name: &str) {
    if part_of(name).is_none() {
        above.push_str(&name.to_lowercase());
        above.push('/');
    }
}

impl Place {
    /// Whether it has folders of classes.
    fn has_classes(&self) -> bool {
        self.plain.iter().any(|name| !["Train", "Validation", "Test", "Unlabelled"].contains(&name.as_str()))
    }

    /// The ends of its plain path where pictures about its images may be: all of it, and behind a folder that is named for images.
    fn ends(&self) -> impl Iterator<Item = &[String]> {
        let more = if self.has_images { self.plain.len() } else { 0 };
        std::iter::once(&self.plain[..]).chain((1..more).map(|at| &self.plain[at..]))
    }
}

/// The folder, the name without its ending, and the ending of a path.
fn split(name: &str) -> (&str, &str, &str) {
    let (folder, file) = name.split_at(name.rfind('/').map_or(0, |slash| slash + 1));
    let dot = file.rfind('.').unwrap_or(file.len());
    (folder, &file[..dot], &file[dot..])
}

/// Those of `files` in the folder `top` that are not left aside, by their names in it without endings.
fn stems_in<'n>(
    names: &[&'n str],
    top: &str,
    files: impl Iterator<Item = usize>,
    found: &Companions,
) -> HashMap<&'n str, usize> {
    let inside = files.filter(|at| names[*at].starts_with(top) && !found.is_about.contains(at));
    inside.map(|at| (&names[at][top.len()..names[at].len() - split(names[at]).2.len()], at)).collect()
}

/// The pairs of files of the same names, in order.
fn pairs_of(one: &HashMap<&str, usize>, other: &HashMap<&str, usize>) -> Vec<(usize, usize)> {
    let mut pairs: Vec<(usize, usize)> = one.iter().filter_map(|(name, at)| Some((*at, *other.get(name)?))).collect();
    pairs.sort_unstable();
    pairs
}

/// The pictures about other images among files with these paths and contents.
pub(super) fn companions(names: &[&str], contents: &dyn Contents) -> Companions {
    let mut found = Companions::default();
    let folders = copies::folders_below(names);
    copies::copies(names, &folders, &mut found);
    copies::exact(names, contents, &mut found);
    copies::sizes(names, &folders, contents, &mut found);
    marked(names, &mut found);
    copies::twins(names, contents, &mut found);
    versions::folders(names, &folders, contents, &mut found);
    versions::suffixes(names, contents, &mut found);
    found
}

/// Pictures that a word in their names tells.
fn marked(names: &[&str], found: &mut Companions) {
    // The folder that holds the whole set says nothing of its images.
    let folders = Folders::of(names, common_folders(names.iter().copied()));
    let places = &folders.places;
    let is_marked = |name: &str| {
        let (folder, stem, _) = split(name);
        places[folder].top.is_some() || file_is_about(stem)
    };
    let marked: Vec<bool> =
        names.iter().enumerate().map(|(at, name)| !found.is_about.contains(&at) && is_marked(name)).collect();
    if !marked.contains(&true) {
        return;
    }
    let images = Images::of(
        names.iter().enumerate().filter(|(at, _)| !marked[*at] && !found.is_about.contains(at)).map(|(_, name)| *name),
        places,
    );
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, name) in names.iter().enumerate().filter(|(at, _)| marked[*at]) {
        groups.entry(split(name).0).or_default().push(at);
    }
    // The folders in each folder of pictures about images.
    let mut inside: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    for place in groups.keys().map(|folder| &places[*folder]) {
        if let Some((top, _)) = &place.top {
            inside.entry(top).or_default().extend(place.below.as_deref());
        }
    }
    let mut known: HashMap<&str, bool> = HashMap::new();
    let mut tops: BTreeSet<&str> = BTreeSet::new();
    for (folder, files) in groups {
        let place = &places[folder];
        if let Some((top, _)) = &place.top
            && !place.is_version
            && *known.entry(top).or_insert_with(|| images.are_classes_beside(place, &inside[top.as_str()]))
        {
            continue;
        }
        let paired = files.iter().filter(|at| images.has_image_of(folder, split(names[**at]).1, place)).count();
        // The same folders of classes.
        let is_version = || place.top.is_some() && place.has_classes() && images.ends.contains_key(&place.plain[..]);
        let is_augmented = || {
            let name = place.top.as_ref().map_or("", |(top, above)| &top[*above..]);
            tokens(name).any(|token| token.starts_with("aug"))
        };
        let is = |share: usize| paired > 0 && paired * 100 >= files.len() * share;
        if place.is_version && !is(MIN_TWINS) {
            continue;
        }
        if !is(MIN_PAIRED) && !(is_version() && (is(MIN_PAIRED_VERSIONS) || is_augmented())) {
            continue;
        }
        let folders = match &place.top {
            Some((top, _)) if !tops.insert(top) => Vec::new(),
            Some((top, _)) => vec![top.clone()],
            None => vec![names[files[0]].to_owned()],
        };
        found.leave(Why::About, files, folders);
    }
}

/// The images that other pictures may be about.
#[derive(Default)]
struct Images<'a> {
    /// The numbers of the ends of the paths of their folders.
    ends: HashMap<&'a [String], usize>,
    /// What their names say, each with the end of a path.
    bases: HashSet<(String, usize)>,
    /// Folders of an image whose name says nothing: `001/image.png`.
    nameless: HashSet<&'a str>,
    /// What follows the first word of their names, in each folder: `stamp_1.png`.
    behind: HashSet<(&'a str, String)>,
    /// In each folder above, the folders that are named for nothing but what they hold, and whether these have images in folders
    /// named so; and the number of all folders of images.
    classes: HashMap<&'a str, BTreeMap<&'a str, bool>>,
    others: HashMap<&'a str, BTreeSet<&'a str>>,
    /// Folders with one that is named as no class is: `images`.
    sets: HashSet<&'a str>,
}

impl<'a> Images<'a> {
    fn of(names: impl Iterator<Item = &'a str>, places: &'a HashMap<String, Place>) -> Self {
        let mut images = Self::default();
        let mut numbers: HashMap<&str, Vec<usize>> = HashMap::new();
        for name in names {
            let (folder, stem, _) = split(name);
            let place = &places[folder];
            let ends = numbers.entry(folder).or_insert_with(|| {
                for (above, name, leads_to_images) in &place.classes {
                    *images.classes.entry(above).or_default().entry(name).or_insert(true) &= leads_to_images;
                }
                for (above, name) in &place.others {
                    images.others.entry(above).or_default().insert(name);
                    if folder_is_set(name) {
                        images.sets.insert(above);
                    }
                }
                let known = &mut images.ends;
                let number = |end| {
                    let next = known.len();
                    *known.entry(end).or_insert(next)
                };
                place.ends().map(number).collect()
            });
            let (base, _) = base(stem);
            match &base[..] {
                [] => {
                    images.nameless.insert(folder);
                }
                [first, behind @ ..] if !behind.is_empty() && !is_number(first) => {
                    images.behind.insert((folder, behind.join("_")));
                }
                _ => {}
            }
            if !base.is_empty() {
                images.bases.extend(ends.iter().map(|end| (base.join("_"), *end)));
            }
        }
        images
    }

    /// Whether the folders beside one of pictures about images are classes, so that it is one as well. They are not if `images`
    /// is one of them, if it has the same folders (`cat/`, `dog/`, `thumbs/cat/`, `thumbs/dog/`), or if there is only one, which
    /// holds a folder of images.
    fn are_classes_beside(&self, place: &Place, inside: &BTreeSet<&str>) -> bool {
        let Some(classes) = self.classes.get(place.above.as_str()) else { return false };
        if self.sets.contains(place.above.as_str()) {
            return false;
        }
        let same = inside.iter().filter(|name| classes.contains_key(**name)).count();
        if same * 100 >= classes.len() * MIN_TWINS {
            return false;
        }
        let is_alone = self.others.get(place.above.as_str()).is_some_and(|others| others.len() == 1);
        !is_alone || place.has_images_below || classes.values().any(|leads_to_images| !leads_to_images)
    }

    /// Whether there is an image that a picture called `stem` in `folder` may be about.
    fn has_image_of(&self, folder: &str, stem: &str, place: &Place) -> bool {
        let (mut base, is_first) = base(stem);
        if place.top.is_some() {
            base.iter_mut().for_each(|token| *token = without_scale(token).to_owned());
        }
        if base.is_empty() {
            return file_is_about(stem) && self.nameless.contains(folder);
        }
        // Names of classes: `mask_1.png` beside `stamp_1.png`.
        if is_first && place.top.is_none() && self.behind.contains(&(folder, base.join("_"))) {
            return false;
        }
        // Folders that divide many files: `annotations/0/00007_hair.png` of `images/7.jpg`.
        let undivided: Vec<String> = place.plain.iter().filter(|name| !is_number(name)).cloned().collect();
        let mut ends = vec![self.ends.get(&place.plain[..])];
        if place.top.is_some() && undivided.len() < place.plain.len() {
            ends.push(self.ends.get(&undivided[..]));
        }
        for _ in 0..=MAX_MORE_WORDS {
            let name = base.join("_");
            if ends.iter().flatten().any(|end| self.bases.contains(&(name.clone(), **end))) {
                return true;
            }
            let is_word = |word: &String| word.chars().all(char::is_alphabetic);
            if place.top.is_none() || base.len() < 2 || !base.last().is_some_and(is_word) {
                return false;
            }
            base.pop();
        }
        false
    }
}

#[cfg(test)]
mod tests;
