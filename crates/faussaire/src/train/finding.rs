//! What the doctor finds and does, as data: events of the log name them, so they are defined beside the events and not in
//! the doctor, which watches the events.

use serde::{Deserialize, Serialize};

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Symptom {
    /// A loss that is no number.
    Diverged,
    /// Generated images that are all alike, or few.
    Collapse,
    /// Noise of too few numbers for the images.
    NarrowLatent,
    /// A generator that jumps about.
    RestlessGenerator,
    /// A discriminator that is right about everything.
    OverpoweringDiscriminator,
    /// A discriminator that learns nothing.
    HelplessDiscriminator,
    /// A discriminator that knows the training images by heart.
    Overfitting,
    /// Generated images that are copies of training images.
    Copying,
    /// A score that has been rising since its best.
    PastBest,
}

/// A finding, as an event: one sentence of what is seen, one of what it usually means, one of what to try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The step at which it was seen.
    pub step: u64,
    /// What it is called.
    pub name: Symptom,
    /// What is seen.
    pub seen: String,
    /// What that usually means.
    pub means: String,
    /// What to try, without the flags.
    pub advice: String,
    /// The changes to the recipe that do so, as `--set` takes them.
    pub set: Vec<String>,
}

/// A return to an earlier state under a changed recipe, as an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heal {
    /// The step at which the finding was made.
    pub step: u64,
    /// The finding.
    pub name: Symptom,
    /// The step from which the run goes on.
    pub back_to: u64,
    /// The checkpoint that was loaded; nothing where the run began again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// What was done, without the flags.
    pub remedy: String,
    /// The changes to the recipe.
    pub set: Vec<String>,
}

impl Symptom {
    /// All of them, the graver first: a run that shows several is healed of the first.
    pub const ALL: [Self; 9] = [
        Self::Diverged,
        Self::NarrowLatent,
        Self::RestlessGenerator,
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
            Self::Collapse => "collapse",
            Self::NarrowLatent => "narrow-latent",
            Self::RestlessGenerator => "restless-generator",
            Self::OverpoweringDiscriminator => "overpowering-discriminator",
            Self::HelplessDiscriminator => "helpless-discriminator",
            Self::Overfitting => "overfitting",
            Self::Copying => "copying",
            Self::PastBest => "past-best",
        }
    }

    /// Whether a run that shows it is worth nothing as it is, so that going back costs nothing.
    pub fn is_fatal(self) -> bool {
        match self {
            Self::Diverged
            | Self::NarrowLatent
            | Self::RestlessGenerator
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

fn flags(set: &[String]) -> String {
    let quoted = |change: &String| {
        let plain = change.chars().all(|c| c.is_alphanumeric() || "._-=+".contains(c));
        if plain { format!("--set {change}") } else { format!("--set '{change}'") }
    };
    set.iter().map(quoted).collect::<Vec<_>>().join(" ")
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

    #[test]
    fn flags_survive_a_shell() {
        let set = ["train.penalties.r1=1", "train.augment.kinds=[\"translation\"]"].map(String::from).to_vec();
        assert_eq!(flags(&set), "--set train.penalties.r1=1 --set 'train.augment.kinds=[\"translation\"]'");
    }
}
