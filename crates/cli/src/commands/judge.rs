//! `faussaire judge`: scores a run's images, or any others, against real images. The judging itself is
//! [`faussaire::judging`]'s.

mod scores;

use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

use faussaire::data::write_file;
use faussaire::judging::{self, Options};
use faussaire::metrics::parts::Gathered;
use faussaire::metrics::{Judgement, Verdict};
use faussaire::{Error, Result, Share};

use super::bars::Bars;
use crate::numbers::{LARGEST, for_library, whole};
use crate::print::{note, say, tell, warning};
use crate::report::{count, counted};

/// `faussaire judge`
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Judge {
    /// Run folder, or images in any form that `train` accepts
    #[arg(value_name = "RUN|IMAGES")]
    pub of: String,
    /// Real images to compare with: a data set's name or path [default: the run's own data]
    #[arg(long, value_name = "DATASET")]
    pub against: Option<String>,
    /// Number of images to judge, at most
    #[arg(short, value_name = "N", default_value_t = 10_000, value_parser = for_library::<usize>(1, LARGEST))]
    pub n: usize,
    /// Judge one class of a conditional run
    #[arg(long, value_name = "LABELS")]
    pub class: Option<String>,
    /// Checkpoint: latest, best, or a kept one
    #[arg(long, value_name = "NAME", default_value = "latest")]
    pub checkpoint: String,
    /// Use InceptionV3 features, for FID and KID as published; FILE holds pytorch-fid's weights saved as safetensors
    #[arg(long, value_name = "FILE")]
    pub inception: Option<PathBuf>,
    /// Write a page with the training images nearest to each image, and score the share of suspected copies
    #[arg(long, value_name = "FILE.html", value_parser = page)]
    pub neighbours: Option<PathBuf>,
    /// Random seed of the latents and of the choice of real images
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u64>(0, u64::MAX))]
    pub seed: u64,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Folder of data sets, searched before $FAUSSAIRE_DATA and the cache
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// CPU threads [default: all]
    #[arg(long, value_name = "N", value_parser = for_library::<usize>(1, 1024))]
    pub threads: Option<usize>,

    /// Folder for features: --share writes its part there, and without --share all images are judged by these parts; missing
    /// ones are computed
    #[arg(long, value_name = "DIR", help_heading = CLUSTER)]
    pub parts: Option<PathBuf>,
    /// Compute the features of share K of N of the images, counted from 0, such as 3/8
    #[arg(long, value_name = "K/N", value_parser = crate::share::parse, requires = "parts",
          conflicts_with_all = ["neighbours", "json"], help_heading = CLUSTER)]
    pub share: Option<Share>,
}

const CLUSTER: &str = "On a cluster";

const EXAMPLES: &str = "\
Examples:
  faussaire judge runs/0001-mnist-tp
  faussaire judge images.npy --against mnist
  faussaire judge runs/0001-mnist-tp --neighbours copies.html
  faussaire judge runs/0001-mnist-tp --parts parts --share 3/8    one of eight tasks of a cluster
  faussaire judge runs/0001-mnist-tp --parts parts                after them";

pub fn run(options: &Judge) -> Result<()> {
    super::limit_threads(options.threads)?;
    if let Some(share) = options.share {
        return features(options, share);
    }
    let mut bars = Bars::new(options.json);
    let judged = judging::run(&asked(options), &mut |progress| bars.show(progress))?;
    drop(bars);
    if let Some(gathered) = &judged.gathered {
        came_from(options, gathered);
    }
    if let (Some(file), Some(page)) = (&options.neighbours, &judged.neighbours) {
        write_file(file, page.as_bytes())?;
    }
    if options.json {
        let (of, real, split) = (&judged.of, &judged.real, judged.split);
        let written = Written { verdict: judged.judgement.verdict(), of, real, split, judgement: &judged.judgement };
        let text = serde_json::to_string_pretty(&written)
            .map_err(|e| Error::usage(format!("the scores cannot be written as JSON: {e}"), "report this"))?;
        say!("{text}");
        return Ok(());
    }
    for unused in &judged.unused_labels {
        note!("labels not used: {unused}");
    }
    if let Some(file) = &options.neighbours {
        tell!("{}: each image beside the nearest training images\n", file.display());
    }
    scores::print(&judged)
}

/// The name of a page: no other file is written over.
fn page(text: &str) -> std::result::Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    if ["html", "htm"].contains(&&*ending) { Ok(path) } else { Err("expected the name of an .html file".into()) }
}

/// `--share K/N`: writes the features of some of the images; nothing else, so that tasks need no lock that all machines honour.
fn features(options: &Judge, share: Share) -> Result<()> {
    let mut bars = Bars::new(false);
    let [generated, real] = judging::share(&asked(options), share, &mut |progress| bars.show(progress))?;
    drop(bars);
    let folder = folder(options);
    let real = match real {
        0 => String::new(),
        real => format!(" and {}", counted(real, "real one")),
    };
    tell!("{folder}, share {share}: features of {}{real}", counted(generated, "image"));
    note!("after all shares: the same command without --share");
    Ok(())
}

/// Says where the features came from.
fn came_from(options: &Judge, gathered: &Gathered) {
    for file in &gathered.damaged {
        warning(&format!("{} can't be read or is damaged: computed again", file.display()));
    }
    let [read, extracted] = [gathered.read, gathered.extracted].map(|number| count(number as u64));
    note!("{}: features of {read} images read, {extracted} computed here", folder(options));
}

fn folder(options: &Judge) -> String {
    options.parts.as_ref().map_or_else(String::new, |folder| folder.display().to_string())
}

/// What `--json` prints.
#[derive(Serialize)]
struct Written<'a> {
    verdict: Verdict,
    of: &'a str,
    real: &'a str,
    split: &'a str,
    #[serde(flatten)]
    judgement: &'a Judgement,
}

fn asked(options: &Judge) -> Options {
    let mut asked = Options::of(&options.of)
        .n(options.n)
        .checkpoint(&options.checkpoint)
        .neighbours(options.neighbours.is_some())
        .seed(options.seed);
    (asked.against, asked.class) = (options.against.clone(), options.class.clone());
    (asked.data_dir, asked.inception) = (options.data.clone(), options.inception.clone());
    asked.parts = options.parts.clone();
    asked
}
