//! Classes from raw labels, for every format: whole numbers or text, one value per image, some missing.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use crate::first_names::first_names;
use crate::spelling;

/// Fewest labels that, nearly all different, are the numbers or names of the images.
const MIN_IDS: usize = 8;

/// One image in this many may share its label with another one.
const SHARED_SHARE: usize = 20;

/// The class of each image, and the names of the classes. Classes are the values that occur, in order: labels from 1 to 26 are
/// 26 classes called 1 to 26.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClassLabels {
    /// The class of each image, an index of `names`; `None` for an image without label.
    pub labels: Vec<Option<u32>>,
    /// The names of the classes; empty if no image has a label.
    pub names: Vec<String>,
    /// What to tell the user about the labels, one sentence each.
    pub notes: Vec<String>,
}

impl ClassLabels {
    /// Classes from whole numbers, sorted; `None` and -1 mean that an image has no label, but -1 and 1 alone are two classes. With
    /// `names`, which the file declares, the value `k` is `names[k]`, and names without images are kept, but for empty ones, which
    /// no class has; names that end before the largest value are left aside, with a note.
    #[cfg(test)]
    pub fn from_ints(values: Vec<Option<i64>>, names: &[String]) -> Self {
        Self::from_ints_among(values, &[], names)
    }

    /// `from_ints` for one part of a data set; the values of the `others` are classes as well, so that all parts have the same.
    pub fn from_ints_among(values: Vec<Option<i64>>, others: &[Option<i64>], names: &[String]) -> Self {
        let is = |wanted: i64| values.iter().chain(others).flatten().any(|value| *value == wanted);
        // -1 beside 1 alone is the other one of two classes.
        let has_two =
            names.is_empty() && is(-1) && is(1) && values.iter().chain(others).flatten().all(|v| matches!(v, -1 | 1));
        let labelled = |value: &Option<i64>| value.filter(|value| *value != -1 || has_two);
        let mut found: Vec<i64> = values.iter().chain(others).filter_map(labelled).collect();
        found.sort_unstable();
        found.dedup();
        let named = |value: i64| usize::try_from(value).ok().filter(|at| names.get(*at).is_some_and(|n| !n.is_empty()));
        if !names.is_empty() && found.iter().all(|value| named(*value).is_some()) {
            // Numbers without a name are no classes.
            let place = |next: &mut u32, name: &String| {
                let at = *next;
                *next += u32::from(!name.is_empty());
                Some(at)
            };
            let places: Vec<u32> = names.iter().scan(0, place).collect();
            let labels = values.iter().map(|value| labelled(value).and_then(named).map(|at| places[at]));
            return Self::new(labels.collect(), names.iter().filter(|name| !name.is_empty()).cloned().collect());
        }
        let rank = |value: i64| found.binary_search(&value).ok().map(|rank| rank as u32);
        let labels = values.iter().map(|value| labelled(value).and_then(rank)).collect();
        let mut classes = Self::new(labels, found.iter().map(i64::to_string).collect());
        if let (false, Some(last)) = (names.is_empty() || classes.names.is_empty(), found.last()) {
            let count = names.len();
            classes
                .notes
                .push(format!("classes are called by their numbers: there are {count} names, but a label is {last}"));
        }
        classes
    }

    /// Classes from text, in natural order; `None`, -1 and empty text mean that an image has no label. Text that holds whole
    /// numbers only is read as these.
    pub fn from_text(values: Vec<Option<String>>) -> Self {
        Self::from_text_among(values, &[])
    }

