//! The parts of a data set: images to train on, validation and test images, and images without labels. Published sets name
//! them in folders and file names: `train/`, `training_set`, `seg_test`, `val2017`, `kmnist-test-imgs.npz`.

mod archived;
mod by_name;
mod companions;
mod divide;
mod said;

pub(crate) use archived::archived_parts;
pub(crate) use by_name::{ByName, by_name, without_part};
pub(crate) use companions::{Contents, Glance, SIDE, Why};
pub(crate) use divide::{Holding, divide, divide_images, plain};
pub(crate) use said::{choose, describe};
use std::collections::{BTreeMap, BTreeSet};

/// What a set has of each part; under `None` what is left aside.
pub(crate) type Holdings = BTreeMap<Option<Part>, Holding>;

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    /// To train on.
    Train,
    /// To choose settings with; serves as the test part of a set that has none.
    Validation,
    /// To judge with.
    Test,
    /// Without labels.
    Unlabelled,
}

/// Words for each part.
const WORDS: [(&str, Part); 41] = [
    ("train", Part::Train),
    ("training", Part::Train),
    ("trn", Part::Train),
    ("trainval", Part::Train),
    ("entrainement", Part::Train),
    ("entraînement", Part::Train),
    ("apprentissage", Part::Train),
    ("entrenamiento", Part::Train),
    ("addestramento", Part::Train),
    ("val", Part::Validation),
    ("valid", Part::Validation),
    ("validate", Part::Validation),
    ("validation", Part::Validation),
    ("dev", Part::Validation),
    ("devel", Part::Validation),
    ("development", Part::Validation),
    ("test", Part::Test),
    ("testing", Part::Test),
    ("tst", Part::Test),
    ("t10k", Part::Test),
    ("prueba", Part::Test),
    ("eval", Part::Test),
    ("evaluation", Part::Test),
    ("holdout", Part::Test),
    ("heldout", Part::Test),
    ("unlabeled", Part::Unlabelled),
    ("unlabelled", Part::Unlabelled),
    ("unlabel", Part::Unlabelled),
    ("unannotated", Part::Unlabelled),
    ("unsup", Part::Unlabelled),
    ("unsupervised", Part::Unlabelled),
    ("nolabel", Part::Unlabelled),
    ("nolabels", Part::Unlabelled),
    ("extra", Part::Unlabelled),
    ("pred", Part::Unlabelled),
    ("predict", Part::Unlabelled),
    ("prediction", Part::Unlabelled),
    ("predictions", Part::Unlabelled),
    ("inference", Part::Unlabelled),
    ("submission", Part::Unlabelled),
    ("submit", Part::Unlabelled),
];

/// What is written together with a word: `trainset`, `testimages`, `xtrain`.
const WITH: [&str; 19] = [
    "set", "sets", "data", "dataset", "split", "part", "folder", "dir", "images", "image", "imgs", "img", "pics",
    "photos", "labels", "label", "x", "y", "ing",
];

/// The part that a path component or the name of a data file names: one of its words is a word of the part, in any case
/// (`seg_train`, `train2017`, `TestSet`, `train-00000-of-00002.parquet`, `X_test.npy`). `None` without such a word, or with
/// words of several parts.
///
/// A name alone does not decide: a class may be called `train` or `test`. Ask for the parts of all names beside each other, and
/// take them for parts only if one of them is [`Part::Train`] and another one is not, or if there is no other name.
pub(crate) fn part_of(name: &str) -> Option<Part> {
    let mut found: Option<Part> = None;
    for word in words(name) {
        match (found, part_of_word(&word)) {
            (_, None) => {}
            (None, part) => found = part,
            // What has no labels has none, wherever it is from; train and val together are to be trained on.
            (Some(a), Some(b)) if a == b => {}
            (Some(a), Some(b)) if a.max(b) == Part::Unlabelled => found = Some(Part::Unlabelled),
            (Some(a), Some(b)) if a.max(b) == Part::Validation => found = Some(Part::Train),
            _ => return None,
        }
    }
    found
}

/// Names of columns and arrays that hold a word for the part of each image, without signs.
const TELLING: [&str; 18] = [
    "split",
    "splits",
    "datasplit",
    "datasetsplit",
    "set",
    "subset",
    "subsets",
    "part",
    "parts",
    "partition",
    "partitions",
    "usage",
    "phase",
    "traintest",
    "traintestsplit",
    "trainvaltest",
    "trainvaltestsplit",
    "datatype",
];

