//! Where the labels of images are from.

use super::*;

pub(super) fn rows() -> Vec<Row> {
    let buckets = pictures("00000/img0000000{4}.png 00001/img0000001{4}.png");
    let pairs: Vec<String> =
        buckets.iter().enumerate().map(|(at, (name, _))| format!("[\"{name}\", {}]", at % 4)).collect();
    let styled = with(buckets.clone(), [text("dataset.json", &format!("{{\"labels\": [{}]}}", pairs.join(", ")))]);
    let hot: Vec<u8> = [0, 2, 1, 0]
        .iter()
        .flat_map(|&at| (0..3).flat_map(move |k| f32::from(u8::from(k == at)).to_le_bytes()))
        .collect();
    let words: Vec<u8> = ["cat", "dog", "fox", "cat"]
        .iter()
        .flat_map(|word| word.chars())
        .flat_map(|c| u32::from(c).to_le_bytes())
        .collect();
    let ten = |at: usize| ["cat", "dog", "fox"][at % 3];
    let kmnist = |part: &str, count: usize| {
        let values: Vec<i64> = (0..count as i64).map(|at| at % 2).collect();
        [
            npz(&format!("kmnist-{part}-imgs.npz"), &[("arr_0", images(&[count, 8, 8]))]),
            npz(&format!("kmnist-{part}-labels.npz"), &[("arr_0", labels(&values))]),
        ]
    };
    vec![
        Row(
            "StyleGAN's zip",
            vec![zipped("s.zip", &styled)],
            "s.zip",
            Read(8, 0, "0 1 2 3", &["labels: dataset.json", "the folders 00000 to 00001 are no classes"]),
        ),
        Row(
            "StyleGAN's zip without labels",
            vec![zipped("s.zip", &buckets[..4])],
            "s.zip",
            Read(4, 0, "", &["the folder 00000 is no class"]),
        ),
        Row(
            "a webdataset",
            vec![shard("w.tar", 0)],
            "w.tar",
            Read(4, 0, "0 1 2", &["labels: .cls files beside the images (s000.cls"]),
        ),
        Row(
            "shards of a webdataset",
            vec![shard("train/0.tar", 0), shard("train/1.tar", 4), text("train/nshards.txt", "2")],
            "",
            Read(8, 0, "0 1 2", &[".cls files"]),
        ),
        Row(
            "id and label",
            with(
                pictures("train/{6}.png"),
                [text("train.csv", &("id,label\n".to_owned() + &lines(6, |at| format!("{at},{}", ten(at)))))],
            ),
            "",
            Read(6, 0, "cat dog fox", &["column label of train.csv"]),
        ),
        Row(
            "a table by Excel",
            with(
                pictures("i/{6}.png"),
                [text(
                    "t.csv",
                    &("\u{feff}sep=;\r\nfile;Label\r\n".to_owned()
                        + &lines(6, |at| format!("\"{at}.png\";\"{}\"\r", ten(at)))),
                )],
            ),
            "",
            Read(6, 0, "cat dog fox", &["column Label of t.csv"]),
        ),
        Row(
            "a label for each column",
            with(
                pictures("i/{6}.png"),
                [text(
                    "t.csv",
                    &("f,MEL,NV,BCC\n".to_owned()
                        + &lines(6, |at| {
                            format!("{at},{},{},{}", (at % 3 == 0) as u8, (at % 3 == 1) as u8, (at % 3 == 2) as u8)
                        })),
                )],
            ),
            "",
            Read(6, 0, "MEL NV BCC", &["one-hot columns of t.csv"]),
        ),
        Row(
            "several labels for an image",
            with(
                pictures("i/{6}.png"),
                [text(
                    "t.csv",
                    &("f,tags\n".to_owned() + &lines(6, |at| format!("{at},{}", ["a", "a b", "b c"][at % 3]))),
                )],
            ),
            "",
            Read(6, 0, "", &["its column tags has several labels for an image"]),
        ),
        Row(
            "metadata.jsonl",
            with(
                pictures("{6}.png"),
                [text(
                    "metadata.jsonl",
                    &lines(6, |at| format!("{{\"file_name\": \"{at}.png\", \"label\": {}}}", at % 3)),
                )],
            ),
            "",
            Read(6, 0, "0 1 2", &["column label of metadata.jsonl"]),
        ),
        Row(
            "an index by pandas before the images' numbers",
            with(
                pictures("i/{6}.png"),
                [text("labels.csv", ",id,label\n0,3,cat\n1,0,cat\n2,4,dog\n3,1,dog\n4,5,fox\n5,2,fox\n")],
            ),
            "",
            Read(6, 0, "cat dog fox", &["labels.csv: images by column id, not by the unnamed column"]),
        ),
        Row(
            "batches with a table of paths",
            with(
                pictures("batch_a/{2}.png batch_b/{2}.png"),
                [text(
                    "labels.csv",
                    "path,label\nbatch_a/0.png,cat\nbatch_a/1.png,dog\nbatch_b/0.png,dog\nbatch_b/1.png,cat\n",
                )],
            ),
            "",
            Read(4, 0, "cat dog", &["column label of labels.csv", "the folders (batch_a, batch_b) are no classes"]),
        ),
        Row(
            "boxes for each image",
            with(
                pictures("images/{6}.png"),
                (0..6).map(|at| text(&format!("labels/{at}.txt"), "0 0.5 0.5 1 1\n1 0 0 1 1\n")),
            ),
            "",
            Read(
                6,
                0,
                "",
                &["6 of 6 .txt files with boxes, as YOLO has them, have objects of several classes (labels/0.txt"],
            ),
        ),
        Row(
            "boxes of one class in each image",
            with(
                pictures("train/images/{6}.png valid/images/v{2}.png"),
                (0..8)
                    .map(|at| {
                        let file =
                            if at < 6 { format!("train/labels/{at}") } else { format!("valid/labels/v{}", at - 6) };
                        text(&format!("{file}.txt"), &format!("{} 0.5 0.5 1 1\n", at % 3))
                    })
                    .chain([text("data.yaml", "nc: 3\nnames: ['fox', 'cat', 'dog']\n")]),
            ),
            "",
            Read(
                6,
                2,
                "fox cat dog",
                &[
                    "labels: the classes of the boxes in YOLO's .txt files (train/labels/0.txt, for one)",
                    "the names of the classes are those in data.yaml: 0 is fox, 1 is cat, 2 is dog",
                ],
            ),
        ),
        Row(
            "folders of numbers, and their names",
            with(pictures("0/a{4}.png 1/b{4}.png"), [text("labels.txt", "0 polar bear\n1 cat\n")]),
            "",
            Read(
                8,
                0,
                "polar bear cat",
                &["the names of the classes are those in labels.txt: 0 is polar bear, 1 is cat"],
            ),
        ),
        Row(
            "names of classes that are too few",
            with(
                pictures("{6}.png"),
                [
                    text("t.csv", &("f,label\n".to_owned() + &lines(6, |at| format!("{at}.png,{}", at % 3)))),
                    text("classes.txt", "cat\ndog\n"),
                ],
            ),
            "",
            Read(
                6,
                0,
                "0 1 2",
                &["the names of classes in classes.txt are not used: there are 2 of them, but a label is 2"],
            ),
        ),
        Row(
            "labels of several words",
            with(
                pictures("images/{6}.png"),
                [text(
                    "images_family.txt",
                    &lines(6, |at| format!("{at} {}", ["Boeing 707", "Boeing 727", "A310"][at % 3])),
                )],
            ),
            "",
            Read(6, 0, "A310 Boeing 707 Boeing 727", &["images_family.txt, 3 classes"]),
        ),
        Row(
            "a table by Excel in German",
            with(
                pictures("i/{6}.png"),
                [text("t.csv", &("Datei;Note\r\n".to_owned() + &lines(6, |at| format!("{at}.png;{},5\r", at % 3))))],
            ),
            "",
            Read(6, 0, "0,5 1,5 2,5", &["column Note of t.csv"]),
        ),
        Row(
            "a table in another encoding",
            with(
                pictures("i/{6}.png"),
                [(
                    "t.csv".to_owned(),
                    [
                        b"f;label\n".to_vec(),
                        (0..6)
                            .flat_map(|at| {
                                [
                                    format!("{at}.png;").into_bytes(),
                                    [&b"\xea\xee\xf8\xea\xe0\n"[..], b"\xf1\xee\xe1\xe0\xea\xe0\n"][at % 2].to_vec(),
                                ]
                                .concat()
                            })
                            .collect(),
                    ]
                    .concat(),
                )],
            ),
            "",
            Read(6, 0, "кошка собака", &["t.csv: it is not UTF-8 and read as windows-1251 (кошка, for one)"]),
        ),
        Row(
            "numbers in names",
            pictures("7_0.png 7_1.png 7_2.png 7_3.png 3_4.png 3_5.png 3_6.png 3_7.png 3_8.png"),
            "",
            Read(9, 0, "3 7", &["the first number in the names of the files"]),
        ),
        Row(
            "numbers in names that may be rows of tiles",
            pictures("7_{9}.png 8_{9}.png"),
            "",
            Read(18, 0, "", &["begin with 2 numbers (7 to 8, as in 7_0.png), which may be classes"]),
        ),
        Row(
            "a label a line",
            with(pictures("i/{4}.png"), [text("labels.txt", "cat\ndog\ncat\ndog\n")]),
            "",
            Read(4, 0, "cat dog", &["labels: the lines of labels.txt, in the order of the files"]),
        ),
        Row(
            "a label a line for other images",
            with(pictures("i/{4}.png"), [text("labels.txt", "cat\ndog\ncat\n")]),
            "",
            Read(4, 0, "", &["it has 3 labels without names of images, for 4 images"]),
        ),
        Row(
            "addresses of the images",
            with(
                pictures("{4}.png"),
                [text(
                    "a.csv",
                    &("url,label\n".to_owned() + &lines(4, |at| format!("https://a.b/c/{at}.png?w=9,{}", at % 2))),
                )],
            ),
            "",
            Read(4, 0, "0 1", &["written otherwise (https://a.b/c/0.png?w=9 is 0.png)"]),
        ),
        Row(
            "names in other capitals and accents",
            with(
                pictures("E\u{301}_{4}.PNG"),
                [text("a.csv", &("file,label\n".to_owned() + &lines(4, |at| format!("\u{e9}_{at}.png,{}", at % 2))))],
            ),
            "",
            Read(4, 0, "0 1", &["its names are those of images, but written otherwise"]),
        ),
        Row(
            "numbers of images as fractions",
            with(
                pictures("{4}.png"),
                [text("a.csv", &("id,label\n".to_owned() + &lines(4, |at| format!("{at}.0,{}", at % 2))))],
            ),
            "",
            Read(4, 0, "0 1", &["(0.0 is 0.png)"]),
        ),
        Row(
            "one class in two spellings",
            pictures("cat/{3}.png Cat/{3}.png dog/{3}.png"),
            "",
            Read(9, 0, "Cat cat dog", &["are different classes: \"Cat\" and \"cat\""]),
        ),
        Row(
            "labels that are numbers of the images",
            vec![npz(
                "a.npz",
                &[("x", images(&[12, 8, 8])), ("y", labels(&(0..12).map(|at| at * 7).collect::<Vec<_>>()))],
            )],
            "a.npz",
            Read(12, 0, "", &["array y: no two images have the same one"]),
        ),
        Row(
            "labels that nearly all differ",
            with(
                pictures("i/{40}.png"),
                [text(
                    "t.jsonl",
                    &lines(40, |at| format!("{{\"file_name\": \"{at}.png\", \"label\": \"p{}\"}}", at.max(1))),
                )],
            ),
            "",
            Read(
                40,
                0,
                "",
                &["column label of t.jsonl: 38 of 40 images have one of their own, so that they are numbers"],
            ),
        ),
        Row(
            "numbers of the images in a webdataset",
            vec![tarred(
                "w.tar",
                &(0..9)
                    .flat_map(|at| [(format!("{at}.png"), png(at)), text(&format!("{at}.cls"), &(7 * at).to_string())])
                    .collect::<Vec<_>>(),
            )],
            "w.tar",
            Read(9, 0, "", &[".cls files beside the images (0.cls, for one): no two images have the same one"]),
        ),
        Row(
            "two images in each class",
            with(
                pictures("i/{40}.png"),
                [text("t.csv", &("f,label\n".to_owned() + &lines(40, |at| format!("{at},{}", at % 20))))],
            ),
            "",
            Read(40, 0, "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19", &["column label of t.csv, 20 classes"]),
        ),
        Row("tiles", pictures("0_{5}.png 1_{5}.png 2_{5}.png 3_{5}.png 4_{5}.png 5_{5}.png"), "", Read(30, 0, "", &[])),
        Row("one-hot labels", labelled("a.npz", array("<f4", &[4, 3], &hot)), "a.npz", Read(4, 0, "0 1 2", &[])),
        Row("labels as text", labelled("a.npz", array("<U3", &[4], &words)), "a.npz", Read(4, 0, "cat dog fox", &[])),
        Row("labels from 1", labelled("a.npz", labels(&[1, 3, 2, 1])), "a.npz", Read(4, 0, "1 2 3", &[])),
        Row("labels -1 and 1", labelled("a.npz", labels(&[1, -1, -1, 1])), "a.npz", Read(4, 0, "-1 1", &[])),
        Row(
            "an image without label",
            labelled("a.npz", labels(&[1, -1, 0, 1])),
            "a.npz",
            Read(4, 0, "0 1", &["1 of 4 images has no label"]),
        ),
        Row(
            "labels that are too few",
            labelled("a.npz", labels(&[1, 2, 1])),
            "a.npz",
            Read(4, 0, "", &["y_train is not read as labels: its shape is [3], for 4 images"]),
        ),
        Row(
            "KMNIST's pairs",
            [kmnist("train", 6), kmnist("test", 2)].concat(),
            "",
            Read(6, 2, "0 1", &["labels: kmnist-train-labels.npz, 2 classes (0, 1)", "kmnist-test-imgs.npz held back"]),
        ),
        Row(
            "QMNIST's labels",
            vec![
                ("qmnist-train-images-idx3-ubyte.gz".to_owned(), gzip(&idx_images(3, 8, 8))),
                (
                    "qmnist-train-labels-idx2-int.gz".to_owned(),
                    gzip(&idx_ints(
                        &[3, 8],
                        &[vec![7, 4, 1, 2, 3, 4, 5, 6], vec![3, 4, 1, 2, 3, 4, 5, 6], vec![7, 0, 1, 2, 3, 4, 5, 6]]
                            .concat(),
                    )),
                ),
            ],
            "",
            Read(3, 0, "3 7", &["labels: qmnist-train-labels-idx2-int.gz, 2 classes (3, 7)"]),
        ),
        Row(
            "half of the images have labels",
            with(
                pictures("images/Train_{4}.png images/Test_{4}.png"),
                [
                    text("train.csv", "image_id,healthy,rust\nTrain_0,1,1\nTrain_1,0,1\nTrain_2,1,0\nTrain_3,0,0\n"),
                    text("test.csv", &("image_id\n".to_owned() + &lines(4, |at| format!("Test_{at}")))),
                ],
            ),
            "",
            Read(
                8,
                0,
                "healthy rust",
                &[
                    "4 of 8 images have no label (images/Test_0.png, for one)",
                    "all images are learned from, 4 too that are no training images by their names (images/Test_0.png, for one)",
                ],
            ),
        ),
        Row(
            "CelebA as it is published",
            celeba(),
            "",
            Read(3, 1, "Male Smiling Young", &["parts by Eval/list_eval_partition.txt", "Anno/list_attr_celeba.txt"]),
        ),
    ]
}
