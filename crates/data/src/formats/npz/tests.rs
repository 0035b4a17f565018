//! Arrays of images and labels in one file, as numpy writes them.

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
    let folder = crate::testing::folder();
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
    assert_eq!((set.has_attribute(0, 2), set.has_attribute(3, 0), set.has_attribute(0, 4)), (Some(false), None, None));
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
    assert_eq!((open(&files).label(0), open(&files).classes()), (Some(2), vec!["0".into(), "1".into(), "4".into()]));
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
    let folder = crate::testing::folder();
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
