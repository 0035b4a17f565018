//! The trainer: trains a recipe on images, in memory or in a run folder, with resuming, scoring and healing.
//!
//! [`Trainer`] does all that `faussaire train` does, without its output. Its events go to watchers (closures, or
//! anything that implements [`crate::train::Watcher`]), or are returned step by step. [`crate::Gan`], one level below,
//! does not use folders.
//!
//! # Train on own images in memory, with the losses by callback and an early stop
//!
//! ```
//! # use faussaire::data::{ImageShape, InMemory};
//! # use faussaire::train::{Event, Limits, Request};
//! # use faussaire::trainer::{Options, Trainer};
//! # use faussaire::{Recipe, Result};
//! # const TEXT: &str = r#"
//! # latent = 4
//! # generator = { layers = ["dense 8*8*2", "reshape 8 8 2", "relu", "conv 1 3x3", "sigmoid"] }
//! # discriminator = { layers = ["flatten", "dense 8", "leakyrelu 0.2", "dense 1"] }
//! # train = { batch = 8 }
//! # "#;
//! # fn main() -> Result<()> {
//! let shape = ImageShape { height: 8, width: 8, channels: 1 };
//! let pixels: Vec<u8> = (0..64 * shape.len()).map(|at| (at % 251) as u8).collect();
//! let images = InMemory::from_bytes("my images", shape, pixels)?;
//! let recipe = Recipe::parse(TEXT, "my recipe", &[])?;
//!
//! let limits = Limits::epochs(20);
//! let mut trainer = Trainer::new(recipe, images, &Options::default().limits(limits))?;
//! let mut losses = Vec::new();
//! trainer.run(|event, _| {
//!     if let Event::Epoch { report, .. } = event {
//!         losses.push(report.g_loss);
//!     }
//!     Ok(if losses.len() == 5 { Request::Stop } else { Request::Continue })
//! })?;
//! assert_eq!(losses.len(), 5);
//! # Ok(())
//! # }
//! ```
//!
//! # Start a run in a folder, save it, resume it exactly
//!
//! ```
//! # use faussaire::run::Run;
//! # use faussaire::train::Limits;
//! # use faussaire::trainer::{Data, Options, Trainer};
//! # use faussaire::{Preset, Recipe, Result};
//! # fn main() -> Result<()> {
//! # let scratch = std::env::temp_dir().join(format!("faussaire-doc-{}", std::process::id()));
//! # let folder = scratch.join("ring");
//! let steps = |steps| Options::default().limits(Limits::steps(steps));
//! let recipe = Recipe::parse(Preset::Ring.text(), "ring", &[])?;
//! let data = Data::open(&recipe, &mut |_| ())?;
//!
//! let mut trainer = Trainer::new(recipe, data.clone(), &steps(10))?.at(&folder)?;
//! trainer.run(|_, _| Ok(Default::default()))?;
//! drop(trainer); // unlocks the folder
//!
//! let mut trainer = Trainer::resume(Run::open(&folder)?, data, &steps(20))?;
//! trainer.run(|_, _| Ok(Default::default()))?;
//! assert_eq!(trainer.gan().progress.step, 20);
//! # std::fs::remove_dir_all(scratch).map_err(faussaire::Error::io("remove", &folder))?;
//! # Ok(())
//! # }
//! ```
//!
//! # Pulled step by step
//!
//! ```
//! use faussaire::prelude::*;
//!
//! # fn main() -> Result<()> {
//! # let recipe = Preset::Ring.recipe()?.batch(8).steps(3);
//! # let data = Data::open(&recipe, &mut |_| ())?;
//! let mut trainer = Trainer::new(recipe, data, &Options::default())?;
//! while let Some(events) = trainer.step()? {
//!     for event in events {
//!         if let Event::Step(report) = event {
//!             println!("step {}: D loss {:.3}", report.step, report.d_loss);
//!         }
//!     }
//! }
//! assert!(trainer.is_complete());
//! # Ok(())
//! # }
//! ```
//!
//! # Threads
//!
//! Everything is computed on rayon's current pool: the global one, or that of the `ThreadPool::install` around the call.

mod advance;
mod auto;
mod data;
mod heal;
mod in_memory;
mod init;
mod labels;
mod ranks;
mod recorder;
mod resume;
mod scoring;
mod sheet;

use std::path::Path;
use std::time::{Duration, Instant};

use std::sync::Arc;

