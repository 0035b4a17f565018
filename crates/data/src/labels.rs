//! Labels of conditional nets as rows of zeros and ones, one value per class or attribute. Generated images get the labels of
//! randomly drawn real images, so that D can't distinguish the two by their labels.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::random::Stream;
use crate::{Dataset, Subset};

/// Whether an image has one label or any number of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelKind {
    /// Exactly one class.
    #[default]
    Classes,
    /// Any of several attributes.
    Attributes,
}

/// `[labels]`: the labels of conditional nets; empty for unconditional nets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct LabelSettings {
    /// The classes of the data, or the attributes used by the nets.
    pub names: Vec<String>,
    /// Whether an image has one of them or any number.
    pub kind: LabelKind,
    /// The share of training images with each label; computed from the data, used to sample labels.
    pub shares: Vec<f64>,
}

/// Encodes the labels of a data set as rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditions {
    kind: LabelKind,
    /// For classes: the place in a row of each class of the data set. For attributes: their indices in the data set.
    columns: Vec<usize>,
    width: usize,
}

/// Whether image `index` has a class, or is known to have or not to have the attributes.
fn has_label(set: &dyn Dataset, index: usize) -> bool {
    set.label(index).is_some() || set.has_attribute(index, 0).is_some()
}

/// Whether every image has a label.
pub(crate) fn is_labelled(set: &dyn Dataset) -> bool {
    (0..set.len()).all(|index| has_label(set, index))
}

/// The images of `set` that have a label: `set` itself if all have one.
pub fn labelled(set: &Arc<dyn Dataset>) -> Arc<dyn Dataset> {
    if is_labelled(set.as_ref()) {
        return Arc::clone(set);
    }
    Arc::new(Subset::filter(set, |index| has_label(set.as_ref(), index)))
}

impl LabelSettings {
    /// Classes: each image has exactly one of `names`.
    pub fn classes<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self { names: names.into_iter().map(Into::into).collect(), kind: LabelKind::Classes, shares: Vec::new() }
    }

    /// Attributes: each image has any number of `names`.
    pub fn attributes<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self { kind: LabelKind::Attributes, ..Self::classes(names) }
    }

    /// Labels with the share of images with each.
    pub fn new(names: Vec<String>, kind: LabelKind, shares: Vec<f64>) -> Self {
        Self { names, kind, shares }
    }

    /// All labels of `dataset` with their shares.
    ///
    /// # Errors
    /// The set has no labels.
    pub fn of(dataset: &dyn Dataset) -> Result<Self> {
        let (classes, attributes) = (dataset.classes(), dataset.attributes());
        let (names, kind) = match (classes.is_empty(), attributes.is_empty()) {
            (false, _) => (classes, LabelKind::Classes),
            (true, false) => (attributes, LabelKind::Attributes),
            (true, true) => {
                return Err(match &dataset.info().unused_labels[..] {
                    [] => Error::data(
                        format!("{} has no labels, which conditional nets need", dataset.name()),
                        "choose a set with classes (mnist, cifar10, a folder with one subfolder per class) or attributes \
                         (celeba), or leave out `labels.names`, to train without labels",
                    ),
                    unused => Error::data(
                        format!(
                            "conditional nets need labels, but those of {} can't be used: {}",
                            dataset.name(),
                            unused.join("; ")
                        ),
                        "give a table (CSV) with the columns file_name and label, or one subfolder per class, or leave out \
                         `labels.names`, to train without labels",
                    ),
                });
            }
        };
        Self { names, kind, shares: Vec::new() }.counted(dataset)
    }

    /// The same labels with the shares of `dataset`.
    ///
    /// # Errors
    /// The set doesn't have these labels.
    pub fn counted(mut self, dataset: &dyn Dataset) -> Result<Self> {
        let conditions = Conditions::new(&self, dataset)?;
        let mut counts = vec![0u64; self.names.len()];
        for index in 0..dataset.len() {
            conditions.each(dataset, index, |label| counts[label] += 1);
        }
        // Rounded to keep the recipe readable; the precision is sufficient.
        let share = |count: u64| (1e6 * count as f64 / dataset.len().max(1) as f64).round() / 1e6;
        self.shares = counts.into_iter().map(share).collect();
        Ok(self)
    }

    /// Encodes `text` as a label row: a class, or attributes separated by commas; names or numbers.
    ///
    /// # Errors
    /// An unknown name, or several classes.
    pub fn encode(&self, text: &str) -> Result<Vec<f32>> {
        let Self { names, kind, .. } = self;
        let mut row = vec![0.0; names.len()];
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let place = place(names, word).ok_or_else(|| {
                let near = crate::nearest(word, names.iter().map(String::as_str));
                let near = near.filter(|_| word.parse::<f64>().is_err());
                let near = near.map_or(String::new(), |name| format!("did you mean {name}? "));
                Error::usage(
                    format!("there is no label {word}"),
                    format!("{near}expected one of: {}", names.join(", ")),
                )
            })?;
            row[place] = 1.0;
        }
        if *kind == LabelKind::Classes && row.iter().sum::<f32>() != 1.0 {
            return Err(Error::usage(
                format!("class {text}: an image has one class"),
                "name one; for more images repeat the command",
            ));
        }
        Ok(row)
    }
}

