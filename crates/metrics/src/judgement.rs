//! All scores of a set of generated images against real ones, with one feature extractor.

use serde::Serialize;

use crate::data_name::data_name;
use crate::features::extractor::Extracted;
use crate::needed::needed;
use crate::reference::ReferenceStats;
use crate::scores::classes::{ClassBalance, ConditionalAccuracy, classifier_score};
use crate::scores::diversity::{ClassDiversity, Spread};
use crate::scores::frechet::frechet_estimate;
use crate::scores::kid::kid;
use crate::scores::memorization::nearest_training::Memorization;
use crate::scores::prdc::Prdc;
use crate::selection::Selection;
use crate::verdict::number;
use crate::{Bootstrap, Estimate, Extractor, Features, Metric, Parameters, Score, Setting};
use faussaire_data::Dataset;
use faussaire_data::error::{Error, Result};

/// Smallest number of images that can be judged: halves of them need more images than the neighbours of coverage. Most
/// scores need far more to say anything ([`Score::too_few`]).
pub const MIN_IMAGES: usize = 12;

/// A Fréchet distance between real images that varies by more than this factor depends on a few of them.
const UNSTEADY: f64 = 3.0;

/// The images to judge.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    /// Generated images, `[n, h, w, c]` values in [0, 1].
    pub images: &'a [f32],
    /// The class that each image was conditioned on, for a conditional generator.
    pub asked: Option<&'a [u32]>,
    /// The name of the class or attribute that all images were conditioned on, where it is one: the real images are of
    /// the same kind then, and the distribution over the classes is not scored.
    pub only: Option<&'a str>,
}

/// The scores, and the distribution of the images over the classes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Judgement {
    /// Every score with its name, interval and floor.
    pub scores: Vec<Score>,
    /// The names of the classes; empty where the extractor is no classifier of classes.
    pub classes: Vec<String>,
    /// Number of generated images that are classified as each class.
    pub histogram: Vec<u64>,
    /// The share of the real images that the same classifier takes for each class.
    pub expected: Vec<f64>,
    /// Whether each class occurs among the real images: by their labels, where these are known, and the classifier.
    pub occurs: Vec<bool>,
    /// The names of the classes that real images show and no generated image does.
    pub missing: Vec<String>,
    /// For each class, the share of the images conditioned on it that are classified as it.
    pub obeyed: Vec<Option<f64>>,
    /// Number of judged images: the smaller of the two sides.
    pub images: usize,
    /// Number of real images in each of the two halves that the floors compare.
    pub floor_images: usize,
    /// Number of real images without a label, which class scores leave out.
    pub unlabelled: usize,
    /// What a reader of the scores should know, one sentence each.
    pub notes: Vec<String>,
    /// How near the images are to the training images, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<Memorization>,
}

impl Judgement {
    /// The score by `metric`, if it was computed.
    pub fn get(&self, metric: Metric) -> Option<&Score> {
        self.scores.iter().find(|score| score.name.metric == metric)
    }
}

/// Judges `samples` against as many images of `real`, or all of them if it has fewer. `split` names the part of the
/// data that `real` is, and `seed` selects the real images and the bootstrap's resamples.
///
/// ```
/// use burn::tensor::Device;
/// use faussaire_data::{ImageShape, InMemory};
/// use faussaire_metrics::{Extractor, Metric, Samples, judge};
///
/// let shape = ImageShape { height: 8, width: 8, channels: 1 };
/// let noise = |n: u64| (0..60 * 64).map(|i| (i * n % 257) as f32 / 256.0).collect::<Vec<f32>>();
/// let real = InMemory::from_floats("noise", shape, noise(7919))?;
/// let extractor = Extractor::random(&real, &Device::flex())?;
/// let images = noise(104_729);
/// let judgement = judge(&extractor, &real, "test", Samples { images: &images, asked: None, only: None }, 0)?;
/// if let Some(frechet) = judgement.get(Metric::Frechet) {
///     assert_eq!(frechet.name.to_string(), "frechet-60-noise-random-convnet-test");
///     assert!(frechet.low <= frechet.value && frechet.value <= frechet.high);
/// }
/// # Ok::<(), faussaire_data::error::Error>(())
/// ```
///
/// # Errors
/// Fewer than [`MIN_IMAGES`] images on either side, images of another shape, or an image that can't be read.
pub fn judge(extractor: &Extractor, real: &dyn Dataset, split: &str, samples: Samples, seed: u64) -> Result<Judgement> {
    let count = checked_count(extractor, real, samples.images.len())?;
    let selection = Selection { set: real, samples: count, seed };
    let reference = ReferenceStats::open(extractor, selection, &mut |chosen| extractor.extract_of(real, chosen))?;
    let extracted = extractor.extract(samples.images)?;
    judged(extractor, selection, split, Asked { classes: samples.asked, only: samples.only }, &reference, &extracted)
}