pub use data::Data;
use init::initialise;
pub use ranks::{dismiss, follow};
pub use recorder::Recorder;
pub use resume::resumed_recipe;

use crate::device;
use crate::doctor::{Doctor, RunContext};
use crate::error::{Error, Result};
use crate::judging::{Progress, Reference};
use crate::metrics::Extractor;
use crate::ranks::Ranks;
use crate::recipe::{Conditional, Recipe};
use crate::run::{Run, State};
use crate::train::{Ending, Finding, Gan, Heal, Limits};
use crate::{Device, Model, report};

/// Options of a training that are not in the recipe.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The device of the computation.
    pub device: Device,
    /// Length of the training; none: that of the recipe (`train.epochs`, `train.steps`).
    pub limits: Option<Limits>,
    /// Changes to the recipe, as `key=value`. Resuming refuses those that would change the training.
    pub changes: Vec<String>,
    /// Makes both nets conditional on the labels of the data, in this way.
    pub conditional: Option<Conditional>,
    /// The recipe was written for other data: its class names are replaced by those of the data. Always so for a
    /// program's own data.
    pub new_classes: bool,
    /// The processes that train together, of which this is rank 0; the others [`follow`]. A new training without
    /// `train.slices` has as many slices as ranks.
    pub ranks: Arc<Ranks>,
}

impl Default for Options {
    /// On the processor, with the length of the recipe.
    fn default() -> Self {
        let device = Device::cpu();
        Self { device, limits: None, changes: Vec::new(), conditional: None, new_classes: false, ranks: Arc::default() }
    }
}

impl Options {
    /// Computes on `device`.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// Trains for `limits`, whatever the recipe says.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Changes the recipe, as `key=value`.
    #[must_use]
    pub fn changes(mut self, changes: Vec<String>) -> Self {
        self.changes = changes;
        self
    }

    /// Gives both nets the labels of the data, in this way.
    #[must_use]
    pub fn conditional(mut self, how: Conditional) -> Self {
        self.conditional = Some(how);
        self
    }

    /// Takes the class names from the data, in the place of the recipe's.
    #[must_use]
    pub fn new_classes(mut self, replace: bool) -> Self {
        self.new_classes = replace;
        self
    }

    /// Trains with these processes, of which this is rank 0.
    #[must_use]
    pub fn ranks(mut self, ranks: Arc<Ranks>) -> Self {
        self.ranks = ranks;
        self
    }
}

/// A training: the nets, the doctor and, where there is one, the run folder.
pub struct Trainer {
    gan: Gan,
    limits: Limits,
    folder: Option<Folder>,
    /// What a resume had to mend.
    remarks: Vec<String>,
    /// Whether the checkpoint that was resumed is not of an end: that is to be written, should there be no step to make.
    lacks_end: bool,
    /// The doctor before the training's end, whose score it has seen, off the schedule.
    before_end: Option<Doctor>,
    /// Scores a training in memory, if there is a judge.
    scores: Option<scoring::Scores>,
    doctor: Doctor,
    judge: Option<Extractor>,
    /// Whether the images are the program's own, rather than those that the recipe names.
    own_data: bool,
    stop: Option<Box<dyn Fn() -> bool + Send>>,
    /// Whether the other ranks have the state of the training.
    shared: bool,
    phase: Phase,
}

/// The run folder of a training.
#[derive(Debug)]
struct Folder {
    run: Run,
    /// The checkpoint from which it was resumed.
    state: Option<State>,
    /// Created at the first step, when it truncates the log after the checkpoint.
    recorder: Option<Recorder>,
    /// The lock that keeps other trainings out.
    _lock: std::fs::File,
}

/// The state of a training.
#[derive(Clone, Copy, Debug)]
enum Phase {
    New,
    Running(Instant),
    Ended(Ending),
    /// Ended with an error.
    Failed,
}

impl Trainer {
    /// A new training in memory; [`Self::at`] and [`Self::numbered`] give it a folder.
    ///
    /// # Errors
    /// A recipe that doesn't fit the data, labels that the data don't have, or initial weights (`train.init`) that
    /// can't be read.
    pub fn new(recipe: Recipe, data: impl Into<Data>, options: &Options) -> Result<Self> {
        let data = data.into();
        let recipe = if options.changes.is_empty() { recipe } else { recipe.changed(&options.changes)? };
        let new_classes = options.new_classes || data.is_own();
        let recipe = data.named_in(labels::filled_in(recipe, data.set(), options.conditional, new_classes)?);
        let recipe = ranks::sliced(recipe, &options.ranks)?;
        let mut gan = Gan::among(recipe, data.shared(), &options.device, Arc::clone(&options.ranks))?;
        initialise(&mut gan)?;
        Self::of(gan, &data, options)
    }

