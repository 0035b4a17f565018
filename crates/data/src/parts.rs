//! The parts of a data set: images to train on, validation and test images, and images without labels. Published sets name
//! them in folders and file names: `train/`, `training_set`, `seg_test`, `val2017`, `kmnist-test-imgs.npz`.

mod archived;
mod by_name;
mod companions;
mod divide;
mod naming;
mod rejects;
mod said;

pub(crate) use archived::archived_parts;
pub(crate) use by_name::{ByName, by_name, without_part};
pub(crate) use companions::{Contents, Glance, SIDE, Why, folder_is_about, folder_is_set};
pub(crate) use divide::{Holding, divide, divide_images, plain};
pub(crate) use naming::{part_of, rest_of, words};
pub(crate) use rejects::means_taken_out;
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

/// Names of columns and arrays that hold a word for the part of each image, without signs.
const TELLING: [&str; 24] = [
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
    "aufteilung",
    "teilmenge",
    "ensemble",
    "conjunto",
    "particion",
    "evaluationstatus",
];

/// Whether a column or array of this name holds a word for the part of each image.
pub(crate) fn is_of_parts(name: &str) -> bool {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    TELLING.contains(&plain.as_str())
}

/// Whether a column of this name holds nothing but parts; those of others may be about the images: parts of cars, the usage of clothes.
pub(crate) fn is_of_parts_alone(name: &str) -> bool {
    const OTHERS: [&str; 6] = ["usage", "phase", "part", "parts", "set", "ensemble"];
    is_of_parts(name) && !OTHERS.iter().any(|other| name.eq_ignore_ascii_case(other))
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
    // Of sets to find images again: those to judge with.
    let by_use = || ["query", "gallery"].iter().any(|word| cell.eq_ignore_ascii_case(word)).then_some(Part::Test);
    let by_number = || cell.parse().ok().filter(|_| is_partition(name)).and_then(of_partition);
    part_of(cell).or_else(by_flag).or_else(by_number).or_else(by_use)
}

/// What a cell of a column of yes and no says, as programs write it, also those that speak German, French, Spanish or Italian.
pub(crate) fn yes_or_no(cell: &str) -> Option<bool> {
    match cell.to_lowercase().as_str() {
        "1" | "1.0" | "true" | "yes" | "wahr" | "ja" | "vrai" | "oui" | "verdadero" | "sí" | "si" | "sì" | "vero"
        | "sim" | "да" => Some(true),
        "0" | "0.0" | "false" | "no" | "falsch" | "nein" | "faux" | "non" | "falso" | "nee" | "não" | "нет" => {
            Some(false)
        }
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
}
