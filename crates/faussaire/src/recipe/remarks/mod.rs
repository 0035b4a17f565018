//! Remarks on a recipe before its first step: settings that are accepted, but usually a mistake, each with the change to
//! try. What can't learn at all is refused (`check.rs`). The doctor looks here for the cause of what it sees in a run.
//!
//! A remark is a line in the list below and a function that finds it.

mod batches;
mod images;
mod losses;
mod nets;
mod range;
mod rates;
mod time;

pub(crate) use nets::without_zeros;
use serde::Serialize;

use super::Recipe;
use crate::data::Dataset;
use crate::error::Result;
use crate::net::{LayerEntry, Network};

/// A setting that is accepted, but usually a mistake.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Remark {
    /// What it is called: `bounded-scores`.
    pub name: &'static str,
    /// What is unusual, and what follows from it.
    pub what: String,
    /// What is unusual only: the first part of `what`.
    #[serde(skip)]
    pub(crate) fact: String,
    /// What to do, without flags.
    pub advice: String,
    /// The changes to the recipe that do so, as `key=value`; none where no key helps.
    pub set: Vec<String>,
}

/// What is known of the training images when a recipe is remarked on.
#[derive(Clone, Copy, Debug, Default)]
pub enum Images<'a> {
    /// Nothing.
    #[default]
    Unknown,
    /// Their number.
    Count(usize),
    /// All: some of them are looked at.
    Set(&'a dyn Dataset),
}

/// A recipe with what is derived from it.
struct Facts<'a> {
    recipe: &'a Recipe,
    generator: Network,
    discriminator: Network,
    images: Images<'a>,
}

/// What a check found.
struct Found {
    /// What is unusual.
    what: String,
    /// What follows from it, with the word or sign that joins it to `what`; empty where that says it all.
    follows: String,
    advice: String,
    set: Vec<String>,
}

/// Looks for one remark.
type Check = fn(&Facts) -> Option<Found>;

/// All remarks, in the order in which they are shown.
const REMARKS: &[(&str, Check)] = &[
    // Nets.
    ("joint-batchnorm", nets::joint_batchnorm),
    ("bounded-scores", nets::bounded_scores),
    ("bounded-pixels", nets::bounded_pixels),
    ("linear-generator", nets::linear_generator),
    ("linear-discriminator", nets::linear_discriminator),
    ("zeros", nets::zeros),
    ("small-discriminator", nets::small_discriminator),
    ("dropout", nets::dropout),
    ("narrow-latent", nets::narrow_latent),
    ("spectral-batchnorm", nets::spectral_batchnorm),
    ("bottleneck", nets::bottleneck),
    ("last-batchnorm", nets::last_batchnorm),
    ("untouched-pixels", nets::untouched_pixels),
    // Rates.
    ("high-rates", |facts| rates::high(facts, [true, true])),
    ("high-generator-rate", |facts| rates::high(facts, [true, false])),
    ("high-discriminator-rate", |facts| rates::high(facts, [false, true])),
    ("low-rates", |facts| rates::low(facts, [true, true])),
    ("low-generator-rate", |facts| rates::low(facts, [true, false])),
    ("low-discriminator-rate", |facts| rates::low(facts, [false, true])),
    ("rates-apart", rates::apart),
    ("beta1", rates::beta1),
    ("epsilon", rates::epsilon),
    ("warmup", rates::warmup),
    ("early-decay", rates::early_decay),
    // Losses and regularisation.
    ("sigmoid-unused", losses::sigmoid_unused),
    ("logits", losses::logits),
    ("smoothing", losses::smoothing),
    ("label-flip", losses::label_flip),
    ("noise", losses::noise),
    ("heavy-penalty", losses::heavy_penalty),
    ("light-penalty", losses::light_penalty),
    ("clip-and-penalty", losses::clip_and_penalty),
    ("weight-clip", losses::weight_clip),
    ("n-critic-unbounded", losses::n_critic_unbounded),
    ("n-critic", losses::n_critic),
    // Batches and images.
    ("small-batch", batches::small),
    ("large-batch", batches::large),
    ("few-images", images::few),
    ("images-alike", images::alike),
    ("images-flat", images::flat),
    ("slow-step", time::slow_step),
    ("memory", time::memory),
];

/// Remarks that say how a recipe is read, and ask for no change.
const NOTES: [&str; 2] = ["logits", "sigmoid-unused"];

impl Remark {
    /// Whether it only says how the recipe is read, so that the training is as usual.
    pub fn is_note(&self) -> bool {
        NOTES.contains(&self.name)
    }

    /// The flags that set [`Self::set`], as one types them; nothing where no key helps.
    pub fn flags(&self) -> String {
        super::flags(&self.set)
    }
}

