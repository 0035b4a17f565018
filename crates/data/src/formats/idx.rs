//! IDX, the format of MNIST: a big-endian header (magic number, then one size per dimension), then the values, mostly one byte
//! each; often gzipped. Images have three dimensions, labels one, or two as in QMNIST, whose first number is the class.
//! Format: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".

mod decode;
pub(crate) mod emnist;

use std::path::{Path, PathBuf};

use crate::Dataset;
use crate::error::Result;
use crate::formats::array::labels::{Array, Labels};
use crate::formats::array::{self, Images, Settings};
use crate::formats::beside;
use crate::in_memory::InMemory;
use crate::open_options::{OpenOptions, Split};
use crate::parts::{Holdings, Part, describe};
use decode::{Kind, damaged, kind_of, read};

/// Whether these first bytes (uncompressed) are those of IDX images.
pub(crate) fn matches(start: &[u8]) -> bool {
    kind_of(start) == Some(Kind::Images)
}

/// Whether these first bytes (uncompressed) are those of IDX labels.
pub(crate) fn matches_labels(start: &[u8]) -> bool {
    kind_of(start) == Some(Kind::Labels)
}

/// Opens IDX images (compressed or not), and the labels next to them if their file has the usual name.
///
/// # Errors
/// A file can't be read, is not an IDX file, or its length doesn't match its header.
pub fn open(path: &Path, options: &OpenOptions) -> Result<InMemory> {
    let set = images(path, options)?;
    let parts = beside::unread_parts(path, set.len(), false);
    let set = set.with_notes(parts);
    let Some(labels) = labels_beside(path) else { return beside::attach(set, path) };
    let others = beside::labels_of_other_parts(&labels);
    let file = labels.file_name().unwrap_or_default().to_string_lossy();
    let set = self::labels(&labels)?.attach(set, &file, &others, &emnist::names(path), true)?;
    Ok(set.with_notes(emnist::note(path)))
}

/// Opens IDX images with the given labels file and class names.
///
/// # Errors
/// As `open`; also if counts differ or a label has no class.
pub(crate) fn open_with(path: &Path, labels: &Path, classes: &[&str], options: &OpenOptions) -> Result<InMemory> {
    let values = read(labels, Kind::Labels)?;
    let labels = values.bytes.into_iter().map(u32::from).collect();
    images(path, options)?.with_labels(labels, classes.iter().map(|class| (*class).to_owned()).collect())
}

fn images(path: &Path, options: &OpenOptions) -> Result<InMemory> {
    let values = read(path, Kind::Images)?;
    let images = Images::check(path, values.scalar, &values.sizes, false, true)?;
    array::from_bytes(path, values.bytes, &images, Settings { range: options.range, binary: false })
}

/// The labels in a file.
///
/// # Errors
/// The file can't be read, or holds no labels.
pub(crate) fn labels(path: &Path) -> Result<Labels> {
    let values = read(path, Kind::Labels)?;
    let scalar = values.scalar;
    let (sizes, bytes) = match values.sizes[..] {
        // Of the eight numbers of QMNIST, the others say who wrote the digit and where it is from.
        [count, numbers @ 8] => {
            let row = scalar.width * numbers as usize;
            let first = values.bytes.chunks_exact(row).flat_map(|row| &row[..scalar.width]);
            (vec![count], first.copied().collect())
        }
        _ => (values.sizes, values.bytes),
    };
    let array = Array { descr: &scalar.descr(), fortran: false, sizes: &sizes };
    array.read(path, &mut &bytes[..])?.map_err(|unread| damaged(path, &format!("its labels are not read: {unread}")))
}

/// The images file in `folder` with `prefix` ("train" or "t10k"), under any of its usual names.
pub fn find(folder: &Path, prefix: &str) -> Option<PathBuf> {
    spellings(&format!("{prefix}-images-idx3-ubyte")).map(|name| folder.join(name)).find(|path| path.is_file())
}

/// What each of the files in `folder` that are named as in MNIST is used for, if there are several.
pub(crate) fn parts_of(folder: &Path) -> Option<String> {
    let mut holdings = Holdings::new();
    for (part, split) in [(Part::Train, Split::Train), (Part::Test, Split::Test)] {
        let Some(images) = find(folder, split.prefix()) else { continue };
        let holding = holdings.entry(Some(part)).or_default();
        // A damaged file is reported when it is opened.
        holding.files += usize::try_from(decode::count(&images).unwrap_or(0)).unwrap_or(0);
        holding.folders.push(images.file_name().unwrap_or_default().to_string_lossy().into_owned());
    }
    describe(&holdings, None)
}

/// The labels file of an images file, if it exists.
pub(crate) fn labels_beside(images: &Path) -> Option<PathBuf> {
    let name = images.file_name()?.to_str()?;
    if !name.contains("images") {
        return None;
    }
    let stem = name.strip_suffix(".gz").unwrap_or(name);
    let stem = stem.replace("images", "labels").replace("idx3", "idx1");
    spellings(&stem).map(|name| images.with_file_name(name)).find(|path| path.is_file())
}

