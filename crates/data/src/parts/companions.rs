//! Pictures about other images of a set, which are not to be learned from: masks, depth maps, thumbnails and the like, and
//! folders that hold the set once more. They are told by a word in the name of the file or of a folder, and by the image that they
//! are about: `benign (1)_mask.png` beside `benign (1).png`, `gtFine/train/a_gtFine_color.png` of
//! `leftImg8bit/train/a_leftImg8bit.png`, `thumbnails/cat/1.png` of `images/cat/1.png`, `1.png` beside `1.jpg`. A class called
//! `mask` has no such images: its neighbours are called `no_mask`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Holding, part_of, words};
use crate::formats::archive::common_folders;

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
pub(super) const IMAGE_WORDS: [&str; 27] = [
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
];

/// Share of the pictures in a folder that must be about a known image, in percent; and of twins of two formats.
const MIN_PAIRED: usize = 50;
const MIN_TWINS: usize = 90;

/// Twins that there must be, at least.
const MIN_TWIN_FILES: usize = 4;

/// The pictures about other images, and where they are.
#[derive(Debug, Default)]
pub(super) struct Companions {
    /// The files, if there are any.
    pub is_about: HashSet<usize>,
    /// Masks and the like.
    pub about: Holding,
    /// Folders that hold the set once more.
    pub copies: Holding,
}

/// A folder as it is compared.
struct Place {
    /// Its parts without words for images and for pictures about them.
    plain: Vec<String>,
    /// The path up to the folder that is named as pictures about images.
    top: Option<String>,
    /// Whether a folder is named for images.
    has_images: bool,
}

/// The words of a name, as it is written between signs: `a_gtFine_color` has three.
fn tokens(name: &str) -> impl Iterator<Item = String> {
    name.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty()).map(str::to_lowercase)
}

fn is_about(token: &str) -> bool {
    let token = token.trim_end_matches(|c: char| c.is_ascii_digit());
    ABOUT_WORDS.contains(&token)
}

fn is_image(token: &str) -> bool {
    IMAGE_WORDS.contains(&token)
}

/// Whether a folder is named as one of pictures about images.
fn folder_is_about(name: &str) -> bool {
    tokens(name).any(|token| is_about(&token)) || words(name).iter().any(|word| is_about(word))
}

impl Place {
    /// The place of a folder below the first `shared` bytes of its path.
    fn of(folder: &str, shared: usize) -> Self {
        let (mut plain, mut top, mut length, mut has_images) = (Vec::new(), None, shared, false);
        for name in folder[shared..].split_terminator('/') {
            length += name.len() + 1;
            let part = part_of(name).map(|part| format!("{part:?}"));
            if folder_is_about(name) {
                top.get_or_insert_with(|| folder[..length].to_owned());
                plain.extend(part);
            } else if tokens(name).all(|token| is_image(&token)) {
                has_images = true;
            } else {
                plain.push(part.unwrap_or_else(|| name.to_lowercase()));
            }
        }
        Self { plain, top, has_images }
    }

    /// Whether its images may be those that the pictures of `other` are about.
    fn may_be_of(&self, other: &Self) -> bool {
        let is_longer = || self.has_images && !other.plain.is_empty() && self.plain.ends_with(&other.plain);
        self.plain == other.plain || is_longer()
    }
}

/// What the name of a file says but for words for images, parts, and pictures about images.
fn base(stem: &str) -> String {
    let all: Vec<String> = tokens(stem).collect();
    let plain = |tokens: &[String]| -> String {
        let kept = tokens.iter().filter(|token| !is_image(token) && !is_about(token) && part_of(token).is_none());
        kept.map(String::as_str).collect::<Vec<_>>().join("_")
    };
    match all.iter().position(|token| is_about(token)) {
        None => plain(&all),
        Some(at) => {
            let before = plain(&all[..at]);
            if before.is_empty() { plain(&all[at + 1..]) } else { before }
        }
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

/// Folders whose own folders are called like those beside them: the set once more.
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
        for (slash, _) in folder.match_indices('/') {
            below.entry(&folder[..start]).or_default().insert(&folder[start..slash]);
            start = slash + 1;
        }
    }
    let is_copy = |parent: &str, folder: &str| {
        let Some(siblings) = below.get(parent).filter(|siblings| siblings.len() > 2) else { return false };
        let inside = below.get(format!("{parent}{folder}/").as_str());
        inside.is_some_and(|inside| siblings.iter().all(|other| *other == folder || inside.contains(other)))
    };
    let tops: Vec<String> = below
        .iter()
        .flat_map(|(parent, folders)| folders.iter().map(move |folder| (*parent, *folder)))
        .filter(|(parent, folder)| part_of(folder).is_none() && is_copy(parent, folder))
        .map(|(parent, folder)| format!("{parent}{folder}/"))
        .collect();
    for top in tops {
        let files = names.iter().enumerate().filter(|(_, name)| name.starts_with(&top)).map(|(at, _)| at);
        let before = found.is_about.len();
        found.is_about.extend(files);
        if found.is_about.len() > before {
            found.copies.files += found.is_about.len() - before;
            found.copies.folders.push(top);
        }
    }
}

