//! `Trainer`: a training that is stepped by Python, so that callbacks run between its steps.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use faussaire::recipe::Images;
use faussaire::run::Run;
use faussaire::train::{Event, History, Limits, Watcher};
use faussaire::trainer::{Options, Trainer as Inner};
use faussaire::{Result, device};
use pyo3::prelude::*;
use pyo3::types::PyByteArray;

use crate::arrays::bytearray;
use crate::dataset::Dataset;
use crate::model::Model;
use crate::pool::{locked, on_pool};
use crate::recipe::{Recipe, conditional};
use crate::run::json;
use crate::sampler::Sampler;

/// A training.
#[pyclass(frozen, module = "faussaire._faussaire")]
pub struct Trainer(Mutex<State>);

struct State {
    trainer: Inner,
    history: History,
}

/// The length of a training; nothing given: that of the recipe.
fn limits(epochs: Option<u64>, steps: Option<u64>, seconds: Option<f64>) -> Option<Limits> {
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let given = epochs.is_some() || steps.is_some() || time.is_some();
    given.then(|| {
        let limits = Limits::epochs(epochs.unwrap_or(0)).with_steps(steps.unwrap_or(0));
        time.map_or(limits, |time| limits.with_time(time))
    })
}

impl Trainer {
    fn of(trainer: Inner) -> Self {
        Self(Mutex::new(State { trainer, history: History::default() }))
    }

    fn with<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&mut Inner) -> Result<T> + Send) -> PyResult<T> {
        locked(py, &self.0, |state| work(&mut state.trainer))
    }
}

impl State {
    /// The events, in JSON, which the history has seen.
    fn told(&mut self, events: &[Event]) -> Result<String> {
        for event in events {
            self.history.on(event, self.trainer.gan())?;
        }
        json(&events)
    }
}

