//! The four feature extractors as one type: features of images and, with a classifier, class predictions.

use burn::tensor::Device;

use crate::features::channels::Channels;
use crate::stats::class_counts::{class_shares, equal_shares};
use crate::{Classifier, Features, Inception, RandomFeatures};
use faussaire_data::LabelKind;
use faussaire_data::error::Result;
use faussaire_data::{Dataset, ImageShape};

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
        Ok(Self::Random(Box::new(RandomFeatures::new(real.shape(), device)?)))
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

    /// The expected share of each class; `real` are the predicted classes of real images.
    ///
    /// # Errors
    /// No images.
    pub(crate) fn expected(&self, real: &[u32]) -> Result<Vec<f64>> {
        if let Self::Channels(channels) = self {
            return Ok(channels.expected());
        }
        let count = self.classes().len();
        // A class that no real image is predicted as would have an expected share of 0, and the divergence be infinite.
        let has_all = (0..count as u32).all(|class| real.contains(&class));
        Ok(if has_all { class_shares(real, count)? } else { equal_shares(count) })
    }
}
