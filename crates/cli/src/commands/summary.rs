//! `faussaire summary PRESET|RUN|FILE`: the nets as tables.

use std::path::Path;

use faussaire::run::Run;
use faussaire::{Preset, Recipe, Result};

use crate::arguments::Summary;
use crate::report::say;

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
