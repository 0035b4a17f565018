//! The two nets and all that the next step depends on.

use std::sync::{Arc, Mutex};

use burn::tensor::Tensor;

use super::inference::InferenceGenerator;
use super::replaced::Replaced;
use super::slices::Slices;
use super::{Ema, held_out};
use crate::Device;
use crate::data::labels::{self as conditions, Conditions};
use crate::data::{self, Batches, Dataset, ImageShape, Prefetcher, Subset};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::net::{Network, Shape, Weights};
use crate::ops::{host, tensor};
use crate::pixel_range::PixelRange;
use crate::random::Stream;
use crate::ranks::Ranks;
use crate::recipe::Recipe;

/// The progress of a training.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Generator updates made.
    pub step: u64,
    /// Real images that D has been trained on.
    pub images: u64,
    /// Seconds spent in steps.
    pub train_s: f64,
    /// The augmentation probability, which may be adaptive.
    pub augment: f64,
}

/// The inputs of a generator: noise, and labels for a conditional one. [`Gan::fixed_latents`] makes them;
/// [`crate::run::Sampler`] takes noise of any other origin.
#[derive(Clone, Debug)]
pub struct Latents {
    /// Noise, `[n, 1, 1, latent]`.
    pub(crate) z: Tensor<4>,
    /// Labels for a conditional net, `[n, 1, 1, labels]`.
    pub(crate) y: Option<Tensor<4>>,
}

impl Latents {
    /// The noise vectors, `[n, latent]`.
    pub fn noise(&self) -> Vec<f32> {
        host(&self.z)
    }

    /// The label rows, `[n, labels]`, of a conditional generator's.
    pub fn labels(&self) -> Option<Vec<f32>> {
        self.y.as_ref().map(host)
    }
}

/// A generator and a discriminator in training.
#[derive(Debug)]
pub struct Gan {
    /// The recipe; its precision is resolved (no `auto`).
    pub recipe: Recipe,
    /// The generator G.
    pub generator: Model,
    /// The discriminator D.
    pub discriminator: Model,
    /// The moving average of G's weights.
    pub ema: Ema,
    /// Steps, images and seconds so far.
    pub progress: Progress,
    /// All images, of which `dataset` is trained on and `held_out` is not.
    full_dataset: Arc<dyn Dataset>,
    pub(super) dataset: Arc<dyn Dataset>,
    pub(super) held_out: Option<Subset>,
    pub(super) batches: Arc<Batches>,
    pub(super) reader: Prefetcher,
    pub(super) replaced: Replaced,
    pub(super) conditions: Option<Conditions>,
    pub(super) range: PixelRange,
    pub(super) device: Device,
    pub(super) slices: Slices,
    snapshot: Mutex<Option<Arc<EmaSnapshot>>>,
}

/// The error that the generator's images have another shape than those of `dataset`.
fn misfit(generator: &Network, dataset: &dyn Dataset, recipe: &Recipe) -> Error {
    let (made, real) = (generator.output(), Shape::from(dataset.shape()));
    let ([h, w, c], [real_h, real_w, real_c]) = (made.dims(), real.dims());
    let whole = |a: usize, b: usize| (b > 0 && a.is_multiple_of(b)).then(|| a / b);
    let factor = |[h, w]: [usize; 2], [other_h, other_w]: [usize; 2]| {
        whole(h, other_h).filter(|factor| *factor > 1 && whole(w, other_w) == Some(*factor))
    };
    let up =
        factor([real_h, real_w], [h, w]).map(|f| format!("its layers lack an `upsample {f}` or strides of {f} in all"));
    let down = factor([h, w], [real_h, real_w]).map(|f| format!("its layers upsample {f} times too much"));
    let channels = (c != real_c && [h, w] == [real_h, real_w]).then(|| {
        format!("its last convolution must have {real_c} output channels, or the images {c} (`data.channels`)")
    });
    let other = "convert the images to its shape (`data.size`, `data.channels`), or change its layers".to_owned();
    // The images of a named set have the size that is meant; a person's own come in any.
    let resized = if data::is_name(&recipe.data.source) { "" } else { ", or resize the images (`data.size`)" };
    let layers = up.or(down).map(|hint| hint + resized).or(channels).unwrap_or(other);
    Error::recipe(
        format!("the generator makes images of {made}, but those of {} are {real}", dataset.name()),
        format!(
            "the generator's shapes: {}; {layers}; or use nets made for these images (`Recipe::for_data`)",
            generator.shapes()
        ),
    )
}

