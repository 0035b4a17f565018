//! The recipe's part of a row in the list of runs; read again only when the file has changed.

use std::path::Path;
use std::sync::OnceLock;
use std::time::SystemTime;

use faussaire::{Preset, Recipe};

use super::runs_dir::RunsDir;

/// Fields of a run's recipe, as far as it is readable.
#[derive(Debug, Default)]
pub(super) struct Config {
    seen: Option<(u64, SystemTime)>,
    /// The data set's name or path.
    pub data: String,
    /// The preset with the same nets and loss, if any.
    pub preset: Option<&'static str>,
    /// The loss's name.
    pub loss: String,
    /// Why it can't be read.
    pub damaged: Option<String>,
}

impl Config {
    /// Reads the file again if it has changed; true if so.
    pub(super) fn refresh(&mut self, runs_dir: &RunsDir, run: &Path, id: &str) -> bool {
        let meta = std::fs::symlink_metadata(run.join("config.toml"));
        let now = meta.ok().and_then(|meta| Some((meta.len(), meta.modified().ok()?)));
        if now.is_some() && now == self.seen {
            return false;
        }
        let previous = std::mem::take(self);
        let read = runs_dir.config(run).and_then(|text| Ok(Recipe::parse(&text, "config.toml", &[])?));
        *self = match read {
            Ok(recipe) => Self {
                seen: now,
                preset: preset(&recipe, id),
                loss: serialized(&recipe.train.loss),
                data: recipe.data.source,
                damaged: None,
            },
            Err(failure) => Self { seen: now, damaged: Some(failure.error), ..Self::default() },
        };
        now != previous.seen || self.damaged != previous.damaged
    }
}

/// A value of a recipe as written in the file.
pub(super) fn serialized(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// The preset with the nets and loss of `recipe`; of several, the one with the same data or in the run's name.
fn preset(recipe: &Recipe, id: &str) -> Option<&'static str> {
    static ALL: OnceLock<Vec<(&str, Recipe)>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let read = |preset: &Preset| Some((preset.name(), Recipe::parse(preset.text(), preset.name(), &[]).ok()?));
        Preset::ALL.iter().filter_map(read).collect()
    });
    let alike = all.iter().filter(|(_, other)| {
        other.latent == recipe.latent
            && other.generator.layers == recipe.generator.layers
            && other.discriminator.layers == recipe.discriminator.layers
            && other.train.loss == recipe.train.loss
    });
    let likeness = |(name, other): &&(&str, Recipe)| (other.data.source == recipe.data.source, id.ends_with(name));
    alike.max_by_key(likeness).map(|(name, _)| *name)
}
