//! What people bring, a row for each kind: the files as they have them, and what is read, said or refused.

use std::path::Path;

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};

use crate::testing::{gzip, idx_images, npy, sample, stream, tar, zip};
use crate::{Dataset, Error, OpenOptions, Split, check, open};

/// A file by its name.
type File = (String, Vec<u8>);

/// What is expected of a set.
enum Expected {
    /// Training images, test images, classes or attributes with spaces between them, and parts of what is said.
    Read(usize, usize, &'static str, &'static [&'static str]),
    /// Parts of the error and of its hint.
    Refused(&'static str, &'static str),
}
use Expected::{Read, Refused};

/// A kind of set: its name, its files, the path in the folder of these that is opened, and what is expected.
struct Row(&'static str, Vec<File>, &'static str, Expected);

/// A small picture; different seeds give different ones.
fn picture(seed: usize) -> RgbImage {
    RgbImage::from_fn(8, 8, |x, y| {
        let value = |channel: usize| ((seed * 37 + channel * 91) as u32 + x * 17 + y * (5 + seed as u32 % 7)) as u8;
        Rgb([value(0), value(1), value(2)])
    })
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn png(seed: usize) -> Vec<u8> {
    encoded(picture(seed), ImageFormat::Png)
}

/// Pictures of these names, with spaces between them; `a{3}/x` stands for `a0/x a1/x a2/x`.
fn pictures(names: &str) -> Vec<File> {
    let mut seed = 0;
    let mut files = Vec::new();
    for name in names.split_whitespace() {
        let (before, count, after) = match name.split_once('{') {
            Some((before, rest)) => {
                let (count, after) = rest.split_once('}').unwrap();
                (before, count.parse().unwrap(), after)
            }
            None => (name, 1, ""),
        };
        for at in 0..count {
            let number = if name.contains('{') { at.to_string() } else { String::new() };
            files.push((format!("{before}{number}{after}"), png(seed)));
            seed += 1;
        }
    }
    files
}

fn text(name: &str, content: &str) -> File {
    (name.to_owned(), content.as_bytes().to_vec())
}

fn with(mut files: Vec<File>, more: impl IntoIterator<Item = File>) -> Vec<File> {
    files.extend(more);
    files
}

fn borrowed(files: &[File]) -> Vec<(&str, &[u8])> {
    files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect()
}

fn zipped(name: &str, files: &[File]) -> File {
    (name.to_owned(), zip(&borrowed(files), true))
}

fn tarred(name: &str, files: &[File]) -> File {
    (name.to_owned(), tar(&borrowed(files)))
}

/// A numpy array of this type and shape.
fn array(descr: &str, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    npy(&format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}{comma})}}", sizes.join(", ")), bytes)
}

/// Bytes that look like images: each differs from the next.
fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at * 31 + at / 64 * 57) as u8).collect()
}

fn images(shape: &[usize]) -> Vec<u8> {
    array("|u1", shape, &bytes(shape.iter().product()))
}

fn labels(values: &[i64]) -> Vec<u8> {
    array("<i8", &[values.len()], &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
}

fn npz(name: &str, arrays: &[(&str, Vec<u8>)]) -> File {
    let files: Vec<File> = arrays.iter().map(|(name, bytes)| (format!("{name}.npy"), bytes.clone())).collect();
    zipped(name, &files)
}

/// Four images with these labels, which are called `y_train`.
fn labelled(name: &str, labels: Vec<u8>) -> Vec<File> {
    vec![npz(name, &[("x_train", images(&[4, 8, 8])), ("y_train", labels)])]
}

fn one(name: &str, bytes: Vec<u8>) -> Vec<File> {
    vec![(name.to_owned(), bytes)]
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|at| line(at) + "\n").collect()
}

/// Shards of a webdataset: images with the number of their class beside them.
fn shard(name: &str, first: usize) -> File {
    let pair = |at: usize| [(format!("s{at:03}.png"), png(at)), text(&format!("s{at:03}.cls"), &(at % 3).to_string())];
    tarred(name, &(first..first + 4).flat_map(pair).collect::<Vec<_>>())
}

