//! `--dry-run`: what would be trained.

use faussaire::{Gan, Result};

use crate::report::{count, say};

/// Prints both nets, the data and the recipe with every key.
pub fn show(gan: &Gan) -> Result<()> {
    say!("{}", gan.generator.summary());
    say!("{}", gan.discriminator.summary());
    let images = gan.dataset().len();
    say!("{}: {} images of {}", gan.dataset().name(), count(images as u64), gan.image_shape());
    say!("{:.1} steps per epoch at batch {}", gan.steps_per_epoch(), gan.recipe.train.batch);
    say!("\n{}", gan.recipe.to_toml()?.trim_end());
    Ok(())
}
