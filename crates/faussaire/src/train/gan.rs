//! The two nets and all that the next step depends on.

use std::sync::Mutex;

use burn::tensor::{Device, Tensor, TensorData};

use super::{Average, Range};
use crate::data::{Batches, Dataset, ImageShape};
use crate::error::{Error, Result};
use crate::model::{Model, host};
use crate::net::{Pass, Shape, Weights};
use crate::random::Stream;
use crate::recipe::Recipe;

/// Images are generated in batches of this size.
const SAMPLE_BATCH: usize = 64;

/// How far training has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Generator updates.
    pub step: u64,
    /// Real images seen.
    pub images: u64,
    /// Seconds in steps.
    pub train_s: f64,
}

/// A generator and a discriminator in training.
#[derive(Debug)]
pub struct Gan {
    /// What the run depends on.
    pub recipe: Recipe,
    /// Makes images of noise.
    pub generator: Model,
    /// Tells real from generated.
    pub discriminator: Model,
    /// The generator's average over time.
    pub average: Average,
    /// How far training has come.
    pub progress: Progress,
    pub(super) dataset: Box<dyn Dataset>,
    pub(super) batches: Batches,
    pub(super) range: Range,
    pub(super) device: Device,
    settled: Mutex<Option<(u64, Weights)>>,
}

/// A tensor of host values.
pub(crate) fn tensor(values: Vec<f32>, shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

impl Gan {
    /// Builds the recipe's nets for `dataset`.
    ///
    /// # Errors
    /// Nets that don't fit each other or the images, or a batch larger than the set.
    pub fn new(recipe: Recipe, dataset: Box<dyn Dataset>, device: &Device) -> Result<Self> {
        faussaire_kernels::memory::keep_freed_memory();
        let (generator, discriminator) = recipe.networks()?;
        let (made, real) = (generator.output(), Shape::from(dataset.shape()));
        if made != real {
            return Err(Error::recipe(
                format!("the generator makes images of {made}, but those of {} are {real}", dataset.name()),
                "bring the images to the generator's shape (--size 28, --set data.channels=1), or change its layers",
            ));
        }
        let range = Range::of(&generator)?;
        let seed = recipe.train.seed;
        let mut generator = Model::from_network(generator, seed, device);
        let mut discriminator = Model::from_network(discriminator, seed, device);
        generator.compile(recipe.generator.adam);
        discriminator.compile(recipe.discriminator.adam);
        let batches = Batches::new(dataset.len(), recipe.train.batch, seed)?;
        let average = Average::new(generator.weights.clone(), recipe.train.average as f32);
        Ok(Self {
            recipe,
            generator,
            discriminator,
            average,
            progress: Progress::default(),
            dataset,
            batches,
            range,
            device: device.clone(),
            settled: Mutex::new(None),
        })
    }

    /// The images it learns from.
    pub fn dataset(&self) -> &dyn Dataset {
        self.dataset.as_ref()
    }

    /// Steps per pass over the data.
    pub fn steps_per_epoch(&self) -> f64 {
        self.batches.batches_per_epoch() as f64 / self.recipe.train.discriminator_steps as f64
    }

    /// The shape of its images.
    pub fn image_shape(&self) -> ImageShape {
        self.dataset.shape()
    }

    /// The range of its images' values.
    pub fn range(&self) -> Range {
        self.range
    }

    /// Noise for `n` images that stays the same through the whole training, so that sheets can be compared.
    pub fn fixed_noise(&self, n: usize) -> Tensor<4> {
        let noise = Stream::new(self.recipe.train.seed, "sheet");
        let latent = self.recipe.latent;
        // One index per image: the first ten are the same whatever the number.
        let values = (0..n as u64).flat_map(|i| noise.normal(i, latent)).collect();
        tensor(values, [n, 1, 1, latent], &self.device)
    }

    /// The averaged generator's weights as one would use them now.
    pub fn averaged(&self) -> Weights {
        let step = self.progress.step;
        let mut cache = self.settled.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((at, weights)) = cache.as_ref()
            && *at == step
        {
            return weights.clone();
        }
        let weights = self.average.settled(&self.generator.net, self.recipe.train.seed, &self.device);
        *cache = Some((step, weights.clone()));
        weights
    }

    /// What the averaged generator makes of `noise`: `[n, h, w, c]` values, in [`Self::range`].
    pub fn generate(&self, noise: &Tensor<4>) -> Vec<f32> {
        generate(&self.generator, &self.averaged(), noise)
    }
}

/// What `generator` makes of `noise` with `weights`, batch by batch.
pub(crate) fn generate(generator: &Model, weights: &Weights, noise: &Tensor<4>) -> Vec<f32> {
    let [n, h, w, c] = noise.dims();
    let mut values = Vec::with_capacity(n * generator.net.output().len());
    for start in (0..n).step_by(SAMPLE_BATCH) {
        let end = (start + SAMPLE_BATCH).min(n);
        let z = noise.clone().slice([start..end, 0..h, 0..w, 0..c]);
        values.extend(host(&generator.net.forward(weights, z, &mut Pass::infer())));
    }
    values
}