impl Recipe {
    /// What is unusual in this recipe, such as a learning rate of 100 times the usual one, with the change to try. Where
    /// the images are known, the time of a step is estimated, for large nets by a benchmark of half a second.
    ///
    /// # Errors
    /// As [`Self::networks`].
    pub fn remarks(&self, images: Images) -> Result<Vec<Remark>> {
        let (generator, discriminator) = self.networks()?;
        let facts = Facts { recipe: self, generator, discriminator, images };
        Ok(REMARKS.iter().filter_map(|(name, check)| facts.remark(name, *check)).collect())
    }
}

impl Facts<'_> {
    fn remark(&self, name: &'static str, check: Check) -> Option<Remark> {
        let Found { what: fact, follows, advice, set } = check(self)?;
        Some(Remark { name, what: format!("{fact}{follows}"), fact, advice, set })
    }

    /// The number of training images, if known.
    fn count(&self) -> Option<usize> {
        match self.images {
            Images::Unknown => None,
            Images::Count(count) => Some(count),
            Images::Set(set) => Some(set.len()),
        }
    }

    /// Whether the "images" are 2-D points.
    fn points(&self) -> bool {
        self.generator.output().dims()[..2] == [1, 1]
    }

    /// Number of the generator's updates in the whole training, if the recipe limits it and it is known.
    fn steps(&self) -> Option<u64> {
        let train = &self.recipe.train;
        let by_epochs = self
            .count()
            .filter(|_| train.epochs > 0)
            .map(|images| (train.epochs * (images / train.batch.max(1)) as u64).div_ceil(train.n_critic));
        let by_steps = (train.steps > 0).then_some(train.steps);
        by_epochs.into_iter().chain(by_steps).min()
    }

    /// Both nets.
    fn nets(&self) -> [&Network; 2] {
        [&self.generator, &self.discriminator]
    }
}

/// `layers` as a change to the layers of `net`.
fn layers_change(net: &Network, layers: Vec<String>) -> String {
    format!("{}.layers={}", net.name(), toml::Value::from(layers))
}

/// The lines of all layers of `net`, each replaced by those that `replace` gives for it.
fn rewritten(net: &Network, replace: impl Fn(usize, &LayerEntry) -> Vec<String>) -> String {
    let lines = net.layers().iter().enumerate().flat_map(|(index, entry)| replace(index, entry));
    layers_change(net, lines.collect())
}

/// A setting as text: `0.0002`, `1e-7`.
fn number(value: f64) -> String {
    if value != 0.0 && !(1e-4..1e6).contains(&value.abs()) { format!("{value:e}") } else { value.to_string() }
}

/// A factor as text, with two significant digits: `2.5`, `10`, `2,000`.
fn times(factor: f64) -> String {
    match factor {
        f if f < 9.95 => format!("{:.1}", f).trim_end_matches(".0").to_owned(),
        f if f < 99.5 => format!("{f:.0}"),
        f => {
            let scale = 10f64.powf(f.log10().floor() - 1.0);
            crate::net::summary::grouped(((f / scale).round() * scale).min(1e18) as u64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Preset;

    /// The remarks on `preset` with changes, for `images` images.
    pub(super) fn on(preset: Preset, changes: &[&str], images: usize) -> Vec<Remark> {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        let recipe = Recipe::parse(preset.text(), preset.name(), &changes).unwrap();
        let (generator, discriminator) = recipe.networks().unwrap();
        let facts = Facts { recipe: &recipe, generator, discriminator, images: Images::Count(images) };
        // What depends on the machine is left out.
        let here = |name: &str| ["slow-step", "memory"].contains(&name);
        REMARKS.iter().filter(|(name, _)| !here(name)).filter_map(|(name, check)| facts.remark(name, *check)).collect()
    }

    /// The only remark on `preset` with changes.
    pub(super) fn only(name: &str, preset: Preset, changes: &[&str]) -> Remark {
        let all = on(preset, changes, 9600);
        let names: Vec<&str> = all.iter().map(|remark| remark.name).collect();
        assert_eq!(names, [name], "{changes:?}: {all:#?}");
        let remark = all[0].clone();
        assert!(!remark.what.is_empty() && !remark.advice.is_empty() && !remark.what.ends_with('.'), "{remark:?}");
        if !remark.set.is_empty() {
            // The advice, when followed, leaves nothing to remark on.
            let changes: Vec<String> = changes.iter().map(ToString::to_string).chain(remark.set.clone()).collect();
            let changes: Vec<&str> = changes.iter().map(String::as_str).collect();
            assert_eq!(on(preset, &changes, 9600), [], "after {:?}", remark.set);
        }
        remark
    }

    #[test]
    fn presets_need_no_remark() {
        for preset in Preset::ALL {
            assert_eq!(on(*preset, &[], 50_000), [], "{}", preset.name());
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> = REMARKS.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), REMARKS.len());
        assert!(NOTES.iter().all(|note| names.contains(note)));
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!([0.0002, 1e-7, 0.1, 2.0].map(number), ["0.0002", "1e-7", "0.1", "2"]);
        assert_eq!([2.0, 2.5, 9.99, 14.2, 100.0, 1234.0].map(times), ["2", "2.5", "10", "14", "100", "1,200"]);
    }
}
