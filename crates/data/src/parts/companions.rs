//! Pictures about other images of a set, which are not to be learned from: masks, depth maps, thumbnails and the like, and
//! folders that hold the set once more. They are told by a word in the name of the file or of a folder, and by the image that they
//! are about: `benign (1)_mask.png` beside `benign (1).png`, `gtFine/train/a_gtFine_color.png` of
//! `leftImg8bit/train/a_leftImg8bit.png`, `thumbnails/cat/1.png` of `images/cat/1.png`, `1.png` beside `1.jpg`.
//!
//! A class may be called `mask`, and hand-made sets number the files of all classes alike. A folder beside it that is named
//! neither for images nor for pictures about them nor for a part (`gloves`, `no_mask`) tells that these are classes. In doubt an
//! image is kept: a class that is lost is worse than masks that are learned from.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Holding, common_folders, part_of, words};

/// Words for pictures about images.
const ABOUT_WORDS: [&str; 48] = [
    "mask",
    "masks",
    "annotation",
    "annotations",
    "annot",
    "annots",
    "anno",
    "trimap",
    "trimaps",
    "seg",
    "segs",
    "segm",
    "segmap",
    "segmim",
    "segmented",
    "segmentation",
    "segmentations",
    "segmentationclass",
    "segmentationobject",
    "groundtruth",
    "truth",
    "gt",
    "gtfine",
    "gtcoarse",
    "manual",
    "label",
    "labels",
    "labelids",
    "instanceids",
    "depth",
    "depths",
    "disparity",
    "heatmap",
    "heatmaps",
    "matte",
    "edges",
    "thumb",
    "thumbs",
    "thumbnail",
    "thumbnails",
    "preview",
    "previews",
    "grayscale",
    "greyscale",
    "augmented",
    "aug",
    "lr",
    "lowres",
];

/// Words for the images themselves.
const IMAGE_WORDS: [&str; 29] = [
    "image",
    "images",
    "img",
    "imgs",
    "jpg",
    "jpeg",
    "png",
    "jpegimages",
    "photo",
    "photos",
    "picture",
    "pictures",
    "pic",
    "pics",
    "input",
    "inputs",
    "rgb",
    "color",
    "colors",
    "colour",
    "original",
    "originals",
    "raw",
    "sat",
    "hr",
    "highres",
    "leftimg8bit",
    "data",
    "dataset",
];

/// Those of them that name no class.
const SET_WORDS: [&str; 11] =
    ["image", "images", "img", "imgs", "jpg", "jpeg", "jpegimages", "leftimg8bit", "rgb", "data", "dataset"];

/// Words by which a name with a word for pictures about images is that of a class: `with_mask`, `no_label`.
const CLASS_WORDS: [&str; 5] = ["no", "non", "not", "with", "without"];

/// Share of the pictures in a folder that must be about a known image, in percent; where its folders of classes are those of the
/// images; and of the files that must be there twice, of twins and copies.
const MIN_PAIRED: usize = 50;
const MIN_PAIRED_VERSIONS: usize = 10;
const MIN_TWINS: usize = 90;

/// Twins that there must be, at least.
const MIN_TWIN_FILES: usize = 4;

/// Words that may follow the name of the image: `00007_l_brow` is about `7`.
const MAX_MORE_WORDS: usize = 2;

/// Folders below this depth are not told apart.
const MAX_DEPTH: usize = 16;

/// The pictures about other images, and where they are.
#[derive(Debug, Default)]
pub(super) struct Companions {
    /// The files, if there are any.
    pub is_about: HashSet<usize>,
    /// Masks and the like.
    pub about: Holding,
    /// Folders that hold the set once more.
    pub copies: Holding,
    /// Pictures called like a photograph beside them.
    pub twins: Holding,
}

/// The words of a name, as it is written between signs: `a_gtFine_color` has three.
fn tokens(name: &str) -> impl Iterator<Item = String> {
    name.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty()).map(str::to_lowercase)
}

