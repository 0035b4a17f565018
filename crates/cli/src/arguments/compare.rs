//! What `faussaire compare` can be told.

use std::path::PathBuf;

use clap::Args;

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
    #[arg(long, value_name = "TIME", value_parser = super::duration)]
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
    /// Where to compute: cpu, cuda or cuda:N, vulkan, metal; all but cpu need a build with that feature
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Print the table as JSON instead of Markdown
    #[arg(long)]
    pub json: bool,
    /// Say nothing but errors and the result
    #[arg(long)]
    pub quiet: bool,
}
