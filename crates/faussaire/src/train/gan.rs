//! The two nets and all that the next step depends on.

use std::sync::{Arc, Mutex};

use burn::tensor::{Device, Tensor};

use super::inference::InferenceGenerator;
use super::{Ema, held_out};
use crate::data::labels::{self as conditions, Conditions};
use crate::data::{Batches, Dataset, ImageShape, Prefetcher, Subset};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::net::{Shape, Weights};
use crate::ops::tensor;
use crate::pixel_range::PixelRange;
use crate::random::Stream;
use crate::recipe::Recipe;

/// How far training has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Generator updates.
    pub step: u64,
    /// Real images seen.
    pub images: u64,
    /// Seconds in steps.
    pub train_s: f64,
    /// The probability of changing an image before D sees it, which may adapt itself.
    pub augment: f64,
}

/// What a generator makes images of.
#[derive(Clone, Debug)]
pub struct Latents {
    /// Noise, `[n, 1, 1, latent]`.
    pub z: Tensor<4>,
    /// Labels for a conditional net, `[n, 1, 1, labels]`.
    pub y: Option<Tensor<4>>,
}

/// A generator and a discriminator in training.
#[derive(Debug)]
pub struct Gan {
    /// What the run depends on; its precision is settled.
    pub recipe: Recipe,
    /// Makes images of noise.
    pub generator: Model,
    /// Tells real from generated.
    pub discriminator: Model,
    /// The generator's average over time.
    pub ema: Ema,
    /// How far training has come.
    pub progress: Progress,
    /// All the data, what of it is learnt from, and what is held back.
    whole: Arc<dyn Dataset>,
    pub(super) dataset: Arc<dyn Dataset>,
    pub(super) held_out: Option<Subset>,
    pub(super) batches: Arc<Batches>,
    pub(super) reader: Prefetcher,
    pub(super) conditions: Option<Conditions>,
    pub(super) range: PixelRange,
    pub(super) device: Device,
    settled: Mutex<Option<Arc<EmaSnapshot>>>,
}

/// The averaged generator at one step.
#[derive(Debug)]
struct EmaSnapshot {
    step: u64,
    weights: Weights,
    drawing: InferenceGenerator,
}

impl Gan {
    /// Builds the recipe's nets for the images of `whole`, some of which the recipe may hold back (`train.held_out`).
    /// Several trainings may share one set. They run on rayon's current pool: the global one, or that of the
    /// `ThreadPool::install` around the call.
    ///
    /// # Errors
    /// A recipe that [`Recipe::validate`] refuses, nets that don't fit each other or the images, or a batch larger than the set.
    pub fn new(mut recipe: Recipe, whole: Arc<dyn Dataset>, device: &Device) -> Result<Self> {
        recipe.validate()?;
        let (dataset, held_out) = held_out::split_held_out(&recipe, &whole);
        let (generator, discriminator) = recipe.networks()?;
        let (made, real) = (generator.output(), Shape::from(dataset.shape()));
        if made.dims() != real.dims() {
            return Err(Error::recipe(
                format!("the generator makes images of {made}, but those of {} are {real}", dataset.name()),
                "bring the images to the generator's shape (`data.size`, `data.channels`), or change its layers",
            ));
        }
        let range = PixelRange::of(&generator)?;
        let precision = recipe.resolve_precision(device)?;
        let told = generator.labels() > 0 || discriminator.labels() > 0;
        let conditions = told.then(|| Conditions::new(&recipe.labels, dataset.as_ref())).transpose()?;
        let seed = recipe.train.seed;
        let mut generator = Model::from_network(generator, seed, device);
        let mut discriminator = Model::from_network(discriminator, seed, device);
        generator.compile(recipe.generator.adam);
        discriminator.compile(recipe.discriminator.adam);
        (generator.precision, discriminator.precision) = (precision, precision);
        let batches = Arc::new(Batches::new(dataset.len(), recipe.train.batch, seed)?);
        let reader = Prefetcher::new(Arc::clone(&dataset), Arc::clone(&batches));
        let ema = Ema::new(generator.weights.clone(), recipe.train.ema as f32);
        let progress = Progress { augment: recipe.train.augment.probability, ..Progress::default() };
        Ok(Self {
            recipe,
            conditions,
            generator,
            discriminator,
            ema,
            progress,
            batches,
            reader,
            range,
            device: device.clone(),
            whole,
            dataset,
            held_out,
            settled: Mutex::new(None),
        })
    }

