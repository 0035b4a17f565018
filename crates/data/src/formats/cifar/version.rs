//! What distinguishes CIFAR-10 from CIFAR-100.

use crate::open_options::Split;

/// Height and width of an image.
pub const SIDE: usize = 32;
/// Values of one channel of an image.
pub const PLANE: usize = SIDE * SIDE;

/// CIFAR-10's classes in label order, as in `batches.meta.txt`.
pub const CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Ten,
    Hundred,
}

impl Version {
    pub const ALL: [Self; 2] = [Self::Ten, Self::Hundred];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ten => "CIFAR-10",
            Self::Hundred => "CIFAR-100",
        }
    }

    /// The largest value of each label byte of a row, and one.
    fn labels(self) -> &'static [u8] {
        match self {
            Self::Ten => &[10],
            // Coarse and fine.
            Self::Hundred => &[20, 100],
        }
    }

    /// Bytes of a row.
    pub fn row(self) -> usize {
        self.labels().len() + 3 * PLANE
    }

    /// Number of classes.
    pub fn classes(self) -> usize {
        self.labels().last().copied().unwrap_or(0).into()
    }

    /// The class of a row, from its first bytes; `None` if a label is too large.
    pub fn label(self, row: &[u8]) -> Option<u32> {
        let valid = self.labels().iter().zip(row).all(|(count, label)| label < count);
        row.get(self.labels().len() - 1).filter(|_| valid).map(|label| u32::from(*label))
    }

    /// Whether a file of this name is one of `split`.
    pub fn is_file(self, name: &str, split: Split) -> bool {
        match (self, split) {
            (Self::Ten, Split::Train) => name.starts_with("data_batch") && name.ends_with(".bin"),
            (Self::Ten, Split::Test) => name.starts_with("test_batch") && name.ends_with(".bin"),
            (Self::Hundred, Split::Train) => name == "train.bin",
            (Self::Hundred, Split::Test) => name == "test.bin",
        }
    }

    /// Whether a file of this name is one of either split.
    pub fn is_file_of_any(self, name: &str) -> bool {
        self.is_file(name, Split::Train) || self.is_file(name, Split::Test)
    }

    /// The usual names of the files of `split`.
    pub fn usual(self, split: Split) -> &'static str {
        match (self, split) {
            (Self::Ten, Split::Train) => "data_batch_1.bin, ...",
            (Self::Ten, Split::Test) => "test_batch.bin",
            (Self::Hundred, Split::Train) => "train.bin",
            (Self::Hundred, Split::Test) => "test.bin",
        }
    }

    /// The file of class names, one per line.
    pub fn names(self) -> &'static str {
        match self {
            Self::Ten => "batches.meta.txt",
            Self::Hundred => "fine_label_names.txt",
        }
    }

    /// The names of the classes without that file.
    pub fn usual_names(self) -> Vec<String> {
        match self {
            Self::Ten => CLASSES.map(str::to_owned).to_vec(),
            Self::Hundred => (0..self.classes()).map(|label| label.to_string()).collect(),
        }
    }
}

/// Whether a file of an archive is one of the Python versions.
pub fn is_python(name: &str) -> bool {
    let folder = ["cifar-10-batches-py/", "cifar-100-python/"].iter().any(|folder| name.contains(folder));
    let file = file_name(name);
    folder
        && (file.starts_with("data_batch") || matches!(file, "test_batch" | "train" | "test" | "batches.meta" | "meta"))
}

/// The last part of a path in an archive.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
