//! All scores of a set of generated images against real ones, by one extractor of features.

use serde::Serialize;

use super::classes::{ClassBalance, ConditionalAccuracy, classifier_score};
use super::extractor::data_name;
use super::frechet::{Gaussian, frechet_distance, frechet_estimate};
use super::kernel_distance::{Subsets, kernel_distance};
use super::manifold::{Manifold, Neighbourhood, Radii};
use super::{Bootstrap, Estimate, Extractor, Features, Metric, Moments, Score, Setting};
use crate::data::{Dataset, fill};
use crate::error::{Error, Result};
use crate::random::Stream;

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Exhibit<'a> {
    /// Generated images, `[n, h, w, c]` values in [0, 1].
    pub images: &'a [f32],
    /// The class that each was asked to show, where one was asked for.
    pub asked: Option<&'a [u32]>,
}

/// The scores, and how the images spread over the classes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// Every score with its name, interval and floor.
    pub scores: Vec<Score>,
    /// The names of the classes; empty where the extractor knows none.
    pub classes: Vec<String>,
    /// Generated images that look like each class.
    pub histogram: Vec<u64>,
    /// The share of images that show the class they were asked to, class by class.
    pub obeyed: Vec<Option<f64>>,
}

/// Judges `exhibit` against as many images of `real`, all of them if it has fewer. `split` says which part of the data
/// `real` is.
///
/// # Errors
/// Too few images, images of another shape, or an image that can't be read.
pub fn judge(extractor: &Extractor, real: &dyn Dataset, split: &str, exhibit: Exhibit, seed: u64) -> Result<Judgement> {
    let samples = exhibit.images.len() / real.shape().len().max(1);
    /// Fewer say nothing: k-nearest neighbours and intervals need some.
    const FEWEST: usize = 50;
    if samples < FEWEST || real.len() < FEWEST {
        return Err(Error::usage(
            format!("{samples} generated images against {} real ones", real.len()),
            format!("judging takes at least {FEWEST} of each"),
        ));
    }
    let mut chosen = Stream::new(seed, "judge.real").permutation(0, real.len());
    chosen.truncate(samples);
    let mut values = Vec::new();
    fill(real, &chosen, &mut values)?;
    let truth = extractor.look(&values)?;
    let seen = extractor.look(exhibit.images)?;
    let setting = Setting { samples, extractor: extractor.name(&data_name(real)), split: split.into() };
    let bootstrap = Bootstrap { seed, ..Bootstrap::default() };
    let mut scores = compare(&truth.features, &seen.features, &setting, &bootstrap)?;
    let mut judgement =
        Judgement { scores: Vec::new(), classes: Vec::new(), histogram: Vec::new(), obeyed: Vec::new() };
    if let (Some(guesses), Some(expected)) = (&seen.guesses, extractor.expected(&truth)?) {
        let names = extractor.classes();
        let balance = ClassBalance::new(&guesses.classes, &expected, &bootstrap)?;
        scores.push(Score::new(Metric::ClassKl, &setting, balance.kl)?);
        scores.push(Score::new(Metric::MissingClasses, &setting, Estimate::exact(balance.missing.len() as f64))?);
        if let Some(probabilities) = &guesses.probabilities {
            let score = classifier_score(probabilities, names.len(), &bootstrap)?;
            scores.push(Score::new(Metric::ClassifierScore, &setting, score)?);
        }
        if let Some(asked) = exhibit.asked {
            let accuracy = ConditionalAccuracy::new(asked, &guesses.classes, names.len(), &bootstrap)?;
            scores.push(Score::new(Metric::ConditionalAccuracy, &setting, accuracy.all)?);
            judgement.obeyed = accuracy.by_class;
        }
        (judgement.classes, judgement.histogram) = (names, balance.histogram);
    }
    judgement.scores = scores;
    Ok(judgement)
}

/// The scores that compare two sets of features.
fn compare(real: &Features, generated: &Features, setting: &Setting, bootstrap: &Bootstrap) -> Result<Vec<Score>> {
    let (one, other) = real.halves(bootstrap.seed)?;
    let gaussian = Gaussian::new(Moments::of(real)?);
    let (frechet, estimate) = frechet_estimate(&gaussian, real, generated, bootstrap)?;
    let mut scores = vec![
        Score::new(Metric::Frechet, setting, estimate)?
            .with_floor(frechet_distance(&one, &other)?.distance)
            .with_warning(frechet.warning),
    ];
    let subsets =
        Subsets { rows: 1000.min(one.rows()).min(generated.rows()), seed: bootstrap.seed, ..Subsets::default() };
    let kernel = kernel_distance(real, generated, &subsets)?.estimate(bootstrap.level);
    let floor = kernel_distance(&one, &other, &Subsets { count: 20, ..subsets })?.mean;
    scores.push(Score::new(Metric::Kernel(subsets.rows), setting, kernel)?.with_floor(floor));
    let k = Neighbourhood::default();
    let manifold = Manifold::new(real, &Radii::new(real, k)?, generated)?;
    for (metric, estimate) in [
        (Metric::Precision(k), manifold.precision(bootstrap)),
        (Metric::Recall(k), manifold.recall(bootstrap)),
        (Metric::Density(k), manifold.density(bootstrap)),
        (Metric::Coverage(k), manifold.coverage(bootstrap)),
    ] {
        scores.push(Score::new(metric, setting, estimate)?);
    }
    Ok(scores)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::Strokes;
    use burn::tensor::Device;

    #[test]
    fn real_images_score_better_than_noise_and_too_few_are_refused() {
        let real = Strokes::new(1, 400);
        let extractor = Extractor::random(&real, &Device::flex()).unwrap();
        let mut good = Vec::new();
        fill(&Strokes::new(2, 300), &(0..300).collect::<Vec<_>>(), &mut good).unwrap();
        let noise = Stream::new(1, "noise").uniform(0, good.len(), 0.0, 1.0);
        let run = |images: &[f32]| judge(&extractor, &real, "test", Exhibit { images, asked: None }, 0);
        let (good_scores, bad_scores) = (run(&good).unwrap().scores, run(&noise).unwrap().scores);
        assert_eq!(good_scores[0].name, "fid-300-random-convnet-test");
        assert_eq!(good_scores.len(), 6);
        for (good, bad) in good_scores.iter().zip(&bad_scores).filter(|(g, _)| !g.name.starts_with("recall")) {
            assert!(good.clearly_better_than(bad), "{good:?} {bad:?}");
        }
        assert!(run(&good[..784 * 20]).unwrap_err().to_string().starts_with("20 generated images"));
    }
}