    /// A new training on the same data under another recipe.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn under(&self, recipe: Recipe) -> Result<Self> {
        Self::new(recipe, Arc::clone(&self.whole), &self.device)
    }

    /// The images it learns from: all but those held back.
    pub fn dataset(&self) -> &dyn Dataset {
        self.dataset.as_ref()
    }

    /// All its images, those held back included.
    pub(crate) fn whole(&self) -> &Arc<dyn Dataset> {
        &self.whole
    }

    /// Where it is computed.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// Steps per pass over the data.
    pub fn steps_per_epoch(&self) -> f64 {
        self.batches.batches_per_epoch() as f64 / self.recipe.train.n_critic as f64
    }

    /// The shape of its images.
    pub fn image_shape(&self) -> ImageShape {
        self.dataset.shape()
    }

    /// The range of its images' values.
    pub fn range(&self) -> PixelRange {
        self.range
    }

    /// Latents for `n` images that stay the same through the whole training, so that its images can be compared. Labels
    /// are those of real images.
    pub fn fixed_latents(&self, n: usize) -> Latents {
        let y = self.conditions.as_ref().map(|conditions| {
            let draws = Stream::new(self.recipe.train.seed, "sheet.labels");
            let rows = conditions.drawn(self.dataset.as_ref(), &draws, 0, n);
            tensor(rows, [n, 1, 1, conditions.width()], &self.device)
        });
        Latents { z: self.fixed_noise(n), y }
    }

    /// Latents for a sheet of `rows` x `columns` images. For conditional nets every row has a label of its own and every
    /// column its own noise, so that one sees both what a label looks like and what changing it does; there may be more
    /// or fewer rows then. Returns the number of rows, too.
    pub fn sheet_latents(&self, rows: usize, columns: usize) -> (Latents, usize) {
        /// More rows than this make a sheet that nobody looks at.
        const ROWS: usize = 12;
        let labels = &self.recipe.labels;
        if self.generator.net.labels() == 0 {
            return (self.fixed_latents(rows * columns), rows);
        }
        let label_grid = conditions::label_grid(labels, ROWS);
        let (rows, width) = (label_grid.len(), labels.names.len());
        let y = label_grid.iter().flat_map(|row| std::iter::repeat_n(row, columns)).flatten().copied().collect();
        let y = tensor(y, [rows * columns, 1, 1, width], &self.device);
        let z = self.fixed_noise(columns).repeat_dim(0, rows);
        (Latents { z, y: Some(y) }, rows)
    }

    fn fixed_noise(&self, n: usize) -> Tensor<4> {
        let noise = Stream::new(self.recipe.train.seed, "sheet");
        let latent = self.recipe.latent;
        // One index per image: the first ten are the same whatever the number.
        let values = (0..n as u64).flat_map(|i| noise.normal(i, latent)).collect();
        tensor(values, [n, 1, 1, latent], &self.device)
    }

    /// The averaged generator's weights as one would use them now.
    pub fn averaged(&self) -> Weights {
        self.settled().weights.clone()
    }

    /// What the averaged generator makes of `latents`: `[n, h, w, c]` values, in [`Self::range`].
    ///
    /// # Errors
    /// Latents of another length, or without the labels that the generator takes.
    pub fn generate(&self, latents: &Latents) -> Result<Vec<f32>> {
        self.settled().drawing.images(latents)
    }

    /// The averaged generator at this step, made when it is first asked for.
    fn settled(&self) -> Arc<EmaSnapshot> {
        let step = self.progress.step;
        let mut kept = self.settled.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(settled) = kept.as_ref().filter(|settled| settled.step == step) {
            return Arc::clone(settled);
        }
        let net = &self.generator.net;
        let weights = self.ema.settled(net, |batch, n| self.sample_latents("settle", batch, n));
        let settled = Arc::new(EmaSnapshot { step, drawing: InferenceGenerator::new(net, &weights), weights });
        *kept = Some(Arc::clone(&settled));
        settled
    }

    /// Puts weights in the place of those that were drawn, before the first step, of each net that is given some. The
    /// average begins anew from the generator's; Adam's moments are left as they are.
    pub(crate) fn replace_weights(&mut self, generator: Option<Weights>, discriminator: Option<Weights>) {
        for (model, weights) in [(&mut self.generator, generator), (&mut self.discriminator, discriminator)] {
            if let Some(weights) = weights {
                model.weights = weights;
            }
        }
        self.ema = Ema::new(self.generator.weights.clone(), self.recipe.train.ema as f32);
        self.invalidate_snapshot();
    }

    /// To be called where the averaged weights are replaced.
    pub(crate) fn invalidate_snapshot(&self) {
        *self.settled.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }

    /// Latents number `turn` of the stream `name`: noise, and labels of real images drawn at random.
    pub(super) fn sample_latents(&self, name: &str, turn: u64, n: usize) -> Latents {
        let (seed, latent) = (self.recipe.train.seed, self.recipe.latent);
        let noise = Stream::new(seed, name);
        let y = self.conditions.as_ref().map(|conditions| {
            let draws = Stream::new(seed, &format!("{name}.labels"));
            let rows = conditions.drawn(self.dataset.as_ref(), &draws, turn, n);
            tensor(rows, [n, 1, 1, conditions.width()], &self.device)
        });
        Latents { z: tensor(noise.normal(turn, n * latent), [n, 1, 1, latent], &self.device), y }
    }
}
