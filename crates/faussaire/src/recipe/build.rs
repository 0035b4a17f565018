//! Building recipes in code. A built recipe passes the same checks as one that is read: [`Recipe::validate`].

use serde::Serialize;

use super::settings::{NetSettings, Recipe, TrainSettings};
use super::{DataSettings, change, read, table};
use crate::data::LabelSettings;
use crate::error::Result;
use crate::loss::Loss;
use crate::optimizer::AdamSettings;
use crate::penalty::Penalty;

impl Recipe {
    /// A recipe with noise vectors of length `latent` and these layers; all other keys have their defaults.
    ///
    /// ```
    /// use faussaire::Recipe;
    ///
    /// # fn main() -> faussaire::Result<()> {
    /// let generator = ["dense 7*7*16", "reshape 7 7 16", "upsample 4", "conv 1 5x5", "sigmoid"];
    /// let discriminator = ["conv 16 4x4 stride 2", "leakyrelu 0.2", "flatten", "dense 1"];
    /// let recipe = Recipe::new(32, generator, discriminator).batch(32).steps(100).set("train.noise", 0.1)?;
    /// recipe.validate()?;
    /// assert!(recipe.batch(0).validate().unwrap_err().to_string().contains("train.batch"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn new<L: Into<String>>(
        latent: usize,
        generator: impl IntoIterator<Item = L>,
        discriminator: impl IntoIterator<Item = L>,
    ) -> Self {
        Self {
            latent,
            data: DataSettings::default(),
            labels: LabelSettings::default(),
            generator: NetSettings::new(generator),
            discriminator: NetSettings::new(discriminator),
            train: TrainSettings::default(),
        }
    }

    /// Sets Adam's settings for both nets.
    #[must_use]
    pub fn adam(self, adam: AdamSettings) -> Self {
        self.generator_adam(adam).discriminator_adam(adam)
    }

    /// Sets Adam's settings for the generator (`generator.adam`).
    #[must_use]
    pub fn generator_adam(mut self, adam: AdamSettings) -> Self {
        self.generator.adam = adam;
        self
    }

    /// Sets Adam's settings for the discriminator (`discriminator.adam`).
    #[must_use]
    pub fn discriminator_adam(mut self, adam: AdamSettings) -> Self {
        self.discriminator.adam = adam;
        self
    }

    /// Sets `data.source`: a data set's name or path.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.data.source = source.into();
        self
    }

    /// Sets `train.loss`.
    #[must_use]
    pub fn loss(mut self, loss: Loss) -> Self {
        self.train.loss = loss;
        self
    }

    /// Adds a gradient penalty on D to `train.penalties`.
    #[must_use]
    pub fn penalty(mut self, penalty: Penalty, weight: f64) -> Self {
        self.train.penalties.insert(penalty, weight);
        self
    }

    /// Sets `train.batch`: real images per update of D.
    #[must_use]
    pub fn batch(mut self, images: usize) -> Self {
        self.train.batch = images;
        self
    }

    /// Sets `train.seed`.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.train.seed = seed;
        self
    }

    /// Sets `train.epochs`: stop after N epochs.
    #[must_use]
    pub fn epochs(mut self, epochs: u64) -> Self {
        self.train.epochs = epochs;
        self
    }

    /// Sets `train.steps`: stop after N updates of G.
    #[must_use]
    pub fn steps(mut self, steps: u64) -> Self {
        self.train.steps = steps;
        self
    }

    /// Sets `train.n_critic`: updates of D per update of G.
    #[must_use]
    pub fn n_critic(mut self, updates: u64) -> Self {
        self.train.n_critic = updates;
        self
    }

    /// Sets `train.ema`: decay of the averaged generator per step.
    #[must_use]
    pub fn ema(mut self, decay: f64) -> Self {
        self.train.ema = decay;
        self
    }

    /// Sets any other key by its dotted name, or a former one. The value's kind and range are checked at once, its
    /// combination with other keys by [`validate`](Self::validate). Values are anything that serde can write: numbers,
    /// texts, lists, a [`Loss`].
    ///
    /// # Errors
    /// An unknown key, or a value that the key does not accept.
    pub fn set(self, key: &str, value: impl Serialize) -> Result<Self> {
        let (path, line) = table::find(key)?;
        let key = path.join(".");
        let mut value = toml::Value::try_from(value).map_err(|e| table::bad_value(&key, e))?;
        if let (table::Entry::Group(inner), Some(group)) = (line.entry, value.as_table_mut()) {
            change::rename(inner, &key, group)?;
        }
        change::respell(line, &mut value);
        table::check_line(line, &key, &read::json(&value)?)?;
        let mut table = self.to_table()?;
        change::insert(&mut table, &path, value)?;
        Self::from_checked(table)
    }
}

