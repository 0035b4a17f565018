//! Mistakes built into a training on purpose, for an exercise: students diagnose them from the losses and the images, the doctor
//! and the key say what it was. A mistake is a line in the table below and, where it changes the recipe, what it does there.
//! The recipe's `train.sabotage` names it; `random:SEED` stands for one that only the key names.

use serde::{Deserialize, Serialize};

use super::{JointBatch, Recipe};
use crate::data::did_you_mean;
use crate::error::{Error, Result};
use crate::random::Stream;

/// The prefix of a mistake that is chosen by a seed.
const RANDOM: &str = "random:";

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistake {
    /// D isn't frozen in G's step.
    Unfrozen,
    /// G's images have the label 0 in G's step.
    WrongLabel,
    /// Batch normalisation in D, real and generated images in one batch.
    JointBatchnorm,
    /// A z of one number.
    Latent,
    /// Both learning rates 0.1.
    Rates,
    /// A dropout of 0.95 in D.
    Dropout,
    /// G's last stride is missing.
    Stride,
    /// G's sigmoid is missing.
    Sigmoid,
}

/// What is known of a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct About {
    /// The mistake.
    pub mistake: Mistake,
    /// Its name.
    pub name: &'static str,
    /// What it changes.
    pub changes: &'static str,
    /// What the doctor, or the program before the first step, says of it.
    pub said: &'static str,
}

/// The table.
pub const MISTAKES: [About; 8] = [
    about(
        Mistake::Unfrozen,
        "d-not-frozen",
        "D learns in the GAN's step, too: that generated images are real",
        "unfrozen-discriminator: D takes every image for real, and its loss stays above 0.693",
    ),
    about(
        Mistake::WrongLabel,
        "g-labels-0",
        "in the GAN's step the images have the label 0 (generated), not 1",
        "reversed-generator: the nets help each other, and both losses are near 0",
    ),
    about(
        Mistake::JointBatchnorm,
        "batchnorm-mixed",
        "batch normalisation after D's convolutions, with real and generated images in one batch",
        "joint-batchnorm, and a remark before step 1",
    ),
    about(Mistake::Latent, "latent-1", "z is one number", "narrow-latent, and a remark before step 1"),
    about(Mistake::Rates, "rates-0.1", "both learning rates are 0.1", "rates-too-high, and a remark before step 1"),
    about(
        Mistake::Dropout,
        "dropout-0.95",
        "a dropout of 0.95 before D's last layer",
        "helpless-discriminator, and a remark before step 1",
    ),
    about(
        Mistake::Stride,
        "stride-forgotten",
        "G's last stride is missing, so that its images are half as large",
        "refused before step 1, with the chain of G's shapes",
    ),
    about(
        Mistake::Sigmoid,
        "sigmoid-missing",
        "G's last layer is missing, so that its pixels have no range",
        "refused before step 1",
    ),
];

const fn about(mistake: Mistake, name: &'static str, changes: &'static str, said: &'static str) -> About {
    About { mistake, name, changes, said }
}

/// The name of a mistake, or none, as `train.sabotage` has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sabotage(pub String);

impl Sabotage {
    /// The mistake; none for an empty name. By a seed only those are chosen with which a training begins.
    ///
    /// # Errors
    /// An unknown name.
    pub fn about(&self) -> Result<Option<About>> {
        let name = self.0.as_str();
        if name.is_empty() {
            return Ok(None);
        }
        if let Some(seed) = name.strip_prefix(RANDOM) {
            let seed: u64 = seed.parse().map_err(|_| {
                Error::usage(format!("{name}: expected a whole number behind `{RANDOM}`"), "such as random:7")
            })?;
            let begins = MISTAKES.iter().filter(|about| !matches!(about.mistake, Mistake::Stride | Mistake::Sigmoid));
            let begins: Vec<&About> = begins.collect();
            let order = Stream::new(seed, "sabotage").permutation(0, begins.len());
            return Ok(order.first().map(|at| *begins[*at]));
        }
        let names = || MISTAKES.iter().map(|about| about.name);
        MISTAKES.iter().find(|about| about.name == name).copied().map(Some).ok_or_else(|| {
            let near = did_you_mean(name, names());
            let known = names().collect::<Vec<_>>().join(", ");
            Error::usage(format!("there is no mistake `{name}`; {near}expected one of {known}"), "or random:SEED")
        })
    }

    /// Whether the training is to keep it to itself: a seed chose it, for people who are to find it.
    pub fn is_secret(&self) -> bool {
        self.0.starts_with(RANDOM)
    }

    /// The mistake, if the training itself makes it.
    pub(crate) fn in_training(&self) -> Option<Mistake> {
        let mistake = self.about().ok().flatten()?.mistake;
        matches!(mistake, Mistake::Unfrozen | Mistake::WrongLabel).then_some(mistake)
    }
}

