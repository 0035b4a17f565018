//! Who looks at the images: a classifier that knows their classes, or a fixed net with random weights.

use burn::tensor::Device;

use super::{Classifier, Features, RandomFeatures};
use crate::data::Dataset;
use crate::error::Result;
use crate::loss::LabelKind;

/// Who looks at the images.
#[derive(Clone, Debug)]
pub enum Extractor {
    /// A classifier trained on the real images' labels.
    Classifier(Box<Classifier>),
    /// A fixed net with random weights.
    Random(Box<RandomFeatures>),
}

/// What was seen in some images.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub features: Features,
    /// By a classifier of classes: the most likely class of each image, and the probabilities of all.
    pub guesses: Option<(Vec<u32>, Vec<f32>)>,
}

impl Extractor {
    /// For images of `real`, without training anything.
    ///
    /// # Errors
    /// Images too small for the random net.
    pub fn random(real: &dyn Dataset, device: &Device) -> Result<Self> {
        Ok(Self::Random(Box::new(RandomFeatures::new(real.shape(), device)?)))
    }

    /// Its name in scores, with the data's: `mnist-classifier(99.2%)`.
    pub(super) fn name(&self, data: &str) -> String {
        match self {
            Self::Classifier(classifier) => format!("{data}-{}", classifier.name()),
            Self::Random(net) => net.name(),
        }
    }

    /// A digest of its weights: the same digest, the same features.
    pub(super) fn digest(&self) -> String {
        match self {
            Self::Classifier(classifier) => classifier.digest(),
            Self::Random(net) => net.digest(),
        }
    }

    /// The names of the classes that it knows; none where it knows attributes or nothing.
    pub(super) fn classes(&self) -> &[String] {
        match self {
            Self::Classifier(c) if c.labels().kind == LabelKind::Classes => &c.labels().names,
            Self::Classifier(_) | Self::Random(_) => &[],
        }
    }

    /// Features and, by a classifier of classes, guesses for `images`, `[n, h, w, c]` values in [0, 1].
    ///
    /// # Errors
    /// No images, or values that are no whole number of images.
    pub(super) fn look(&self, images: &[f32]) -> Result<Seen> {
        match self {
            Self::Classifier(classifier) => {
                let verdicts = classifier.judge(images)?;
                let guesses = (!self.classes().is_empty()).then_some((verdicts.classes, verdicts.probabilities));
                Ok(Seen { features: verdicts.features, guesses })
            }
            Self::Random(net) => Ok(Seen { features: net.features(images)?, guesses: None }),
        }
    }
}
