//! The class `DCGAN` of the Fidle course: a generator, a discriminator and the size of z, with `fit`, a history, `predict`,
//! `save` and `reload`. A thin layer over [`Trainer`], which does the training.
//!
//! ```
//! use faussaire::prelude::*;
//!
//! # fn main() -> Result<()> {
//! # let scratch = std::env::temp_dir().join(format!("faussaire-dcgan-{}", std::process::id()));
//! # std::fs::create_dir_all(&scratch).map_err(Error::io("create", &scratch))?;
//! # let shape = ImageShape { height: 8, width: 8, channels: 1 };
//! # let images = InMemory::from_bytes("stripes", shape, (0..4096).map(|at| (at % 8 * 30) as u8).collect())?;
//! let generator = ["dense 4*4*8", "reshape 4 4 8", "upsample 2", "conv 1 3x3", "sigmoid"];
//! let discriminator = ["conv 8 3x3 stride 2", "leakyrelu 0.2", "flatten", "dense 1", "sigmoid"];
//! let mut gan = Dcgan::new(generator, discriminator, 16);
//! gan.compile(AdamSettings::new(1e-4), AdamSettings::new(1e-4)); // discriminator, generator
//! let history = gan.fit(images, 2, 8)?; // epochs, images per batch
//! assert_eq!(history.d_loss.len(), 2);
//!
//! gan.save(scratch.join("model"))?; // model-generator.safetensors, model-discriminator.safetensors
//! gan.reload(scratch.join("model"))?;
//! let z = vec![0.5; 3 * 16];
//! assert_eq!(gan.predict(&z)?.len(), 3 * 64);
//! # std::fs::remove_dir_all(&scratch).map_err(Error::io("remove", &scratch))?;
//! # Ok(())
//! # }
//! ```

use std::path::{Path, PathBuf};

use crate::data::commit_together;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::model::input::Values;
use crate::net::Shape;
use crate::optimizer::AdamSettings;
use crate::penalty::Penalty;
use crate::recipe::Recipe;
use crate::train::{History, Limits, Watcher};
use crate::trainer::{Data, Options, Trainer};
use crate::{Device, Model};

/// Weight of the gradient penalty in [`Dcgan::wgan_gp`], that of the paper and of the notebook.
const PENALTY: f64 = 10.0;

/// Two nets that are trained together by [`Self::fit`].
pub struct Dcgan {
    /// Nets, optimizers, loss and batch: all that a training depends on but its images and length. Without an average of
    /// G's weights (`train.ema` is 0), so that [`Self::predict`] shows the net that was trained.
    pub recipe: Recipe,
    trainer: Option<Trainer>,
    /// Nets from files, until they are trained.
    loaded: Option<[Model; 2]>,
    history: History,
    /// Trainings on other images than those before.
    fits: u64,
}

impl Dcgan {
    /// A GAN of these layers, `generator` from noise of length `latent`, with the losses of the lab and Adam's usual settings.
    pub fn new<L: Into<String>>(
        generator: impl IntoIterator<Item = L>,
        discriminator: impl IntoIterator<Item = L>,
        latent: usize,
    ) -> Self {
        let mut recipe = Recipe::new(latent, generator, discriminator);
        recipe.train.ema = 0.0;
        Self::of(recipe)
    }

    /// The notebook's sequel, WGAN-GP (Gulrajani et al. 2017): `n_critic` updates of D, whose score isn't bounded, per update of G.
    pub fn wgan_gp<L: Into<String>>(
        generator: impl IntoIterator<Item = L>,
        discriminator: impl IntoIterator<Item = L>,
        latent: usize,
        n_critic: u64,
    ) -> Self {
        let mut gan = Self::new(generator, discriminator, latent);
        gan.recipe = gan.recipe.loss(Loss::Wasserstein).penalty(Penalty::WganGp, PENALTY);
        gan.recipe.train.n_critic = n_critic;
        gan
    }

    /// A GAN of a recipe, such as a preset's.
    pub fn of(recipe: Recipe) -> Self {
        Self { recipe, trainer: None, loaded: None, history: History::default(), fits: 0 }
    }

    /// Sets Adam's settings for both nets, those of a training that follows.
    pub fn compile(&mut self, discriminator: AdamSettings, generator: AdamSettings) {
        (self.recipe.discriminator.adam, self.recipe.generator.adam) = (discriminator, generator);
    }

    /// Trains for `epochs` passes over `images` in batches of `batch`, and returns the history of all trainings so far. On the
    /// same images as before it continues, as if there had been one training of that length; on others the nets and their
    /// optimizers are taken over.
    ///
    /// # Errors
    /// As [`Trainer::new`] and [`Trainer::run`].
    pub fn fit(&mut self, images: impl Into<Data>, epochs: u64, batch: usize) -> Result<&History> {
        self.fit_watched(images, epochs, batch, &mut [])
    }

