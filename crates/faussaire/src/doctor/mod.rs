//! The doctor: a watcher that examines a run's events, reports failures with the recipe change to try and, if the
//! recipe allows it (`train.heal`), sends the run back under a changed recipe. One file per symptom.
//!
//! It uses only events that the log keeps, so that it finds the same in a log that is read again: that is how a resumed
//! run continues, and how `faussaire doctor RUN` works. A symptom is examined over windows that grow with the run's
//! length, and only after such a window has passed. docs/results/doctor.md says how the thresholds were chosen.
//!
//! Findings don't contradict each other: a symptom that another one explains is not reported after it
//! (`Symptom::explains`), and no remedy undoes an earlier one (`watch.rs`). What is unusual in the recipe
//! ([`crate::recipe::Remark`]) is named as the likely cause, with its remedy first.

mod changes;
mod collapse;
mod copying;
mod dead;
mod diverged;
mod erratic;
mod helpless;
mod history;
mod joint_batchnorm;
mod narrow;
mod overfitting;
mod overpowering;
mod past_best;
mod rates;
mod remedy;
mod restless;
mod reversed;
mod still;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;
mod unfrozen;
mod watch;

pub use crate::train::{Finding, Heal, Symptom};
pub use history::RunContext;
pub(crate) use history::RunHistory;
use history::StepMetrics;
use remedy::Remedy;
pub use watch::Doctor;

/// The result of a symptom's examination of a run.
#[derive(Clone, Debug, Default, PartialEq)]
struct Observation {
    /// What was measured, with figures.
    pub seen: String,
    /// What it usually means.
    pub means: &'static str,
    /// Remarks on a recipe that explain it, the likeliest first.
    pub causes: &'static [&'static str],
    /// Remedies to try where the recipe has none of the causes, or where theirs was tried; the best first.
    pub remedies: Vec<Remedy>,
}

impl Observation {
    /// The first of the causes that is in the recipe.
    fn cause(&self, context: &RunContext) -> Option<&'static str> {
        self.causes.iter().copied().find(|name| context.remark(name).is_some())
    }

    /// All remedies for the recipe of `context`, that of its cause first.
    fn all_remedies(&self, context: &RunContext) -> Vec<Remedy> {
        self.cause(context).map(Remedy::OfRemark).into_iter().chain(self.remedies.iter().copied()).collect()
    }
}

impl Symptom {
    /// Examines the run for it; none where the run doesn't show it.
    fn examine(self, history: &RunHistory) -> Option<Observation> {
        match self {
            Self::Diverged => diverged::examine(history),
            Self::JointBatchnorm => joint_batchnorm::examine(history),
            Self::UnfrozenDiscriminator => unfrozen::examine(history),
            Self::ReversedGenerator => reversed::examine(history),
            Self::RatesTooHigh => rates::examine(history),
            Self::DeadDiscriminator => dead::examine(history),
            Self::Collapse => collapse::examine(history),
            Self::NarrowLatent => narrow::examine(history),
            Self::RestlessGenerator => restless::examine(history),
            Self::ErraticDiscriminator => erratic::examine(history),
            Self::StandingStill => still::examine(history),
            Self::OverpoweringDiscriminator => overpowering::examine(history),
            Self::HelplessDiscriminator => helpless::examine(history),
            Self::Overfitting => overfitting::examine(history),
            Self::Copying => copying::examine(history),
            Self::PastBest => past_best::examine(history),
        }
    }

    /// The symptoms that follow from it, or that exclude it: they are not reported after it, until the run is healed. A
    /// cause is reported after its effects.
    fn explains(self) -> &'static [Self] {
        use Symptom::*;
        match self {
            // After it nothing else can be told.
            Diverged => &Self::ALL,
            JointBatchnorm | UnfrozenDiscriminator | ReversedGenerator | RatesTooHigh | DeadDiscriminator => &[
                DeadDiscriminator,
                RestlessGenerator,
                ErraticDiscriminator,
                StandingStill,
                Collapse,
                OverpoweringDiscriminator,
                HelplessDiscriminator,
                PastBest,
            ],
            NarrowLatent => &[Collapse],
            RestlessGenerator | ErraticDiscriminator => &[
                RestlessGenerator,
                ErraticDiscriminator,
                DeadDiscriminator,
                StandingStill,
                Collapse,
                OverpoweringDiscriminator,
                HelplessDiscriminator,
                PastBest,
            ],
            StandingStill => &[Collapse, OverpoweringDiscriminator, HelplessDiscriminator, PastBest],
            Collapse => &[OverpoweringDiscriminator, HelplessDiscriminator, StandingStill, PastBest],
            OverpoweringDiscriminator => &[HelplessDiscriminator, Collapse, StandingStill, PastBest],
            HelplessDiscriminator => &[OverpoweringDiscriminator, Collapse, StandingStill, PastBest],
            Overfitting | Copying => &[PastBest],
            PastBest => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strong_and_a_weak_discriminator_exclude_each_other() {
        let [strong, weak] = [Symptom::OverpoweringDiscriminator, Symptom::HelplessDiscriminator];
        assert!(strong.explains().contains(&weak) && weak.explains().contains(&strong));
        // No effect explains a cause that is examined before it, but for the pairs that exclude each other.
        for (at, cause) in Symptom::ALL.iter().enumerate() {
            for effect in cause.explains() {
                let place = Symptom::ALL.iter().position(|one| one == effect);
                let pair = effect.explains().contains(cause);
                assert!(place >= Some(at) || pair, "{cause:?} explains {effect:?}");
            }
        }
    }
}