impl NetSettings {
    /// A net of these layers; the other keys have their defaults.
    pub fn new<L: Into<String>>(layers: impl IntoIterator<Item = L>) -> Self {
        Self { layers: layers.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::Preset;
    use crate::optimizer::Decay;

    const GENERATOR: [&str; 5] = ["dense 7*7*4", "reshape 7 7 4", "upsample 4", "conv 1 5x5", "sigmoid"];
    const DISCRIMINATOR: [&str; 2] = ["flatten", "dense 1"];

    #[test]
    fn a_built_recipe_is_the_one_that_its_text_says() {
        let text = "latent = 8\n[data]\nsource = \"mnist\"\n[generator]\nlayers = [\"dense 7*7*4\", \"reshape 7 7 4\", \
                    \"upsample 4\", \"conv 1 5x5\", \"sigmoid\"]\nadam = { rate = 1e-4, beta1 = 0.5, beta2 = 0.9 }\n\
                    [discriminator]\nlayers = [\"flatten\", \"dense 1\"]\nspectral = true\n\
                    adam = { learning_rate = 2e-4, clip = 5.0, warmup = 9, decay = \"cosine\", decay_updates = 10 }\n\
                    [train]\nloss = \"hinge\"\npenalties = { r1 = 0.1 }\nbatch = 32\nseed = 7\nepochs = 3\nsteps = 40\n\
                    n_critic = 2\nema = 0.5\nheld_out = 0.1\naugment = { kinds = [\"cutout\"] }\n";
        let slow = AdamSettings::new(2e-4).clip(5.0).warmup(9).decay(Decay::Cosine, 10);
        let built = Recipe::new(8, GENERATOR, DISCRIMINATOR)
            .adam(AdamSettings::new(1e-4).betas(0.5, 0.9))
            .discriminator_adam(slow)
            .source("mnist")
            .loss(Loss::Hinge)
            .penalty(Penalty::R1, 0.1)
            .batch(32)
            .seed(7)
            .epochs(3)
            .steps(40)
            .n_critic(2)
            .ema(0.5)
            .set("discriminator.spectral", true)
            .and_then(|recipe| recipe.set("train.held_out", 0.1))
            .and_then(|recipe| recipe.set("train.augment.kinds", ["cutout"]))
            .unwrap();
        assert_eq!(built, Recipe::parse(text, "text", &[]).unwrap());
        built.validate().unwrap();
        built.networks().unwrap();
    }

    #[test]
    fn any_key_can_be_set_by_its_name() {
        let recipe = Recipe::parse(Preset::Tp.text(), "tp", &[]).unwrap();
        let set = |key: &str| recipe.clone().set(key, "pad").map(|recipe| recipe.data.fit);
        assert_eq!(set("data.fit").unwrap(), crate::data::Fit::Pad);
        let penalties = BTreeMap::from([("r1", 1.0)]);
        assert_eq!(
            recipe.clone().set("train.loss", "binary_crossentropy").unwrap(),
            recipe.clone().loss(Loss::Nonsaturating)
        );
        let group = recipe.clone().set("train.penalties", penalties).unwrap();
        assert_eq!(group, recipe.clone().penalty(Penalty::R1, 1.0));
        assert_eq!(recipe.clone().set("train.loss", Loss::Hinge).unwrap(), recipe.clone().loss(Loss::Hinge));
        assert_eq!(recipe.clone().set("train.batch", 8usize).unwrap(), recipe.clone().batch(8));
        for (wrong, said) in [
            (
                recipe.clone().set("train.batch", "abc"),
                "recipe key `train.batch`: expected a whole number from 1 to 65,536, got \"abc\"",
            ),
            (
                recipe.clone().set("train.batch", 0),
                "recipe key `train.batch`: expected a whole number from 1 to 65,536, got 0",
            ),
            (
                recipe.clone().set("train.noise", f64::NAN),
                "recipe key `train.noise`: expected a number from 0, below 10, got a number that is not finite",
            ),
            (recipe.clone().set("train.bacth", 8), "there is no recipe key `train.bacth`; did you mean `train.batch`?"),
            (recipe.clone().set("train.seed", u64::MAX), "recipe key `train.seed`"),
            (recipe.clone().set("train", 3), "recipe key `train`: expected a group of keys, got 3"),
            (recipe.clone().set("latent.size", 3), "`latent` is a value, not a group of keys"),
        ] {
            let error = wrong.unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
            assert!(!error.hint().is_empty() && !error.hint().contains("--"));
        }
    }
}
