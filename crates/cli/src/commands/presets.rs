//! `faussaire presets [NAME]`: the built-in recipes.

use faussaire::recipe::{Key, Kind};
use faussaire::{Preset, Result};

use crate::arguments::Presets;
use crate::report::say;

pub fn run(options: &Presets) -> Result<()> {
    if options.keys {
        return keys();
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
    for key in Key::all()? {
        let kind = match key.kind {
            Kind::Number => "number".into(),
            Kind::Integer => "whole number".into(),
            Kind::Switch => "true or false".into(),
            Kind::Choice(words) => words.join(", "),
            Kind::Text => "text".into(),
            Kind::List => "list".into(),
        };
        let default = key.default.map_or(String::new(), |value| format!(" [default: {value}]"));
        say!("{:<36} {}", key.name, key.help);
        say!("{:<36}   {kind}{default}", "");
    }
    Ok(())
}