    /// `from_text` for one part of a data set, as in `from_ints_among`.
    pub fn from_text_among(values: Vec<Option<String>>, others: &[Option<String>]) -> Self {
        let text = |value: &Option<String>| -> Option<String> {
            value.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let (values, others): (Vec<_>, Vec<_>) = (values.iter().map(text).collect(), others.iter().map(text).collect());
        // "007" and "7" are two texts but one number, so only plain numbers are read as such.
        let number = |text: &String| text.parse::<i64>().ok().filter(|number| number.to_string() == *text);
        if values.iter().chain(&others).flatten().all(|text| number(text).is_some()) {
            let ints = |texts: &[Option<String>]| texts.iter().map(|text| text.as_ref().and_then(number)).collect();
            return Self::from_ints_among(ints(&values), &ints(&others), &[]);
        }
        let labelled = |text: &Option<String>| text.clone().filter(|text| text != "-1");
        let (values, others): (Vec<_>, Vec<_>) =
            (values.iter().map(labelled).collect(), others.iter().map(labelled).collect());
        let mut found: Vec<&String> = values.iter().chain(&others).flatten().collect();
        found.sort_unstable();
        found.dedup();
        found.sort_by(|a, b| natural_order(a, b));
        let rank: BTreeMap<&String, u32> = found.iter().copied().zip(0..).collect();
        let labels = values.iter().map(|text| text.as_ref().and_then(|text| rank.get(text).copied())).collect();
        let mut classes = Self::new(labels, found.into_iter().cloned().collect());
        classes.notes.extend(spelling::alike(&classes.names));
        classes
    }

    /// A class for each image: label `k` means `names[k]`.
    pub fn complete(labels: Vec<u32>, names: Vec<String>) -> Self {
        Self::new(labels.into_iter().map(Some).collect(), names)
    }

    fn new(labels: Vec<Option<u32>>, names: Vec<String>) -> Self {
        let mut classes = Self { labels, names, notes: Vec::new() };
        let (missing, all) = (classes.unlabelled(), classes.labels.len());
        if missing == all {
            classes.names.clear();
        } else if missing > 0 {
            let have = if missing == 1 { "has" } else { "have" };
            classes.notes.push(format!("{missing} of {all} images {have} no label"));
        }
        classes
    }

    /// The number of classes, and their names: `3 classes (cat, dog, fox)`.
    pub fn describe(&self) -> String {
        describe_classes(&self.names)
    }

    /// Number of images without label.
    pub fn unlabelled(&self) -> usize {
        self.labels.iter().filter(|label| label.is_none()).count()
    }
}

/// Why labels are those of single images and not of classes, as the end of a sentence: nearly every image has one of its own. Sets
/// with few images for each class have at least two. `None` for other labels.
pub(crate) fn ids<T: Hash + Eq>(labels: impl Iterator<Item = T>) -> Option<String> {
    let mut images: HashMap<T, usize> = HashMap::new();
    labels.for_each(|label| *images.entry(label).or_default() += 1);
    let (count, alone) = (images.values().sum::<usize>(), images.values().filter(|images| **images == 1).count());
    if count < MIN_IDS || (count - alone) * SHARED_SHARE > count {
        return None;
    }
    let what = match count - alone {
        0 => "no two images have the same one".to_owned(),
        _ => format!("{alone} of {count} images have one of their own"),
    };
    Some(format!("{what}, so that they are numbers or names of the images, no classes"))
}

/// Compares runs of digits by value and other text by its characters: `img2` comes before `img10`.
pub(crate) fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut a_rest, mut b_rest) = (a, b);
    loop {
        let (x, y) = match (a_rest.chars().next(), b_rest.chars().next()) {
            (Some(x), Some(y)) => (x, y),
            // `007` and `7` have the same value.
            (x, y) => return x.is_some().cmp(&y.is_some()).then_with(|| a.cmp(b)),
        };
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (x, y);
            (x, a_rest) = digits(a_rest);
            (y, b_rest) = digits(b_rest);
            match x.len().cmp(&y.len()).then_with(|| x.cmp(y)) {
                Ordering::Equal => {}
                unequal => return unequal,
            }
        } else if x == y {
            (a_rest, b_rest) = (&a_rest[x.len_utf8()..], &b_rest[y.len_utf8()..]);
        } else {
            return x.cmp(&y);
        }
    }
}

/// The digits at the start of `text`, without leading zeros, and the rest.
fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (text[..end].trim_start_matches('0'), &text[end..])
}

