//! Pairs arrays of images with arrays of labels by their names, in one file or beside each other: `x_train` and `y_train`,
//! `kmnist-train-imgs` and `kmnist-train-labels`, `images` and `labels`.

use crate::parts::{Part, part_of};

/// What a name says an array holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Images,
    Labels,
    /// Names of the classes.
    Names,
}

/// Words for images.
const IMAGES: [&str; 16] = [
    "x", "images", "image", "imgs", "img", "data", "pixels", "features", "inputs", "input", "samples", "pictures",
    "photos", "faces", "digits", "drawings",
];

/// Words for labels.
const LABELS: [&str; 10] = ["y", "labels", "label", "lbls", "lbl", "targets", "target", "annotations", "gt", "truth"];

/// Words for labels if no other word is left: `class_cat` are images.
const CLASSES: [&str; 3] = ["class", "classes", "cls"];

/// Words of file names that say nothing.
const FORMATS: [&str; 3] = ["idx", "ubyte", "int"];

/// What a name says: its part, its role, and its other words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub part: Option<Part>,
    pub role: Option<Role>,
    /// The other words in lower case, numbers and endings of formats included.
    pub rest: Vec<String>,
}

impl Key {
    /// The key of the name of an array, or of the stem of a file.
    pub fn of(name: &str) -> Self {
        let part = part_of(name).or_else(|| part_of(&words(name).join(" ")));
        let mut key = Self { part, role: None, rest: Vec::new() };
        let (mut images, mut labels, mut classes, mut names) = (false, false, false, false);
        let mut before = String::new();
        for word in without_sizes(words(name)) {
            match &*word {
                "names" | "classnames" | "categories" => names = true,
                word if LABELS.contains(&word) => labels = true,
                word if IMAGES.contains(&word) => images = true,
                word if CLASSES.contains(&word) => classes = true,
                word if FORMATS.contains(&word) => {}
                // `idx3`.
                word if before == "idx" && word.len() == 1 => {}
                word if part_of(word).is_some() => {
                    images |= word.starts_with('x');
                    labels |= word.starts_with('y');
                }
                _ => key.rest.push(word.clone()),
            }
            before = word;
        }
        labels |= classes && key.rest.is_empty();
        if classes && !labels && !names {
            key.rest.push("class".to_owned());
        }
        key.role = match (names, labels, images) {
            (true, ..) => Some(Role::Names),
            (_, true, _) => Some(Role::Labels),
            (.., true) => Some(Role::Images),
            _ => None,
        };
        key
    }

    /// Whether both are of the same part of the same data set.
    pub fn pairs(&self, other: &Self) -> bool {
        self.part == other.part && self.rest == other.rest
    }

    /// Whether both are of the same data set, maybe of different parts.
    pub fn same_set(&self, other: &Self) -> bool {
        self.rest == other.rest
    }
}

/// The words of a name in lower case: runs of letters or digits, also `Train` in `xTrain`.
pub fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut word, mut before) = (String::new(), ' ');
    for c in name.chars().chain([' ']) {
        let breaks = !c.is_alphanumeric()
            || (c.is_uppercase() && before.is_lowercase())
            || (c.is_ascii_digit() != before.is_ascii_digit() && before.is_alphanumeric() && !is_t10k(&word, c));
        if breaks && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words
}

/// `words` without the sizes of arrays: `13440x1024`, which differ for images and labels.
fn without_sizes(mut words: Vec<String>) -> Vec<String> {
    let is_number = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
    while let Some(at) =
        words.windows(3).position(|three| is_number(&three[0]) && three[1] == "x" && is_number(&three[2]))
    {
        words.drain(at..at + 3);
    }
    words
}

/// Whether a word of MNIST's file names goes on with `next`: `t10k`.
fn is_t10k(word: &str, next: char) -> bool {
    matches!((word, next), ("t", '1') | ("t10", 'k'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_and_labels_are_paired() {
        for (images, labels) in [
            ("x_train", "y_train"),
            ("X_test", "Y_test"),
            ("xTrain", "yTrain"),
            ("xtrain", "ytrain"),
            ("train_images", "train_labels"),
            ("kmnist-train-imgs", "kmnist-train-labels"),
            ("k49-test-imgs", "k49-test-labels"),
            ("images", "labels"),
            ("X", "y"),
            ("data", "target"),
            ("training_data", "training_classes"),
            ("images_3", "labels_3"),
            ("qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int"),
            ("t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"),
            ("emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte"),
            ("csvTrainImages 13440x1024", "csvTrainLabel 13440x1"),
        ] {
            let (one, other) = (Key::of(images), Key::of(labels));
            assert_eq!((one.role, other.role), (Some(Role::Images), Some(Role::Labels)), "{images} {labels}");
            assert!(one.pairs(&other), "{one:?} {other:?}");
        }
        for (images, labels) in [
            ("x_train", "y_test"),
            ("csvTrainImages 13440x1024", "csvTestLabel 3360x1"),
            ("a_images", "b_labels"),
            ("images_1", "labels_2"),
            ("k49-train-imgs", "kmnist-train-labels"),
        ] {
            assert!(!Key::of(images).pairs(&Key::of(labels)), "{images} {labels}");
        }
        assert!(Key::of("x_train").same_set(&Key::of("y_test")) && !Key::of("ax").same_set(&Key::of("bx")));
    }

    #[test]
    fn roles_of_names() {
        let role = |name| Key::of(name).role;
        assert_eq!(
            (role("class_names"), role("label_names"), role("image_labels")),
            (Some(Role::Names), Some(Role::Names), Some(Role::Labels))
        );
        assert_eq!(
            (role("class_cat"), role("full_numpy_bitmap_cat"), role("train"), role("classes")),
            (None, None, None, Some(Role::Labels))
        );
        assert_ne!(Key::of("class_cat"), Key::of("cat"));
    }
}
