//! Losses: pure functions from the discriminator's logits to a number, one file each. They take what stands under a
//! final sigmoid, and write log(sigmoid(x)) as the stable -softplus(-x).

mod cross_entropy;
mod nonsaturating;

pub use cross_entropy::binary_cross_entropy;

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

/// The discriminator's logits, `[batch, 1, 1, 1]` each.
#[derive(Clone, Debug)]
pub struct Scores {
    /// On real images.
    pub real: Tensor<4>,
    /// On generated ones.
    pub fake: Tensor<4>,
}

impl Scores {
    /// Splits the logits of a mixed batch whose first `real` rows are real images.
    pub fn split(logits: Tensor<4>, real: usize) -> Self {
        let [batch, h, w, c] = logits.dims();
        Self {
            real: logits.clone().slice([0..real, 0..h, 0..w, 0..c]),
            fake: logits.slice([real..batch, 0..h, 0..w, 0..c]),
        }
    }
}

/// Which game the two nets play.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Binary cross-entropy for both, the generator's with flipped labels (Goodfellow et al. 2014, section 3).
    #[default]
    Nonsaturating,
}

impl Loss {
    /// What the discriminator minimises; a scalar.
    pub fn discriminator(self, scores: &Scores) -> Tensor<1> {
        match self {
            Self::Nonsaturating => nonsaturating::discriminator(scores),
        }
    }

    /// What the generator minimises, from the logits on its images; a scalar.
    pub fn generator(self, fake: Tensor<4>) -> Tensor<1> {
        match self {
            Self::Nonsaturating => nonsaturating::generator(fake),
        }
    }
}

/// log(1 + exp(x)), without overflow.
pub(crate) fn softplus(x: Tensor<4>) -> Tensor<4> {
    activation::log_sigmoid(x.neg()).neg()
}
