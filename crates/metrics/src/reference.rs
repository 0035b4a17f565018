//! The real images' side of a judgement: their features, the statistics derived from them, and the scores that real
//! images reach among themselves. It is the same whatever is judged, so it is cached, under a name that is a digest of
//! all it depends on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cache::{self, doubles, floats};
use crate::features::extractor::{Extracted, Extractor};
use crate::scores::classes::{ClassBalance, ConditionalAccuracy, classifier_score};
use crate::scores::diversity::{ClassDiversity, Spread};
use crate::scores::frechet::{Gaussian, frechet_distance};
use crate::scores::kid::{Subsets, kid};
use crate::scores::prdc::{Neighbourhood, Prdc, Radii};
use crate::selection::Selection;
use crate::{Bootstrap, Features, Metric, Moments, Parameters, ScoreName};
use faussaire_data::error::Result;
use faussaire_data::fill;

/// To be raised whenever the same images give other numbers.
const VERSION: u32 = 2;

/// Features of fewer images are computed again in the time that reading a file takes.
const MIN_CACHED: usize = 1000;

/// Features and statistics of real images.
#[derive(Clone, Debug)]
pub(crate) struct ReferenceStats {
    pub(crate) features: Features,
    /// The predicted class of each image, by a classifier of classes.
    pub(crate) predictions: Option<Vec<u32>>,
    pub(crate) gaussian: Gaussian,
    pub(crate) radii: Radii,
    pub(crate) subsets: Subsets,
    /// The score of one half of the images against the other half.
    floors: BTreeMap<Metric, f64>,
}

