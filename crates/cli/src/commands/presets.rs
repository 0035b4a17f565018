//! `faussaire presets [NAME]`: the built-in recipes.

use faussaire::{Preset, Result};

use crate::arguments::Presets;

pub fn run(options: &Presets) -> Result<()> {
    match &options.name {
        Some(name) => print!("{}", Preset::named(name)?.text()),
        None => {
            for preset in Preset::ALL {
                println!("{:<10} {}", preset.name(), preset.about());
            }
        }
    }
    Ok(())
}
