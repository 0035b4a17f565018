//! The real side of a judgement: features of the real images, what is derived from them, and what real images score among
//! themselves. It is the same whatever is judged, so it is kept, under a name made of all that it depends on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::classes::{ClassBalance, ConditionalAccuracy, classifier_score};
use super::diversity::{ClassDiversity, Spread};
use super::extractor::{Extractor, Seen};
use super::frechet::{Gaussian, frechet_distance};
use super::kept::{self, doubles, floats};
use super::kernel_distance::{Subsets, kernel_distance};
use super::manifold::{Manifold, Neighbourhood, Radii};
use super::{Bootstrap, Features, Metric, Moments};
use faussaire_data::error::Result;
use faussaire_data::random::Stream;
use faussaire_data::{Dataset, fill};

/// Changes whenever the same images give other numbers.
const VERSION: u32 = 2;

/// Fewer images are looked at again in the time that a file takes.
const WORTH_KEEPING: usize = 1000;

/// Real images as the extractor sees them.
#[derive(Clone, Debug)]
pub(super) struct RealSide {
    pub features: Features,
    /// The most likely class of each, by a classifier of classes.
    pub guesses: Option<Vec<u32>>,
    pub gaussian: Gaussian,
    pub radii: Radii,
    pub subsets: Subsets,
    /// The score of one half of the images against the other half, by metric.
    floors: BTreeMap<String, f64>,
}

/// What a kept file says of itself. Floors are kept by their bits, which text would round.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    rows: usize,
    dims: usize,
    guesses: bool,
    floors: BTreeMap<String, u64>,
}

/// Which real images: `samples` of `set` chosen by `seed`, or all where there are fewer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'a> {
    pub set: &'a dyn Dataset,
    pub samples: usize,
    pub seed: u64,
}

impl Choice<'_> {
    /// Their numbers.
    pub fn indices(&self) -> Vec<usize> {
        Stream::new(self.seed, "judge.real").choice(0, self.set.len(), self.samples)
    }

    /// Where their features are kept, if they are many enough to be.
    fn place(&self, extractor: &Extractor) -> Option<PathBuf> {
        if self.samples.min(self.set.len()) < WORTH_KEEPING {
            return None;
        }
        let numbers = format!("{VERSION} {} {} {}", self.set.len(), self.samples, self.seed);
        kept::place("real", &[&extractor.digest(), &self.set.fingerprint(), &self.set.name(), &numbers])
    }
}

impl RealSide {
    /// The kept one, or a new one, which is then kept.
    ///
    /// # Errors
    /// An image that can't be read, or too few of them.
    pub fn open(extractor: &Extractor, choice: Choice) -> Result<Self> {
        let place = choice.place(extractor);
        if let Some(kept) = place.as_deref().and_then(|place| Self::load(place, choice)) {
            return Ok(kept);
        }
        let side = Self::new(extractor, choice)?;
        if let Some(place) = place {
            // Numbers that can't be kept are still numbers.
            let _ = side.save(&place);
        }
        Ok(side)
    }

    fn new(extractor: &Extractor, choice: Choice) -> Result<Self> {
        let mut values = Vec::new();
        let chosen = choice.indices();
        fill(choice.set, &chosen, &mut values)?;
        let seen = extractor.look(&values)?;
        let subsets = subsets(&seen.features, choice);
        let radii = Radii::new(&seen.features, Neighbourhood::default())?;
        let mut floors = floors(&seen.features, &subsets, choice.seed)?;
        let labels: Option<Vec<u32>> = chosen.iter().map(|&i| choice.set.label(choice.set.resolved(i))).collect();
        floors.extend(class_floors(&seen, &|classes| extractor.expected(classes), labels.as_deref(), choice.seed)?);
        let gaussian = Gaussian::new(Moments::of(&seen.features)?);
        let guesses = seen.guesses.map(|guesses| guesses.classes);
        Ok(Self { features: seen.features, guesses, gaussian, radii, subsets, floors })
    }

    /// What real images score among themselves by `metric`, if that is known.
    pub fn floor(&self, metric: Metric) -> Option<f64> {
        self.floors.get(&metric.slug()).copied()
    }

