//! `--dry-run`: what would be trained.

use faussaire::{Gan, Result};

use super::remarks;
use crate::print::say;
use crate::report;

/// Prints both nets, the data and the recipe with every key, then what is unusual in it.
pub fn show(gan: &Gan, quiet: bool) -> Result<()> {
    say!("{}", gan.generator.summary());
    say!("{}", gan.discriminator.summary());
    say!("{}: {}", gan.dataset().name(), report::images(gan.dataset().len() as u64, gan.image_shape()));
    say!("{:.1} steps per epoch with batch size {}", gan.steps_per_epoch(), gan.recipe.train.batch);
    say!("\n{}", gan.recipe.to_toml()?.trim_end());
    remarks::show(gan, quiet)
}
