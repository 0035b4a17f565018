//! CIFAR-10 and CIFAR-100 in their binary versions: rows of one or two labels (of CIFAR-100 the second is the class) and then 32x32
//! red, green and blue values plane by plane. Supported are a folder of the `.bin` files, the published archive without unpacking
//! it, and a single `.bin` file. The number of rows follows from the lengths of the files.
//! Format: <https://www.cs.toronto.edu/~kriz/cifar.html>.

mod published;
mod version;

use std::cell::Cell;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::dataset::ImageShape;
use crate::error::{Error, Result};
use crate::formats::archive::tar;
use crate::formats::compression::unpacked;
use crate::in_memory::{InMemory, MAX_SET_BYTES};
use crate::open_options::Split;
pub(crate) use published::{ARCHIVE, FOLDER, IMAGES, count, find, remote};
pub(crate) use version::file_name;
use version::{PLANE, SIDE, Version, is_python};

/// Number of entries of an archive read to detect its content.
const DETECTION_ENTRIES: usize = 8;

/// Opens a folder, an archive or a single file; of a folder or an archive, the files of `split`.
///
/// # Errors
/// There is no file, a file can't be read, has an incomplete row, or an invalid label, or is of the Python version.
pub fn open(path: &Path, split: Split) -> Result<InMemory> {
    if path.is_dir() {
        return from_folder(path, split);
    }
    let file = File::open(path).map_err(Error::io("read", path))?;
    match archive(path) {
        Some(Archive::Binary(version)) => {
            return from_archive(path, version, unpacked(file).map_err(Error::io("read", path))?.0, split);
        }
        Some(Archive::Python) => return Err(python(path)),
        None => {}
    }
    let length = file.metadata().map_err(Error::io("read", path))?.len();
    let version = version_of_rows(path).unwrap_or(Version::Ten);
    let mut rows = Rows::new(version);
    rows.append(BufReader::new(file), length).map_err(|what| damaged(path, version, &what))?;
    let names = std::fs::read_to_string(path.with_file_name(version.names())).ok();
    rows.into_set(path, names.as_deref())
}

/// Whether a folder has files of CIFAR-10 of `split`.
pub(crate) fn in_folder(folder: &Path, split: Split) -> bool {
    batches(folder, Version::Ten, split).is_ok_and(|found| !found.is_empty())
}

/// Whether a folder is one of files of either version.
pub(crate) fn is_folder(folder: &Path) -> bool {
    version_of_folder(folder).is_some()
}

/// Refuses a folder of the Python version, which holds pickles.
///
/// # Errors
/// It is such a folder.
pub(crate) fn refuse_python(folder: &Path) -> Result<()> {
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names: Vec<String> = names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let has = |wanted: &[&str]| wanted.iter().all(|wanted| names.iter().any(|name| name == wanted));
    if has(&["batches.meta", "data_batch_1"]) || has(&["meta", "train", "test"]) && !folder.join("train").is_dir() {
        return Err(python(folder));
    }
    Ok(())
}

/// Whether a file consists of rows: whole rows with valid labels.
pub(crate) fn is_rows(path: &Path) -> bool {
    version_of_rows(path).is_some()
}

/// The version of a file of rows.
fn version_of_rows(path: &Path) -> Option<Version> {
    let is_of = |version: Version| -> std::io::Result<bool> {
        let mut file = File::open(path)?;
        let (length, row) = (file.metadata()?.len(), version.row() as u64);
        if length == 0 || !length.is_multiple_of(row) {
            return Ok(false);
        }
        for index in 0..length / row {
            let mut start = [0; 2];
            file.seek(SeekFrom::Start(index * row))?;
            file.read_exact(&mut start)?;
            if version.label(&start).is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    };
    // A name of one version decides: a cut file may have the length of the other.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let named = Version::ALL.into_iter().find(|version| version.is_file_of_any(&name));
    let candidates = Version::ALL.into_iter().filter(|version| named.is_none_or(|named| named == *version));
    candidates.into_iter().find(|version| is_of(*version).unwrap_or(false))
}

/// The version of the files of a folder.
fn version_of_folder(folder: &Path) -> Option<Version> {
    let has = |version: Version| {
        let both = [Split::Train, Split::Test].into_iter();
        let mut files = both.filter_map(|split| batches(folder, version, split).ok()).flatten();
        match version {
            Version::Ten => files.next().is_some(),
            // Other programs call files train.bin as well.
            Version::Hundred => files.next().is_some_and(|file| version_of_rows(&file) == Some(version)),
        }
    };
    Version::ALL.into_iter().find(|version| has(*version))
}

/// The content of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Archive {
    Binary(Version),
    Python,
}

