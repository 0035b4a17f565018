//! The doctor: a watcher that reads a run's events, says what is going wrong in words that name the flag to try, and, if
//! the recipe allows it (`train.heal`, `--heal`), sends the run back under a changed recipe. One file per symptom.
//!
//! What it knows comes from events that the log keeps, so that a run's log, read again, tells the same story: that is how
//! a resumed run goes on, and how `faussaire doctor RUN` works. A symptom is judged over a window that grows with the
//! run's length, and only after such a window has passed. Where thresholds come from: docs/results/doctor.md.

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
pub use history::{RunContext, RunHistory, StepMetrics};
pub use remedy::Remedy;
pub use watch::Doctor;

/// What a symptom's file says of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// What is seen, with figures.
    pub seen: String,
    /// What that usually means.
    pub means: &'static str,
    /// What helps, the best first.
    pub remedies: Vec<Remedy>,
}

impl Symptom {
    /// Looks for it.
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
