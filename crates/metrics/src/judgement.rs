//! All scores of a set of generated images against real ones, by one extractor of features.

use serde::Serialize;

use super::classes::{ClassBalance, ConditionalAccuracy, classifier_score};
use super::copies::Copies;
use super::diversity::{ClassDiversity, Spread};
use super::extractor::{Seen, data_name};
use super::frechet::frechet_estimate;
use super::kernel_distance::kernel_distance;
use super::manifold::{Manifold, Neighbourhood};
use super::real_side::{Choice, RealSide};
use super::{Bootstrap, Estimate, Extractor, Features, Metric, Score, Setting};
use faussaire_data::Dataset;
use faussaire_data::error::{Error, Result};

/// Fewer images say nothing: k-nearest neighbours and intervals need some.
pub const FEWEST: usize = 50;

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Exhibit<'a> {
    /// Generated images, `[n, h, w, c]` values in [0, 1].
    pub images: &'a [f32],
    /// The class that each was asked to show, where one was asked for.
    pub asked: Option<&'a [u32]>,
    /// What all of them were asked to show, by name, where it is one thing: the real images are of that kind, too, and how
    /// images spread over the classes is no question.
    pub only: Option<&'a str>,
}

/// The scores, and how the images spread over the classes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Judgement {
    /// Every score with its name, interval and floor.
    pub scores: Vec<Score>,
    /// The names of the classes; empty where the extractor knows none.
    pub classes: Vec<String>,
    /// Generated images that look like each class.
    pub histogram: Vec<u64>,
    /// The share of images that show the class they were asked to, class by class.
    pub obeyed: Vec<Option<f64>>,
    /// Real images on each side of the floors.
    pub floor_images: usize,
    /// How near the images come to those that were learned from, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<Copies>,
}

/// Judges `exhibit` against as many images of `real`, all of them if it has fewer. `split` says which part of the data
/// `real` is.
///
/// # Errors
/// Too few images, images of another shape, or an image that can't be read.
pub fn judge(extractor: &Extractor, real: &dyn Dataset, split: &str, exhibit: Exhibit, seed: u64) -> Result<Judgement> {
    let (shape, known) = (real.shape(), extractor.shape());
    if known != shape || !exhibit.images.len().is_multiple_of(shape.len().max(1)) {
        let given = exhibit.images.len();
        return Err(Error::usage(
            format!("real images of {shape}, a judge of images of {known}, and {given} generated values"),
            "bring all images to one size: judge against a set of the generator's size",
        ));
    }
    let samples = exhibit.images.len() / shape.len().max(1);
    if samples < FEWEST || real.len() < FEWEST {
        return Err(Error::usage(
            format!("{samples} generated images against {} real ones", real.len()),
            format!("judging takes at least {FEWEST} of each"),
        ));
    }
    let choice = Choice { set: real, samples, seed };
    let truth = RealSide::open(extractor, choice)?;
    let seen = extractor.look(exhibit.images)?;
    let mut setting = Setting::of(extractor, real, samples, split);
    if let Some(only) = exhibit.only {
        setting.split += &format!("[{only}]");
    }
    let bootstrap = Bootstrap { seed, ..Bootstrap::default() };
    let mut judgement = Judgement {
        scores: compare(&truth, &seen.features, &setting, &bootstrap)?,
        floor_images: truth.features.rows() / 2,
        ..Judgement::default()
    };
    look_at_classes(extractor, &truth, &seen, exhibit, (&setting, &bootstrap), &mut judgement)?;
    Ok(judgement)
}

impl Setting {
    /// `samples` images, seen by `extractor`, against the part `split` of `real`.
    pub(super) fn of(extractor: &Extractor, real: &dyn Dataset, samples: usize, split: &str) -> Self {
        let extractor = extractor.name(&data_name(real));
        Self { samples, real: samples.min(real.len()), extractor, split: split.into() }
    }
}

