//! The extractor for stacked MNIST (Metz et al. 2017): a classifier of digits is applied to the red, green and blue
//! channel separately, and the three digits name one of 1,000 modes. The number of modes among 26,000 generated images,
//! and the divergence of their histogram from the expected one, are the published measures of mode collapse (PacGAN,
//! Lin et al. 2018).

use crate::stats::class_counts::class_shares;
use crate::{Classifier, Features};
use faussaire_data::error::{Error, Result};
use faussaire_data::{Dataset, ImageShape};

/// Number of channels of an image.
const CHANNELS: usize = 3;

/// A classifier that is applied to each channel.
#[derive(Clone, Debug)]
pub struct Channels {
    classifier: Classifier,
    /// The grey set's name.
    grey: String,
    /// The share of each grey class.
    shares: Vec<f64>,
}

impl Channels {
    /// `classifier` for images whose channels are drawn from `grey`.
    ///
    /// # Errors
    /// Where the classifier was trained on images of another shape, or no image of `grey` has a label.
    pub fn new(classifier: Classifier, grey: &dyn Dataset) -> Result<Self> {
        let labels: Vec<u32> = (0..grey.len()).filter_map(|i| grey.label(i)).collect();
        if classifier.shape() != grey.shape() || grey.shape().channels != 1 || labels.is_empty() {
            return Err(Error::usage(
                format!("channels of {} can't be judged by a classifier of {} images", grey.name(), classifier.shape()),
                "train the classifier on the grey images that the channels are drawn from",
            ));
        }
        let shares = class_shares(&labels, classifier.labels().names.len())?;
        Ok(Self { classifier, grey: grey.name().replace("-test", ""), shares })
    }

    /// Its name, as scores give it: `mnist-classifier(99.3%)-per-channel`.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}-per-channel", self.grey, self.classifier.name())
    }

    /// The shape of the images that it takes.
    pub(crate) fn shape(&self) -> ImageShape {
        ImageShape { channels: CHANNELS, ..self.classifier.shape() }
    }

    /// A digest of its classifier's layers and weights, distinct from the classifier's own.
    pub(crate) fn digest(&self) -> String {
        format!("{} by channel", self.classifier.digest())
    }

    /// The names of the modes: red's class, green's, blue's.
    pub(crate) fn classes(&self) -> Vec<String> {
        let names = &self.classifier.labels().names;
        let join = |(r, g, b): (&String, &String, &String)| format!("{r}{g}{b}");
        triples(names).map(join).collect()
    }

    /// The expected share of each mode: the channels are drawn from the grey images independently.
    pub(crate) fn expected(&self) -> Vec<f64> {
        triples(&self.shares).map(|(r, g, b)| r * g * b).collect()
    }

    /// Features of `[n, h, w, 3]` values in [0, 1], the three channels' concatenated, and the predicted mode of each
    /// image.
    ///
    /// # Errors
    /// As [`Classifier::predict`].
    pub(crate) fn predict(&self, images: &[f32]) -> Result<(Features, Vec<u32>)> {
        let base = self.shares.len() as u32;
        let mut rows: Vec<Vec<f32>> = Vec::new();
        let mut modes: Vec<u32> = Vec::new();
        for channel in 0..CHANNELS {
            let plane: Vec<f32> = images.iter().skip(channel).step_by(CHANNELS).copied().collect();
            let predictions = self.classifier.predict(&plane)?;
            rows.resize(predictions.classes.len(), Vec::new());
            modes.resize(predictions.classes.len(), 0);
            for (i, class) in predictions.classes.iter().enumerate() {
                rows[i].extend(predictions.features.row(i));
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
    use crate::{Extractor, Metric, Samples, judge};
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
        let (features, modes) = channels.predict(&images).unwrap();
        assert_eq!((features.rows(), features.dims()), (400, 3 * crate::features::classifier::FEATURES));
        let right = (0..400).filter(|&i| stacked.label(i) == Some(modes[i])).count();
        assert!(right > 280, "{right} of 400");

        // Copies of one image have one mode: the divergence is the negative logarithm of its share.
        let extractor = Extractor::Channels(Box::new(channels));
        let one = images[..3 * 784].repeat(60);
        let judgement =
            judge(&extractor, &stacked, "test", Samples { only: None, images: &one, asked: None }, 0).unwrap();
        let score = |metric| judgement.get(metric).unwrap();
        assert_eq!(score(Metric::MissingClasses).value, 999.0);
        assert!(score(Metric::MissingClasses).name.to_string().starts_with("missing-classes-60"));
        let expected = -shares[modes[0] as usize].ln();
        assert!((score(Metric::ClassKl).value - expected).abs() < 1e-6, "{expected}");
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
