//! Images from a trained run: its averaged generator, without the data or the discriminator.

use burn::tensor::{Device, Tensor};

use super::{Run, checkpoint};
use crate::data::ImageShape;
use crate::data::LabelSettings;
use crate::data::labels;
use crate::error::{Error, Result};
use crate::net::{Network, Weights};
use crate::pixel_range::PixelRange;
use crate::random::Stream;
use crate::recipe::PrecisionChoice;
use crate::train::{InferenceGenerator, Latents};

/// A generator taken from a checkpoint.
#[derive(Debug)]
pub struct Sampler {
    generator: Network,
    weights: Weights,
    inference: InferenceGenerator,
    range: PixelRange,
    shape: ImageShape,
    labels: LabelSettings,
    device: Device,
    /// The step at which the checkpoint was taken.
    pub step: u64,
}

impl Sampler {
    /// Opens the checkpoint called `name` (`latest`, `best`, a kept one) of `run`.
    ///
    /// # Errors
    /// Where there is none, or it is damaged.
    pub fn open(run: &Run, name: &str, device: &Device) -> Result<Self> {
        let recipe = run.recipe(&[])?;
        let generator = recipe.networks()?.0;
        let (place, state) = run.find_checkpoint(name)?;
        let weights = checkpoint::weights(&place, &state, &generator, "average", device)?;
        let [height, width, channels] = generator.output().dims();
        let labels = generator.labels();
        Ok(Self {
            range: PixelRange::of(&generator)?,
            inference: InferenceGenerator::new(&generator, &weights),
            generator,
            weights,
            shape: ImageShape { height, width, channels },
            labels: if labels > 0 { recipe.labels } else { LabelSettings::default() },
            device: device.clone(),
            step: state.step,
        })
    }

    /// The same sampler, with what goes into products rounded as `choice` says: faster where the processor multiplies bf16,
    /// and no longer the same images on every machine.
    ///
    /// # Errors
    /// bfloat16 on a device where it isn't offered.
    pub fn rounded(mut self, choice: PrecisionChoice) -> Result<Self> {
        self.inference.precision = choice.for_inference(&self.generator, &self.device)?;
        Ok(self)
    }

    /// Its net.
    pub fn network(&self) -> &Network {
        &self.generator
    }

