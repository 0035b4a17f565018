//! The doctor's findings and heals, as data. Events of the log contain them, so they are defined here and not in the
//! doctor, which depends on the events.

use serde::{Deserialize, Serialize};

use crate::recipe::flags;

/// A failure of a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Symptom {
    /// A loss that is NaN or infinite.
    Diverged,
    /// A discriminator with batch normalisation that takes real and generated images as one batch.
    JointBatchnorm,
    /// A discriminator that the generator's step moves, too.
    UnfrozenDiscriminator,
    /// A generator that learns to be recognised.
    ReversedGenerator,
    /// Learning rates of both nets that are too high.
    RatesTooHigh,
    /// A discriminator that gives all images the same score.
    DeadDiscriminator,
    /// Generated images that are all alike, or only a few.
    Collapse,
    /// A latent that is too small for the images.
    NarrowLatent,
    /// A generator whose images change too much with each update.
    RestlessGenerator,
    /// A discriminator whose scores change too much with each update.
    ErraticDiscriminator,
    /// A generator whose images hardly change.
    StandingStill,
    /// A discriminator that separates real from generated images with near certainty.
    OverpoweringDiscriminator,
    /// A discriminator that learns nothing.
    HelplessDiscriminator,
    /// A discriminator that has memorised the training images.
    Overfitting,
    /// Generated images that are copies of training images.
    Copying,
    /// A score that has been rising since its best.
    PastBest,
}

/// A finding: what was measured, what it usually means, what to try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// The step at which it was found.
    pub step: u64,
    /// The symptom.
    pub name: Symptom,
    /// What was measured.
    pub seen: String,
    /// What it usually means.
    pub means: String,
    /// What to try, without flags.
    pub advice: String,
    /// The changes to the recipe that do so, as `key=value`.
    pub set: Vec<String>,
}

/// A return to an earlier state under a changed recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Heal {
    /// The step at which the finding was made.
    pub step: u64,
    /// The symptom of which the run was healed.
    pub name: Symptom,
    /// The step from which the run continues.
    pub back_to: u64,
    /// The checkpoint that was loaded; none where the run restarted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// What was changed, without flags.
    pub remedy: String,
    /// The changes to the recipe.
    pub set: Vec<String>,
}

impl Symptom {
    /// All of them, the most severe first: a run that shows several is healed of the first.
    pub const ALL: [Self; 16] = [
        Self::Diverged,
        Self::JointBatchnorm,
        Self::UnfrozenDiscriminator,
        Self::ReversedGenerator,
        Self::RatesTooHigh,
        Self::DeadDiscriminator,
        Self::NarrowLatent,
        Self::RestlessGenerator,
        Self::ErraticDiscriminator,
        Self::StandingStill,
        Self::Collapse,
        Self::OverpoweringDiscriminator,
        Self::HelplessDiscriminator,
        Self::Overfitting,
        Self::Copying,
        Self::PastBest,
    ];

    /// What it is called in logs and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Diverged => "diverged",
            Self::JointBatchnorm => "joint-batchnorm",
            Self::UnfrozenDiscriminator => "unfrozen-discriminator",
            Self::ReversedGenerator => "reversed-generator",
            Self::RatesTooHigh => "rates-too-high",
            Self::DeadDiscriminator => "dead-discriminator",
            Self::Collapse => "collapse",
            Self::NarrowLatent => "narrow-latent",
            Self::RestlessGenerator => "restless-generator",
            Self::ErraticDiscriminator => "erratic-discriminator",
            Self::StandingStill => "standing-still",
            Self::OverpoweringDiscriminator => "overpowering-discriminator",
            Self::HelplessDiscriminator => "helpless-discriminator",
            Self::Overfitting => "overfitting",
            Self::Copying => "copying",
            Self::PastBest => "past-best",
        }
    }

    /// Whether a run that shows it is useless as it is, so that going back loses nothing.
    pub(crate) fn is_fatal(self) -> bool {
        match self {
            Self::Diverged
            | Self::JointBatchnorm
            | Self::UnfrozenDiscriminator
            | Self::ReversedGenerator
            | Self::RatesTooHigh
            | Self::DeadDiscriminator
            | Self::NarrowLatent
            | Self::RestlessGenerator
            | Self::ErraticDiscriminator
            | Self::StandingStill
            | Self::Collapse
            | Self::OverpoweringDiscriminator
            | Self::HelplessDiscriminator => true,
            Self::Overfitting | Self::Copying | Self::PastBest => false,
        }
    }
}

impl Finding {
    /// The flags to try, as one types them; nothing where no flag helps.
    pub fn flags(&self) -> String {
        flags(&self.set)
    }
}

impl Heal {
    /// The changes, as one would have typed them.
    pub fn flags(&self) -> String {
        flags(&self.set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_log() {
        for symptom in Symptom::ALL {
            assert_eq!(serde_json::to_value(symptom).unwrap(), symptom.name());
        }
    }
}