/// An IDX file of whole numbers of four bytes.
fn idx_ints(sizes: &[u32], values: &[u32]) -> Vec<u8> {
    let header = [0, 0, 0x0c, sizes.len() as u8];
    let words = sizes.iter().chain(values).flat_map(|word| word.to_be_bytes());
    header.into_iter().chain(words).collect()
}

/// CIFAR-100's binary version: two labels and 3,072 values per image.
fn cifar_100(count: usize) -> Vec<u8> {
    (0..count).flat_map(|at| [vec![at as u8, at as u8], vec![at as u8 * 9; 3072]].concat()).collect()
}

fn celeba() -> Vec<File> {
    let attributes = "4\nMale Smiling Young\n".to_owned()
        + &lines(4, |at| format!("00000{}.jpg {}  1 -1", at + 1, if at % 2 == 0 { "1" } else { "-1" }));
    let parts = lines(4, |at| format!("00000{}.jpg {}", at + 1, if at == 3 { 2 } else { 0 }));
    let jpeg = |at| (format!("Img/img_align_celeba/00000{}.jpg", at + 1), sample("rgb.jpg"));
    let texts = [text("Anno/list_attr_celeba.txt", &attributes), text("Eval/list_eval_partition.txt", &parts)];
    with((0..4).map(jpeg).collect(), texts)
}