/// What the generated images were conditioned on, as in [`Samples`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked<'a> {
    pub classes: Option<&'a [u32]>,
    pub only: Option<&'a str>,
}

/// The judgement of generated images of which these features were extracted.
pub(crate) fn judged(
    extractor: &Extractor,
    selection: Selection,
    split: &str,
    asked: Asked,
    reference: &ReferenceStats,
    extracted: &Extracted,
) -> Result<Judgement> {
    let Selection { set: real, samples: count, seed } = selection;
    let mut setting = Setting::of(extractor, real, count, split);
    setting.parameters.subset_size = reference.subsets.rows;
    if let Some(only) = asked.only {
        setting.split += &format!("[{only}]");
    }
    let bootstrap = Bootstrap { seed, ..Bootstrap::default() };
    let mut judgement = Judgement {
        scores: feature_scores(reference, &extracted.features, &setting, &bootstrap)?,
        images: setting.images(),
        floor_images: reference.features.rows() / 2,
        notes: extractor.note().into_iter().collect(),
        ..Judgement::default()
    };
    class_scores(extractor, reference, extracted, asked, (&setting, &bootstrap), &mut judgement)?;
    Ok(judgement)
}

/// The number of generated images, which have `given` values, if all shapes agree and there are enough.
pub(crate) fn checked_count(extractor: &Extractor, real: &dyn Dataset, given: usize) -> Result<usize> {
    let (shape, known) = (real.shape(), extractor.shape());
    if known != shape || !given.is_multiple_of(shape.len().max(1)) {
        return Err(Error::usage(
            format!("real images of {shape}, a judge of images of {known}, and {given} generated values"),
            "bring all images to one size: judge against a set of the generator's size",
        ));
    }
    let count = given / shape.len().max(1);
    if count < MIN_IMAGES || real.len() < MIN_IMAGES {
        return Err(Error::usage(
            format!("too few images to judge: {count} against {} real ones", real.len()),
            format!("judging takes at least {MIN_IMAGES} of each"),
        ));
    }
    Ok(count)
}

impl Setting {
    /// `samples` images with the features of `extractor`, against the part `split` of `real`.
    pub(crate) fn of(extractor: &Extractor, real: &dyn Dataset, samples: usize, split: &str) -> Self {
        let extractor = extractor.name(&data_name(real));
        let parameters = Parameters::default();
        Self { samples, real: samples.min(real.len()), extractor, split: split.into(), parameters }
    }

    /// Number of images on the smaller side.
    fn images(&self) -> usize {
        self.samples.min(self.real)
    }
}

/// The scores that compare two sets of features.
fn feature_scores(
    reference: &ReferenceStats,
    generated: &Features,
    setting: &Setting,
    bootstrap: &Bootstrap,
) -> Result<Vec<Score>> {
    let real = &reference.features;
    let (frechet, estimate) = frechet_estimate(&reference.gaussian, real, generated, bootstrap)?;
    let kernel = kid(real, generated, &reference.subsets)?.estimate(bootstrap.level);
    let prdc = Prdc::new(real, &reference.radii, generated)?;
    let scores = [
        (Metric::Frechet, estimate),
        (Metric::Kernel, kernel),
        (Metric::Precision, prdc.precision(bootstrap)),
        (Metric::Recall, prdc.recall(bootstrap)),
        (Metric::Density, prdc.density(bootstrap)),
        (Metric::Coverage, prdc.coverage(bootstrap)),
    ];
    let constant = is_constant(real).then(|| {
        "the features of all real images are the same: nothing can be told by them; judge with other features or images"
            .to_owned()
    });
    let score = |(metric, estimate)| {
        let score = Score::new(metric, setting, estimate)?.with_floor(reference.floor(metric));
        let warning = match metric {
            Metric::Frechet => constant.clone().or(frechet.warning.clone()).or_else(|| unsteady(&score)),
            _ => constant.clone(),
        };
        Ok(score.with_needed(setting.images(), needed(metric, real.dims(), 0)).with_warning(warning))
    };
    scores.into_iter().map(score).collect()
}

