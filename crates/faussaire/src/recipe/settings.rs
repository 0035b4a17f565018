//! The keys of a recipe, their meaning, defaults and ranges.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::net::{Network, Shape};
use crate::optimizer::AdamSettings;

/// Everything a run depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Size of the noise vector z.
    pub latent: usize,
    /// What to learn from.
    #[serde(default)]
    pub data: DataSettings,
    /// The net that makes images of noise.
    pub generator: NetSettings,
    /// The net that tells real images from generated ones.
    pub discriminator: NetSettings,
    /// How they are trained.
    #[serde(default)]
    pub train: TrainSettings,
}

/// `[data]`: where images come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataSettings {
    /// A data set's name or path.
    pub source: String,
    /// A folder of data sets, looked into before the usual places; empty for none.
    pub dir: String,
    /// Learn from so many images at most, the first ones; 0 for all.
    pub count: usize,
    /// Resize images to so many pixels, square, after a centre crop; 0 keeps their size.
    pub size: usize,
    /// 1 grey, 3 colour, 0 as they are.
    pub channels: usize,
}

/// `[generator]`, `[discriminator]`: a net and its optimizer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetSettings {
    /// One line per layer.
    pub layers: Vec<String>,
    /// Its Adam.
    #[serde(default)]
    pub adam: AdamSettings,
}

/// Which statistics batch normalisation uses for the images that D learns from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fakes {
    /// Those of the batch, as in G's own step (DCGAN's way).
    #[default]
    Batch,
    /// The moving ones, as Keras's `predict_on_batch` in the lab.
    Moving,
}

/// `[train]`: the game and its length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainSettings {
    /// The game the two nets play.
    pub loss: Loss,
    /// Real images per discriminator update, and generated ones likewise.
    pub batch: usize,
    /// Stop after so many passes over the data (0: no such limit).
    pub epochs: u64,
    /// Stop after so many generator updates (0: no such limit).
    pub steps: u64,
    /// Discriminator updates per generator update (k in Goodfellow et al., `n_critic` elsewhere).
    pub discriminator_steps: u64,
    /// Where every random number comes from.
    pub seed: u64,
    /// Decay of the averaged generator per step; 0 turns averaging off.
    pub average: f64,
    /// How batch normalisation behaves for the images that D learns from.
    pub fakes: Fakes,
    /// Show losses and a strip of images, and score the averaged generator, every so many epochs; 0 only at the end.
    pub sheet_every: u64,
    /// Keep a checkpoint for good every so many epochs; 0 keeps none but the latest and the best.
    pub keep_every: u64,
    /// Seconds between two checkpoints; one is also written at the end.
    pub save_every: u64,
}

impl Default for DataSettings {
    fn default() -> Self {
        Self { source: "strokes".into(), dir: String::new(), count: 0, size: 0, channels: 0 }
    }
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            loss: Loss::default(),
            batch: 64,
            epochs: 0,
            steps: 0,
            discriminator_steps: 1,
            seed: 0,
            average: 0.999,
            fakes: Fakes::default(),
            sheet_every: 10,
            keep_every: 0,
            save_every: 60,
        }
    }
}

impl TrainSettings {
    /// Whether the end of pass `epoch` asks for a sheet.
    pub fn sheet_due(&self, epoch: u64) -> bool {
        due(self.sheet_every, epoch)
    }

    /// Whether the end of pass `epoch` asks for a checkpoint to keep.
    pub fn keep_due(&self, epoch: u64) -> bool {
        due(self.keep_every, epoch)
    }
}

fn due(every: u64, epoch: u64) -> bool {
    every > 0 && epoch.is_multiple_of(every)
}

impl Recipe {
    /// Reads a recipe's text and applies `key=value` changes to it; `origin` names it in errors.
    ///
    /// # Errors
    /// Text that isn't TOML, an unknown key, a value of the wrong kind or out of range.
    pub fn parse(text: &str, origin: &str, changes: &[String]) -> Result<Self> {
        let broken = |e: &dyn std::fmt::Display| {
            Error::recipe(
                format!("{origin} can't be read as a recipe: {}", e.to_string().trim_end()),
                "`faussaire presets tp` prints a complete recipe to compare with",
            )
        };
        // Read once from the text itself, because only then do errors show the line.
        if changes.is_empty() {
            return toml::from_str::<Self>(text).map_err(|e| broken(&e))?.checked();
        }
        let mut table: toml::Table = text.parse().map_err(|e| broken(&e))?;
        for change in changes {
            apply(&mut table, change)?;
        }
        let recipe: Self = table.try_into().map_err(|e: toml::de::Error| {
            Error::recipe(
                format!("{origin}, with the changes from the command line: {}", e.to_string().trim_end()),
                "keys are written like in `faussaire presets tp`, e.g. --set train.batch=32",
            )
        })?;
        recipe.checked()
    }

