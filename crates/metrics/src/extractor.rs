//! Who looks at the images: what turns them into the features that scores compare, and says which class they show where
//! it knows classes.

use burn::tensor::Device;

use super::channels::Channels;
use super::classes::{class_shares, equal_shares};
use super::{Classifier, Features, Inception, RandomFeatures};
use faussaire_data::LabelKind;
use faussaire_data::error::Result;
use faussaire_data::{Dataset, ImageShape};

/// Who looks at the images.
#[derive(Clone, Debug)]
pub enum Extractor {
    /// A classifier trained on the real images' labels.
    Classifier(Box<Classifier>),
    /// A classifier that looks at every channel for itself: stacked MNIST.
    Channels(Box<Channels>),
    /// A fixed net with random weights.
    Random(Box<RandomFeatures>),
    /// InceptionV3 with the user's own weights.
    Inception(Box<Inception>),
}

/// What `data` is called within an extractor's name: of a path its last part, both of a set's halves alike.
pub(super) fn data_name(data: &dyn Dataset) -> String {
    plain_name(&data.name())
}

fn plain_name(name: &str) -> String {
    let is_half = |part: &&str| ["train", "test", "val"].contains(part);
    let mut parts = name.split(['/', '\\']).rev().filter(|part| !part.is_empty()).peekable();
    let last = parts.next_if(is_half);
    let name = parts.next().or(last).unwrap_or_default();
    name.replace(' ', "-").replace("-test", "")
}

/// What is seen in a set of images.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub features: Features,
    pub guesses: Option<Guesses>,
}

/// Which classes the images show.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Guesses {
    /// The most likely class of each image.
    pub classes: Vec<u32>,
    /// `[images, classes]`, where the classes are few enough to tell.
    pub probabilities: Option<Vec<f32>>,
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
            Self::Channels(channels) => channels.name(),
            Self::Random(net) => format!("{data}-{}", net.name()),
            Self::Inception(net) => format!("{data}-{}", net.name()),
        }
    }

    /// The shape of the images that it looks at.
    pub(super) fn shape(&self) -> ImageShape {
        match self {
            Self::Classifier(classifier) => classifier.shape(),
            Self::Channels(channels) => channels.shape(),
            Self::Random(net) => net.shape(),
            Self::Inception(net) => net.shape(),
        }
    }

    /// A digest of its weights: the same digest, the same features.
    pub(super) fn digest(&self) -> String {
        match self {
            Self::Classifier(classifier) => classifier.digest(),
            Self::Channels(channels) => channels.digest(),
            Self::Random(net) => net.digest(),
            Self::Inception(net) => net.digest(),
        }
    }

    /// The names of the classes that it tells apart; none where it knows none.
    pub(super) fn classes(&self) -> Vec<String> {
        match self {
            Self::Classifier(classifier) if classifier.labels().kind == LabelKind::Classes => {
                classifier.labels().names.clone()
            }
            Self::Channels(channels) => channels.classes(),
            Self::Classifier(_) | Self::Random(_) | Self::Inception(_) => Vec::new(),
        }
    }

    /// Features and, where it knows classes, the most likely one of each image.
    pub(super) fn look(&self, images: &[f32]) -> Result<Seen> {
        match self {
            Self::Classifier(classifier) => {
                let verdicts = classifier.judge(images)?;
                let guesses = (classifier.labels().kind == LabelKind::Classes)
                    .then_some(Guesses { classes: verdicts.classes, probabilities: Some(verdicts.probabilities) });
                Ok(Seen { features: verdicts.features, guesses })
            }
            Self::Channels(channels) => {
                let (features, classes) = channels.judge(images)?;
                Ok(Seen { features, guesses: Some(Guesses { classes, probabilities: None }) })
            }
            Self::Random(net) => Ok(Seen { features: net.features(images)?, guesses: None }),
            Self::Inception(net) => Ok(Seen { features: net.features(images)?, guesses: None }),
        }
    }

    /// The share of images that each class should have; `seen` are the classes of real images.
    ///
    /// # Errors
    /// No images.
    pub(super) fn expected(&self, seen: &[u32]) -> Result<Vec<f64>> {
        if let Self::Channels(channels) = self {
            return Ok(channels.expected());
        }
        let count = self.classes().len();
        // Classes that no real image here was taken for can't be compared with: all are expected equally then.
        let all_there = (0..count as u32).all(|class| seen.contains(&class));
        Ok(if all_there { class_shares(seen, count)? } else { equal_shares(count) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_called_by_their_last_part() {
        for (name, plain) in [
            ("mnist-test", "mnist"),
            ("/data/my photos/", "my-photos"),
            ("photos/train", "photos"),
            ("photos/test", "photos"),
            ("test", "test"),
            ("quickdraw:sheep", "quickdraw:sheep"),
            ("a\\b.npy", "b.npy"),
            ("", ""),
        ] {
            assert_eq!(plain_name(name), plain, "{name}");
        }
    }
}
