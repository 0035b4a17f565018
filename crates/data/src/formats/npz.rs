//! `.npz` files, as `numpy.savez` and `savez_compressed` write them: a zip archive of `.npy` arrays, among them images
//! and often labels. Arrays are identified by name (those of Keras, MedMNIST and numpy itself) or else by
//! shape.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use crate::Dataset;
use crate::class_labels::describe_classes;
use crate::error::{Error, Result};
use crate::formats::archive::zip::{self, Location};
use crate::formats::archive::{self, OtherFiles};
use crate::formats::array::key::{Key, Role};
use crate::formats::array::labels::{Array, Labels, Unread};
use crate::formats::array::shape::like_images;
use crate::formats::array::{self, Settings};
use crate::formats::beside;
use crate::in_memory::InMemory;
use crate::npy::{self, Header};
use crate::open_options::{OpenOptions, Split};
use crate::parts::{Holdings, Part, describe};
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
    key: Key,
    header: Header,
    /// The location of its bytes, including the header.
    packed: archive::Member<Location>,
}

impl Member {
    /// Whether it can be an array of images: its shape is that of images, and its name not that of labels.
    fn like_images(&self) -> bool {
        like_images(&self.header.shape) && matches!(self.key.role, None | Some(Role::Images))
    }

    fn array(&self) -> Array<'_> {
        Array { descr: &self.header.descr, fortran: self.header.fortran_order, sizes: &self.header.shape }
    }

    fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// Whether a file is a zip archive whose members all end in `.npy`.
pub(crate) fn matches(path: &Path) -> bool {
    let mut others = OtherFiles::default();
    let arrays = File::open(path).is_ok_and(|file| {
        is_zip(&start(&file)) && zip::listed(&file, is_array, &mut others).is_ok_and(|found| !found.is_empty())
    });
    arrays && others == OtherFiles::default()
}

/// Whether a file that starts with `start` may be a `.npz`.
pub(crate) fn is_zip(start: &[u8]) -> bool {
    zip::matches(start)
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

/// Opens the images of a part in a `.npz` file, with their labels in it or beside it, if there are any. Validation images serve as
/// test images of a file that has no others.
///
/// # Errors
/// The file is damaged, has no array of images or several with unknown names, or an array can't be read.
pub fn open(path: &Path, options: &OpenOptions) -> Result<InMemory> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let members = members(path, &file)?;
    let images = choose(path, &members, options.split)?;
    let (labels, unread) = labels_of(&members, images);
    let set = read(path, &file, images, |member_path, reader| {
        let length = Some(images.packed.location.length);
        let layout = npy::check(member_path, &images.header, length, labels.is_some())?;
        array::read(member_path, reader, &layout, Settings { range: options.range, binary: true })
    })?;
    let set = set.named(path.display().to_string()).with_notes(parts_of(&members, options.split));
    let Some(labels) = labels else {
        let aside = left_aside(&members, &[images]);
        return beside::attach(set.with_notes(unread.into_iter().chain(aside)), path);
    };
    let values = match labels_in(path, &file, labels)? {
        Ok(values) => values,
        Err(unread) => return Ok(set.with_notes([format!("the labels in {} are not read: {unread}", labels.name)])),
    };
    // Other parts may have classes that this one lacks.
    let is_other = |member: &&Member| {
        let key = &member.key;
        key.role == Some(Role::Labels) && key.same_set(&labels.key) && !std::ptr::eq(*member, labels)
    };
    let others = members.iter().filter(is_other).map(|member| labels_in(path, &file, member));
    let others: Vec<Labels> = others.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    let names = members.iter().find(|member| member.key.role == Some(Role::Names));
    let names = names.map(|names| labels_in(path, &file, names)).transpose()?;
    let names = match names {
        Some(Ok(Labels::Text(names))) => names.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default(),
        _ => Vec::new(),
    };
    if values.len() != set.len() {
        return Ok(set);
    }
    let set = values.attach(set, &others, &names, labels.array().is_plain())?;
    let classes = set.classes();
    let said = (!classes.is_empty()).then(|| format!("labels: array {}, {}", labels.name, describe_classes(&classes)));
    Ok(set.with_notes(said.into_iter().chain(left_aside(&members, &[images, labels]))))
}

/// What each array of images is used for, if they are several parts.
fn parts_of(members: &[Member], split: Split) -> Option<String> {
    let mut holdings = Holdings::new();
    for member in members.iter().filter(|member| split == Split::Train && member.like_images()) {
        if let Some(part) = member.key.part {
            let holding = holdings.entry(Some(part)).or_default();
            let count = member.header.shape.first().copied().unwrap_or(0);
            holding.files += usize::try_from(count).unwrap_or(0);
            holding.folders.push(member.name.clone());
        }
    }
    describe(&holdings, None)
}

