//! `.npz` files, as `numpy.savez` and `savez_compressed` write them: a zip archive of `.npy` arrays, among them images
//! and often labels. Which array is which follows from their names (those of Keras, MedMNIST and numpy itself) or, where
//! they tell nothing, from their shapes.

mod labels;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;

use super::memory::Memory;
use super::npy::{self, Header};
use super::open::Split;
use crate::error::{Error, Result};

/// The first bytes of a zip archive: of its first member, or of the directory where it has none.
pub(super) const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// Deflate can't inflate one byte to more than this many.
const MAX_INFLATION: u64 = 1032;

/// The most members that are looked at.
const MAX_MEMBERS: usize = 10_000;

/// Names of the images to learn from, each with its labels', the likelier first.
const TRAIN: [[&str; 2]; 8] = [
    ["x_train", "y_train"],
    ["train_images", "train_labels"],
    ["images", "labels"],
    ["images", "label"],
    ["x", "y"],
    ["data", "labels"],
    ["train", "labels"],
    ["arr_0", "arr_1"],
];

/// Names of the images held back, each with its labels'.
const TEST: [[&str; 2]; 3] = [["x_test", "y_test"], ["test_images", "test_labels"], ["test", "labels"]];

/// One array of the file.
struct Member {
    /// Its place in the archive.
    index: usize,
    /// Without `.npy`.
    name: String,
    header: Header,
    /// Bytes, header included.
    length: u64,
}

/// True where a file is a zip archive whose members all end in `.npy`.
pub(super) fn claims(path: &Path) -> bool {
    let look = || {
        let archive = ZipArchive::new(BufReader::new(File::open(path).ok()?)).ok()?;
        let arrays = |name: &[u8]| name.ends_with(b".npy");
        Some(!archive.is_empty() && archive.file_names_raw().take(MAX_MEMBERS).all(arrays))
    };
    look().unwrap_or(false)
}

/// Opens the images of `split` in a `.npz` file, with their labels where there are some.
///
/// # Errors
/// Where the file is damaged, holds no array of images or several without a telling name, or an array can't be read.
pub fn open(path: &Path, split: Split) -> Result<Memory> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(path, &error.to_string()))?;
    let members = members(path, &mut archive)?;
    let chosen = choose(path, &members, split)?;
    let shown = path.join(format!("{}.npy", chosen.name));
    let set = read(path, &mut archive, chosen, |reader, header, length| {
        let layout = npy::held_against(&shown, header, length)?;
        npy::read(&shown, reader, &layout)
    })?;
    let Some(labels) = labels_of(&members, chosen) else { return Ok(set.named(path.display().to_string())) };
    let shown = path.join(format!("{}.npy", labels.name));
    let values =
        read(path, &mut archive, labels, |reader, header, length| labels::read(&shown, reader, header, length))?;
    let classes = (0..=values.iter().copied().max().unwrap_or(0)).map(|label| label.to_string()).collect();
    set.named(path.display().to_string()).with_labels(values, classes)
}

/// The headers of all arrays.
fn members(path: &Path, archive: &mut ZipArchive<BufReader<File>>) -> Result<Vec<Member>> {
    let mut members = Vec::new();
    for index in 0..archive.len().min(MAX_MEMBERS) {
        let mut entry = archive.by_index(index).map_err(|error| damaged(path, &error.to_string()))?;
        let file = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let Some(name) = file.strip_suffix(".npy") else { continue };
        let (length, packed) = (entry.size(), entry.compressed_size());
        if length > packed.saturating_mul(MAX_INFLATION) {
            return Err(damaged(path, &format!("{file} claims {length} bytes, which {packed} bytes can't hold")));
        }
        let header = Header::read(&mut entry).map_err(|what| npy::damaged(&path.join(&file), &what))?;
        members.push(Member { index, name: name.to_owned(), header, length });
    }
    Ok(members)
}

/// Goes to the values of an array, and makes sure after `take` that it is read to its end, so that its checksum holds.
fn read<T>(
    path: &Path,
    archive: &mut ZipArchive<BufReader<File>>,
    member: &Member,
    take: impl FnOnce(&mut dyn Read, &Header, u64) -> Result<T>,
) -> Result<T> {
    let broken = |what: String| damaged(path, &format!("{}.npy: {what}", member.name));
    let entry = archive.by_index(member.index).map_err(|error| broken(error.to_string()))?;
    let mut reader = BufReader::with_capacity(1 << 16, entry);
    let header = Header::read(&mut reader).map_err(&broken)?;
    let taken = take(&mut reader, &header, member.length)?;
    match reader.read(&mut [0]) {
        Ok(0) => Ok(taken),
        Ok(_) => Err(broken("more bytes follow than its header promises".to_owned())),
        Err(error) => Err(broken(error.to_string())),
    }
}

