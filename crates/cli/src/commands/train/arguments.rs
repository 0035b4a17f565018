//! The arguments of `faussaire train`.

use std::path::PathBuf;

use clap::Args;
use faussaire::recipe::ImageSize;

use crate::numbers::{LARGEST, for_library, whole};

/// `faussaire train`
#[derive(Args, Debug, Default)]
#[command(after_help = EXAMPLES)]
pub struct Train {
    /// Data set: a name from `faussaire data list`, hf:OWNER/SET, or a path to images (folder, .zip, .tar.gz, .npy, .csv, ...)
    pub dataset: Option<String>,

    /// Built-in recipe; `faussaire presets` lists them. `auto`: nets made for the images [default: digits; with a DATASET quick,
    /// or auto where quick's nets don't fit]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["config", "resume"], help_heading = RECIPE)]
    pub preset: Option<String>,
    /// Recipe file (TOML)
    #[arg(long, value_name = "FILE", conflicts_with = "resume", help_heading = RECIPE)]
    pub config: Option<PathBuf>,
    /// Set a recipe key, such as train.loss=hinge (repeatable); `faussaire presets --keys` lists them
    #[arg(long = "set", value_name = "KEY=VALUE", help_heading = RECIPE)]
    pub set: Vec<String>,
    /// Batch size
    #[arg(long, value_name = "N", value_parser = for_library::<u64>(1, 65_536), help_heading = RECIPE)]
    pub batch: Option<u64>,
    /// Random seed
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0, LARGEST), help_heading = RECIPE)]
    pub seed: Option<u64>,
    /// Resize images to N x N pixels, or to HEIGHTxWIDTH such as 48x64, after a centre crop
    #[arg(long, value_name = "SIZE", value_parser = crate::flags::size, help_heading = RECIPE)]
    pub size: Option<ImageSize>,
    /// Mirror half of the training images left to right, at random
    #[arg(long, help_heading = RECIPE)]
    pub mirror: bool,
    /// Train a conditional GAN on the data's labels: concat, projection or auxiliary [default with --conditional: concat]
    #[arg(long, value_name = "KIND", num_args = 0..=1, default_missing_value = "concat", require_equals = true, conflicts_with = "resume", help_heading = RECIPE)]
    pub conditional: Option<String>,
    /// Build a mistake in for an exercise: a name of `--sabotage list`, or random:SEED, which `doctor RUN --key` resolves
    #[arg(long, value_name = "NAME", conflicts_with = "resume", help_heading = RECIPE)]
    pub sabotage: Option<String>,
    /// Start from the weights in this file: a generator.safetensors or discriminator.safetensors of a checkpoint, or a file
    /// written by `export --to safetensors` or PyTorch (repeatable)
    #[arg(long, value_name = "FILE", conflicts_with = "resume", help_heading = RECIPE)]
    pub init: Vec<PathBuf>,

    /// Total epochs to train
    #[arg(long, value_name = "N", conflicts_with = "steps", value_parser = whole::<u64>(0, LARGEST), help_heading = LENGTH)]
    pub epochs: Option<u64>,
    /// Total generator updates to train
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0, LARGEST), help_heading = LENGTH)]
    pub steps: Option<u64>,
    /// Stop after this long, such as 90s, 10m or 2h
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = crate::duration::parse, help_heading = LENGTH)]
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
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "3", require_equals = true, value_parser = for_library::<u64>(0, 3), help_heading = RUN)]
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
    #[arg(long, value_name = "N", value_parser = for_library::<usize>(1, 1024), help_heading = MACHINE)]
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
  faussaire train photos/                                your own images, of any size
  faussaire train --resume                               resume the newest run";
