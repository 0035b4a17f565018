//! The parts of a set, and what belongs to none.

use super::*;

pub(super) fn rows() -> Vec<Row> {
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
            with(numbered("#.jpg", 6, png), numbered("#.png", 6, mask)),
            "",
            Read(6, 0, "", &["left aside: 6 images (0.png), called like a JPEG file beside them"]),
        ),
        Row(
            "photographs of two sources that are numbered alike",
            with(numbered("#.jpg", 6, png), numbered("#.png", 6, |at| png(at + 20))),
            "",
            Read(12, 0, "", &[]),
        ),
        Row(
            "masks of images in a folder of any name",
            with(numbered("cells/#.png", 6, png), numbered("masks/#.png", 6, mask)),
            "",
            Read(6, 0, "", &["left aside: 6 images (masks/), by their names masks or other pictures"]),
        ),
        Row(
            "masks behind other words",
            with(numbered("a#.png", 6, png), numbered("a#_left_lung_mask.png", 6, mask)),
            "",
            Read(6, 0, "", &["left aside: 6 images (a0_left_lung_mask.png)"]),
        ),
        Row(
            "thumbnails of a blog",
            with(numbered("a#.png", 6, enlarged), numbered("a#-8x8.png", 6, png)),
            "",
            Read(
                6,
                0,
                "",
                &["left aside: 6 images (a0-8x8.png): the same pictures as others, in another size or format"],
            ),
        ),
        Row(
            "the set once more under another name",
            ["set/cat/#.png", "set/dog/1#.png", "set - Copy/cat/#.png", "set - Copy/dog/1#.png"]
                .into_iter()
                .enumerate()
                .flat_map(|(folder, name)| numbered(name, 4, move |at| png(folder % 2 * 10 + at)))
                .collect(),
            "",
            Read(8, 0, "cat dog", &["left aside: 8 images (set - Copy/): the same folders once more"]),
        ),
        Row(
            "all images together and in classes",
            ["cat/a#.png", "dog/b#.png", "all/a#.png", "all/b#.png"]
                .into_iter()
                .enumerate()
                .flat_map(|(folder, name)| numbered(name, 4, move |at| png(folder % 2 * 10 + at)))
                .collect(),
            "",
            Read(8, 0, "cat dog", &["left aside: 8 images (all/): the same folders once more"]),
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
            Read(12, 0, "cat dog", &["left aside: 1 image beside the folders of the classes (logo.png, for one)"]),
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
            "one class once more beside the training part",
            pictures("train/cat/{3}.png train/dog/{3}.png cat/{2}.png"),
            "",
            Read(6, 0, "cat dog", &["left aside: 2 images (cat/) in no part of the set"]),
        ),
        #[cfg(feature = "compression")]
        Row(
            "test images in another packing",
            with(pictures("train/cat/{3}.png train/dog/{3}.png"), one("test.tar.xz", stream("images.tar.xz"))),
            "",
            Read(6, 4, "cat dog", &["test.tar.xz (4 images) held back"]),
        ),
        Row(
            "an archive without images beside test images",
            with(pictures("test/{5}.png"), [zipped("train.zip", &[text("train.csv", "a,b\n1,2\n")])]),
            "",
            Refused("only test/ (5 images)", "give their folder"),
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
            with(
                pictures("test/cat/{3}.png test/dog/{2}.png"),
                [zipped("train.zip", &pictures("cat/{4}.png dog/{4}.png"))],
            ),
            "",
            Read(8, 5, "cat dog", &["parts: train.zip (8 images) to learn from; test/ (5 images) held back"]),
        ),
        Row(
            "a packed folder of training images beside one test image",
            with(pictures("set/test/1.png"), [tarred("set/train.tar", &pictures("train/{5}.png"))]),
            "",
            Read(5, 1, "", &["parts: set/train.tar (5 images) to learn from; set/test/ (1 image) held back"]),
        ),
        Row(
            "archives of test and validation images beside training images",
            with(
                pictures("train/a/{3}.png train/b/{3}.png"),
                [zipped("test.zip", &pictures("{4}.png")), zipped("val.zip", &pictures("a/{2}.png"))],
            ),
            "",
            Read(6, 4, "a b", &["test.zip (4 images) held back", "val.zip (2 images) not used"]),
        ),
        Row(
            "an archive of test images beside images in no folder",
            with(pictures("{5}.png"), [zipped("test.zip", &pictures("{2}.png"))]),
            "",
            Read(5, 2, "", &["test.zip (2 images) held back"]),
        ),
        Row(
            "the parts packed and unpacked",
            with(pictures("train/{5}.png test/{4}.png"), [zipped("train.zip", &pictures("{5}.png"))]),
            "",
            Read(5, 4, "", &["1 archive (train.zip) beside image files not read"]),
        ),
        Row(
            "an archive of test images beside folders of classes",
            with(pictures("cat/{3}.png dog/{3}.png"), [zipped("test.zip", &pictures("{4}.png"))]),
            "",
            Read(6, 4, "cat dog", &["test.zip (4 images) held back"]),
        ),
        Row(
            "test images beside folders of classes",
            pictures("normal/{3}.png tumor/{3}.png test/{4}.png"),
            "",
            Read(6, 4, "normal tumor", &["test/ (4 images) held back"]),
        ),
        Row(
            "one list of all parts",
            with(
                pictures("i/{6}.png"),
                [text("splits.json", r#"{"train": ["0.png", "1.png", "2.png", "3.png"], "test": ["4.png", "5.png"]}"#)],
            ),
            "",
            Read(4, 2, "", &["parts by column split of splits.json"]),
        ),
        Row(
            "one list of all parts, with labels",
            with(
                pictures("i/{6}.png"),
                [text(
                    "splits.json",
                    r#"{"train": [["0.png", "cat"], ["1.png", "dog"], ["2.png", "cat"], ["3.png", "dog"]],
                        "val": [["4.png", "cat"]], "test": [["5.png", "dog"]]}"#,
                )],
            ),
            "",
            Read(4, 1, "cat dog", &["parts by column split of splits.json"]),
        ),
        Row(
            "tables of training and of test images in one folder, these without labels",
            with(
                pictures("i/{6}.png"),
                [
                    text("train.csv", "id,label\n0.png,a\n1.png,b\n2.png,a\n3.png,b\n"),
                    text("test.csv", "id\n4.png\n5.png\n"),
                ],
            ),
            "",
            Read(4, 2, "a b", &["held back"]),
        ),
        Row(
            "arrays in folders of parts",
            vec![
                ("train/X.npy".into(), images(&[6, 8, 8])),
                ("train/y.npy".into(), labels(&[0, 1, 2, 0, 1, 2])),
                ("test/X.npy".into(), images(&[2, 8, 8])),
                ("test/y.npy".into(), labels(&[2, 1])),
            ],
            "",
            Read(6, 2, "0 1 2", &["parts: train/ (6 images) to learn from; test/ (2 images) held back"]),
        ),
        Row(
            "pictures of results beside the set",
            with(vec![("x.npy".into(), images(&[9, 8, 8]))], pictures("results/epoch_{9}.png")),
            "",
            Refused("which may be the set that is meant", "x.npy"),
        ),
        Row(
            "sizes in the names of folders",
            pictures("images16x16/{5}.png thumbnails8x8/{5}.png"),
            "",
            Read(5, 0, "", &["left aside: 5 images (thumbnails8x8/)"]),
        ),
        Row(
            "one set in two packings",
            vec![
                zipped("set.zip", &pictures("cat/{3}.png dog/{3}.png")),
                tarred("set.tar", &pictures("cat/{3}.png dog/{3}.png")),
            ],
            "",
            Read(
                6,
                0,
                "cat dog",
                &["1 other packing of an archive is passed over (set.zip, by its name that of set.tar)"],
            ),
        ),
        Row(
            "the training images packed twice",
            with(
                pictures("test/{5}.png"),
                [zipped("train.zip", &pictures("{4}.png")), tarred("train.tar", &pictures("{4}.png"))],
            ),
            "",
            Refused("only test/ (5 images)", "2 archives (train.tar, train.zip) beside image files not read"),
        ),
        Row(
            "a damaged archive of the training images",
            with(pictures("test/{5}.png"), [text("train.zip", "PK\u{3}\u{4} and no more")]),
            "",
            Refused("train.zip can't be read as an archive", "download or pack it again"),
        ),
        Row(
            "a damaged archive of the test images",
            with(pictures("train/{5}.png"), [text("test.zip", "PK\u{3}\u{4} and no more")]),
            "",
            Read(5, 0, "", &["test.zip: "]),
        ),
        Row(
            "a column of yes and no called as a part",
            with(
                pictures("i/{8}.png"),
                [text(
                    "t.csv",
                    &("f,label,test\n".to_owned() + &lines(8, |at| format!("{at}.png,{},{}", at % 2, at / 6))),
                )],
            ),
            "",
            Read(8, 0, "0 1", &["all images are learned from: column test of t.csv may tell their parts; is_test"]),
        ),
        Row(
            "a list of the test images alone",
            with(pictures("i/{8}.png"), [text("test.txt", "6.png\n7.png\n")]),
            "",
            Read(6, 2, "", &["by test.txt"]),
        ),
        Row(
            "a list of some training images",
            with(pictures("i/{8}.png"), [text("train.txt", "6.png\n7.png\n")]),
            "",
            Read(8, 0, "", &["train.txt: only 2 of 8 images are listed, so that all are learned from"]),
        ),
        Row(
            "a column of folds",
            with(
                pictures("i/{8}.png"),
                [text("t.csv", &("filename,kfold\n".to_owned() + &lines(8, |at| format!("{at}.png,{}", at % 4))))],
            ),
            "",
            Read(8, 0, "", &["it has no column of labels"]),
        ),
        Row(
            "a column of numbers that may be the parts",
            with(
                pictures("i/{8}.png"),
                [text(
                    "t.csv",
                    &("f,label,split\n".to_owned() + &lines(8, |at| format!("{at}.png,{},{}", at % 2, at / 6))),
                )],
            ),
            "",
            Read(8, 0, "0 1", &["all images are learned from: column split of t.csv holds the numbers 0, 1"]),
        ),
        Row(
            "a column of CelebA's numbers",
            with(
                pictures("i/{8}.png"),
                [text(
                    "t.csv",
                    &("f,label,partition\n".to_owned() + &lines(8, |at| format!("{at}.png,{},{}", at % 2, at / 3))),
                )],
            ),
            "",
            Read(3, 2, "0 1", &["parts by column partition of t.csv"]),
        ),
        Row(
            "a column of parts with other words in it",
            with(
                pictures("i/{20}.png"),
                [text(
                    "t.csv",
                    &("f,label,split\n".to_owned()
                        + &lines(20, |at| {
                            let part = ["train", "test", "unsure"][(at / 12) + usize::from(at > 18)];
                            format!("{at}.png,{},{part}", at % 2)
                        })),
                )],
            ),
            "",
            Read(12, 7, "0 1", &["parts by column split of t.csv", "left aside: 1 image in no part of the set"]),
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
            with(numbered("64/#.png", 5, png), numbered("128/#.png", 5, enlarged)),
            "",
            Read(5, 0, "", &["left aside: 5 images (64/): the same names as in the folder of the largest size"]),
        ),
        Row(
            "classes called by numbers that double",
            pictures("16/{5}.png 32/{5}.png"),
            "",
            Read(10, 0, "16 32", &["labels: folders, 2 classes (16, 32)"]),
        ),
        Row(
            "one set in two sizes that no number tells",
            with(numbered("full/cat/#.png", 5, enlarged), numbered("half/cat/#.png", 5, png)),
            "",
            Read(5, 0, "", &["left aside: 5 images (half/): the same pictures as others, in another size or format"]),
        ),
        Row(
            "CycleGAN's",
            pictures("trainA/{2}.png trainB/{2}.png testA/1.png testB/1.png"),
            "",
            Read(4, 2, "A B", &["parts"]),
        ),
        Row(
            "two training folders",
            pictures(
                "train_a/cat/{3}.png train_a/dog/{3}.png train_b/cat/{2}.png train_b/dog/{2}.png test/cat/{2}.png test/dog/{2}.png",
            ),
            "",
            Read(
                10,
                4,
                "cat dog",
                &["parts: train_a/ and 1 more (10 images) to learn from; test/ (4 images) held back"],
            ),
        ),
        Row(
            "the training part beside a folder of another name with the same classes",
            pictures("train/cat/{3}.png train/dog/{3}.png benchmark/cat/{2}.png benchmark/dog/{2}.png"),
            "",
            Read(6, 0, "cat dog", &["left aside: 4 images (benchmark/) in no part of the set"]),
        ),
        Row(
            "parts in German",
            pictures(
                "Trainingsdaten/Hund/{3}.png Trainingsdaten/Katze/{3}.png Prüfung/Hund/{2}.png Prüfung/Katze/{2}.png",
            ),
            "",
            Read(6, 4, "Hund Katze", &["Prüfung/ (4 images) held back"]),
        ),
        Row(
            "parts in French, with accents of their own",
            pictures(
                "apprentissage/a/{3}.png apprentissage/b/{3}.png e\u{301}valuation/a/{2}.png e\u{301}valuation/b/{2}.png",
            ),
            "",
            Read(6, 4, "a b", &["apprentissage/ (6 images) to learn from"]),
        ),
        Row(
            "test images of each class in a folder of its own",
            pictures("cats/{3}.png dogs/{3}.png cats_test/{2}.png dogs_test/{2}.png"),
            "",
            Read(6, 4, "cats dogs", &["cats_test/ and 1 more (4 images) held back"]),
        ),
        Row(
            "another set beside one with parts",
            pictures(
                "big/cat/{4}.png big/dog/{4}.png set/train/cat/{3}.png set/train/dog/{3}.png set/test/cat/{2}.png",
            ),
            "",
            Read(
                6,
                2,
                "cat dog",
                &["parts: set/train/ (6 images)", "left aside: 8 images (big/) in no part of the set"],
            ),
        ),
        Row(
            "two versions of a set",
            pictures(
                "set_v1/train/cat/{3}.png set_v1/train/dog/{3}.png set_v1/test/cat/{1}.png set_v2/train/cat/4{2}.png set_v2/train/dog/5{2}.png",
            ),
            "",
            Read(
                10,
                1,
                "cat dog",
                &["the folders set_v1 to set_v2 are no classes: each of them holds the same ones (cat, dog)"],
            ),
        ),
        Row(
            "images taken out of each class",
            pictures("cat/{4}.png cat/rejected/{2}.png dog/{4}.png dog/_excluded/{2}.png"),
            "",
            Read(8, 0, "cat dog", &["left aside: 4 images (cat/rejected/ and 1 more)"]),
        ),
        Row(
            "folders of subjects",
            pictures("P00/open/{2}.png P00/shut/{2}.png P01/open/{2}.png P01/shut/{2}.png"),
            "",
            Read(
                8,
                0,
                "open shut",
                &["the folders P00 to P01 are no classes", "labels.csv (file_name,label) can name others"],
            ),
        ),
        Row(
            "folders of a camera",
            pictures("DCIM/100APPLE/IMG_{3}.png DCIM/101APPLE/IMG_1{3}.png"),
            "",
            Read(6, 0, "", &["the folders 100APPLE to 101APPLE are no classes"]),
        ),
        Row(
            "a folder of a class without an image",
            with(pictures("cat/{3}.png fox/{3}.png"), [text("dog/list.txt", "nothing yet"), text("notes/.keep", "")]),
            "",
            Read(6, 0, "cat fox", &["no image in dog/, notes/"]),
        ),
        Row(
            "a table that labels images beside the folders of classes",
            with(
                pictures("cat/{3}.png dog/{3}.png x.png"),
                [text(
                    "metadata.csv",
                    "file_name,label\ncat/0.png,a\ncat/1.png,a\ncat/2.png,a\ndog/0.png,b\nx.png,b\n",
                )],
            ),
            "",
            Read(7, 0, "a b", &["2 of 7 images have no label"]),
        ),
        Row(
            "a column of parts with blanks",
            with(
                pictures("i/{8}.png"),
                [text(
                    "t.csv",
                    &("f,label,split\n".to_owned()
                        + &lines(8, |at| format!("{at}.png,{},{}", at % 2, if at > 5 { "test" } else { "" }))),
                )],
            ),
            "",
            Read(6, 2, "0 1", &["parts by column split of t.csv"]),
        ),
        Row(
            "a column of test images marked by x",
            with(
                pictures("i/{8}.png"),
                [text(
                    "t.csv",
                    &("f,label,is_test\n".to_owned()
                        + &lines(8, |at| format!("{at}.png,{},{}", at % 2, if at > 5 { "x" } else { "" }))),
                )],
            ),
            "",
            Read(6, 2, "0 1", &["parts by column is_test of t.csv"]),
        ),
        Row(
            "a column of training images in German",
            with(
                pictures("i/{8}.png"),
                [text(
                    "t.csv",
                    &("f,label,is_train\n".to_owned()
                        + &lines(8, |at| format!("{at}.png,{},{}", at % 2, if at > 5 { "nein" } else { "ja" }))),
                )],
            ),
            "",
            Read(6, 2, "0 1", &["parts by column is_train of t.csv"]),
        ),
        Row(
            "a column of parts with words for none",
            with(
                pictures("i/{8}.png"),
                [text(
                    "t.csv",
                    &("f,label,split\n".to_owned()
                        + &lines(8, |at| format!("{at}.png,{},{}", at % 2, if at > 5 { "A" } else { "B" }))),
                )],
            ),
            "",
            Read(8, 0, "0 1", &["all images are learned from: column split of t.csv holds A, B, of which"]),
        ),
        Row(
            "a misspelt word in a column of parts",
            with(
                pictures("i/{8}.png"),
                [text(
                    "t.csv",
                    &("f,label,split\n".to_owned()
                        + &lines(8, |at| format!("{at}.png,{},{}", at % 2, ["train", "test", "tset"][at / 3]))),
                )],
            ),
            "",
            Read(3, 3, "0 1", &["\"tset\" in column split of t.csv is no word for a part", "left aside: 2 images"]),
        ),
        Row(
            "a column of images to leave out",
            with(
                pictures("i/{8}.png"),
                [text(
                    "t.csv",
                    &("f,label,exclude\n".to_owned()
                        + &lines(8, |at| format!("{at}.png,{},{}", at % 2, usize::from(at > 5)))),
                )],
            ),
            "",
            Read(8, 0, "0 1", &["column exclude of t.csv is not used: 2 images with a yes there are learned from"]),
        ),
        Row(
            "a list of images to leave out",
            with(pictures("i/{8}.png"), [text("bad_images.txt", "6.png\n7.png\n")]),
            "",
            Read(8, 0, "", &["bad_images.txt is not used: 2 images that it lists are learned from"]),
        ),
        Row(
            "a list of validation images whose names have blanks",
            with(
                pictures("i/{8}.png")
                    .into_iter()
                    .map(|(name, bytes)| (name.replace("i/", "i/big brick "), bytes))
                    .collect(),
                [text("validation.txt", "big brick 6.png\nbig brick 7.png\n")],
            ),
            "",
            Read(6, 2, "", &["parts by validation.txt"]),
        ),
        Row(
            "lists in a folder called as a part",
            with(
                pictures("train_val/a/{6}.png"),
                [text("train.txt", "a/0.png\na/1.png\na/2.png\na/3.png\n"), text("val.txt", "a/4.png\na/5.png\n")],
            ),
            "",
            Read(4, 2, "", &["parts: train.txt (4 images) to learn from; val.txt (2 images) held back"]),
        ),
        Row(
            "lists of half of the images, PASCAL VOC's",
            with(
                pictures("J/{9}.png"),
                [
                    text("Sets/Action/train.txt", "0\n1\n"),
                    text("Sets/Action/val.txt", "2\n8\n"),
                    text("Sets/Main/train.txt", "0\n1\n2\n"),
                    text("Sets/Main/val.txt", "3\n4\n"),
                ],
            ),
            "",
            Read(3, 2, "", &["parts: Sets/Main/train.txt", "left aside: 4 images in no part of the set"]),
        ),
        Row(
            "lists beside the folder of the images",
            with(pictures("images/{8}.png"), [text("train.txt", "0\n1\n2\n3\n4\n5\n"), text("test.txt", "6\n7\n")]),
            "images",
            Read(6, 2, "", &["parts: train.txt (6 images)"]),
        ),
        Row(
            "lists of other images beside the folder of the training images",
            with(
                pictures("train/{8}.png test/{2}.png"),
                [text("train.txt", "0\n1\n2\n3\n4\n5\n6\n7\n"), text("test.txt", "0\n1\n")],
            ),
            "train",
            Read(8, 0, "", &[]),
        ),
        Row(
            "a table of all parts beside the folder of the training images",
            with(
                pictures("set/train/{6}.png set/test/{2}.png"),
                [text(
                    "set/metadata.csv",
                    &("id,split,path,label\n".to_owned()
                        + &lines(6, |at| format!("{at},train,train/{at}.png,{}", ["a", "b"][at % 2]))
                        + &lines(2, |at| format!("{at},test,test/{at}.png,c"))),
                )],
            ),
            "set/train",
            Read(6, 0, "a b", &["2 classes (a, b)"]),
        ),
    ]
}
