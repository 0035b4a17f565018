//! GAN methods by their papers' names: a loss together with the regularisation of the critic's gradient. `loss=hinge`
//! changes one key of a recipe and keeps its penalties; `loss=wgan-gp` changes all keys that define WGAN-GP.

use crate::penalty::Penalty;
use crate::recipe::TrainSettings;

/// A GAN method, by its paper's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Cross-entropy with flipped labels, nothing else (Goodfellow et al. 2014).
    Gan,
    /// Least squares (Mao et al. 2017).
    Lsgan,
    /// Wasserstein with clipped weights (Arjovsky et al. 2017).
    Wgan,
    /// Wasserstein with a gradient penalty between real and generated images (Gulrajani et al. 2017).
    WganGp,
    /// Cross-entropy with a gradient penalty near real images (Kodali et al. 2017).
    Dragan,
    /// Hinge with spectral normalisation (Miyato et al. 2018).
    Sngan,
    /// Relativistic pairing with R1 and R2 (Huang et al. 2024).
    R3gan,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Gan, Self::Lsgan, Self::Wgan, Self::WganGp, Self::Dragan, Self::Sngan, Self::R3gan];

    /// Its name in `--vary loss=NAME`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gan => "gan",
            Self::Lsgan => "lsgan",
            Self::Wgan => "wgan",
            Self::WganGp => "wgan-gp",
            Self::Dragan => "dragan",
            Self::Sngan => "sngan",
            Self::R3gan => "r3gan",
        }
    }

    /// Its changes to a recipe, as `key=value`. Weights that the recipe has for the same penalty or clipping are kept,
    /// since they depend on the data; the others are the paper's (for R3GAN 1, which is within its range for small
    /// images).
    pub fn changes(self, recipe: &TrainSettings) -> Vec<String> {
        let weight = |penalty: Penalty, usual: f64| recipe.penalties.get(&penalty).copied().unwrap_or(usual);
        let clip = if recipe.weight_clip > 0.0 { recipe.weight_clip } else { 0.01 };
        let (loss, penalties, clip) = match self {
            Self::Gan => ("nonsaturating", vec![], 0.0),
            Self::Lsgan => ("least-squares", vec![], 0.0),
            Self::Wgan => ("wasserstein", vec![], clip),
            Self::WganGp => ("wasserstein", vec![("wgan-gp", weight(Penalty::WganGp, 10.0))], 0.0),
            Self::Dragan => ("nonsaturating", vec![("dragan", weight(Penalty::Dragan, 10.0))], 0.0),
            Self::Sngan => ("hinge", vec![], 0.0),
            Self::R3gan => {
                ("relativistic", vec![("r1", weight(Penalty::R1, 1.0)), ("r2", weight(Penalty::R2, 1.0))], 0.0)
            }
        };
        let list: Vec<String> = penalties.iter().map(|(name, weight)| format!("{name} = {weight:?}")).collect();
        let mut changes = vec![
            format!("train.loss={loss}"),
            format!("train.penalties={{ {} }}", list.join(", ")),
            format!("train.weight_clip={clip:?}"),
        ];
        if penalties.is_empty() {
            changes.push("train.penalty_every=1".into());
        }
        if self == Self::Sngan {
            changes.push("discriminator.spectral=true".into());
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::Loss;
    use crate::{Preset, Recipe};

    #[test]
    fn each_game_is_a_recipe_that_is_accepted() {
        let ring = Recipe::parse(Preset::Ring.text(), "ring", &[]).unwrap();
        let changed =
            |method: Method| Recipe::parse(Preset::Ring.text(), "ring", &method.changes(&ring.train)).unwrap();
        for method in Method::ALL {
            changed(method).networks().unwrap();
        }
        let plain = changed(Method::Gan).train;
        assert_eq!((plain.loss, plain.penalties.len(), plain.weight_clip), (Loss::Nonsaturating, 0, 0.0));
        let gp = changed(Method::WganGp).train;
        assert_eq!((gp.loss, gp.penalties.len(), gp.penalties[&Penalty::WganGp]), (Loss::Wasserstein, 1, 10.0));
        // The weights that the recipe found for its own data.
        assert_eq!(changed(Method::R3gan), ring);
        assert_eq!(changed(Method::Wgan).train.weight_clip, 0.01);
        assert!(changed(Method::Sngan).discriminator.spectral);
    }
}