    fn save(&self, place: &Path) -> Result<()> {
        let about = About {
            rows: self.features.rows(),
            dims: self.features.dims(),
            guesses: self.guesses.is_some(),
            floors: self.floors.iter().map(|(name, value)| (name.clone(), value.to_bits())).collect(),
        };
        let mut numbers: Vec<u8> = self.features.values().iter().flat_map(|v| v.to_le_bytes()).collect();
        numbers.extend(self.radii.lists().iter().copied().flatten().flat_map(|v| v.to_le_bytes()));
        numbers.extend(self.guesses.iter().flatten().flat_map(|class| class.to_le_bytes()));
        kept::save(place, &about, &numbers)
    }

    fn load(place: &Path, choice: Choice) -> Option<Self> {
        let (about, numbers): (About, _) = kept::load(place)?;
        let rows = choice.samples.min(choice.set.len());
        let (features, radii) = (rows.checked_mul(about.dims)?.checked_mul(4)?, rows.checked_mul(8)?);
        let guesses = if about.guesses { rows * 4 } else { 0 };
        if about.rows != rows || numbers.len() != features.checked_add(2 * radii)?.checked_add(guesses)? {
            return None;
        }
        let (values, rest) = numbers.split_at(features);
        let features = Features::new(floats(values), rows, about.dims).ok()?;
        let (precision, rest) = rest.split_at(radii);
        let (density, classes) = rest.split_at(radii);
        let radii = Radii::from_lists(Neighbourhood::default(), doubles(precision), doubles(density));
        let class = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        let subsets = subsets(&features, choice);
        Some(Self {
            gaussian: Gaussian::new(Moments::of(&features).ok()?),
            guesses: about.guesses.then(|| classes.chunks_exact(4).map(class).collect()),
            floors: about.floors.into_iter().map(|(name, bits)| (name, f64::from_bits(bits))).collect(),
            features,
            radii,
            subsets,
        })
    }
}

/// How the kernel distance is taken: no larger subsets than half of the real images, for the floor's sake.
fn subsets(features: &Features, choice: Choice) -> Subsets {
    let rows = 1000.min(features.rows() / 2).min(choice.samples);
    Subsets { rows, seed: choice.seed, ..Subsets::default() }
}

/// One half of the real images against the other half.
fn floors(features: &Features, subsets: &Subsets, seed: u64) -> Result<BTreeMap<String, f64>> {
    let (one, other) = features.halves(seed)?;
    let k = Neighbourhood::default();
    let manifold = Manifold::new(&one, &Radii::new(&one, k)?, &other)?;
    // Only the values are wanted.
    let bootstrap = Bootstrap { resamples: 1, seed, ..Bootstrap::default() };
    let few = Subsets { count: 20, ..*subsets };
    let floors = [
        (Metric::Frechet, frechet_distance(&one, &other)?.distance),
        (Metric::Kernel(subsets.rows), kernel_distance(&one, &other, &few)?.mean),
        (Metric::Precision(k), manifold.precision(&bootstrap).value),
        (Metric::Recall(k), manifold.recall(&bootstrap).value),
        (Metric::Density(k), manifold.density(&bootstrap).value),
        (Metric::Coverage(k), manifold.coverage(&bootstrap).value),
    ];
    Ok(floors.into_iter().map(|(metric, value)| (metric.slug(), value)).collect())
}

