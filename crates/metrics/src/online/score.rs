//! One score of a training.

use crate::ScoreName;

/// A score with its name and, where it is known, its uncertainty.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OnlineScore {
    /// Metric and setting.
    pub name: ScoreName,
    /// The score; smaller is better.
    pub value: f64,
    /// Its standard error over the choice of the generated images: scores that differ by less don't tell two checkpoints
    /// apart. Known for the distances.
    pub error: Option<f64>,
}

impl OnlineScore {
    /// Without a known error.
    pub(crate) fn new(name: ScoreName, value: f64) -> Self {
        Self { name, value, error: None }
    }

    /// With its standard error, unless that is NaN or infinite.
    #[must_use]
    pub(crate) fn with_error(self, error: f64) -> Self {
        Self { error: Some(error).filter(|error| error.is_finite()), ..self }
    }
}