/// Whether a column or array of this name holds a word for the part of each image.
pub(crate) fn is_of_parts(name: &str) -> bool {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    TELLING.contains(&plain.as_str())
}

/// Whether numbers in a column or array of this name are those of CelebA's partitions.
pub(crate) fn is_partition(name: &str) -> bool {
    name.to_lowercase().contains("partition")
}

/// The part that a number means, as in CelebA's list of partitions.
pub(crate) fn of_partition(number: i64) -> Option<Part> {
    [Part::Train, Part::Validation, Part::Test].get(usize::try_from(number).ok()?).copied()
}

/// The parts of rows with and without a yes in a column such as `is_valid`. Columns such as `train`, `test` and `pred` may also be
/// attributes or a model's answers.
pub(crate) fn by_flag(name: &str) -> Option<[Part; 2]> {
    let part = part_of(name).filter(|part| *part != Part::Unlabelled && rest_of(name).eq_ignore_ascii_case("is"))?;
    Some([part, if part == Part::Train { Part::Validation } else { Part::Train }])
}

/// The part that a cell of a column called `name` means: a word, yes or no, or a number of CelebA's partitions.
pub(crate) fn part_in(name: &str, cell: &str) -> Option<Part> {
    let by_flag = || {
        let [part, other] = by_flag(name)?;
        yes_or_no(cell).map(|yes| if yes { part } else { other })
    };
    let by_number = || cell.parse().ok().filter(|_| is_partition(name)).and_then(of_partition);
    part_of(cell).or_else(by_flag).or_else(by_number)
}

/// What a cell of a column of yes and no says, as programs write it, also those that speak German, French, Spanish or Italian.
pub(crate) fn yes_or_no(cell: &str) -> Option<bool> {
    match cell.to_lowercase().as_str() {
        "1" | "1.0" | "true" | "yes" | "wahr" | "ja" | "vrai" | "oui" | "verdadero" | "sí" | "si" | "sì" | "vero" => {
            Some(true)
        }
        "0" | "0.0" | "false" | "no" | "falsch" | "nein" | "faux" | "non" | "falso" => Some(false),
        _ => None,
    }
}

/// Most different numbers that may stand for parts.
const MAX_NUMBERS: usize = 5;

/// Numbers that may stand for parts, though no word says for which: as they are listed, and an expression in Python that makes words of
/// the array or column `name`. `None` for other numbers.
pub(crate) fn unclear_numbers(name: &str, numbers: &BTreeSet<i64>) -> Option<(String, String)> {
    (2..=MAX_NUMBERS).contains(&numbers.len()).then(|| {
        let listed: Vec<String> = numbers.iter().map(i64::to_string).collect();
        let words = match (numbers.len(), numbers.iter().copied().eq(0..3)) {
            (_, true) => format!("numpy.array([\"train\", \"val\", \"test\"])[{name}]"),
            _ => format!("numpy.where({name} == {}, \"train\", \"test\")", listed[0]),
        };
        (listed.join(", "), words)
    })
}

/// Words that say nothing about the content of a folder.
const PLAIN_WORDS: [&str; 18] = [
    "set", "sets", "data", "dataset", "split", "part", "folder", "dir", "images", "image", "imgs", "img", "pics",
    "photos", "pictures", "of", "jpg", "png",
];

/// What a name says beside the part: its other words but for plain ones, as they are written.
pub(crate) fn rest_of(name: &str) -> String {
    let is_part = |word: &str| part_of_word(&word.to_lowercase()).is_some();
    let is_plain = |word: &str| PLAIN_WORDS.contains(&word.to_lowercase().as_str());
    let rest = |run: &'_ str| -> Vec<String> {
        let words = split(run);
        // The number in `DIV2K` belongs to it, that in `train2017` to the part.
        if words.iter().any(|word| is_part(word)) || words.iter().all(|word| is_plain(word)) {
            return words.into_iter().filter(|word| !is_part(word) && !is_plain(word)).map(str::to_owned).collect();
        }
        vec![run.to_owned()]
    };
    name.split(|c: char| !c.is_alphanumeric()).flat_map(rest).collect::<Vec<_>>().join("_")
}

