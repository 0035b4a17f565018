//! The four feature extractors as one type: features of images and, with a classifier, class predictions.

use burn::tensor::Device;

use crate::features::channels::Channels;
use crate::scores::classes::RealClasses;
use crate::{Classifier, Features, Inception, RandomFeatures};
use faussaire_data::LabelKind;
use faussaire_data::error::Result;
use faussaire_data::{Dataset, ImageShape, fill};

/// A classifier tested on fewer images has an uncertain accuracy.
const MIN_TESTED: usize = 100;

/// A feature extractor.
#[derive(Clone, Debug)]
pub enum Extractor {
    /// A classifier trained on the real images' labels.
    Classifier(Box<Classifier>),
    /// A classifier applied to each channel separately: stacked MNIST.
    Channels(Box<Channels>),
    /// A fixed net with random weights.
    Random(Box<RandomFeatures>),
    /// InceptionV3 with the user's own weights.
    Inception(Box<Inception>),
}

/// Features and class predictions of a set of images.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Extracted {
    pub features: Features,
    pub predictions: Option<ClassPredictions>,
}

/// Class predictions of a set of images.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClassPredictions {
    /// The predicted class of each image.
    pub classes: Vec<u32>,
    /// `[images, classes]`; none for the modes of stacked MNIST.
    pub probabilities: Option<Vec<f32>>,
}

impl Extractor {
    /// The fixed net with random weights for images of `real`, which needs no training.
    ///
    /// # Errors
    /// Images too small for the random net.
    pub fn random(real: &dyn Dataset, device: &Device) -> Result<Self> {
        let reason = format!("{} has no labels", real.name());
        Ok(Self::Random(Box::new(RandomFeatures::new(real.shape(), device)?.because(reason))))
    }

    /// The features of `classifier`; those of the fixed net with random weights where it is no better than chance, which
    /// says nothing about the images of `real`.
    ///
    /// # Errors
    /// As [`Self::random`].
    pub fn of_classifier(classifier: Classifier, real: &dyn Dataset, device: &Device) -> Result<Self> {
        if classifier.beats_chance() {
            return Ok(Self::Classifier(Box::new(classifier)));
        }
        let [accuracy, chance] = [classifier.accuracy, classifier.chance].map(|share| 100.0 * share);
        let reason = format!(
            "a classifier of the labels of {} is no better than chance ({accuracy:.0}% of {} images right, {chance:.0}% by \
             always answering the same)",
            real.name(),
            classifier.tested
        );
        Ok(Self::Random(Box::new(RandomFeatures::new(real.shape(), device)?.because(reason))))
    }

    /// Its name in scores, with the data's: `mnist-classifier(99.2%)`.
    pub(crate) fn name(&self, data: &str) -> String {
        match self {
            Self::Classifier(classifier) => format!("{data}-{}", classifier.name()),
            Self::Channels(channels) => channels.name(),
            Self::Random(net) => format!("{data}-{}", net.name()),
            Self::Inception(net) => format!("{data}-{}", net.name()),
        }
    }

    /// The shape of the images that it takes.
    pub(crate) fn shape(&self) -> ImageShape {
        match self {
            Self::Classifier(classifier) => classifier.shape(),
            Self::Channels(channels) => channels.shape(),
            Self::Random(net) => net.shape(),
            Self::Inception(net) => net.shape(),
        }
    }

    /// A digest of its weights: the same digest, the same features.
    pub(crate) fn digest(&self) -> String {
        match self {
            Self::Classifier(classifier) => classifier.digest(),
            Self::Channels(channels) => channels.digest(),
            Self::Random(net) => net.digest(),
            Self::Inception(net) => net.digest(),
        }
    }

    /// The names of the classes that it predicts; empty where it predicts none.
    pub(crate) fn classes(&self) -> Vec<String> {
        match self {
            Self::Classifier(classifier) if classifier.labels().kind == LabelKind::Classes => {
                classifier.labels().names.clone()
            }
            Self::Channels(channels) => channels.classes(),
            Self::Classifier(_) | Self::Random(_) | Self::Inception(_) => Vec::new(),
        }
    }

    /// Features and, with a classifier of classes, the class predictions of `images`, `[n, h, w, c]` values in [0, 1].
    pub(crate) fn extract(&self, images: &[f32]) -> Result<Extracted> {
        match self {
            Self::Classifier(classifier) => {
                let all = classifier.predict(images)?;
                let predictions = (classifier.labels().kind == LabelKind::Classes)
                    .then_some(ClassPredictions { classes: all.classes, probabilities: Some(all.probabilities) });
                Ok(Extracted { features: all.features, predictions })
            }
            Self::Channels(channels) => {
                let (features, classes) = channels.predict(images)?;
                Ok(Extracted { features, predictions: Some(ClassPredictions { classes, probabilities: None }) })
            }
            Self::Random(net) => Ok(Extracted { features: net.features(images)?, predictions: None }),
            Self::Inception(net) => Ok(Extracted { features: net.features(images)?, predictions: None }),
        }
    }

    /// As [`Self::extract`], of the images of `set` at `indices`.
    pub(crate) fn extract_of(&self, set: &dyn Dataset, indices: &[usize]) -> Result<Extracted> {
        let mut values = Vec::new();
        fill(set, indices, &mut values)?;
        self.extract(&values)
    }

    /// The classes of real images, of which `predicted` and, where known, `labels` are given.
    ///
    /// # Errors
    /// No images.
    pub(crate) fn real_classes(&self, predicted: &[u32], labels: &[Option<u32>]) -> Result<RealClasses> {
        match self {
            Self::Channels(channels) => Ok(RealClasses::of_shares(channels.expected(), predicted.len())),
            _ => RealClasses::new(predicted, labels, self.classes().len()),
        }
    }

    /// What a reader of the scores should know of the features, in a sentence.
    pub fn note(&self) -> Option<String> {
        match self {
            Self::Random(net) => {
                Some(format!("{}: features are those of a fixed net with random weights", net.reason()))
            }
            Self::Classifier(classifier) if classifier.tested < MIN_TESTED => Some(format!(
                "the classifier whose features are compared was tested on {} images only: its accuracy of {:.0}% is uncertain",
                classifier.tested,
                100.0 * classifier.accuracy
            )),
            Self::Classifier(_) | Self::Channels(_) | Self::Inception(_) => None,
        }
    }
}
