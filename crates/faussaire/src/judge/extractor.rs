//! Who looks at the images: a classifier that knows their classes, or a fixed net with random weights.

use burn::tensor::Device;

use super::{Classifier, Features, RandomFeatures};
use crate::data::{Dataset, fill};
use crate::error::Result;
use crate::loss::LabelKind;

/// Images that are read and looked at together, so that a large set never lies in memory.
const PART: usize = 1024;

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

    /// The features of the images of `set` at `indices`; `watch` is told the share done.
    ///
    /// # Errors
    /// No indices, or an image that can't be read.
    pub(super) fn look_at(&self, set: &dyn Dataset, indices: &[usize], watch: &mut dyn FnMut(f64)) -> Result<Features> {
        let (mut rows, mut values) = (Vec::new(), Vec::new());
        let mut dims = 0;
        for (part, chosen) in indices.chunks(PART).enumerate() {
            values.clear();
            fill(set, chosen, &mut values)?;
            let seen = self.look(&values)?.features;
            dims = seen.dims();
            rows.extend_from_slice(seen.values());
            watch((part * PART + chosen.len()) as f64 / indices.len() as f64);
        }
        Features::new(rows, indices.len(), dims)
    }
}
