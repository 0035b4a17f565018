//! The real images' side of a judgement: their features, the statistics derived from them, and the scores that real
//! images reach among themselves. It is the same whatever is judged, so it is cached, under a name that is a digest of
//! all it depends on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cache::{self, doubles, floats, integers};
use crate::features::extractor::{Extracted, Extractor};
use crate::scores::classes::{ClassBalance, ConditionalAccuracy, RealClasses, classifier_score};
use crate::scores::diversity::{ClassDiversity, Spread};
use crate::scores::frechet::{Gaussian, frechet_distance};
use crate::scores::kid::{Subsets, kid};
use crate::scores::prdc::{Neighbourhood, Prdc, Radii};
use crate::selection::Selection;
use crate::{Bootstrap, Features, Floor, Metric, Moments, Parameters, ScoreName};
use faussaire_data::error::Result;

/// To be raised whenever the same images give other numbers.
const VERSION: u32 = 3;

/// What is written for an image without label.
const NO_LABEL: u32 = u32::MAX;

/// Features of fewer images are computed again in the time that reading a file takes.
const MIN_CACHED: usize = 1000;

/// Features and statistics of real images.
#[derive(Clone, Debug)]
pub(crate) struct ReferenceStats {
    pub(crate) features: Features,
    /// The predicted class of each image, by a classifier of classes.
    pub(crate) predictions: Option<Vec<u32>>,
    /// The label of each image, where the set gives one.
    pub(crate) labels: Vec<Option<u32>>,
    pub(crate) gaussian: Gaussian,
    pub(crate) radii: Radii,
    pub(crate) subsets: Subsets,
    /// The score of one half of the images against the other half.
    floors: BTreeMap<Metric, Floor>,
}

/// The header of a cached file. Floors are kept by their bits, which decimal text would round, under the metric's key
/// and parameters.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    rows: usize,
    dims: usize,
    #[serde(rename = "guesses")]
    has_predictions: bool,
    floors: BTreeMap<String, [u64; 3]>,
}

impl Selection<'_> {
    /// Where their features are cached, if they are many enough.
    fn cache_path(&self, extractor: &Extractor) -> Option<PathBuf> {
        if self.samples.min(self.set.len()) < MIN_CACHED {
            return None;
        }
        let numbers = format!("{VERSION} {} {} {}", self.set.len(), self.samples, self.seed);
        cache::path("real", &[&extractor.digest(), &self.set.fingerprint(), &self.set.name(), &numbers])
    }
}

impl ReferenceStats {
    /// Loads them from the cache, or computes and caches them; `extract` gives the features of the images at indices of the set.
    ///
    /// # Errors
    /// An image that can't be read, or too few of them.
    pub(crate) fn open(
        extractor: &Extractor,
        selection: Selection,
        extract: &mut dyn FnMut(&[usize]) -> Result<Extracted>,
    ) -> Result<Self> {
        let path = selection.cache_path(extractor);
        if let Some(cached) = path.as_deref().and_then(|path| Self::load(path, selection)) {
            return Ok(cached);
        }
        let chosen = selection.indices();
        let stats = Self::new(extractor, selection, &chosen, extract(&chosen)?)?;
        if let Some(path) = path {
            // A cache that can't be written costs time, not the judgement.
            let _ = stats.save(&path);
        }
        Ok(stats)
    }

    /// Whether a file of the cache has them, by its name.
    pub(crate) fn is_cached(extractor: &Extractor, selection: Selection) -> bool {
        selection.cache_path(extractor).is_some_and(|path| path.is_file())
    }

    /// Those of the images `chosen`, of which these features were extracted.
    fn new(extractor: &Extractor, selection: Selection, chosen: &[usize], extracted: Extracted) -> Result<Self> {
        let subsets = subsets(&extracted.features, selection);
        let radii = Radii::new(&extracted.features, Neighbourhood::default())?;
        // The set may have fewer classes than the training images.
        let (own, known) = (selection.set.classes(), extractor.classes());
        let places: Vec<_> = own.iter().map(|name| known.iter().position(|known| known == name)).collect();
        let place = |label: u32| places.get(label as usize).copied().flatten().map(|place| place as u32);
        let label = |&i: &usize| selection.set.label(selection.set.resolved(i)).and_then(place);
        let labels: Vec<Option<u32>> = chosen.iter().map(label).collect();
        let mut floors = floors(&extracted.features, &subsets, selection.seed)?;
        let real_classes = |predicted: &[u32], labels: &[Option<u32>]| extractor.real_classes(predicted, labels);
        floors.extend(class_floors(&extracted, &real_classes, &labels, selection.seed)?);
        let gaussian = Gaussian::new(Moments::of(&extracted.features)?);
        let predictions = extracted.predictions.map(|predictions| predictions.classes);
        Ok(Self { features: extracted.features, predictions, labels, gaussian, radii, subsets, floors })
    }

