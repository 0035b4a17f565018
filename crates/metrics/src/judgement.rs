//! All scores of a set of generated images against real ones, with one feature extractor.

use serde::Serialize;

use crate::data_name::data_name;
use crate::features::extractor::Extracted;
use crate::reference::ReferenceStats;
use crate::scores::classes::{ClassBalance, ConditionalAccuracy, classifier_score};
use crate::scores::diversity::{ClassDiversity, Spread};
use crate::scores::frechet::frechet_estimate;
use crate::scores::kid::kid;
use crate::scores::memorization::nearest_training::Memorization;
use crate::scores::prdc::Prdc;
use crate::selection::Selection;
use crate::{Bootstrap, Estimate, Extractor, Features, Metric, Parameters, Score, Setting};
use faussaire_data::Dataset;
use faussaire_data::error::{Error, Result};

/// Smallest number of images that can be judged: k-nearest neighbours and intervals need some.
pub const MIN_IMAGES: usize = 50;

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
    /// For each class, the share of the images conditioned on it that are classified as it.
    pub obeyed: Vec<Option<f64>>,
    /// Number of real images in each of the two halves that the floors compare.
    pub floor_images: usize,
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
    let count = check(extractor, real, samples)?;
    let reference = ReferenceStats::open(extractor, Selection { set: real, samples: count, seed })?;
    let extracted = extractor.extract(samples.images)?;
    let mut setting = Setting::of(extractor, real, count, split);
    setting.parameters.subset_size = reference.subsets.rows;
    if let Some(only) = samples.only {
        setting.split += &format!("[{only}]");
    }
    let bootstrap = Bootstrap { seed, ..Bootstrap::default() };
    let mut judgement = Judgement {
        scores: feature_scores(&reference, &extracted.features, &setting, &bootstrap)?,
        floor_images: reference.features.rows() / 2,
        ..Judgement::default()
    };
    class_scores(extractor, &reference, &extracted, samples, (&setting, &bootstrap), &mut judgement)?;
    Ok(judgement)
}

/// The number of generated images, if all shapes agree and there are enough.
fn check(extractor: &Extractor, real: &dyn Dataset, samples: Samples) -> Result<usize> {
    let (shape, known, given) = (real.shape(), extractor.shape(), samples.images.len());
    if known != shape || !given.is_multiple_of(shape.len().max(1)) {
        return Err(Error::usage(
            format!("real images of {shape}, a judge of images of {known}, and {given} generated values"),
            "bring all images to one size: judge against a set of the generator's size",
        ));
    }
    let count = given / shape.len().max(1);
    if count < MIN_IMAGES || real.len() < MIN_IMAGES {
        return Err(Error::usage(
            format!("{count} generated images against {} real ones", real.len()),
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
    let warning = |metric| if metric == Metric::Frechet { frechet.warning.clone() } else { None };
    let score = |(metric, estimate)| {
        Ok(Score::new(metric, setting, estimate)?.with_floor(reference.floor(metric)).with_warning(warning(metric)))
    };
    scores.into_iter().map(score).collect()
}

/// The scores that need class predictions: the distribution of the images over the classes, and their diversity within
/// each.
fn class_scores(
    extractor: &Extractor,
    reference: &ReferenceStats,
    extracted: &Extracted,
    samples: Samples,
    (setting, bootstrap): (&Setting, &Bootstrap),
    judgement: &mut Judgement,
) -> Result<()> {
    let (Some(predictions), Some(real)) = (&extracted.predictions, &reference.predictions) else { return Ok(()) };
    let (names, classes) = (extractor.classes(), &predictions.classes);
    let count = names.len();
    let balance = ClassBalance::new(classes, &extractor.expected(real)?, bootstrap)?;
    let mut scores = Vec::new();
    if samples.only.is_none() {
        scores.push((Metric::ClassKl, balance.kl));
        scores.push((Metric::MissingClasses, Estimate::exact(balance.missing.len() as f64)));
    }
    if let Some(probabilities) = &predictions.probabilities {
        if samples.only.is_none() {
            scores.push((Metric::ClassifierScore, classifier_score(probabilities, count, bootstrap)?));
        }
        let spread = Spread::new(&reference.features, real, count)?;
        // Where no class has two images on both sides, there is nothing to compare.
        if let Ok(diversity) =
            ClassDiversity::new(&spread, &Spread::new(&extracted.features, classes, count)?, bootstrap)
        {
            scores.push((Metric::ClassDiversity, diversity.all));
        }
    }
    if let Some(asked) = samples.asked {
        let accuracy = ConditionalAccuracy::new(asked, classes, count, bootstrap)?;
        scores.push((Metric::ConditionalAccuracy, accuracy.all));
        judgement.obeyed = accuracy.by_class;
    }
    for (metric, estimate) in scores {
        judgement.scores.push(Score::new(metric, setting, estimate)?.with_floor(reference.floor(metric)));
    }
    (judgement.classes, judgement.histogram) = (names, balance.histogram);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Better;
    use burn::tensor::Device;
    use faussaire_data::random::Stream;
    use faussaire_data::{Strokes, fill};

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
        assert!(run(&good[..784 * 20]).unwrap_err().to_string().starts_with("20 generated images"));
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
}
