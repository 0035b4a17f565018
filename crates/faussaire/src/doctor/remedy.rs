//! Remedies, as changes to a recipe. A remedy that changes nothing, because the recipe already has it, is skipped.

use super::RunContext;
use crate::recipe::NetSettings;

/// Adam's default learning rate, to which a higher one is lowered first.
const DEFAULT_RATE: f64 = 1e-3;

/// A change to the recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Lower D's learning rate to G's, or to half of its own.
    LowerDiscriminatorRate,
    /// Lower G's learning rate to D's, or to half of its own.
    LowerGeneratorRate,
    /// Lower both learning rates.
    LowerBothRates,
    /// Raise D's learning rate to G's.
    RaiseDiscriminatorRate,
    /// Penalise D's gradient norm at real images (R1).
    R1Penalty,
    /// A larger latent.
    LargerLatent,
    /// Augment all images before D sees them.
    Augment,
    /// Add noise to all images that D sees.
    InstanceNoise,
    /// Initialise G's layers with random weights instead of zeros.
    RandomInit,
}

impl Remedy {
    /// What it does, as a phrase that a flag can follow.
    pub fn advice(self) -> &'static str {
        match self {
            Self::LowerDiscriminatorRate => "train the discriminator more slowly",
            Self::LowerGeneratorRate => "train the generator more slowly",
            Self::LowerBothRates => "train both nets more slowly",
            Self::RaiseDiscriminatorRate => "train the discriminator as fast as the generator",
            Self::R1Penalty => "penalise the discriminator's gradient norm at real images (R1)",
            Self::LargerLatent => "use a larger latent",
            Self::Augment => "augment all images before the discriminator sees them",
            Self::InstanceNoise => "add noise to all images that the discriminator sees",
            Self::RandomInit => "initialise the generator's layers with random weights",
        }
    }

    /// The changes to the recipe of `context`; none where it has them already or they don't fit.
    pub fn changes(self, context: &RunContext) -> Vec<String> {
        let recipe = &context.recipe;
        let (g, d, train) =
            (recipe.generator.adam.learning_rate, recipe.discriminator.adam.learning_rate, &recipe.train);
        let rate = |net: &str, rate: f64| format!("{net}.adam.learning_rate={}", rounded(rate));
        match self {
            Self::LowerDiscriminatorRate if train.n_critic > 1 && !train.loss.requires_lipschitz() => {
                vec!["train.n_critic=1".into(), rate("discriminator", d.min(g))]
            }
            Self::LowerDiscriminatorRate => vec![rate("discriminator", if d > g { g } else { d / 2.0 })],
            Self::LowerGeneratorRate => vec![rate("generator", if g > d { d } else { g / 2.0 })],
            Self::LowerBothRates => {
                let lower = |rate: f64| if rate > DEFAULT_RATE { DEFAULT_RATE } else { rate / 4.0 };
                vec![rate("generator", lower(g)), rate("discriminator", lower(d))]
            }
            Self::RaiseDiscriminatorRate if d < g => vec![rate("discriminator", g)],
            Self::R1Penalty if train.penalties.is_empty() && context.takes_penalty => {
                // Points form clusters much narrower than the plane, so D's gradient must be allowed to be large.
                vec![format!("train.penalties.r1={}", if context.points { "0.001" } else { "1" })]
            }
            Self::LargerLatent if recipe.latent < 32 => vec![format!("latent={}", if context.points { 8 } else { 32 })],
            Self::Augment if train.augment.kinds.is_empty() && !context.points => {
                vec!["train.augment.kinds=[\"translation\", \"cutout\"]".into()]
            }
            Self::InstanceNoise if train.noise == 0.0 => vec!["train.noise=0.1".into()],
            Self::RandomInit => random_init(&recipe.generator),
            _ => Vec::new(),
        }
    }
}

/// The layers of `net` without their `init zeros`.
fn random_init(net: &NetSettings) -> Vec<String> {
    let layers: Vec<String> = net.layers.iter().map(|line| without_zeros(line)).collect();
    if layers == net.layers { Vec::new() } else { vec![format!("generator.layers={}", toml::Value::from(layers))] }
}

/// A layer without `init zeros`; any other layer as it is.
fn without_zeros(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.windows(2).position(|pair| pair == ["init", "zeros"]) {
        Some(at) => [&words[..at], &words[at + 2..]].concat().join(" "),
        None => line.to_owned(),
    }
}

/// `rate` with three significant digits, so that it is easy to type.
fn rounded(rate: f64) -> f64 {
    format!("{rate:.2e}").parse().unwrap_or(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_removed_and_nothing_else() {
        let net =
            NetSettings::new(["dense 4*4 init zeros", "conv 8  3x3 init  zeros stride 2", "relu", "dense 1 init he"]);
        let layers = r#"["dense 4*4", "conv 8 3x3 stride 2", "relu", "dense 1 init he"]"#;
        assert_eq!(random_init(&net), [format!("generator.layers={layers}")]);
        assert!(random_init(&NetSettings::new(["dense 1 init he", "relu"])).is_empty());
    }
}
