//! IDX, the format of MNIST: a big-endian header (magic number, then one size per dimension), then one byte per value;
//! often gzipped. Images have the magic number 2051 and three dimensions, labels 2049 and one.
//! Format: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".

mod decode;

use std::path::{Path, PathBuf};

use crate::dataset::ImageShape;
use crate::error::Result;
use crate::in_memory::InMemory;
use decode::{Kind, damaged, read};

/// Whether these first bytes (after gunzip) are those of IDX images.
pub(crate) fn matches(start: &[u8]) -> bool {
    start.starts_with(&Kind::Images.magic().to_be_bytes())
}

/// Opens IDX images (`.gz` or not), and the labels next to them if their file has the usual name.
///
/// # Errors
/// A file can't be read, is not an IDX file, or its length doesn't match its header.
pub fn open(images: &Path) -> Result<InMemory> {
    open_with(images, labels_beside(images).as_deref(), &[])
}

/// Opens IDX images with the given labels file and class names. Without class names, they are the numbers "0", "1", ...
///
/// # Errors
/// As `open`; also if counts differ or a label has no class.
pub(crate) fn open_with(images: &Path, labels: Option<&Path>, classes: &[&str]) -> Result<InMemory> {
    let (sizes, bytes) = read(images, Kind::Images)?;
    let [_, height, width] = sizes[..] else {
        return Err(damaged(images, "it has no image sizes"));
    };
    let shape = ImageShape { height: height as usize, width: width as usize, channels: 1 };
    let set = InMemory::from_bytes(images.display().to_string(), shape, bytes)?;
    let Some(path) = labels else { return Ok(set) };
    let (_, labels) = read(path, Kind::Labels)?;
    let labels: Vec<u32> = labels.into_iter().map(u32::from).collect();
    let classes: Vec<String> = if classes.is_empty() {
        (0..=labels.iter().copied().max().unwrap_or(0)).map(|label| label.to_string()).collect()
    } else {
        classes.iter().map(|class| (*class).to_owned()).collect()
    };
    set.with_labels(labels, classes)
}

/// The images file in `folder` with `prefix` ("train" or "t10k"), under any of its usual names.
pub fn find(folder: &Path, prefix: &str) -> Option<PathBuf> {
    spellings(&format!("{prefix}-images-idx3-ubyte")).map(|name| folder.join(name)).find(|path| path.is_file())
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
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        put("train-images-idx3-ubyte.gz", &gzip(&idx_images(3, 4, 3)));
        put("train-labels.idx1-ubyte", &idx_labels(&[2, 0, 2]));
        let set = open(&find(folder.path(), "train").unwrap()).unwrap();
        assert_eq!((set.len(), set.label(0), set.label(1)), (3, Some(2), Some(0)));
        assert_eq!(set.classes(), ["0", "1", "2"]);
        assert_eq!(find(folder.path(), "t10k"), None);
        put("train-labels.idx1-ubyte", &idx_labels(&[2, 0]));
        let error = open(&find(folder.path(), "train").unwrap()).unwrap_err();
        assert!(error.to_string().contains("3 images but 2 labels"), "{error}");
        put("train-labels.idx1-ubyte", &idx_labels(&[2, 0, 9]));
        let error = open_with(
            &folder.path().join("train-images-idx3-ubyte.gz"),
            Some(&folder.path().join("train-labels.idx1-ubyte")),
            &["a", "b", "c"],
        );
        assert!(error.unwrap_err().to_string().contains("label 2 is 9, but there are 3 classes"));
    }

    #[test]
    fn mnist_itself() {
        let Some(data) = shared_data() else { return };
        let set = open(&find(&data.join("mnist"), "train").unwrap()).unwrap();
        assert_eq!((set.len(), set.shape().to_string()), (60_000, "28x28x1".to_owned()));
        assert_eq!((0..5).map(|i| set.label(i).unwrap()).collect::<Vec<_>>(), [5, 0, 4, 1, 9]);
        let mut image = vec![0.0; 784];
        set.read(0, &mut image).unwrap();
        let ink = image.iter().sum::<f32>() / 784.0;
        // The first digit's mean, from the file by numpy: 0.1376.
        assert!((ink - 0.1376).abs() < 1e-3, "{ink}");
    }
}