fn parts() -> Vec<Row> {
    let wrapped =
        pictures("tiny/train/brick/{3}.png tiny/train/carpet/{3}.png tiny/test/brick/8.png tiny/test/carpet/9.png");
    vec![
        Row(
            "a zip of TOP/train/CLASS",
            vec![zipped("a.zip", &wrapped)],
            "a.zip",
            Read(6, 2, "brick carpet", &["to learn from; tiny/test/ (2 images) held back"]),
        ),
        Row(
            "a folder in a folder",
            wrapped,
            "",
            Read(6, 2, "brick carpet", &["labels: folders, 2 classes (brick, carpet)"]),
        ),
        Row(
            "doubled folders",
            pictures(
                "training_set/training_set/cats/{2}.png training_set/training_set/dogs/{2}.png test_set/test_set/cats/{2}.png",
            ),
            "",
            Read(4, 2, "cats dogs", &["parts: training_set/ (4 images)"]),
        ),
        Row(
            "train.zip beside test.zip",
            vec![zipped("train.zip", &pictures("cat/{2}.png dog/{2}.png")), zipped("test.zip", &pictures("cat/1.png"))],
            "",
            Read(4, 1, "cat dog", &["parts: train.zip (4 images)"]),
        ),
        Row(
            "folds",
            pictures("fold_0/cat/{2}.png fold_0/dog/{2}.png fold_1/cat/{2}.png fold_1/dog/{2}.png"),
            "",
            Read(8, 0, "cat dog", &["the folders fold_0 to fold_1 are no classes"]),
        ),
        Row(
            "a column that says what is held back",
            with(
                pictures("i/{8}.png"),
                [text(
                    "t.csv",
                    &("f,label,is_valid\n".to_owned() + &lines(8, |at| format!("{at}.png,{},{}", at % 2, at > 5))),
                )],
            ),
            "",
            Read(6, 2, "0 1", &["parts by column is_valid of t.csv"]),
        ),
        Row("only test images", pictures("test/{3}.png"), "", Refused("no training images", "give their folder")),
        Row(
            "masks beside images, in parts",
            pictures("train/images/{3}.png train/masks/{3}.png test/images/{2}.png test/masks/{2}.png"),
            "",
            Read(3, 2, "", &["left aside: 5 images", "masks"]),
        ),
        Row(
            "masks beside images, by their names",
            pictures("a/{4}.png a/{4}_mask.png b/{4}.png b/{4}_mask.png"),
            "",
            Read(8, 0, "a b", &["left aside: 8 images (a/0_mask.png and 1 more)"]),
        ),
        Row(
            "photographs with their masks as PNG",
            (0..4).flat_map(|at| [(format!("{at}.jpg"), sample("rgb.jpg")), (format!("{at}.png"), png(9))]).collect(),
            "",
            Read(4, 0, "", &["left aside: 4 images (0.png), called like a JPEG file beside them"]),
        ),
        Row(
            "the set once more",
            pictures("yes/{2}.png no/{2}.png brain/yes/{2}.png brain/no/{2}.png"),
            "",
            Read(4, 0, "no yes", &["left aside: 4 images (brain/): the same folders once more"]),
        ),
        Row(
            "a class called like masks",
            pictures("mask/{4}.png original/{4}.png blurred/{4}.png"),
            "",
            Read(12, 0, "blurred mask original", &["labels: folders"]),
        ),
        Row(
            "an image beside the folders of classes",
            pictures("cat/{6}.png dog/{6}.png logo.png"),
            "",
            Read(13, 0, "cat dog", &["1 of 13 images has no label (logo.png, for one)"]),
        ),
        Row(
            "parts in the names of files",
            pictures("train_{6}.png test_{4}.png"),
            "",
            Read(
                6,
                4,
                "",
                &["parts by the names of the files (test_0.png, for one): training images (6 images) to learn from"],
            ),
        ),
        Row(
            "parts in the names of files, behind the class",
            pictures("cat.train.{5}.png dog.train.{5}.png cat.val.{2}.png dog.val.{2}.png"),
            "",
            Read(10, 4, "cat dog", &["parts by the names of the files", "validation images (4 images) held back"]),
        ),
        Row(
            "classes called like parts",
            pictures("train_station_{5}.png test_tube_{5}.png"),
            "",
            Read(
                10,
                0,
                "",
                &["all images are learned from: train_station_0.png and test_tube_0.png may be of different parts"],
            ),
        ),
        Row(
            "the classes once more beside the training part",
            pictures("train/cat/{3}.png train/dog/{3}.png cat/{2}.png dog/{2}.png"),
            "",
            Read(6, 0, "cat dog", &["left aside: 4 images (cat/ and 1 more) in no part of the set"]),
        ),
        Row(
            "an image in the lists of two parts",
            with(
                pictures("i/{8}.png"),
                [
                    text("train.csv", &("f,label\n".to_owned() + &lines(6, |at| format!("{at}.png,{}", at % 2)))),
                    text("test.csv", "f,label\n5.png,1\n6.png,0\n7.png,1\n"),
                ],
            ),
            "",
            Read(5, 3, "0 1", &["1 image (i/5.png) in the lists of two parts, and not learned from"]),
        ),
        Row(
            "lists of a few images",
            with(pictures("i/{9}.png"), [text("train.txt", "0\n1\n"), text("test.txt", "2\n")]),
            "",
            Read(9, 0, "", &["only 3 of 9 images are listed, so that all are learned from"]),
        ),
        Row(
            "an archive of the training images beside test images",
            with(pictures("test/{5}.png"), [zipped("train.zip", &pictures("{4}.png"))]),
            "",
            Refused("only test/ (5 images)", "1 archive (train.zip) beside image files not read"),
        ),
        Row(
            "an archive of test images beside training images",
            with(pictures("train/a/{3}.png train/b/{3}.png"), [zipped("test.zip", &pictures("{4}.png"))]),
            "",
            Read(6, 0, "a b", &["1 archive (test.zip) beside image files not read"]),
        ),
        Row(
            "Omniglot",
            pictures(
                "images_background/Greek/character01/{4}.png images_background/Greek/character02/{4}.png \
                 images_background/Korean/character01/{4}.png images_evaluation/Tibetan/character01/{3}.png",
            ),
            "",
            Read(12, 3, "Greek Korean", &["the folders in these are no classes (character01, character02 in Greek)"]),
        ),
        Row(
            "DIV2K",
            pictures(
                "DIV2K_train_HR/{4}.png DIV2K_train_LR_bicubic/X2/{4}x2.png DIV2K_valid_HR/8{2}.png \
                 DIV2K_valid_LR_bicubic/X2/8{2}x2.png",
            ),
            "",
            Read(4, 2, "", &["parts: DIV2K_train_HR/ (4 images)", "left aside: 6 images (DIV2K_train_LR_bicubic/"]),
        ),
        Row(
            "KITTI's disparities",
            pictures("training/image_2/{4}_10.png training/disp_occ_0/{4}_10.png testing/image_2/{2}_10.png"),
            "",
            Read(4, 2, "", &["left aside: 4 images (training/disp_occ_0/)"]),
        ),
        Row(
            "the Simpsons",
            pictures(
                "simpsons_dataset/bart/{5}.png simpsons_dataset/homer/{5}.png simpsons_dataset/simpsons_dataset/bart/{5}.png \
                 simpsons_dataset/simpsons_dataset/homer/{5}.png kaggle_simpson_testset/kaggle_simpson_testset/bart_{3}.png",
            ),
            "",
            Read(10, 3, "bart homer", &["left aside: 10 images (simpsons_dataset/simpsons_dataset/)"]),
        ),
        Row(
            "crops of depth beside those of colour",
            pictures(
                "apple/1_{3}_crop.png apple/1_{3}_depthcrop.png apple/1_{3}_maskcrop.png pear/2_{3}_crop.png \
                 pear/2_{3}_depthcrop.png pear/2_{3}_maskcrop.png",
            ),
            "",
            Read(6, 0, "apple pear", &["left aside: 12 images"]),
        ),
        Row(
            "the maps of textures",
            pictures(
                "A_{3}_Color.png A_{3}_NormalGL.png A_{3}_Roughness.png A_{3}_AmbientOcclusion.png A_{3}_Displacement.png",
            ),
            "",
            Read(3, 0, "", &["left aside: 12 images (A_0_AmbientOcclusion.png)"]),
        ),
        Row(
            "originals and smaller versions",
            pictures("original/{5}.png resized/{5}.png"),
            "",
            Read(5, 0, "", &["left aside: 5 images (resized/)"]),
        ),
        Row(
            "one set in several sizes",
            pictures("64/{5}.png 128/{5}.png"),
            "",
            Read(5, 0, "", &["left aside: 5 images (64/): the same names as in the folder of the largest size"]),
        ),
        Row(
            "CycleGAN's",
            pictures("trainA/{2}.png trainB/{2}.png testA/1.png testB/1.png"),
            "",
            Read(4, 2, "A B", &["parts"]),
        ),
    ]
}

