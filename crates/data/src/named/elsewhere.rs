//! Folders in which other programs keep the same sets: Keras, the Fidle course, TensorFlow Datasets. They are searched after our
//! own, before anything is fetched, and nothing is written there.

use std::path::{Path, PathBuf};

/// Where a set of CIFAR-10 lies whose files are not read.
const PYTHON_CIFAR: [&str; 2] = ["cifar-10-batches-py", "cifar-10-batches-py-target/cifar-10-batches-py"];

/// The folders that exist, by `variable`, the environment.
pub(crate) fn folders(variable: impl Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    let home = |below: &str| variable("HOME").or_else(|| variable("USERPROFILE")).map(|home| home.join(below));
    let keras = variable("KERAS_HOME").or_else(|| home(".keras")).map(|keras| keras.join("datasets"));
    let tfds = variable("TFDS_DATA_DIR").or_else(|| home("tensorflow_datasets"));
    // What a person downloads for it, such as CelebA.
    let manual = tfds.as_ref().map(|tfds| tfds.join("downloads").join("manual"));
    let all = [variable("FIDLE_DATASETS_DIR"), keras, tfds, manual];
    all.into_iter().flatten().filter(|folder| folder.is_dir()).collect()
}

/// What is said of a set whose file is `found` in one of `folders`; nothing of another.
pub(crate) fn note(folders: &[PathBuf], found: &Path) -> Option<String> {
    let inside = folders.iter().any(|folder| found.starts_with(folder));
    inside.then(|| format!("found at {}, where another program keeps it", found.display()))
}

/// What is said before CIFAR-10 is fetched although one of `folders` has it, as pickles.
pub(crate) fn unread_cifar10(folders: &[PathBuf]) -> Option<String> {
    let mut places = folders.iter().flat_map(|folder| PYTHON_CIFAR.map(|name| folder.join(name)));
    let found = places.find(|place| place.is_dir())?;
    Some(format!(
        "{} is left aside: it holds pickles, which are not read (unpickling runs code); the binary version is used",
        found.display()
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_exist_are_searched_in_order() {
        let home = tempfile::tempdir().unwrap();
        let fidle = tempfile::tempdir().unwrap();
        for folder in [".keras/datasets", "tensorflow_datasets/downloads/manual", "other/datasets"] {
            std::fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        let environment = |names: &[(&str, &Path)], name: &str| {
            names.iter().find(|(known, _)| *known == name).map(|(_, path)| path.to_path_buf())
        };
        let (root, other) = (home.path(), home.path().join("other"));
        let usual = [
            root.join(".keras/datasets"),
            root.join("tensorflow_datasets"),
            root.join("tensorflow_datasets/downloads/manual"),
        ];
        assert_eq!(folders(|name| environment(&[("HOME", root)], name)), usual);
        let all = [
            ("HOME", root),
            ("KERAS_HOME", &other),
            ("FIDLE_DATASETS_DIR", fidle.path()),
            ("TFDS_DATA_DIR", Path::new("no")),
        ];
        assert_eq!(folders(|name| environment(&all, name)), [fidle.path().to_path_buf(), other.join("datasets")]);
        assert!(folders(|_| None).is_empty());
        assert!(note(&usual, &root.join(".keras/datasets/mnist.npz")).unwrap().contains("mnist.npz, where another"));
        assert_eq!(note(&usual, &root.join(".cache/mnist.npz")), None);
    }

    #[test]
    fn python_batches_are_named() {
        let keras = tempfile::tempdir().unwrap();
        let folders = [keras.path().to_path_buf()];
        assert_eq!(unread_cifar10(&folders), None);
        std::fs::create_dir(keras.path().join("cifar-10-batches-py")).unwrap();
        assert!(unread_cifar10(&folders).unwrap().contains("cifar-10-batches-py is left aside"));
    }
}