impl Recipe {
    /// The recipe with the mistake called `name` built in: one of [`MISTAKES`], or `random:SEED`.
    ///
    /// # Errors
    /// An unknown name, or nets that can't have this mistake.
    pub fn sabotaged(mut self, name: &str) -> Result<Self> {
        self.train.sabotage = Sabotage(name.to_owned());
        let Some(About { mistake, .. }) = self.train.sabotage.about()? else { return Ok(self) };
        let (g, d) = (&mut self.generator, &mut self.discriminator);
        let possible = match mistake {
            Mistake::Unfrozen | Mistake::WrongLabel => true,
            Mistake::JointBatchnorm => {
                self.train.joint_batch = JointBatch::Joint;
                let normalised = d.layers.iter().flat_map(|line| match line.starts_with("conv ") {
                    true => vec![line.clone(), "batchnorm".to_owned()],
                    false => vec![line.clone()],
                });
                let layers: Vec<String> = normalised.collect();
                let changed = layers.len() > d.layers.len();
                d.layers = layers;
                changed
            }
            Mistake::Latent => {
                self.latent = 1;
                true
            }
            Mistake::Rates => {
                (g.adam.learning_rate, d.adam.learning_rate) = (0.1, 0.1);
                true
            }
            Mistake::Dropout => {
                let last = d.layers.iter().rposition(|line| line.starts_with("dense "));
                last.map(|at| d.layers.insert(at, "dropout 0.95".into())).is_some()
            }
            Mistake::Stride => {
                let strided =
                    g.layers.iter().rposition(|line| line.contains(" stride ") || line.starts_with("upsample"));
                strided.map(|at| unstrided(&mut g.layers, at)).is_some()
            }
            Mistake::Sigmoid => {
                let bounded = g.layers.last().is_some_and(|line| ["sigmoid", "tanh"].contains(&line.as_str()));
                bounded.then(|| g.layers.pop()).is_some()
            }
        };
        if possible {
            return Ok(self);
        }
        Err(Error::usage(
            format!("the mistake {name} can't be made with these nets: they have no such layer"),
            "choose another one, or the nets of `tp`",
        ))
    }
}

/// Takes the stride out of line number `at`, or the whole line if it upsamples.
fn unstrided(layers: &mut Vec<String>, at: usize) {
    match layers[at].find(" stride ") {
        Some(place) => {
            let rest = layers[at][place + " stride ".len()..].split_once(' ').map_or("", |(_, rest)| rest).to_owned();
            layers[at].truncate(place);
            if !rest.is_empty() {
                layers[at] += &format!(" {rest}");
            }
        }
        None => drop(layers.remove(at)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::recipe::Preset;

    fn tp(name: &str) -> Recipe {
        Preset::Tp.recipe().unwrap().sabotaged(name).unwrap()
    }

    #[test]
    fn every_mistake_changes_the_recipe_and_is_written_in_it() {
        let plain = Preset::Tp.recipe().unwrap();
        for about in MISTAKES {
            let recipe = tp(about.name);
            let mut without = recipe.clone();
            without.train.sabotage = Sabotage::default();
            let in_training = recipe.train.sabotage.in_training();
            assert_eq!(without == plain, in_training.is_some(), "{}", about.name);
            assert_eq!(in_training.unwrap_or(about.mistake), about.mistake);
            let again = Recipe::parse(&recipe.to_toml().unwrap(), "again", &[]).unwrap();
            assert_eq!(again, recipe, "{}", about.name);
        }
        assert_eq!(tp("batchnorm-mixed").discriminator.layers.iter().filter(|line| *line == "batchnorm").count(), 3);
        assert_eq!(tp("stride-forgotten").generator.layers[7], "convtranspose 256 4x4");
        assert!(tp("dropout-0.95").discriminator.layers.ends_with(&[
            "dropout 0.95".into(),
            "dense 1".into(),
            "sigmoid".into()
        ]));
    }

    #[test]
    fn a_seed_chooses_a_mistake_that_trains_and_keeps_its_name_to_itself() {
        let chosen: Vec<&str> =
            (0..40).map(|seed| tp(&format!("random:{seed}")).train.sabotage.about().unwrap().unwrap().name).collect();
        for about in MISTAKES {
            let trains = !matches!(about.mistake, Mistake::Stride | Mistake::Sigmoid);
            assert_eq!(chosen.contains(&about.name), trains, "{}", about.name);
        }
        assert!(tp("random:3").to_toml().unwrap().contains("sabotage = \"random:3\""));
    }

    #[test]
    fn unknown_and_impossible_mistakes_are_refused() {
        let refused = |name: &str, preset: Preset| preset.recipe().unwrap().sabotaged(name).unwrap_err().to_string();
        assert!(refused("latent-2", Preset::Tp).contains("did you mean"), "{}", refused("latent-2", Preset::Tp));
        assert!(refused("random:x", Preset::Tp).contains("whole number"));
        assert!(refused("batchnorm-mixed", Preset::Ring).contains("no such layer"));
        let wrong = Recipe::parse(Preset::Tp.text(), "tp", &["train.sabotage=\"nothing\"".into()]).unwrap_err();
        assert!(wrong.to_string().contains("train.sabotage"), "{wrong}");
    }
}
