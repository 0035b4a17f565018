//! A small classifier, trained on a data set's own labels in a minute or two. It predicts the class of an image, and
//! the activations before its last layer are the features in which images are compared. Its accuracy on held-out images
//! is part of the name of every score that uses it.

mod cache;

use burn::tensor::{Device, Tensor};

use crate::features::BLOCK;
use crate::stats::matrix::whole_images;
use crate::{Bootstrap, Features};
use faussaire_data::LabelKind;
use faussaire_data::LabelSettings;
use faussaire_data::error::{Error, Result};
use faussaire_data::labels::Conditions;
use faussaire_data::random::Stream;
use faussaire_data::{Batches, Dataset, Digest, ImageShape, fill};
use faussaire_nn::augment::{Augmentation, augment};
use faussaire_nn::loss::label_cross_entropy;
use faussaire_nn::model::Model;
use faussaire_nn::net::{Network, Pass, Setting, Shape, Weights};
use faussaire_nn::ops::host;
use faussaire_nn::ops::tensor;
use faussaire_nn::optimizer::{AdamSettings, Decay};

pub use cache::{cache_path, load_or_train};

/// How the classifier is trained. The cache's file names depend on these names and values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Training {
    /// Number of passes over the data.
    pub epochs: u64,
    /// Images per update.
    pub batch: usize,
    /// Learning rate at its highest.
    pub rate: f64,
    /// Random seed.
    pub seed: u64,
}

impl Default for Training {
    fn default() -> Self {
        Self { epochs: 4, batch: 128, rate: 2e-3, seed: 0 }
    }
}

/// Fewest updates: after fewer, the moving statistics of batch normalisation have not converged, and single images have
/// features a hundred times larger than the others.
const MIN_STEPS: u64 = 300;

impl Training {
    /// The default training on `set`: as many passes over its labelled images as it takes for enough updates.
    ///
    /// # Errors
    /// No image has a label.
    pub fn on(set: &dyn Dataset) -> Result<Self> {
        let usual = Self::default();
        let steps_per_epoch = (labelled(set)?.len() / usual.batch).max(1) as u64;
        Ok(Self { epochs: usual.epochs.max(MIN_STEPS.div_ceil(steps_per_epoch)), ..usual })
    }
}

/// Number of features: the width of the layer before the last.
pub const FEATURES: usize = 128;

/// Images per inference pass.
const BATCH: usize = 128;
const _: () = assert!(BLOCK.is_multiple_of(BATCH));

/// A trained classifier.
#[derive(Clone, Debug)]
pub struct Classifier {
    model: Model,
    /// All layers but the last; its weights are the first ones of the model's.
    trunk: Network,
    head: Network,
    labels: LabelSettings,
    shape: ImageShape,
    device: Device,
    /// Accuracy on held-out images (over all attributes of all images, for a classifier of attributes).
    pub accuracy: f64,
    /// Number of images that the accuracy was measured on.
    pub tested: usize,
    /// The accuracy on the same images of the best answer that doesn't look at them: always the most frequent class.
    pub chance: f64,
}

/// The classifier's output for a set of images.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// One row of features per image.
    pub(crate) features: Features,
    /// `[images, labels]`: probabilities of the classes, or of each attribute.
    pub probabilities: Vec<f32>,
    /// The predicted class of each image.
    pub classes: Vec<u32>,
}

/// The layers for images of `shape`: strided convolutions down to 8 x 8 or less, then the features, then the labels.
fn layers(shape: ImageShape, labels: usize) -> Vec<String> {
    let mut lines: Vec<String> = ["conv 32 3x3", "batchnorm momentum 0.9", "relu"].map(String::from).to_vec();
    let (mut side, mut channels) = (shape.height.max(shape.width), 64);
    while side > 8 {
        lines.extend([format!("conv {channels} 3x3 stride 2"), "batchnorm momentum 0.9".into(), "relu".into()]);
        (side, channels) = (side.div_ceil(2), (channels * 2).min(128));
    }
    let tail = ["flatten", "dropout 0.3", &format!("dense {FEATURES}"), "relu", &format!("dense {labels}")];
    lines.extend(tail.map(String::from));
    lines
}

impl Classifier {
    /// An untrained one for images of `shape` with these `labels`.
    fn new(shape: ImageShape, labels: LabelSettings, seed: u64, device: &Device) -> Result<Self> {
        let lines = layers(shape, labels.names.len());
        let input = Shape::from(shape);
        let net = Network::build("classifier", &lines, Setting { input, labels: 0, spectral: false })?;
        let (last, before) =
            lines.split_last().ok_or_else(|| Error::recipe("a classifier without layers", "report this"))?;
        let trunk = Network::new("classifier", before, input)?;
        let head = Network::new("classifier", std::slice::from_ref(last), trunk.output())?;
        let model = Model::from_network(net, seed, device);
        let device = device.clone();
        Ok(Self { model, trunk, head, labels, shape, device, accuracy: 0.0, tested: 0, chance: 0.0 })
    }