    /// [`Self::fit`] with callbacks: `watchers` receive every event, and may stop the training.
    ///
    /// # Errors
    /// As [`Self::fit`], or an error of a watcher.
    pub fn fit_watched(
        &mut self,
        images: impl Into<Data>,
        epochs: u64,
        batch: usize,
        watchers: &mut [&mut dyn Watcher],
    ) -> Result<&History> {
        self.recipe.train.batch = batch;
        let mut trainer = self.trainer_for(images.into(), epochs)?;
        let mut all: Vec<&mut dyn Watcher> = vec![&mut self.history];
        for watcher in watchers.iter_mut() {
            all.push(&mut **watcher);
        }
        let ended = trainer.run_watched(&mut all);
        self.trainer = Some(trainer);
        ended?;
        Ok(&self.history)
    }

    /// The trainer that goes on: the earlier one with a later end, or a new one that takes over the nets.
    fn trainer_for(&mut self, data: Data, epochs: u64) -> Result<Trainer> {
        let same = |trainer: &Trainer| {
            let gan = trainer.gan();
            let (train, before) = (&self.recipe.train, &gan.recipe.train);
            let adams = |recipe: &Recipe| [recipe.generator.adam, recipe.discriminator.adam];
            gan.full_dataset().fingerprint() == data.set().fingerprint()
                && adams(&self.recipe) == adams(&gan.recipe)
                && (train.batch, &train.penalties, train.loss, train.n_critic)
                    == (before.batch, &before.penalties, before.loss, before.n_critic)
        };
        match self.trainer.take() {
            Some(mut trainer) if same(&trainer) => {
                // A watcher may have stopped the last one before its end.
                let gan = trainer.gan();
                let done = (gan.progress.step as f64 / gan.steps_per_epoch() + 1e-9).floor() as u64;
                trainer.extend(Limits::epochs(done + epochs));
                Ok(trainer)
            }
            before => {
                let nets = match before {
                    Some(before) => {
                        let gan = before.into_gan();
                        self.fits += 1;
                        Some([gan.generator, gan.discriminator])
                    }
                    None => self.loaded.clone(),
                };
                let mut recipe = self.recipe.clone();
                // Other latents and dropout than in the trainings before.
                recipe.train.seed = recipe.train.seed.wrapping_add(self.fits);
                let options = Options::default().limits(Limits::epochs(epochs));
                let started = Trainer::new(recipe, data, &options);
                self.loaded.clone_from(&nets);
                let mut trainer = started?;
                if let Some([generator, discriminator]) = nets {
                    trainer.start_from(generator, discriminator)?;
                }
                self.loaded = None;
                Ok(trainer)
            }
        }
    }

    /// Mean losses and accuracies per epoch, of all trainings so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The trainer of the last training, with the doctor's findings and all else that it knows; none before the first.
    pub fn trainer(&self) -> Option<&Trainer> {
        self.trainer.as_ref()
    }

    /// G and D as they are now.
    fn nets(&self) -> Result<[&Model; 2]> {
        let trained = self.trainer.as_ref().map(|trainer| [&trainer.gan().generator, &trainer.gan().discriminator]);
        trained.or_else(|| self.loaded.as_ref().map(|[g, d]| [g, d])).ok_or_else(|| {
            Error::usage("the nets have no weights yet", "train them with `fit`, or read saved ones with `reload`")
        })
    }

    /// G's images of noise `z`, `[n, latent]`; a conditional one takes `(&z, &labels)`: `[n, h, w, c]` values.
    ///
    /// # Errors
    /// Nets that were neither trained nor read, or noise of another length.
    pub fn predict<'a>(&self, z: impl Into<Values<'a>>) -> Result<Vec<f32>> {
        self.nets()?[0].predict(z)
    }

    /// Writes both nets with their optimizers beside each other: `PATH-generator.safetensors` and
    /// `PATH-discriminator.safetensors`. The ending of `path`, such as `.h5`, is left out.
    ///
    /// # Errors
    /// Nets that were neither trained nor read, or files that can't be written; then neither is replaced.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let parts = self.nets()?.into_iter().zip(files(path.as_ref())).map(|(net, file)| net.save_part(file));
        commit_together(parts.collect::<Result<_>>()?)
    }

    /// Reads what [`Self::save`] wrote. A training that follows continues from there, with the optimizers.
    ///
    /// # Errors
    /// Files that can't be read, are damaged, or hold nets for another size of z or that don't fit each other.
    pub fn reload(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let [g, d] = files(path.as_ref());
        let (generator, discriminator) = (Model::load(&g, &Device::cpu())?, Model::load(&d, &Device::cpu())?);
        let latent = Shape::Flat(self.recipe.latent);
        for (file, part, found, expected) in [
            (&g, "input", generator.net.input(), latent),
            (&d, "input", discriminator.net.input(), generator.net.output()),
        ] {
            if found.dims() != expected.dims() {
                return Err(Error::usage(
                    format!("{}: the net's {part} is {found}, expected {expected}", file.display()),
                    "give the size of z and the files of one GAN",
                ));
            }
        }
        for (settings, model) in
            [(&mut self.recipe.generator, &generator), (&mut self.recipe.discriminator, &discriminator)]
        {
            settings.layers = model.net.layers().iter().map(|entry| entry.line.clone()).collect();
        }
        (self.trainer, self.loaded) = (None, Some([generator, discriminator]));
        self.fits += 1;
        Ok(())
    }
}