/// The number of classes, and their names: `3 classes (cat, dog, fox)`.
pub(crate) fn describe_classes(names: &[String]) -> String {
    /// Names that are listed.
    const MOST: usize = 10;
    let count = names.len();
    format!("{count} class{} ({})", if count == 1 { "" } else { "es" }, first_names(names, MOST))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn ints(values: &[i64], named: &[&str]) -> (Vec<i64>, Vec<String>) {
        parts(ClassLabels::from_ints(values.iter().copied().map(Some).collect(), &names(named)))
    }

    fn text(values: &[&str]) -> (Vec<i64>, Vec<String>) {
        parts(ClassLabels::from_text(values.iter().map(|text| Some((*text).to_owned())).collect()))
    }

    /// Labels, -1 where there is none.
    fn parts(classes: ClassLabels) -> (Vec<i64>, Vec<String>) {
        (classes.labels.iter().map(|label| label.map_or(-1, i64::from)).collect(), classes.names)
    }

    #[test]
    fn numbers_that_occur_are_the_classes() {
        assert_eq!(ints(&[1, 3, 2, 1], &[]), (vec![0, 2, 1, 0], names(&["1", "2", "3"])));
        assert_eq!(ints(&[10, 9, -1, 9], &[]), (vec![1, 0, -1, 0], names(&["9", "10"])));
        assert_eq!(ints(&[-5, 7], &[]), (vec![0, 1], names(&["-5", "7"])));
        assert_eq!(ints(&[-1, 1, -1], &[]), (vec![0, 1, 0], names(&["-1", "1"])));
        assert_eq!(ints(&[-1, 1, 0], &[]), (vec![-1, 1, 0], names(&["0", "1"])));
        assert_eq!(ints(&[1, 1], &[]), (vec![0, 0], names(&["1"])));
        let least = i64::MIN.to_string();
        assert_eq!(ints(&[i64::MIN, 1, -1], &[]), (vec![0, 1, -1], names(&[least.as_str(), "1"])));
        assert_eq!(ints(&[-1, -1], &["a"]), (vec![-1, -1], names(&[])));
        assert_eq!(ints(&[], &[]), (vec![], names(&[])));
        let among = ClassLabels::from_ints_among(vec![Some(4), None], &[Some(2), Some(-1), Some(9)], &[]);
        assert_eq!(parts(among), (vec![1, -1], names(&["2", "4", "9"])));
    }

    #[test]
    fn declared_names_go_by_value() {
        assert_eq!(ints(&[2, 0, -1], &["cat", "dog", "owl"]), (vec![2, 0, -1], names(&["cat", "dog", "owl"])));
        assert_eq!(ints(&[2, 1, -1], &["", "a", "b", "c"]), (vec![1, 0, -1], names(&["a", "b", "c"])));
        assert_eq!(ints(&[3, 1, 3], &["", "a", "", "b"]), (vec![1, 0, 1], names(&["a", "b"])));
        assert_eq!(ints(&[0, 1], &["", "a"]), (vec![0, 1], names(&["0", "1"])));
        let odd = ClassLabels::from_ints(vec![Some(1), Some(3)], &names(&["cat", "dog", "owl"]));
        assert_eq!(odd.notes, ["classes are called by their numbers: there are 3 names, but a label is 3"]);
        assert_eq!(parts(odd), (vec![0, 1], names(&["1", "3"])));
    }

    #[test]
    fn text_comes_in_natural_order() {
        assert_eq!(text(&["dog", " cat ", "", "dog"]), (vec![1, 0, -1, 1], names(&["cat", "dog"])));
        assert_eq!(text(&["10", "9", "-1"]), (vec![1, 0, -1], names(&["9", "10"])));
        assert_eq!(text(&["a10", "a9", "10"]), (vec![2, 1, 0], names(&["10", "a9", "a10"])));
        assert_eq!(text(&["01", "1", "2"]), (vec![0, 1, 2], names(&["01", "1", "2"])));
        assert_eq!(text(&["", " "]), (vec![-1, -1], names(&[])));
    }

    #[test]
    fn images_without_label_are_counted() {
        let some = ClassLabels::from_ints(vec![Some(4), None, Some(-1)], &[]);
        assert_eq!(some.describe(), "1 class (4)");
        assert_eq!((some.unlabelled(), some.notes), (2, vec!["2 of 3 images have no label".to_owned()]));
        assert_eq!(
            ClassLabels::from_text(vec![None, None]),
            ClassLabels { labels: vec![None; 2], ..Default::default() }
        );
        assert_eq!(ClassLabels::from_ints(vec![Some(0)], &[]).notes, names(&[]));
    }

    #[test]
    fn labels_of_single_images_are_no_classes() {
        let all = "no two images have the same one, so that they are numbers or names of the images, no classes";
        assert_eq!(ids(0..8).as_deref(), Some(all));
        assert_eq!(ids(0..7), None);
        // Two of 40 share one, three, two in each class, one class of many.
        let twice = ids((0..40).map(|at| if at == 39 { 0 } else { at }));
        assert!(twice.is_some_and(|why| why.starts_with("38 of 40 images have one of their own, so")));
        assert_eq!(ids((0..40).map(|at| if at > 37 { 0 } else { at })), None);
        assert_eq!(ids((0..1000).map(|at| at / 2)), None);
        assert_eq!(ids((0..1000).map(|at| if at < 60 { 0 } else { at })), None);
    }

    fn short() -> impl Strategy<Value = Vec<char>> {
        prop::collection::vec(prop::sample::select(vec!['a', '0', '1', '9', 'é']), 0..5)
    }

    proptest! {
        #[test]
        fn names_by_label_are_the_values(values in prop::collection::vec(prop::option::of(-3i64..40), 0..40)) {
            let classes = ClassLabels::from_ints(values.clone(), &[]);
            let has = |wanted| values.contains(&Some(wanted));
            prop_assume!(!(has(-1) && has(1)));
            for (value, label) in values.iter().zip(&classes.labels) {
                let name = label.map(|label| classes.names[label as usize].clone());
                prop_assert_eq!(name, value.filter(|value| *value != -1).map(|value| value.to_string()));
            }
            let as_text = values.iter().map(|value| value.map(|value| value.to_string())).collect();
            prop_assert_eq!(ClassLabels::from_text(as_text), classes);
        }

        #[test]
        fn natural_order_is_an_order(texts in prop::collection::vec(short(), 3)) {
            let [a, b, c] = [0, 1, 2].map(|at| String::from_iter(&texts[at]));
            prop_assert_eq!(natural_order(&a, &b), natural_order(&b, &a).reverse());
            prop_assert_eq!(natural_order(&a, &b) == Ordering::Equal, a == b);
            if natural_order(&a, &b) == natural_order(&b, &c) {
                prop_assert_eq!(natural_order(&a, &b), natural_order(&a, &c));
            }
        }
    }
}