/// A note on the arrays of the part of `used` that are neither used nor read as labels or names.
fn left_aside(members: &[Member], used: &[&Member]) -> Option<String> {
    let part = used.first().and_then(|images| images.key.part);
    let is_used = |member: &Member| used.iter().any(|other| std::ptr::eq(*other, member));
    let is_known = |member: &Member| matches!(member.key.role, Some(Role::Labels | Role::Names));
    let of_part = |member: &Member| member.key.part.is_none() || member.key.part == part;
    let aside: Vec<&str> =
        members.iter().filter(|m| !is_used(m) && !is_known(m) && of_part(m)).map(|m| m.name.as_str()).collect();
    (!aside.is_empty()).then(|| format!("left aside: {}", counted_names(&aside)))
}

/// `1 array (masks)`, `3 arrays (a, b, c)`.
fn counted_names(names: &[&str]) -> String {
    /// Names that are listed.
    const MOST: usize = 8;
    let more = if names.len() > MOST { ", ..." } else { "" };
    let s = if names.len() == 1 { "" } else { "s" };
    format!("{} array{s} ({}{more})", names.len(), names[..names.len().min(MOST)].join(", "))
}

/// The labels in a file that holds nothing else, or is named for labels.
///
/// # Errors
/// The file is damaged. Within: why it is not read.
pub(crate) fn only_labels(path: &Path) -> Result<Result<Labels, Unread>> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let members = members(path, &file)?;
    let named: Vec<&Member> = members.iter().filter(|member| member.key.role == Some(Role::Labels)).collect();
    match (&members[..], &named[..]) {
        ([only], _) => labels_in(path, &file, only),
        (_, [only]) => labels_in(path, &file, only),
        _ => Ok(Err(format!("{}; expected one", listed(&members)))),
    }
}

fn labels_in(path: &Path, file: &File, member: &Member) -> Result<Result<Labels, Unread>> {
    let array = member.array();
    if let Err(unread) = array.bytes() {
        return Ok(Err(unread));
    }
    let length = member.packed.location.length;
    let declared = array.bytes().unwrap_or(0).checked_add(member.header.offset);
    if declared != Some(length) {
        let what = format!("its header declares shape {:?}, but it has {length} bytes", member.header.shape);
        return Err(npy::damaged(&path.join(&*member.packed.name), &what));
    }
    read(path, file, member, |member_path, reader| array.read(member_path, reader))
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
        let name = packed.name.trim_end_matches(".npy").to_owned();
        Ok(Member { key: Key::of(&name), name, header, packed })
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

/// The array of images: one with a known name, or the only one of its part with the shape of images, or the only one.
fn choose<'a>(path: &Path, members: &'a [Member], split: Split) -> Result<&'a Member> {
    let names = if split == Split::Train { &TRAIN[..] } else { &TEST[..] };
    let called = |wanted: &str| members.iter().find(|member| member.is_called(wanted));
    let mut by_name = names.iter().filter_map(|[images, _]| called(images));
    let first = by_name.next();
    if let Some(member) = first.into_iter().chain(by_name).find(|member| member.like_images()).or(first) {
        return Ok(member);
    }
    let images: Vec<&Member> = members.iter().filter(|member| member.like_images()).collect();
    let of_part =
        |part: Option<Part>| match images.iter().filter(|member| member.key.part == part).collect::<Vec<_>>()[..] {
            [only] => Some(*only),
            _ => None,
        };
    if split == Split::Test {
        return of_part(Some(Part::Test)).or_else(|| of_part(Some(Part::Validation))).ok_or_else(|| {
            Error::NoTestImages {
                what: format!("{} has no test images of its own: {}", path.display(), listed(members)),
                hint: "use its training images, or save them as x_test".into(),
            }
        });
    }
    match (members, &images[..]) {
        ([only], _) => Ok(only),
        (_, [only]) => Ok(*only),
        (_, several) => of_part(Some(Part::Train)).or_else(|| of_part(None)).ok_or_else(|| {
            let count = if several.is_empty() { "no array" } else { "several arrays" };
            Error::data(
                format!("{} holds {count} of images: {}", path.display(), listed(members)),
                "name the images in it: numpy.savez(\"images.npz\", x_train=a, y_train=labels)",
            )
        }),
    }
}