fn is_number(token: &str) -> bool {
    token.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_about(token: &str) -> bool {
    let token = token.trim_end_matches(|c: char| c.is_ascii_digit());
    ABOUT_WORDS.contains(&token)
}

fn is_image(token: &str) -> bool {
    IMAGE_WORDS.contains(&token)
}

/// Whether a file is named as a picture about an image.
fn file_is_about(stem: &str) -> bool {
    tokens(stem).any(|token| is_about(&token)) && !tokens(stem).any(|token| CLASS_WORDS.contains(&token.as_str()))
}

/// Whether a folder is named as one of pictures about images.
pub(super) fn folder_is_about(name: &str) -> bool {
    let words: Vec<String> = tokens(name).chain(words(name)).collect();
    words.iter().any(|word| is_about(word)) && !words.iter().any(|word| CLASS_WORDS.contains(&word.as_str()))
}

/// Whether a folder is named as one of images.
fn folder_is_images(name: &str) -> bool {
    tokens(name).next().is_some() && tokens(name).all(|token| is_image(&token))
}

/// Whether a folder is named as one of the images of a set, which is the name of no class.
pub(super) fn folder_is_set(name: &str) -> bool {
    let words = words(name);
    !words.is_empty() && words.iter().all(|word| SET_WORDS.contains(&word.as_str()))
}

/// The folders of a set.
#[derive(Debug, Default)]
struct Folders {
    places: HashMap<String, Place>,
    /// The first words of the folders of pictures about images, each with the folder above, which is named without parts.
    firsts: HashSet<(String, String)>,
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
                    folders.firsts.extend(words(name).into_iter().next().map(|first| (above.clone(), first)));
                    break;
                }
                go_down(&mut above, name);
            }
        }
        folders.places = all.iter().map(|folder| ((*folder).to_owned(), folders.place(folder, shared))).collect();
        folders
    }

    /// Whether a folder is named as one of images: `images`, or `HAM10000_images` beside `HAM10000_segmentations`.
    fn is_images(&self, name: &str, above: &str) -> bool {
        let words = || words(name).into_iter();
        let first = || words().next().map(|first| (above.to_owned(), first));
        folder_is_images(name)
            || (words().any(|word| SET_WORDS.contains(&word.as_str()))
                && first().is_some_and(|first| self.firsts.contains(&first)))
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
            } else if self.is_images(name, &above) {
                place.has_images = true;
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

/// What the name of a file says but for words for images, parts, and pictures about images; and whether it begins with these.
fn base(stem: &str) -> (Vec<String>, bool) {
    let all: Vec<String> = tokens(stem).collect();
    let plain = |tokens: &[String]| -> Vec<String> {
        let kept = tokens.iter().filter(|token| !is_image(token) && !is_about(token) && part_of(token).is_none());
        kept.map(|token| without_zeros(token).to_owned()).collect()
    };
    match all.iter().position(|token| is_about(token)) {
        None => (plain(&all), false),
        Some(at) => {
            let before = plain(&all[..at]);
            if before.is_empty() { (plain(&all[at + 1..]), true) } else { (before, false) }
        }
    }
}

/// A number without leading zeros.
fn without_zeros(token: &str) -> &str {
    if !is_number(token) {
        return token;
    }
    match token.trim_start_matches('0') {
        "" => "0",
        token => token,
    }
}

/// The folder, the name without its ending, and the ending of a path.
fn split(name: &str) -> (&str, &str, &str) {
    let (folder, file) = name.split_at(name.rfind('/').map_or(0, |slash| slash + 1));
    let dot = file.rfind('.').unwrap_or(file.len());
    (folder, &file[..dot], &file[dot..])
}

/// The pictures about other images among files with these paths.
pub(super) fn companions(names: &[&str]) -> Companions {
    let mut found = Companions::default();
    copies(names, &mut found);
    marked(names, &mut found);
    twins(names, &mut found);
    found
}

/// Folders whose own folders are called like those beside them, and hold the same files: the set once more.
fn copies(names: &[&str], found: &mut Companions) {
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
        if !is(MIN_PAIRED) && !(is_version() && (is(MIN_PAIRED_VERSIONS) || is_augmented())) {
            continue;
        }
        found.about.files += files.len();
        match &place.top {
            Some((top, _)) if !tops.insert(top) => {}
            Some((top, _)) => found.about.folders.push(top.clone()),
            None => found.about.folders.push(names[files[0]].to_owned()),
        }
        found.is_about.extend(files);
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

/// PNG and BMP files that are called like a photograph beside them, if nearly every one of these has such a file: masks.
fn twins(names: &[&str], found: &mut Companions) {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The files that are left aside.
    fn aside(names: &str) -> String {
        let names: Vec<&str> = names.split_whitespace().collect();
        let found = companions(&names);
        assert_eq!(found.about.files + found.copies.files + found.twins.files, found.is_about.len());
        let mut aside: Vec<usize> = found.is_about.into_iter().collect();
        aside.sort_unstable();
        aside.into_iter().map(|at| names[at]).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn pictures_about_images_are_found_by_names_and_images() {
        for (names, expected) in [
            // Names beside the images: BUSI, ISIC, DeepGlobe, NYU, webdataset, LGG.
            (
                "a/benign(1).png a/benign(1)_mask.png a/benign(1)_mask_1.png",
                "a/benign(1)_mask.png a/benign(1)_mask_1.png",
            ),
            ("with_gt/a/1.png with_gt/a/1_mask.png with_gt/b/2.png", "with_gt/a/1_mask.png"),
            ("ISIC_1.jpg ISIC_1_segmentation.png ISIC_2.jpg", "ISIC_1_segmentation.png"),
            ("train/8_sat.jpg train/8_mask.png test/9_sat.jpg", "train/8_mask.png"),
            ("1_colors.png 1_depth.png", "1_depth.png"),
            ("0.jpg 0.seg.png 1.jpg 1.seg.png", "0.seg.png 1.seg.png"),
            // Folders beside the images: ADE20K, Cityscapes, COVID, Carvana, CUB, DRIVE.
            ("images/train/1.jpg annotations/train/1.png", "annotations/train/1.png"),
            (
                "leftImg8bit/train/ulm/u_1_leftImg8bit.png gtFine/train/ulm/u_1_gtFine_color.png",
                "gtFine/train/ulm/u_1_gtFine_color.png",
            ),
            ("C/images/C-1.png C/masks/C-1.png N/images/N-1.png N/masks/N-1.png", "C/masks/C-1.png N/masks/N-1.png"),
            ("train/1.jpg train_masks/1_mask.gif test/2.jpg", "train_masks/1_mask.gif"),
            ("c/images/01.x/1.jpg segmentations/01.x/1.png", "segmentations/01.x/1.png"),
            (
                "training/images/21_training.tif training/1st_manual/21_manual1.gif training/mask/21_training_mask.gif",
                "training/1st_manual/21_manual1.gif training/mask/21_training_mask.gif",
            ),
            // Other versions of the images.
            ("images/cat/1.png thumbnails/cat/1.png", "thumbnails/cat/1.png"),
            ("cat/1.png cat/thumbs/1.png", "cat/thumbs/1.png"),
            ("original/cat/1.png augmented/cat/a9.png", "augmented/cat/a9.png"),
            ("color/a/1.png grayscale/a/1.png segmented/a/1.png", "grayscale/a/1.png segmented/a/1.png"),
            ("1.jpg 1.png 2.jpg 2.png 3.jpg 3.png 4.jpg 4.png", "1.png 2.png 3.png 4.png"),
            // The set once more.
            ("yes/1 no/2 brain/yes/1 brain/no/2", "brain/yes/1 brain/no/2"),
            ("d/P/1 d/U/2 d/d/P/1 d/d/U/2", "d/d/P/1 d/d/U/2"),
            // Classes.
            ("mask/1.png face/1.png", ""),
            ("with_mask/1.png without_mask/1.png", ""),
            ("mask/1.png no_mask/1.png incorrect_mask/1.png", ""),
            ("train/mask/1.png train/bare/1.png test/mask/1.png test/bare/1.png", ""),
            ("mask_1.png bare_1.png", ""),
            ("label_1.png label_2.png", ""),
            ("manual/bmw/1.jpg automatic/bmw/1.jpg", ""),
            ("photo/dog/1.jpg cartoon/dog/1.jpg sketch/dog/1.jpg", ""),
            ("0/1.png 1/1.png 2/1.png", ""),
            ("1.jpg 2.png 3.jpg 4.png 5.png 6.png", ""),
            ("augmented/cat/1.png augmented/dog/1.png", ""),
            ("cat/dog/1 dog/2 cow/3", ""),
        ] {
            assert_eq!(aside(names), expected, "{names}");
        }
    }

    /// Files with names counted up: `cat/{3}.png` are `cat/0.png`, `cat/1.png` and `cat/2.png`.
    fn counted(names: &str) -> Vec<String> {
        let mut all = Vec::new();
        for name in names.split_whitespace() {
            match name.split_once('{').and_then(|(start, rest)| Some((start, rest.split_once('}')?))) {
                Some((start, (count, end))) => {
                    all.extend((0..count.parse().unwrap_or(0)).map(|at: usize| format!("{start}{at}{end}")));
                }
                None => all.push(name.to_owned()),
            }
        }
        all
    }

    /// How many files are left aside, and the folders that these are in.
    fn folders_aside(names: &str) -> (usize, String) {
        let names = counted(names);
        let found = companions(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let folders: BTreeSet<&str> = found.is_about.iter().map(|at| split(&names[*at]).0).collect();
        (found.is_about.len(), folders.into_iter().collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn classes_are_kept() {
        for names in [
            // Folders called like their siblings: shards, tiles, classes of several sources.
            "0/0/a{4}.png 0/1/b{4}.png 0/2/c{4}.png 1/0/d{4}.png 1/1/e{4}.png 1/2/f{4}.png 2/0/g.png 2/1/h.png 2/2/i.png",
            "0/0/0.png 1/0/{2}.png 1/1/{2}.png 2/0/{4}.png 2/1/{4}.png 2/2/{4}.png 2/3/{4}.png",
            "train/0/0/a{9}.png train/0/1/b{9}.png train/0/2/c.png train/1/0/d.png train/1/1/e.png train/1/2/f.png \
             train/2/0/g.png train/2/1/h.png train/2/2/i.png",
            "cat/a{9}.png dog/b{9}.png all/cat/c{9}.png all/dog/d{9}.png",
            "cat/{50}.png dog/{50}.png more/cat/{9}.png more/dog/{9}.png",
            // Names of classes that are words for pictures about images.
            "face_mask/a{9}.png photo_frame/b{9}.png",
            "mask/a{9}.png original/b{9}.png",
            "mask/{9}.png original/{9}.png blurred/{9}.png",
            "photo/{9}.png edges/{9}.png sketch/{9}.png",
            "photo/dog/{9}.png edges/dog/{9}.png sketch/dog/{9}.png photo/cat/{9}.png edges/cat/{9}.png sketch/cat/{9}.png",
            "labels/{9}.png bottles/{9}.png photos/{9}.png",
            "raw/{9}.png cooked/{9}.png aug/{9}.png",
            "manual/{9}.png automatic/{9}.png raw/{9}.png",
            "train/label/{9}.png train/photo/{9}.png train/stamp/{9}.png",
            "train/label/{9}.png train/photo/{9}.png train/stamp/{9}.png test/label/{4}.png test/photo/{4}.png",
            "masks/{9}.png gloves/{9}.png picture/{9}.png",
            "mask/{9}.png no_mask/{9}.png picture/{9}.png",
            "with_mask/{9}.png without_mask/{9}.png photos/{9}.png",
            "data/mask/{9}.png data/hat/{9}.png data/photo/{9}.png",
            "face_mask/{9}.png photo_frame/{9}.png",
            "mask/images/{9}.png face/images/{9}.png",
            "blurred/images/{9}.png mask/images/{9}.png original/images/{9}.png",
            "mask_{9}.png photo_{9}.png stamp_{9}.png",
            "files/{9}.png labels/{9}.png pens/{9}.png",
            "images/a{9}.png masks/b{9}.png docs/c.png",
            // Folders in those of classes, with other files.
            "ford/a{9}.jpg ford/gt/b{9}.jpg audi/c{9}.jpg",
            "person0/a{9}.png person0/mask/b{9}.png person1/a{9}.png person1/mask/b{9}.png",
            // Several downloads.
            "cat/{50}.jpg cat/{50}.webp",
            "cat/{50}.jpg cat/{5}.png",
            "cat/{50}.jpg cat/{5}.bmp",
        ] {
            assert_eq!(folders_aside(names), (0, String::new()), "{names}");
        }
    }

    #[test]
    fn pictures_about_images_are_left_aside_with_their_folders() {
        for (names, expected, folders) in [
            ("images/{9}.png masks/{9}.png", 9, "masks/"),
            ("data/{9}.png masks/{9}.png", 9, "masks/"),
            ("images/{9}.png masks/{9}.png docs/a.png", 9, "masks/"),
            ("cat/{9}.png dog/{9}.png thumbs/cat/{9}.png thumbs/dog/{9}.png", 18, "thumbs/cat/ thumbs/dog/"),
            ("c/images/x/{9}.png masks/x/{9}.png", 9, "masks/x/"),
            ("train/images/{9}.png train/masks/{9}.png test/images/{9}.png", 9, "train/masks/"),
            // One folder for each image: DSB 2018, and with one name for all images.
            ("a/images/a.png a/masks/a.png b/images/b.png b/masks/b.png", 2, "a/masks/ b/masks/"),
            ("001/image.png 001/mask.png 002/image.png 002/mask.png", 2, "001/ 002/"),
            // CelebA-HQ, HAM10000, PlantVillage.
            (
                "CelebA-HQ-img/{9}.jpg CelebAMask-HQ-mask-anno/0/00007_hair.png CelebAMask-HQ-mask-anno/0/00007_l_brow.png",
                2,
                "CelebAMask-HQ-mask-anno/0/",
            ),
            (
                "HAM10000_images_part_1/ISIC_{4}.jpg HAM10000_images_part_2/ISIC_1{4}.jpg \
                 HAM10000_segmentations_lesion/ISIC_1_segmentation.png",
                1,
                "HAM10000_segmentations_lesion/",
            ),
            ("cat_images/{9}.png cat_masks/{9}.png dog_images/{9}.png dog_masks/{9}.png", 18, "cat_masks/ dog_masks/"),
            ("color/a/x_{9}.jpg color/b/y_{9}.jpg segmented/a/x_1_final_masked.jpg", 1, "segmented/a/"),
            ("cat/{50}.jpg cat/{50}.png", 50, "cat/"),
            ("cat/{9}.png dog/{9}.png all/cat/{9}.png all/dog/{9}.png", 18, "all/cat/ all/dog/"),
        ] {
            assert_eq!(folders_aside(names), (expected, folders.to_owned()), "{names}");
        }
    }

    #[test]
    fn one_folder_for_each_image_takes_one_pass() {
        let names: Vec<String> = (0..20_000)
            .flat_map(|at| {
                [format!("{at}/images/{at}.png"), format!("{at}/masks/1.png"), format!("{at}/masks/{at}.png")]
            })
            .collect();
        let found = companions(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(found.about.files, 40_000);
    }
}