/// The averaged generator at one step, ready for inference.
#[derive(Debug)]
struct EmaSnapshot {
    step: u64,
    weights: Weights,
    generator: InferenceGenerator,
}

impl Gan {
    /// Builds the recipe's nets for the images of `full_dataset`, some of which the recipe may hold out
    /// (`train.held_out`). Several trainings may share one data set. They run on rayon's current pool: the global one,
    /// or that of the `ThreadPool::install` around the call.
    ///
    /// # Errors
    /// A recipe that [`Recipe::validate`] refuses, nets that don't fit each other or the images, or a batch larger than the set.
    pub fn new(recipe: Recipe, full_dataset: Arc<dyn Dataset>, device: &Device) -> Result<Self> {
        Self::among(recipe, full_dataset, device, Arc::default())
    }

    /// As [`Self::new`], trained by all `ranks` together, each of which has the same data and calls every method that trains:
    /// each computes its share of the slices of a batch (`train.slices`).
    ///
    /// # Errors
    /// As [`Self::new`]; a number of ranks that doesn't divide the slices.
    pub fn among(
        mut recipe: Recipe,
        full_dataset: Arc<dyn Dataset>,
        device: &Device,
        ranks: Arc<Ranks>,
    ) -> Result<Self> {
        recipe.validate()?;
        let (dataset, held_out) = held_out::split_held_out(&recipe, &full_dataset);
        let (generator, discriminator) = recipe.networks()?;
        if generator.output().dims() != Shape::from(dataset.shape()).dims() {
            return Err(misfit(&generator, dataset.as_ref(), &recipe));
        }
        let range = PixelRange::of(&generator)?;
        let precision = recipe.resolve_precision(device)?;
        let conditional = generator.labels() > 0 || discriminator.labels() > 0;
        let conditions = conditional.then(|| Conditions::new(&recipe.labels, dataset.as_ref())).transpose()?;
        let seed = recipe.train.seed;
        let mut generator = Model::from_network(generator, seed, device);
        let mut discriminator = Model::from_network(discriminator, seed, device);
        generator.compile(recipe.generator.adam);
        discriminator.compile(recipe.discriminator.adam);
        (generator.precision, discriminator.precision) = (precision, precision);
        let batches = Batches::new(dataset.len(), recipe.train.batch, seed)?;
        let slices = Slices::new(recipe.train.slices, ranks, device)?;
        let batches = batches.part(slices.images(recipe.train.batch));
        let batches = Arc::new(if recipe.data.mirror { batches.mirrored(seed) } else { batches });
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
            replaced: Replaced::default(),
            range,
            device: device.clone(),
            slices,
            full_dataset,
            dataset,
            held_out,
            snapshot: Mutex::new(None),
        })
    }

    /// A new training on the same data with another recipe.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn under(&self, recipe: Recipe) -> Result<Self> {
        Self::among(recipe, Arc::clone(&self.full_dataset), &self.device, Arc::clone(self.slices.ranks()))
    }

    /// The processes that train it.
    pub fn ranks(&self) -> &Arc<Ranks> {
        self.slices.ranks()
    }

    /// The training images: all but the held-out ones.
    pub fn dataset(&self) -> &dyn Dataset {
        self.dataset.as_ref()
    }

    /// All images, including the held-out ones.
    pub(crate) fn full_dataset(&self) -> &Arc<dyn Dataset> {
        &self.full_dataset
    }

    /// The device of the computation.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// Steps per epoch.
    pub fn steps_per_epoch(&self) -> f64 {
        self.batches.batches_per_epoch() as f64 / self.recipe.train.n_critic as f64
    }

    /// The shape of the images.
    pub fn image_shape(&self) -> ImageShape {
        self.dataset.shape()
    }

    /// The range of the pixel values.
    pub fn range(&self) -> PixelRange {
        self.range
    }

    /// Latents for `n` images that stay the same during the whole training, so that images of different steps can be
    /// compared. Labels are those of real images.
    pub fn fixed_latents(&self, n: usize) -> Latents {
        let y = self.conditions.as_ref().map(|conditions| {
            let draws = Stream::new(self.recipe.train.seed, "sheet.labels");
            let rows = conditions.drawn(self.dataset.as_ref(), &draws, 0, n);
            tensor(rows, [n, 1, 1, conditions.width()], &self.device)
        });
        Latents { z: self.fixed_noise(n), y }
    }

    /// Latents for a sheet of `rows` x `columns` images, and its number of rows. For conditional nets, every row has
    /// one label and every column one noise vector, and the number of labels determines the number of rows.
    pub(crate) fn sheet_latents(&self, rows: usize, columns: usize) -> (Latents, usize) {
        /// Most rows of a sheet with labels.
        const MAX_ROWS: usize = 12;
        let labels = &self.recipe.labels;
        if self.generator.net.labels() == 0 {
            return (self.fixed_latents(rows * columns), rows);
        }
        let grid = conditions::label_grid(labels, MAX_ROWS);
        let (rows, width) = (grid.len(), labels.names.len());
        let y = grid.iter().flat_map(|row| std::iter::repeat_n(row, columns)).flatten().copied().collect();
        let y = tensor(y, [rows * columns, 1, 1, width], &self.device);
        let z = self.fixed_noise(columns).repeat_dim(0, rows);
        (Latents { z, y: Some(y) }, rows)
    }

    fn fixed_noise(&self, n: usize) -> Tensor<4> {
        let noise = Stream::new(self.recipe.train.seed, "sheet");
        let latent = self.recipe.latent;
        // One index per image, so that image i does not depend on n.
        let values = (0..n as u64).flat_map(|i| noise.normal(i, latent)).collect();
        tensor(values, [n, 1, 1, latent], &self.device)
    }

    /// The averaged generator's weights at this step, with their statistics.
    pub fn averaged(&self) -> Weights {
        self.ema_snapshot().weights.clone()
    }

    /// The averaged generator's images of `latents`: `[n, h, w, c]` values, in [`Self::range`].
    ///
    /// # Errors
    /// Latents of the wrong length, or without the labels that the generator takes.
    pub fn generate(&self, latents: &Latents) -> Result<Vec<f32>> {
        self.ema_snapshot().generator.images(latents)
    }

    /// The averaged generator at this step, computed at its first use.
    fn ema_snapshot(&self) -> Arc<EmaSnapshot> {
        let step = self.progress.step;
        let cached = || self.snapshot.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(snapshot) = cached().as_ref().filter(|snapshot| snapshot.step == step) {
            return Arc::clone(snapshot);
        }
        // Not computed under the lock: a thread that waits for a part of its work may take up another call of this.
        let net = &self.generator.net;
        let weights = self.ema.with_statistics(net, |batch, n| self.sample_latents("settle", batch, n));
        let snapshot = Arc::new(EmaSnapshot { step, generator: InferenceGenerator::new(net, &weights), weights });
        *cached() = Some(Arc::clone(&snapshot));
        snapshot
    }

    /// Replaces the initial weights of each net that is given some, before the first step. The moving average restarts
    /// from the generator's; Adam's moments are unchanged.
    pub(crate) fn replace_weights(&mut self, generator: Option<Weights>, discriminator: Option<Weights>) {
        for (model, weights) in [(&mut self.generator, generator), (&mut self.discriminator, discriminator)] {
            if let Some(weights) = weights {
                model.weights = weights;
            }
        }
        self.ema = Ema::new(self.generator.weights.clone(), self.recipe.train.ema as f32);
        self.invalidate_snapshot();
    }

    /// Must be called after the averaged weights were replaced.
    pub(crate) fn invalidate_snapshot(&self) {
        *self.snapshot.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }

    /// Batch number `turn` of the random stream `name`: noise, and labels of randomly chosen real images.
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