/// Whether no feature differs between images by more than rounding.
fn is_constant(features: &Features) -> bool {
    let (first, largest) = (features.row(0), features.values().iter().fold(0.0f32, |most, v| most.max(v.abs())));
    let differs = |(at, v): (usize, &f32)| (v - first[at % features.dims()]).abs() > 1e-6 * largest;
    !features.values().iter().enumerate().any(differs)
}

/// A warning where a distance depends on the choice of the real images: a few of them decide it.
fn unsteady(score: &Score) -> Option<String> {
    let [low, high] = score.floor_range?;
    (high > UNSTEADY * low).then(|| {
        let [low, high] = [low, high].map(number);
        format!("between halves of the real images it varies from {low} to {high}: a few images decide it")
    })
}

/// The scores that need class predictions: the distribution of the images over the classes, and their diversity within
/// each.
fn class_scores(
    extractor: &Extractor,
    reference: &ReferenceStats,
    extracted: &Extracted,
    asked: Asked,
    (setting, bootstrap): (&Setting, &Bootstrap),
    judgement: &mut Judgement,
) -> Result<()> {
    let (Some(predictions), Some(real)) = (&extracted.predictions, &reference.predictions) else { return Ok(()) };
    let (names, classes) = (extractor.classes(), &predictions.classes);
    let (count, rows) = (names.len(), reference.labelled());
    let real: Vec<u32> = rows.iter().map(|&row| real[row]).collect();
    let labels: Vec<Option<u32>> = rows.iter().map(|&row| reference.labels[row]).collect();
    let real_classes = extractor.real_classes(&real, &labels)?;
    let balance = ClassBalance::new(classes, &real_classes, bootstrap)?;
    let mut scores = Vec::new();
    if asked.only.is_none() {
        scores.push((Metric::ClassKl, balance.kl));
        scores.push((Metric::MissingClasses, Estimate::exact(balance.missing.len() as f64)));
    }
    if let Some(probabilities) = &predictions.probabilities {
        if asked.only.is_none() {
            scores.push((Metric::ClassifierScore, classifier_score(probabilities, count, bootstrap)?));
        }
        let spread = Spread::new(&reference.features.select(&rows)?, &real, count)?;
        // Where no class has two images on both sides, there is nothing to compare.
        if let Ok(diversity) =
            ClassDiversity::new(&spread, &Spread::new(&extracted.features, classes, count)?, bootstrap)
        {
            scores.push((Metric::ClassDiversity, diversity.all));
        }
    }
    if let Some(asked) = asked.classes {
        let accuracy = ConditionalAccuracy::new(asked, classes, count, bootstrap)?;
        scores.push((Metric::ConditionalAccuracy, accuracy.all));
        judgement.obeyed = accuracy.by_class;
    }
    let images = setting.samples.min(real.len());
    for (metric, estimate) in scores {
        let score = Score::new(metric, setting, estimate)?.with_floor(reference.floor(metric));
        judgement.scores.push(score.with_needed(images, needed(metric, 0, real_classes.count())));
    }
    judgement.unlabelled = reference.labels.iter().filter(|label| label.is_none()).count();
    if judgement.unlabelled > 0 {
        judgement.notes.push(format!(
            "{} of {} real images have no label: {}",
            judgement.unlabelled,
            reference.labels.len(),
            if rows.len() < reference.labels.len() {
                "the scores of classes leave them out"
            } else {
                "classes are compared by the classifier's answers alone"
            }
        ));
    }
    judgement.missing = balance.missing.iter().map(|&class| names[class as usize].clone()).collect();
    (judgement.classes, judgement.histogram) = (names, balance.histogram);
    (judgement.expected, judgement.occurs) = (real_classes.expected, real_classes.occurs);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::classifier::Training;
    use crate::{Better, Classifier, Grade, TooFew};
    use burn::tensor::Device;
    use faussaire_data::random::Stream;
    use faussaire_data::{DatasetInfo, ImageShape, InMemory, Strokes, fill};

    #[test]
    fn real_images_score_better_than_noise_and_too_few_are_refused() {
        let real = Strokes::new(1, 400);
        let extractor = Extractor::random(&real, &Device::flex()).unwrap();
        let mut good = Vec::new();
        fill(&Strokes::new(2, 300), &(0..300).collect::<Vec<_>>(), &mut good).unwrap();
        let noise = Stream::new(1, "noise").uniform(0, good.len(), 0.0, 1.0);
        let run = |images: &[f32]| judge(&extractor, &real, "test", Samples { images, asked: None, only: None }, 0);
        let judgement = run(&good).unwrap();
        assert_eq!(judgement.get(Metric::Coverage), Some(&judgement.scores[5]));
        assert_eq!(judgement.get(Metric::ClassKl), None, "the random net knows no classes");
        let (good_scores, bad_scores) = (judgement.scores, run(&noise).unwrap().scores);
        assert_eq!(good_scores[0].name.to_string(), "frechet-300-strokes-random-convnet-test");
        assert_eq!(good_scores.len(), 6);
        // Half of the real images against the other half: about as near as other real images come.
        for score in &good_scores {
            let (floor, far) = (score.floor.unwrap(), bad_scores.iter().find(|s| s.name == score.name).unwrap());
            let near = (score.value - floor).abs() < (score.value - far.value).abs();
            assert!(near || score.name.metric == Metric::Recall, "{score:?} {far:?}");
        }
        for (good, bad) in good_scores.iter().zip(&bad_scores).filter(|(g, _)| g.name.metric != Metric::Recall) {
            let apart = if good.better == Better::Smaller { good.high < bad.low } else { good.low > bad.high };
            assert!(apart, "{good:?} {bad:?}");
        }
        assert!(run(&good[..784 * 11]).unwrap_err().to_string().contains("too few images to judge: 11 against"));
        assert!(run(&good[..1000]).unwrap_err().to_string().contains("1000 generated values"));
        let sevens = Samples { images: &good, asked: None, only: Some("7") };
        let name = judge(&extractor, &real, "test", sevens, 0).unwrap().scores[0].name.to_string();
        assert_eq!(name, "frechet-300-strokes-random-convnet-test[7]");
        // An extractor for images of another shape.
        let small = faussaire_data::ImageShape { height: 14, width: 14, channels: 1 };
        let other = Extractor::Random(Box::new(crate::RandomFeatures::new(small, &Device::flex()).unwrap()));
        let error = judge(&other, &real, "test", Samples { images: &good, asked: None, only: None }, 0).unwrap_err();
        assert!(error.to_string().contains("a judge of images of 14x14x1"), "{error}");
    }

    /// Images of one brightness each.
    fn pixels(values: &[f32]) -> InMemory {
        let shape = ImageShape { height: 4, width: 4, channels: 1 };
        InMemory::from_floats("dots", shape, values.iter().flat_map(|v| [*v; 16]).collect()).unwrap()
    }

    #[test]
    fn few_images_and_unsteady_features_are_said() {
        let brightness: Vec<f32> = (0..600).map(|i| 0.2 + 0.001 * (i * 7919 % 97) as f32).collect();
        let real = pixels(&brightness);
        let extractor = Extractor::random(&real, &Device::flex()).unwrap();
        let judged = |real: &InMemory, images: &[f32]| {
            let images: Vec<f32> = images.iter().flat_map(|v| [*v; 16]).collect();
            judge(&extractor, real, "test", Samples { images: &images, asked: None, only: None }, 0).unwrap()
        };
        let few = judged(&real, &brightness[..40]);
        let too_few = |judgement: &Judgement, metric| judgement.get(metric).unwrap().too_few;
        assert_eq!(too_few(&few, Metric::Frechet), Some(TooFew { images: 40, needed: 256 }));
        assert_eq!(too_few(&few, Metric::Kernel), Some(TooFew { images: 40, needed: 50 }));
        assert!(few.verdict().text.starts_with("can't be told: only 40 images"), "{}", few.verdict());
        let enough = judged(&real, &brightness);
        assert!(enough.images == 600 && enough.scores.iter().all(|score| score.too_few.is_none()), "{enough:?}");
        assert_eq!(enough.notes, ["dots has no labels: features are those of a fixed net with random weights"]);
        // One number per image, in effect: halves differ by chance alone.
        let score = enough.get(Metric::Frechet).unwrap();
        let varying = |range| unsteady(&Score { floor_range: Some(range), ..score.clone() });
        assert_eq!(varying([0.4, 1.1]), None);
        let warning = "between halves of the real images it varies from 0.40 to 310: a few images decide it";
        assert_eq!(varying([0.4, 310.0]).as_deref(), Some(warning));
        assert_eq!(score.warning, varying(score.floor_range.unwrap()));
        // All real images are the same.
        let same = judged(&pixels(&[0.5; 600]), &brightness);
        assert!(same.scores.iter().all(|s| s.warning.as_ref().is_some_and(|w| w.contains("are the same"))), "{same:?}");
        assert_eq!(same.verdict().grade, Grade::CannotTell);
    }

    #[test]
    fn unequal_classes_and_images_without_label() {
        let all = Strokes::new(1, 3000);
        let training = Training { epochs: 5, ..Training::default() };
        let classifier =
            Classifier::train(&all, &Strokes::new(2, 500), training, &Device::flex(), &mut |_| ()).unwrap();
        assert!(classifier.beats_chance() && classifier.chance < 0.2, "{}", classifier.chance);
        let extractor = Extractor::of_classifier(classifier, &all, &Device::flex()).unwrap();
        // Zeros, ones and twos at 8 : 4 : 1; ones are not labelled in the second set.
        let chosen = |from: &Strokes, of: [usize; 3]| -> (Vec<f32>, Vec<u32>) {
            let (mut images, mut labels) = (Vec::new(), Vec::new());
            for (class, count) in of.into_iter().enumerate() {
                let these = (0..from.len()).filter(|&i| from.label(i) == Some(class as u32)).take(count);
                let these: Vec<usize> = these.collect();
                let mut values = Vec::new();
                fill(from, &these, &mut values).unwrap();
                images.extend(values);
                labels.extend(vec![class as u32; these.len()]);
            }
            (images, labels)
        };
        let (images, labels) = chosen(&all, [160, 80, 20]);
        let real = Labelled::new(&images, labels.iter().map(|label| Some(*label)).collect());
        let (generated, asked) = chosen(&Strokes::new(3, 3000), [160, 80, 20]);
        let judged = |real: &Labelled, images: &[f32], asked: &[u32]| {
            judge(&extractor, real, "test", Samples { images, asked: Some(asked), only: None }, 0).unwrap()
        };
        let like = judged(&real, &generated, &asked);
        let shares: Vec<f64> = like.expected.iter().map(|share| (260.0 * share).round()).collect();
        assert!((shares[0] - 160.0).abs() < 10.0 && (shares[2] - 20.0).abs() < 10.0, "{shares:?}");
        assert_eq!(like.missing, Vec::<String>::new(), "seven digits don't occur, so none of them is missing");
        assert!(like.get(Metric::ClassKl).unwrap().value < 0.05, "{like:?}");
        assert!(like.get(Metric::ConditionalAccuracy).unwrap().value > 0.8 && like.unlabelled == 0);
        // Equal numbers of the three are further away than unequal ones.
        let (even, asked_evenly) = chosen(&Strokes::new(3, 3000), [90, 90, 90]);
        assert!(judged(&real, &even, &asked_evenly).get(Metric::ClassKl).unwrap().value > 0.2);
        // Without labels for the ones: left out, and counted.
        let some = labels.iter().map(|label| Some(*label).filter(|label| *label != 1)).collect();
        let partly = judged(&Labelled::new(&images, some), &generated, &asked);
        assert_eq!(partly.unlabelled, 80);
        assert!(partly.notes.iter().any(|note| note.starts_with("80 of 260 real images have no label: the scores")));
        assert!(partly.expected[1] < 0.1 && partly.get(Metric::ClassKl).unwrap().value > 0.5, "{partly:?}");
    }

    /// Images of strokes with labels, some of which are unknown.
    #[derive(Debug)]
    struct Labelled(InMemory, DatasetInfo);

    impl Labelled {
        fn new(images: &[f32], labels: Vec<Option<u32>>) -> Self {
            let names: Vec<String> = (0..10).map(|digit: u32| digit.to_string()).collect();
            let images = InMemory::from_floats("some", Strokes::new(1, 1).shape(), images.to_vec()).unwrap();
            let label = move |index: usize| labels.get(index).copied().flatten();
            Self(images, DatasetInfo::new("some").with_classes(names, label))
        }
    }

    impl Dataset for Labelled {
        fn len(&self) -> usize {
            self.0.len()
        }
        fn shape(&self) -> ImageShape {
            self.0.shape()
        }
        fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
            self.0.read(index, out)
        }
        fn info(&self) -> &DatasetInfo {
            &self.1
        }
    }
}
