//! Layouts of sets of images, as folders, zips and tars: parts, classes, labels, and what is said.

use super::*;
use crate::error::Error;
use crate::testing::{tar, zip};
use crate::{Dataset, open};

/// An image, by its side.
fn png(side: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::GrayImage::new(side, side).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Files: images have no text.
fn files<'a>(names: &[(&'a str, &str)]) -> Vec<(&'a str, Vec<u8>)> {
    names.iter().map(|(name, text)| (*name, if text.is_empty() { png(4) } else { text.as_bytes().to_vec() })).collect()
}

fn put(root: &Path, files: &[(&str, Vec<u8>)]) {
    for (name, bytes) in files {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

fn open_at(path: &Path, split: Split) -> Result<Box<dyn Dataset>> {
    open(path.to_str().unwrap(), &OpenOptions::default().split(split), &mut |_| ())
}

/// The label of each image by name, `-` for none.
fn labels(set: &dyn Dataset) -> String {
    let classes = set.classes();
    let name = |index| set.label(index).map_or("-", |label| &classes[label as usize]);
    (0..set.len()).map(name).collect::<Vec<_>>().join(" ")
}

/// Images by names, with spaces between them.
fn images(names: &str) -> Vec<(&str, &'static str)> {
    names.split_whitespace().map(|name| (name, "")).collect()
}

/// Opens the same files as a folder, a zip and a tar; the training labels and the labels of the test images must be the same.
fn each(names: &[(&str, &str)], mut look: impl FnMut(&Path)) {
    let files = files(names);
    let root = crate::testing::folder();
    let borrowed: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    put(&root.path().join("as-folder/set"), &files);
    look(&root.path().join("as-folder/set"));
    for (name, bytes) in [("set.zip", zip(&borrowed, true)), ("set.tar", tar(&borrowed))] {
        let folder = root.path().join(format!("as-{name}"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
        look(&folder.join(name));
    }
}

/// The labels of the training and the test images; `none` for no test images.
fn both(path: &Path) -> (String, String) {
    let train = open_at(path, Split::Train).unwrap_or_else(|error| panic!("{error}: {}", error.hint()));
    let test = match open_at(path, Split::Test) {
        Ok(test) => labels(test.as_ref()),
        Err(Error::NoTestImages { .. }) => "none".to_owned(),
        Err(error) => panic!("{error}"),
    };
    (labels(train.as_ref()), test)
}

#[test]
fn layouts_of_published_sets_are_read() {
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);
    let cases: &[Case] = &[
        // One folder for each class, with parts in many forms.
        ("cats/1.png dogs/2.png", &[], "cats dogs", "none"),
        ("train/cats/1.png train/dogs/2.png test/cats/3.png", &[], "cats dogs", "cats"),
        ("x/Training/a/1.png x/Training/b/2.png x/Testing/b/3.png", &[], "a b", "b"),
        (
            "training_set/training_set/cats/1.png training_set/training_set/dogs/1.png test_set/test_set/dogs/2.png",
            &[],
            "cats dogs",
            "dogs",
        ),
        (
            "seg_train/seg_train/sea/1.png seg_train/seg_train/street/2.png seg_test/seg_test/sea/3.png seg_pred/seg_pred/4.png",
            &[],
            "sea street",
            "sea",
        ),
        (
            "chest_xray/train/N/1.png chest_xray/train/P/2.png chest_xray/val/N/3.png chest_xray/test/P/4.png",
            &[],
            "N P",
            "P",
        ),
        ("afhq/train/cat/1.png afhq/train/dog/2.png afhq/val/cat/3.png", &[], "cat dog", "cat"),
        ("cats/train/1.png cats/test/2.png dogs/train/3.png dogs/test/4.png", &[], "cats dogs", "cats dogs"),
        // Kaggle: test images without labels.
        ("train/1.png train/2.png train/3.png test/4.png", &[("train.csv", "id,label\n1,a\n2,b\n3,a\n")], "a b a", "-"),
        (
            "train_images/1.png train_images/2.png train_images/3.png test_images/9.png",
            &[
                ("train.csv", "image_id,label\n1.png,0\n2.png,3\n3.png,0\n"),
                ("sample_submission.csv", "image_id,label\n9.png,4\n"),
            ],
            "0 3 0",
            "-",
        ),
        // Tiny ImageNet: validation images have labels, test images have none.
        (
            "t/train/n1/images/1.png t/train/n2/images/2.png t/val/images/v0.png t/val/images/v1.png t/val/images/v2.png t/test/images/t0.png",
            &[
                ("t/val/val_annotations.txt", "v0.png\tn2\t0\t0\nv1.png\tn1\t0\t0\nv2.png\tn2\t0\t1\n"),
                ("t/wnids.txt", "n1\nn2\n"),
            ],
            "n1 n2",
            "n2 n1 n2",
        ),
        // Food-101 and CUB: parts by lists.
        (
            "f/images/pie/1.png f/images/pie/2.png f/images/rice/3.png f/images/rice/4.png",
            &[
                ("f/meta/train.txt", "pie/1\nrice/3\n"),
                ("f/meta/test.txt", "pie/2\nrice/4\n"),
                ("f/meta/classes.txt", "pie\nrice\n"),
            ],
            "pie rice",
            "pie rice",
        ),
        (
            "c/images/001.A/a1.png c/images/001.A/a2.png c/images/002.B/b1.png",
            &[
                ("c/images.txt", "1 001.A/a1.png\n2 001.A/a2.png\n3 002.B/b1.png\n"),
                ("c/image_class_labels.txt", "1 1\n2 1\n3 2\n"),
                ("c/train_test_split.txt", "1 1\n2 0\n3 1\n"),
            ],
            "001.A 002.B",
            "001.A",
        ),
        // Hubs: metadata in each part.
        (
            "train/1.png train/2.png train/3.png test/1.png",
            &[
                (
                    "train/metadata.jsonl",
                    "{\"file_name\": \"1.png\", \"label\": 4}\n{\"file_name\": \"2.png\", \"label\": 2}\n{\"file_name\": \"3.png\", \"label\": 4}\n",
                ),
                (
                    "test/metadata.jsonl",
                    "{\"file_name\": \"1.png\", \"label\": 4}\n{\"file_name\": \"2.png\", \"label\": 2}\n",
                ),
            ],
            "4 2 4",
            "4",
        ),
        // StyleGAN, FFHQ, webdataset.
        (
            "00000/img00000000.png 00000/img00000001.png 00001/img00000002.png",
            &[(
                "dataset.json",
                "{\"labels\": [[\"00000/img00000000.png\", 1], [\"00000/img00000001.png\", 0], [\"00001/img00000002.png\", 1]]}",
            )],
            "1 0 1",
            "none",
        ),
        ("00000/00000.png 01000/01000.png", &[], "- -", "none"),
        ("1.png 2.png 3.png", &[("1.cls", "5"), ("2.cls", "6"), ("3.cls", "5")], "5 6 5", "none"),
        // Pets: pictures of annotations; CycleGAN.
        ("images/a_1.png images/b_1.png annotations/trimaps/a_1.png annotations/trimaps/b_1.png", &[], "- -", "none"),
        ("trainA/1.png trainB/2.png testA/3.png testB/4.png", &[], "A B", "A B"),
        // Test images beside the classes.
        ("test/1.png horse/2.png cat/3.png", &[], "cat horse", "-"),
    ];
    for (names, texts, train, test) in cases {
        let all = [images(names), texts.to_vec()].concat();
        each(&all, |path| {
            assert_eq!(both(path), ((*train).to_owned(), (*test).to_owned()), "{}: {names}", path.display())
        });
    }
}

#[test]
fn what_is_taken_for_what_is_said() {
    let notes = |names: &[(&str, &str)]| {
        let mut said = Vec::new();
        each(names, |path| {
            let now = open_at(path, Split::Train).unwrap().notes();
            assert!(said.is_empty() || said == now, "{said:?} {now:?}");
            said = now;
        });
        said
    };
    let parts =
        images("train/1.png train/2.png train/3.png test/4.png val/5.png extra/6.png docs/7.png docs/8.png cover.png");
    let table = [("train.csv", "id,label\n1,a\n2,b\n9,a\n"), ("readme.md", "text")];
    assert_eq!(
        notes(&[parts, table.to_vec()].concat()),
        [
            "parts: train/ (3 images) to learn from; val/ (1 image) not used; test/ (1 image) held back; extra/ (1 image), \
             unlabelled, not used (to learn from them, give their folder)",
            "left aside: 3 images (beside the folders and 1 more) in no part of the set",
            "labels: column label of train.csv, 2 classes (a, b)",
            "1 of 3 images has no label (train/3.png, for one)",
            "train.csv: 1 row has no image (9)",
            "1 file of another type skipped: 1 .md",
        ]
    );
    assert_eq!(notes(&images("a/1.png b/2.png")), ["labels: folders, 2 classes (a, b)"]);
    assert_eq!(notes(&images("a/1.png a/2.png")), [""; 0]);
    let pets = images("images/1.png images/2.png masks/1.png masks/2.png");
    assert_eq!(
        notes(&[pets, vec![("train.txt", "1\n"), ("test.txt", "2\n")]].concat()),
        [
            "parts: train.txt (1 image) to learn from; test.txt (1 image) held back",
            "left aside: 2 images (masks/), by their names masks or other pictures about the images",
        ]
    );
    let lists =
        [("list_eval_partition.txt", "1.png 0\n2.png 2\n"), ("list_attr.txt", "2\nA B\n1.png 1 -1\n2.png 1 1\n")];
    assert_eq!(
        notes(&[images("i/1.png i/2.png"), lists.to_vec()].concat()),
        [
            "parts by list_eval_partition.txt: training images (1 image) to learn from; test images (1 image) held back",
            "labels: list_attr.txt, 2 attributes",
        ]
    );
}

#[test]
fn labels_that_cannot_be_used_are_named() {
    let unused = [("test.csv", "id\n1\n"), ("labels.mat", "MATLAB")];
    each(&[images("1.png 2.png"), unused.to_vec()].concat(), |path| {
        let set = open_at(path, Split::Train).unwrap();
        let said = &set.info().unused_labels;
        assert!(said[0].starts_with("test.csv: it has no column beside"), "{said:?}");
        assert!(said[1].starts_with("labels.mat: labels in .mat") && said.len() == 2, "{said:?}");
        let error = crate::LabelSettings::of(set.as_ref()).unwrap_err();
        assert!(error.to_string().contains("can't be used: test.csv: "), "{error}");
    });
}

#[test]
fn test_images_alone_are_not_learned_from() {
    each(&images("set/test/a/1.png set/test/b/2.png"), |path| {
        let error = open_at(path, Split::Train).unwrap_err();
        assert!(error.to_string().ends_with("holds no training images, only set/test/ (2 images)"), "{error}");
        assert!(!error.hint().is_empty());
        assert!(open_at(path, Split::Test).is_err(), "without training images");
    });
}

#[test]
fn classes_of_test_images_are_those_of_the_training_images() {
    each(&images("train/good/1.png train/ok/2.png test/broken/3.png test/ok/4.png"), |path| {
        let test = open_at(path, Split::Test).unwrap();
        assert_eq!((labels(test.as_ref()).as_str(), test.classes().join(" ")), ("- ok", "good ok".to_owned()));
        assert!(test.notes().iter().any(|note| note == "1 of 2 images has no label (test/broken/3.png, for one)"));
    });
}

#[test]
fn archives_in_a_folder_are_one_set() {
    let root = crate::testing::folder();
    let shard = |names: &[&str]| {
        let files: Vec<_> =
            names.iter().map(|name| (*name, if name.ends_with("cls") { name[1..2].into() } else { png(4) })).collect();
        tar(&files.iter().map(|(name, bytes)| (*name, &bytes[..])).collect::<Vec<_>>())
    };
    let put = |name: &str, bytes: &[u8]| put(&root.path().join("set"), &[(name, bytes.to_vec())]);
    let set = root.path().join("set");
    put("train/0.tar", &shard(&["s0.png", "s0.cls"]));
    put("train/1.tar", &shard(&["s1.png", "s1.cls"]));
    put("train/nshards.txt", b"2");
    let train = open_at(&set, Split::Train).unwrap();
    assert_eq!(
        (labels(train.as_ref()).as_str(), train.image_name(1)),
        ("0 1", set.join("train/1.tar/s1.png").display().to_string())
    );
    assert_eq!(train.notes()[1..], ["1 file of another type skipped: 1 .txt"]);
    put("val/0.tar", &shard(&["s1.png", "s1.cls"]));
    put("val/1.tar", b"no archive");
    assert_eq!(both(&set), ("0 1".to_owned(), "1".to_owned()));
    let notes = open_at(&set, Split::Train).unwrap().notes();
    assert!(notes.contains(
        &"1 archive that can't be read is passed over (val/1.tar: it is not a zip or tar archive)".to_owned()
    ));
    // Two zips named for the parts, two for the classes; a table beside one.
    for (names, expected) in [(["train.zip", "test.zip"], "-"), (["cats.zip", "dogs.zip"], "cats dogs")] {
        let folder = root.path().join(names[0]);
        for name in names {
            super::tests::put(&folder, &[(name, zip(&[("in/1.png", &png(4))], false))]);
        }
        assert_eq!(labels(open_at(&folder, Split::Train).unwrap().as_ref()), expected);
    }
    let folder = root.path().join("one");
    let images = zip(&[("in/1.png", &png(4)), ("in/2.png", &png(4)), ("in/3.png", &png(4))], false);
    let table = b"id,label\n1,x\n2,y\n3,x\n".to_vec();
    super::tests::put(
        &folder,
        &[
            ("images.zip", images),
            ("labels.csv", table),
            ("labels.npy", crate::testing::npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", &[0; 3])),
        ],
    );
    for path in [&folder, &folder.join("images.zip")] {
        assert_eq!(labels(open_at(path, Split::Train).unwrap().as_ref()), "x y x");
    }
}

#[test]
fn an_archive_in_an_archive_is_named() {
    let root = crate::testing::folder();
    let inner = zip(&[("1.png", &png(4))], false);
    std::fs::write(root.path().join("a.zip"), zip(&[("train.zip", &inner), ("x.txt", b"x")], false)).unwrap();
    let error = open_at(&root.path().join("a.zip"), Split::Train).unwrap_err();
    assert!(
        error.hint().starts_with("an archive in an archive is not read") && error.hint().contains("train.zip"),
        "{}",
        error.hint()
    );
    std::fs::write(root.path().join("b.zip"), zip(&[("train.zip", &inner), ("2.png", &png(4))], false)).unwrap();
    let notes = open_at(&root.path().join("b.zip"), Split::Train).unwrap().notes();
    assert!(
        notes.contains(&"1 archive (train.zip) inside the archive not read: unpack the outer one first".to_owned()),
        "{notes:?}"
    );
}

#[test]
fn a_stray_table_refuses_nothing() {
    let root = crate::testing::folder();
    put(root.path(), &files(&images("00000/000000000.png 00000/000000001.png")));
    put(root.path(), &[("00000.parquet", b"PAR1 of addresses".to_vec()), ("stray.npy", crate::testing::array(8))]);
    let set = open_at(root.path(), Split::Train).unwrap();
    assert_eq!((set.len(), set.classes().len()), (2, 0));
    let bucket = "the folder 00000 is no class: it holds all images";
    assert_eq!(set.notes(), [bucket, "2 files of other types skipped: 1 .npy, 1 .parquet"]);
    // Beside archives as well.
    let root = crate::testing::folder();
    put(root.path(), &[("00000.tar", tar(&[("0.png", &png(4))])), ("00001.tar", tar(&[("1.png", &png(4))]))]);
    put(root.path(), &[("00000.parquet", b"PAR1 of addresses".to_vec()), ("00000_stats.json", b"{}".to_vec())]);
    let set = open_at(root.path(), Split::Train).unwrap();
    assert_eq!((set.len(), set.notes()), (2, vec!["2 files of other types skipped: 1 .json, 1 .parquet".to_owned()]));
}

#[test]
fn runs_of_earlier_versions_know_their_images() {
    // As computed before parts and tables were read, and before the content of the files was digested.
    let known = |names: &str| {
        let root = crate::testing::folder();
        put(root.path(), &files(&images(names)));
        let set = open_at(root.path(), Split::Train).unwrap();
        let [earlier, same] = &set.earlier_fingerprints()[..] else { panic!("{set:?}") };
        assert!(earlier == same && set.fingerprint() != *earlier && set.matches(earlier));
        earlier.clone()
    };
    let print = |lines: &[&str]| {
        let mut digest = crate::Digest::new();
        digest.update(format!("folder {}x4x4x1\n", lines.len()).as_bytes());
        lines.iter().for_each(|name| digest.update(format!("{} {name}\n", png(4).len()).as_bytes()));
        digest.finish()
    };
    assert_eq!(known("cat/1.png dog/2.png"), print(&["cat/1.png", "dog/2.png"]));
    assert_eq!(known("all/1.png all/2.png"), print(&["1.png", "2.png"]));
    assert_eq!(known("train/cat/1.png train/dog/2.png test/cat/3.png"), print(&["cat/1.png", "dog/2.png"]));
    // Labels in a table are part of it, but a run of the time before goes on.
    let root = crate::testing::folder();
    put(root.path(), &files(&[images("1.png 2.png 3.png"), vec![("x.csv", "id,label\n1,a\n2,b\n3,a\n")]].concat()));
    let set = open_at(root.path(), Split::Train).unwrap();
    let images = print(&["1.png", "2.png", "3.png"]);
    assert!(set.fingerprint() != images && set.matches(&images) && set.matches(&set.fingerprint()));
    std::fs::write(root.path().join("x.csv"), "id,label\n1,a\n2,b\n3,b\n").unwrap();
    let other = open_at(root.path(), Split::Train).unwrap();
    assert!(!other.matches(&set.fingerprint()) && other.matches(&images));
}

#[test]
fn tables_beside_a_folder_or_archive_are_found() {
    let root = crate::testing::folder();
    let table = "image_id,A,B\n1.jpg,1,-1\n2.jpg,-1,-1\n";
    let images = zip(&[("in/1.png", &png(4)), ("in/2.png", &png(4))], false);
    put(
        root.path(),
        &[
            ("Img/img_align_celeba.zip", images.clone()),
            ("Anno/list_attr_celeba.csv", table.into()),
            ("other/faces.zip", images),
            ("other/a.csv", table.into()),
        ],
    );
    for path in ["Img/img_align_celeba.zip", "other/faces.zip", "other"] {
        let set = open_at(&root.path().join(path), Split::Train).unwrap();
        assert_eq!((set.attributes().join(" "), set.has_attribute(0, 0)), ("A B".to_owned(), Some(true)), "{path}");
    }
    // A table of other images is none of theirs.
    put(root.path(), &[("third/7.zip", zip(&[("7.png", &png(4))], false)), ("third/a.csv", table.into())]);
    assert!(open_at(&root.path().join("third/7.zip"), Split::Train).unwrap().attributes().is_empty());
}
