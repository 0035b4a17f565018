//! What EMNIST's files (IDX, and tables of the same pixels) don't say themselves: the names of the classes, and that the images lie on their sides.
//! G. Cohen, S. Afshar, J. Tapson, A. van Schaik, "EMNIST: an extension of MNIST to handwritten letters".

use std::path::Path;

/// The classes of `balanced` and `bymerge`: letters that look the same in both cases are merged.
const MERGED: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt";
const ALL: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Letters are numbered from 1.
const LETTERS: &str = "\0ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The name of an images file in lower case, if it is one of EMNIST's.
fn name(images: &Path) -> Option<String> {
    let name = images.file_name()?.to_str()?.to_lowercase();
    // FEMNIST is another set.
    let is_word = |(at, _): (usize, &str)| !name[..at].ends_with(|c: char| c.is_alphabetic());
    name.match_indices("emnist").any(is_word).then_some(name)
}

/// The names of the classes by their numbers, empty where a number is none; none for other files.
pub(crate) fn names(images: &Path) -> Vec<String> {
    let Some(name) = name(images) else { return Vec::new() };
    let known = [("letters", LETTERS), ("balanced", MERGED), ("bymerge", MERGED), ("byclass", ALL)];
    let classes = known.iter().find(|(part, _)| name.contains(part)).map_or("", |(_, classes)| classes);
    classes.chars().map(|c| if c == '\0' { String::new() } else { c.to_string() }).collect()
}

/// What to tell the user.
pub(crate) fn note(images: &Path) -> Option<String> {
    name(images)
        .map(|_| "EMNIST's images are published with rows and columns exchanged, and are read as they are".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_called_as_in_the_mapping_files() {
        let of = |name: &str| names(Path::new(name));
        let letters = of("gzip/emnist-letters-train-images-idx3-ubyte.gz");
        assert_eq!((letters.len(), letters[0].as_str(), letters[1].as_str(), letters[26].as_str()), (27, "", "A", "Z"));
        let balanced = of("EMNIST-balanced-test-images-idx3-ubyte");
        assert_eq!((balanced.len(), balanced[36].as_str(), balanced[46].as_str()), (47, "a", "t"));
        assert_eq!(of("emnist-byclass-train-images-idx3-ubyte").len(), 62);
        assert!(of("emnist-digits-train-images-idx3-ubyte").is_empty() && of("train-images-idx3-ubyte").is_empty());
        assert!(
            note(Path::new("femnist-train.csv")).is_none() && note(Path::new("emnist-letters-train.csv")).is_some()
        );
        assert!(note(Path::new("emnist-mnist-train-images-idx3-ubyte")).is_some() && note(Path::new("t10k")).is_none());
    }
}