/// The part that one word in lower case means.
fn part_of_word(word: &str) -> Option<Part> {
    let known = |word: &str| WORDS.iter().find(|(known, _)| *known == word).map(|(_, part)| *part);
    known(word).or_else(|| {
        let mut rests = WITH.iter().flat_map(|with| [word.strip_suffix(with), word.strip_prefix(with)]);
        rests.find_map(|rest| rest.filter(|rest| rest.len() > 2).and_then(known))
    })
}

/// The words of a name in lower case.
pub(crate) fn words(name: &str) -> Vec<String> {
    split(name).into_iter().map(str::to_lowercase).collect()
}

/// The words of a name: runs of letters, also `Set` in `testSet`; digits part them, but for `t10k`.
fn split(name: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for run in name.split(|c: char| !c.is_alphanumeric()) {
        if run.eq_ignore_ascii_case("t10k") {
            words.push(run);
            continue;
        }
        for letters in run.split(|c: char| !c.is_alphabetic()).filter(|letters| !letters.is_empty()) {
            let (mut start, mut before) = (0, '_');
            for (at, c) in letters.char_indices() {
                if at > start && c.is_uppercase() && before.is_lowercase() {
                    words.push(&letters[start..at]);
                    start = at;
                }
                before = c;
            }
            words.push(&letters[start..]);
        }
    }
    words
}

/// The length of the common folders of all names, including the last `/`.
pub(crate) fn common_folders<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    let mut common: Option<&str> = None;
    for name in names {
        let folders = name.rfind('/').map_or(0, |slash| slash + 1);
        let kept = common.unwrap_or(&name[..folders]);
        let same = kept.bytes().zip(name[..folders].bytes()).take_while(|(a, b)| a == b).count();
        let whole = kept.as_bytes()[..same].iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        common = Some(&kept[..whole]);
        if whole == 0 {
            return 0;
        }
    }
    common.map_or(0, str::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_hold_everything_are_found() {
        let of = |names: &[&str]| common_folders(names.iter().copied());
        assert_eq!(of(&["top/a/1", "top/a/2", "top/b/1"]), 4);
        assert_eq!(of(&["top/ab/1", "top/ac/2"]), 4);
        assert_eq!(of(&["top/in/1", "top/in/2"]), 7);
        assert_eq!(of(&["top/1", "2"]), 0);
        assert_eq!(of(&["a", "b"]), 0);
        assert_eq!(of(&[]), 0);
    }

    #[test]
    fn the_rest_of_a_name_keeps_its_numbers() {
        for (name, rest) in [
            ("DIV2K_train_HR", "DIV2K_HR"),
            ("train2017", ""),
            ("trainA", "A"),
            ("mnist_train", "mnist"),
            ("train_images_1", ""),
            ("rps-test-set", "rps"),
            ("train-00000-of-00002", ""),
        ] {
            assert_eq!(rest_of(name), rest, "{name}");
        }
    }

    #[test]
    fn names_tell_their_part() {
        use Part::{Test, Train, Unlabelled, Validation};
        let named = [
            (
                Train,
                "train Train TRAINING training_set trainset TrainSet seg_train train2017 train_images images_train",
            ),
            (
                Train,
                "trainval train_val trainA train-00000-of-00002.parquet kmnist-train-imgs.npz X_train.npy xtrain.npy",
            ),
            (Train, "qmnist-train-images-idx3-ubyte.gz train_labels.csv trainLabels.csv train1 img_train"),
            (Train, "entrainement Entraînement jeu_apprentissage entrenamiento"),
            (Validation, "val valid validation Val2017 dev dev_set valset valid_256 validationset val_annotations.txt"),
            (
                Test,
                "test testing test_set seg_test eval t10k-images-idx3-ubyte emnist-test.npz testB TESTIMAGES ytest.npy",
            ),
            (Unlabelled, "seg_pred unlabeled unlabelled_train extra train_extra extra_32x32.mat"),
        ];
        for (part, names) in named {
            for name in names.split(' ') {
                assert_eq!(part_of(name), Some(part), "{name}");
            }
        }
        let others = "trains training2test train_test cat tester contest latest valley devil evaluate.py 0 000 images \
                      strain x retrain t10 predators extras.zip attestation";
        for name in others.split_whitespace() {
            assert_eq!(part_of(name), None, "{name}");
        }
        assert_eq!(part_of(""), None);
    }
}
