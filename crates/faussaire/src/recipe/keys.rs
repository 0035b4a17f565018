//! The keys of recipes as a table: what `--set` and the studio's page may change, with a line of help for each. A test holds
//! it against a recipe as it is written, so that no key can be forgotten.

use super::Recipe;
use crate::error::{Error, Result};
use crate::loss::Loss;

/// What a key's value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any number in the key's range.
    Number,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A word, a name, a path.
    Text,
    /// Several words: `["a", "b"]`.
    List,
}

/// A key of recipes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Dotted, as `--set` takes it: `train.batch`.
    pub name: String,
    /// What it means, in a line or two.
    pub help: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// Its value where a recipe doesn't say; nothing where a recipe must, or where leaving it out means none.
    pub default: Option<String>,
}

/// Name, help, kind; those of a net stand once for both.
const TABLE: &[(&str, &str, Kind)] = &[
    ("latent", "Size of the noise vector z", Kind::Integer),
    ("data.source", "What to learn from: a data set's name or path", Kind::Text),
    ("data.dir", "A folder of data sets, looked into before the usual places", Kind::Text),
    ("data.count", "Learn from so many images at most, the first ones; 0 for all", Kind::Integer),
    ("data.size", "Bring images to so many pixels, square, after a centre crop; 0 keeps their size", Kind::Integer),
    (
        "data.fit",
        "How an image of another aspect is brought to size: crop cuts around the centre, pad keeps all of it",
        Kind::Choice(&["crop", "pad"]),
    ),
    ("data.channels", "1 grey, 3 colour, 0 as they are", Kind::Integer),
    ("labels.names", "The classes or attributes that the nets are told of", Kind::List),
    (
        "labels.kind",
        "Whether exactly one of the labels holds for an image, or any number of them",
        Kind::Choice(&["classes", "attributes"]),
    ),
    ("labels.shares", "The share of the images that have each label; filled in from the data", Kind::List),
    ("NET.layers", "One line per layer", Kind::List),
    ("NET.spectral", "Divide every kernel by its largest singular value (Miyato et al. 2018)", Kind::Switch),
    ("NET.adam.rate", "Learning rate", Kind::Number),
    ("NET.adam.beta1", "Adam's decay of the first moment", Kind::Number),
    ("NET.adam.beta2", "Adam's decay of the second moment", Kind::Number),
    ("NET.adam.epsilon", "Added to the root of Adam's second moment", Kind::Number),
    (
        "NET.adam.clip",
        "The largest length of the net's whole gradient; longer ones are shortened; 0: any",
        Kind::Number,
    ),
    ("NET.adam.warmup", "The learning rate grows from 0 over so many updates", Kind::Integer),
    ("NET.adam.decay", "How the learning rate shrinks", Kind::Choice(&["none", "linear", "cosine"])),
    ("NET.adam.decay_updates", "Updates until a shrinking rate has reached 0", Kind::Integer),
    ("train.loss", "The game that the two nets play", Kind::Choice(Loss::NAMES)),
    (
        "train.smoothing",
        "The label of real images is 1 minus this (one-sided smoothing, Salimans et al. 2016)",
        Kind::Number,
    ),
    ("train.flips", "The share of pairs whose labels are exchanged before D learns from them", Kind::Number),
    (
        "train.penalties.wgan-gp",
        "Weight of the penalty on slopes other than 1 between real and generated",
        Kind::Number,
    ),
    ("train.penalties.r1", "Weight of the penalty on D's slope at real images", Kind::Number),
    ("train.penalties.r2", "Weight of the penalty on D's slope at generated images", Kind::Number),
    ("train.penalties.dragan", "Weight of the penalty on slopes other than 1 around real images", Kind::Number),
    (
        "train.penalty_every",
        "Penalties are charged in every so many updates of D, that many times as strongly (Karras et al. 2020)",
        Kind::Integer,
    ),
    (
        "train.weight_clip",
        "D's weights are cut off at plus and minus this after each update (Arjovsky et al. 2017); 0: not at all",
        Kind::Number,
    ),
    (
        "train.noise",
        "Deviation of the noise added to all images before D sees them, in units of the pixels' range",
        Kind::Number,
    ),
    ("train.noise_steps", "That noise fades out over so many steps; 0: it stays", Kind::Integer),
    ("train.packing", "D judges so many images at once (PacGAN, Lin et al. 2018)", Kind::Integer),
    ("train.label_weight", "Weight of guessing labels, for a discriminator that ends in auxiliary", Kind::Number),
    ("train.augment.kinds", "Changes to all images before D sees them: colour, translation, cutout", Kind::List),
    ("train.augment.probability", "The probability that an image is changed by each", Kind::Number),
    (
        "train.augment.target",
        "Above 0, that probability adapts itself so that the mean sign of D's scores on real images stays here",
        Kind::Number,
    ),
    ("train.augment.reach", "It can go from 0 to 1 within so many images", Kind::Integer),
    ("train.batch", "Real images per discriminator update, and generated ones likewise", Kind::Integer),
    ("train.epochs", "Stop after so many passes over the data; 0: no such limit", Kind::Integer),
    ("train.steps", "Stop after so many generator updates; 0: no such limit", Kind::Integer),
    ("train.discriminator_steps", "Discriminator updates per generator update", Kind::Integer),
    ("train.seed", "Where every random number comes from", Kind::Integer),
    (
        "train.precision",
        "What operands of products, and images between most layers, are rounded to; auto: bf16 where the processor has it, \
         f32 under penalties and for points",
        Kind::Choice(&["auto", "f32", "bf16"]),
    ),
    ("train.average", "Decay of the averaged generator per step; 0 turns averaging off", Kind::Number),
    (
        "train.fakes",
        "Which statistics batch normalisation uses for the images that D learns from",
        Kind::Choice(&["batch", "moving"]),
    ),
    ("train.mixed", "Real and generated images go through D as one batch", Kind::Switch),
    ("train.sheet_every", "Show and score images every so many epochs; 0: only at the end", Kind::Integer),
    (
        "train.judge",
        "The judge scores the run and chooses its best checkpoint; it is trained first, once for each data set",
        Kind::Switch,
    ),
    ("train.keep_every", "Keep a checkpoint for good every so many epochs; 0: none", Kind::Integer),
    ("train.save_every", "Seconds between two checkpoints; one is also written at the end", Kind::Integer),
    (
        "train.held_out",
        "A share of the images that D never learns from, so that the doctor can see whether it learns by heart",
        Kind::Number,
    ),
    ("train.heal", "How often a run that fails may go back and change its recipe by itself", Kind::Integer),
    ("train.init", "Files with weights to begin with, instead of drawn ones", Kind::List),
];

