//! What `faussaire presets` can be told.

use clap::Args;

/// `faussaire presets`
#[derive(Args, Debug)]
pub struct Presets {
    /// Print this one
    pub name: Option<String>,
    /// List the keys of recipes, which --set changes, with their meaning
    #[arg(long, conflicts_with = "name")]
    pub keys: bool,
    /// Print a JSON schema of recipes, with which editors complete and check the keys of a TOML file
    #[arg(long, conflicts_with_all = ["name", "keys"])]
    pub schema: bool,
}