    /// The rows of the images that class scores compare with.
    pub(crate) fn labelled(&self) -> Vec<usize> {
        labelled(&self.labels)
    }

    /// The score by `metric` that real images reach among themselves, if it is known.
    pub(crate) fn floor(&self, metric: Metric) -> Option<Floor> {
        self.floors.get(&metric).copied()
    }

    fn save(&self, path: &Path) -> Result<()> {
        let parameters = Parameters { subset_size: self.subsets.rows, neighbourhood: Neighbourhood::default() };
        let name = |metric: Metric| ScoreName::new(metric, parameters.of(metric)).to_string();
        let about = About {
            rows: self.features.rows(),
            dims: self.features.dims(),
            has_predictions: self.predictions.is_some(),
            floors: self
                .floors
                .iter()
                .map(|(metric, floor)| (name(*metric), floor.numbers().map(f64::to_bits)))
                .collect(),
        };
        let mut numbers: Vec<u8> = self.features.values().iter().flat_map(|v| v.to_le_bytes()).collect();
        numbers.extend(self.radii.lists().iter().copied().flatten().flat_map(|v| v.to_le_bytes()));
        numbers.extend(self.predictions.iter().flatten().flat_map(|class| class.to_le_bytes()));
        numbers.extend(self.labels.iter().flat_map(|label| label.unwrap_or(NO_LABEL).to_le_bytes()));
        cache::save(path, &about, &numbers)
    }

    fn load(path: &Path, selection: Selection) -> Option<Self> {
        let (about, numbers): (About, _) = cache::load(path)?;
        let rows = selection.samples.min(selection.set.len());
        let (features, radii) = (rows.checked_mul(about.dims)?.checked_mul(4)?, rows.checked_mul(8)?);
        let predictions = if about.has_predictions { rows * 4 } else { 0 };
        let length = features.checked_add(2 * radii)?.checked_add(predictions)?.checked_add(rows * 4)?;
        if about.rows != rows || numbers.len() != length {
            return None;
        }
        let (values, rest) = numbers.split_at(features);
        let features = Features::new(floats(values), rows, about.dims).ok()?;
        let (precision, rest) = rest.split_at(radii);
        let (density, rest) = rest.split_at(radii);
        let (classes, labels) = rest.split_at(predictions);
        let radii = Radii::from_lists(Neighbourhood::default(), doubles(precision), doubles(density));
        let label = |label: u32| Some(label).filter(|label| *label != NO_LABEL);
        let subsets = subsets(&features, selection);
        let floor = |(name, bits): (String, [u64; 3])| {
            (ScoreName::parse(&name).metric, Floor::from_numbers(bits.map(f64::from_bits)))
        };
        Some(Self {
            gaussian: Gaussian::new(Moments::of(&features).ok()?),
            predictions: about.has_predictions.then(|| integers(classes)),
            labels: integers(labels).into_iter().map(label).collect(),
            floors: about.floors.into_iter().map(floor).collect(),
            features,
            radii,
            subsets,
        })
    }
}

/// The kernel distance's subsets: at most half of the real images, so that the floor's are as large.
fn subsets(features: &Features, selection: Selection) -> Subsets {
    let rows = 1000.min(features.rows() / 2).min(selection.samples);
    Subsets { rows, seed: selection.seed, ..Subsets::default() }
}

/// The rows of the images with a label; all rows where none has one.
fn labelled(labels: &[Option<u32>]) -> Vec<usize> {
    let rows: Vec<usize> = (0..labels.len()).filter(|&row| labels[row].is_some()).collect();
    if rows.is_empty() { (0..labels.len()).collect() } else { rows }
}

/// Number of random halvings that a floor is measured on: more where they cost little and differ most.
fn splits(rows: usize) -> u64 {
    (20_000 / rows.max(1)).clamp(3, 10) as u64
}

/// The scores of one half of the real images against the other half, over several random halvings.
fn floors(features: &Features, subsets: &Subsets, seed: u64) -> Result<BTreeMap<Metric, Floor>> {
    let one = |split: u64| {
        let [one, other] = features.half_rows(seed, split)?;
        between_halves(&features.select(&one)?, &features.select(&other)?, subsets, seed)
    };
    let all = (0..splits(features.rows())).map(one).collect::<Result<Vec<_>>>()?;
    Ok(over_splits(&all))
}

