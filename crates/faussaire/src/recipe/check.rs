//! Checks of combinations of keys. Keys combine freely, except for combinations without a meaning or with an unexpected
//! one, which are refused with the reason. The values of each key alone are checked by the table of keys.

use super::sabotage::Mistake;
use super::table::{self, bad_value};
use super::{Recipe, read, settings};
use crate::data::Background;
use crate::error::{Error, Result};
use crate::net::{LayerEntry, Network, Op, Shape};
use crate::optimizer::{AdamSettings, Decay};

/// A key and its problem, if any.
type Problem = Option<(&'static str, String)>;

impl Recipe {
    /// Checks every value and the combination of keys, as for a recipe that is read. Whether the layers fit each other
    /// is checked when the nets are built: [`networks`](Self::networks).
    ///
    /// # Errors
    /// The first key with an invalid value, and the expected values.
    pub fn validate(&self) -> Result<()> {
        table::check(settings::ROOT, "", &read::json(self)?)?;
        for (net, adam) in [("generator", &self.generator.adam), ("discriminator", &self.discriminator.adam)] {
            if let Some((key, problem)) = schedule(adam) {
                return Err(bad_value(&format!("{net}.adam.{key}"), problem));
            }
        }
        match data(self).or_else(|| labels(self)).or_else(|| loss(self)).or_else(|| pairs(self)) {
            Some((key, problem)) => Err(bad_value(key, problem)),
            None => Ok(()),
        }
    }
}

/// Checks the schedule of the learning rate.
fn schedule(adam: &AdamSettings) -> Problem {
    let AdamSettings { warmup, decay, decay_updates, .. } = *adam;
    if (decay == Decay::None) != (decay_updates == 0) {
        let what = "it is the length of the schedule `decay`, so both or neither must be set";
        return Some(("decay_updates", format!("{what}; got {decay_updates} with {decay:?}")));
    }
    let short = decay != Decay::None && decay_updates <= warmup;
    short.then(|| ("decay_updates", format!("expected more than the warmup of {warmup}, got {decay_updates}")))
}

/// Checks the values of pixels.
fn data(recipe: &Recipe) -> Problem {
    let data = &recipe.data;
    if data.background.parse::<Background>().is_err() {
        let expected = "expected `white`, `black`, `grey` or `#rrggbb` such as #ff8000";
        return Some(("data.background", format!("{expected}, got {:?}", data.background)));
    }
    let is_range = matches!(data.range[..], [] | [_, _]) && data.range.is_sorted_by(|low, high| low < high);
    (!is_range).then(|| {
        let expected = "expected two numbers, the smaller one first, such as [0, 4095], or none";
        ("data.range", format!("{expected}, got {:?}", data.range))
    })
}

/// Checks that shares and names correspond.
fn labels(recipe: &Recipe) -> Problem {
    let (names, shares) = (recipe.labels.names.len(), recipe.labels.shares.len());
    let fit = shares == 0 || shares == names;
    (!fit).then(|| {
        ("labels.shares", format!("expected one for each of the {names} `labels.names` or none, got {shares}"))
    })
}

/// Checks the keys that depend on the loss.
fn loss(recipe: &Recipe) -> Problem {
    let train = &recipe.train;
    if let Err(error) = train.sabotage.about() {
        return Some(("train.sabotage", format!("{error}; {}", error.hint())));
    }
    if train.smoothing > 0.0 && !train.loss.has_labels() {
        let what = format!(
            "it changes the label of real images, but the loss {:?} has no labels; use it with nonsaturating, saturating or \
             least-squares",
            train.loss
        );
        return Some(("train.smoothing", what));
    }
    if train.label_noise > 0.0 && !(train.loss.has_labels() && train.loss.scale().log_odds) {
        let what = format!(
            "it changes the labels of a cross-entropy, which the loss {:?} is not; use it with nonsaturating or saturating",
            train.loss
        );
        return Some(("train.label_noise", what));
    }
    let bounded = !train.penalties.is_empty() || train.weight_clip > 0.0 || recipe.discriminator.spectral;
    (train.loss.requires_lipschitz() && !bounded).then(|| {
        let what = "a Wasserstein critic diverges without a bound on its gradient; add one: `train.penalties` = { wgan-gp \
                    = 10.0 }, `train.weight_clip` = 0.01, or `discriminator.spectral` = true";
        ("train.loss", what.into())
    })
}

/// Checks keys that require another one.
fn pairs(recipe: &Recipe) -> Problem {
    let (train, augment) = (&recipe.train, &recipe.train.augment);
    let problems = [
        (
            !train.batch.is_multiple_of(train.pac.max(1)),
            "train.pac",
            format!("expected a number that divides the batch of {}, got {}", train.batch, train.pac),
        ),
        (
            !train.batch.is_multiple_of(train.slices.max(1) * train.pac.max(1)),
            "train.slices",
            format!(
                "expected a number that divides the batch of {}{}, got {}",
                train.batch,
                if train.pac > 1 {
                    format!(" into whole groups of {} (`train.pac`)", train.pac)
                } else {
                    String::new()
                },
                train.slices
            ),
        ),
        (
            train.slices > 1 && train.sabotage.in_training() == Some(Mistake::Unfrozen),
            "train.slices",
            format!(
                "expected 1 with the mistake of an unfrozen discriminator (`train.sabotage`), got {}",
                train.slices
            ),
        ),
        (
            augment.target > 0.0 && augment.kinds.is_empty(),
            "train.augment.target",
            "it adapts the probability of augmentations, but `train.augment.kinds` names none".into(),
        ),
        (
            train.noise_steps > 0 && train.noise == 0.0,
            "train.noise_steps",
            "it is the duration of the noise, but `train.noise` is 0".into(),
        ),
        (
            train.penalty_every > 1 && train.penalties.is_empty(),
            "train.penalty_every",
            "it is the interval of penalties, but `train.penalties` names none".into(),
        ),
    ];
    problems.into_iter().find(|(wrong, ..)| *wrong).map(|(_, key, what)| (key, what))
}

/// Checks that need the nets.
pub(super) fn networks(recipe: &Recipe, generator: &Network, discriminator: &Network) -> Result<()> {
    let train = &recipe.train;
    if let (Some((penalty, _)), Some((layer, why))) =
        (train.penalties.first_key_value(), discriminator.penalty_obstacle())
    {
        return Err(Error::recipe(
            format!(
                "recipe key `train.penalties`: the discriminator has a `{}`, which does not allow the gradient penalty {penalty:?}: \
                 {why}",
                layer.line
            ),
            "replace the layer, or remove the penalty",
        ));
    }
    if train.pac > 1 && discriminator.labels() > 0 {
        return Err(Error::recipe(
            format!("recipe key `train.pac`: it is {}, but the discriminator takes one label per image", train.pac),
            "several images in one input have no common label: set it to 1, or use a discriminator without labels",
        ));
    }
    if train.slices > 1
        && let Some((layer, group)) = groups(discriminator)
        && !(train.batch / train.slices / train.pac.max(1)).is_multiple_of(group)
    {
        return Err(bad_value(
            "train.slices",
            format_args!(
                "a batch of {} in {} slices leaves no whole groups of {group} images for the discriminator's `{}`",
                train.batch, train.slices, layer.line
            ),
        ));
    }
    if !train.augment.kinds.is_empty() && !matches!(generator.output(), Shape::Image(h, w, _) if h >= 8 && w >= 8) {
        return Err(Error::recipe(
            format!(
                "recipe key `train.augment.kinds`: augmentation needs images of at least 8x8 pixels, but the generator makes {}",
                generator.output()
            ),
            "remove it",
        ));
    }
    if recipe.data.mirror && generator.output().dims()[1] == 1 {
        return Err(bad_value(
            "data.mirror",
            format_args!("the generator makes {}, which has no left and right", generator.output()),
        ));
    }
    if generator.labels() > 0 && discriminator.labels() == 0 {
        return Err(Error::recipe(
            "the generator is conditional, but the discriminator is not, so nothing makes its images match the labels",
            "put \"embedding 1\" before the discriminator's layers, or end it with \"projection\" instead of \"dense 1\"",
        ));
    }
    if discriminator.labels() > 0 && generator.labels() == 0 {
        return Err(Error::recipe(
            "the discriminator is conditional, but the generator is not, so its images can't match the labels",
            "put \"embedding 32\" before the generator's layers",
        ));
    }
    match alone(recipe, generator, discriminator) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// The first layer that takes images in groups, and the size of a group.
fn groups(net: &Network) -> Option<(&LayerEntry, usize)> {
    net.layers().iter().find_map(|entry| match entry.layer.kind().op(entry.input) {
        Op::MinibatchStd { group, .. } => Some((entry, group)),
        _ => None,
    })
}

/// Batch normalisation of a vector over a batch of one: its output is the same for any input, so nothing can be learned.
fn alone(recipe: &Recipe, generator: &Network, discriminator: &Network) -> Option<Error> {
    let train = &recipe.train;
    let joint = train.joint_batch.joins(discriminator);
    let nets = [(generator, train.batch), (discriminator, if joint { 2 } else { train.batch / train.pac.max(1) })];
    let (net, entry) = nets.into_iter().filter(|(_, batch)| *batch == 1).find_map(|(net, _)| {
        let normalises = |op: Op| matches!(op, Op::BatchNorm { .. } | Op::ConditionalBatchNorm { .. });
        let alone =
            |entry: &&LayerEntry| entry.input.dims()[..2] == [1, 1] && normalises(entry.layer.kind().op(entry.input));
        Some((net, net.layers().iter().find(alone)?))
    })?;
    Some(Error::recipe(
        format!(
            "recipe key `train.batch`: it is {}, so that the {}'s `{}` normalises single vectors, which gives the same output \
             for any input",
            train.batch,
            net.name(),
            entry.line
        ),
        "use larger batches, such as 32, or `layernorm`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Preset;

    fn refused(changes: &[&str]) -> String {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        let recipe = Recipe::parse(Preset::Tp.text(), "tp", &changes);
        recipe.and_then(|r| r.networks().map(|_| r)).map_or_else(|e| e.to_string(), |_| "accepted".into())
    }

    #[test]
    fn combinations_without_meaning_are_refused_with_the_reason() {
        for (changes, part) in [
            (
                &["train.loss=least-squares", "train.label_noise=0.05"][..],
                "`train.label_noise`: it changes the labels of a cross-entropy, which the loss LeastSquares is not",
            ),
            (
                &["train.loss=hinge", "train.smoothing=0.1"][..],
                "`train.smoothing`: it changes the label of real images, but the loss Hinge has no labels",
            ),
            (
                &["train.loss=wasserstein"],
                "`train.loss`: a Wasserstein critic diverges without a bound on its gradient",
            ),
            (&["train.augment.target=0.6"], "`train.augment.kinds` names none"),
            (&["train.noise_steps=10"], "`train.noise` is 0"),
            (&["train.penalty_every=16"], "`train.penalties` names none"),
            (&["train.pac=3"], "`train.pac`: expected a number that divides the batch of 64, got 3"),
            (&["train.penalties.r1=0"], "`train.penalties.r1`: expected a number above 0, below 1,000,000,000, got 0"),
            (
                &["train.penalties.r9=1"],
                "there is no recipe key `train.penalties.r9`; did you mean `train.penalties.r1`?",
            ),
            (
                &["train.penalties.r1=1", "discriminator.layers=[\"batchnorm\",\"flatten\",\"dense 1\"]"],
                "does not allow the gradient penalty R1: it mixes",
            ),
            (
                &["labels.names=[\"a\",\"b\"]", "discriminator.layers=[\"embedding 1\",\"flatten\",\"dense 1\"]"],
                "the generator is not",
            ),
            (&["discriminator.layers=[\"embedding 1\",\"flatten\",\"dense 1\"]"], "it needs labels"),
            (&["train.label_flip=0.7"], "`train.label_flip`: expected a number from 0, below 0.5, got 0.7"),
            (&["train.augment.kinds=[\"blur\"]"], "a list of `colour`, `translation`, `cutout`, got [\"blur\"]"),
            (
                &["discriminator.adam.decay=linear"],
                "`discriminator.adam.decay_updates`: it is the length of the schedule `decay`",
            ),
            (
                &["generator.adam.decay_updates=5"],
                "`generator.adam.decay_updates`: it is the length of the schedule `decay`",
            ),
            (
                &["generator.adam.decay=cosine", "generator.adam.decay_updates=5", "generator.adam.warmup=5"],
                "`generator.adam.decay_updates`: expected more than the warmup of 5, got 5",
            ),
            (&["data.background=blurple"], "`data.background`: expected `white`, `black`, `grey` or `#rrggbb`"),
            (&["data.range=[1]"], "`data.range`: expected two numbers, the smaller one first"),
            (&["data.range=[5, 5.0]"], "got [5.0, 5.0]"),
            (&["data.range=[0, 1, 2]"], "`data.range`: expected two numbers"),
            (&["data.range=[0, nan]"], "`data.range`: expected a list, each a number, got [0,null]"),
            (
                &["train.batch=1", "generator.layers=[\"dense 784\",\"batchnorm\",\"reshape 28 28 1\",\"sigmoid\"]"],
                "`train.batch`: it is 1, so that the generator's `batchnorm` normalises single vectors",
            ),
            (
                &[
                    "train.batch=2",
                    "train.pac=2",
                    "discriminator.layers=[\"flatten\",\"dense 9\",\"batchnorm\",\"dense 1\"]",
                ],
                "`train.batch`: it is 2, so that the discriminator's `batchnorm` normalises single vectors",
            ),
            (&["labels.names=[\"a\"]", "labels.shares=[0.5,0.5]"], "`labels.shares`: expected one for each of the 1"),
        ] {
            let message = refused(changes);
            assert!(message.contains(part), "{changes:?}: {message}");
        }
    }

    #[test]
    fn the_rest_combines_freely() {
        for loss in ["nonsaturating", "saturating", "least-squares", "hinge", "wasserstein", "relativistic"] {
            let loss = format!("train.loss={loss}");
            let penalties = "train.penalties={r1=1.0,r2=1.0,wgan-gp=10.0,dragan=1.0}";
            let all =
                [&loss, penalties, "train.label_flip=0.1", "train.noise=0.1", "train.weight_clip=1", "train.pac=2"];
            assert_eq!(refused(&all), "accepted");
            let spectral = [&loss[..], "discriminator.spectral=true", "train.augment.kinds=[\"colour\",\"cutout\"]"];
            assert_eq!(refused(&spectral), "accepted");
            assert_eq!(refused(&["train.batch=1"]), "accepted", "images are normalised over their pixels");
            let falls =
                [&loss, "discriminator.spectral=true", "generator.adam.decay=linear", "generator.adam.decay_updates=6"];
            assert_eq!(refused(&[&falls[..], &["generator.adam.warmup=5"]].concat()), "accepted");
        }
    }
}
