//! Images from a trained generator: that of a checkpoint, or the one in memory; without the data or the discriminator.

use super::{Run, checkpoint};
use crate::Device;
use crate::data::ImageShape;
use crate::data::LabelSettings;
use crate::error::{Error, Result};
use crate::net::{Network, Weights};
use crate::ops::tensor;
use crate::pixel_range::PixelRange;
use crate::recipe::{PrecisionChoice, Recipe};
use crate::train::{Gan, InferenceGenerator, Latents};
use crate::{Tensor, device};

/// An averaged generator that makes images. All its methods take `&self`, so that many threads can share one.
///
/// ```
/// # use std::sync::Arc;
/// # use faussaire::data::{ImageShape, InMemory};
/// use faussaire::prelude::*;
///
/// # fn main() -> Result<()> {
/// # let shape = ImageShape { height: 8, width: 8, channels: 1 };
/// # let images = InMemory::from_bytes("stripes", shape, (0..4096).map(|at| (at % 8 * 30) as u8).collect())?;
/// # let recipe = Recipe::new(4, ["dense 8*8*1", "reshape 8 8 1", "sigmoid"], ["flatten", "dense 1"]).batch(8);
/// let gan = Gan::new(recipe, Arc::new(images), &Device::cpu())?; // trained, in a real program
/// let sampler = Sampler::of(&gan)?;
///
/// let images = sampler.draw(3, 7)?; // bytes, number 0 to 2 under seed 7
/// assert_eq!(images.len(), 3);
///
/// let z = sampler.noise(7, 0, 3); // [3, latent]
/// let values = sampler.values(&z, None)?; // [3, 8, 8, 1]
/// assert_eq!(values.len(), 3 * 64);
/// assert!(sampler.values(&z[1..], None).is_err());
///
/// std::thread::scope(|threads| {
///     let others: Vec<_> = (0..4).map(|_| threads.spawn(|| sampler.draw(3, 7))).collect();
///     others.into_iter().all(|other| other.join().is_ok_and(|drawn| drawn.is_ok_and(|drawn| drawn == images)))
/// });
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sampler {
    generator: Network,
    weights: Weights,
    inference: InferenceGenerator,
    range: PixelRange,
    shape: ImageShape,
    labels: LabelSettings,
    device: Device,
    /// The step at which the generator was taken.
    pub step: u64,
}

impl Sampler {
    /// The averaged generator of `gan` as it is now; it does not follow when `gan` is trained further.
    ///
    /// # Errors
    /// A generator whose last layer bounds its values to no range of pixels.
    pub fn of(gan: &Gan) -> Result<Self> {
        Self::new(&gan.recipe, gan.generator.net.clone(), gan.averaged(), gan.device(), gan.progress.step)
    }

    /// Opens the checkpoint called `name` (`latest`, `best`, a kept one) of `run`.
    ///
    /// # Errors
    /// Where there is none, or it is damaged.
    pub fn open(run: &Run, name: &str, device: &Device) -> Result<Self> {
        let recipe = run.recipe(&[])?;
        let generator = recipe.networks()?.0;
        let (place, state) = run.find_checkpoint(name)?;
        let weights = checkpoint::weights(&place, &state, &generator, "average", device)?;
        Self::new(&recipe, generator, weights, device, state.step)
    }

