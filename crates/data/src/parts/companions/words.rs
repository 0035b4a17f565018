//! Words by which files and folders are known as pictures about images, or as the images themselves.

use crate::parts::{part_of, words};

/// Words for pictures about images.
const ABOUT_WORDS: [&str; 83] = [
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
    "flip",
    "flipped",
    "hflip",
    "vflip",
    "mirrored",
    "rot",
    "rotated",
    "lr",
    "lowres",
    "resized",
    "resize",
    "rescaled",
    "downscaled",
    "downsampled",
    "disparities",
    "disp",
    "semantic",
    "semantics",
    "instance",
    "instances",
    "panoptic",
    "msk",
    "msks",
    "superpixel",
    "superpixels",
    "overlay",
    "overlays",
    // In other languages.
    "maske",
    "masken",
    "masque",
    "masques",
    "mascara",
    "mascaras",
    "máscara",
    "máscaras",
    "maschera",
    "maschere",
];

/// Those of them for smaller versions of the images, which no class is named by.
const VERSION_WORDS: [&str; 11] = [
    "thumb",
    "thumbs",
    "thumbnail",
    "thumbnails",
    "lr",
    "lowres",
    "resized",
    "resize",
    "rescaled",
    "downscaled",
    "downsampled",
];

/// Last words of the names of files about an image: crops of depth, and the maps of a texture.
const MAP_WORDS: [&str; 32] = [
    "depthcrop",
    "maskcrop",
    "normal",
    "normals",
    "normalmap",
    "normalgl",
    "normaldx",
    "nor",
    "nrm",
    "roughness",
    "rough",
    "ao",
    "ambientocclusion",
    "occlusion",
    "displacement",
    "disp",
    "height",
    "heightmap",
    "bump",
    "metallic",
    "metalness",
    "metal",
    "specular",
    "spec",
    "gloss",
    "glossiness",
    "opacity",
    "arm",
    "orm",
    "emissive",
    "flow",
    "l",
];

/// What is written beside these.
const BESIDE_MAP_WORDS: [&str; 6] = ["gl", "dx", "opengl", "directx", "ambient", "map"];

/// Words in the names of the files that these are about.
const MAPPED_WORDS: [&str; 8] = ["crop", "albedo", "diffuse", "diff", "basecolor", "basecolour", "base", "col"];

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

/// The words of a name, as it is written between signs: `a_gtFine_color` has three.
pub(super) fn tokens(name: &str) -> impl Iterator<Item = String> {
    name.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty()).map(str::to_lowercase)
}

pub(super) fn is_number(token: &str) -> bool {
    token.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn is_about(token: &str) -> bool {
    let token = token.trim_end_matches(|c: char| c.is_ascii_digit());
    ABOUT_WORDS.contains(&token)
}

pub(super) fn is_image(token: &str) -> bool {
    IMAGE_WORDS.contains(&token)
}

/// Whether a token says how large an image is: `2k`.
fn is_resolution(token: &str) -> bool {
    token.strip_suffix('k').is_some_and(|number| !number.is_empty() && is_number(number))
}

/// Whether a file is named as a map of an image, by its last word.
fn is_map<'t>(tokens: impl DoubleEndedIterator<Item = &'t str>) -> bool {
    let is_beside = |token: &&str| is_number(token) || is_resolution(token) || BESIDE_MAP_WORDS.contains(token);
    tokens.rev().find(|token| !is_beside(token)).is_some_and(|word| MAP_WORDS.contains(&word))
}

/// Whether a file is named as a picture about an image.
pub(super) fn file_is_about(stem: &str) -> bool {
    // Sets are large, and most names are numbers.
    if !stem.contains(char::is_alphabetic) {
        return false;
    }
    let lower = stem.to_lowercase();
    let all: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty()).collect();
    let is_named = all.iter().any(|token| is_about(token)) || (all.len() > 1 && is_map(all.iter().copied()));
    is_named && !all.iter().any(|token| CLASS_WORDS.contains(token))
}

/// What a folder of smaller versions of images is called otherwise: `cats` of `cats_resized`.
pub(super) fn version_of(name: &str) -> Option<Vec<String>> {
    let (versions, rest): (Vec<String>, Vec<String>) =
        tokens(name).partition(|token| VERSION_WORDS.contains(&token.as_str()));
    (!versions.is_empty() && !rest.is_empty()).then_some(rest)
}

/// Whether a folder is named as one of images that are N times smaller: `x2`.
pub(super) fn is_scale(name: &str) -> bool {
    let number = name.strip_prefix(['x', 'X']);
    number.is_some_and(|number| matches!(number.len(), 1 | 2) && is_number(number))
}

/// A token without the scale at its end: `801` of `801x2`.
pub(super) fn without_scale(token: &str) -> &str {
    match token.rfind('x') {
        Some(at) if at > 0 && is_scale(&token[at..]) && is_number(&token[..at]) => without_zeros(&token[..at]),
        _ => token,
    }
}

/// Whether a folder is named as one of pictures about images.
pub(crate) fn folder_is_about(name: &str) -> bool {
    let words: Vec<String> = tokens(name).chain(words(name)).collect();
    words.iter().any(|word| is_about(word)) && !words.iter().any(|word| CLASS_WORDS.contains(&word.as_str()))
}

/// A token without the size at its end: `images` of `images128x128`.
fn without_size(token: &str) -> &str {
    let is_size = |c: char| c.is_ascii_digit() || c == 'x';
    let word = token.trim_end_matches(is_size);
    // No digits: `matrix`.
    if token[word.len()..].starts_with(|c: char| c.is_ascii_digit()) { word } else { token }
}

/// Whether a folder is named as one of images.
pub(super) fn folder_is_images(name: &str) -> bool {
    let mut words = tokens(name).filter(|token| !without_size(token).is_empty()).peekable();
    words.peek().is_some() && words.all(|token| is_image(without_size(&token)))
}

/// Whether a folder is named as one of the images of a set, which is the name of no class.
pub(crate) fn folder_is_set(name: &str) -> bool {
    let words: Vec<String> = tokens(name).flat_map(|token| words(without_size(&token))).collect();
    !words.is_empty() && words.iter().all(|word| SET_WORDS.contains(&word.as_str()))
}

/// What the name of a file says but for words for images, parts, and pictures about images; and whether it begins with these.
pub(super) fn base(stem: &str) -> (Vec<String>, bool) {
    let all: Vec<String> = tokens(stem).collect();
    let plain = |tokens: &[String]| -> Vec<String> {
        let is_kept = |token: &&String| {
            !is_image(token) && !is_about(token) && !MAPPED_WORDS.contains(&token.as_str()) && part_of(token).is_none()
        };
        let kept = tokens.iter().filter(is_kept);
        kept.map(|token| without_zeros(token).to_owned()).collect()
    };
    let of_map = |token: &&String| !MAP_WORDS.contains(&token.as_str()) && !BESIDE_MAP_WORDS.contains(&token.as_str());
    match all.iter().position(|token| is_about(token)) {
        // Of `brick_normal_2k`, all but the word.
        None if all.len() > 1 && is_map(all.iter().map(String::as_str)) => {
            (plain(&all.iter().filter(of_map).cloned().collect::<Vec<_>>()), MAP_WORDS.contains(&all[0].as_str()))
        }
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