    /// Resumes `run` from its latest checkpoint, exactly as if it had not been interrupted, including heals. A run that
    /// was killed before its first checkpoint restarts. `data` must be the images that it began with: [`Data::open`]
    /// with the recipe of [`resumed_recipe`], or the program's own.
    ///
    /// # Errors
    /// A run that is being trained by another process, other data, changes to the recipe that would change the
    /// training, or a checkpoint that is damaged or missing while there are others.
    pub fn resume(run: Run, data: impl Into<Data>, options: &Options) -> Result<Self> {
        let data = data.into();
        let recipe = resumed_recipe(&run, &options.changes)?;
        let mut gan = Gan::among(recipe, data.shared(), &options.device, Arc::clone(&options.ranks))?;
        let lock = run.lock()?;
        let (state, remarks) = resume::load(&run, &mut gan)?;
        if state.is_none() {
            gan.recipe = data.named_in(gan.recipe);
            initialise(&mut gan)?;
        }
        let log = resume::log(&run, state.as_ref())?;
        let doctor = Doctor::new(RunContext::of(&run.first_recipe()?)?, &log);
        let lacks_end = state.as_ref().is_some_and(|state| resume::lacks_end(state, &log));
        let folder = Folder { run, state, recorder: None, _lock: lock };
        Ok(Self { folder: Some(folder), doctor, remarks, lacks_end, ..Self::of(gan, &data, options)? })
    }

    fn of(gan: Gan, data: &Data, options: &Options) -> Result<Self> {
        let train = &gan.recipe.train;
        let limits = options.limits.unwrap_or(Limits { epochs: train.epochs, steps: train.steps, time: None });
        Ok(Self {
            limits,
            doctor: Doctor::new(RunContext::of(&gan.recipe)?, &[]),
            gan,
            folder: None,
            remarks: Vec::new(),
            lacks_end: false,
            before_end: None,
            scores: None,
            judge: None,
            own_data: data.is_own(),
            stop: None,
            shared: false,
            phase: Phase::New,
        })
    }

    /// Gives the training the new run folder `path`, which must not exist or be empty.
    ///
    /// # Errors
    /// A folder that is not empty, or can't be created or written to; ranks that can't train together.
    pub fn at(mut self, path: &Path) -> Result<Self> {
        ranks::share(&self.gan, &mut self.shared)?;
        let run = Run::create_at(path, &self.gan.recipe)?;
        self.in_folder(run)
    }

    /// Gives the training the next numbered run folder under `root`: `0007-LABEL`.
    ///
    /// # Errors
    /// A folder that can't be created or written to; ranks that can't train together.
    pub fn numbered(mut self, root: &Path, label: &str) -> Result<Self> {
        ranks::share(&self.gan, &mut self.shared)?;
        let run = Run::create_numbered(root, label, &self.gan.recipe)?;
        self.in_folder(run)
    }

    fn in_folder(self, run: Run) -> Result<Self> {
        if !matches!(self.phase, Phase::New) {
            return Err(Error::usage(
                "a training that has begun in memory can't get a run folder",
                "call `Trainer::at` or `Trainer::numbered` before the first step",
            ));
        }
        let lock = run.lock()?;
        Ok(Self { folder: Some(Folder { run, state: None, recorder: None, _lock: lock }), ..self })
    }

    /// Scores the training by `judge`, instead of pixels. Without it, and with `train.judge`, [`Self::find_judge`]
    /// finds one.
    #[must_use]
    pub fn judged_by(self, judge: Extractor) -> Self {
        Self { judge: Some(judge), ..self }
    }

    /// Stops and saves after the step during which `stop` becomes true: `move || flag.load(Ordering::SeqCst)`.
    #[must_use]
    pub fn stop_when(self, stop: impl Fn() -> bool + Send + 'static) -> Self {
        Self { stop: Some(Box::new(stop)), ..self }
    }

