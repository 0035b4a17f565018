//! Arrays of images, as numpy and MNIST have them.

use super::*;

pub(super) fn rows() -> Vec<Row> {
    let wide = |values: &[u8], width: usize| {
        values.iter().flat_map(|&value| [vec![value], vec![0; width - 1]].concat()).collect::<Vec<u8>>()
    };
    // The row, column and number of image of each value.
    let smooth = |place: fn(usize) -> [usize; 3]| -> Vec<u8> {
        (0..9600).map(place).map(|[row, column, image]| (row * 3 + column * 2 + image * 97 % 160) as u8).collect()
    };
    let small: Vec<u8> = bytes(2 * 64).iter().map(|byte| byte % 17).collect();
    let floats = |values: &[u8]| values.iter().flat_map(|&value| f32::from(value).to_le_bytes()).collect::<Vec<u8>>();
    let halves: Vec<u8> =
        bytes(2 * 64).iter().flat_map(|byte| if byte % 2 == 0 { [0, 0] } else { [0, 0x3c] }).collect();
    let fortran = npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 9, 8, 3)}", &bytes(2 * 216));
    let category = |name: &str| (format!("full_numpy_bitmap_{name}.npy"), images(&[3, 64]));
    vec![
        Row(
            "one image as an array",
            one("a.npy", images(&[48, 64, 3])),
            "a.npy",
            Refused("may be one image (48x64 with 3 channels)", "numpy.stack"),
        ),
        Row(
            "images last",
            one("a.npy", images(&[8, 8, 5])),
            "a.npy",
            Refused("5 images with their number last", "numpy.stack"),
        ),
        Row(
            "0 to 16",
            one("a.npy", array("<f4", &[2, 8, 8], &floats(&small))),
            "a.npy",
            Read(2, 0, "", &["`data.range` = [0, 16]"]),
        ),
        Row("float16", one("a.npy", array("<f2", &[2, 8, 8], &halves)), "a.npy", Read(2, 0, "", &[])),
        Row("int64", one("a.npy", array("<i8", &[2, 8, 8], &wide(&bytes(128), 8))), "a.npy", Read(2, 0, "", &[])),
        Row("uint16", one("a.npy", array("<u2", &[2, 8, 8], &wide(&bytes(128), 2))), "a.npy", Read(2, 0, "", &[])),
        Row(
            "12 bits",
            one("a.npy", array("<u2", &[2, 8, 8], &[0, 15].repeat(128))),
            "a.npy",
            Refused("uint16 values from 3840", "such as [0, 4095]"),
        ),
        Row(
            "signed bytes",
            one("a.npy", array("|i1", &[2, 8, 8], &[0x80, 0x7f].repeat(64))),
            "a.npy",
            Read(2, 0, "", &["-128 is black, 127 is white"]),
        ),
        Row(
            "images last, that are no squares",
            one("a.npy", array("|u1", &[16, 20, 30], &smooth(|at| [at / 600, at / 30 % 20, at % 30]))),
            "a.npy",
            Refused("its values are those of 30 images of 16x20 with their number last", "a.transpose(2, 0, 1)"),
        ),
        Row(
            "the same, with images first",
            one("a.npy", array("|u1", &[30, 16, 20], &smooth(|at| [at / 20 % 16, at % 20, at / 320]))),
            "a.npy",
            Read(30, 0, "", &[]),
        ),
        Row("Fortran's order", one("a.npy", fortran), "a.npy", Read(2, 0, "", &[])),
        Row(
            "channels first",
            one("a.npy", images(&[2, 3, 9, 8])),
            "a.npy",
            Read(2, 0, "", &["read as [n, 3, height, width]"]),
        ),
        Row(
            "3 at both ends",
            one("a.npy", images(&[2, 3, 9, 3])),
            "a.npy",
            Read(2, 0, "", &["read as [n, height, width, 3]"]),
        ),
        Row("flat, with a channel", one("a.npy", images(&[9, 1, 64])), "a.npy", Read(9, 0, "", &[])),
        Row(
            "a file for each class",
            vec![category("cat"), category("dog")],
            "",
            Read(6, 0, "cat dog", &["each file is a class: cat, dog"]),
        ),
        Row(
            "Python objects",
            one("a.npy", array("|O", &[2], &[0; 16])),
            "a.npy",
            Refused("Python objects", "numpy.stack"),
        ),
        Row(
            "MedMNIST",
            vec![npz(
                "m.npz",
                &[
                    ("train_images", images(&[4, 8, 8])),
                    ("train_labels", array("|u1", &[4, 1], &[0, 1, 2, 1])),
                    ("test_images", images(&[2, 8, 8])),
                    ("test_labels", array("|u1", &[2, 1], &[0, 1])),
                ],
            )],
            "m.npz",
            Read(
                4,
                2,
                "0 1 2",
                &[
                    "parts: train_images (4 images) to learn from; test_images (2 images) held back",
                    "labels: array train_labels, 3 classes (0, 1, 2)",
                ],
            ),
        ),
        Row(
            "several arrays of labels",
            vec![npz(
                "m.npz",
                &[
                    ("x", images(&[4, 8, 8])),
                    ("coarse_labels", labels(&[0, 1, 0, 1])),
                    ("fine_labels", labels(&[0, 1, 2, 1])),
                ],
            )],
            "m.npz",
            Read(4, 0, "", &["labels not used: several arrays may be meant (coarse_labels, fine_labels)"]),
        ),
        Row(
            "names of classes that are Python objects",
            vec![npz(
                "m.npz",
                &[("x", images(&[4, 8, 8])), ("y", labels(&[0, 1, 0, 1])), ("classes", array("|O", &[2], &[0; 16]))],
            )],
            "m.npz",
            Read(4, 0, "0 1", &["the names of the classes are not read: they are Python objects"]),
        ),
        Row(
            "names of classes in an array called so",
            vec![npz(
                "m.npz",
                &[("x", images(&[4, 8, 8])), ("y", labels(&[0, 1, 0, 1])), ("classes", array("|S3", &[2], b"catdog"))],
            )],
            "m.npz",
            Read(4, 0, "cat dog", &[]),
        ),
        Row(
            "labels called as in tables",
            vec![npz("m.npz", &[("x", images(&[4, 8, 8])), ("digit", labels(&[3, 1, 3, 1]))])],
            "m.npz",
            Read(4, 0, "1 3", &["labels: array digit"]),
        ),
        Row(
            "test images alone",
            vec![npz("m.npz", &[("test_images", images(&[4, 8, 8])), ("test_labels", labels(&[0, 1, 0, 1]))])],
            "m.npz",
            Read(4, 0, "0 1", &[]),
        ),
        Row(
            "two arrays in one file",
            one("a.npy", [images(&[2, 8, 8]), images(&[2, 8, 8])].concat()),
            "a.npy",
            Refused("bytes after the array that its header declares", "numpy.concatenate"),
        ),
        Row(
            "an array of words for parts",
            vec![npz(
                "s.npz",
                &[
                    ("images", images(&[6, 8, 8])),
                    ("labels", labels(&[0, 1, 0, 1, 0, 1])),
                    ("split", array("|S5", &[6], b"traintraintraintraintest\0test\0")),
                ],
            )],
            "s.npz",
            Read(
                4,
                2,
                "0 1",
                &["parts by array split: training images (4 images) to learn from; test images (2 images) held back"],
            ),
        ),
        Row(
            "an array of numbers for parts",
            vec![npz("s.npz", &[("images", images(&[6, 8, 8])), ("split", labels(&[0, 0, 0, 0, 1, 1]))])],
            "s.npz",
            Refused("array split holds the numbers 0, 1, which may be the parts", "numpy.where(split == 0"),
        ),
        Row(
            "an array of yes and no for a part",
            vec![npz("s.npz", &[("x", images(&[6, 8, 8])), ("test_mask", array("|b1", &[6], &[0, 0, 0, 0, 1, 1]))])],
            "s.npz",
            Read(4, 2, "", &["parts by array test_mask"]),
        ),
        Row(
            "the numbers of the images of each part",
            vec![npz(
                "s.npz",
                &[("x", images(&[6, 8, 8])), ("train_idx", labels(&[5, 0, 2])), ("test_idx", labels(&[1, 3]))],
            )],
            "s.npz",
            Read(3, 2, "", &["parts by array train_idx, array test_idx", "left aside: 1 image in no part of the set"]),
        ),
        Row(
            "an array of parts in another file",
            vec![
                ("images.npy".to_owned(), images(&[6, 8, 8])),
                ("labels.npy".to_owned(), labels(&[0, 1, 0, 1, 0, 1])),
                ("split.npy".to_owned(), array("|S5", &[6], b"traintraintraintraintest\0test\0")),
            ],
            "",
            Read(
                4,
                2,
                "0 1",
                &[
                    "parts by split.npy: training images (4 images) to learn from; test images (2 images) held back",
                    "labels: labels.npy",
                ],
            ),
        ),
        Row(
            "the same, of one file",
            vec![
                ("images.npy".to_owned(), images(&[6, 8, 8])),
                ("is_train.npy".to_owned(), array("|b1", &[6], &[1, 1, 1, 1, 0, 0])),
            ],
            "images.npy",
            Read(4, 2, "", &["parts by is_train.npy"]),
        ),
        Row(
            "an array of parts beside an .npz",
            vec![
                npz("data.npz", &[("x", images(&[6, 8, 8])), ("y", labels(&[0, 1, 0, 1, 0, 1]))]),
                ("test_idx.npy".to_owned(), labels(&[5, 0])),
            ],
            "",
            Read(4, 2, "0 1", &["parts by test_idx.npy"]),
        ),
        Row(
            "numbers for parts in another file",
            vec![("images.npy".to_owned(), images(&[6, 8, 8])), ("splits.npy".to_owned(), labels(&[0, 0, 0, 1, 2, 2]))],
            "",
            Refused(
                "splits.npy holds the numbers 0, 1, 2, which may be the parts",
                "numpy.array([\"train\", \"val\", \"test\"])[splits]",
            ),
        ),
        Row(
            "CelebA's numbers in another file",
            vec![
                ("images.npy".to_owned(), images(&[6, 8, 8])),
                ("partition.npy".to_owned(), labels(&[0, 0, 0, 1, 2, 2])),
            ],
            "",
            Read(3, 2, "", &["parts by partition.npy", "validation images (1 image) not used"]),
        ),
        Row(
            "an array of parts called like the images",
            vec![
                ("faces_images.npy".to_owned(), images(&[6, 8, 8])),
                ("faces_is_test.npy".to_owned(), array("|u1", &[6], &[0, 0, 0, 0, 1, 1])),
            ],
            "",
            Read(4, 2, "", &["parts by faces_is_test.npy"]),
        ),
        Row(
            "text of labels beside an array, and of the names of the classes",
            vec![
                ("images.npy".to_owned(), images(&[6, 8, 8])),
                text("labels.txt", "0\n1\n0\n1\n1\n1\n"),
                text("classes.txt", "cat\ndog\n"),
            ],
            "images.npy",
            Read(6, 0, "cat dog", &["labels: labels.txt, 2 classes (cat, dog)"]),
        ),
        Row(
            "an array of parts of other images",
            vec![
                ("images.npy".to_owned(), images(&[6, 8, 8])),
                ("split.npy".to_owned(), array("|S5", &[2], b"traintest\0")),
            ],
            "images.npy",
            Read(
                6,
                0,
                "",
                &["all images are learned from: split.npy beside them tells no parts, as it has 2 values for 6 images"],
            ),
        ),
        Row(
            "a table of parts beside an array",
            vec![("images.npy".to_owned(), images(&[6, 8, 8])), text("split.csv", "train\ntest\n")],
            "",
            Read(6, 0, "", &["the parts in split.csv beside them are not read; save them as an array, split.npy"]),
        ),
        Row(
            "rows of numbers",
            one("a.npy", array("<f4", &[40, 64], &floats(&small.repeat(20)))),
            "a.npy",
            Read(40, 0, "", &["each row of the array, 64 numbers, is read as an image of 8x8 pixels"]),
        ),
        Row(
            "a matrix of correlations with labels",
            vec![npz(
                "c.npz",
                &[
                    (
                        "x",
                        array(
                            "<f4",
                            &[64, 64],
                            &floats(&(0..4096).map(|at| ((at / 64) * (at % 64) % 2) as u8).collect::<Vec<_>>()),
                        ),
                    ),
                    ("y", labels(&(0..64).map(|at| at % 2).collect::<Vec<_>>())),
                ],
            )],
            "c.npz",
            Refused("is a symmetric matrix of 64x64", "give an array of images"),
        ),
        Row(
            "one image in each file",
            (0..4).map(|at| (format!("{at}.npy"), images(&[28, 28, 3]))).collect(),
            "",
            Read(4, 0, "", &[]),
        ),
        Row(
            "one image in each file, in parts and classes",
            ["train/cat", "train/dog", "test/cat"]
                .iter()
                .flat_map(|folder| (0..3).map(move |at| (format!("{folder}/{at}.npy"), images(&[3, 9, 8]))))
                .collect(),
            "",
            Read(6, 3, "cat dog", &["parts: train/ (6 images) to learn from", "labels: folders, 2 classes (cat, dog)"]),
        ),
        Row(
            "one image of floats in each file",
            (0..4).map(|at| (format!("{at}.npy"), array("<f2", &[8, 8], &halves[..128]))).collect(),
            "",
            Read(4, 0, "", &["pixel values from 0 to 1 become black to white"]),
        ),
        Row(
            "one image in each file, with a table of labels",
            with(
                (0..6).map(|at| (format!("i/{at}.npy"), images(&[8, 9]))).collect(),
                [text("train.csv", &("id,label\n".to_owned() + &lines(6, |at| format!("{at},{}", at % 2))))],
            ),
            "",
            Read(6, 0, "0 1", &["column label of train.csv"]),
        ),
        Row(
            "one image in each file, with masks of another type",
            (0..4)
                .flat_map(|at| {
                    [
                        (format!("images/{at}.npy"), images(&[8, 8, 3])),
                        (format!("masks/{at}.npy"), array("|b1", &[8, 8], &[0, 1].repeat(32))),
                    ]
                })
                .collect(),
            "",
            Read(4, 0, "", &["left aside: 4 images (masks/)"]),
        ),
        Row(
            "one image in each file, or many flat ones",
            (0..4).map(|at| (format!("{at}.npy"), images(&[48, 64]))).collect(),
            "",
            Refused("4 arrays of shape [48, 64], each of which may be one image or many flat ones", "say which"),
        ),
        Row(
            "one image in each file, of two types",
            (0..4)
                .map(|at| {
                    (format!("{at}.npy"), if at == 3 { array("<f2", &[8, 8], &halves[..128]) } else { images(&[8, 8]) })
                })
                .collect(),
            "",
            Refused("holds 4 arrays that are one image each", "numpy.stack"),
        ),
        Row(
            "an array of masks beside the images",
            vec![npz("m.npz", &[("images", images(&[4, 8, 8])), ("masks", images(&[4, 8, 8]))])],
            "m.npz",
            Read(4, 0, "", &["left aside: 1 array (masks)"]),
        ),
        Row(
            "train.npy and test.npy",
            vec![
                ("train_images.npy".to_owned(), images(&[4, 8, 8])),
                ("train_labels.npy".to_owned(), labels(&[0, 1, 0, 1])),
                ("test_images.npy".to_owned(), images(&[2, 8, 8])),
                ("test_labels.npy".to_owned(), labels(&[0, 1])),
            ],
            "",
            Read(
                4,
                2,
                "0 1",
                &["parts: train_images.npy (4 images) to learn from; test_images.npy (2 images) held back"],
            ),
        ),
        Row(
            "EMNIST's letters",
            vec![
                ("emnist-letters-train-images-idx3-ubyte".to_owned(), idx_images(3, 8, 8)),
                ("emnist-letters-train-labels-idx1-ubyte".to_owned(), crate::testing::idx_labels(&[1, 3, 26])),
            ],
            "",
            Read(3, 0, "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z", &["rows and columns exchanged"]),
        ),
        Row(
            "sets in several folders",
            ["MNIST", "FashionMNIST"]
                .map(|set| (format!("{set}/raw/train-images-idx3-ubyte"), idx_images(3, 8, 8)))
                .to_vec(),
            "",
            Refused("holds 2 sets: FashionMNIST, MNIST", "give one of them"),
        ),
        Row(
            "a set in a folder",
            vec![
                ("MNIST/raw/train-images-idx3-ubyte".to_owned(), idx_images(3, 8, 8)),
                ("MNIST/raw/train-labels-idx1-ubyte".to_owned(), crate::testing::idx_labels(&[1, 0, 1])),
            ],
            "",
            Read(3, 0, "0 1", &[]),
        ),
    ]
}
