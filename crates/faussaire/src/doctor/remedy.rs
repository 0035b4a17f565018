//! Remedies, as changes to a recipe. A remedy that changes nothing, because the recipe already has it, is skipped.

use super::RunContext;
use crate::recipe::NetSettings;
use crate::recipe::remarks::without_zeros;
use crate::recipe::sabotage::Sabotage;

/// Adam's default learning rate, to which a higher one is lowered first.
const DEFAULT_RATE: f64 = 1e-3;
/// Higher ones are no target: small nets on points bear it.
const HIGH_RATE: f64 = 1e-2;
/// DCGAN's, the lowest usual one.
const LOW_RATE: f64 = 2e-4;

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
    /// Raise both learning rates to the lowest usual one.
    RaiseBothRates,
    /// Give real and generated images batches of their own.
    SeparateBatches,
    /// Take out the mistake that was built into the training; the phrase says which.
    WithoutMistake(&'static str),
    /// Replace D's relu by leakyrelu, which has a gradient everywhere.
    LeakyDiscriminator,
    /// Initialise D's layers with random weights instead of zeros.
    RandomDiscriminator,
    /// The change of a remark on the recipe.
    OfRemark(&'static str),
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
    pub fn advice(self, context: &RunContext) -> String {
        let phrase = match self {
            Self::OfRemark(name) => context.remark(name).map_or("", |remark| remark.advice.as_str()),
            Self::RaiseBothRates => "train both nets faster",
            Self::SeparateBatches => "give real and generated images batches of their own",
            Self::WithoutMistake(phrase) => phrase,
            Self::LeakyDiscriminator => {
                "replace the discriminator's relu by leakyrelu, which has a gradient everywhere"
            }
            Self::RandomDiscriminator => "initialise the discriminator's layers with random weights",
            Self::LowerDiscriminatorRate => "train the discriminator more slowly",
            Self::LowerGeneratorRate => "train the generator more slowly",
            Self::LowerBothRates => "train both nets more slowly",
            Self::RaiseDiscriminatorRate => "train the discriminator as fast as the generator",
            Self::R1Penalty => "penalise the discriminator's gradient norm at real images (R1)",
            Self::LargerLatent => "use a larger latent",
            Self::Augment => "augment all images before the discriminator sees them",
            Self::InstanceNoise => "add noise to all images that the discriminator sees",
            Self::RandomInit => "initialise the generator's layers with random weights",
        };
        phrase.to_owned()
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
            Self::LowerDiscriminatorRate => vec![rate("discriminator", lowered(d, g))],
            Self::LowerGeneratorRate => vec![rate("generator", lowered(g, d))],
            Self::LowerBothRates => {
                let lower = |rate: f64| if rate > DEFAULT_RATE { DEFAULT_RATE } else { rate / 4.0 };
                vec![rate("generator", lower(g)), rate("discriminator", lower(d))]
            }
            // A rate of G that is too high is no example.
            Self::RaiseDiscriminatorRate if d < g.min(HIGH_RATE) => vec![rate("discriminator", g.min(HIGH_RATE))],
            Self::RaiseBothRates if g < LOW_RATE || d < LOW_RATE => {
                vec![rate("generator", g.max(LOW_RATE)), rate("discriminator", d.max(LOW_RATE))]
            }
            Self::SeparateBatches if context.remark(super::joint_batchnorm::REMARK).is_some() => {
                vec!["train.joint_batch=false".into()]
            }
            Self::WithoutMistake(_) if train.sabotage != Sabotage::default() => vec!["train.sabotage=\"\"".into()],
            Self::LeakyDiscriminator => {
                let leaky = |line: &String| if line.trim() == "relu" { "leakyrelu 0.2".into() } else { line.clone() };
                layers("discriminator", &recipe.discriminator, leaky)
            }
            Self::RandomDiscriminator => layers("discriminator", &recipe.discriminator, |line| without_zeros(line)),
            Self::OfRemark(name) => context.remark(name).map_or_else(Vec::new, |remark| remark.set.clone()),
            Self::R1Penalty if train.penalties.is_empty() && context.takes_penalty => {
                // Points form clusters much narrower than the plane, so D's gradient must be allowed to be large.
                vec![format!("train.penalties.r1={}", if context.points { "0.001" } else { "1" })]
            }
            Self::LargerLatent if recipe.latent < 32 => vec![format!("latent={}", if context.points { 8 } else { 32 })],
            Self::Augment if train.augment.kinds.is_empty() && !context.points => {
                vec!["train.augment.kinds=[\"translation\", \"cutout\"]".into()]
            }
            Self::InstanceNoise if train.noise == 0.0 => vec!["train.noise=0.1".into()],
            Self::RandomInit => layers("generator", &recipe.generator, |line| without_zeros(line)),
            _ => Vec::new(),
        }
    }
}

/// `rate` lowered to the `other` net's, or to half of itself; to Adam's default at most.
fn lowered(rate: f64, other: f64) -> f64 {
    let lower = if rate > other { other } else { rate / 2.0 };
    if lower > HIGH_RATE { DEFAULT_RATE } else { lower }
}

/// The layers of `net` with each line changed; nothing where that changes none.
fn layers(name: &str, net: &NetSettings, change: impl Fn(&String) -> String) -> Vec<String> {
    let layers: Vec<String> = net.layers.iter().map(change).collect();
    if layers == net.layers { Vec::new() } else { vec![format!("{name}.layers={}", toml::Value::from(layers))] }
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
        let without = |net: &NetSettings| super::layers("generator", net, |line| without_zeros(line));
        assert_eq!(without(&net), [format!("generator.layers={layers}")]);
        assert!(without(&NetSettings::new(["dense 1 init he", "relu"])).is_empty());
    }

    #[test]
    fn a_lowered_rate_is_never_a_high_one() {
        assert_eq!(
            [lowered(0.2, 5e-4), lowered(1e-3, 1e-3), lowered(0.1, 0.1), lowered(1.0, 0.5)],
            [5e-4, 5e-4, 1e-3, 1e-3]
        );
    }
}
