//! The command line: every flag with its help text.

mod served;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use served::{Serve, Studio};

/// Trains generative adversarial networks and draws images from them, on a plain processor.
#[derive(Debug, Parser)]
#[command(name = "faussaire", version, about, max_term_width = 100)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a generator; with no arguments: on digits drawn by program, in about a minute
    Train(Train),
    /// Draw images from a trained run
    Sample(Sample),
    /// Take a run's nets to other programs: ONNX, PyTorch, or a page that draws in any browser
    Export(Export),
    /// Score a run's images, or anybody's, against real ones
    Judge(Judge),
    /// Say what goes wrong in a run, what that means, and what to try
    Doctor(Doctor),
    /// Train several recipes with several seeds each, and say which is better
    Compare(Compare),
    /// Show runs in the browser while they train, play with what they have learnt, start new ones
    Studio(Studio),
    /// Make images on request: a small HTTP service in front of a run's generator
    Serve(Serve),
    /// Show a preset's, run's or recipe file's nets as tables
    Summary(Summary),
    /// List, fetch, check or preview data sets
    Data(Data),
    /// List the built-in recipes, or print one
    Presets(Presets),
}

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
    #[arg(long, value_name = "TIME", value_parser = duration)]
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
    /// Where to compute: cpu, cuda or cuda:N, vulkan, metal
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: String,
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
    /// Show what would be trained, and stop there
    #[arg(long)]
    pub dry_run: bool,
    /// Say nothing but errors and the result
    #[arg(long)]
    pub quiet: bool,
    /// Stop like after Ctrl-C when stdin ends: whoever started this training is gone
    #[arg(long, hide = true)]
    pub stop_at_eof: bool,
}

