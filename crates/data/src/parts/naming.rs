//! The part that a name means, by a word in it, in English and other languages: `seg_train`, `val2017`, `Testdaten`, `évaluation`.
//! Words are compared in lower case and without accents.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::Part;

/// Words for each part.
const WORDS: [(Part, &str); 4] = [
    (
        Part::Train,
        "train training trn trainval trainings entrainement apprentissage entrenamiento addestramento treino treinamento trainen \
         обучающая обучение тренировочная egitim trening 訓練 学習 训练 훈련 학습",
    ),
    (
        Part::Validation,
        "val valid validate validation dev devel development validierung validacion validacao validazione validatie \
         валидационная валидация проверочная 検証 验证 驗證 검증",
    ),
    (
        Part::Test,
        "test testing tst t10k eval evaluation holdout heldout evaluierung prufung pruefung pruefen prueba pruebas prova teste \
         testen тест тестовая тестирование テスト 評価 测试 測試 테스트 평가",
    ),
    (
        Part::Unlabelled,
        "unlabeled unlabelled unlabel unannotated unsup unsupervised nolabel nolabels extra pred predict prediction predictions \
         inference submission submit",
    ),
];

/// Beginnings of words that end in a noun of data: `Lerndaten`.
const BEFORE_NOUNS: [(Part, &str); 3] =
    [(Part::Train, "lern ubungs uebungs"), (Part::Validation, "validierungs"), (Part::Test, "pruf pruef evaluierungs")];

/// What is written together with a word for a part: `xtrain`.
const WITH: [&str; 3] = ["x", "y", "ing"];

/// Nouns of data, which say nothing about the content of a folder, and are written together with a word for a part: `trainset`,
/// `Testbilder`.
const DATA: [&str; 17] = [
    "set", "sets", "data", "dataset", "split", "part", "folder", "dir", "images", "image", "imgs", "img", "pics",
    "photos", "daten", "bilder", "fotos",
];

/// Others that are written together with one: `训练集`.
const NOUNS: [&str; 20] = [
    "labels",
    "label",
    "datensatz",
    "datenset",
    "satz",
    "menge",
    "teil",
    "bild",
    "ordner",
    "集",
    "数据",
    "数据集",
    "數據",
    "图片",
    "テータ",
    "セット",
    "用",
    "画像",
    "셋",
    "데이터",
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

/// Other words that say nothing about the content of a folder.
const PLAIN_WORDS: [&str; 23] = [
    "pictures",
    "of",
    "jpg",
    "png",
    "datos",
    "dados",
    "dati",
    "donnees",
    "jeu",
    "ensemble",
    "conjunto",
    "выборка",
    "de",
    "d",
    "du",
    "des",
    "for",
    "fur",
    "fuer",
    "private",
    "public",
    "final",
    "official",
];

/// What a name says beside the part: its other words but for plain ones, as they are written.
pub(crate) fn rest_of(name: &str) -> String {
    let is_part = |word: &str| part_of_word(&word.to_lowercase()).is_some();
    let is_plain = |word: &str| {
        let word = folded(&word.to_lowercase()).into_owned();
        DATA.contains(&word.as_str()) || PLAIN_WORDS.contains(&word.as_str())
    };
    let rest = |run: &'_ str| -> Vec<String> {
        let words = split(run);
        // The number in `DIV2K` belongs to it, that in `train2017` to the part.
        if words.iter().any(|word| is_part(word)) || words.iter().all(|word| is_plain(word)) {
            return words.into_iter().filter(|word| !is_part(word) && !is_plain(word)).map(str::to_owned).collect();
        }
        vec![run.to_owned()]
    };
    name.split(is_sign).flat_map(rest).collect::<Vec<_>>().join("_")
}

/// The part that one word in lower case means.
fn part_of_word(word: &str) -> Option<Part> {
    let word = folded(word);
    let find = |list: &[(Part, &str)], word: &str| {
        list.iter().find(|(_, words)| words.split_whitespace().any(|known| known == word)).map(|(part, _)| *part)
    };
    let without = |with: &'static str| {
        [word.strip_suffix(with), word.strip_prefix(with)].into_iter().flatten().filter(|rest| rest.len() > 2)
    };
    let before_noun = || {
        let rests = DATA.iter().chain(&NOUNS).filter_map(|noun| word.strip_suffix(noun));
        rests.filter_map(|rest| find(&BEFORE_NOUNS, rest)).next()
    };
    find(&WORDS, &word)
        .or_else(|| WITH.into_iter().chain(DATA).chain(NOUNS).flat_map(without).find_map(|rest| find(&WORDS, rest)))
        .or_else(before_noun)
}

/// A word without accents.
fn folded(word: &str) -> Cow<'_, str> {
    if word.is_ascii() {
        return word.into();
    }
    word.nfd().filter(|c| !is_mark(*c)).nfc().collect::<String>().into()
}

/// The words of a name in lower case.
pub(crate) fn words(name: &str) -> Vec<String> {
    split(name).into_iter().map(str::to_lowercase).collect()
}

fn is_mark(c: char) -> bool {
    !c.is_ascii() && is_combining_mark(c)
}

fn is_sign(c: char) -> bool {
    !c.is_alphanumeric() && !is_mark(c)
}

/// The words of a name: runs of letters, also `Set` in `testSet`; digits part them, but for `t10k`. An accent
/// may be a character of its own.
fn split(name: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for run in name.split(is_sign) {
        if run.eq_ignore_ascii_case("t10k") {
            words.push(run);
            continue;
        }
        for letters in run.split(|c: char| !c.is_alphabetic() && !is_mark(c)).filter(|letters| !letters.is_empty()) {
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

#[cfg(test)]
mod tests {
    use super::*;

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
            ("jeu d'entraînement", ""),
            ("jeu de test", ""),
            ("private_test", ""),
            ("validacio\u{301}n", ""),
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
            (
                Train,
                "entrainement Entraînement jeu_apprentissage entrenamiento Trainingsdaten Trainings-Bilder Lerndaten Übungsdaten \
                 U\u{308}bungsdaten treino addestramento trainen 訓練 训练集 学習データ обучающая 훈련",
            ),
            (Validation, "val valid validation Val2017 dev dev_set valset valid_256 validationset val_annotations.txt"),
            (
                Test,
                "test testing test_set seg_test eval t10k-images-idx3-ubyte emnist-test.npz testB TESTIMAGES ytest.npy",
            ),
            (Validation, "Validierung Validierungsdaten validación validacio\u{301}n validação 验证集"),
            (
                Test,
                "Testdaten Testbilder Prüfung Pruefung Prüfdaten évaluation e\u{301}valuation teste prova testen テスト 测试集 тестовая",
            ),
            (Unlabelled, "seg_pred unlabeled unlabelled_train extra train_extra extra_32x32.mat"),
        ];
        for (part, names) in named {
            for name in names.split(' ') {
                assert_eq!(part_of(name), Some(part), "{name}");
            }
        }
        let others = "trains training2test train_test cat tester contest latest valley devil evaluate.py 0 000 images \
                      strain x retrain t10 predators extras.zip attestation lernen übung prüf Testament 试 集";
        for name in others.split_whitespace() {
            assert_eq!(part_of(name), None, "{name}");
        }
        assert_eq!(part_of(""), None);
    }
}