/// Whether a file is a tar archive (compressed or not) with files of CIFAR-10's or CIFAR-100's binary or Python version among its
/// first entries.
pub(crate) fn is_archive(path: &Path) -> bool {
    archive(path).is_some()
}

fn archive(path: &Path) -> Option<Archive> {
    let (reader, _) = File::open(path).and_then(unpacked).ok()?;
    let (seen, mut found) = (Cell::new(0), None);
    let of = |name: &str| -> Option<Archive> {
        if is_python(name) {
            return Some(Archive::Python);
        }
        Version::ALL.into_iter().find(|version| version.is_file_of_any(file_name(name))).map(Archive::Binary)
    };
    let wanted = |name: &str| {
        seen.set(seen.get() + 1);
        of(name).is_some() || seen.get() == DETECTION_ENTRIES
    };
    // An error stops the walk; the entries so far are enough.
    let _ = tar::pick(reader, wanted, |name, length, _| {
        found = of(name).filter(|found| match found {
            Archive::Binary(Version::Hundred) => length > 0 && length.is_multiple_of(Version::Hundred.row() as u64),
            _ => true,
        });
        Err(String::new())
    });
    found
}

/// The files of `split` directly in `folder`, by number.
fn batches(folder: &Path, version: Version, split: Split) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_file = |name: &std::ffi::OsStr| version.is_file(&name.to_string_lossy(), split);
        if path.file_name().is_some_and(is_file) && path.is_file() {
            found.push(path);
        }
    }
    found.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    Ok(found)
}

fn from_folder(folder: &Path, split: Split) -> Result<InMemory> {
    let version = version_of_folder(folder).unwrap_or(Version::Ten);
    let mut rows = Rows::new(version);
    for path in batches(folder, version, split).map_err(Error::io("read", folder))? {
        let file = File::open(&path).map_err(Error::io("read", &path))?;
        let length = file.metadata().map_err(Error::io("read", &path))?.len();
        rows.append(BufReader::new(file), length).map_err(|what| damaged(&path, version, &what))?;
    }
    let names = std::fs::read_to_string(folder.join(version.names())).ok();
    rows.or_missing(folder, split)?.into_set(folder, names.as_deref())
}

fn from_archive(path: &Path, version: Version, reader: Box<dyn Read>, split: Split) -> Result<InMemory> {
    let (mut parts, mut names, mut total) = (Vec::new(), String::new(), 0u64);
    let wanted = |name: &str| version.is_file(file_name(name), split) || file_name(name) == version.names();
    let walked = tar::pick(reader, wanted, |name, length, bytes| {
        if file_name(name) == version.names() {
            return bytes.take(1 << 16).read_to_string(&mut names).map(drop).map_err(|error| error.to_string());
        }
        total = total.saturating_add(length);
        check_size(total)?;
        let mut rows = Rows::new(version);
        rows.append(bytes, length).map_err(|what| format!("{name}: {what}"))?;
        parts.push((name.len(), name.to_owned(), rows));
        Ok(())
    });
    walked.map_err(|what| damaged(path, version, &what))?;
    parts.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let mut rows = Rows::new(version);
    for (_, _, mut part) in parts {
        rows.pixels.append(&mut part.pixels);
        rows.labels.append(&mut part.labels);
    }
    rows.or_missing(path, split)?.into_set(path, Some(&names))
}

/// The rows read: images channels-last, and their labels.
struct Rows {
    version: Version,
    pixels: Vec<u8>,
    labels: Vec<u32>,
}

impl Rows {
    fn new(version: Version) -> Self {
        Self { version, pixels: Vec::new(), labels: Vec::new() }
    }