fn label_sources() -> Vec<Row> {
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
            Read(6, 0, "", &["6 .txt files are about one image each"]),
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
            "test images beside the training images, by their names",
            with(
                pictures("images/Train_{4}.png images/Test_{4}.png"),
                [
                    text("train.csv", "image_id,healthy,rust\nTrain_0,1,1\nTrain_1,0,1\nTrain_2,1,0\nTrain_3,0,0\n"),
                    text("test.csv", &("image_id\n".to_owned() + &lines(4, |at| format!("Test_{at}")))),
                ],
            ),
            "",
            Read(
                4,
                4,
                "healthy rust",
                &["parts by the names of the files (Test_0.png, for one): training images (4 images)"],
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

/// HEIC's first bytes.
const HEIC: &[u8] = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";

fn image_files() -> Vec<Row> {
    let disc = RgbaImage::from_fn(8, 8, |x, y| Rgba([255, 255, 255, if (x + y) % 3 == 0 { 255 } else { 0 }]));
    let discs = (0..4).map(|at| (format!("{at}.png"), encoded(disc.clone(), ImageFormat::Png)));
    let grey = encoded(GrayImage::from_pixel(8, 8, Luma([9])), ImageFormat::Png);
    let alone = |name: &str| one(name, sample(name));
    let tifs: Vec<File> = (0..4).map(|at| (format!("{at}.tif"), sample("lzw.tif"))).collect();
    let apple = |name: &str| text(name, "\0\u{5}\u{16}\u{7}");
    let scan = |marker: &[u8]| {
        let file = sample("baseline.jpg");
        // After the first segment.
        let end = 4 + usize::from(u16::from_be_bytes([file[4], file[5]]));
        [&file[..end], marker, &file[end..]].concat()
    };
    vec![
        Row("white on transparent ground", discs.collect(), "", Read(4, 0, "", &["blank over white"])),
        Row("a grey image first", with(one("0.png", grey), pictures("1{5}.png")), "", Read(6, 0, "", &["grey"])),
        Row(
            "photographs of a phone",
            with(one("a.jpg", HEIC.to_vec()), pictures("{3}.png")),
            "",
            Read(4, 0, "", &["it is a HEIC image"]),
        ),
        Row("a scan for each component", alone("420-scans.jpg"), "", Read(1, 0, "", &[])),
        Row("interleaved", alone("420.jpg"), "", Read(1, 0, "", &[])),
        Row("stray bytes between segments", one("a.jpg", scan(b"\0\0\0")), "", Read(1, 0, "", &[])),
        Row("CMYK", with(alone("ycck.jpg"), alone("cmyk.jpg")), "", Read(2, 0, "", &[])),
        Row("one image", one("a.png", png(0)), "a.png", Refused("it is one image", "the folder of the images")),
        Row("TIFF files", tifs.clone(), "", Read(4, 0, "", &[])),
        Row("some TIFF files", with(tifs, pictures("1{4}.png")), "", Read(8, 0, "", &[])),
        Row(
            "macOS's files",
            with(pictures("{3}.png"), [apple("._0.png"), apple(".DS_Store"), apple("__MACOSX/._0.png")]),
            "",
            Read(3, 0, "", &[]),
        ),
        Row(
            "a zip by macOS",
            vec![zipped("a.zip", &with(pictures("{3}.png"), [apple("__MACOSX/._0.png"), apple(".DS_Store")]))],
            "a.zip",
            Read(3, 0, "", &[]),
        ),
        Row(
            "a zip by Windows",
            vec![zipped("a.zip", &pictures("c0\\{2}.png c1\\{2}.PNG c1\\Thumbs.db"))],
            "a.zip",
            Read(4, 0, "c0 c1", &["1 .db"]),
        ),
        Row(
            "a training in the folder of the images",
            with(
                pictures("cat/{3}.png dog/{3}.png runs/0001-x/samples/{2}.png venv/lib/{2}.png"),
                [
                    text("runs/0001-x/config.toml", ""),
                    text("runs/0001-x/events.jsonl", ""),
                    text("venv/pyvenv.cfg", ""),
                ],
            ),
            "",
            Read(6, 0, "cat dog", &["2 folders of programs' own files are passed over"]),
        ),
        Row(
            "an example beside the set",
            with(vec![npz("data.npz", &[("x_train", images(&[9, 8, 8]))])], pictures("example.png")),
            "",
            Refused("which may be the set that is meant", "data.npz"),
        ),
        Row("capital endings", pictures("A.PNG B.Png c.png"), "", Read(3, 0, "", &[])),
        Row(
            "checkpoints of notebooks",
            pictures("a/{2}.png b/{2}.png .ipynb_checkpoints/0-checkpoint.png a/.ipynb_checkpoints/1.png"),
            "",
            Read(4, 0, "a b", &[]),
        ),
        Row(
            "empty files",
            with(pictures("a/{9}.png b/{9}.png"), [text("a/9.png", "")]),
            "",
            Read(19, 0, "a b", &["it is empty"]),
        ),
        Row(
            "sides of 5 and 7",
            (0..3)
                .map(|at| {
                    (
                        format!("{at}.png"),
                        encoded(RgbImage::from_pixel(7, 5, Rgb([at as u8 * 9, 2, 3])), ImageFormat::Png),
                    )
                })
                .collect(),
            "",
            Read(3, 0, "", &[]),
        ),
        Row(
            "several sizes",
            (0..3)
                .map(|at| {
                    (format!("{at}.png"), encoded(RgbImage::from_pixel(8 + at, 9, Rgb([9, 2, 3])), ImageFormat::Png))
                })
                .collect(),
            "",
            Refused("2 of 3 images looked at have another size than 9x8", "give all images one size"),
        ),
        Row(
            "images without an ending",
            pictures("a b c"),
            "",
            Refused("images by their content", "the ending of their format"),
        ),
        Row("nothing", Vec::new(), "", Refused("holds no images", "expected PNG")),
    ]
}

fn arrays() -> Vec<Row> {
    let wide = |values: &[u8], width: usize| {
        values.iter().flat_map(|&value| [vec![value], vec![0; width - 1]].concat()).collect::<Vec<u8>>()
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
            Refused("uint16 values from 3840", "data.range"),
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
            Refused("its array split holds the numbers 0, 1, which may be the parts", "numpy.where(split == 0"),
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
            Read(3, 2, "", &["parts by array train_idx, test_idx", "left aside: 1 image in no part of the set"]),
        ),
        Row(
            "an array of parts in another file",
            vec![
                ("images.npy".to_owned(), images(&[6, 8, 8])),
                ("split.npy".to_owned(), array("|S5", &[2], b"traintest\0")),
            ],
            "images.npy",
            Read(6, 0, "", &["split.npy beside it is not read, so that the images of all parts are"]),
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

fn formats() -> Vec<Row> {
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

/// Opens a part of a set.
fn opened(path: &Path, split: Split) -> crate::Result<Box<dyn Dataset>> {
    open(path.to_str().unwrap(), &OpenOptions::default().split(split), &mut |_| ())
}

/// Writes the files, and compares what is read with what is expected.
fn look(Row(name, files, path, expected): &Row) -> Result<(), String> {
    let folder = crate::testing::folder();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let path = if path.is_empty() { folder.path().to_path_buf() } else { folder.path().join(path) };
    let train = opened(&path, Split::Train);
    match (expected, train) {
        (Refused(what, hint), Err(error)) if error.to_string().contains(what) && error.hint().contains(hint) => Ok(()),
        (_, Err(error)) => Err(format!("{name}: {error} ({})", error.hint())),
        (Refused(what, _), Ok(set)) => Err(format!("{name}: {} images read, but expected {what}", set.len())),
        (Read(images, held, names, said), Ok(set)) => {
            let info = set.info();
            let found = [info.labels.classes(), info.labels.attributes()].concat().join(" ");
            let notes = [set.notes(), info.unused_labels.clone()].concat().join("; ");
            let test = match opened(&path, Split::Test) {
                Ok(test) => test.len(),
                Err(Error::NoTestImages { .. }) => 0,
                Err(error) => return Err(format!("{name}: test images: {error}")),
            };
            let is_said = said.iter().all(|part| notes.contains(part));
            if (set.len(), test, found.as_str()) == (*images, *held, *names) && is_said {
                return Ok(());
            }
            Err(format!("{name}: {} and {test} images, classes {found}; said: {notes}; expected {said:?}", set.len()))
        }
    }
}

#[test]
fn what_people_bring_is_read_right_or_refused() {
    let rows = [parts(), label_sources(), image_files(), arrays(), formats()];
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    let wrong: Vec<String> = rows.iter().filter_map(|row| look(row).err()).collect();
    assert!(wrong.is_empty(), "{} of {} rows are wrong:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// The pixels of all images; an error where `check` or reading finds something.
fn all_pixels(path: &Path) -> Result<Vec<f32>, String> {
    let options = OpenOptions::default();
    let bad = check(path.to_str().unwrap(), &options, &mut |_| ()).map_err(|error| error.to_string())?;
    if let Some(bad) = bad.first() {
        return Err(bad.reason.clone());
    }
    let set = opened(path, Split::Train).map_err(|error| error.to_string())?;
    let mut pixels = vec![0.0; set.shape().len() * set.len()];
    for (index, image) in pixels.chunks_mut(set.shape().len()).enumerate() {
        set.read(index, image).map_err(|error| error.to_string())?;
    }
    Ok(pixels)
}

#[test]
fn every_flipped_bit_of_an_archive_is_found() {
    let folder = crate::testing::folder();
    let path = folder.path().join("set.tar.gz");
    let whole = gzip(&tar(&borrowed(&pictures("cat/1.png dog/2.png"))));
    std::fs::write(&path, &whole).unwrap();
    let pixels = all_pixels(&path).unwrap();
    let mut harmless = 0;
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, flipped).unwrap();
        match all_pixels(&path) {
            Err(_) => {}
            // The time and the system in gzip's header, and codes that no byte has, change nothing.
            Ok(read) if read == pixels => harmless += 1,
            Ok(_) => panic!("bit {bit} changes the images, but is not found"),
        }
    }
    assert!(harmless < whole.len(), "{harmless} of {} bits", whole.len() * 8);
}
