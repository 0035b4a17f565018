//! The scores of a run's discriminator for given images.

use crate::Device;
use crate::error::{Error, Result};
use crate::loss::Scores;
use crate::model::Model;
use crate::net::{Pass, Weights};
use crate::ops::host;
use crate::ops::tensor;
use crate::pixel_range::PixelRange;
use crate::run::{Run, checkpoint};

/// Images per batch.
const BATCH: usize = 64;

/// A discriminator taken from a checkpoint.
#[derive(Debug)]
pub struct Expert {
    model: Model,
    weights: Weights,
    range: PixelRange,
    device: Device,
    /// The step at which the checkpoint was taken.
    pub step: u64,
}

impl Expert {
    /// Opens the discriminator of the checkpoint called `name` of `run`.
    ///
    /// # Errors
    /// A checkpoint that is missing or damaged, or a discriminator that takes several images at once (`train.pac`).
    pub fn open(run: &Run, name: &str, device: &Device) -> Result<Self> {
        let recipe = run.recipe(&[])?;
        let (generator, discriminator) = recipe.networks()?;
        if recipe.train.pac > 1 {
            return Err(Error::usage(
                format!("this discriminator takes {} images at once", recipe.train.pac),
                "use a run with `train.pac` = 1",
            ));
        }
        let (place, state) = checkpoint::state(&run.checkpoint(name))?;
        let weights = checkpoint::weights(&place, &state, &discriminator, discriminator.name(), device)?;
        let model = Model::from_network(discriminator, recipe.train.seed, device);
        Ok(Self { model, weights, range: PixelRange::of(&generator)?, device: device.clone(), step: state.step })
    }

    /// Its score of each of `images`, `[n, h, w, c]` values in [0, 1]; above 0 means real, for losses that are not
    /// relativistic or Wasserstein. With a row of labels for each image, if the discriminator is conditional.
    ///
    /// # Errors
    /// Values that are not a whole number of images, or too few labels.
    pub fn scores(&self, images: &[f32], labels: &[Vec<f32>]) -> Result<Vec<f32>> {
        let net = &self.model.net;
        let [h, w, c] = net.input().dims();
        let (size, width) = (net.input().len(), net.labels());
        let n = images.len() / size.max(1);
        if images.is_empty() || n * size != images.len() {
            return Err(Error::usage(
                format!("{} values are not a whole number of images of {}", images.len(), net.input()),
                "use images of the shape that the discriminator was trained on",
            ));
        }
        if width > 0 && (labels.len() != n || labels.iter().any(|row| row.len() != width)) {
            return Err(Error::usage(
                format!("{} label rows for {n} images, expected one each, of {width} values", labels.len()),
                "this discriminator is conditional",
            ));
        }
        let mut scores = Vec::with_capacity(n);
        for first in (0..n).step_by(BATCH) {
            let part = first..(first + BATCH).min(n);
            let mut values = images[part.start * size..part.end * size].to_vec();
            self.range.from_unit(&mut values);
            let x = tensor(values, [part.len(), h, w, c], &self.device);
            let y = (width > 0).then(|| tensor(labels[part.clone()].concat(), [part.len(), 1, 1, width], &self.device));
            let logits = net.apply_to_logits(&self.weights, x, &mut Pass::infer().given(y));
            scores.extend(host(&Scores::of(logits)));
        }
        Ok(scores)
    }
}
