//! `faussaire presets [NAME]`: the built-in recipes, and the keys that a recipe has.

use faussaire::recipe::{Key, schema};
use faussaire::{Preset, Result};

use crate::arguments::Presets;
use crate::report::say;

pub fn run(options: &Presets) -> Result<()> {
    if options.keys {
        return keys();
    }
    if options.schema {
        say!("{:#}", schema());
        return Ok(());
    }
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

/// Every key that `--set` takes.
fn keys() -> Result<()> {
    for key in Key::all() {
        let default = key.default.as_ref().map_or(String::new(), |value| format!(" [default: {value}]"));
        let old = key.old.as_ref().map_or(String::new(), |old| format!(" [also read as: {old}]"));
        say!("{:<36} {}", key.name, key.doc);
        say!("{:<36}   {}{default}{old}", "", key.kind.expected());
    }
    Ok(())
}