/// The usual names of an IDX file: gzipped or not, `-idx3` or `.idx3`.
fn spellings(stem: &str) -> impl Iterator<Item = String> {
    let (dashed, dotted) = (stem.replace(".idx", "-idx"), stem.replace("-idx", ".idx"));
    [format!("{dashed}.gz"), dashed, format!("{dotted}.gz"), dotted].into_iter()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::Dataset;
    use crate::testing::{gzip, idx_images, idx_labels, shared_data};

    #[test]
    fn labels_are_found_beside_the_images() {
        let folder = crate::testing::folder();
        let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        put("train-images-idx3-ubyte.gz", &gzip(&idx_images(3, 4, 3)));
        put("train-labels.idx1-ubyte", &idx_labels(&[2, 0, 2]));
        let open = |path: &Path| super::open(path, &OpenOptions::default());
        let set = open(&find(folder.path(), "train").unwrap()).unwrap();
        assert_eq!((set.len(), set.label(0), set.label(1)), (3, Some(1), Some(0)));
        assert_eq!(set.classes(), ["0", "2"]);
        // The other part has a class more.
        put("t10k-labels-idx1-ubyte", &idx_labels(&[1]));
        let set = open(&find(folder.path(), "train").unwrap()).unwrap();
        assert_eq!((set.label(0), set.classes().len()), (Some(2), 3));
        assert_eq!(find(folder.path(), "t10k"), None);
        put("train-labels.idx1-ubyte", &idx_labels(&[2, 0]));
        let error = open(&find(folder.path(), "train").unwrap()).unwrap_err();
        assert!(error.to_string().contains("3 images but 2 labels"), "{error}");
        put("train-labels.idx1-ubyte", &idx_labels(&[2, 0, 9]));
        let error = open_with(
            &folder.path().join("train-images-idx3-ubyte.gz"),
            &folder.path().join("train-labels.idx1-ubyte"),
            &["a", "b", "c"],
            &OpenOptions::default(),
        );
        assert!(error.unwrap_err().to_string().contains("label 2 is 9, but there are 3 classes"));
    }

    #[test]
    fn labels_of_relatives_of_mnist() {
        let folder = crate::testing::folder();
        let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        let labelled = |name: &str| {
            let set = open(&folder.path().join(name), &OpenOptions::default()).unwrap();
            ((0..set.len()).map(|index| set.label(index)).collect::<Vec<_>>(), set.classes(), set.notes())
        };
        put("qmnist-train-images-idx3-ubyte.gz", &gzip(&idx_images(2, 4, 4)));
        let numbers = [7i32, 4, 1, 2, 3, 4, 5, 6, 3, 4, 1, 2, 3, 4, 5, 6];
        let mut labels = vec![0, 0, 0x0c, 2, 0, 0, 0, 2, 0, 0, 0, 8];
        labels.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        put("qmnist-train-labels-idx2-int.gz", &gzip(&labels));
        let (found, classes, notes) = labelled("qmnist-train-images-idx3-ubyte.gz");
        assert_eq!((found, classes), (vec![Some(1), Some(0)], vec!["3".to_owned(), "7".to_owned()]));
        assert_eq!(notes.last().unwrap(), "labels: qmnist-train-labels-idx2-int.gz, 2 classes (3, 7)");
        // EMNIST's letters begin at 1.
        put("emnist-letters-train-images-idx3-ubyte", &idx_images(3, 4, 4));
        put("emnist-letters-train-labels-idx1-ubyte", &idx_labels(&[2, 1, 2]));
        let (found, classes, notes) = labelled("emnist-letters-train-images-idx3-ubyte");
        assert!(notes.iter().any(|note| note.contains("rows and columns exchanged")), "{notes:?}");
        assert_eq!(found, [Some(1), Some(0), Some(1)]);
        assert_eq!((classes.len(), classes[0].as_str(), classes[25].as_str()), (26, "A", "Z"));
    }

    #[test]
    fn mnist_itself() {
        let Some(data) = shared_data() else { return };
        let set = open(&find(&data.join("mnist"), "train").unwrap(), &OpenOptions::default()).unwrap();
        assert_eq!((set.len(), set.shape().to_string()), (60_000, "28x28x1".to_owned()));
        assert_eq!((0..5).map(|i| set.label(i).unwrap()).collect::<Vec<_>>(), [5, 0, 4, 1, 9]);
        let mut image = vec![0.0; 784];
        set.read(0, &mut image).unwrap();
        let ink = image.iter().sum::<f32>() / 784.0;
        // The first digit's mean, from the file by numpy: 0.1376.
        assert!((ink - 0.1376).abs() < 1e-3, "{ink}");
    }
}
