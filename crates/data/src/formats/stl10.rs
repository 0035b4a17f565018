//! STL-10 in its binary version: `train_X.bin` and `test_X.bin` of 96x96 images, red, green and blue values plane by plane and
//! column by column; the labels, 1 to 10, are in `train_y.bin` and `test_y.bin`, their names in `class_names.txt`. Supported are
//! the folder, the published archive and a single file of images, such as `unlabeled_X.bin`.
//! Format: <https://cs.stanford.edu/~acoates/stl10/>.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use crate::class_labels::ClassLabels;
use crate::dataset::{Dataset, ImageShape};
use crate::error::{Error, Result};
use crate::formats::archive::tar;
use crate::formats::cifar::file_name;
use crate::formats::compression::unpacked;
use crate::in_memory::{InMemory, MAX_SET_BYTES};
use crate::open_options::Split;
use crate::parts::{Holdings, Part, describe};

const SIDE: usize = 96;
const PLANE: usize = SIDE * SIDE;
/// Bytes of an image.
const IMAGE: usize = 3 * PLANE;

/// The classes in label order, as in `class_names.txt`.
const CLASSES: [&str; 10] = ["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"];
const NAMES: &str = "class_names.txt";

/// Files of images.
const FILES: [&str; 3] = ["train_X.bin", "test_X.bin", "unlabeled_X.bin"];

/// Number of entries of an archive read to detect its content.
const DETECTION_ENTRIES: usize = 8;

/// The file of images of `split`.
fn images(split: Split) -> &'static str {
    match split {
        Split::Train => FILES[0],
        Split::Test => FILES[1],
    }
}

/// The file of labels of a file of images.
fn labels_of(images: &str) -> String {
    images.replace("_X.bin", "_y.bin")
}

/// Whether a length is one of whole images.
fn is_length(bytes: u64) -> bool {
    bytes > 0 && bytes.is_multiple_of(IMAGE as u64)
}

/// Whether a file is one of images of this set, by name and length.
pub(crate) fn is_images(path: &Path) -> bool {
    let named = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| FILES.contains(&name));
    named && std::fs::metadata(path).is_ok_and(|about| is_length(about.len()))
}

/// Whether a folder has files of this set.
pub(crate) fn is_folder(folder: &Path) -> bool {
    FILES[..2].iter().any(|name| is_images(&folder.join(name)))
}

/// Whether a file is a tar archive (compressed or not) with such files among its first entries.
pub(crate) fn is_archive(path: &Path) -> bool {
    let Ok((reader, _)) = File::open(path).and_then(unpacked) else { return false };
    let (seen, mut found) = (Cell::new(0), false);
    let wanted = |name: &str| {
        seen.set(seen.get() + 1);
        FILES.contains(&file_name(name)) || seen.get() == DETECTION_ENTRIES
    };
    // An error stops the walk; the entries so far are enough.
    let _ = tar::pick(reader, wanted, |name, length, _| {
        found = FILES.contains(&file_name(name)) && is_length(length);
        Err(String::new())
    });
    found
}

/// Opens a folder, an archive or a single file; of a folder or an archive, the images of `split`.
///
/// # Errors
/// A file can't be read, has an incomplete image, or an invalid label.
pub(crate) fn open(path: &Path, split: Split) -> Result<InMemory> {
    let mut found = Found::default();
    if path.is_file() && !is_images(path) {
        let (reader, _) = File::open(path).and_then(unpacked).map_err(Error::io("read", path))?;
        let name = images(split);
        let wanted = [name.to_owned(), labels_of(name), NAMES.to_owned()];
        let walked = tar::pick(
            reader,
            |name| wanted.iter().any(|wanted| wanted == file_name(name)),
            |name, length, bytes| found.read(file_name(name), length, bytes).map_err(|what| format!("{name}: {what}")),
        );
        walked.map_err(|what| damaged(path, &what))?;
        return found.into_set(path, name);
    }
    let (folder, name) = match path.file_name().and_then(|name| name.to_str()).filter(|_| path.is_file()) {
        Some(name) => (path.parent().unwrap_or(Path::new("")).to_path_buf(), name),
        None => (path.to_path_buf(), images(split)),
    };
    for name in [name, &labels_of(name), NAMES] {
        let file = folder.join(name);
        let Ok(opened) = File::open(&file) else { continue };
        let length = opened.metadata().map_err(Error::io("read", &file))?.len();
        found.read(name, length, &mut BufReader::new(opened)).map_err(|what| damaged(&file, &what))?;
    }
    let parts = parts_of(&folder).filter(|_| path.is_dir() && split == Split::Train);
    Ok(found.into_set(path, name)?.with_notes(parts))
}

/// What each of the files in `folder` is used for, if there are several.
fn parts_of(folder: &Path) -> Option<String> {
    let mut holdings = Holdings::new();
    for (name, part) in FILES.into_iter().zip([Part::Train, Part::Test, Part::Unlabelled]) {
        let path = folder.join(name);
        if is_images(&path) {
            let holding = holdings.entry(Some(part)).or_default();
            let length = std::fs::metadata(&path).map_or(0, |about| about.len());
            holding.files += usize::try_from(length).unwrap_or(0) / IMAGE;
            holding.folders.push(name.to_owned());
        }
    }
    describe(&holdings, None)
}

/// The content of the files.
#[derive(Default)]
struct Found {
    pixels: Vec<u8>,
    labels: Vec<u8>,
    names: String,
}