/// The scores that compare two sets of features.
fn compare(truth: &RealSide, generated: &Features, setting: &Setting, bootstrap: &Bootstrap) -> Result<Vec<Score>> {
    let real = &truth.features;
    let (frechet, estimate) = frechet_estimate(&truth.gaussian, real, generated, bootstrap)?;
    let kernel = kernel_distance(real, generated, &truth.subsets)?.estimate(bootstrap.level);
    let k = Neighbourhood::default();
    let manifold = Manifold::new(real, &truth.radii, generated)?;
    let scores = [
        (Metric::Frechet, estimate),
        (Metric::Kernel(truth.subsets.rows), kernel),
        (Metric::Precision(k), manifold.precision(bootstrap)),
        (Metric::Recall(k), manifold.recall(bootstrap)),
        (Metric::Density(k), manifold.density(bootstrap)),
        (Metric::Coverage(k), manifold.coverage(bootstrap)),
    ];
    let warning = |metric| if metric == Metric::Frechet { frechet.warning.clone() } else { None };
    let score = |(metric, estimate)| {
        Ok(Score::new(metric, setting, estimate)?.with_floor(truth.floor(metric)).with_warning(warning(metric)))
    };
    scores.into_iter().map(score).collect()
}

/// What a classifier sees beyond features: how the images spread over the classes and within them.
fn look_at_classes(
    extractor: &Extractor,
    truth: &RealSide,
    seen: &Seen,
    exhibit: Exhibit,
    (setting, bootstrap): (&Setting, &Bootstrap),
    judgement: &mut Judgement,
) -> Result<()> {
    let (Some(guesses), Some(real)) = (&seen.guesses, &truth.guesses) else { return Ok(()) };
    let (names, classes) = (extractor.classes(), &guesses.classes);
    let count = names.len();
    let balance = ClassBalance::new(classes, &extractor.expected(real)?, bootstrap)?;
    let mut scores = Vec::new();
    if exhibit.only.is_none() {
        scores.push((Metric::ClassKl, balance.kl));
        scores.push((Metric::MissingClasses, Estimate::exact(balance.missing.len() as f64)));
    }
    if let Some(probabilities) = &guesses.probabilities {
        if exhibit.only.is_none() {
            scores.push((Metric::ClassifierScore, classifier_score(probabilities, count, bootstrap)?));
        }
        let spread = Spread::new(&truth.features, real, count)?;
        // Where no class has two images on both sides, there is nothing to compare.
        if let Ok(diversity) = ClassDiversity::new(&spread, &Spread::new(&seen.features, classes, count)?, bootstrap) {
            scores.push((Metric::ClassDiversity, diversity.all));
        }
    }
    if let Some(asked) = exhibit.asked {
        let accuracy = ConditionalAccuracy::new(asked, classes, count, bootstrap)?;
        scores.push((Metric::ConditionalAccuracy, accuracy.all));
        judgement.obeyed = accuracy.by_class;
    }
    for (metric, estimate) in scores {
        judgement.scores.push(Score::new(metric, setting, estimate)?.with_floor(truth.floor(metric)));
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
        let run = |images: &[f32]| judge(&extractor, &real, "test", Exhibit { images, asked: None, only: None }, 0);
        let (good_scores, bad_scores) = (run(&good).unwrap().scores, run(&noise).unwrap().scores);
        assert_eq!(good_scores[0].name, "frechet-300-strokes-random-convnet-test");
        assert_eq!(good_scores.len(), 6);
        // Half of the real images against the other half: about as near as other real images come.
        for score in &good_scores {
            let (floor, far) = (score.floor.unwrap(), bad_scores.iter().find(|s| s.name == score.name).unwrap());
            let near = (score.value - floor).abs() < (score.value - far.value).abs();
            assert!(near || score.name.starts_with("recall"), "{score:?} {far:?}");
        }
        for (good, bad) in good_scores.iter().zip(&bad_scores).filter(|(g, _)| !g.name.starts_with("recall")) {
            let apart = if good.better == Better::Smaller { good.high < bad.low } else { good.low > bad.high };
            assert!(apart, "{good:?} {bad:?}");
        }
        assert!(run(&good[..784 * 20]).unwrap_err().to_string().starts_with("20 generated images"));
        assert!(run(&good[..1000]).unwrap_err().to_string().contains("1000 generated values"));
        let sevens = Exhibit { images: &good, asked: None, only: Some("7") };
        let name = &judge(&extractor, &real, "test", sevens, 0).unwrap().scores[0].name;
        assert_eq!(name, "frechet-300-strokes-random-convnet-test[7]");
        // A judge of other images.
        let small = faussaire_data::ImageShape { height: 14, width: 14, channels: 1 };
        let other = Extractor::Random(Box::new(crate::RandomFeatures::new(small, &Device::flex()).unwrap()));
        let error = judge(&other, &real, "test", Exhibit { images: &good, asked: None, only: None }, 0).unwrap_err();
        assert!(error.to_string().contains("a judge of images of 14x14x1"), "{error}");
    }
}
