//! The subject of an export: the nets of a checkpoint, with the metadata for the exported file.

use std::path::Path;

use burn::tensor::{Device, Tensor};

use super::Which;
use crate::data::LabelKind;
use crate::data::{LabelSettings, labels};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::net::{Network, Op, Pass, Shape, Weights};
use crate::optimizer::Optimizer;
use crate::pixel_range::PixelRange;
use crate::random::Stream;
use crate::recipe::{DataSettings, NetSettings, Recipe, TrainSettings};
use crate::run::{self, Run, State};
use crate::train::{Event, Gan};

/// Two nets with their recipe and metadata.
#[derive(Debug)]
pub struct Subject {
    /// Its recipe.
    pub recipe: Recipe,
    /// The run's name: that of its folder.
    pub name: String,
    /// The exported file's name without extension, which generated code uses.
    pub(super) title: String,
    /// The step at which the checkpoint was taken.
    pub step: u64,
    /// The latest scores up to that step, each with its full name.
    pub scores: Vec<(String, f64)>,
    /// The range of its images' values.
    pub range: PixelRange,
    generator: (Network, Weights),
    discriminator: (Network, Weights),
}

impl Subject {
    /// Reads the checkpoint called `checkpoint` (`latest`, `best`, or a permanent one) of `run`.
    ///
    /// # Errors
    /// A checkpoint that is missing or damaged.
    pub fn open(run: &Run, checkpoint: &str) -> Result<Self> {
        let recipe = run.recipe(&[])?;
        let (generator, discriminator) = recipe.networks()?;
        let (place, state) = run.find_checkpoint(checkpoint)?;
        let device = Device::flex();
        let average = run::weights(&place, &state, &generator, "average", &device)?;
        let judge = run::weights(&place, &state, &discriminator, "discriminator", &device)?;
        let path = std::path::absolute(run.path()).unwrap_or_else(|_| run.path().into());
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self {
            title: name.clone(),
            name,
            step: state.step,
            scores: scores(run, &state),
            range: PixelRange::of(&generator)?,
            generator: (generator, average),
            discriminator: (discriminator, judge),
            recipe,
        })
    }

    /// The nets of `recipe` with these weights, without a run.
    ///
    /// # Errors
    /// Nets that can't be built, or whose images have no range.
    pub fn of(recipe: Recipe, name: &str, generator: Weights, discriminator: Weights) -> Result<Self> {
        let (g, d) = recipe.networks()?;
        Ok(Self {
            title: name.into(),
            name: name.into(),
            step: 0,
            scores: Vec::new(),
            range: PixelRange::of(&g)?,
            generator: (g, generator),
            discriminator: (d, discriminator),
            recipe,
        })
    }

    /// The averaged generator and the discriminator of `gan` as they are now.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn of_gan(gan: &Gan, name: &str) -> Result<Self> {
        let made = Self::of(gan.recipe.clone(), name, gan.averaged(), gan.discriminator.weights.clone())?;
        Ok(Self { step: gan.progress.step, ..made })
    }

    /// Two models as the generator and the discriminator of `name`.
    ///
    /// # Errors
    /// Models that don't fit each other, or images without a range.
    pub fn of_models(generator: &Model, discriminator: &Model, name: &str) -> Result<Self> {
        let [g, d] = [generator, discriminator].map(NetSettings::of);
        let (labels, kind) = (generator.net.labels().max(discriminator.net.labels()), LabelKind::default());
        let names = (0..labels).map(|label| label.to_string()).collect();
        let shares = if labels > 0 { vec![1.0 / labels as f64; labels] } else { Vec::new() };
        let recipe = Recipe {
            latent: generator.net.input().len(),
            data: DataSettings { source: "memory".into(), ..DataSettings::default() },
            labels: LabelSettings::new(names, kind, shares),
            generator: g,
            discriminator: d,
            train: TrainSettings::default(),
        };
        let (output, input) = (generator.net.output(), discriminator.net.input());
        if output != input {
            return Err(Error::usage(
                format!("the generator makes {output}, but the discriminator takes {input}"),
                "give both the same image shape, or export one alone with `Subject::of_model`",
            ));
        }
        Self::of(recipe, name, generator.weights.clone(), discriminator.weights.clone())
    }

    /// One model as generator or discriminator; the other net is a stub.
    ///
    /// # Errors
    /// A generator whose images have no range, or that doesn't take a vector.
    pub fn of_model(model: &Model, which: Which, name: &str) -> Result<Self> {
        let device = model.device();
        let stub = |name: &str, lines: &[String], input| Model::new(name, lines, input, 0, &device);
        match which {
            Which::Generator => {
                let lines = ["flatten", "dense 1"].map(String::from);
                Self::of_models(model, &stub("discriminator", &lines, model.net.output())?, name)
            }
            Which::Discriminator => {
                let input = model.net.input();
                let mut lines = vec![format!("dense {}", input.len())];
                if let Shape::Image(h, w, c) = input {
                    lines.extend([format!("reshape {h} {w} {c}"), "sigmoid".into()]);
                }
                Self::of_models(&stub("generator", &lines, Shape::Flat(1))?, model, name)
            }
        }
    }

    /// Refuses nets with a layer that no format can write.
    pub(super) fn check(&self, which: Option<Which>) -> Result<()> {
        for kind in [Which::Generator, Which::Discriminator].into_iter().filter(|kind| which.is_none_or(|w| w == *kind))
        {
            let (net, _) = self.net(kind);
            if let Some(placed) = net.layers().iter().find(|p| p.layer.kind().op(p.input) == Op::Opaque) {
                return Err(Error::usage(
                    format!("the {}'s layer `{}` can't be exported: a program registered it", net.name(), placed.line),
                    "a registered layer is written where its `op` says what it computes, as one of `net::Op`",
                ));
            }
        }
        Ok(())
    }

    /// The same under the name of the file `path`.
    pub(super) fn titled(mut self, path: &Path) -> Self {
        self.title = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        self
    }

    /// One of the nets, with its weights.
    pub fn net(&self, which: Which) -> (&Network, &Weights) {
        let (net, weights) = match which {
            Which::Generator => &self.generator,
            Which::Discriminator => &self.discriminator,
        };
        (net, weights)
    }

    /// Its training data: the name of a data set, or that of a file or folder.
    pub fn data(&self) -> String {
        last(&self.recipe.data.source)
    }

    /// Its recipe as text without private paths: files by their names only, without their folders.
    pub fn recipe_text(&self) -> String {
        let mut recipe = self.recipe.clone();
        recipe.data.source = self.data();
        recipe.data.dir.clear();
        recipe.train.init.iter_mut().for_each(|file| *file = last(file));
        // Writing a valid recipe can't fail.
        recipe.to_toml().unwrap_or_default()
    }

    /// Its labels; empty for unconditional nets.
    pub fn labels(&self) -> &LabelSettings {
        &self.recipe.labels
    }

    /// The inputs of images 0 to `n` of `faussaire sample` with `seed`: noise and, for a conditional generator, labels.
    pub fn samples(&self, seed: u64, n: usize) -> Batch {
        let (noise, labels) = (Stream::new(seed, "sample"), Stream::new(seed, "sample.labels"));
        let net = &self.generator.0;
        let values = (0..n as u64).flat_map(|i| noise.normal(i, net.input().len())).collect();
        let width = net.labels();
        let rows = if width > 0 { labels::sample_labels(&self.recipe.labels, &labels, 0, n) } else { Vec::new() };
        Batch { n, values, rows }
    }

    /// The outputs of one of the nets for `batch`: `[n, h, w, c]` values.
    pub fn run(&self, which: Which, batch: &Batch) -> Vec<f32> {
        let (net, weights) = self.net(which);
        forward(net, weights, batch)
    }
}

