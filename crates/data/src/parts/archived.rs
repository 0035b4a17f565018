//! Archives beside image files that hold another part of the set: `train.zip` beside `test/`, `test.zip` beside `train/`. One that
//! is beside images of its own part may be these once more, packed.

use std::collections::{BTreeMap, BTreeSet};

use super::divide::{divide, plain};
use super::{Part, part_of};

/// The archives, by number, that are another part of the set of `images`, each with its part. All are given by their paths.
pub(crate) fn archived_parts(images: &[&str], archives: &[&str]) -> Vec<(usize, Part)> {
    let is_named = |path: &str| path.split('/').any(|name| part_of(plain(name)).is_some());
    // Of two packings of one part, none is known to be the right one.
    let mut packings: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, path) in archives.iter().enumerate().filter(|(_, path)| is_named(path)) {
        packings.entry(plain(path).to_lowercase()).or_default().push(at);
    }
    let named: Vec<usize> = packings.into_values().filter(|same| same.len() == 1).flatten().collect();
    if images.is_empty() || named.is_empty() {
        return Vec::new();
    }
    let inside: Vec<String> = named.iter().map(|at| format!("{}/0", archives[*at])).collect();
    let division = divide(images.iter().copied().chain(inside.iter().map(String::as_str)));
    let of_images: BTreeSet<Part> = (0..images.len()).filter_map(|index| division.part(index)).collect();
    // Archives must not put images aside that are read without them.
    let keeps_all = (0..images.len()).all(|index| division.part(index).is_some() || division.is_companion(index));
    if !division.divided || !keeps_all {
        return Vec::new();
    }
    let part =
        |index: usize| division.part(index).filter(|part| *part != Part::Unlabelled && !of_images.contains(part));
    named.iter().zip(images.len()..).filter_map(|(at, index)| Some((*at, part(index)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The archives that are parts, each with its part.
    fn of(images: &str, archives: &str) -> String {
        let [images, archives] = [images, archives].map(|names| names.split_whitespace().collect::<Vec<_>>());
        let found = archived_parts(&images, &archives);
        found.iter().map(|(at, part)| format!("{}={:?}", archives[*at], part)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn archives_of_another_part_are_found() {
        for (images, archives, expected) in [
            ("test/1.png test/2.png", "train.zip", "train.zip=Train"),
            ("train/a/1.png train/b/1.png", "test.tar.gz", "test.tar.gz=Test"),
            ("train/a/1.png train/b/1.png", "val.zip test.zip", "test.zip=Test val.zip=Validation"),
            ("top/test/1.png", "top/Train.tar", "top/Train.tar=Train"),
            ("set_train/1.png", "set_test.zip", "set_test.zip=Test"),
            ("train/1.png", "test/images.zip", "test/images.zip=Test"),
            ("images/1.png images/2.png", "test.zip", "test.zip=Test"),
            ("1.png 2.png", "test.zip", "test.zip=Test"),
            ("test/1.png", "train-0.tar train-1.tar", "train-0.tar=Train train-1.tar=Train"),
            // The same part, packed and unpacked, or packed twice.
            ("train/1.png test/1.png", "train.zip test.zip", ""),
            ("train_images/1.png", "train.zip", ""),
            ("test/1.png", "train.zip train.tar.gz", ""),
            ("cat/1.png dog/1.png", "test.zip", "test.zip=Test"),
            // No parts, no training images, images that would be left aside.
            ("cat/1.png dog/1.png", "train.zip test.zip", ""),
            ("train/1.png", "backup.zip", ""),
            ("images/1.png", "extra.zip", ""),
            ("", "train.zip test.zip", ""),
        ] {
            assert_eq!(of(images, archives), expected, "{images} | {archives}");
        }
    }
}