/// Which of `names` a word means: the one that is written so, is the same number, or is the only one that differs in case. Where no
/// name is a number, numbers count the names from 0.
fn place(names: &[String], word: &str) -> Option<usize> {
    let only = |is_meant: &dyn Fn(&str) -> bool| {
        let mut found = (0..names.len()).filter(|at| is_meant(&names[*at]));
        found.next().filter(|_| found.next().is_none())
    };
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    let counted =
        || word.parse().ok().filter(|at| *at < names.len() && names.iter().all(|name| number(name).is_none()));
    only(&|name| name == word)
        .or_else(|| number(word).and_then(|wanted| only(&|name| number(name) == Some(wanted))))
        .or_else(|| only(&|name| name.to_lowercase() == word.to_lowercase()))
        .or_else(counted)
}

impl Conditions {
    /// Looks up the recipe's labels in `dataset`, whose classes may be fewer.
    ///
    /// # Errors
    /// The set has other labels, or none, or images without label.
    pub fn new(labels: &LabelSettings, dataset: &dyn Dataset) -> Result<Self> {
        let known = match labels.kind {
            LabelKind::Classes => dataset.classes(),
            LabelKind::Attributes => dataset.attributes(),
        };
        let has = if known.is_empty() { "none".into() } else { known.join(", ") };
        let refuse = |what: String| Err(Error::recipe(what, format!("the labels of {} are: {has}", dataset.name())));
        let columns = match labels.kind {
            LabelKind::Classes if labels.names == known => (0..known.len()).collect(),
            LabelKind::Classes => {
                let place = |name: &String| labels.names.iter().position(|known| known == name);
                let places: Option<Vec<usize>> = known.iter().map(place).collect();
                let Some(places) = places.filter(|places| !places.is_empty()) else {
                    return refuse(format!(
                        "the nets have the classes {}, but the data has others",
                        labels.names.join(", ")
                    ));
                };
                places
            }
            LabelKind::Attributes => {
                let place = |name: &String| known.iter().position(|k| k == name);
                if let Some(missing) = labels.names.iter().find(|name| place(name).is_none()) {
                    return refuse(format!("{} has no attribute {missing}", dataset.name()));
                }
                labels.names.iter().filter_map(place).collect()
            }
        };
        refuse_unlabelled(dataset)?;
        Ok(Self { kind: labels.kind, columns, width: labels.names.len() })
    }

    /// Values per row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Calls `found` with every label of image `index`.
    fn each(&self, dataset: &dyn Dataset, index: usize, mut found: impl FnMut(usize)) {
        match self.kind {
            LabelKind::Classes => {
                if let Some(place) = dataset.label(index).and_then(|label| self.columns.get(label as usize)) {
                    found(*place);
                }
            }
            LabelKind::Attributes => {
                let holds = |attribute: &usize| dataset.has_attribute(index, *attribute) == Some(true);
                self.columns.iter().enumerate().filter(|(_, a)| holds(a)).for_each(|(label, _)| found(label));
            }
        }
    }

    /// The rows of the images at `indices`, one after the other.
    pub fn rows(&self, dataset: &dyn Dataset, indices: &[usize]) -> Vec<f32> {
        let mut rows = vec![0.0; indices.len() * self.width];
        for (row, &index) in rows.chunks_mut(self.width.max(1)).zip(indices) {
            self.each(dataset, index, |label| row[label] = 1.0);
        }
        rows
    }