    /// Reads `length` bytes of rows.
    fn append(&mut self, mut reader: impl Read, length: u64) -> Result<(), String> {
        let size = self.version.row();
        if length == 0 || !length.is_multiple_of(size as u64) {
            return Err(format!("its {length} bytes are not one or more rows of {size}"));
        }
        check_size(length.saturating_add(self.pixels.len() as u64))?;
        // The declared length of an archive's member can't be trusted: the buffer grows with the data.
        self.pixels.reserve((length as usize).min(1 << 26));
        let mut row = vec![0u8; size];
        let first = size - 3 * PLANE;
        for index in 0..length / size as u64 {
            reader.read_exact(&mut row).map_err(cut_short)?;
            let Some(label) = self.version.label(&row) else {
                let most = self.version.classes() - 1;
                return Err(format!("row {index} has the label {}, expected 0 to {most}", row[first - 1]));
            };
            self.labels.push(label);
            let planes = (first..first + PLANE).flat_map(|at| [row[at], row[at + PLANE], row[at + 2 * PLANE]]);
            self.pixels.extend(planes);
        }
        Ok(())
    }

    fn or_missing(self, path: &Path, split: Split) -> Result<Self> {
        if !self.labels.is_empty() {
            return Ok(self);
        }
        let what = format!("{} holds no {}", path.display(), self.version.usual(split));
        let hint = format!("get the whole binary version of {}", self.version.name());
        Err(match split {
            Split::Train => Error::data(what, hint),
            Split::Test => Error::NoTestImages { what, hint },
        })
    }

    fn into_set(self, path: &Path, names: Option<&str>) -> Result<InMemory> {
        let shape = ImageShape { height: SIDE, width: SIDE, channels: 3 };
        let listed = names.unwrap_or_default().lines().map(str::trim).filter(|line| !line.is_empty());
        let mut classes: Vec<String> = listed.map(str::to_owned).collect();
        if classes.len() != self.version.classes() {
            classes = self.version.usual_names();
        }
        InMemory::from_bytes(path.display().to_string(), shape, self.pixels)?.with_labels(self.labels, classes)
    }
}

fn check_size(bytes: u64) -> Result<(), String> {
    if bytes <= MAX_SET_BYTES {
        return Ok(());
    }
    Err(format!("it claims {bytes} bytes, more than the {MAX_SET_BYTES} allowed"))
}

fn cut_short(error: std::io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
        _ => error.to_string(),
    }
}

fn damaged(path: &Path, version: Version, what: &str) -> Error {
    Error::data(
        format!("{} is not a whole file of {}'s binary version: {what}", path.display(), version.name()),
        "the file is damaged, or was not downloaded completely: replace it",
    )
}