impl Found {
    /// Reads a file of `length` bytes.
    fn read(&mut self, name: &str, length: u64, bytes: &mut dyn Read) -> Result<(), String> {
        let plain = |error: std::io::Error| error.to_string();
        if name == NAMES {
            return bytes.take(1 << 16).read_to_string(&mut self.names).map(drop).map_err(plain);
        }
        if name.ends_with("_y.bin") {
            return bytes.take(1 << 26).read_to_end(&mut self.labels).map(drop).map_err(plain);
        }
        if !is_length(length) || length > MAX_SET_BYTES {
            return Err(format!(
                "its {length} bytes are not one or more images of {IMAGE}, up to {MAX_SET_BYTES} bytes"
            ));
        }
        // The declared length of an archive's member can't be trusted: the buffer grows with the data.
        self.pixels.reserve((length as usize).min(1 << 26));
        let mut image = vec![0u8; IMAGE];
        for _ in 0..length / IMAGE as u64 {
            bytes.read_exact(&mut image).map_err(|_| "it ends too early".to_owned())?;
            for at in (0..SIDE).flat_map(|row| (0..SIDE).map(move |column| column * SIDE + row)) {
                self.pixels.extend([image[at], image[at + PLANE], image[at + 2 * PLANE]]);
            }
        }
        Ok(())
    }

    fn into_set(self, path: &Path, name: &str) -> Result<InMemory> {
        if self.pixels.is_empty() {
            let what = format!("{} holds no {name}", path.display());
            let hint = "get the whole binary version of STL-10";
            return Err(match name == FILES[1] {
                true => Error::NoTestImages { what, hint: hint.into() },
                false => Error::data(what, hint),
            });
        }
        let shape = ImageShape { height: SIDE, width: SIDE, channels: 3 };
        let set = InMemory::from_bytes(path.display().to_string(), shape, self.pixels)?;
        if self.labels.is_empty() {
            return Ok(set);
        }
        if let Some(at) = self.labels.iter().position(|label| !(1..=10).contains(label)) {
            return Err(damaged(path, &format!("label {at} is {}, expected 1 to 10", self.labels[at])));
        }
        if self.labels.len() != set.len() {
            return Err(damaged(path, &format!("{} images but {} labels", set.len(), self.labels.len())));
        }
        let listed: Vec<String> =
            self.names.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
        let names = if listed.len() == CLASSES.len() { listed } else { CLASSES.map(str::to_owned).to_vec() };
        set.with_class_labels(ClassLabels::complete(
            self.labels.iter().map(|label| u32::from(*label) - 1).collect(),
            names,
        ))
    }
}

fn damaged(path: &Path, what: &str) -> Error {
    Error::data(
        format!("{} is not a whole file of STL-10's binary version: {what}", path.display()),
        "the file is damaged, or was not downloaded completely: replace it",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{gzip, tar};

    /// An image whose red value is its row, green its column and blue `blue`.
    fn image(blue: u8) -> Vec<u8> {
        let place = |at: usize| ((at % SIDE) as u8, (at / SIDE) as u8);
        let plane = |of: &dyn Fn((u8, u8)) -> u8| (0..PLANE).map(|at| of(place(at))).collect::<Vec<_>>();
        [plane(&|(row, _)| row), plane(&|(_, column)| column), plane(&|_| blue)].concat()
    }

    #[test]
    fn columns_become_rows_and_labels_begin_at_one() {
        let folder = crate::testing::folder();
        let (train, test, unlabelled) = ([image(1), image(2)].concat(), image(3), image(4));
        let names = CLASSES.map(|name| format!("a {name}\n")).concat();
        let files: [(&str, &[u8]); 6] = [
            ("test_X.bin", &test),
            ("test_y.bin", &[10]),
            ("train_X.bin", &train),
            ("train_y.bin", &[2, 1]),
            ("unlabeled_X.bin", &unlabelled),
            (NAMES, names.as_bytes()),
        ];
        files.iter().for_each(|(name, bytes)| std::fs::write(folder.path().join(name), bytes).unwrap());
        let archive = folder.path().join("a.tar.gz");
        let wrapped: Vec<_> = files.iter().map(|(name, bytes)| (format!("stl10_binary/{name}"), *bytes)).collect();
        let wrapped: Vec<(&str, &[u8])> = wrapped.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        std::fs::write(&archive, gzip(&tar(&wrapped))).unwrap();
        assert!(is_folder(folder.path()) && is_archive(&archive) && !is_images(&archive));
        for path in [folder.path(), &archive] {
            let set = open(path, Split::Train).unwrap();
            assert_eq!(
                (set.len(), set.label(0), set.label(1), set.classes()[1].as_str()),
                (2, Some(1), Some(0), "a bird")
            );
            let mut pixels = vec![0.0; IMAGE];
            set.read(1, &mut pixels).unwrap();
            let pixel = 3 * (5 * SIDE + 7);
            assert_eq!(pixels[pixel..pixel + 3], [5.0 / 255.0, 7.0 / 255.0, 2.0 / 255.0]);
            assert_eq!(open(path, Split::Test).unwrap().label(0), Some(9));
        }
        let alone = open(&folder.path().join("unlabeled_X.bin"), Split::Train).unwrap();
        assert_eq!((alone.len(), alone.classes().len()), (1, 0));
        std::fs::write(folder.path().join("train_y.bin"), [2, 11]).unwrap();
        assert!(
            open(folder.path(), Split::Train).unwrap_err().to_string().ends_with("label 1 is 11, expected 1 to 10")
        );
        std::fs::write(folder.path().join("train_y.bin"), [2]).unwrap();
        assert!(open(folder.path(), Split::Train).unwrap_err().to_string().ends_with("2 images but 1 labels"));
        std::fs::remove_file(folder.path().join("test_X.bin")).unwrap();
        assert!(matches!(open(folder.path(), Split::Test), Err(Error::NoTestImages { .. })));
        std::fs::write(folder.path().join("train_X.bin"), &train[1..]).unwrap();
        assert!(!is_folder(folder.path()));
    }
}
