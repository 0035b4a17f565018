//! `faussaire train`: trains a new run or resumes one. The training itself is [`faussaire::Trainer`]'s.

pub mod changes;
mod how;
mod plan;
mod summary;

use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use faussaire::run::Run;
use faussaire::trainer::{Data, resumed_recipe};
use faussaire::{Gan, Preset, Result, Trainer};

use super::bars::Bars;
use super::progress::Console;
use super::stopping;
use crate::report::{count, say};

/// The folder of runs without `--run`.
const RUNS: &str = "runs";

/// `faussaire train`
#[derive(Args, Debug, Default)]
#[command(after_help = EXAMPLES)]
pub struct Train {
    /// Data set: a name from `faussaire data list`, or a path to images (folder, .zip, .tar.gz, .npy, .npz, ...)
    pub dataset: Option<String>,

    /// Built-in recipe; `faussaire presets` lists them [default: quick]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["config", "resume"], help_heading = RECIPE)]
    pub preset: Option<String>,
    /// Recipe file (TOML)
    #[arg(long, value_name = "FILE", conflicts_with = "resume", help_heading = RECIPE)]
    pub config: Option<PathBuf>,
    /// Set a recipe key, such as train.loss=hinge (repeatable); `faussaire presets --keys` lists them
    #[arg(long = "set", value_name = "KEY=VALUE", help_heading = RECIPE)]
    pub set: Vec<String>,
    /// Batch size
    #[arg(long, value_name = "N", help_heading = RECIPE)]
    pub batch: Option<u64>,
    /// Random seed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64), help_heading = RECIPE)]
    pub seed: Option<u64>,
    /// Resize images to N x N pixels, after a centre crop
    #[arg(long, value_name = "N", help_heading = RECIPE)]
    pub size: Option<u64>,
    /// Train a conditional GAN on the data's labels: concat, projection or auxiliary [default with --conditional: concat]
    #[arg(long, value_name = "KIND", num_args = 0..=1, default_missing_value = "concat", require_equals = true, conflicts_with = "resume", help_heading = RECIPE)]
    pub conditional: Option<String>,
    /// Start from the weights in this file: a generator.safetensors or discriminator.safetensors of a checkpoint, or a file
    /// written by `export --to safetensors` or PyTorch (repeatable)
    #[arg(long, value_name = "FILE", conflicts_with = "resume", help_heading = RECIPE)]
    pub init: Vec<PathBuf>,

    /// Total epochs to train
    #[arg(long, value_name = "N", conflicts_with = "steps", help_heading = LENGTH)]
    pub epochs: Option<u64>,
    /// Total generator updates to train
    #[arg(long, value_name = "N", help_heading = LENGTH)]
    pub steps: Option<u64>,
    /// Stop after this long, such as 90s, 10m or 2h
    #[arg(long, value_name = "TIME", value_parser = crate::duration::parse, help_heading = LENGTH)]
    pub time: Option<std::time::Duration>,

    /// Folder of the new run [default: the next number under runs/]
    #[arg(long, value_name = "DIR", conflicts_with = "resume", help_heading = RUN)]
    pub run: Option<PathBuf>,
    /// Resume a run: the newest under runs/, or the folder given
    #[arg(long, value_name = "RUN", num_args = 0..=1, help_heading = RUN)]
    pub resume: Option<Option<PathBuf>>,
    /// Score the run while it trains and keep the checkpoint with the best score; the first use on a data set trains a
    /// classifier for it
    #[arg(long, help_heading = RUN)]
    pub judge: bool,
    /// When the run fails, go back to a checkpoint and change the recipe, at most N times [default with --heal: 3]
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "3", require_equals = true, help_heading = RUN)]
    pub heal: Option<u64>,
    /// Print the nets and the full recipe without training (downloads the data if needed)
    #[arg(long, help_heading = RUN)]
    pub dry_run: bool,
    /// Print only errors and the result
    #[arg(long, help_heading = RUN)]
    pub quiet: bool,

    /// Folder of data sets, searched before $FAUSSAIRE_DATA and the cache
    #[arg(long, value_name = "DIR", help_heading = MACHINE)]
    pub data: Option<PathBuf>,
    /// Device: cpu, cuda, cuda:N, vulkan or metal; all but cpu need a build with that feature
    #[arg(long, value_name = "DEVICE", default_value = "cpu", help_heading = MACHINE)]
    pub device: String,
    /// Number format of matrix products and stored activations: auto, f32 or bf16 [default: the recipe's; auto is bf16
    /// where the CPU multiplies it]
    #[arg(long, value_name = "PRECISION", value_parser = ["auto", "f32", "bf16"], help_heading = MACHINE)]
    pub precision: Option<String>,
    /// CPU threads [default: all]; the results are the same for any number
    #[arg(long, value_name = "N", help_heading = MACHINE)]
    pub threads: Option<usize>,

    /// Stop as on Ctrl-C when stdin ends, for a program that starts trainings
    #[arg(long, hide = true)]
    pub stop_at_eof: bool,
}

