//! `--dry-run`: what would be trained.

use faussaire::{Gan, Result};

use crate::print::say;
use crate::report;

/// Prints both nets, the data and the recipe with every key.
pub fn show(gan: &Gan) -> Result<()> {
    say!("{}", gan.generator.summary());
    say!("{}", gan.discriminator.summary());
    say!("{}: {}", gan.dataset().name(), report::images(gan.dataset().len() as u64, gan.image_shape()));
    say!("{:.1} steps per epoch with batch size {}", gan.steps_per_epoch(), gan.recipe.train.batch);
    say!("\n{}", gan.recipe.to_toml()?.trim_end());
    Ok(())
}