/// The header of a cached file. Floors are kept by their bits, which decimal text would round, under the metric's key
/// and parameters.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    rows: usize,
    dims: usize,
    #[serde(rename = "guesses")]
    has_predictions: bool,
    floors: BTreeMap<String, u64>,
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
    /// Loads them from the cache, or computes and caches them.
    ///
    /// # Errors
    /// An image that can't be read, or too few of them.
    pub(crate) fn open(extractor: &Extractor, selection: Selection) -> Result<Self> {
        let path = selection.cache_path(extractor);
        if let Some(cached) = path.as_deref().and_then(|path| Self::load(path, selection)) {
            return Ok(cached);
        }
        let stats = Self::new(extractor, selection)?;
        if let Some(path) = path {
            // A cache that can't be written costs time, not the judgement.
            let _ = stats.save(&path);
        }
        Ok(stats)
    }

    fn new(extractor: &Extractor, selection: Selection) -> Result<Self> {
        let mut values = Vec::new();
        let chosen = selection.indices();
        fill(selection.set, &chosen, &mut values)?;
        let extracted = extractor.extract(&values)?;
        let subsets = subsets(&extracted.features, selection);
        let radii = Radii::new(&extracted.features, Neighbourhood::default())?;
        let mut floors = floors(&extracted.features, &subsets, selection.seed)?;
        // The set may have fewer classes than the training images.
        let (own, known) = (selection.set.classes(), extractor.classes());
        let places: Vec<_> = own.iter().map(|name| known.iter().position(|known| known == name)).collect();
        let place = |label: u32| places.get(label as usize).copied().flatten().map(|place| place as u32);
        let label = |&i: &usize| selection.set.label(selection.set.resolved(i)).and_then(place);
        let labels: Option<Vec<u32>> = chosen.iter().map(label).collect();
        let expected = |classes: &[u32]| extractor.expected(classes);
        floors.extend(class_floors(&extracted, &expected, labels.as_deref(), selection.seed)?);
        let gaussian = Gaussian::new(Moments::of(&extracted.features)?);
        let predictions = extracted.predictions.map(|predictions| predictions.classes);
        Ok(Self { features: extracted.features, predictions, gaussian, radii, subsets, floors })
    }

    /// The score by `metric` that real images reach among themselves, if it is known.
    pub(crate) fn floor(&self, metric: Metric) -> Option<f64> {
        self.floors.get(&metric).copied()
    }

    fn save(&self, path: &Path) -> Result<()> {
        let parameters = Parameters { subset_size: self.subsets.rows, neighbourhood: Neighbourhood::default() };
        let name = |metric: Metric| ScoreName::new(metric, parameters.of(metric)).to_string();
        let about = About {
            rows: self.features.rows(),
            dims: self.features.dims(),
            has_predictions: self.predictions.is_some(),
            floors: self.floors.iter().map(|(metric, value)| (name(*metric), value.to_bits())).collect(),
        };
        let mut numbers: Vec<u8> = self.features.values().iter().flat_map(|v| v.to_le_bytes()).collect();
        numbers.extend(self.radii.lists().iter().copied().flatten().flat_map(|v| v.to_le_bytes()));
        numbers.extend(self.predictions.iter().flatten().flat_map(|class| class.to_le_bytes()));
        cache::save(path, &about, &numbers)
    }

    fn load(path: &Path, selection: Selection) -> Option<Self> {
        let (about, numbers): (About, _) = cache::load(path)?;
        let rows = selection.samples.min(selection.set.len());
        let (features, radii) = (rows.checked_mul(about.dims)?.checked_mul(4)?, rows.checked_mul(8)?);
        let predictions = if about.has_predictions { rows * 4 } else { 0 };
        if about.rows != rows || numbers.len() != features.checked_add(2 * radii)?.checked_add(predictions)? {
            return None;
        }
        let (values, rest) = numbers.split_at(features);
        let features = Features::new(floats(values), rows, about.dims).ok()?;
        let (precision, rest) = rest.split_at(radii);
        let (density, classes) = rest.split_at(radii);
        let radii = Radii::from_lists(Neighbourhood::default(), doubles(precision), doubles(density));
        let class = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        let subsets = subsets(&features, selection);
        let floor = |(name, bits): (String, u64)| (ScoreName::parse(&name).metric, f64::from_bits(bits));
        Some(Self {
            gaussian: Gaussian::new(Moments::of(&features).ok()?),
            predictions: about.has_predictions.then(|| classes.chunks_exact(4).map(class).collect()),
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

/// The scores of one half of the real images against the other half.
fn floors(features: &Features, subsets: &Subsets, seed: u64) -> Result<BTreeMap<Metric, f64>> {
    let (one, other) = features.halves(seed)?;
    let k = Neighbourhood::default();
    let prdc = Prdc::new(&one, &Radii::new(&one, k)?, &other)?;
    // Only the values are used, not the intervals.
    let bootstrap = Bootstrap { resamples: 1, seed, ..Bootstrap::default() };
    let few = Subsets { count: 20, ..*subsets };
    let floors = [
        (Metric::Frechet, frechet_distance(&one, &other)?.distance),
        (Metric::Kernel, kid(&one, &other, &few)?.mean),
        (Metric::Precision, prdc.precision(&bootstrap).value),
        (Metric::Recall, prdc.recall(&bootstrap).value),
        (Metric::Density, prdc.density(&bootstrap).value),
        (Metric::Coverage, prdc.coverage(&bootstrap).value),
    ];
    Ok(BTreeMap::from(floors))
}

/// The same for scores of class predictions. A metric that can't be computed on so few images has no floor.
fn class_floors(
    extracted: &Extracted,
    expected: &dyn Fn(&[u32]) -> Result<Vec<f64>>,
    labels: Option<&[u32]>,
    seed: u64,
) -> Result<BTreeMap<Metric, f64>> {
    let mut floors = BTreeMap::new();
    let Some(predictions) = &extracted.predictions else { return Ok(floors) };
    let classes = &predictions.classes;
    let bootstrap = Bootstrap { resamples: 1, seed, ..Bootstrap::default() };
    let halves = extracted.features.half_rows(seed)?;
    let [one, other] = halves.each_ref().map(|rows| rows.iter().map(|&row| classes[row]).collect::<Vec<_>>());
    let expected = expected(&one)?;
    let count = expected.len();
    if let Ok(balance) = ClassBalance::new(&other, &expected, &bootstrap) {
        floors.insert(Metric::ClassKl, balance.kl.value);
        floors.insert(Metric::MissingClasses, balance.missing.len() as f64);
    }
    if let Some(probabilities) = &predictions.probabilities {
        floors.insert(Metric::ClassifierScore, classifier_score(probabilities, count, &bootstrap)?.value);
        let spread = |rows: &[usize], classes: &[u32]| Spread::new(&extracted.features.select(rows)?, classes, count);
        let (one, other) = (spread(&halves[0], &one)?, spread(&halves[1], &other)?);
        if let Ok(diversity) = ClassDiversity::new(&one, &other, &bootstrap) {
            floors.insert(Metric::ClassDiversity, diversity.all.value);
        }
    }
    if let Some(labels) = labels.filter(|labels| labels.iter().all(|&label| (label as usize) < count)) {
        let accuracy = ConditionalAccuracy::new(labels, classes, count, &bootstrap)?;
        floors.insert(Metric::ConditionalAccuracy, accuracy.all.value);
    }
    Ok(floors)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::features::extractor::ClassPredictions;
    use crate::stats::class_counts::class_shares;
    use burn::tensor::Device;
    use faussaire_data::Dataset;
    use faussaire_data::Strokes;

    #[test]
    fn cached_statistics_are_those_computed_and_damaged_ones_are_computed_again() {
        let set = Strokes::new(1, 300);
        let extractor = Extractor::random(&set, &Device::flex()).unwrap();
        let selection = Selection { set: &set, samples: 200, seed: 3 };
        assert_eq!(selection.cache_path(&extractor), None, "too few to be cached");
        let computed = ReferenceStats::new(&extractor, selection).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("real.bin");
        computed.save(&path).unwrap();
        let cached = ReferenceStats::load(&path, selection).unwrap();
        assert_eq!(
            (&cached.features, &cached.radii, &cached.predictions),
            (&computed.features, &computed.radii, &computed.predictions)
        );
        assert_eq!((&cached.floors, cached.subsets), (&computed.floors, computed.subsets));
        assert_eq!(cached.gaussian.moments(), computed.gaussian.moments());
        assert_eq!(computed.floors.len(), 6, "{:?}", computed.floors);
        let floor = |metric| computed.floor(metric).unwrap();
        assert!(
            floor(Metric::Frechet) > 0.0 && (0.3..1.0).contains(&floor(Metric::Precision)),
            "{:?}",
            computed.floors
        );
        // Another number of images is another selection.
        assert!(ReferenceStats::load(&path, Selection { samples: 100, ..selection }).is_none());
        std::fs::write(&path, b"damaged").unwrap();
        assert!(ReferenceStats::load(&path, selection).is_none());
    }

    #[test]
    fn class_predictions_have_floors() {
        let set = Strokes::new(1, 400);
        let extractor = Extractor::random(&set, &Device::flex()).unwrap();
        let features =
            ReferenceStats::new(&extractor, Selection { set: &set, samples: 400, seed: 0 }).unwrap().features;
        let labels: Vec<u32> = (0..400).map(|i| set.label(i).unwrap()).collect();
        let certain: Vec<f32> =
            labels.iter().flat_map(|&l| (0..10).map(move |c| f32::from(u8::from(c == l)))).collect();
        let extracted = Extracted {
            features,
            predictions: Some(ClassPredictions { classes: labels.clone(), probabilities: Some(certain) }),
        };
        let expected = |classes: &[u32]| class_shares(classes, 10);
        let floors = class_floors(&extracted, &expected, Some(&labels), 0).unwrap();
        let floor = |metric: Metric| floors[&metric];
        assert_eq!((floor(Metric::ConditionalAccuracy), floor(Metric::MissingClasses)), (1.0, 0.0));
        assert!(floor(Metric::ClassKl) > 0.0 && floor(Metric::ClassKl) < 0.2);
        assert!((floor(Metric::ClassDiversity) - 1.0).abs() < 0.15 && floor(Metric::ClassifierScore) > 9.0);
        let none = Extracted { predictions: None, ..extracted };
        assert!(class_floors(&none, &expected, None, 0).unwrap().is_empty());
    }
}