/// Pictures that a word in their names tells.
fn marked(names: &[&str], found: &mut Companions) {
    // The folder that holds the whole set says nothing of its images.
    let shared = common_folders(names.iter().copied());
    let mut places: HashMap<&str, Place> = HashMap::new();
    for name in names {
        let (folder, ..) = split(name);
        places.entry(folder).or_insert_with(|| Place::of(folder, shared));
    }
    let is_marked = |name: &str| {
        let (folder, stem, _) = split(name);
        places[folder].top.is_some() || tokens(stem).any(|token| is_about(&token))
    };
    let marked: Vec<bool> =
        names.iter().enumerate().map(|(at, name)| !found.is_about.contains(&at) && is_marked(name)).collect();
    if !marked.contains(&true) {
        return;
    }
    // The folders of the images with each base, and all folders of images.
    let mut images: HashMap<String, Vec<&str>> = HashMap::new();
    let mut folders: BTreeSet<&str> = BTreeSet::new();
    for (_, name) in names.iter().enumerate().filter(|(at, _)| !marked[*at] && !found.is_about.contains(at)) {
        let (folder, stem, _) = split(name);
        images.entry(base(stem)).or_default().push(folder);
        folders.insert(folder);
    }
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, name) in names.iter().enumerate().filter(|(at, _)| marked[*at]) {
        groups.entry(split(name).0).or_default().push(at);
    }
    for (folder, files) in groups {
        let place = &places[folder];
        let has_place = |other: &str| places[other].may_be_of(place);
        let is_paired = |at: &&usize| {
            let base = base(split(names[**at]).1);
            !base.is_empty() && images.get(&base).is_some_and(|others| others.iter().any(|other| has_place(other)))
        };
        // The same folders of classes.
        let is_version = place.top.is_some()
            && place.plain.iter().any(|name| !["Train", "Validation", "Test", "Unlabelled"].contains(&name.as_str()))
            && folders.iter().any(|other| has_place(other));
        if !is_version && files.iter().filter(is_paired).count() * 100 < files.len() * MIN_PAIRED {
            continue;
        }
        found.about.files += files.len();
        let example = place.top.clone().unwrap_or_else(|| names[files[0]].to_owned());
        if !found.about.folders.contains(&example) {
            found.about.folders.push(example);
        }
        found.is_about.extend(files);
    }
}

/// Pictures of another format that are called like a photograph beside them.
fn twins(names: &[&str], found: &mut Companions) {
    let is_jpeg = |ending: &str| [".jpg", ".jpeg"].iter().any(|jpeg| ending.eq_ignore_ascii_case(jpeg));
    let mut photos: HashSet<(&str, &str)> = HashSet::new();
    let mut others: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, name) in names.iter().enumerate().filter(|(at, _)| !found.is_about.contains(at)) {
        let (folder, stem, ending) = split(name);
        if is_jpeg(ending) {
            photos.insert((folder, stem));
        } else {
            others.entry(folder).or_default().push(at);
        }
    }
    if photos.is_empty() {
        return;
    }
    for (folder, files) in others {
        let twins = files.iter().filter(|at| photos.contains(&(folder, split(names[**at]).1))).count();
        if twins < MIN_TWIN_FILES || twins * 100 < files.len() * MIN_TWINS {
            continue;
        }
        found.about.files += files.len();
        found.about.folders.push(names[files[0]].to_owned());
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
        assert_eq!(found.about.files + found.copies.files, found.is_about.len());
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
}
