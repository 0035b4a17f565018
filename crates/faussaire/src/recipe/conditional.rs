//! Makes the nets of any recipe conditional on labels, in one of three ways.

use super::Recipe;
use crate::data::LabelSettings;
use crate::error::{Error, Result};
use crate::net::parse::expanded;
use crate::net::{Layer, Surroundings};

/// How the discriminator uses the labels; the generator always gets an embedding in addition to its noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conditional {
    /// A learned plane per label as an additional image channel (Mirza & Osindero 2014).
    Concat,
    /// An inner product of features and label in the score (Miyato & Koyama 2018).
    Projection,
    /// The discriminator also classifies images, and the generator must make images that are classified correctly
    /// (AC-GAN, Odena et al. 2017).
    Auxiliary,
}

/// Channels of the generator's embedding.
const EMBEDDING: &str = "embedding 32";

impl Conditional {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Concat, Self::Projection, Self::Auxiliary];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Concat => "concat",
            Self::Projection => "projection",
            Self::Auxiliary => "auxiliary",
        }
    }
}

impl Recipe {
    /// The same recipe with nets conditional on `labels`. Nets that already use labels are unchanged.
    ///
    /// # Errors
    /// A discriminator whose last layer can't be replaced.
    pub fn conditioned(mut self, labels: LabelSettings, how: Conditional) -> Result<Self> {
        self.labels = labels;
        // Lines that can't be parsed alone, such as `add`, take no labels; errors of the nets are reported later.
        let around = Surroundings { labels: self.labels.names.len(), open: Vec::new() };
        let takes = |line: &String| Layer::parse(line, &around).is_ok_and(|layer| layer.kind().takes_labels());
        let uses_labels = |layers: &[String]| layers.iter().any(takes);
        if !uses_labels(&self.generator.layers) {
            self.generator.layers.insert(0, EMBEDDING.into());
        }
        if !uses_labels(&self.discriminator.layers) {
            condition_discriminator(&mut self.discriminator.layers, how)?;
        } else if how != Conditional::Concat && !self.discriminator.layers.iter().any(|line| line.trim() == how.name())
        {
            return Err(Error::recipe(
                format!("the discriminator uses the labels already, but not by `{}`", how.name()),
                "leave this out (--conditional alone), or start from nets without labels",
            ));
        }
        self.validate()?;
        Ok(self)
    }
}

fn condition_discriminator(layers: &mut Vec<String>, how: Conditional) -> Result<()> {
    let head = match how {
        Conditional::Concat => {
            layers.insert(0, "embedding 1".into());
            return Ok(());
        }
        Conditional::Projection => "projection",
        Conditional::Auxiliary => "auxiliary",
    };
    // Keras's spellings become ours, so that the last layer is recognised.
    *layers = layers.iter().flat_map(|line| expanded(line).unwrap_or_else(|_| vec![line.clone()])).collect();
    // A final sigmoid, which training replaces by logits, can't follow a head with several outputs.
    if layers.last().is_some_and(|line| line.trim() == "sigmoid") {
        layers.pop();
    }
    match layers.last_mut() {
        Some(last) if last.split_whitespace().take(2).eq(["dense", "1"]) => {
            *last = head.into();
            Ok(())
        }
        _ => Err(Error::recipe(
            format!("the discriminator's last layer is not \"dense 1\", which {head} could replace"),
            format!("put \"{head}\" at its place, or make the net conditional by `concat`"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Preset;

    fn conditioned(how: Conditional) -> Recipe {
        let recipe = Recipe::parse(Preset::Tp.text(), "tp", &[]).unwrap();
        let labels = LabelSettings::classes(["a", "b"]);
        recipe.conditioned(labels, how).unwrap()
    }

    #[test]
    fn all_kinds_build_and_stay() {
        for (how, parameters) in [
            (Conditional::Concat, 660_929 + 2 * 784 + 16 * 64),
            (Conditional::Projection, 660_929 + 2 * 4096),
            (Conditional::Auxiliary, 660_929 + 2 * 4097),
        ] {
            let recipe = conditioned(how);
            let (generator, discriminator) = recipe.networks().unwrap();
            assert_eq!((generator.labels(), discriminator.labels()), (2, 2), "{how:?}");
            assert_eq!(discriminator.parameters().0, parameters, "{how:?}");
            let again = Recipe::parse(&recipe.to_toml().unwrap(), "again", &[]).unwrap();
            assert_eq!(again, recipe);
            let labels = recipe.labels.clone();
            assert_eq!(recipe.clone().conditioned(labels.clone(), how).unwrap(), recipe, "once is enough");
            let other = if how == Conditional::Projection { Conditional::Auxiliary } else { Conditional::Projection };
            let error = recipe.clone().conditioned(labels, other).unwrap_err();
            assert!(error.to_string().contains("uses the labels already, but not by"), "{error}");
        }
    }

    #[test]
    fn a_last_layer_in_keras_words_is_replaced() {
        let mut layers = ["Flatten()", "Dense(1, activation='sigmoid')"].map(String::from).to_vec();
        condition_discriminator(&mut layers, Conditional::Projection).unwrap();
        assert_eq!(layers, ["flatten", "projection"]);
    }
}