impl NetSettings {
    /// The settings of a model.
    fn of(model: &Model) -> Self {
        let adam = model.optimizer.as_ref().map(Optimizer::settings).unwrap_or_default();
        let layers = model.net.layers().iter().map(|placed| placed.line.clone()).collect();
        Self { layers, spectral: model.net.setting().spectral, adam }
    }
}

/// Inputs of a net.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Number of examples.
    pub n: usize,
    /// Noise `[n, latent]`, or images `[n, h, w, c]`.
    pub values: Vec<f32>,
    /// Labels `[n, labels]`; empty for an unconditional net.
    pub rows: Vec<f32>,
}

/// The outputs of `net` for `batch`, computed together: some layers mix the examples of a batch.
pub(super) fn forward(net: &Network, weights: &Weights, batch: &Batch) -> Vec<f32> {
    let device = Device::flex();
    let [h, w, c] = net.input().dims();
    let x: Tensor<4> = crate::ops::tensor(batch.values.clone(), [batch.n, h, w, c], &device);
    let labels = net.labels();
    let y = (labels > 0).then(|| crate::ops::tensor(batch.rows.clone(), [batch.n, 1, 1, labels], &device));
    crate::ops::host(&net.apply(weights, x, &mut Pass::infer().given(y)))
}

/// The file name of a path.
fn last(path: &str) -> String {
    Path::new(path).file_name().map_or(path.into(), |name| name.to_string_lossy().into_owned())
}

/// The last scores up to the checkpoint. They are informative only, so that a log that can't be read is no error.
fn scores(run: &Run, state: &State) -> Vec<(String, f64)> {
    let mut all = Vec::new();
    let read = run.each_event(Some(state.events_bytes), |event| match event {
        Event::Score { step, name, value, .. } if step <= state.step => all.push((step, name, value)),
        // Scores after the step that a heal returned to are those of other nets.
        Event::Heal(heal) => all.retain(|(step, ..)| *step <= heal.back_to),
        _ => {}
    });
    if read.is_err() {
        return Vec::new();
    }
    let last = all.last().map_or(0, |(step, ..)| *step);
    all.into_iter().filter(|(step, ..)| *step == last).map(|(_, name, value)| (name.to_string(), value)).collect()
}
