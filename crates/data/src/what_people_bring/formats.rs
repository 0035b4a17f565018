//! Other formats: tables, archives, and files that are told what they are.

use super::*;

pub(super) fn rows() -> Vec<Row> {
    let pixels = |first: &str| first.to_owned() + &(0..64).map(|at| format!(",pixel{at}")).collect::<String>() + "\n";
    let row = |at: usize| (0..64).map(|k| format!(",{}", (at * 31 + k * 3) % 256)).collect::<String>();
    let list = |at: usize| (0..64).map(|k| ((at * 31 + k * 3) % 256).to_string()).collect::<Vec<_>>().join(" ");
    let pickle = b"\x80\x02}q\x00(U\x0bbatch_labelq\x01".to_vec();
    let python = ["data_batch_1", "data_batch_2", "test_batch"]
        .map(|name| (format!("cifar-10-batches-py/{name}"), pickle.clone()));
    let names = lines(100, |at| format!("c{at}"));
    let binary = [
        ("cifar-100-binary/train.bin".to_owned(), cifar_100(3)),
        ("cifar-100-binary/test.bin".to_owned(), cifar_100(1)),
        text("cifar-100-binary/fine_label_names.txt", &names),
        text("cifar-100-binary/coarse_label_names.txt", &lines(20, |at| format!("k{at}"))),
    ];
    let hundred: &'static str = Box::leak(names.trim().replace('\n', " ").into_boxed_str());
    let told = |name: &'static str, start: &[u8], what, hint| {
        Row(name, one(name, [start, &[1; 64]].concat()), name, Refused(what, hint))
    };
    // Classes in Shift-JIS, whose second byte is that of a backslash.
    let unnamed_zip = || {
        let (name, mut bytes) = zipped("a.zip", &pictures("é/1.png é/2.png è/1.png è/2.png"));
        for (letter, code) in [("é/", b"\x95\\/"), ("è/", b"\x94\\/")] {
            let places: Vec<usize> =
                (0..bytes.len() - 2).filter(|at| bytes[*at..].starts_with(letter.as_bytes())).collect();
            places.into_iter().for_each(|at| bytes[at..at + 3].copy_from_slice(code));
        }
        (name, bytes)
    };
    let crawled = |at: usize| {
        [
            (format!("00000/{at:09}.png"), png(at)),
            text(&format!("00000/{at:09}.txt"), "a caption of words"),
            text(&format!("00000/{at:09}.json"), "{\"caption\": \"x\"}"),
        ]
    };
    vec![
        Row(
            "pixels in columns",
            vec![
                text("train.csv", &(pixels("label") + &lines(5, |at| format!("{}{}", at % 3, row(at))))),
                text(
                    "test.csv",
                    &(pixels("label").replacen("label,", "", 1) + &lines(2, |at| row(at)[1..].to_owned())),
                ),
            ],
            "",
            Read(5, 2, "0 1 2", &["parts: train.csv to learn from; test.csv held back"]),
        ),
        Row(
            "pixels and labels in two tables",
            vec![
                text("x_train.csv", &(pixels("").replacen(',', "", 1) + &lines(5, |at| row(at)[1..].to_owned()))),
                text("y_train.csv", &("label\n".to_owned() + &lines(5, |at| (at % 3).to_string()))),
                text("x_test.csv", &(pixels("").replacen(',', "", 1) + &lines(2, |at| row(at)[1..].to_owned()))),
                text("y_test.csv", "label\n0\n1\n"),
            ],
            "",
            Read(
                5,
                2,
                "0 1 2",
                &["parts: x_train.csv to learn from; x_test.csv held back", "labels: y_train.csv, 3 classes"],
            ),
        ),
        Row(
            "pixels and labels in two tables of sizes in their names",
            vec![
                text("csvTrainImages 5x64.csv", &lines(5, |at| row(at)[1..].to_owned())),
                text("csvTrainLabel 5x1.csv", &lines(5, |at| (at % 2 + 1).to_string())),
                text("csvTestImages 2x64.csv", &lines(2, |at| row(at)[1..].to_owned())),
                text("csvTestLabel 2x1.csv", "1\n2\n"),
            ],
            "",
            Read(5, 2, "1 2", &["held back", "labels: csvTrainLabel 5x1.csv"]),
        ),
        Row(
            "pixels without names, sorted by class",
            vec![text("a.csv", &lines(30, |at| format!("4{}", row(at * 7))))],
            "a.csv",
            Read(30, 0, "4", &["the first column is read as the label; it may also be the last one"]),
        ),
        Row(
            "parts by the endings of tables",
            vec![
                text("optdigits.tra", &lines(30, |at| format!("{},{}", &row(at * 7)[1..], at % 3))),
                text("optdigits.tes", &lines(9, |at| format!("{},{}", &row(at * 5)[1..], at % 3))),
            ],
            "",
            Read(30, 9, "0 1 2", &["parts: optdigits.tra to learn from; optdigits.tes held back"]),
        ),
        Row(
            "a table of numbers without commas",
            vec![text(
                "usps.libsvm",
                &lines(5, |at| (1..40).map(|k| format!("{k}:0.{} ", at + k)).collect::<String>()),
            )],
            "usps.libsvm",
            Refused("a table of numbers in text", "numpy.savez"),
        ),
        Row(
            "labels with a point",
            vec![text("a.csv", &lines(30, |at| format!("{},{}.0", &row(at * 7)[1..], at % 3)))],
            "a.csv",
            Read(30, 0, "0 1 2", &["the last column is read as the label"]),
        ),
        Row(
            "names after a sign of comments",
            vec![text("a.csv", &(pixels("# label") + &lines(5, |at| format!("{}{}", at % 3, row(at)))))],
            "a.csv",
            Read(5, 0, "0 1 2", &[]),
        ),
        Row(
            "a row with more fields",
            vec![text(
                "a.csv",
                &(pixels("label") + &lines(5, |at| format!("1{}{}", row(at), if at == 3 { ",7" } else { "" }))),
            )],
            "a.csv",
            Refused("line 5: it has 66 fields, the first row 65", "a row per image"),
        ),
        Row(
            "a table in a tar archive",
            vec![tarred("a.tar", &[text("train.csv", &(pixels("label") + &lines(5, |at| format!("1{}", row(at)))))])],
            "a.tar",
            Refused("holds no image that can be read", "unpack it, and give the folder of train.csv"),
        ),
        Row(
            "pictures beside a table in an archive",
            vec![zipped(
                "a.zip",
                &with(
                    pictures("sign.png"),
                    [text("train.csv", &(pixels("label") + &lines(400, |at| format!("1{}", row(at)))))],
                ),
            )],
            "a.zip",
            Refused("holds 1 image (sign.png) beside train.csv", "unpack it"),
        ),
        Row(
            "EMNIST's letters in a table",
            vec![text("emnist-letters-train.csv", &lines(30, |at| format!("{}{}", at % 3 + 1, row(at * 7))))],
            "",
            Read(
                30,
                0,
                "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z",
                &["rows and columns exchanged", "without a header, the first column is read as the label"],
            ),
        ),
        Row(
            "a table of pixels for each class",
            vec![
                text("cat.csv", &lines(5, |at| row(at)[1..].to_owned())),
                text("dog.csv", &lines(4, |at| row(at + 9)[1..].to_owned())),
            ],
            "",
            Read(9, 0, "cat dog", &["each file is a class: cat, dog"]),
        ),
        Row(
            "pixels, and a table of labels in another order",
            vec![
                text("images.csv", &lines(3, |at| row(at)[1..].to_owned())),
                text("labels.csv", "id,label\n2,5\n0,5\n1,6\n"),
            ],
            "images.csv",
            Read(3, 0, "", &["the labels in labels.csv are not read: its column id is not in the order of the images"]),
        ),
        Row(
            "pixels in numbered columns",
            vec![text(
                "a.csv",
                &((0..65).map(|at| at.to_string()).collect::<Vec<_>>().join(",")
                    + "\n"
                    + &lines(5, |at| format!("{}{}", at % 3, row(at)))),
            )],
            "a.csv",
            Read(5, 0, "0 1 2", &[]),
        ),
        Row(
            "pixels in one column",
            vec![text(
                "f.csv",
                &("emotion,pixels,Usage\n".to_owned()
                    + &lines(6, |at| {
                        format!("{},{},{}", at % 2, list(at), if at > 4 { "PublicTest" } else { "Training" })
                    })),
            )],
            "f.csv",
            Read(5, 1, "0 1", &[]),
        ),
        Row(
            "pixels with a column of yes and no for a part",
            vec![text(
                "a.csv",
                &(pixels("label,is_train") + &lines(6, |at| format!("{},{}{}", at % 2, usize::from(at < 4), row(at)))),
            )],
            "a.csv",
            Read(4, 2, "0 1", &["parts by column is_train: training images (4 images) to learn from"]),
        ),
        Row(
            "pixels with other words among the parts",
            vec![text(
                "a.csv",
                &(pixels("label,Usage")
                    + &lines(6, |at| format!("{},{}{}", at % 2, ["Training", "PrivateTest", "?"][at / 2], row(at)))),
            )],
            "a.csv",
            Read(2, 2, "0 1", &["parts by column Usage", "left aside: 2 images in no part of the set"]),
        ),
        Row(
            "pixels with a column of numbers that may be the parts",
            vec![text("a.csv", &(pixels("label,split") + &lines(6, |at| format!("{},{}{}", at % 2, at / 4, row(at)))))],
            "a.csv",
            Read(6, 0, "0 1", &["all images are learned from: column split holds the numbers 0, 1"]),
        ),
        Row(
            "pixels without names, the label last",
            vec![text("a.csv", &lines(30, |at| format!("{},{}", &row(at * 7)[1..], at % 3)))],
            "a.csv",
            Read(
                30,
                0,
                "0 1 2",
                &["the last column is read as the label", "labels: the last column, 3 classes (0, 1, 2)"],
            ),
        ),
        Row(
            "decimal commas",
            vec![text(
                "a.csv",
                &((0..64).map(|at| format!("pixel{at}")).collect::<Vec<_>>().join(";")
                    + "\n"
                    + &lines(4, |at| (0..64).map(|k| format!("0,{}", (at + k) % 10)).collect::<Vec<_>>().join(";"))),
            )],
            "a.csv",
            Read(4, 0, "", &["decimal commas are read as decimal points"]),
        ),
        Row(
            "columns that are no pixels",
            vec![text(
                "a.csv",
                &((0..64).map(|at| format!("gene{at}")).collect::<Vec<_>>().join(",")
                    + "\n"
                    + &lines(4, |at| (0..64).map(|k| format!("0.{}", (at + k) % 10)).collect::<Vec<_>>().join(","))),
            )],
            "a.csv",
            Refused("its 64 columns of numbers (gene0, ...) are not named for pixels", "pixel0"),
        ),
        Row(
            "columns that may be pixels",
            vec![text(
                "a.csv",
                &((0..64).map(|at| format!("f{at}")).collect::<Vec<_>>().join(",")
                    + "\n"
                    + &lines(4, |at| (0..64).map(|k| ((at + k) * 9 % 256).to_string()).collect::<Vec<_>>().join(","))),
            )],
            "a.csv",
            Read(
                4,
                0,
                "",
                &["the 64 columns of numbers (f0, ...), not named for pixels, are read as images of 8x8 pixels"],
            ),
        ),
        Row(
            "names of an unknown encoding in an archive",
            vec![unnamed_zip()],
            "a.zip",
            Read(4, 0, "ò\\ ö\\", &["4 names in the archive are in no known encoding"]),
        ),
        Row(
            "a tar archive that is cut short at the end of a member",
            vec![("a.tar".to_owned(), {
                let whole = tar(&borrowed(&pictures("a{4}.png")));
                let end = whole.chunks(512).rposition(|block| block.iter().any(|byte| *byte != 0)).unwrap() + 1;
                whole[..512 * end].to_vec()
            })],
            "a.tar",
            Read(4, 0, "", &["a.tar has no end mark: it may be cut short"]),
        ),
        Row(
            "MNIST's files beside other sets",
            vec![
                ("train-images-idx3-ubyte".to_owned(), idx_images(3, 8, 8)),
                ("t10k-images-idx3-ubyte".to_owned(), idx_images(2, 8, 8)),
                npz("letters.npz", &[("x", images(&[5, 8, 8]))]),
                text("more.csv", &(pixels("label") + &lines(5, |at| format!("{}{}", at % 3, row(at))))),
            ],
            "",
            Read(
                3,
                2,
                "",
                &[
                    "parts: train-images-idx3-ubyte (3 images) to learn from; t10k-images-idx3-ubyte (2 images) held back",
                    "left aside, as the files named as MNIST's are the set: letters.npz, more.csv",
                ],
            ),
        ),
        Row(
            "an archive in pieces",
            vec![("a.zip.001".to_owned(), b"PK\x03\x04".repeat(9)), ("a.zip.002".to_owned(), vec![1; 9])],
            "",
            Refused("it is a piece of an archive that was split", "cat set.zip.0* > set.zip"),
        ),
        Row(
            "CIFAR's Python version",
            one("cifar-10-python.tar.gz", gzip(&tar(&borrowed(&python)))),
            "cifar-10-python.tar.gz",
            Refused("the Python version of CIFAR", "cifar-10-binary.tar.gz"),
        ),
        Row(
            "CIFAR-100's binary version",
            one("cifar-100-binary.tar.gz", gzip(&tar(&borrowed(&binary)))),
            "cifar-100-binary.tar.gz",
            Read(3, 1, hundred, &[]),
        ),
        told("svhn.mat", b"MATLAB 5.0 MAT-file", "a MATLAB file", "numpy.savez"),
        told("a.h5", b"\x89HDF\r\n\x1a\n", "an HDF5 file", "numpy.savez"),
        told("a.7z", b"7z\xbc\xaf\x27\x1c\0\x04", "a 7z archive", "unpack it"),
        told("a.rar", b"Rar!\x1a\x07\x01\0", "a RAR archive", "unpack it"),
        told("a.toml", b"\xff\xfe[\0r\0u\0n\0]\0", "text in UTF-16", "UTF-8"),
        told("a.parquet", b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer", "git lfs pull"),
        Row(
            "a PyTorch file",
            vec![zipped("a.pt", &[text("archive/data.pkl", "x"), text("archive/version", "3")])],
            "a.pt",
            Refused("a PyTorch file", "numpy.savez"),
        ),
        Row(
            "an archive in an archive",
            vec![zipped("a.zip", &[zipped("b.zip", &pictures("{2}.png"))])],
            "a.zip",
            Refused("holds no image", "use b.zip"),
        ),
        Row(
            "arrays of one image in a tar",
            vec![tarred("a.tar", &(0..4).map(|at| (format!("{at}.npy"), images(&[8, 8]))).collect::<Vec<_>>())],
            "a.tar",
            Refused("holds 4 arrays, no image files", "unpack it: a folder with one image in each .npy file is read"),
        ),
        Row(
            "arrays of one image in an .npz",
            vec![npz("a.npz", &["a", "b", "c"].map(|name| (name, images(&[16, 16, 3]))))],
            "a.npz",
            Refused("several arrays of images", "unpack it: a folder with one image in each .npy file is read"),
        ),
        Row(
            "img2dataset's",
            with((0..4).flat_map(crawled).collect(), [text("00000.parquet", "x")]),
            "",
            Read(4, 0, "", &["the folder 00000 is no class", "captions are not read"]),
        ),
        #[cfg(feature = "compression")]
        Row(
            "other packings",
            vec![("a.tar.xz".to_owned(), stream("images.tar.xz")), ("b.tar.bz2".to_owned(), stream("images.tar.bz2"))],
            "a.tar.xz",
            Read(4, 0, "cat dog", &[]),
        ),
    ]
}