/// The array of images: the only one, or the one with a telling name, or the only one in the shape of images.
fn choose<'a>(path: &Path, members: &'a [Member], split: Split) -> Result<&'a Member> {
    let names = if split == Split::Train { &TRAIN[..] } else { &TEST[..] };
    let called = |wanted: &str| members.iter().find(|member| member.name.eq_ignore_ascii_case(wanted));
    let by_name = names.iter().find_map(|[images, _]| called(images));
    if let Some(member) = by_name {
        return Ok(member);
    }
    if split == Split::Test {
        return Err(Error::usage(
            format!("{} has no test images of its own: {}", path.display(), listed(members)),
            "use its training images, or save them as x_test",
        ));
    }
    let mut images = members.iter().filter(|member| like_images(&member.header.shape));
    match (members, images.next(), images.next()) {
        ([only], _, _) => Ok(only),
        (_, Some(one), None) => Ok(one),
        (_, none_or_first, _) => Err(Error::data(
            format!(
                "{} holds {} of images: {}",
                path.display(),
                if none_or_first.is_none() { "no array" } else { "several arrays" },
                listed(members)
            ),
            "name the images in it: numpy.savez(\"images.npz\", x_train=a, y_train=labels)",
        )),
    }
}

/// Whether an array of this shape may be images.
fn like_images(shape: &[u64]) -> bool {
    match *shape {
        [_, values] => values >= 16 && values.isqrt().pow(2) == values,
        [_, height, width] | [_, height, width, 1 | 3] => height > 1 && width > 1,
        _ => false,
    }
}

/// The labels that belong to `images`: an array of the name that goes with theirs, with one whole number per image.
fn labels_of<'a>(members: &'a [Member], images: &Member) -> Option<&'a Member> {
    let pairs = TRAIN.iter().chain(&TEST).filter(|[name, _]| images.name.eq_ignore_ascii_case(name));
    let usual = ["labels", "label", "y", "y_train", "arr_1"];
    let names: Vec<&str> = pairs.map(|[_, labels]| *labels).chain(usual).collect();
    let count = images.header.shape.first()?;
    let fits = |member: &&Member| {
        matches!(&member.header.shape[..], [n] | [n, 1] if n == count) && labels::is_whole(&member.header.descr)
    };
    let called = |wanted: &&str| members.iter().filter(fits).find(|member| member.name.eq_ignore_ascii_case(wanted));
    names.iter().find_map(called).filter(|labels| labels.index != images.index)
}

/// "x_train [60000, 28, 28] |u1, ...".
fn listed(members: &[Member]) -> String {
    let show = |member: &Member| {
        let descr: String = member.header.descr.chars().take(20).collect();
        format!("{} {:?} {}", member.name.escape_debug(), member.header.shape, descr.escape_debug())
    };
    let shown: Vec<String> = members.iter().take(12).map(show).collect();
    let more = if members.len() > shown.len() { ", ..." } else { "" };
    if shown.is_empty() { "it holds no array".to_owned() } else { format!("it holds {}{more}", shown.join(", ")) }
}

