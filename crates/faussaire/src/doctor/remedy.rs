//! What helps, as changes to a recipe. A remedy that changes nothing, because the recipe already has it, is passed over.

use super::Case;
use crate::recipe::NetSettings;

/// Adam's usual learning rate, to which a faster one is brought down at first.
const USUAL_RATE: f64 = 1e-3;

/// A change to the recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// D learns more slowly: no faster than G, or half as fast as it did.
    GentlerDiscriminator,
    /// G learns more slowly: no faster than D, or half as fast as it did.
    GentlerGenerator,
    /// Both learn more slowly.
    GentlerBoth,
    /// D learns as fast as G.
    EagerDiscriminator,
    /// D's slope at real images is penalised.
    PenaliseSlope,
    /// More numbers of noise.
    WiderLatent,
    /// D sees every image slightly changed.
    Augment,
    /// Noise on what D sees.
    BlurSight,
    /// A first layer of G that starts at random instead of at zero.
    FreshGenerator,
}

impl Remedy {
    /// What it does, in a few words that a flag can follow.
    pub fn advice(self) -> &'static str {
        match self {
            Self::GentlerDiscriminator => "let the discriminator learn more slowly",
            Self::GentlerGenerator => "let the generator learn more slowly",
            Self::GentlerBoth => "let both nets learn more slowly",
            Self::EagerDiscriminator => "let the discriminator learn as fast as the generator",
            Self::PenaliseSlope => "penalise the discriminator's slope at real images (R1)",
            Self::WiderLatent => "give the generator more numbers of noise",
            Self::Augment => "change all images at random before the discriminator sees them",
            Self::BlurSight => "add noise to all that the discriminator sees",
            Self::FreshGenerator => "start the generator's layers at random numbers",
        }
    }

    /// The changes to the recipe of `case`; none where it has them already or they don't fit.
    pub fn changes(self, case: &Case) -> Vec<String> {
        let recipe = &case.recipe;
        let (g, d, train) = (recipe.generator.adam.rate, recipe.discriminator.adam.rate, &recipe.train);
        let rate = |net: &str, rate: f64| format!("{net}.adam.rate={}", rounded(rate));
        match self {
            Self::GentlerDiscriminator if train.discriminator_steps > 1 && !train.loss.requires_lipschitz() => {
                vec!["train.discriminator_steps=1".into(), rate("discriminator", d.min(g))]
            }
            Self::GentlerDiscriminator => vec![rate("discriminator", if d > g { g } else { d / 2.0 })],
            Self::GentlerGenerator => vec![rate("generator", if g > d { d } else { g / 2.0 })],
            Self::GentlerBoth => {
                let gentler = |rate: f64| if rate > USUAL_RATE { USUAL_RATE } else { rate / 4.0 };
                vec![rate("generator", gentler(g)), rate("discriminator", gentler(d))]
            }
            Self::EagerDiscriminator if d < g => vec![rate("discriminator", g)],
            Self::PenaliseSlope if train.penalties.is_empty() && case.takes_penalty => {
                // Points lie in clusters much narrower than the plane, so D's slope must be allowed to be steep.
                vec![format!("train.penalties.r1={}", if case.points { "0.001" } else { "1" })]
            }
            Self::WiderLatent if recipe.latent < 32 => vec![format!("latent={}", if case.points { 8 } else { 32 })],
            Self::Augment if train.augment.kinds.is_empty() && !case.points => {
                vec!["train.augment.kinds=[\"translation\", \"cutout\"]".into()]
            }
            Self::BlurSight if train.noise == 0.0 => vec!["train.noise=0.1".into()],
            Self::FreshGenerator => fresh(&recipe.generator),
            _ => Vec::new(),
        }
    }
}

/// The layers of `net` with every ` init zeros` taken off.
fn fresh(net: &NetSettings) -> Vec<String> {
    const ZEROS: &str = " init zeros";
    if !net.layers.iter().any(|line| line.contains(ZEROS)) {
        return Vec::new();
    }
    let lines: Vec<String> = net.layers.iter().map(|line| format!("\"{}\"", line.replace(ZEROS, ""))).collect();
    vec![format!("generator.layers=[{}]", lines.join(", "))]
}

/// Three significant digits, so that a flag can be typed.
fn rounded(rate: f64) -> f64 {
    format!("{rate:.2e}").parse().unwrap_or(rate)
}
