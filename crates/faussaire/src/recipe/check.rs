//! What a recipe's values may be, alone and together. Keys combine freely, except where the combination would mean nothing
//! or quietly do something else than it says: those are refused with the reason.

use super::Recipe;
use crate::error::{Error, Result};
use crate::net::{Network, Shape};

/// What is wrong with a value, if anything.
type Problem = Option<String>;

impl Recipe {
    /// The recipe, if its values make sense.
    pub(super) fn checked(self) -> Result<Self> {
        let problem = sizes(&self).or_else(|| optimizers(&self)).or_else(|| shares(&self)).or_else(|| combined(&self));
        match problem {
            None => Ok(self),
            Some(what) => Err(Error::recipe(what, "change it in the recipe or with --set key=value")),
        }
    }
}

fn sizes(recipe: &Recipe) -> Problem {
    let train = &recipe.train;
    match recipe {
        r if r.latent == 0 || r.latent > 1 << 16 => Some(format!("latent is {}, expected 1 to 65536", r.latent)),
        r if !matches!(r.data.channels, 0 | 1 | 3) => {
            Some(format!("data.channels is {}, expected 1, 3, or 0 for as they are", r.data.channels))
        }
        _ if train.batch == 0 || train.batch > 1 << 16 => {
            Some(format!("train.batch is {}, expected 1 to 65536", train.batch))
        }
        _ if train.discriminator_steps == 0 || train.discriminator_steps > 1000 => {
            Some(format!("train.discriminator_steps is {}, expected 1 to 1000", train.discriminator_steps))
        }
        _ if train.packing == 0 || !train.batch.is_multiple_of(train.packing.max(1)) => Some(format!(
            "train.packing is {}, expected a number that divides the batch of {}",
            train.packing, train.batch
        )),
        _ if train.heal > 3 => Some(format!("train.heal is {}, expected 0 to 3", train.heal)),
        _ if train.penalty_every == 0 || train.penalty_every > 1000 => {
            Some(format!("train.penalty_every is {}, expected 1 to 1000", train.penalty_every))
        }
        _ => None,
    }
}

fn optimizers(recipe: &Recipe) -> Problem {
    (recipe.generator.adam.problem().map(|p| format!("generator.{p}")))
        .or_else(|| recipe.discriminator.adam.problem().map(|p| format!("discriminator.{p}")))
}

/// Numbers that must lie in a range.
fn shares(recipe: &Recipe) -> Problem {
    let (train, augment) = (&recipe.train, &recipe.train.augment);
    let below_one = "a number from 0, below 1";
    let ranges = [
        ("train.average", f64::from(train.average as f32), 0.0..1.0, below_one),
        ("train.smoothing", train.smoothing, 0.0..0.5, "a number from 0, below 0.5"),
        ("train.flips", train.flips, 0.0..0.5, "a share from 0, below 0.5"),
        ("train.weight_clip", train.weight_clip, 0.0..1e6, "a size above 0, or 0 for no cut"),
        ("train.noise", train.noise, 0.0..10.0, "a deviation from 0, below 10"),
        ("train.held_out", train.held_out, 0.0..0.5, "a share from 0, below 0.5"),
        ("train.label_weight", train.label_weight, 0.0..1e6, "a weight from 0"),
        ("train.augment.probability", augment.probability, 0.0..1.0 + 1e-9, "a number from 0 to 1"),
        ("train.augment.target", augment.target, 0.0..1.0, below_one),
    ];
    let bad = ranges.iter().find(|(_, value, range, _)| !range.contains(value));
    let penalty = || train.penalties.iter().find(|(_, weight)| !(**weight > 0.0 && **weight < 1e9));
    (bad.map(|(key, value, _, expected)| format!("{key} is {value}, expected {expected}"))).or_else(|| {
        let (kind, weight) = penalty()?;
        Some(format!(
            "the weight of the penalty {kind:?} is {weight}, expected a number above 0; leave it out for none"
        ))
    })
}