/// The same for what a classifier sees. A metric that so few images don't allow has no floor.
fn class_floors(
    seen: &Seen,
    expected: &dyn Fn(&[u32]) -> Result<Vec<f64>>,
    labels: Option<&[u32]>,
    seed: u64,
) -> Result<BTreeMap<String, f64>> {
    let mut floors = BTreeMap::new();
    let Some(guesses) = &seen.guesses else { return Ok(floors) };
    let classes = &guesses.classes;
    let bootstrap = Bootstrap { resamples: 1, seed, ..Bootstrap::default() };
    let halves = seen.features.half_rows(seed)?;
    let [one, other] = halves.each_ref().map(|rows| rows.iter().map(|&row| classes[row]).collect::<Vec<_>>());
    let expected = expected(&one)?;
    let count = expected.len();
    if let Ok(balance) = ClassBalance::new(&other, &expected, &bootstrap) {
        floors.insert(Metric::ClassKl.slug(), balance.kl.value);
        floors.insert(Metric::MissingClasses.slug(), balance.missing.len() as f64);
    }
    if let Some(probabilities) = &guesses.probabilities {
        floors.insert(Metric::ClassifierScore.slug(), classifier_score(probabilities, count, &bootstrap)?.value);
        let spread = |rows: &[usize], classes: &[u32]| Spread::new(&seen.features.select(rows)?, classes, count);
        let (one, other) = (spread(&halves[0], &one)?, spread(&halves[1], &other)?);
        if let Ok(diversity) = ClassDiversity::new(&one, &other, &bootstrap) {
            floors.insert(Metric::ClassDiversity.slug(), diversity.all.value);
        }
    }
    if let Some(labels) = labels.filter(|labels| labels.iter().all(|&label| (label as usize) < count)) {
        let accuracy = ConditionalAccuracy::new(labels, classes, count, &bootstrap)?;
        floors.insert(Metric::ConditionalAccuracy.slug(), accuracy.all.value);
    }
    Ok(floors)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::classes::class_shares;
    use crate::extractor::Guesses;
    use burn::tensor::Device;
    use faussaire_data::Strokes;

    #[test]
    fn what_was_kept_is_what_was_made_and_damage_is_made_good() {
        let set = Strokes::new(1, 300);
        let extractor = Extractor::random(&set, &Device::flex()).unwrap();
        let choice = Choice { set: &set, samples: 200, seed: 3 };
        assert_eq!(choice.place(&extractor), None, "too few to be kept");
        let made = RealSide::new(&extractor, choice).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("real.bin");
        made.save(&place).unwrap();
        let kept = RealSide::load(&place, choice).unwrap();
        assert_eq!((&kept.features, &kept.radii, &kept.guesses), (&made.features, &made.radii, &made.guesses));
        assert_eq!((&kept.floors, kept.subsets), (&made.floors, made.subsets));
        assert_eq!(kept.gaussian.moments(), made.gaussian.moments());
        assert_eq!(made.floors.len(), 6, "{:?}", made.floors);
        let floor = |metric| made.floor(metric).unwrap();
        let k = Neighbourhood::default();
        assert!(floor(Metric::Frechet) > 0.0 && (0.3..1.0).contains(&floor(Metric::Precision(k))), "{:?}", made.floors);
        // Another number of images is another question.
        assert!(RealSide::load(&place, Choice { samples: 100, ..choice }).is_none());
        std::fs::write(&place, b"damaged").unwrap();
        assert!(RealSide::load(&place, choice).is_none());
    }

    #[test]
    fn floors_know_the_classes() {
        let set = Strokes::new(1, 400);
        let extractor = Extractor::random(&set, &Device::flex()).unwrap();
        let features = RealSide::new(&extractor, Choice { set: &set, samples: 400, seed: 0 }).unwrap().features;
        let labels: Vec<u32> = (0..400).map(|i| set.label(i).unwrap()).collect();
        let certain: Vec<f32> =
            labels.iter().flat_map(|&l| (0..10).map(move |c| f32::from(u8::from(c == l)))).collect();
        let seen = Seen { features, guesses: Some(Guesses { classes: labels.clone(), probabilities: Some(certain) }) };
        let expected = |classes: &[u32]| class_shares(classes, 10);
        let floors = class_floors(&seen, &expected, Some(&labels), 0).unwrap();
        let floor = |metric: Metric| floors[&metric.slug()];
        assert_eq!((floor(Metric::ConditionalAccuracy), floor(Metric::MissingClasses)), (1.0, 0.0));
        assert!(floor(Metric::ClassKl) > 0.0 && floor(Metric::ClassKl) < 0.2);
        assert!((floor(Metric::ClassDiversity) - 1.0).abs() < 0.15 && floor(Metric::ClassifierScore) > 9.0);
        let none = Seen { guesses: None, ..seen };
        assert!(class_floors(&none, &expected, None, 0).unwrap().is_empty());
    }
}
