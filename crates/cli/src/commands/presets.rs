//! `faussaire presets [NAME]`: the built-in recipes and the keys of recipes.

use clap::Args;
use faussaire::recipe::{Auto, Key, schema};
use faussaire::{Preset, Result};

use crate::print::say;

/// `faussaire presets`
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Presets {
    /// Print this recipe
    pub name: Option<String>,
    /// List the recipe keys that --set takes, with their meaning and default
    #[arg(long, conflicts_with = "name")]
    pub keys: bool,
    /// Print a JSON schema of recipes, with which editors complete and check TOML files
    #[arg(long, conflicts_with_all = ["name", "keys"])]
    pub schema: bool,
}

const EXAMPLES: &str = "\
Examples:
  faussaire presets
  faussaire presets tp > mine.toml        then: faussaire train --config mine.toml
  faussaire presets --keys";

pub fn run(options: &Presets) -> Result<()> {
    if options.keys {
        return keys();
    }
    if options.schema {
        say!("{:#}", schema());
        return Ok(());
    }
    match &options.name {
        Some(name) if name == Auto::NAME => {
            Auto::ABOUT.lines().try_for_each(|line| {
                say!("# {line}");
                Ok(())
            })?;
            say!("#\n# The recipe for images of your own: faussaire train DATA --preset auto --dry-run");
        }
        Some(name) => say!("{}", Preset::named(name)?.text().trim_end()),
        None => {
            say!("{:<18} {}", Auto::NAME, Auto::ABOUT.lines().next().unwrap_or_default());
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
        let others: Vec<&str> = key.old.iter().chain(&key.others).map(String::as_str).collect();
        let old = if others.is_empty() { String::new() } else { format!(" [also read as: {}]", others.join(", ")) };
        say!("{:<36} {}", key.name, key.doc);
        say!("{:<36}   {}{default}{old}", "", key.kind.expected());
    }
    Ok(())
}
