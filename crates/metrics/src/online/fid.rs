//! Fréchet distance during training: of 1,000 generated images in an extractor's features, with the number of classes
//! that are generated far too rarely. It takes about two seconds per sheet.

use crate::data_name::data_name;
use crate::scores::classes::rare_classes;
use crate::scores::frechet::{Gaussian, distance_error};
use crate::{Extractor, Metric, Moments, OnlineScore, Parameters, Setting};
use faussaire_data::Dataset;
use faussaire_data::error::Result;
use faussaire_data::random::Stream;

/// Number of generated images.
const IMAGES: usize = 1000;

/// Number of real images; their moments are computed once.
const REAL: usize = 5000;

/// Classes of which fewer images than this are expected are never rare: they may be absent by chance.
const MIN_EXPECTED: f64 = 10.0;

/// An extractor with the statistics of the real images.
#[derive(Clone, Debug)]
pub(crate) struct OnlineFid {
    extractor: Extractor,
    real: Gaussian,
    /// The expected share of each class; empty where no classes are known.
    expected: Vec<f64>,
    setting: Setting,
}

impl OnlineFid {
    /// Computes the moments of images of `dataset`, selected by `seed`, in the features of `extractor`.
    ///
    /// # Errors
    /// Where an image can't be read, or has another shape than the extractor takes.
    pub(crate) fn new(extractor: Extractor, dataset: &dyn Dataset, seed: u64) -> Result<Self> {
        let chosen = Stream::new(seed, "score.real").choice(0, dataset.len(), REAL);
        let extracted = extractor.extract_of(dataset, &chosen)?;
        let expected = match &extracted.predictions {
            Some(predictions) => extractor.real_classes(&predictions.classes, &[])?.expected,
            None => Vec::new(),
        };
        let name = extractor.name(&data_name(dataset));
        let real = extracted.features.rows();
        let (split, parameters) = ("train".into(), Parameters::default());
        let setting = Setting { samples: IMAGES, real, extractor: name, split, parameters };
        Ok(Self { real: Gaussian::new(Moments::of(&extracted.features)?), extractor, expected, setting })
    }

    /// Number of generated images to score.
    pub(crate) fn images(&self) -> usize {
        IMAGES
    }

    /// Names and values of the scores of `generated` images, values in [0, 1]; smaller is better.
    ///
    /// # Errors
    /// Images with NaN or infinite values.
    pub(crate) fn score(&self, generated: &[f32]) -> Result<Vec<OnlineScore>> {
        let extracted = self.extractor.extract(generated)?;
        let moments = Moments::of(&extracted.features)?;
        let distance = self.real.distance(&moments)?.distance;
        let error = distance_error(&self.real, &moments, &extracted.features)?;
        let mut scores = vec![OnlineScore::new(self.setting.name(Metric::Frechet), distance).with_error(error)];
        let expected: Vec<f64> = self.expected.iter().map(|share| share * IMAGES as f64).collect();
        // With 1,000 classes, as of stacked MNIST, so few images say nothing about any of them.
        let is_large_enough = expected.iter().any(|images| *images >= MIN_EXPECTED);
        if let Some(predictions) = extracted.predictions.filter(|_| is_large_enough) {
            let images = |class: u32| predictions.classes.iter().filter(|other| **other == class).count() as f64;
            let generated: Vec<f64> = (0..expected.len() as u32).map(images).collect();
            let rare = rare_classes(&generated, &expected, MIN_EXPECTED);
            scores.push(OnlineScore::new(self.setting.name(Metric::RareClasses), rare as f64));
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
    use faussaire_data::{Strokes, fill};

    #[test]
    fn tells_good_images_from_bad_and_names_what_is_missing() {
        let train = Strokes::new(1, 3000);
        let training = Training { epochs: 3, ..Training::default() };
        let classifier = Classifier::train(&train, &train, training, &Device::flex(), &mut |_| ()).unwrap();
        let fid = OnlineFid::new(Extractor::Classifier(Box::new(classifier)), &train, 0).unwrap();
        let others = Strokes::new(2, 4000);
        let scores = |keep: &dyn Fn(u32) -> bool| {
            let chosen: Vec<usize> = (0..others.len()).filter(|i| others.label(*i).is_some_and(keep)).collect();
            let mut images = Vec::new();
            fill(&others, &chosen[..fid.images()], &mut images).unwrap();
            fid.score(&images).unwrap()
        };
        let (all, few) = (scores(&|_| true), scores(&|digit| digit < 5));
        let names = [&all[0].name, &all[1].name].map(ToString::to_string);
        assert!(
            names[0].starts_with("frechet-1000-strokes-classifier(") && names[0].ends_with("-train(3000)"),
            "{}",
            names[0]
        );
        assert!(names[1].starts_with("rare-classes-1000"));
        assert!(all[0].value > 0.0 && few[0].value > 5.0 * all[0].value, "{all:?} {few:?}");
        let errors = [&all, &few].map(|scores| scores[0].error.unwrap());
        assert!(errors[0] > 0.0 && errors[0] < all[0].value && 10.0 * errors[1] < few[0].value, "{all:?} {few:?}");
        assert_eq!((all[1].value, few[1].value), (0.0, 5.0));
        assert!(fid.score(&[f32::NAN; 784]).is_err());
    }
}