/// The floor of every metric that all splits have a value of.
fn over_splits(splits: &[Vec<(Metric, f64)>]) -> BTreeMap<Metric, Floor> {
    let mut values: BTreeMap<Metric, Vec<f64>> = BTreeMap::new();
    splits.iter().flatten().for_each(|(metric, value)| values.entry(*metric).or_default().push(*value));
    let complete = values.into_iter().filter(|(_, values)| values.len() == splits.len());
    complete.filter_map(|(metric, values)| Some((metric, Floor::of(values)?))).collect()
}

/// The scores of one half of the real images against the other half.
fn between_halves(one: &Features, other: &Features, subsets: &Subsets, seed: u64) -> Result<Vec<(Metric, f64)>> {
    let k = Neighbourhood::default();
    let prdc = Prdc::new(one, &Radii::new(one, k)?, other)?;
    let few = Subsets { count: 20, ..*subsets };
    let bootstrap = values_only(seed);
    Ok(vec![
        (Metric::Frechet, frechet_distance(one, other)?.distance),
        (Metric::Kernel, kid(one, other, &few)?.mean),
        (Metric::Precision, prdc.precision(&bootstrap).value),
        (Metric::Recall, prdc.recall(&bootstrap).value),
        (Metric::Density, prdc.density(&bootstrap).value),
        (Metric::Coverage, prdc.coverage(&bootstrap).value),
    ])
}

/// For scores of which only the values are used, not the intervals.
fn values_only(seed: u64) -> Bootstrap {
    Bootstrap { resamples: 1, seed, ..Bootstrap::default() }
}

/// The classes of real images, from predictions and labels.
type ClassesOf<'a> = dyn Fn(&[u32], &[Option<u32>]) -> Result<RealClasses> + 'a;