#[pymethods]
impl Trainer {
    /// A new training, in the new run folder `folder` if that is given; it begins with the weights of the models that are given.
    #[new]
    #[pyo3(signature = (recipe, data, device, epochs, steps, seconds, condition, folder, generator, discriminator))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        recipe: &Recipe,
        data: &Dataset,
        device: &str,
        epochs: Option<u64>,
        steps: Option<u64>,
        seconds: Option<f64>,
        condition: Option<&str>,
        folder: Option<PathBuf>,
        generator: Option<&Model>,
        discriminator: Option<&Model>,
    ) -> PyResult<Self> {
        let copy = |given: Option<&Model>| given.map(|model| model.with(py, |model| Ok(model.clone()))).transpose();
        let (generator, discriminator) = (copy(generator)?, copy(discriminator)?);
        on_pool(py, || {
            let mut options = Options::default().device(device::named(device)?);
            (options.limits, options.new_classes) = (limits(epochs, steps, seconds), true);
            options.conditional = condition.map(conditional).transpose()?;
            let mut trainer = Inner::new(data.named_in(recipe.0.clone()), data.data.clone(), &options)?;
            if generator.is_some() || discriminator.is_some() {
                trainer = trainer.beginning_with(generator.as_ref(), discriminator.as_ref())?;
            }
            trainer.require_limits()?;
            Ok(Self::of(match folder {
                Some(folder) => trainer.at(&folder)?,
                None => trainer,
            }))
        })
    }

    /// The training of the run at `folder`: resumed there, or gone on with in memory from the checkpoint `memory`.
    #[staticmethod]
    #[pyo3(signature = (folder, data, device, changes, epochs, steps, seconds, memory))]
    #[allow(clippy::too_many_arguments)]
    fn resume(
        py: Python<'_>,
        folder: PathBuf,
        data: &Dataset,
        device: &str,
        changes: Vec<String>,
        epochs: Option<u64>,
        steps: Option<u64>,
        seconds: Option<f64>,
        memory: Option<&str>,
    ) -> PyResult<Self> {
        on_pool(py, || {
            let mut options = Options::default().device(device::named(device)?);
            (options.limits, options.changes) = (limits(epochs, steps, seconds), changes);
            let run = Run::open(&folder)?;
            if let Some(name) = memory {
                return Inner::from_checkpoint(&run, name, data.data.clone(), &options).map(Self::of);
            }
            let trainer = Inner::resume(run, data.data.clone(), &options)?;
            trainer.require_limits()?;
            Ok(Self::of(trainer))
        })
    }

    /// One step; its events in JSON, none once the training has ended.
    fn step(&self, py: Python<'_>) -> PyResult<Option<String>> {
        locked(py, &self.0, |state| match state.trainer.step()? {
            Some(events) => state.told(&events).map(Some),
            None => Ok(None),
        })
    }

    /// Ends the training here; the events of its end in JSON.
    fn finish(&self, py: Python<'_>) -> PyResult<String> {
        locked(py, &self.0, |state| {
            let events = state.trainer.finish()?;
            state.told(&events)
        })
    }

    /// Goes on with a training that has ended, for so much more.
    #[pyo3(signature = (epochs, steps, seconds))]
    fn extend(&self, py: Python<'_>, epochs: Option<u64>, steps: Option<u64>, seconds: Option<f64>) -> PyResult<()> {
        self.with(py, |trainer| {
            match limits(epochs, steps, seconds) {
                Some(more) => trainer.extend_by(more),
                None => trainer.extend_by(trainer.length()),
            }
            trainer.require_limits()
        })
    }

    fn find_judge(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |trainer| trainer.find_judge(&mut |_| ()))
    }

    /// Means of every epoch: losses of D and G, D's accuracies on real and on generated images.
    fn history(&self, py: Python<'_>) -> PyResult<[Vec<f32>; 4]> {
        locked(py, &self.0, |State { history: h, .. }| {
            Ok([h.d_loss.clone(), h.g_loss.clone(), h.d_real.clone(), h.d_fake.clone()])
        })
    }

    #[getter]
    fn recipe(&self, py: Python<'_>) -> PyResult<Recipe> {
        self.with(py, |trainer| Ok(Recipe(trainer.recipe().clone())))
    }

    #[getter]
    fn step_count(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |trainer| Ok(trainer.gan().progress.step))
    }

    /// Steps per epoch, and in all, if they are limited.
    fn length(&self, py: Python<'_>) -> PyResult<(f64, Option<u64>)> {
        self.with(py, |trainer| Ok((trainer.gan().steps_per_epoch(), trainer.limits().total_steps(trainer.gan()))))
    }

    #[getter]
    fn folder(&self, py: Python<'_>) -> PyResult<Option<PathBuf>> {
        self.with(py, |trainer| Ok(trainer.run_folder().map(|run| run.path().to_path_buf())))
    }

    /// What a resume mended, and what is unusual in the recipe.
    fn remarks(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.with(py, |trainer| {
            let unusual = trainer.recipe().remarks(Images::Set(trainer.gan().dataset()))?;
            let told = unusual.iter().map(|remark| format!("{}: {}; {}", remark.name, remark.what, remark.advice));
            Ok(trainer.remarks().iter().cloned().chain(told).collect())
        })
    }

    /// The doctor's findings, in JSON.
    fn findings(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |trainer| json(&trainer.findings()))
    }

    /// The averaged generator with its statistics, or the one that is trained, a model of its own.
    #[pyo3(signature = (averaged=true))]
    fn generator(&self, py: Python<'_>, averaged: bool) -> PyResult<Model> {
        self.with(py, |trainer| {
            let mut model = trainer.gan().generator.clone();
            if averaged {
                model.weights = trainer.gan().averaged();
            }
            Ok(Model::of(model))
        })
    }

    /// The discriminator as it is now, a model of its own.
    fn discriminator(&self, py: Python<'_>) -> PyResult<Model> {
        self.with(py, |trainer| Ok(Model::of(trainer.gan().discriminator.clone())))
    }

    fn sampler(&self, py: Python<'_>) -> PyResult<Sampler> {
        self.with(py, |trainer| faussaire::run::Sampler::of(trainer.gan()).map(Sampler))
    }

    /// The averaged generator's images of the noise that stays the same in the whole training.
    fn fixed_images<'py>(&self, py: Python<'py>, n: usize) -> PyResult<Bound<'py, PyByteArray>> {
        let values = self.with(py, |trainer| trainer.gan().generate(&trainer.gan().fixed_latents(n)))?;
        bytearray(py, &values)
    }

    /// Saves the training as a run folder.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        self.with(py, |trainer| trainer.save(&path).map(|_| ()))
    }
}