    /// The rows of `n` images drawn at random, with replacement.
    pub fn drawn(&self, dataset: &dyn Dataset, draws: &Stream, turn: u64, n: usize) -> Vec<f32> {
        let indices: Vec<usize> = draws.uniform(turn, n, 0.0, 1.0).iter().map(|u| pick(*u, dataset.len())).collect();
        self.rows(dataset, &indices)
    }
}

/// Refuses a set with images without label.
fn refuse_unlabelled(set: &dyn Dataset) -> Result<()> {
    let mut without = (0..set.len()).filter(|index| !has_label(set, *index));
    let Some(first) = without.next() else { return Ok(()) };
    let count = 1 + without.count();
    Err(Error::data(
        format!(
            "{}: {count} of {} images have no label, {} for one; conditional nets need one for each image",
            set.name(),
            set.len(),
            set.image_name(first)
        ),
        "label these images or remove them, or leave out `labels.names`, to train without labels",
    ))
}

/// An index below `count` from a draw in [0, 1).
fn pick(u: f32, count: usize) -> usize {
    ((f64::from(u) * count as f64) as usize).min(count.saturating_sub(1))
}

/// Samples `n` label rows by the labels' shares, without a data set.
pub fn sample_labels(labels: &LabelSettings, draws: &Stream, first: u64, n: usize) -> Vec<f32> {
    let width = labels.names.len();
    let mut rows = vec![0.0; n * width];
    let share = |label: usize| labels.shares.get(label).copied().unwrap_or(1.0 / width.max(1) as f64);
    for (i, row) in rows.chunks_mut(width.max(1)).enumerate() {
        let u = draws.uniform(first + i as u64, width, 0.0, 1.0);
        match labels.kind {
            LabelKind::Classes => {
                let total: f64 = (0..width).map(share).sum();
                let mut left = f64::from(u[0]) * total;
                let chosen = (0..width).find(|label| {
                    left -= share(*label);
                    left < 0.0
                });
                row[chosen.unwrap_or(width - 1)] = 1.0;
            }
            LabelKind::Attributes => {
                for (label, value) in row.iter_mut().enumerate() {
                    *value = f32::from(f64::from(u[label]) < share(label));
                }
            }
        }
    }
    rows
}