/// The labels of `images`: an array with the matching name and one label per image. Where there is none, notes on what looks like
/// labels.
fn labels_of<'a>(members: &'a [Member], images: &Member) -> (Option<&'a Member>, Vec<String>) {
    let count = images.header.shape.first();
    let usual = ["labels", "label", "y", "y_train", "arr_1"];
    let pairs = TRAIN.iter().chain(&TEST).filter(|[name, _]| images.is_called(name)).map(|[_, labels]| *labels);
    let names: Vec<&str> = pairs.chain(usual).collect();
    let others = || members.iter().filter(|member| !std::ptr::eq(*member, images));
    let fits = |member: &&Member| member.array().count().is_some_and(|(labels, _)| Some(&labels) == count);
    let called = |plain: bool| {
        names.iter().find_map(|name| {
            let fitting = others().filter(fits).filter(|member| member.array().is_plain() == plain);
            fitting.filter(|member| !member.like_images()).find(|member| member.is_called(name))
        })
    };
    let paired = || others().filter(fits).find(|m| m.key.role == Some(Role::Labels) && m.key.pairs(&images.key));
    if let Some(labels) = called(true).or_else(|| called(false)).or_else(paired) {
        return (Some(labels), Vec::new());
    }
    let like_labels = others().filter(|m| m.key.role == Some(Role::Labels) && m.key.part == images.key.part);
    let note = |member: &Member| {
        let count = count.copied().unwrap_or(0);
        format!("{} is not read as labels: its shape is {:?}, for {count} images", member.name, member.header.shape)
    };
    (None, like_labels.map(note).collect())
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
        open(&path, &OpenOptions::default().split(split))
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
            assert_eq!(train.classes(), ["0", "1", "2", "5"]);
            let test = open_bytes(&file, Split::Test).unwrap();
            assert_eq!((about(&test), test.classes().len()), ((1, vec![Some(3)]), 4));
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
        // Not as many labels as images, or no whole numbers: none, and a note.
        assert_eq!(set(&[("x.npy", images(3)), ("y.npy", labels())]).unwrap(), (3, vec![None; 3]));
        let floats = array("<f4", "2,", &0.5f32.to_le_bytes().repeat(2));
        assert_eq!(set(&[("x.npy", images(2)), ("y.npy", floats)]).unwrap(), (2, vec![None; 2]));
        let error = set(&[("a.npy", images(2)), ("b.npy", images(2)), ("c.npy", labels())]).unwrap_err();
        let expected = "holds several arrays of images: it holds a [2, 2, 2] |u1, b [2, 2, 2] |u1, c [2] <i4";
        assert!(error.to_string().ends_with(expected), "{error}");
        let error = set(&[("a.npy", labels()), ("b.npy", labels())]).unwrap_err().to_string();
        assert!(error.contains("no array of images: it holds a [2] <i4"), "{error}");
        let error = open_bytes(&zip(&[("x.npy", images(2))], true), Split::Test).unwrap_err().to_string();
        assert!(error.contains("no test images of its own: it holds x [2, 2, 2] |u1"), "{error}");
    }

    /// Names of the classes and labels (-1: none) of two images with these labels, and the notes.
    fn labelled(labels: Vec<u8>, more: &[(&str, Vec<u8>)]) -> (Vec<String>, Vec<i64>, Vec<String>) {
        let files = [&[("x_train.npy", images(3)), ("y_train.npy", labels)], more].concat();
        let set = open_bytes(&zip(&files, true), Split::Train).unwrap();
        (set.classes(), (0..3).map(|index| set.label(index).map_or(-1, i64::from)).collect(), set.notes())
    }

    #[test]
    fn labels_of_every_kind() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let said = |classes: &str| format!("labels: array y_train, {classes}");
        let shifted = array("|u1", "3, 1", &[3, 1, 2]);
        assert_eq!(labelled(shifted, &[]), (words(&["1", "2", "3"]), vec![2, 0, 1], vec![said("3 classes (1, 2, 3)")]));
        let one_hot = array("|u1", "3, 3", &[0, 0, 1, 1, 0, 0, 0, 1, 0]);
        let named = array("|S4", "3,", b"owl\0cat\0hen\0");
        let (names, labels, notes) = labelled(one_hot, &[("class_names.npy", named)]);
        assert_eq!(
            (names, labels, notes),
            (words(&["owl", "cat", "hen"]), vec![2, 0, 1], vec![said("3 classes (owl, cat, hen)")])
        );
        let text = array("|S3", "3,", b"dogcatdog");
        assert_eq!(labelled(text, &[]), (words(&["cat", "dog"]), vec![1, 0, 1], vec![said("2 classes (cat, dog)")]));
        let some = array("|i1", "3,", &[7, 255, 5]);
        let notes = vec!["1 of 3 images has no label".to_owned(), said("2 classes (5, 7)")];
        assert_eq!(labelled(some, &[]), (words(&["5", "7"]), vec![1, -1, 0], notes));
        let (names, labels, notes) = labelled(array("|O", "3,", &[0; 40]), &[]);
        assert_eq!((names, labels), (words(&[]), vec![-1; 3]));
        assert!(notes[0].starts_with("the labels in y_train are not read: they are Python objects"), "{notes:?}");
        let (.., notes) = labelled(array("|u1", "2,", &[1, 2]), &[]);
        assert_eq!(notes, ["y_train is not read as labels: its shape is [2], for 3 images"]);
        let many = array("|u1", "3, 4", &[1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1]);
        let files = [("x_train.npy", images(3)), ("y_train.npy", many)];
        let set = open_bytes(&zip(&files, true), Split::Train).unwrap();
        assert_eq!((set.attributes(), set.has_attribute(2, 1)), (words(&["0", "1", "2", "3"]), Some(true)));
        assert_eq!(
            (set.has_attribute(0, 2), set.has_attribute(3, 0), set.has_attribute(0, 4)),
            (Some(false), None, None)
        );
    }

    #[test]
    fn validation_images_are_test_images_where_there_are_no_others() {
        let label = |label: u8| array("|u1", "1, 1", &[label]);
        let mut files = vec![
            ("train_images.npy", images(3)),
            ("train_labels.npy", array("|u1", "3, 1", &[0, 1, 0])),
            ("val_images.npy", images(1)),
            ("val_labels.npy", label(4)),
        ];
        let open = |files: &[(&str, Vec<u8>)]| open_bytes(&zip(files, true), Split::Test).unwrap();
        assert_eq!(
            (open(&files).label(0), open(&files).classes()),
            (Some(2), vec!["0".into(), "1".into(), "4".into()])
        );
        files.extend([("test_images.npy", images(1)), ("test_labels.npy", label(1))]);
        assert_eq!((open(&files).label(0), open(&files).classes().len()), (Some(1), 3));
    }

    #[test]
    fn fingerprints_of_earlier_versions_stay() {
        let set = |labels: Vec<u8>| {
            let files = [("x_train.npy", images(3)), ("y_train.npy", labels)];
            open_bytes(&zip(&files, true), Split::Train).unwrap()
        };
        let classes = |count: u32| (0..count).map(|label| label.to_string()).collect::<Vec<_>>();
        let pixels = |set: InMemory| set.fingerprint();
        let shape = crate::ImageShape { height: 2, width: 2, channels: 1 };
        let bytes: Vec<u8> = (0..3).flat_map(|index| [0, 51, 255, index]).collect();
        let earlier = || InMemory::from_bytes("x", shape, bytes.clone()).unwrap();
        // Whole numbers from 0 to 65,535 were classes, up to the largest; other labels were not read.
        let plain = earlier().with_labels(vec![3, 1, 2], classes(4)).unwrap();
        assert_eq!(pixels(set(array("|u1", "3, 1", &[3, 1, 2]))), plain.fingerprint());
        for labels in [array("|S1", "3,", b"aab"), array("|u1", "3, 2", &[0, 1, 1, 0, 1, 0])] {
            assert_eq!(pixels(set(labels)), earlier().fingerprint());
        }
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
        let short = array("<i4", "2,", &[1, 0, 0, 0]);
        let error = open_bytes(&zip(&[("x.npy", images(2)), ("y.npy", short)], true), Split::Train).unwrap_err();
        assert!(error.to_string().contains("its header declares shape [2], but it has"), "{error}");
    }

    #[test]
    fn pickles_are_refused() {
        let pickle = array("|O", "2,", &[0; 40]);
        let error = open_bytes(&zip(&[("x.npy", pickle)], true), Split::Train).unwrap_err();
        assert!(error.to_string().contains("unpickling runs code"), "{error}");
        let Some(data) = shared_data() else { return };
        let error = open(&data.join("sheep-market/aaron_sheep.npz"), &OpenOptions::default()).unwrap_err();
        assert!(error.to_string().contains("train.npy holds Python objects"), "{error}");
        assert!(error.hint().contains("numpy.s"), "{}", error.hint());
    }
}