/// Keys that must not stand together.
fn combined(recipe: &Recipe) -> Problem {
    let (train, augment) = (&recipe.train, &recipe.train.augment);
    let bounded = !train.penalties.is_empty() || train.weight_clip > 0.0 || recipe.discriminator.spectral;
    if train.smoothing > 0.0 && !train.loss.has_labels() {
        return Some(format!(
            "train.smoothing changes the label of real images, but the loss {:?} has no labels; it goes with nonsaturating, \
             saturating and least-squares",
            train.loss
        ));
    }
    if train.loss.requires_lipschitz() && !bounded {
        return Some(
            "a wasserstein critic without a bound on its slope grows without end; add one: train.penalties = { wgan-gp = \
             10.0 }, train.weight_clip = 0.01, or discriminator.spectral = true"
                .into(),
        );
    }
    if augment.target > 0.0 && augment.kinds.is_empty() {
        return Some("train.augment.target adapts the strength of changes, but train.augment.kinds names none".into());
    }
    if train.noise_steps > 0 && train.noise == 0.0 {
        return Some("train.noise_steps fades noise out, but train.noise is 0".into());
    }
    if train.penalty_every > 1 && train.penalties.is_empty() {
        return Some("train.penalty_every says how often to charge penalties, but train.penalties names none".into());
    }
    None
}

/// What can only be seen of the nets.
pub(super) fn networks(recipe: &Recipe, generator: &Network, discriminator: &Network) -> Result<()> {
    let train = &recipe.train;
    if let (Some((penalty, _)), Some((layer, why))) =
        (train.penalties.first_key_value(), discriminator.penalty_obstacle())
    {
        return Err(Error::recipe(
            format!(
                "the discriminator has a `{}`, which the gradient penalty {penalty:?} can't pass: {why}",
                layer.line
            ),
            "replace the layer, or leave the penalty out (train.penalties)",
        ));
    }
    if train.packing > 1 && discriminator.labels() > 0 {
        return Err(Error::recipe(
            format!("train.packing is {}, but the discriminator takes one label per image", train.packing),
            "a pack of images has no label of its own: choose packing 1, or a discriminator without labels",
        ));
    }
    if !train.augment.kinds.is_empty() && !matches!(generator.output(), Shape::Image(h, w, _) if h >= 8 && w >= 8) {
        return Err(Error::recipe(
            format!("train.augment changes images, but what the generator makes is {}", generator.output()),
            "leave train.augment.kinds out",
        ));
    }
    if discriminator.labels() > 0 && generator.labels() == 0 {
        return Err(Error::recipe(
            "the discriminator is told the labels, but the generator is not, so it could never get them right",
            "put \"embedding 32\" before the generator's layers, or use --conditional",
        ));
    }
    Ok(())
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
            (&["train.loss=hinge", "train.smoothing=0.1"][..], "the loss Hinge has no labels"),
            (&["train.loss=wasserstein"], "without a bound on its slope"),
            (&["train.augment.target=0.6"], "train.augment.kinds names none"),
            (&["train.noise_steps=10"], "train.noise is 0"),
            (&["train.penalty_every=16"], "train.penalties names none"),
            (&["train.packing=3"], "divides the batch of 64"),
            (&["train.penalties.r1=0"], "penalty R1 is 0"),
            (&["train.penalties.r9=1"], "r9"),
            (
                &["train.penalties.r1=1", "discriminator.layers=[\"batchnorm\",\"flatten\",\"dense 1\"]"],
                "can't pass: it mixes",
            ),
            (
                &["labels.names=[\"a\",\"b\"]", "discriminator.layers=[\"embedding 1\",\"flatten\",\"dense 1\"]"],
                "the generator is not",
            ),
            (&["discriminator.layers=[\"embedding 1\",\"flatten\",\"dense 1\"]"], "it needs labels"),
            (&["train.flips=0.7"], "train.flips is 0.7"),
            (&["train.augment.kinds=[\"blur\"]"], "blur"),
            (&["discriminator.adam.decay=linear"], "decay_updates"),
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
                [&loss, penalties, "train.flips=0.1", "train.noise=0.1", "train.weight_clip=1", "train.packing=2"];
            assert_eq!(refused(&all), "accepted");
            let spectral = [&loss[..], "discriminator.spectral=true", "train.augment.kinds=[\"colour\",\"cutout\"]"];
            assert_eq!(refused(&spectral), "accepted");
        }
    }
}
