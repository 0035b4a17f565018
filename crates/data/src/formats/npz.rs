//! `.npz` files, as `numpy.savez` and `savez_compressed` write them: a zip archive of `.npy` arrays, among them images
//! and often labels. Arrays are identified by name (those of Keras, MedMNIST and numpy itself) or else by
//! shape.

mod labels;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use crate::error::{Error, Result};
use crate::formats::archive::zip::{self, Location};
use crate::formats::archive::{self, OtherFiles};
use crate::in_memory::InMemory;
use crate::npy::{self, Header};
use crate::open_options::Split;
use crate::pread::{ReadAt, read_at};

/// Names of training images, each with the name of its labels, in order of preference.
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

/// Names of test images, each with the name of its labels.
const TEST: [[&str; 2]; 3] = [["x_test", "y_test"], ["test_images", "test_labels"], ["test", "labels"]];

/// One array of the file.
struct Member {
    /// Without `.npy`.
    name: String,
    header: Header,
    /// The location of its bytes, including the header.
    packed: archive::Member<Location>,
}

/// Whether a file is a zip archive whose members all end in `.npy`.
pub(crate) fn matches(path: &Path) -> bool {
    let mut others = OtherFiles::default();
    let arrays = File::open(path).is_ok_and(|file| {
        zip::matches(&start(&file)) && zip::listed(&file, is_array, &mut others).is_ok_and(|found| !found.is_empty())
    });
    arrays && others == OtherFiles::default()
}

/// Whether one of its arrays has the shape of images (lists of strokes, for example, don't).
pub(crate) fn holds_images(path: &Path) -> bool {
    let found = File::open(path).map(|file| members(path, &file));
    matches!(found, Ok(Ok(members)) if members.iter().any(|member| like_images(&member.header.shape)))
}

fn start(file: &File) -> [u8; 4] {
    let mut start = [0; 4];
    // A shorter file can't match.
    let _ = read_at(file, &mut start, 0);
    start
}

fn is_array(name: &str) -> bool {
    name.ends_with(".npy")
}

/// Opens the images of `split` in a `.npz` file, with their labels if there are any.
///
/// # Errors
/// The file is damaged, has no array of images or several with unknown names, or an array can't be read.
pub fn open(path: &Path, split: Split) -> Result<InMemory> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let members = members(path, &file)?;
    let images = choose(path, &members, split)?;
    let set = read(path, &file, images, |member_path, reader| {
        let layout = npy::check(member_path, &images.header, images.packed.location.length)?;
        npy::read(member_path, reader, &layout)
    })?;
    let set = set.named(path.display().to_string());
    let Some(labels) = labels_of(&members, images) else { return Ok(set) };
    let values = labels_in(path, &file, labels)?;
    // The other split may have classes that this one lacks.
    let other = if split == Split::Train { Split::Test } else { Split::Train };
    let other = choose(path, &members, other).ok().and_then(|images| labels_of(&members, images));
    let others = other.map(|labels| labels_in(path, &file, labels)).transpose()?.unwrap_or_default();
    let largest = values.iter().chain(&others).copied().max().unwrap_or(0);
    set.with_labels(values, (0..=largest).map(|label| label.to_string()).collect())
}

fn labels_in(path: &Path, file: &File, member: &Member) -> Result<Vec<u32>> {
    read(path, file, member, |member_path, reader| {
        labels::read(member_path, reader, &member.header, member.packed.location.length)
    })
}

/// The headers of all arrays.
fn members(path: &Path, file: &File) -> Result<Vec<Member>> {
    let packed = zip::listed(file, is_array, &mut OtherFiles::default()).map_err(|what| damaged(path, &what))?;
    let member = |packed: archive::Member<Location>| {
        let member_path = path.join(&*packed.name);
        let mut at = ReadAt::new(file);
        let mut reader = zip::stream(&mut at, &packed).map_err(|what| damaged(&member_path, &what))?;
        let header = Header::read(&mut reader).map_err(|what| npy::damaged(&member_path, &what))?;
        drop(reader);
        Ok(Member { name: packed.name.trim_end_matches(".npy").to_owned(), header, packed })
    };
    packed.into_iter().map(member).collect()
}

/// Calls `take` at the values of an array, then checks that it was read to its end, which verifies its checksum.
fn read<T>(
    path: &Path,
    file: &File,
    member: &Member,
    take: impl FnOnce(&Path, &mut dyn Read) -> Result<T>,
) -> Result<T> {
    let member_path = path.join(&*member.packed.name);
    let mut at = ReadAt::new(file);
    let stream = zip::stream(&mut at, &member.packed).map_err(|what| damaged(&member_path, &what))?;
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    Header::read(&mut reader).map_err(|what| npy::damaged(&member_path, &what))?;
    let taken = take(&member_path, &mut reader)?;
    match reader.read(&mut [0]) {
        Ok(0) => Ok(taken),
        Ok(_) => Err(damaged(&member_path, "more bytes follow than its header declares")),
        Err(error) => Err(damaged(&member_path, &error.to_string())),
    }
}