/// The files of G and D.
fn files(path: &Path) -> [PathBuf; 2] {
    let stem = path.with_extension("");
    let name = stem.file_name().unwrap_or_default().to_string_lossy().into_owned();
    ["generator", "discriminator"].map(|net| stem.with_file_name(format!("{name}-{net}.safetensors")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::{ImageShape, InMemory};
    use crate::train::{Event, Gan, Request};

    const G: [&str; 4] = ["dense 4*4*2", "reshape 4 4 2", "upsample 2", "conv 1 3x3"];
    const D: [&str; 5] = ["conv 4 3x3 stride 2", "leakyrelu 0.2", "flatten", "dropout 0.2", "dense 1"];

    fn images(step: usize) -> InMemory {
        let shape = ImageShape { height: 8, width: 8, channels: 1 };
        let bytes = (0..32 * 64).map(|at| (at * step % 251) as u8).collect();
        InMemory::from_bytes("images", shape, bytes).unwrap()
    }

    fn gan() -> Dcgan {
        let mut gan = Dcgan::new(G.into_iter().chain(["sigmoid"]), D, 4);
        gan.compile(AdamSettings::new(1e-3), AdamSettings::new(2e-3));
        gan
    }

    fn drawn(gan: &Dcgan) -> Vec<f32> {
        gan.predict(&[0.5, -1.0, 2.0, 0.1, 1.0, 1.0, -0.3, 0.0]).unwrap()
    }

    #[test]
    fn two_trainings_on_the_same_images_are_one() {
        let (mut whole, mut parts) = (gan(), gan());
        whole.fit(images(3), 3, 8).unwrap();
        parts.fit(images(3), 1, 8).unwrap();
        let after_one = drawn(&parts);
        parts.fit(images(3), 2, 8).unwrap();
        assert_eq!(parts.history(), whole.history());
        assert!(drawn(&parts) == drawn(&whole) && drawn(&parts) != after_one);
        assert_eq!((whole.history().g_loss.len(), whole.trainer().unwrap().gan().progress.step), (3, 12));
        // Adam's settings reach their own nets.
        let adam = |gan: &Gan| [&gan.recipe.discriminator, &gan.recipe.generator].map(|net| net.adam.learning_rate);
        assert_eq!(adam(whole.trainer().unwrap().gan()), [1e-3, 2e-3]);
    }

    #[test]
    fn saved_nets_draw_the_same_and_learn_on() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = gan();
        first.fit(images(3), 2, 8).unwrap();
        first.save(folder.path().join("model.h5")).unwrap();
        let mut second = gan();
        assert!(second.predict(&[0.0; 4]).unwrap_err().to_string().contains("no weights yet"));
        second.reload(folder.path().join("model.h5")).unwrap();
        assert_eq!(drawn(&second), drawn(&first));
        second.fit(images(3), 1, 8).unwrap();
        assert_ne!(drawn(&second), drawn(&first));
        assert_eq!(second.trainer().unwrap().gan().generator.updates(), 12, "8 before, 4 more");
        let mut other = Dcgan::new(G, D, 5);
        let error = other.reload(folder.path().join("model")).unwrap_err().to_string();
        assert!(error.contains("the net's input is 4, expected 5"), "{error}");
    }

    #[test]
    fn other_images_take_the_nets_over() {
        let mut both = gan();
        both.fit(images(3), 1, 8).unwrap();
        both.fit(images(7), 1, 8).unwrap();
        let gan = both.trainer().unwrap().gan();
        assert_eq!((gan.generator.updates(), gan.progress.step), (8, 4));
        assert_eq!(both.history().d_loss.len(), 2);
    }

    #[test]
    fn wgan_gp_and_callbacks() {
        let mut gan = Dcgan::wgan_gp(G.into_iter().chain(["sigmoid"]), D, 4, 2);
        let mut penalties = Vec::new();
        let mut watcher = |event: &Event, _: &Gan| {
            if let Event::Step(report) = event {
                penalties.push(report.penalty);
            }
            Ok(if penalties.len() == 3 { Request::Stop } else { Request::Continue })
        };
        gan.fit_watched(images(3), 9, 8, &mut [&mut watcher]).unwrap();
        assert!(penalties.len() == 3 && penalties.iter().all(|p| p.is_some_and(|p| p > 0.0)), "{penalties:?}");
        // Of four batches, two steps: one epoch was complete, and one more is made.
        gan.fit(images(3), 1, 8).unwrap();
        assert_eq!(gan.trainer().unwrap().gan().progress.step, 4);
    }
}