/// The error for the Python version.
fn python(path: &Path) -> Error {
    Error::data(
        format!(
            "{} is the Python version of CIFAR: pickles, which are not read (unpickling runs code)",
            path.display()
        ),
        "get the binary version: cifar-10-binary.tar.gz or cifar-100-binary.tar.gz of https://www.cs.toronto.edu/~kriz/cifar.html",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::Dataset;
    use crate::testing::{gzip, shared_data, tar, tar_header};

    /// Rows with these labels; red counts up over the plane, green is the label times 20, blue is 255.
    fn rows(labels: &[u8]) -> Vec<u8> {
        let row = |&label: &u8| {
            let red = (0..PLANE).map(|at| (at % 256) as u8);
            [label].into_iter().chain(red).chain([label * 20; PLANE]).chain([255; PLANE]).collect::<Vec<_>>()
        };
        labels.iter().flat_map(row).collect()
    }

    const ROW: usize = 1 + 3 * PLANE;
    const NAMES: &str = "batches.meta.txt";

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let named: Vec<_> = files.iter().map(|(name, _)| format!("cifar-10-batches-bin/{name}")).collect();
        let files: Vec<_> = named.iter().zip(files).map(|(name, (_, bytes))| (name.as_str(), *bytes)).collect();
        tar(&files)
    }

    fn labels(set: &InMemory) -> Vec<u32> {
        (0..set.len()).map(|index| set.label(index).unwrap()).collect()
    }

    #[test]
    fn planes_become_pixels_and_files_follow_their_numbers() {
        let folder = crate::testing::folder();
        let root = folder.path();
        for (name, which) in [("data_batch_10.bin", [9]), ("data_batch_2.bin", [4]), ("test_batch.bin", [7])] {
            std::fs::write(root.join(name), rows(&which)).unwrap();
        }
        std::fs::write(root.join("data_batch_1.bin"), rows(&[3, 0])).unwrap();
        let set = open(root, Split::Train).unwrap();
        assert_eq!((labels(&set), set.shape().to_string()), (vec![3, 0, 4, 9], "32x32x3".to_owned()));
        let mut image = vec![0.0; 3 * PLANE];
        set.read(2, &mut image).unwrap();
        assert_eq!(image[3 * 51..3 * 51 + 3], [0.2, 80.0 / 255.0, 1.0]);
        let test = open(root, Split::Test).unwrap();
        assert_eq!((labels(&test), test.classes()[7].as_str()), (vec![7], "horse"));
        assert_eq!(labels(&open(&root.join("data_batch_10.bin"), Split::Train).unwrap()), [9]);
        assert!(in_folder(root, Split::Test) && is_rows(&root.join("test_batch.bin")));
        std::fs::remove_file(root.join("test_batch.bin")).unwrap();
        assert!(!in_folder(root, Split::Test));
        let error = open(root, Split::Test).unwrap_err().to_string();
        assert!(error.ends_with("holds no test_batch.bin"), "{error}");
    }

    #[test]
    fn an_archive_reads_like_its_folder() {
        let folder = crate::testing::folder();
        let names = b"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n";
        let (one, two, test) = (rows(&[1]), rows(&[2, 5]), rows(&[6]));
        let files: [(&str, &[u8]); 5] = [
            ("data_batch_2.bin", &two),
            ("readme.html", b"<html>"),
            ("data_batch_1.bin", &one),
            ("test_batch.bin", &test),
            (NAMES, names),
        ];
        let plain = archive(&files);
        for (name, bytes) in [("a.tar", plain.clone()), ("a.tar.gz", gzip(&plain))] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            assert!(is_archive(&path) && !is_rows(&path));
            let set = open(&path, Split::Train).unwrap();
            assert_eq!((labels(&set), set.classes()[5].as_str()), (vec![1, 2, 5], "f"));
            assert_eq!(labels(&open(&path, Split::Test).unwrap()), [6]);
        }
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let (unpacked, packed) =
            (open(folder.path(), Split::Train).unwrap(), open(&folder.path().join("a.tar"), Split::Train).unwrap());
        assert_eq!(unpacked.fingerprint(), packed.fingerprint());
    }

    #[test]
    fn every_wrong_bit_of_a_compressed_archive_is_found_or_harmless() {
        let folder = crate::testing::folder();
        let path = folder.path().join("a.tar.gz");
        let zipped = gzip(&archive(&[("data_batch_1.bin", &rows(&[1, 7]))]));
        std::fs::write(&path, &zipped).unwrap();
        let whole = open(&path, Split::Train).unwrap().fingerprint();
        let mut found = 0;
        for bit in 0..8 * zipped.len() {
            let mut wrong = zipped.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, wrong).unwrap();
            match open(&path, Split::Train) {
                Ok(set) => assert_eq!(set.fingerprint(), whole, "bit {bit}"),
                Err(_) => found += 1,
            }
        }
        assert!(found > 7 * zipped.len(), "{found} of {} bits", 8 * zipped.len());
    }

    #[test]
    fn damaged_files_say_what_is_wrong() {
        let folder = crate::testing::folder();
        let path = folder.path().join("data_batch_1.bin");
        let message = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            open(&path, Split::Train).unwrap_err().to_string()
        };
        let whole = rows(&[3, 4]);
        for length in [0, 1, ROW - 1, ROW + 1, 2 * ROW - 1] {
            assert!(message(&whole[..length]).contains(&format!("its {length} bytes are not one or more")));
        }
        let mut wrong = whole.clone();
        wrong[ROW] = 10;
        assert!(message(&wrong).ends_with("row 1 has the label 10, expected 0 to 9"));
        assert!(!is_rows(&path));
        // Archives: cut off, a batch that is no rows, and a size that is only promised.
        let tar = archive(&[("data_batch_1.bin", &whole)]);
        for length in [600, ROW, 2 * ROW] {
            assert!(message(&tar[..length]).contains("it ends too early"), "{length}: {}", message(&tar[..length]));
        }
        let zipped = gzip(&tar);
        assert!(!message(&zipped[..zipped.len() / 2]).is_empty());
        assert!(message(&archive(&[("data_batch_1.bin", b"text")])).contains("its 4 bytes"));
        let huge = tar_header("data_batch_1.bin", ROW << 20, b'0');
        assert!(message(&huge).contains("it ends too early"), "{}", message(&huge));
        let huger = tar_header("data_batch_1.bin", ROW * 2_700_000, b'0');
        assert!(message(&huger).contains("more than the"), "{}", message(&huger));
    }

    #[test]
    fn the_second_label_of_cifar_100_is_the_class() {
        let folder = crate::testing::folder();
        let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        let row = |coarse: u8, fine: u8| [&[coarse, fine][..], &[10; PLANE], &[20; PLANE], &[30; PLANE]].concat();
        let (train, test) = ([row(19, 99), row(3, 0)].concat(), row(0, 42));
        let names = (0..100).map(|at| format!("class {at}\n")).collect::<String>();
        let files: [(&str, &[u8]); 3] =
            [("fine_label_names.txt", names.as_bytes()), ("test.bin", &test), ("train.bin", &train)];
        put("a.tar.gz", &gzip(&archive(&files)));
        for packed in [false, true] {
            let path = if packed { folder.path().join("a.tar.gz") } else { folder.path().to_path_buf() };
            files.iter().for_each(|(name, bytes)| put(name, bytes));
            let set = open(&path, Split::Train).unwrap();
            assert_eq!((labels(&set), set.classes()[99].as_str()), (vec![99, 0], "class 99"));
            let mut image = vec![0.0; 3 * PLANE];
            set.read(1, &mut image).unwrap();
            assert_eq!(image[..3], [10.0 / 255.0, 20.0 / 255.0, 30.0 / 255.0]);
            assert_eq!(labels(&open(&path, Split::Test).unwrap()), [42]);
        }
        assert!(is_folder(folder.path()) && is_archive(&folder.path().join("a.tar.gz")));
        let alone = open(&folder.path().join("test.bin"), Split::Train).unwrap();
        assert_eq!((labels(&alone), alone.classes().len()), (vec![42], 100));
        put("train.bin", b"other rows");
        put("test.bin", &[0; 3074 * 2 + 1]);
        assert!(!is_folder(folder.path()));
        let mut wrong = test;
        wrong[1] = 100;
        put("train.bin", &wrong);
        assert!(!is_rows(&folder.path().join("train.bin")));
    }

    #[test]
    fn the_python_version_is_named() {
        let folder = crate::testing::folder();
        let path = folder.path().join("a.tar.gz");
        for name in ["cifar-10-batches-py/data_batch_1", "cifar-100-python/train"] {
            std::fs::write(&path, gzip(&tar(&[(name, b"\x80\x03")]))).unwrap();
            assert!(is_archive(&path));
            let error = open(&path, Split::Train).unwrap_err();
            assert!(error.to_string().contains("the Python version") && error.hint().contains("binary"), "{error}");
        }
        assert!(refuse_python(folder.path()).is_ok());
        for name in ["batches.meta", "data_batch_1"] {
            std::fs::write(folder.path().join(name), b"\x80\x03").unwrap();
        }
        assert!(refuse_python(folder.path()).is_err());
    }

    #[test]
    fn cifar_itself() {
        let Some(data) = shared_data() else { return };
        let path = data.join("cifar10/cifar-10-binary-subset.tar.gz");
        let test = open(&path, Split::Test).unwrap();
        assert_eq!((test.len(), test.classes()), (2000, version::CLASSES.map(str::to_owned).to_vec()));
        let mut counts = [0; 10];
        labels(&test).iter().for_each(|&label| counts[label as usize] += 1);
        assert_eq!(counts, [200; 10]);
        // The first test image, by a few lines of Python over the same file.
        let mut image = vec![0.0; 3 * PLANE];
        test.read(0, &mut image).unwrap();
        assert_eq!(
            (test.label(0), &image[3 * 327..3 * 328]),
            (Some(2), &[188.0 / 255.0, 160.0 / 255.0, 140.0 / 255.0][..])
        );
        let red = image.iter().step_by(3).sum::<f32>() / 1024.0;
        assert!((red - 0.747_197).abs() < 1e-4, "{red}");
    }
}