    /// Finds the judge that the recipe requires (`train.judge`), which may have to be trained first. Does nothing if it
    /// requires none, there is one already, or the data are 2-D points. The first step does so by itself; a program
    /// that shows progress calls it before.
    ///
    /// # Errors
    /// Data that can't be opened.
    pub fn find_judge(&mut self, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<()> {
        let recipe = &self.gan.recipe;
        if !recipe.train.judge || self.judge.is_some() || self.gan.dataset().toy().is_some() {
            return Ok(());
        }
        let reference = match self.own_data {
            true => Reference::new(std::sync::Arc::clone(self.gan.full_dataset()), None),
            false => Reference::of_recipe(recipe, progress)?,
        };
        let extractor = device::on_pool(|| reference.extractor(None, &device::named("cpu")?, progress))?;
        self.judge = Some(extractor);
        Ok(())
    }

    /// What a resume found lost or changed in the run folder, and how it went on: lines for people to read.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Goes on with these nets and their optimizers, in the place of new ones, before the first step.
    ///
    /// # Errors
    /// Nets of other layers than the recipe's.
    pub(crate) fn start_from(&mut self, generator: Model, discriminator: Model) -> Result<()> {
        let gan = &mut self.gan;
        for (own, given) in [(&mut gan.generator, generator), (&mut gan.discriminator, discriminator)] {
            if own.net.weight_names() != given.net.weight_names() {
                return Err(Error::usage(
                    format!("the {} has other layers than the one that was trained", own.net.name()),
                    "train a new GAN, or keep the layers",
                ));
            }
            own.weights = given.weights;
            // The settings are those of the recipe, the moments and the number of updates go on.
            if let (Some(own), Some(given)) = (&mut own.optimizer, given.optimizer) {
                (own.moments, own.updates) = (given.moments, given.updates);
            }
        }
        let weights = gan.generator.weights.clone();
        gan.ema = crate::train::Ema::new(weights, gan.recipe.train.ema as f32);
        gan.invalidate_snapshot();
        self.shared = false;
        Ok(())
    }

    /// Continues a training that has ended until `limits`, as if it had not ended: what its end has logged and scored is taken
    /// back. Their time starts with the next step.
    pub fn extend(&mut self, limits: Limits) {
        (self.limits, self.phase) = (limits, Phase::New);
    }

    /// The two nets and all that the next step depends on.
    pub fn gan(&self) -> &Gan {
        &self.gan
    }

    /// The nets, without the trainer.
    pub fn into_gan(self) -> Gan {
        self.gan
    }

    /// The run folder, if it has one.
    pub fn run_folder(&self) -> Option<&Run> {
        self.folder.as_ref().map(|folder| &folder.run)
    }

    /// The limits of the training.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Whether all steps that the limits allow are complete, and what is written at the end, too.
    pub fn is_complete(&self) -> bool {
        self.has_all_steps() && !self.lacks_end
    }

    fn has_all_steps(&self) -> bool {
        self.limits.total_steps(&self.gan).is_some_and(|total| self.gan.progress.step >= total)
    }

    /// Whether it was resumed from a checkpoint.
    pub fn is_resumed(&self) -> bool {
        self.folder.as_ref().is_some_and(|folder| folder.state.is_some())
    }

    /// The doctor, with its findings so far and the step from which it can tell.
    pub fn doctor(&self) -> &Doctor {
        &self.doctor
    }

    /// The doctor's findings so far.
    pub fn findings(&self) -> &[Finding] {
        self.doctor.findings()
    }

    /// The doctor's heals so far.
    pub fn heals(&self) -> &[Heal] {
        self.doctor.heals()
    }

    /// Total time spent on scoring.
    pub fn scoring_time(&self) -> Duration {
        let recorder = self.folder.as_ref().and_then(|folder| folder.recorder.as_ref());
        let scores = self.scores.as_ref().map(|scores| scores.scoring.time());
        recorder.map(Recorder::scoring_time).or(scores).unwrap_or_default()
    }

    /// The report of the run as an HTML page; `report.html` in its folder is written whenever a training ends.
    ///
    /// # Errors
    /// A training in memory, which has no log, or a log that can't be read.
    pub fn report(&self) -> Result<String> {
        match self.run_folder() {
            Some(run) => report::page(run),
            None => {
                Err(Error::usage("a training in memory has no log for a report", "give it a folder (`Trainer::at`)"))
            }
        }
    }
}

impl std::fmt::Debug for Trainer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut fields = f.debug_struct("Trainer");
        fields.field("gan", &self.gan).field("limits", &self.limits).field("folder", &self.folder);
        fields.field("phase", &self.phase).finish_non_exhaustive()
    }
}