    /// Trains a classifier on the labelled images of `train` and measures its accuracy on those of `test`. `progress` is
    /// called after each step with the share of the steps that are done.
    ///
    /// # Errors
    /// Sets without labelled images or of different shapes, images that can't be read, or a loss that is no longer finite.
    pub fn train(
        train: &dyn Dataset,
        test: &dyn Dataset,
        training: Training,
        device: &Device,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Self> {
        let labels = LabelSettings::of(train)?;
        let mut classifier = Self::new(train.shape(), labels, training.seed, device)?;
        let conditions = Conditions::new(&classifier.labels, train)?;
        let usable = labelled(train)?;
        let batches = Batches::new(usable.len(), training.batch.min(usable.len()), training.seed)?;
        let steps = training.epochs * batches.batches_per_epoch();
        let adam = AdamSettings::new(training.rate).warmup((steps / 20).min(100)).decay(Decay::Cosine, steps + 1);
        classifier.model.compile(adam);
        for step in 0..steps {
            let indices: Vec<usize> = batches.indices(step).into_iter().map(|at| usable[at]).collect();
            classifier.learn(train, &conditions, &indices, step, training.seed)?;
            progress((step + 1) as f64 / steps as f64);
        }
        classifier.model.optimizer = None;
        classifier.measure(test)?;
        Ok(classifier)
    }

    /// One update on the images at `indices`, with random translations.
    fn learn(
        &mut self,
        set: &dyn Dataset,
        conditions: &Conditions,
        indices: &[usize],
        step: u64,
        seed: u64,
    ) -> Result<()> {
        let mut values = Vec::new();
        fill(set, indices, &mut values)?;
        let x = augment(self.images(values), &[Augmentation::Translation], 0.7, &Stream::new(seed, "classifier"), step);
        let y = tensor(conditions.rows(set, indices), [indices.len(), 1, 1, conditions.width()], &self.device);
        let tracked = self.model.tracked();
        let mut pass = self.model.training_pass(step);
        let logits = self.model.net.apply(&tracked, x, &mut pass);
        let loss = label_cross_entropy(logits, y, self.labels.kind);
        let value = loss.clone().into_scalar::<f32>();
        self.model.update(tracked, loss, value)?;
        self.model.net.absorb(&mut self.model.weights, pass);
        Ok(())
    }

    /// Measures its accuracy, and that of chance, on the labelled images of `test`.
    fn measure(&mut self, test: &dyn Dataset) -> Result<()> {
        let (conditions, usable) = (Conditions::new(&self.labels, test)?, labelled(test)?);
        let width = self.labels.names.len();
        let (mut right, mut with_label) = (0usize, vec![0usize; width]);
        for indices in usable.chunks(BATCH) {
            let mut values = Vec::new();
            fill(test, indices, &mut values)?;
            let truth = conditions.rows(test, indices);
            let predictions = self.predict(&values)?;
            right += match self.labels.kind {
                LabelKind::Classes => {
                    let hit = |(row, class): (&[f32], &u32)| row.get(*class as usize) == Some(&1.0);
                    truth.chunks(width).zip(&predictions.classes).filter(|(r, c)| hit((r, c))).count()
                }
                LabelKind::Attributes => {
                    let hit = |(t, p): &(&f32, &f32)| (**t > 0.5) == (**p > 0.5);
                    truth.iter().zip(&predictions.probabilities).filter(hit).count()
                }
            };
            let count = |(at, truth): (usize, &f32)| with_label[at % width] += usize::from(*truth > 0.5);
            truth.iter().enumerate().for_each(count);
        }
        let answers = match self.labels.kind {
            LabelKind::Classes => usable.len(),
            LabelKind::Attributes => usable.len() * width,
        };
        let by_chance = match self.labels.kind {
            LabelKind::Classes => with_label.iter().copied().max().unwrap_or(0),
            LabelKind::Attributes => with_label.iter().map(|&with| with.max(usable.len() - with)).sum(),
        };
        self.accuracy = right as f64 / answers as f64;
        (self.chance, self.tested) = (by_chance as f64 / answers as f64, usable.len());
        Ok(())
    }

    /// Whether its accuracy is above that of chance by more than the number of tested images leaves open: the lower end
    /// of the 95 % interval.
    pub fn beats_chance(&self) -> bool {
        Bootstrap::default().wilson(self.accuracy, self.tested).low > self.chance
    }

    /// The classes or attributes that it predicts.
    pub fn labels(&self) -> &LabelSettings {
        &self.labels
    }

    /// The shape of the images that it takes.
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    /// Its name, accuracy included, as scores give it: `classifier(99.2%)`.
    pub fn name(&self) -> String {
        format!("classifier({:.1}%)", 100.0 * self.accuracy)
    }

    /// A digest of its layers and weights.
    pub(crate) fn digest(&self) -> String {
        weights_digest(&self.model)
    }

    /// Features and predictions of `images`, `[n, h, w, c]` values in [0, 1].
    ///
    /// # Errors
    /// No images, or a number of values that is no multiple of an image's.
    pub fn predict(&self, images: &[f32]) -> Result<Predictions> {
        let size = self.shape.len();
        whole_images(images, self.shape, "judge images of the shape that the classifier was trained on")?;
        let (mut features, mut logits) = (Vec::new(), Vec::new());
        for part in images.chunks(BATCH * size) {
            let x = self.images(part.to_vec());
            let seen = self.trunk.apply(&self.model.weights, x, &mut Pass::infer());
            features.extend(host(&seen));
            logits.extend(host(&self.head.apply(&self.head_weights(), seen, &mut Pass::infer())));
        }
        let width = self.labels.names.len();
        let classes = logits.chunks(width).map(largest).collect();
        let probabilities = match self.labels.kind {
            LabelKind::Classes => logits.chunks(width).flat_map(softmax).collect(),
            LabelKind::Attributes => logits.iter().map(|l| 1.0 / (1.0 + (-l).exp())).collect(),
        };
        let n = images.len() / size;
        Ok(Predictions { features: Features::new(features, n, FEATURES)?, probabilities, classes })
    }

    /// The last layer's weights: the model's last ones.
    fn head_weights(&self) -> Weights {
        let trunk = self.trunk.specs().count();
        Weights::new(self.model.weights.tensors()[trunk..].to_vec())
    }

    fn images(&self, values: Vec<f32>) -> Tensor<4> {
        let ImageShape { height, width, channels } = self.shape;
        let n = values.len() / self.shape.len().max(1);
        tensor(values, [n, height, width, channels], &self.device)
    }
}

/// The indices of the images of `set` that have a label.
///
/// # Errors
/// No image has one.
fn labelled(set: &dyn Dataset) -> Result<Vec<usize>> {
    let by_class = !set.classes().is_empty();
    let has =
        |&index: &usize| if by_class { set.label(index).is_some() } else { set.has_attribute(index, 0).is_some() };
    let found: Vec<usize> = (0..set.len()).filter(has).collect();
    if found.is_empty() {
        let what = format!("none of the {} images of {} has a label", set.len(), set.name());
        return Err(Error::data(
            what,
            "judge against labelled images, or against the images alone, without their labels",
        ));
    }
    Ok(found)
}

/// A digest of a net's layers and weights.
pub(crate) fn weights_digest(model: &Model) -> String {
    let mut digest = Digest::new();
    digest.update(model.net.summary().as_bytes());
    for weights in model.weights.tensors() {
        let bytes: Vec<u8> = host(weights).iter().flat_map(|v| v.to_le_bytes()).collect();
        digest.update(&bytes);
    }
    digest.finish()
}

fn largest(row: &[f32]) -> u32 {
    let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    best.map_or(0, |(class, _)| class as u32)
}

fn softmax(row: &[f32]) -> Vec<f32> {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = row.iter().map(|l| (l - top).exp()).collect();
    let sum: f32 = exponentials.iter().sum();
    exponentials.into_iter().map(|e| e / sum).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use faussaire_data::Strokes;

    #[test]
    fn learns_strokes_and_is_cached() {
        let (train, test) = (Strokes::new(1, 3000), Strokes::new(2, 500));
        let training = Training { epochs: 5, ..Training::default() };
        let mut done = 0.0;
        let classifier =
            Classifier::train(&train, &test, training, &Device::flex(), &mut |share| done = share).unwrap();
        assert_eq!((done, classifier.tested), (1.0, 500));
        assert!(classifier.accuracy > 0.9, "{}", classifier.accuracy);
        let mut images = Vec::new();
        fill(&test, &[0, 1, 2, 3, 4], &mut images).unwrap();
        let predictions = classifier.predict(&images).unwrap();
        assert_eq!((predictions.features.rows(), predictions.features.dims()), (5, FEATURES));
        assert!(predictions.probabilities.chunks(10).all(|p| (p.iter().sum::<f32>() - 1.0).abs() < 1e-5));
        let right = (0..5).filter(|i| test.label(*i) == Some(predictions.classes[*i])).count();
        assert!(right >= 4, "{right}");
        assert!(classifier.predict(&images[1..]).is_err() && classifier.predict(&[]).is_err());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("judge.safetensors");
        cache::save(&file, &classifier, &test).unwrap();
        let (again, measured_on) = cache::load(&file, &train, training, &Device::flex()).unwrap();
        assert_eq!(measured_on, test.fingerprint());
        assert_eq!(again.predict(&images).unwrap(), predictions);
        assert_eq!((again.accuracy, again.tested), (classifier.accuracy, 500));
        std::fs::write(&file, b"damaged").unwrap();
        assert!(cache::load(&file, &train, training, &Device::flex()).is_err());
    }
}
