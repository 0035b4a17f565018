//! Stacked MNIST's judge (Metz et al. 2017): a classifier of digits looks at the red, the green and the blue of an image,
//! each for itself, and the three digits name one of a thousand modes. How many of them 26,000 generated images show, and
//! the divergence of their histogram from the expected one, are the published measures of mode collapse (PacGAN, Lin et al.
//! 2018).

use super::classes::class_shares;
use super::{Classifier, Features};
use faussaire_data::error::{Error, Result};
use faussaire_data::{Dataset, ImageShape};

/// Channels of an image.
const CHANNELS: usize = 3;

/// A classifier that looks at each channel.
#[derive(Clone, Debug)]
pub struct Channels {
    classifier: Classifier,
    /// The grey set's name.
    of: String,
    /// The share of each grey class.
    shares: Vec<f64>,
}

impl Channels {
    /// Looks with `classifier` at channels that are drawn from `grey`, each for itself.
    ///
    /// # Errors
    /// Where the classifier was not trained for such images, or `grey` has no labels.
    pub fn new(classifier: Classifier, grey: &dyn Dataset) -> Result<Self> {
        let labels: Vec<u32> = (0..grey.len()).filter_map(|i| grey.label(i)).collect();
        if classifier.shape() != grey.shape() || grey.shape().channels != 1 || labels.len() != grey.len() {
            return Err(Error::usage(
                format!("channels of {} can't be judged by a classifier of {} images", grey.name(), classifier.shape()),
                "train the classifier on the grey images that the channels are drawn from",
            ));
        }
        let shares = class_shares(&labels, classifier.labels().names.len())?;
        Ok(Self { classifier, of: grey.name().replace("-test", ""), shares })
    }

    /// Its name, as scores give it: `mnist-classifier(99.3%)-per-channel`.
    pub fn name(&self) -> String {
        format!("{}-{}-per-channel", self.of, self.classifier.name())
    }

    /// The shape of the images that it looks at.
    pub(super) fn shape(&self) -> ImageShape {
        ImageShape { channels: CHANNELS, ..self.classifier.shape() }
    }

    /// A digest of its classifier's layers and weights, and of how it looks.
    pub(super) fn digest(&self) -> String {
        format!("{} by channel", self.classifier.digest())
    }

    /// The names of the modes: red's class, green's, blue's.
    pub fn classes(&self) -> Vec<String> {
        let names = &self.classifier.labels().names;
        let join = |(r, g, b): (&String, &String, &String)| format!("{r}{g}{b}");
        triples(names).map(join).collect()
    }

    /// The share of each mode: the channels are drawn from the grey images independently.
    pub fn expected(&self) -> Vec<f64> {
        triples(&self.shares).map(|(r, g, b)| r * g * b).collect()
    }

    /// Features of `[n, h, w, 3]` values in [0, 1], those of the three channels one behind the other, and the mode of
    /// each image.
    ///
    /// # Errors
    /// As [`Classifier::judge`].
    pub fn judge(&self, images: &[f32]) -> Result<(Features, Vec<u32>)> {
        let base = self.shares.len() as u32;
        let mut rows: Vec<Vec<f32>> = Vec::new();
        let mut modes: Vec<u32> = Vec::new();
        for channel in 0..CHANNELS {
            let plane: Vec<f32> = images.iter().skip(channel).step_by(CHANNELS).copied().collect();
            let verdicts = self.classifier.judge(&plane)?;
            rows.resize(verdicts.classes.len(), Vec::new());
            modes.resize(verdicts.classes.len(), 0);
            for (i, class) in verdicts.classes.iter().enumerate() {
                rows[i].extend(verdicts.features.row(i));
                modes[i] = modes[i] * base + class;
            }
        }
        let (n, dims) = (rows.len(), rows.first().map_or(0, Vec::len));
        Ok((Features::new(rows.concat(), n, dims)?, modes))
    }
}

/// Every combination of three of `items`, the last one changing first.
fn triples<T>(items: &[T]) -> impl Iterator<Item = (&T, &T, &T)> {
    items.iter().flat_map(move |r| items.iter().flat_map(move |g| items.iter().map(move |b| (r, g, b))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::classifier::Training;
    use crate::{Exhibit, Extractor, judge};
    use burn::tensor::Device;
    use faussaire_data::{Stacked, Strokes, fill};

    #[test]
    fn reads_the_digit_of_each_channel_and_counts_modes() {
        let digits = Strokes::new(1, 3000);
        let training = Training { epochs: 5, ..Training::default() };
        let classifier =
            Classifier::train(&digits, &Strokes::new(2, 500), training, &Device::flex(), &mut |_| ()).unwrap();
        let channels = Channels::new(classifier, &digits).unwrap();
        assert!(channels.name().starts_with("strokes-classifier(") && channels.name().ends_with(")-per-channel"));
        let shares = channels.expected();
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9 && shares.len() == 1000);
        assert_eq!((channels.classes()[407].as_str(), channels.classes().len()), ("407", 1000));

        let stacked = Stacked::new("stacked", Box::new(Strokes::new(2, 500)), 3, 400).unwrap();
        let mut images = Vec::new();
        fill(&stacked, &(0..400).collect::<Vec<_>>(), &mut images).unwrap();
        let (features, modes) = channels.judge(&images).unwrap();
        assert_eq!((features.rows(), features.dims()), (400, 3 * crate::classifier::FEATURES));
        let right = (0..400).filter(|&i| stacked.label(i) == Some(modes[i])).count();
        assert!(right > 280, "{right} of 400");

        // One image again and again is one mode: the divergence is that of its probability.
        let extractor = Extractor::Channels(Box::new(channels));
        let one = images[..3 * 784].repeat(60);
        let judgement =
            judge(&extractor, &stacked, "test", Exhibit { only: None, images: &one, asked: None }, 0).unwrap();
        let score = |slug: &str| judgement.scores.iter().find(|s| s.name.starts_with(slug)).unwrap();
        assert_eq!(score("missing-classes-60").value, 999.0);
        let expected = -shares[modes[0] as usize].ln();
        assert!((score("class-kl-60").value - expected).abs() < 1e-6, "{expected}");
    }

    #[test]
    fn classifiers_of_other_images_are_refused() {
        let digits = Strokes::new(1, 300);
        let training = Training { epochs: 1, ..Training::default() };
        let classifier = Classifier::train(&digits, &digits, training, &Device::flex(), &mut |_| ()).unwrap();
        let stacked = Stacked::new("stacked", Box::new(digits), 3, 40).unwrap();
        let error = Channels::new(classifier, &stacked).unwrap_err().to_string();
        assert_eq!(error, "channels of stacked can't be judged by a classifier of 28x28x1 images");
    }
}
