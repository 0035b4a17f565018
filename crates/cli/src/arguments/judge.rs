//! What `faussaire judge` can be told.

use std::path::PathBuf;

use clap::Args;

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
