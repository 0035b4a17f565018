//! What `faussaire train` can be told.

use std::path::PathBuf;

use clap::Args;

/// `faussaire train`
#[derive(Args, Debug, Default)]
pub struct Train {
    /// Data set: a name that `faussaire data list` shows, or a path to images (folder, zip, tar.gz, .npy, .npz, ...)
    pub dataset: Option<String>,
    /// Built-in recipe (`faussaire presets` lists them) [default: quick]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["config", "resume"])]
    pub preset: Option<String>,
    /// Recipe file
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub config: Option<PathBuf>,
    /// Folder of data sets, looked into before $FAUSSAIRE_DATA and the cache
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Folder for this run [default: the next number under runs/]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub run: Option<PathBuf>,
    /// Train for so many passes over the data in all
    #[arg(long, value_name = "N", conflicts_with = "steps")]
    pub epochs: Option<u64>,
    /// Train for so many generator updates in all
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Stop after so long, such as 90s, 10m or 2h
    #[arg(long, value_name = "TIME", value_parser = super::duration)]
    pub time: Option<std::time::Duration>,
    /// Images per batch
    #[arg(long, value_name = "N")]
    pub batch: Option<u64>,
    /// Seed of all randomness
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// Bring images to N x N pixels, after a centre crop
    #[arg(long, value_name = "N")]
    pub size: Option<u64>,
    /// Tell both nets the labels of the data: concat, projection or auxiliary (see the README)
    #[arg(long, value_name = "KIND", num_args = 0..=1, default_missing_value = "concat", require_equals = true, conflicts_with = "resume")]
    pub conditional: Option<String>,
    /// Where to compute: cpu, cuda or cuda:N, vulkan, metal; all but cpu need a build with that feature
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: String,
    /// What operands of products, and images between most layers, are rounded to: auto, f32, bf16 [default: the
    /// recipe's, mostly auto: bf16 where the processor multiplies it]
    #[arg(long, value_name = "PRECISION", value_parser = ["auto", "f32", "bf16"])]
    pub precision: Option<String>,
    /// Processor threads [default: all]; the results are the same for any number
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Go on with a run: the newest under runs/, or the folder given
    #[arg(long, value_name = "RUN", num_args = 0..=1)]
    pub resume: Option<Option<PathBuf>>,
    /// Change a key of the recipe, such as train.batch=32 (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Begin with the weights in this file: a checkpoint's generator.safetensors or discriminator.safetensors, or one that
    /// `export --to safetensors` wrote or a training in PyTorch saved (repeatable)
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub init: Vec<PathBuf>,
    /// Let the judge score the run and choose its best checkpoint; it is trained first, once for each data set
    #[arg(long)]
    pub judge: bool,
    /// Where the run fails, go back and change the recipe, up to 3 times [default with --heal: 3]
    #[arg(long, value_name = "TIMES", num_args = 0..=1, default_missing_value = "3", require_equals = true)]
    pub heal: Option<u64>,
    /// Show what would be trained (fetching the data if need be), and stop there
    #[arg(long)]
    pub dry_run: bool,
    /// Say nothing but errors and the result
    #[arg(long)]
    pub quiet: bool,
    /// Stop like after Ctrl-C when stdin ends: whoever started this training is gone
    #[arg(long, hide = true)]
    pub stop_at_eof: bool,
}