impl Key {
    /// All keys, in the order of a recipe.
    ///
    /// # Errors
    /// Never: the defaults come from a recipe of ours.
    pub fn all() -> Result<Vec<Self>> {
        const LEAST: &str = "latent = 1\n[generator]\nlayers = []\n[discriminator]\nlayers = []\n";
        let least: Recipe = toml::from_str(LEAST)
            .map_err(|e| Error::recipe(format!("the least recipe can't be read: {e}"), "report this"))?;
        let values = values(&least)?;
        let key = |name: String, help, kind| {
            // What a recipe must say itself has no default.
            let default = values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
            let default = default.filter(|_| name != "latent" && !name.ends_with(".layers"));
            Self { name, help, kind, default }
        };
        let mut keys = Vec::new();
        let nets = |name: &str| name.starts_with("NET.");
        let (before, rest) = TABLE.split_at(TABLE.iter().position(|(name, ..)| nets(name)).unwrap_or(0));
        keys.extend(before.iter().map(|(name, help, kind)| key((*name).to_owned(), *help, *kind)));
        for net in ["generator", "discriminator"] {
            let own = rest.iter().filter(|(name, ..)| nets(name));
            keys.extend(own.map(|(name, help, kind)| key(name.replacen("NET", net, 1), *help, *kind)));
        }
        let after = rest.iter().filter(|(name, ..)| !nets(name));
        keys.extend(after.map(|(name, help, kind)| key((*name).to_owned(), *help, *kind)));
        Ok(keys)
    }
}

/// The keys of `recipe` with their values as `--set` takes them: one entry per key, lists whole.
///
/// # Errors
/// Never for a recipe that was parsed.
pub fn values(recipe: &Recipe) -> Result<Vec<(String, String)>> {
    let table = toml::Table::try_from(recipe)
        .map_err(|e| Error::recipe(format!("the recipe can't be written as TOML: {e}"), "report this"))?;
    let mut rows = Vec::new();
    collect("", &table, &mut rows);
    Ok(rows)
}

fn collect(prefix: &str, table: &toml::Table, rows: &mut Vec<(String, String)>) {
    for (key, value) in table {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(inner) => collect(&name, inner, rows),
            toml::Value::String(text) => rows.push((name, text.clone())),
            other => rows.push((name, other.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::recipe::Preset;

    fn tp(changes: &[String]) -> Result<Recipe> {
        Recipe::parse(Preset::Tp.text(), "tp", changes)
    }

    #[test]
    fn every_key_of_a_written_recipe_is_there_and_no_other() {
        let penalties = ["r1", "r2", "wgan-gp", "dragan"].map(|kind| format!("train.penalties.{kind}=1.0"));
        let written = values(&tp(&penalties).unwrap()).unwrap();
        let written: BTreeSet<&str> = written.iter().map(|(name, _)| name.as_str()).collect();
        let keys = Key::all().unwrap();
        let known: BTreeSet<&str> = keys.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(known, written);
        assert_eq!(known.len(), keys.len());
        assert!(keys.iter().all(|key| !key.help.is_empty()));
    }

    #[test]
    fn values_and_choices_can_be_set() {
        let preset = tp(&[]).unwrap();
        let all: Vec<String> =
            values(&preset).unwrap().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(tp(&all).unwrap(), preset);
        for key in Key::all().unwrap() {
            let Kind::Choice(words) = key.kind else { continue };
            assert!(key.default.is_none_or(|word| words.contains(&word.as_str())), "{}", key.name);
            for word in words {
                let outcome = tp(&[format!("{}={word}", key.name)]);
                let unknown = outcome.is_err_and(|e| e.to_string().contains("unknown variant"));
                assert!(!unknown, "{}={word}", key.name);
            }
            let message = tp(&[format!("{}=no-such-word", key.name)]).unwrap_err().to_string();
            assert!(words.iter().all(|word| message.contains(&format!("`{word}`"))), "{}: {message}", key.name);
        }
    }
}