const RECIPE: &str = "Recipe";
const LENGTH: &str = "Length";
const RUN: &str = "Run";
const MACHINE: &str = "Data and machine";

const EXAMPLES: &str = "\
Examples:
  faussaire train                                        digits drawn by program, about a minute
  faussaire train mnist --preset cgan-mnist --time 10m   a conditional GAN on MNIST
  faussaire train photos/ --size 64 --preset dcgan-64    your own images
  faussaire train --resume                               resume the newest run";

pub fn run(options: &Train) -> Result<()> {
    super::limit_threads(options.threads)?;
    let device = super::device(&options.device)?;
    let run = options.resume.as_ref().map(|given| find(given.as_deref())).transpose()?;
    let recipe = match &run {
        Some(run) => resumed_recipe(run, &changes::of(options))?,
        None => changes::new_recipe(options)?,
    };
    let mut bars = Bars::new(options.quiet);
    let data = Data::open(&recipe, &mut |fetched| bars.fetching(fetched))?;
    drop(bars);
    let how = how::how(&recipe, device, options)?;
    match run {
        Some(_) if options.dry_run => plan::show(&Gan::new(recipe, data.shared(), &how.device)?),
        Some(run) => train(Trainer::resume(run, data, &how)?, options),
        None => {
            let trainer = Trainer::new(recipe, data, &how)?;
            if options.dry_run { plan::show(trainer.gan()) } else { train(placed(trainer, options)?, options) }
        }
    }
}

fn train(mut trainer: Trainer, options: &Train) -> Result<()> {
    let Some(path) = trainer.run_folder().map(|run| run.path().to_path_buf()) else { return Ok(()) };
    if options.resume.is_some() && !trainer.is_resumed() {
        eprintln!("{} has no checkpoint yet: starting from step 0", path.display());
    }
    if trainer.is_complete() {
        let step = count(trainer.gan().progress.step);
        say!("{}: complete at step {step}; continue with --steps, --epochs or --time", path.display());
        return Ok(());
    }
    let mut bars = Bars::new(options.quiet);
    trainer.find_judge(&mut |progress| bars.show(progress))?;
    drop(bars);
    let stop = stopping::on_signal()?;
    if options.stop_at_eof {
        stopping::at_eof(Arc::clone(&stop));
    }
    let mut trainer = trainer.stop_when(move || stop.load(Ordering::SeqCst));
    let mut console = Console::new(options.quiet, trainer.limits().time);
    console.introduce(trainer.gan(), &path);
    let outcome = trainer.run_watched(&mut [&mut console]);
    if outcome.is_err() {
        console.clear();
    }
    summary::conclude(&trainer, outcome?)
}

/// The folder of a new run.
fn placed(trainer: Trainer, options: &Train) -> Result<Trainer> {
    if let Some(path) = &options.run {
        return trainer.at(path);
    }
    let source = trainer.gan().recipe.data.source.clone();
    let data = Path::new(&source).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let config = options.config.as_ref().and_then(|c| c.file_stem()).map(|s| s.to_string_lossy().into_owned());
    let preset = config.or_else(|| options.preset.clone()).unwrap_or_else(|| Preset::Quick.name().into());
    trainer.numbered(Path::new(RUNS), &format!("{data}-{preset}"))
}

fn find(given: Option<&Path>) -> Result<Run> {
    given.map_or_else(|| Run::newest(Path::new(RUNS)), Run::open)
}