fn damaged(path: &Path, what: &str) -> Error {
    Error::data(
        format!("{} is not a whole .npz file: {what}", path.display()),
        "the file is damaged or was not downloaded completely: replace it",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::testing::{npy, shared_data, zip};
    use super::*;
    use crate::data::Dataset;

    fn array(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
        npy(&format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}"), bytes)
    }

    fn images(count: u8) -> Vec<u8> {
        let bytes: Vec<u8> = (0..count).flat_map(|index| [0, 51, 255, index]).collect();
        array("|u1", &format!("{count}, 2, 2"), &bytes)
    }

    fn open_bytes(bytes: &[u8], split: Split) -> Result<Memory> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        std::fs::write(&path, bytes).unwrap();
        assert!(claims(&path) || bytes.len() < 200);
        open(&path, split)
    }

    fn about(set: &Memory) -> (usize, Vec<Option<u32>>) {
        (set.len(), (0..set.len()).map(|index| set.label(index)).collect())
    }

    #[test]
    fn keras_layout_stored_and_deflated() {
        let files = [
            ("x_test.npy", images(1)),
            ("x_train.npy", images(3)),
            ("y_train.npy", array("|u1", "3,", &[2, 0, 1])),
            ("y_test.npy", array("<i8", "1, 1", &[5, 0, 0, 0, 0, 0, 0, 0])),
        ];
        for deflate in [false, true] {
            let file = zip(&files, deflate);
            let train = open_bytes(&file, Split::Train).unwrap();
            assert_eq!(about(&train), (3, vec![Some(2), Some(0), Some(1)]));
            assert_eq!(train.classes(), ["0", "1", "2"]);
            let test = open_bytes(&file, Split::Test).unwrap();
            assert_eq!((about(&test), test.classes().len()), ((1, vec![Some(5)]), 6));
            let mut image = [9.0; 4];
            train.read(2, &mut image).unwrap();
            assert_eq!(image, [0.0, 0.2, 1.0, 2.0 / 255.0]);
        }
    }

    #[test]
    fn the_array_of_images_is_found() {
        let labels = || array("<i4", "2,", &[1, 0, 0, 0, 0, 0, 0, 0]);
        let set = |files: &[(&str, Vec<u8>)]| open_bytes(&zip(files, true), Split::Train).map(|set| about(&set));
        let with = (2, vec![Some(1), Some(0)]);
        assert_eq!(set(&[("arr_0.npy", images(2))]).unwrap(), (2, vec![None, None]));
        assert_eq!(set(&[("arr_0.npy", images(2)), ("arr_1.npy", labels())]).unwrap(), with);
        assert_eq!(set(&[("Images.npy", images(2)), ("labels.npy", labels())]).unwrap(), with);
        assert_eq!(set(&[("faces.npy", images(2)), ("label.npy", labels())]).unwrap(), with);
        // Not as many labels as images, or no whole numbers: none.
        assert_eq!(set(&[("x.npy", images(3)), ("y.npy", labels())]).unwrap(), (3, vec![None; 3]));
        let floats = array("<f4", "2,", &[0; 8]);
        assert_eq!(set(&[("x.npy", images(2)), ("y.npy", floats)]).unwrap(), (2, vec![None; 2]));
        let error = set(&[("a.npy", images(2)), ("b.npy", images(2)), ("c.npy", labels())]).unwrap_err();
        let expected = "holds several arrays of images: it holds a [2, 2, 2] |u1, b [2, 2, 2] |u1, c [2] <i4";
        assert!(error.to_string().ends_with(expected), "{error}");
        let error = set(&[("a.npy", labels()), ("b.npy", labels())]).unwrap_err().to_string();
        assert!(error.contains("no array of images: it holds a [2] <i4"), "{error}");
        let error = open_bytes(&zip(&[("x.npy", images(2))], true), Split::Test).unwrap_err().to_string();
        assert!(error.contains("no test images of its own: it holds x [2, 2, 2] |u1"), "{error}");
    }

    #[test]
    fn damaged_files_are_errors() {
        let whole = zip(&[("x.npy", images(50)), ("y.npy", array("|u1", "50,", &[3; 50]))], false);
        assert!(open_bytes(&whole, Split::Train).is_ok());
        for length in (0..whole.len()).step_by(7) {
            assert!(open_bytes(&whole[..length], Split::Train).is_err(), "{length}");
        }
        // One wrong pixel: the checksum tells.
        let mut wrong = whole.clone();
        wrong[180] ^= 1;
        let error = open_bytes(&wrong, Split::Train).unwrap_err().to_string();
        assert!(error.to_lowercase().contains("checksum"), "{error}");
        let error = open_bytes(&zip(&[("x.npy", images(2)[..80].to_vec())], true), Split::Train).unwrap_err();
        assert!(error.to_string().contains("x.npy is not a whole .npy file"), "{error}");
        let negative = array("|i1", "2,", &[1, 255]);
        let error = open_bytes(&zip(&[("x.npy", images(2)), ("y.npy", negative)], true), Split::Train).unwrap_err();
        assert!(error.to_string().contains("label 1 is -1"), "{error}");
    }

    #[test]
    fn pickles_are_refused() {
        let pickle = array("|O", "2,", &[0; 40]);
        let error = open_bytes(&zip(&[("x.npy", pickle)], true), Split::Train).unwrap_err();
        assert!(error.to_string().contains("unpickling runs code"), "{error}");
        let Some(data) = shared_data() else { return };
        let error = open(&data.join("sheep-market/aaron_sheep.npz"), Split::Train).unwrap_err();
        assert!(error.to_string().contains("train.npy holds Python objects"), "{error}");
        assert!(error.hint().contains("numpy.s"), "{}", error.hint());
    }
}
