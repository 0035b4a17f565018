//! What `faussaire summary` can be told.

use clap::Args;

/// `faussaire summary`
#[derive(Args, Debug)]
pub struct Summary {
    /// A preset, a run's folder, or a recipe file
    pub of: String,
}