    fn new(recipe: &Recipe, generator: Network, weights: Weights, device: &Device, step: u64) -> Result<Self> {
        let [height, width, channels] = generator.output().dims();
        let labels = generator.labels();
        Ok(Self {
            range: PixelRange::of(&generator)?,
            inference: InferenceGenerator::new(&generator, &weights),
            generator,
            weights,
            shape: ImageShape { height, width, channels },
            labels: if labels > 0 { recipe.labels.clone() } else { LabelSettings::default() },
            device: device.clone(),
            step,
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

    /// The number of values of a noise vector.
    pub fn latent(&self) -> usize {
        self.generator.input().len()
    }

    /// The shape of its images.
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    /// Lowest and highest pixel value.
    pub fn bounds(&self) -> (f32, f32) {
        self.range.bounds()
    }

    /// The labels that its images can be asked to have; none for a generator that takes no labels.
    pub fn labels(&self) -> &LabelSettings {
        &self.labels
    }

    /// The images of the noise vectors `z`, `[n, latent]`, with `labels`, `[n, labels]`, where the generator takes labels:
    /// `[n, h, w, c]` values within [`Self::bounds`]. They are computed on rayon's current pool.
    ///
    /// # Errors
    /// Noise that isn't a whole number of vectors, or labels that are missing, too few or too many.
    pub fn values(&self, z: &[f32], labels: Option<&[f32]>) -> Result<Vec<f32>> {
        let latents = self.latents(z, labels)?;
        device::on_pool(|| self.inference.images(&latents))
    }

    /// As [`Self::values`], into `out`.
    ///
    /// # Errors
    /// As [`Self::values`]; an `out` of another length.
    pub fn values_into(&self, z: &[f32], labels: Option<&[f32]>, out: &mut [f32]) -> Result<()> {
        let latents = self.latents(z, labels)?;
        let expected = z.len() / self.latent() * self.shape.len();
        if out.len() != expected {
            return Err(Error::usage(
                format!("there is room for {} values, but the images have {expected}", out.len()),
                format!("give n * {} values for n images of {}", self.shape.len(), self.shape),
            ));
        }
        device::on_pool(|| self.inference.images_into(&latents, out))
    }

    /// Tensors of `z` and `labels`, whose lengths are checked.
    fn latents(&self, z: &[f32], labels: Option<&[f32]>) -> Result<Latents> {
        let (latent, width) = (self.latent(), self.labels.names.len());
        if !z.len().is_multiple_of(latent) {
            return Err(Error::usage(
                format!("the noise has {} values, expected a multiple of {latent}", z.len()),
                "make it with `Sampler::noise`",
            ));
        }
        let n = z.len() / latent;
        let given = labels.map_or(0, <[f32]>::len);
        if given != n * width {
            return Err(Error::usage(
                format!("{given} label values for {n} images, expected {width} each"),
                "make them with `Sampler::encode_label` or `Sampler::sample_labels`",
            ));
        }
        let y = labels.filter(|_| width > 0).map(|labels| tensor(labels.to_vec(), [n, 1, 1, width], &self.device));
        Ok(Latents { z: tensor(z.to_vec(), [n, 1, 1, latent], &self.device), y })
    }

    /// What the generator makes of one batch, in operations that can be differentiated by the noise.
    pub(crate) fn differentiable(&self, z: Tensor<4>, y: Option<Tensor<4>>) -> Tensor<4> {
        self.inference.batch(Latents { z, y })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::InMemory;

    fn gan() -> Gan {
        let shape = ImageShape { height: 8, width: 8, channels: 1 };
        let bytes = (0..32 * 64).map(|at| (at % 251) as u8).collect();
        let images = InMemory::from_bytes("images", shape, bytes).unwrap();
        let recipe = Recipe::new(4, ["dense 8*8*1", "reshape 8 8 1", "sigmoid"], ["flatten", "dense 1"]).batch(8);
        Gan::new(recipe, Arc::new(images), &Device::cpu()).unwrap()
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let sampler = Sampler::of(&gan()).unwrap();
        let z = sampler.noise(1, 0, 2);
        let said = |outcome: Result<Vec<f32>>| outcome.unwrap_err().to_string();
        assert!(said(sampler.values(&z[1..], None)).contains("7 values, expected a multiple of 4"));
        assert!(said(sampler.values(&z, Some(&[1.0, 0.0]))).contains("2 label values for 2 images, expected 0 each"));
        assert!(sampler.values(&[], None).unwrap().is_empty());
        let error = sampler.values_into(&z, None, &mut [0.0; 64]).unwrap_err();
        assert!(error.to_string().contains("room for 64 values, but the images have 128"), "{error}");
    }

    #[test]
    fn all_ways_to_draw_give_the_same_images() {
        let gan = gan();
        let sampler = Sampler::of(&gan).unwrap();
        // More than a batch, so that parts are put together.
        let z = sampler.noise(5, 2, 70);
        let values = sampler.values(&z, None).unwrap();
        let mut into = vec![0.0; values.len()];
        sampler.values_into(&z, None, &mut into).unwrap();
        assert_eq!(values, into);
        let alone = sampler.values(&sampler.noise(5, 69, 1), None).unwrap();
        assert_eq!(values[67 * 64..68 * 64], alone);
        assert_ne!(values[..64], values[64..128]);
        let drawn = sampler.draw(70, 5).unwrap();
        assert_eq!(
            drawn.get(69),
            crate::render::Images::from_values(&alone, sampler.shape(), (0.0, 1.0)).unwrap().get(0)
        );
        assert!(sampler.draw_class("cat", 1, 5).unwrap_err().to_string().contains("takes no labels"));
    }
}
