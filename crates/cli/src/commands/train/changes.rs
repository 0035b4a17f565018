//! The flags of `faussaire train` as a recipe and changes to one.

use std::path::Path;

use faussaire::{Preset, Recipe, Result};

use super::Train;

/// A recipe for a new run: the preset or file, then the flags.
pub fn new_recipe(options: &Train) -> Result<Recipe> {
    let changes = of(options);
    match &options.config {
        Some(path) => Recipe::read(path, &changes),
        None => {
            let preset = preset(options)?;
            Recipe::parse(preset.text(), &format!("preset {}", preset.name()), &changes)
        }
    }
}

/// The preset asked for, or the default: `digits` knows the labels of its own data set only.
pub fn preset(options: &Train) -> Result<Preset> {
    let other_data = options.dataset.is_some() || options.set.iter().any(|change| change.starts_with("data.source"));
    match &options.preset {
        Some(name) => Preset::named(name),
        None if other_data => Ok(Preset::Quick),
        None => Ok(Preset::Digits),
    }
}

/// Flags that are shorthands for keys of the recipe. `--set` comes last and wins.
pub fn of(options: &Train) -> Vec<String> {
    let mut changes = Vec::new();
    let mut key = |key: &str, value: Option<u64>| changes.extend(value.map(|v| format!("{key}={v}")));
    key("train.epochs", options.epochs);
    key("train.steps", options.steps);
    // One limit given on the command line replaces the other one of the recipe.
    key("train.steps", options.epochs.map(|_| 0));
    key("train.epochs", options.steps.map(|_| 0));
    key("train.batch", options.batch);
    key("train.seed", options.seed);
    key("train.heal", options.heal);
    key("data.size", options.size);
    // On resume, `auto` keeps the run's precision.
    let precision = options.precision.as_ref().filter(|p| *p != "auto" || options.resume.is_none());
    changes.extend(precision.map(|precision| format!("train.precision={precision}")));
    if options.judge {
        changes.push("train.judge=true".into());
    }
    if let Some(dataset) = &options.dataset {
        let path = Path::new(dataset);
        let is_path = !faussaire::data::is_name(dataset) && path.exists();
        let source = if is_path { absolute(path) } else { dataset.clone() };
        changes.push(format!("data.source={}", toml_text(&source)));
        // A preset's `data.count` is meant for its own data set.
        if options.config.is_none() && options.resume.is_none() {
            changes.push("data.count=0".into());
        }
    }
    if !options.init.is_empty() {
        let files: Vec<String> = options.init.iter().map(|file| toml_text(&absolute(file))).collect();
        changes.push(format!("train.init=[{}]", files.join(",")));
    }
    if let Some(dir) = &options.data {
        changes.push(format!("data.dir={}", toml_text(&absolute(dir))));
    }
    changes.extend(options.set.iter().cloned());
    changes
}

/// `path` from the root, so that a resume from another folder finds it.
pub fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.into()).to_string_lossy().into_owned()
}

/// `text` as a TOML string, so that a path such as `1` or `true` stays text. JSON's quoting is understood by TOML.
fn toml_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
