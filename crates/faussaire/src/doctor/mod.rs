//! The doctor: a watcher that examines a run's events, reports failures with the recipe change to try and, if the
//! recipe allows it (`train.heal`), sends the run back under a changed recipe. One file per symptom.
//!
//! It uses only events that the log keeps, so that it finds the same in a log that is read again: that is how a resumed
//! run continues, and how `faussaire doctor RUN` works. A symptom is examined over windows that grow with the run's
//! length, and only after such a window has passed. docs/results/doctor.md says how the thresholds were chosen.

mod collapse;
mod copying;
mod diverged;
mod helpless;
mod history;
mod narrow;
mod overfitting;
mod overpowering;
mod past_best;
mod remedy;
mod restless;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;
mod watch;

pub use crate::train::{Finding, Heal, Symptom};
pub use history::RunContext;
pub(crate) use history::RunHistory;
use history::StepMetrics;
use remedy::Remedy;
pub use watch::Doctor;

/// The result of a symptom's examination of a run.
#[derive(Clone, Debug, PartialEq)]
struct Observation {
    /// What was measured, with figures.
    pub seen: String,
    /// What it usually means.
    pub means: &'static str,
    /// Remedies to try, the best first.
    pub remedies: Vec<Remedy>,
}

impl Symptom {
    /// Examines the run for it; none where the run doesn't show it.
    fn examine(self, history: &RunHistory) -> Option<Observation> {
        match self {
            Self::Diverged => diverged::examine(history),
            Self::Collapse => collapse::examine(history),
            Self::NarrowLatent => narrow::examine(history),
            Self::RestlessGenerator => restless::examine(history),
            Self::OverpoweringDiscriminator => overpowering::examine(history),
            Self::HelplessDiscriminator => helpless::examine(history),
            Self::Overfitting => overfitting::examine(history),
            Self::Copying => copying::examine(history),
            Self::PastBest => past_best::examine(history),
        }
    }
}
