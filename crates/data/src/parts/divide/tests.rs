//! The parts of published sets, by their folders.

use super::*;
use proptest::prelude::*;

/// What each file is: its part's letter (`a` for aside) and its kept path.
fn placed(names: &str) -> String {
    let names: Vec<&str> = names.split_whitespace().collect();
    let division = divide(names.iter().copied());
    let letter = |index| match division.part(index) {
        Some(Part::Train) => "T",
        Some(Part::Validation) => "v",
        Some(Part::Test) => "t",
        Some(Part::Unlabelled) => "u",
        None => "a",
    };
    let one = |(index, name): (usize, &&str)| format!("{}:{}", letter(index), division.kept(index, name));
    names.iter().enumerate().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn layouts_of_published_sets_are_divided() {
    for (names, expected) in [
        // No parts.
        ("a.png b.png", "T:a.png T:b.png"),
        ("cat/1.png dog/2.png", "T:cat/1.png T:dog/2.png"),
        // Test images beside classes; classes called by words for parts.
        ("test/1 horse/2 cat/3", "t:1 T:horse/2 T:cat/3"),
        ("test_tube/1 horse/2 cat/3", "T:test_tube/1 T:horse/2 T:cat/3"),
        ("train/1 bus/2 car/3", "T:train/1 T:bus/2 T:car/3"),
        ("train_station/1 test_tube/2", "T:train_station/1 T:test_tube/2"),
        ("train_station/1 test_tube/2 beach/3", "T:train_station/1 T:test_tube/2 T:beach/3"),
        ("0/1 1/2 test/3", "T:0/1 T:1/2 t:3"),
        // Train and test, wrapped, doubled, deeper.
        ("train/cat/1 test/cat/2", "T:cat/1 t:cat/2"),
        ("train/1 test/2 val/3", "T:1 t:2 v:3"),
        ("top/train/cat/1 top/test/cat/2", "T:top/cat/1 t:top/cat/2"),
        ("a/b/train/cat/1 a/b/test/cat/2", "T:a/b/cat/1 t:a/b/cat/2"),
        ("training_set/training_set/cats/1 test_set/test_set/cats/2", "T:cats/1 t:cats/2"),
        ("seg_train/seg_train/sea/1 seg_test/seg_test/sea/2 seg_pred/seg_pred/3", "T:sea/1 t:sea/2 u:3"),
        ("mnist_train/0/1 mnist_test/0/2", "T:0/1 t:0/2"),
        ("train2017/1 val2017/2 test2017/3", "T:1 v:2 t:3"),
        ("train1/1 train2/2 test/3", "T:1 T:2 t:3"),
        // CycleGAN's.
        ("trainA/1 trainB/2 testA/3 testB/4", "T:A/1 T:B/2 t:A/3 t:B/4"),
        // The training part is named by the other one.
        ("rps/rock/1 rps-test-set/rock/2", "T:rock/1 t:rock/2"),
        ("images/1 test/2", "T:1 t:2"),
        ("dogs/1 test/2", "T:1 t:2"),
        ("simpsons_dataset/bart/1 kaggle_simpson_testset/bart_2", "T:bart/1 t:bart_2"),
        ("dogs/1 unlabeled_cats/2", "T:dogs/1 T:unlabeled_cats/2"),
        // Omniglot, DIV2K; the set beside its training part.
        ("images_background/Greek/1 images_evaluation/Tibetan/2", "T:Greek/1 t:Tibetan/2"),
        ("DIV2K_train_HR/1 DIV2K_valid_HR/2", "T:1 v:2"),
        ("train/cat/1 train/dog/2 cat/3 dog/4", "T:cat/1 T:dog/2 a:cat/3 a:dog/4"),
        ("train/cat/1 train/dog/2 cat/3 bus/4", "T:train/cat/1 T:train/dog/2 T:cat/3 T:bus/4"),
        ("1 2 test/3", "T:1 T:2 t:3"),
        // Several training folders; the folders in them are the classes.
        (
            "train_a/cat/1 train_a/dog/2 train_b/cat/3 train_b/dog/4 test/cat/5",
            "T:cat/1 T:dog/2 T:cat/3 T:dog/4 t:cat/5",
        ),
        ("train_a/1 train_b/2 val/3 test/4", "T:1 T:2 v:3 t:4"),
        (
            "train_fr/cat/1 train_fr/dog/2 train_en/cat/3 train_en/dog/4 test_fr/cat/5",
            "T:cat/1 T:dog/2 T:cat/3 T:dog/4 t:cat/5",
        ),
        // The same classes beside a training part; a class called so.
        ("train/cat/1 train/dog/2 exam/cat/3 exam/dog/4", "T:cat/1 T:dog/2 a:exam/cat/3 a:exam/dog/4"),
        (
            "train/cat/1 train/dog/2 hidden_test/cat/3 hidden_test/dog/4 x/cat/5 x/dog/6",
            "T:cat/1 T:dog/2 t:cat/3 t:dog/4 a:x/cat/5 a:x/dog/6",
        ),
        ("train/old/1 train/new/2 bus/red/3 bus/blue/4", "T:train/old/1 T:train/new/2 T:bus/red/3 T:bus/blue/4"),
        // The test images of each class.
        ("cats/1 dogs/2 cats_test/3 dogs_test/4", "T:cats/1 T:dogs/2 t:cats/3 t:dogs/4"),
        ("urine/1 blood/2 saliva/3 blood_test/4", "T:urine/1 T:blood/2 T:saliva/3 T:blood_test/4"),
        // Pairs, alone.
        ("tr/1 te/2", "T:1 t:2"),
        ("tr/1 te/2 pt/3", "T:tr/1 T:te/2 T:pt/3"),
        ("train/1 query/2 gallery/3", "T:1 t:2 t:3"),
        ("Trainingsdaten/1 Testdaten/2", "T:1 t:2"),
        // Another set beside one with parts, unless it is far larger.
        (
            "big/cat/1 big/dog/2 set/train/cat/3 set/train/dog/4 set/test/cat/5",
            "a:big/cat/1 a:big/dog/2 T:set/cat/3 T:set/dog/4 t:set/cat/5",
        ),
        ("big/1 big/2 set/train/3 set/test/4", "a:big/1 a:big/2 T:set/3 t:set/4"),
        (
            "d/0 d/1 d/2 d/3 d/4 d/5 d/6 d/7 d/8 d/9 d/10 d/11 d/12 d/13 d/14 d/15 d/16 d/17 d/18 d/19 d/20 s/train/1 s/test/2",
            "T:d/0 T:d/1 T:d/2 T:d/3 T:d/4 T:d/5 T:d/6 T:d/7 T:d/8 T:d/9 T:d/10 T:d/11 T:d/12 T:d/13 T:d/14 T:d/15 T:d/16 T:d/17 \
             T:d/18 T:d/19 T:d/20 a:s/train/1 a:s/test/2",
        ),
        ("cat/train/1 cat/test/2 dog/train/3", "T:cat/1 t:cat/2 T:dog/3"),
        (
            "images/train/1 images/test/2 masks/train/3 masks/test/4",
            "T:images/1 t:images/2 a:masks/train/3 a:masks/test/4",
        ),
        // Images to regularize with.
        ("img/10_dog/1 img/20_cat/2 reg/1_dog/3", "T:10_dog/1 T:20_cat/2 a:reg/1_dog/3"),
        ("img/dog/1 img/cat/2 reg/dog/3", "T:img/dog/1 T:img/cat/2 T:reg/dog/3"),
        // A stray beside parts.
        (
            "x set/0 set/1 set/2 set/3 set/4 set/5 set/6 set/7 set/8 set_test/9",
            "a:x T:0 T:1 T:2 T:3 T:4 T:5 T:6 T:7 T:8 t:9",
        ),
        // What was taken out.
        ("cat/1 cat/2 cat/rejected/3 dog/4 dog/_old/5", "T:cat/1 T:cat/2 a:cat/rejected/3 T:dog/4 a:dog/_old/5"),
        ("train/1 train/bad/2 test/3", "T:1 a:train/bad/2 t:3"),
        ("good/1 bad/2", "T:good/1 T:bad/2"),
        // One part only.
        ("train/cat/1 train/dog/2", "T:cat/1 T:dog/2"),
        ("test/cat/1 test/dog/2", "t:cat/1 t:dog/2"),
        ("val/1 test/2", "v:1 t:2"),
        // Parts inside each class.
        ("cats/train/1 cats/test/2 dogs/train/3 dogs/test/4", "T:cats/1 t:cats/2 T:dogs/3 t:dogs/4"),
        (
            "bottle/train/good/1 bottle/test/bad/2 bottle/ground_truth/bad/3",
            "T:bottle/good/1 t:bottle/bad/2 a:bottle/ground_truth/bad/3",
        ),
        // What belongs to no part.
        ("train/1 test/2 docs/3 cover", "T:1 t:2 a:docs/3 a:cover"),
        ("train/1 train_masks/2 test/3", "T:1 a:train_masks/2 t:3"),
        (
            "d/train/1 d/train/2 d/train/3 d/train/4 d/train/5 d/train/6 d/train/7 d/train/8 d/train/9 d/test/0 doc/1",
            "T:d/1 T:d/2 T:d/3 T:d/4 T:d/5 T:d/6 T:d/7 T:d/8 T:d/9 t:d/0 a:doc/1",
        ),
        ("cat/1 dog/2 unlabeled/3", "T:cat/1 T:dog/2 u:3"),
        ("images/1 annotations/trimaps/1", "T:images/1 a:annotations/trimaps/1"),
        ("JPEGImages/1 SegmentationClass/1", "T:JPEGImages/1 a:SegmentationClass/1"),
        (
            "CelebA-HQ-img/7 CelebAMask-HQ-mask-anno/0/00007_hair",
            "T:CelebA-HQ-img/7 a:CelebAMask-HQ-mask-anno/0/00007_hair",
        ),
        ("mask/1 no_mask/2", "T:mask/1 T:no_mask/2"),
        ("images/1 masks/2", "T:images/1 a:masks/2"),
        // Classes, with files of other names.
        ("face_mask/1 photo_frame/2", "T:face_mask/1 T:photo_frame/2"),
        ("mask/1 original/2", "T:mask/1 T:original/2"),
        ("raw_data/1 label/2", "T:raw_data/1 T:label/2"),
        ("labels/1 pictures/2", "T:labels/1 T:pictures/2"),
        ("white_label/1 color_card/2", "T:white_label/1 T:color_card/2"),
        ("mask/1 input_device/2 picture/3", "T:mask/1 T:input_device/2 T:picture/3"),
        ("label/1 input/2", "T:label/1 T:input/2"),
        // Archives count as folders.
        ("train.zip/cat/1 test.zip/cat/2", "T:cat/1 t:cat/2"),
        ("in-train-0.tar/1 in-train-1.tar.gz/2 in-val-0.tar/3", "T:1 T:2 v:3"),
        // Training and validation inside the training part.
        ("train/train/1 train/val/2 test/3", "T:1 v:2 t:3"),
    ] {
        assert_eq!(placed(names), expected, "{names}");
    }
}

#[test]
fn data_files_are_divided_by_their_names() {
    let parts = |names: &str| {
        let files: Vec<String> = names.split(' ').map(|name| format!("{name}/")).collect();
        let division = divide(files.iter().map(String::as_str));
        (0..names.split(' ').count()).map(|index| division.part(index)).collect::<Vec<_>>()
    };
    let (train, test) = (Some(Part::Train), Some(Part::Test));
    assert_eq!(
        parts("data/train-00000-of-00002.parquet data/train-00001-of-00002.parquet data/test-0.parquet"),
        [train, train, test]
    );
    assert_eq!(parts("default/train/0000.parquet default/test/0000.parquet"), [train, test]);
    assert_eq!(parts("kmnist-train-imgs.npz kmnist-test-imgs.npz"), [train, test]);
    assert_eq!(parts("a.parquet b.parquet"), [train, train]);
}

#[test]
fn parts_are_described_by_their_folders() {
    let division = divide(["x/train/a/1", "x/train/a/2", "x/test/3", "x/docs/4"].into_iter());
    let holdings: Vec<_> =
        division.holdings().into_iter().map(|(part, held)| (part, held.files, held.folders.join(" "))).collect();
    let expected = [
        (None, 1, "x/docs/".to_owned()),
        (Some(Part::Train), 2, "x/train/".to_owned()),
        (Some(Part::Test), 1, "x/test/".to_owned()),
    ];
    assert_eq!(holdings, expected);
    assert!(division.divided && !divide(["a/1", "b/2"].into_iter()).divided);
}

proptest! {
    #[test]
    fn every_file_keeps_its_name_and_has_one_place(
        files in prop::collection::vec(prop::collection::vec(prop::sample::select(&["train", "test", "val", "cat", "dog", "0", "images", "masks", "x"][..]), 1..5), 1..30)
    ) {
        let names: Vec<String> = files.iter().enumerate().map(|(at, folders)| format!("{}/{at}.png", folders.join("/"))).collect();
        let division = divide(names.iter().map(String::as_str));
        let mut counted = 0;
        for (index, name) in names.iter().enumerate() {
            let kept = division.kept(index, name);
            let mut parts = name.split('/');
            // What is kept is the name without some of its folders.
            prop_assert!(kept.split('/').all(|part| parts.any(|other| other == part)), "{} {}", name, kept);
            prop_assert_eq!(kept.rsplit('/').next(), name.rsplit('/').next());
        }
        for holding in division.holdings().values().chain(division.companions().values()) {
            counted += holding.files;
        }
        prop_assert_eq!(counted, names.len());
    }
}
