//! What `faussaire doctor` can be told.

use std::path::PathBuf;

use clap::Args;

/// `faussaire doctor`
#[derive(Args, Debug)]
pub struct Doctor {
    /// A run's folder
    pub run: PathBuf,
    /// Print one JSON object per finding
    #[arg(long)]
    pub json: bool,
}