/// The array of images: the only one, or one with a known name, or the only one with the shape of images.
fn choose<'a>(path: &Path, members: &'a [Member], split: Split) -> Result<&'a Member> {
    let names = if split == Split::Train { &TRAIN[..] } else { &TEST[..] };
    let called = |wanted: &str| members.iter().find(|member| member.name.eq_ignore_ascii_case(wanted));
    let by_name = names.iter().find_map(|[images, _]| called(images));
    if let Some(member) = by_name {
        return Ok(member);
    }
    if split == Split::Test {
        return Err(Error::NoTestImages {
            what: format!("{} has no test images of its own: {}", path.display(), listed(members)),
            hint: "use its training images, or save them as x_test".into(),
        });
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

/// Whether an array of this shape can be images.
fn like_images(shape: &[u64]) -> bool {
    match *shape {
        [_, values] => values >= 16 && values.isqrt().pow(2) == values,
        [_, height, width] | [_, height, width, 1 | 3 | 4] => height > 1 && width > 1,
        _ => false,
    }
}

/// The labels of `images`: the array with the matching name and one integer per image.
fn labels_of<'a>(members: &'a [Member], images: &Member) -> Option<&'a Member> {
    let pairs = TRAIN.iter().chain(&TEST).filter(|[name, _]| images.name.eq_ignore_ascii_case(name));
    let usual = ["labels", "label", "y", "y_train", "arr_1"];
    let names: Vec<&str> = pairs.map(|[_, labels]| *labels).chain(usual).collect();
    let count = images.header.shape.first()?;
    let fits = |member: &&Member| {
        matches!(&member.header.shape[..], [n] | [n, 1] if n == count) && labels::is_whole(&member.header.descr)
    };
    let called = |wanted: &&str| members.iter().filter(fits).find(|member| member.name.eq_ignore_ascii_case(wanted));
    names.iter().find_map(called).filter(|labels| labels.name != images.name)
}

/// "x_train [60000, 28, 28] |u1, ...".
fn listed(members: &[Member]) -> String {
    let show = |member: &Member| {
        let descr: String = member.header.descr.chars().take(20).collect();
        format!("{} {:?} {}", member.name.escape_debug(), member.header.shape, descr.escape_debug())
    };
    let member_path: Vec<String> = members.iter().take(12).map(show).collect();
    let more = if members.len() > member_path.len() { ", ..." } else { "" };
    if member_path.is_empty() {
        "it holds no array".to_owned()
    } else {
        format!("it holds {}{more}", member_path.join(", "))
    }
}

fn damaged(path: &Path, what: &str) -> Error {
    Error::data(
        format!("{} is damaged: {what}", path.display()),
        "the file is damaged or was not downloaded completely: replace it",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::Dataset;
    use crate::testing::{self, npy, shared_data};

    fn array(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
        npy(&format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}"), bytes)
    }

    fn images(count: u8) -> Vec<u8> {
        let bytes: Vec<u8> = (0..count).flat_map(|index| [0, 51, 255, index]).collect();
        array("|u1", &format!("{count}, 2, 2"), &bytes)
    }

    fn zip(files: &[(&str, Vec<u8>)], deflated: bool) -> Vec<u8> {
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
        testing::zip(&files, deflated)
    }

    fn open_bytes(bytes: &[u8], split: Split) -> Result<InMemory> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        std::fs::write(&path, bytes).unwrap();
        open(&path, split)
    }

    fn about(set: &InMemory) -> (usize, Vec<Option<u32>>) {
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
            assert_eq!(train.classes(), ["0", "1", "2", "3", "4", "5"]);
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
    fn zips_of_arrays_only_are_claimed() {
        let folder = tempfile::tempdir().unwrap();
        let claimed = |bytes: &[u8]| {
            std::fs::write(folder.path().join("a"), bytes).unwrap();
            matches(&folder.path().join("a"))
        };
        assert!(claimed(&zip(&[("x.npy", images(1)), ("y.npy", images(1))], true)));
        assert!(!claimed(&zip(&[("x.npy", images(1)), ("y.png", images(1))], true)));
        assert!(!claimed(&zip(&[], true)) && !claimed(&images(1)) && !claimed(b"PK"));
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
        assert!(error.ends_with("x.npy is damaged: Invalid checksum"), "{error}");
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