    pub(crate) fn weights(&self) -> &Weights {
        &self.weights
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    pub(crate) fn range(&self) -> PixelRange {
        self.range
    }

    /// The shape of its images.
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    /// Lowest and highest pixel value.
    pub fn bounds(&self) -> (f32, f32) {
        self.range.bounds()
    }

    /// Noise vectors number `first` to `first + n` under `seed`; any part of a long series can be made alone.
    pub fn noise(&self, seed: u64, first: u64, n: usize) -> Vec<Vec<f32>> {
        let stream = Stream::new(seed, "sample");
        let latent = self.generator.input().len();
        (first..first + n as u64).map(|i| stream.normal(i, latent)).collect()
    }

    /// The labels that its images can be asked to have; none for a generator that is told nothing.
    pub fn labels(&self) -> &LabelSettings {
        &self.labels
    }

    /// Label rows for images number `first` to `first + n` under `seed`: as frequent as in the training data.
    pub fn sample_labels(&self, seed: u64, first: u64, n: usize) -> Vec<Vec<f32>> {
        let rows = labels::sample_labels(&self.labels, &Stream::new(seed, "sample.labels"), first, n);
        rows.chunks(self.labels.names.len().max(1)).map(<[f32]>::to_vec).collect()
    }

    /// The label row that `text` asks for: a class, or attributes with commas between them; names or numbers.
    ///
    /// # Errors
    /// An unknown name, several classes at once, or a generator that is told nothing.
    pub fn encode_label(&self, text: &str) -> Result<Vec<f32>> {
        if self.labels.names.is_empty() {
            return Err(Error::usage(
                format!("class {text} was asked for, but this run's generator takes no labels"),
                "train one that does (`Recipe::conditioned`)",
            ));
        }
        self.labels.encode(text)
    }

    /// The images of these noise vectors, with a label row for each where the generator takes labels: `[n, h, w, c]`
    /// values within [`Self::bounds`].
    ///
    /// # Errors
    /// A vector of the wrong length, or too few label rows.
    pub fn images(&self, noise: &[Vec<f32>], labels: &[Vec<f32>]) -> Result<Vec<f32>> {
        let latent = self.generator.input().len();
        if let Some(wrong) = noise.iter().find(|z| z.len() != latent) {
            return Err(Error::usage(
                format!("a noise vector has {} values, expected {latent}", wrong.len()),
                "make them with `Sampler::noise`",
            ));
        }
        let values: Vec<f32> = noise.iter().flatten().copied().collect();
        let shape = [noise.len(), 1, 1, latent];
        let z = crate::ops::tensor(values, shape, &self.device);
        let width = self.labels.names.len();
        if width > 0 && (labels.len() != noise.len() || labels.iter().any(|row| row.len() != width)) {
            return Err(Error::usage(
                format!("{} label rows for {} images, expected one each, of {width} values", labels.len(), noise.len()),
                "make them with `Sampler::encode_label` or `Sampler::sample_labels`",
            ));
        }
        let y = (width > 0).then(|| {
            crate::ops::tensor(labels.iter().flatten().copied().collect(), [noise.len(), 1, 1, width], &self.device)
        });
        self.inference.images(&Latents { z, y })
    }

    /// What the generator makes of one batch, in operations that can be differentiated by the noise.
    pub(crate) fn differentiable(&self, z: Tensor<4>, y: Option<Tensor<4>>) -> Tensor<4> {
        self.inference.batch(Latents { z, y })
    }

    /// Of `frames` noise vectors, those in `part`, that walk from each of `ends` to the next and back to the first, on great circles: a
    /// straight line between normal vectors would pass through lengths that training never saw (White 2016).
    pub fn walk(ends: &[Vec<f32>], frames: usize, part: std::ops::Range<usize>) -> Vec<Vec<f32>> {
        let count = ends.len();
        if count == 0 {
            return Vec::new();
        }
        let position = |frame: usize| frame as f32 * count as f32 / frames.max(1) as f32;
        part.map(|frame| {
            let at = position(frame);
            let from = (at as usize).min(count - 1);
            slerp(&ends[from], &ends[(from + 1) % count], at - from as f32)
        })
        .collect()
    }
}

/// Spherical interpolation from `a` (t = 0) to `b` (t = 1).
fn slerp(a: &[f32], b: &[f32], t: f32) -> Vec<f32> {
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
    let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(f32::MIN_POSITIVE);
    let angle = cosine.clamp(-1.0, 1.0).acos();
    let (from, to) = if angle.sin().abs() < 1e-4 {
        (1.0 - t, t)
    } else {
        (((1.0 - t) * angle).sin() / angle.sin(), (t * angle).sin() / angle.sin())
    };
    a.iter().zip(b).map(|(x, y)| from * x + to * y).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_keep_their_length_and_close() {
        let ends = [vec![3.0, 0.0], vec![0.0, 3.0]];
        let walk = Sampler::walk(&ends, 8, 0..8);
        assert_eq!(walk.len(), 8);
        assert_eq!(walk[0], ends[0]);
        assert!((walk[4][1] - 3.0).abs() < 1e-5 && walk[4][0].abs() < 1e-5);
        for z in &walk {
            assert!((z[0].hypot(z[1]) - 3.0).abs() < 1e-4, "{z:?}");
        }
        assert_eq!(Sampler::walk(&ends, 8, 3..5), walk[3..5]);
        assert!(Sampler::walk(&[], 8, 0..8).is_empty());
        assert!((walk[7][0] - walk[1][0]).abs() < 1e-5, "the way back mirrors the way out");
    }
}
