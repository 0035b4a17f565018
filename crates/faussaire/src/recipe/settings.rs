//! The keys of a recipe, their meaning, defaults and ranges.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{PrecisionChoice, change};
use crate::augment::Augmentation;
use crate::data::{Fit, LabelSettings};
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::net::{Network, Setting, Shape};
use crate::optimizer::AdamSettings;
use crate::penalty::Penalty;

/// Everything a run depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Size of the noise vector z.
    pub latent: usize,
    /// What to learn from.
    #[serde(default)]
    pub data: DataSettings,
    /// What the nets are told about an image, if anything.
    #[serde(default)]
    pub labels: LabelSettings,
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
    /// How an image of another aspect is brought to size: `crop` cuts around the centre, `pad` keeps all of it.
    pub fit: Fit,
    /// 1 grey, 3 colour, 0 as they are.
    pub channels: usize,
}

/// `[generator]`, `[discriminator]`: a net and its optimizer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetSettings {
    /// One line per layer.
    pub layers: Vec<String>,
    /// Whether every kernel is divided by its largest singular value (Miyato et al. 2018).
    #[serde(default)]
    pub spectral: bool,
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
    /// The label of real images is 1 minus this (one-sided smoothing, Salimans et al. 2016).
    pub smoothing: f64,
    /// The share of pairs whose labels are exchanged before D learns from them.
    pub flips: f64,
    /// Gradient penalties on the discriminator and their weights, such as `{ r1 = 10.0 }`.
    pub penalties: BTreeMap<Penalty, f64>,
    /// Penalties are charged in every so many updates of D, that many times as strongly (lazy regularisation, Karras et
    /// al. 2020).
    pub penalty_every: u64,
    /// D's weights are cut off at plus and minus this after each update (Arjovsky et al. 2017); 0: not at all.
    pub weight_clip: f64,
    /// Deviation of the noise that is added to all images before D sees them (Sonderby et al. 2017), in units of the
    /// pixels' range.
    pub noise: f64,
    /// The noise fades out over so many steps; 0: it stays.
    pub noise_steps: u64,
    /// D judges so many images at once, stacked along their channels (PacGAN, Lin et al. 2018).
    pub packing: usize,
    /// Weight of guessing labels, for a discriminator that ends in `auxiliary`.
    pub label_weight: f64,
    /// Changes to all images before D sees them.
    pub augment: AugmentSettings,
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
    /// What the operands of products, and images between most layers, are rounded to.
    pub precision: PrecisionChoice,
    /// Decay of the averaged generator per step; 0 turns averaging off.
    pub average: f64,
    /// How batch normalisation behaves for the images that D learns from.
    pub fakes: Fakes,
    /// Real and generated images go through D as one batch, as in the lab. Else each half goes alone, as in DCGAN: a D
    /// with batch normalisation then meets batches like those of G's step, which are all generated.
    pub mixed: bool,
    /// Show losses and a strip of images, and score the averaged generator, every so many epochs; 0 only at the end.
    pub sheet_every: u64,
    /// The judge scores the run and chooses its best checkpoint: a classifier of the data's labels, trained first where it
    /// isn't kept from before; else plain pixels do.
    pub judge: bool,
    /// Keep a checkpoint for good every so many epochs; 0 keeps none but the latest and the best.
    pub keep_every: u64,
    /// Seconds between two checkpoints; one is also written at the end.
    pub save_every: u64,
    /// A share of the images that D never learns from, so that the doctor can see whether it learns the others by heart; 0:
    /// it learns from all.
    pub held_out: f64,
    /// How often a run that fails may go back and change its recipe by itself; 0: never.
    pub heal: u64,
    /// Files with weights to begin with, instead of drawn ones.
    pub init: Vec<String>,
}

/// `[train.augment]`: differentiable augmentation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentSettings {
    /// Which changes, in order: colour, translation, cutout.
    pub kinds: Vec<Augmentation>,
    /// The probability that an image is changed by each; where it adapts, the one to begin with.
    pub probability: f64,
    /// Where above 0, the probability adapts itself so that the mean sign of D's scores on real images stays here (0.6 in
    /// Karras et al. 2020).
    pub target: f64,
    /// The probability can go from 0 to 1 within so many images.
    pub reach: u64,
}

impl Default for AugmentSettings {
    fn default() -> Self {
        Self { kinds: Vec::new(), probability: 1.0, target: 0.0, reach: 500_000 }
    }
}

impl Default for DataSettings {
    fn default() -> Self {
        Self { source: "strokes".into(), dir: String::new(), count: 0, size: 0, fit: Fit::Crop, channels: 0 }
    }
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            loss: Loss::default(),
            smoothing: 0.0,
            flips: 0.0,
            penalties: BTreeMap::new(),
            penalty_every: 1,
            weight_clip: 0.0,
            noise: 0.0,
            noise_steps: 0,
            packing: 1,
            label_weight: 1.0,
            augment: AugmentSettings::default(),
            batch: 64,
            epochs: 0,
            steps: 0,
            discriminator_steps: 1,
            seed: 0,
            precision: PrecisionChoice::Auto,
            average: 0.999,
            fakes: Fakes::default(),
            mixed: true,
            sheet_every: 10,
            judge: false,
            keep_every: 0,
            save_every: 60,
            held_out: 0.0,
            heal: 0,
            init: Vec::new(),
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
        for text in changes {
            change::apply(&mut table, text)?;
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

    /// The recipe with `key=value` changes.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn changed(&self, changes: &[String]) -> Result<Self> {
        Self::parse(&self.to_toml()?, "the recipe", changes)
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
        let labels = self.labels.names.len();
        let input = Shape::Flat(self.latent);
        let setting = Setting { input, labels, spectral: self.generator.spectral };
        let generator = Network::build("generator", &self.generator.layers, setting)?;
        let [h, w, c] = generator.output().dims();
        let input = match generator.output() {
            Shape::Flat(n) => Shape::Flat(n * self.train.packing),
            Shape::Image(..) => Shape::Image(h, w, c * self.train.packing),
        };
        let setting = Setting { input, labels, spectral: self.discriminator.spectral };
        let discriminator = Network::build("discriminator", &self.discriminator.layers, setting)?;
        let scores = if discriminator.guesses_labels() { 1 + labels } else { 1 };
        if discriminator.output() != Shape::Flat(scores) {
            return Err(Error::recipe(
                format!("the discriminator ends with shape {}, expected one score per image", discriminator.output()),
                "end its layers with \"flatten\", \"dense 1\"",
            ));
        }
        super::check::networks(self, &generator, &discriminator)?;
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
