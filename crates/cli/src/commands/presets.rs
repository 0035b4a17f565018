//! `faussaire presets [NAME]`: the built-in recipes.

use faussaire::{Preset, Result};

use crate::arguments::Presets;
use crate::report::say;

pub fn run(options: &Presets) -> Result<()> {
    match &options.name {
        Some(name) => say!("{}", Preset::named(name)?.text().trim_end()),
        None => {
            for preset in Preset::ALL {
                say!("{:<18} {}", preset.name(), preset.about());
            }
        }
    }
    Ok(())
}
