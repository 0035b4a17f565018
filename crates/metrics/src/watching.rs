//! The judge at a training: the Fréchet distance of a thousand generated images in the judge's features, and how many classes
//! hardly any of them shows. About two seconds for each sheet; good enough to choose the best checkpoint by.

use super::extractor::data_name;
use super::frechet::Gaussian;
use super::{Extractor, Metric, Moments, Setting};
use faussaire_data::error::Result;
use faussaire_data::random::Stream;
use faussaire_data::{Dataset, fill};

/// Generated images.
const IMAGES: usize = 1000;

/// Real images, whose moments are taken once.
const REAL: usize = 5000;

/// A class counts as rare where so many of its images are due at least,
const FEWEST: f64 = 10.0;

/// and it is shown so many times more rarely: a classifier that errs sees some of a class that isn't there.
const RARER: f64 = 5.0;

/// The real side, and who looks.
#[derive(Clone, Debug)]
pub struct Watching {
    extractor: Extractor,
    real: Gaussian,
    /// The share of images that each class should have; none where no classes are known.
    expected: Vec<f64>,
    setting: Setting,
}

impl Watching {
    /// Takes the moments of images of `dataset`, chosen by `seed`, as `extractor` sees them.
    ///
    /// # Errors
    /// Where an image can't be read, or has another shape than the extractor knows.
    pub fn new(extractor: Extractor, dataset: &dyn Dataset, seed: u64) -> Result<Self> {
        let chosen = Stream::new(seed, "score.real").choice(0, dataset.len(), REAL);
        let mut values = Vec::new();
        fill(dataset, &chosen, &mut values)?;
        let seen = extractor.look(&values)?;
        let classes = seen.guesses.as_ref().map(|guesses| extractor.expected(&guesses.classes));
        let expected = classes.transpose()?.unwrap_or_default();
        let name = extractor.name(&data_name(dataset));
        let real = seen.features.rows();
        let setting = Setting { samples: IMAGES, real, extractor: name, split: "train".into() };
        Ok(Self { real: Gaussian::new(Moments::of(&seen.features)?), extractor, expected, setting })
    }

    /// How many generated images to hand over.
    pub fn images(&self) -> usize {
        IMAGES
    }

    /// Names and values for `generated` images, values in [0, 1]; smaller is better.
    ///
    /// # Errors
    /// Images beyond numbers.
    pub fn score(&self, generated: &[f32]) -> Result<Vec<(String, f64)>> {
        let seen = self.extractor.look(generated)?;
        let distance = self.real.distance(&Moments::of(&seen.features)?)?.distance;
        let mut scores = vec![(self.setting.name(Metric::Frechet), distance)];
        // A class that is due less often may be rare by chance; where all are, as stacked MNIST's thousand, so few images say nothing.
        let due = |share: f64| share * IMAGES as f64;
        if let Some(guesses) = seen.guesses.filter(|_| self.expected.iter().any(|share| due(*share) >= FEWEST)) {
            let shown = |class: u32| guesses.classes.iter().filter(|seen| **seen == class).count() as f64;
            let is_rare = |(class, share): &(u32, &f64)| due(**share) >= FEWEST && RARER * shown(*class) < due(**share);
            let rare = (0u32..).zip(&self.expected).filter(is_rare).count();
            scores.push((self.setting.name(Metric::RareClasses), rare as f64));
        }
        Ok(scores)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Classifier;
    use crate::classifier::Training;
    use burn::tensor::Device;
    use faussaire_data::Strokes;

    #[test]
    fn tells_good_images_from_bad_and_names_what_is_missing() {
        let train = Strokes::new(1, 3000);
        let training = Training { epochs: 3, ..Training::default() };
        let classifier = Classifier::train(&train, &train, training, &Device::flex(), &mut |_| ()).unwrap();
        let watching = Watching::new(Extractor::Classifier(Box::new(classifier)), &train, 0).unwrap();
        let others = Strokes::new(2, 4000);
        let scores = |keep: &dyn Fn(u32) -> bool| {
            let chosen: Vec<usize> = (0..others.len()).filter(|i| others.label(*i).is_some_and(keep)).collect();
            let mut images = Vec::new();
            fill(&others, &chosen[..watching.images()], &mut images).unwrap();
            watching.score(&images).unwrap()
        };
        let (all, few) = (scores(&|_| true), scores(&|digit| digit < 5));
        assert!(
            all[0].0.starts_with("frechet-1000-strokes-classifier(") && all[0].0.ends_with("-train(3000)"),
            "{}",
            all[0].0
        );
        assert!(all[1].0.starts_with("rare-classes-1000"));
        assert!(all[0].1 > 0.0 && few[0].1 > 5.0 * all[0].1, "{all:?} {few:?}");
        assert_eq!((all[1].1, few[1].1), (0.0, 5.0));
        assert!(watching.score(&[f32::NAN; 784]).is_err());
    }
}