    /// Reads a recipe file.
    ///
    /// # Errors
    /// As [`Self::parse`], or where the file can't be read.
    pub fn read(path: &Path, changes: &[String]) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        Self::parse(&text, &path.display().to_string(), changes)
    }

    /// The recipe as TOML with every key.
    ///
    /// # Errors
    /// Never for a recipe that was parsed.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string_pretty(self)
            .map_err(|e| Error::recipe(format!("the recipe can't be written as TOML: {e}"), "report this"))
    }

    /// The two nets, generator first.
    ///
    /// # Errors
    /// Layers that can't be read or don't fit each other, or a discriminator that doesn't end in one score.
    pub fn networks(&self) -> Result<(Network, Network)> {
        let generator = Network::new("generator", &self.generator.layers, Shape::Flat(self.latent))?;
        let discriminator = Network::new("discriminator", &self.discriminator.layers, generator.output())?;
        if discriminator.output() != Shape::Flat(1) {
            return Err(Error::recipe(
                format!("the discriminator ends with shape {}, expected one score per image", discriminator.output()),
                "end its layers with \"flatten\", \"dense 1\"",
            ));
        }
        for net in [&generator, &discriminator] {
            if net.parameters().1 == 0 {
                return Err(Error::recipe(
                    format!("the {} has nothing to learn: none of its layers has weights", net.name()),
                    "add a dense or conv layer",
                ));
            }
        }
        Ok((generator, discriminator))
    }

    fn checked(self) -> Result<Self> {
        let train = &self.train;
        let problem = match &self {
            r if r.latent == 0 || r.latent > 1 << 16 => Some(format!("latent is {}, expected 1 to 65536", r.latent)),
            _ if train.batch == 0 || train.batch > 1 << 16 => {
                Some(format!("train.batch is {}, expected 1 to 65536", train.batch))
            }
            _ if train.discriminator_steps == 0 || train.discriminator_steps > 1000 => {
                Some(format!("train.discriminator_steps is {}, expected 1 to 1000", train.discriminator_steps))
            }
            _ if !(0.0..1.0).contains(&(train.average as f32)) => {
                Some(format!("train.average is {}, expected a number from 0, below 1", train.average))
            }
            r if !matches!(r.data.channels, 0 | 1 | 3) => {
                Some(format!("data.channels is {}, expected 1, 3, or 0 for as they are", r.data.channels))
            }
            r => (r.generator.adam.problem().map(|p| format!("generator.{p}")))
                .or_else(|| r.discriminator.adam.problem().map(|p| format!("discriminator.{p}"))),
        };
        match problem {
            None => Ok(self),
            Some(what) => Err(Error::recipe(what, "change it in the recipe or with --set key=value")),
        }
    }
}

/// Sets a dotted key of `table` from `key=value`.
fn apply(table: &mut toml::Table, change: &str) -> Result<()> {
    let malformed = || Error::recipe(format!("--set {change}: expected key=value"), "for example --set train.batch=32");
    let (key, value) = change.split_once('=').ok_or_else(malformed)?;
    let path: Vec<&str> = key.trim().split('.').collect();
    let Some((last, parents)) = path.split_last().filter(|(last, _)| !last.is_empty()) else {
        return Err(malformed());
    };
    let mut place = table;
    for parent in parents {
        let entry = place.entry(*parent).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        place = entry.as_table_mut().ok_or_else(|| {
            Error::recipe(format!("--set {change}: `{parent}` is a value, not a group of keys"), "check the key")
        })?;
    }
    // Numbers, booleans, lists and quoted text as in TOML; anything else is taken as text.
    let value = format!("v = {value}")
        .parse::<toml::Table>()
        .ok()
        .and_then(|mut t| t.remove("v"))
        .unwrap_or_else(|| toml::Value::String(value.trim().into()));
    place.insert((*last).into(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Preset;

    fn tp(changes: &[&str]) -> Result<Recipe> {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        Recipe::parse(Preset::Tp.text(), "tp", &changes)
    }

    #[test]
    fn round_trips_with_every_key() {
        for preset in Preset::ALL {
            let recipe = Recipe::parse(preset.text(), preset.name(), &[]).unwrap();
            let text = recipe.to_toml().unwrap();
            assert!(text.contains("beta2") && text.contains("save_every"));
            assert_eq!(Recipe::parse(&text, "again", &[]).unwrap(), recipe);
        }
    }

    #[test]
    fn changes_reach_nested_keys() {
        let recipe =
            tp(&["train.batch=8", "generator.adam.rate=3e-4", "train.fakes=moving", "data.source=x y"]).unwrap();
        assert_eq!(recipe.train.batch, 8);
        assert_eq!(recipe.generator.adam.rate, 3e-4);
        assert_eq!(recipe.train.fakes, Fakes::Moving);
        assert_eq!(recipe.data.source, "x y");
    }

    #[test]
    fn bad_keys_and_values_are_named() {
        for (change, part) in [
            ("train.batch=0", "train.batch is 0"),
            ("train.bacth=1", "unknown field `bacth`"),
            ("train.batch=-3", "batch"),
            ("train.loss=wgna", "wgna"),
            ("latent=0", "latent is 0"),
            ("generator.adam.rate=-1", "generator.adam.rate is -1"),
            ("discriminator.adam.beta2=1", "discriminator.adam.beta2 is 1"),
            ("train.average=1", "train.average is 1"),
            ("latent.size=3", "`latent` is a value"),
            ("latent", "expected key=value"),
            ("data.channels=2", "data.channels is 2"),
        ] {
            let error = tp(&[change]).unwrap_err();
            assert!(error.to_string().contains(part), "{change}: {error}");
            assert!(!error.hint().is_empty());
        }
    }
}
