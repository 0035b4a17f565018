//! What helps, as changes to a recipe. A remedy that changes nothing, because the recipe already has it, is passed over.

use super::RunContext;
use crate::recipe::NetSettings;

/// Adam's usual learning rate, to which a faster one is brought down at first.
const USUAL_RATE: f64 = 1e-3;

/// A change to the recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// D learns more slowly: no faster than G, or half as fast as it did.
    LowerDiscriminatorRate,
    /// G learns more slowly: no faster than D, or half as fast as it did.
    LowerGeneratorRate,
    /// Both learn more slowly.
    LowerBothRates,
    /// D learns as fast as G.
    RaiseDiscriminatorRate,
    /// D's slope at real images is penalised.
    R1Penalty,
    /// More numbers of noise.
    LargerLatent,
    /// D sees every image slightly changed.
    Augment,
    /// Noise on what D sees.
    InstanceNoise,
    /// A first layer of G that starts at random instead of at zero.
    RandomInit,
}

impl Remedy {
    /// What it does, in a few words that a flag can follow.
    pub fn advice(self) -> &'static str {
        match self {
            Self::LowerDiscriminatorRate => "let the discriminator learn more slowly",
            Self::LowerGeneratorRate => "let the generator learn more slowly",
            Self::LowerBothRates => "let both nets learn more slowly",
            Self::RaiseDiscriminatorRate => "let the discriminator learn as fast as the generator",
            Self::R1Penalty => "penalise the discriminator's slope at real images (R1)",
            Self::LargerLatent => "give the generator more numbers of noise",
            Self::Augment => "change all images at random before the discriminator sees them",
            Self::InstanceNoise => "add noise to all that the discriminator sees",
            Self::RandomInit => "start the generator's layers at random numbers",
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
                let gentler = |rate: f64| if rate > USUAL_RATE { USUAL_RATE } else { rate / 4.0 };
                vec![rate("generator", gentler(g)), rate("discriminator", gentler(d))]
            }
            Self::RaiseDiscriminatorRate if d < g => vec![rate("discriminator", g)],
            Self::R1Penalty if train.penalties.is_empty() && context.takes_penalty => {
                // Points lie in clusters much narrower than the plane, so D's slope must be allowed to be steep.
                vec![format!("train.penalties.r1={}", if context.points { "0.001" } else { "1" })]
            }
            Self::LargerLatent if recipe.latent < 32 => vec![format!("latent={}", if context.points { 8 } else { 32 })],
            Self::Augment if train.augment.kinds.is_empty() && !context.points => {
                vec!["train.augment.kinds=[\"translation\", \"cutout\"]".into()]
            }
            Self::InstanceNoise if train.noise == 0.0 => vec!["train.noise=0.1".into()],
            Self::RandomInit => fresh(&recipe.generator),
            _ => Vec::new(),
        }
    }
}

/// The layers of `net` without their `init zeros`.
fn fresh(net: &NetSettings) -> Vec<String> {
    let layers: Vec<String> = net.layers.iter().map(|line| without_zeros(line)).collect();
    if layers == net.layers { Vec::new() } else { vec![format!("generator.layers={}", toml::Value::from(layers))] }
}

/// A layer without the two words that start its weights at zero; any other layer as it is.
fn without_zeros(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.windows(2).position(|pair| pair == ["init", "zeros"]) {
        Some(at) => [&words[..at], &words[at + 2..]].concat().join(" "),
        None => line.to_owned(),
    }
}

/// Three significant digits, so that a flag can be typed.
fn rounded(rate: f64) -> f64 {
    format!("{rate:.2e}").parse().unwrap_or(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_layers_lose_their_zeros_and_nothing_else() {
        let net =
            NetSettings::new(["dense 4*4 init zeros", "conv 8  3x3 init  zeros stride 2", "relu", "dense 1 init he"]);
        let layers = r#"["dense 4*4", "conv 8 3x3 stride 2", "relu", "dense 1 init he"]"#;
        assert_eq!(fresh(&net), [format!("generator.layers={layers}")]);
        assert!(fresh(&NetSettings::new(["dense 1 init he", "relu"])).is_empty());
    }
}