/// The same for scores of class predictions, on labelled images alone. A metric that can't be computed on so few images
/// has no floor.
fn class_floors(
    extracted: &Extracted,
    real_classes: &ClassesOf<'_>,
    labels: &[Option<u32>],
    seed: u64,
) -> Result<BTreeMap<Metric, Floor>> {
    let Some(predictions) = &extracted.predictions else { return Ok(BTreeMap::new()) };
    let rows = labelled(labels);
    let features = extracted.features.select(&rows)?;
    let classes: Vec<u32> = rows.iter().map(|&row| predictions.classes[row]).collect();
    let labels: Vec<Option<u32>> = rows.iter().map(|&row| labels[row]).collect();
    let (bootstrap, count) = (values_only(seed), real_classes(&classes, &labels)?.expected.len());
    let one = |split: u64| {
        let halves = features.half_rows(seed, split)?;
        let [one, other] = halves.each_ref().map(|rows| rows.iter().map(|&row| classes[row]).collect::<Vec<_>>());
        let their_labels: Vec<Option<u32>> = halves[0].iter().map(|&row| labels[row]).collect();
        let mut values = Vec::new();
        if let Ok(balance) = ClassBalance::new(&other, &real_classes(&one, &their_labels)?, &bootstrap) {
            values.push((Metric::ClassKl, balance.kl.value));
            values.push((Metric::MissingClasses, balance.missing.len() as f64));
        }
        if predictions.probabilities.is_some() {
            let spread = |rows: &[usize], classes: &[u32]| Spread::new(&features.select(rows)?, classes, count);
            let (one, other) = (spread(&halves[0], &one)?, spread(&halves[1], &other)?);
            if let Ok(diversity) = ClassDiversity::new(&one, &other, &bootstrap) {
                values.push((Metric::ClassDiversity, diversity.all.value));
            }
        }
        Ok(values)
    };
    let splits = if rows.len() < 2 { 0 } else { splits(rows.len()) };
    let mut floors = over_splits(&(0..splits).map(one).collect::<Result<Vec<_>>>()?);
    if let Some(probabilities) = &predictions.probabilities {
        let of_row = |&row: &usize| probabilities[row * count..(row + 1) * count].to_vec();
        let probabilities: Vec<f32> = rows.iter().flat_map(of_row).collect();
        let score = classifier_score(&probabilities, count, &bootstrap)?.value;
        floors.insert(Metric::ClassifierScore, Floor::exact(score));
    }
    let known: Option<Vec<u32>> = labels.into_iter().collect();
    if let Some(known) = known.filter(|known| known.iter().all(|&label| (label as usize) < count)) {
        let accuracy = ConditionalAccuracy::new(&known, &classes, count, &bootstrap)?;
        floors.insert(Metric::ConditionalAccuracy, Floor::exact(accuracy.all.value));
    }
    Ok(floors)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::features::extractor::ClassPredictions;
    use burn::tensor::Device;
    use faussaire_data::Dataset;
    use faussaire_data::Strokes;

    fn computed(extractor: &Extractor, selection: Selection) -> ReferenceStats {
        let chosen = selection.indices();
        let extracted = extractor.extract_of(selection.set, &chosen).unwrap();
        ReferenceStats::new(extractor, selection, &chosen, extracted).unwrap()
    }

    #[test]
    fn cached_statistics_are_those_computed_and_damaged_ones_are_computed_again() {
        let set = Strokes::new(1, 300);
        let extractor = Extractor::random(&set, &Device::flex()).unwrap();
        let selection = Selection { set: &set, samples: 200, seed: 3 };
        assert_eq!(selection.cache_path(&extractor), None, "too few to be cached");
        let computed = computed(&extractor, selection);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("real.bin");
        computed.save(&path).unwrap();
        let cached = ReferenceStats::load(&path, selection).unwrap();
        assert_eq!(
            (&cached.features, &cached.radii, &cached.predictions, &cached.labels),
            (&computed.features, &computed.radii, &computed.predictions, &computed.labels)
        );
        assert_eq!((&cached.floors, cached.subsets), (&computed.floors, computed.subsets));
        assert_eq!(cached.gaussian.moments(), computed.gaussian.moments());
        assert_eq!(computed.floors.len(), 6, "{:?}", computed.floors);
        let floor = |metric| computed.floor(metric).unwrap();
        let precision = floor(Metric::Precision);
        assert!(precision.low < precision.high && (0.3..1.0).contains(&precision.value), "{:?}", computed.floors);
        assert!(floor(Metric::Frechet).low > 0.0, "{:?}", computed.floors);
        // Another number of images is another selection.
        assert!(ReferenceStats::load(&path, Selection { samples: 100, ..selection }).is_none());
        std::fs::write(&path, b"damaged").unwrap();
        assert!(ReferenceStats::load(&path, selection).is_none());
    }

    #[test]
    fn class_predictions_have_floors() {
        let set = Strokes::new(1, 400);
        let extractor = Extractor::random(&set, &Device::flex()).unwrap();
        let features = computed(&extractor, Selection { set: &set, samples: 400, seed: 0 }).features;
        let labels: Vec<u32> = (0..400).map(|i| set.label(i).unwrap()).collect();
        let known: Vec<Option<u32>> = labels.iter().copied().map(Some).collect();
        let certain: Vec<f32> =
            labels.iter().flat_map(|&l| (0..10).map(move |c| f32::from(u8::from(c == l)))).collect();
        let extracted = Extracted {
            features,
            predictions: Some(ClassPredictions { classes: labels.clone(), probabilities: Some(certain) }),
        };
        let expected = |predicted: &[u32], labels: &[Option<u32>]| RealClasses::new(predicted, labels, 10);
        let floors = class_floors(&extracted, &expected, &known, 0).unwrap();
        let floor = |metric: Metric| floors[&metric].value;
        assert_eq!((floor(Metric::ConditionalAccuracy), floor(Metric::MissingClasses)), (1.0, 0.0));
        assert!(floor(Metric::ClassKl) > 0.0 && floor(Metric::ClassKl) < 0.2);
        assert!((floor(Metric::ClassDiversity) - 1.0).abs() < 0.15 && floor(Metric::ClassifierScore) > 9.0);
        // Predictions for images without label are left out: all of them wrong here.
        let mut half = extracted.clone();
        let predictions = half.predictions.as_mut().unwrap();
        predictions.classes.iter_mut().step_by(2).for_each(|class| *class = 0);
        let some: Vec<Option<u32>> = (0..400).map(|row| known[row].filter(|_| row % 2 == 1)).collect();
        let floors = class_floors(&half, &expected, &some, 0).unwrap();
        assert_eq!((floors[&Metric::ConditionalAccuracy].value, floors[&Metric::MissingClasses].value), (1.0, 0.0));
        assert!(floors[&Metric::ClassKl].value < 0.3, "{floors:?}");
        assert!(class_floors(&half, &expected, &known, 0).unwrap()[&Metric::ConditionalAccuracy].value < 0.7);
        // None of them labelled: all are used, and no accuracy is known.
        let floors = class_floors(&extracted, &expected, &[None; 400], 0).unwrap();
        assert!(!floors.contains_key(&Metric::ConditionalAccuracy) && floors[&Metric::ClassKl].value < 0.2);
        let none = Extracted { predictions: None, ..extracted };
        assert!(class_floors(&none, &expected, &known, 0).unwrap().is_empty());
    }
}
