//! `faussaire summary PRESET|RUN|FILE`: the layers of both nets as tables.

use clap::Args;
use std::path::Path;

use faussaire::run::Run;
use faussaire::{Preset, Recipe, Result};

use crate::print::say;

/// `faussaire summary`
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Summary {
    /// Preset, run folder or recipe file
    #[arg(value_name = "PRESET|RUN|FILE")]
    pub of: String,
}

const EXAMPLES: &str = "\
Examples:
  faussaire summary tp
  faussaire summary runs/0001-mnist-tp";

pub fn run(options: &Summary) -> Result<()> {
    let of = &options.of;
    let path = Path::new(of);
    let recipe = if path.is_dir() {
        Run::open(path)?.recipe(&[])?
    } else if path.is_file() {
        Recipe::read(path, &[])?
    } else {
        Recipe::parse(Preset::named(of)?.text(), of, &[])?
    };
    let (generator, discriminator) = recipe.networks()?;
    say!("{}", generator.summary());
    say!("{}", discriminator.summary().trim_end());
    Ok(())
}