/// Label rows of a sheet with every label: class r in row r; for attributes, none in row 0 and attribute r - 1 alone in
/// row r. If there are more than `most` labels, evenly spaced ones.
pub fn label_grid(labels: &LabelSettings, most: usize) -> Vec<Vec<f32>> {
    let width = labels.names.len();
    let alone = |label: usize| (0..width).map(|l| f32::from(l == label)).collect::<Vec<_>>();
    let mut rows: Vec<Vec<f32>> = match labels.kind {
        LabelKind::Classes => Vec::new(),
        LabelKind::Attributes => vec![vec![0.0; width]],
    };
    let room = most.saturating_sub(rows.len()).max(1);
    let shown = width.min(room);
    rows.extend((0..shown).map(|i| alone(i * width / shown.max(1))));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class_labels::ClassLabels;
    use crate::{ImageShape, InMemory};

    fn set() -> InMemory {
        let shape = ImageShape { height: 1, width: 1, channels: 1 };
        let names = ["a", "b", "c"].map(String::from).to_vec();
        InMemory::from_bytes("x", shape, vec![0; 4]).unwrap().with_labels(vec![2, 0, 2, 1], names).unwrap()
    }

    #[test]
    fn rows_follow_labels() {
        let labels = LabelSettings::of(&set()).unwrap();
        assert_eq!((labels.kind, labels.shares.clone()), (LabelKind::Classes, vec![0.25, 0.25, 0.5]));
        let conditions = Conditions::new(&labels, &set()).unwrap();
        assert_eq!(conditions.rows(&set(), &[0, 1]), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        let drawn = conditions.drawn(&set(), &Stream::new(1, "labels"), 0, 4000);
        let share = drawn.chunks(3).filter(|row| row[2] == 1.0).count() as f32 / 4000.0;
        assert!((share - 0.5).abs() < 0.03, "{share}");
        let other = LabelSettings { names: vec!["a".into(), "z".into()], ..labels.clone() };
        assert!(Conditions::new(&other, &set()).unwrap_err().hint().ends_with("are: a, b, c"));
        let attributes = LabelSettings { kind: LabelKind::Attributes, ..labels };
        assert!(Conditions::new(&attributes, &set()).is_err());
    }

    #[test]
    fn labels_are_asked_for_by_name_or_number() {
        let meant =
            |names: &[&str], word: &str| place(&names.iter().map(ToString::to_string).collect::<Vec<_>>(), word);
        for (names, word, expected) in [
            (&["Cat", "cat"][..], "cat", Some(1)),
            (&["Cat", "cat"], "CAT", None),
            (&["Cat", "dog"], "cat", Some(0)),
            (&["Été", "dog"], "été", Some(0)),
            (&["01", "02", "03"], "1", Some(0)),
            (&["01", "02", "03"], "3", Some(2)),
            (&["01", "02", "03"], "0", None),
            (&["5", "6", "7"], "0", None),
            (&["-1", "1"], "0", None),
            (&["-1", "1"], "+1", Some(1)),
            (&["0.5", "2"], "2.0", Some(1)),
            (&["a", "b"], "1", Some(1)),
            (&["a", "b"], "2", None),
            (&["a", "7"], "0", None),
        ] {
            assert_eq!(meant(names, word), expected, "{word} of {names:?}");
        }
    }

    #[test]
    fn classes_are_found_by_name() {
        let labels = LabelSettings::classes(["z", "c", "b", "a"]);
        let conditions = Conditions::new(&labels, &set()).unwrap();
        assert_eq!(conditions.rows(&set(), &[0, 1]), [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        let unlabelled = InMemory::from_bytes("x", set().shape(), vec![0; 4]).unwrap();
        assert!(Conditions::new(&labels, &unlabelled).unwrap_err().hint().ends_with("are: none"));
    }

    #[test]
    fn images_without_label_are_refused_or_left_out() {
        let classes = ClassLabels::from_ints(vec![Some(5), None, Some(4), Some(-1)], &[]);
        let some = InMemory::from_bytes("x", set().shape(), vec![0; 4]).unwrap().with_class_labels(classes).unwrap();
        let error = LabelSettings::of(&some).unwrap_err();
        let expected = "x: 2 of 4 images have no label, image 1 for one; conditional nets need one for each image";
        assert_eq!(error.to_string(), expected);
        let some: Arc<dyn Dataset> = Arc::new(some);
        let rest = labelled(&some);
        assert_eq!((rest.len(), rest.label(1), rest.image_name(1)), (2, Some(0), "image 2".to_owned()));
        assert_eq!(LabelSettings::of(rest.as_ref()).unwrap().shares, [0.5, 0.5]);
        let whole: Arc<dyn Dataset> = Arc::new(set());
        assert!(Arc::ptr_eq(&labelled(&whole), &whole));
        let places = |labels: Vec<Option<i64>>| {
            let set = InMemory::from_bytes("x", set().shape(), vec![0; 4]).unwrap();
            set.with_class_labels(ClassLabels::from_ints(labels, &[])).unwrap().fingerprint()
        };
        assert_ne!(places(vec![Some(5), None, Some(4), Some(4)]), places(vec![Some(5), Some(4), None, Some(4)]));
    }

    #[test]
    fn images_at_large_have_the_shares() {
        let names = ["a", "b"].map(String::from).to_vec();
        for (kind, shares) in [(LabelKind::Classes, vec![0.8, 0.2]), (LabelKind::Attributes, vec![0.8, 0.6])] {
            let labels = LabelSettings { names: names.clone(), kind, shares: shares.clone() };
            let rows = sample_labels(&labels, &Stream::new(1, "labels"), 10, 4000);
            for (label, share) in shares.iter().enumerate() {
                let found = rows.chunks(2).filter(|row| row[label] == 1.0).count() as f64 / 4000.0;
                assert!((found - share).abs() < 0.03, "{kind:?}: {found} {share}");
            }
            assert_eq!(sample_labels(&labels, &Stream::new(1, "labels"), 13, 2), rows[6..10]);
        }
    }

    #[test]
    fn tours_show_every_label() {
        let names: Vec<String> = (0..40).map(|i| i.to_string()).collect();
        let classes = LabelSettings { names, ..LabelSettings::default() };
        let rows = label_grid(&classes, 10);
        assert_eq!(rows.len(), 10);
        assert!(rows.iter().enumerate().all(|(i, row)| row[i * 4] == 1.0 && row.iter().sum::<f32>() == 1.0));
        let attributes = LabelSettings { kind: LabelKind::Attributes, ..classes };
        let rows = label_grid(&attributes, 41);
        assert_eq!((rows.len(), rows[0].iter().sum::<f32>(), rows[40][39]), (41, 0.0, 1.0));
    }
}