/// `faussaire sample`
#[derive(Args, Debug)]
pub struct Sample {
    /// A run's folder
    pub run: PathBuf,
    /// How many images (frames of an interpolation)
    #[arg(short, value_name = "N")]
    pub n: Option<usize>,
    /// Ask a conditional generator for this class, or for attributes such as Smiling,Eyeglasses
    #[arg(long, value_name = "LABELS")]
    pub class: Option<String>,
    /// Rows and columns of a PNG grid, such as 8x10
    #[arg(long, value_name = "RxC", value_parser = grid)]
    pub grid: Option<(usize, usize)>,
    /// Seed of the noise
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Walk from image to image: always for a .gif, on request for the other forms
    #[arg(long)]
    pub interpolate: bool,
    /// Which checkpoint: latest, best, or a kept one (epoch-0010, by train.keep_every)
    #[arg(long, value_name = "NAME", default_value = "latest")]
    pub checkpoint: String,
    /// What to write: FILE.png (a grid), FILE.gif, FILE.npy (uint8; labels beside it), FILE.zip (PNG files, a folder per class,
    /// labels.csv), or a folder of PNG files
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
    /// Processor threads [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// `faussaire export`
#[derive(Args, Debug)]
pub struct Export {
    /// A run's folder
    pub run: PathBuf,
    /// What to make [default: what -o ends in]. onnx: one net for onnxruntime and others. safetensors: weights in PyTorch's
    /// layouts, and beside them FILE.py with the modules. html: one page with the generator inside
    #[arg(long, value_name = "onnx|safetensors|html")]
    pub to: Option<String>,
    /// The file to write; one of that name is replaced
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Which checkpoint: latest, best, or a kept one
    #[arg(long, value_name = "NAME", default_value = "latest")]
    pub checkpoint: String,
    /// Which net [default: generator; safetensors: both]
    #[arg(long, value_name = "NET", value_parser = ["generator", "discriminator"])]
    pub net: Option<String>,
    /// onnx: images as numbers in the net's range, or as bytes, for tools that score image files
    #[arg(long, value_name = "TYPE", value_parser = ["float", "uint8"], default_value = "float")]
    pub pixels: String,
    /// onnx: [n, height, width, channels] as in Keras, or [n, channels, height, width] as in PyTorch
    #[arg(long, value_name = "ORDER", value_parser = ["nhwc", "nchw"], default_value = "nhwc")]
    pub layout: String,
    /// html: weights in half precision, for a page of half the size
    #[arg(long)]
    pub half: bool,
    /// Processor threads [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// `faussaire judge`
#[derive(Args, Debug)]
pub struct Judge {
    /// A run's folder, or images in any form that `train` accepts
    pub of: String,
    /// Real images: a data set's name or path [default: what the run learned from]
    #[arg(long, value_name = "DATASET")]
    pub against: Option<String>,
    /// Folder of data sets, looked into before $FAUSSAIRE_DATA and the cache
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// How many images to judge, at most
    #[arg(short, value_name = "N", default_value_t = 10_000)]
    pub n: usize,
    /// Ask a conditional generator for this class only
    #[arg(long, value_name = "LABELS")]
    pub class: Option<String>,
    /// Take features of InceptionV3 with the weights in this file: pytorch-fid's, saved as safetensors
    #[arg(long, value_name = "FILE")]
    pub inception: Option<PathBuf>,
    /// Which checkpoint: latest, best, or a kept one
    #[arg(long, value_name = "NAME", default_value = "latest")]
    pub checkpoint: String,
    /// Write a page that shows the images nearest to those that were learned from, and say how many are suspiciously near
    #[arg(long, value_name = "FILE.html")]
    pub neighbours: Option<PathBuf>,
    /// Seed of the noise and of the choice of real images
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Processor threads [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// `faussaire doctor`
#[derive(Args, Debug)]
pub struct Doctor {
    /// A run's folder
    pub run: PathBuf,
    /// Print one JSON object per finding
    #[arg(long)]
    pub json: bool,
}

/// `faussaire compare`
#[derive(Args, Debug)]
pub struct Compare {
    /// Data set, as for `train` [default: that of the recipe]
    pub dataset: Option<String>,
    /// Built-in recipe (repeatable) [default: quick]
    #[arg(long, value_name = "NAME")]
    pub preset: Vec<String>,
    /// Recipe file (repeatable)
    #[arg(long, value_name = "FILE")]
    pub config: Vec<PathBuf>,
    /// Try each of these values, such as loss=gan,hinge,wgan-gp or batch=32,64 (repeatable: all combinations).
    /// loss also takes gan, lsgan, wgan, wgan-gp, dragan, sngan, r3gan, which set the penalties too
    #[arg(long, value_name = "KEY=V1,V2,...")]
    pub vary: Vec<String>,
    /// Train each with the seeds 0 to N - 1 [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub seeds: Option<u64>,
    /// Train each run for so many generator updates
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Train each run for so many passes over the data
    #[arg(long, value_name = "N", conflicts_with = "steps")]
    pub epochs: Option<u64>,
    /// Train each run for so long, such as 5m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub time: Option<std::time::Duration>,
    /// Change a key of all recipes (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Folder of data sets, looked into before $FAUSSAIRE_DATA and the cache
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Folder for the comparison; one that was begun goes on [default: the next number under comparisons/]
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
    /// How many images of each run to judge [default: 10000]
    #[arg(short, value_name = "N")]
    pub n: Option<usize>,
    /// Runs trained at once [default: as many as there are threads; 1 on other devices than cpu]
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Processor threads of all runs together [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Where to compute: cpu, cuda or cuda:N, vulkan, metal
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Print the table as JSON instead of Markdown
    #[arg(long)]
    pub json: bool,
    /// Say nothing but errors and the result
    #[arg(long)]
    pub quiet: bool,
}

/// `faussaire summary`
#[derive(Args, Debug)]
pub struct Summary {
    /// A preset, a run's folder, or a recipe file
    pub of: String,
}

/// `faussaire data`
#[derive(Args, Debug)]
pub struct Data {
    /// What to do.
    #[command(subcommand)]
    pub action: DataAction,
    /// Folder of data sets, looked into before $FAUSSAIRE_DATA and the cache
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
}

/// What to do with data sets.
#[derive(Debug, Subcommand)]
pub enum DataAction {
    /// The data sets known by name, and where they are
    List,
    /// Bring a named data set into the cache
    Fetch {
        /// Its name
        dataset: String,
    },
    /// Read every image and list those that can't be used
    Check {
        /// A name or path
        dataset: String,
        /// Accept images of any size, as `train --size N` does
        #[arg(long, value_name = "N")]
        size: Option<usize>,
    },
    /// Write a sheet of a data set's images
    Preview {
        /// A name or path
        dataset: String,
        /// The PNG file to write
        #[arg(short, long, value_name = "FILE", default_value = "preview.png")]
        output: PathBuf,
        /// Bring images to N x N pixels, after a centre crop
        #[arg(long, value_name = "N")]
        size: Option<usize>,
    },
}

/// `faussaire presets`
#[derive(Args, Debug)]
pub struct Presets {
    /// Print this one
    pub name: Option<String>,
    /// List the keys of recipes, which --set changes, with their meaning
    #[arg(long, conflicts_with = "name")]
    pub keys: bool,
}

/// `90s`, `10m`, `2h`, or plain seconds.
fn duration(text: &str) -> Result<std::time::Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1.0),
        Some((at, 'm')) => (&text[..at], 60.0),
        Some((at, 'h')) => (&text[..at], 3600.0),
        _ => (text, 1.0),
    };
    match number.parse::<f64>() {
        Ok(n) if n > 0.0 && n * unit < 1e9 => Ok(std::time::Duration::from_secs_f64(n * unit)),
        _ => Err("expected a time such as 90s, 10m or 2h".into()),
    }
}

/// `8x10`
fn grid(text: &str) -> Result<(usize, usize), String> {
    let parsed = text.split_once('x').and_then(|(r, c)| Some((r.parse().ok()?, c.parse().ok()?)));
    match parsed {
        Some((rows, columns)) if (1..=1000).contains(&rows) && (1..=1000).contains(&columns) => Ok((rows, columns)),
        _ => Err("expected rows x columns such as 8x10, at most 1000 each".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn times_and_grids() {
        assert_eq!(duration("90s"), Ok(std::time::Duration::from_secs(90)));
        assert_eq!(duration("1.5m"), Ok(std::time::Duration::from_secs(90)));
        assert!(duration("-1m").is_err() && duration("m").is_err() && duration("soon").is_err());
        assert_eq!(grid("8x10"), Ok((8, 10)));
        assert!(grid("0x3").is_err() && grid("8").is_err() && grid("8x99999999").is_err());
    }
}
