//! What happens during training, as data. Watchers (progress bar, event log, sheets, ...) see every event and may ask
//! the loop to stop; they can't change anything else.

use serde::{Deserialize, Serialize};

use super::Gan;
use crate::error::Result;

/// What one step saw: losses and accuracies before the update that they caused.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// Generator updates made so far, this one included.
    pub step: u64,
    /// Passes over the data completed, with fraction.
    pub epoch: f64,
    /// Real images seen so far.
    pub images: u64,
    /// Seconds spent in steps so far; pictures and judging left out.
    pub train_s: f64,
    /// The discriminator's loss (mean over its updates in this step).
    pub d_loss: f32,
    /// The generator's loss.
    pub g_loss: f32,
    /// What the gradient penalties came to, beside `d_loss`; nothing where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f32>,
    /// Length of D's gradient (mean over its updates in this step).
    #[serde(default)]
    pub d_norm: f32,
    /// Length of G's gradient.
    #[serde(default)]
    pub g_norm: f32,
    /// Share of real images that D took for real.
    pub d_real: f32,
    /// Share of generated images that D took for generated.
    pub d_fake: f32,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Training begins, or goes on.
    Start {
        /// Steps made before.
        step: u64,
        /// Steps that the limits allow in all; 0 where time alone decides.
        steps: u64,
        /// Steps per pass over the data.
        steps_per_epoch: f64,
    },
    /// A step was made.
    Step(StepReport),
    /// A pass over the data is complete.
    Epoch {
        /// Passes completed.
        epoch: u64,
        /// The step that completed it.
        report: StepReport,
    },
    /// A sheet of images from fixed noise was written.
    Sheet {
        /// The step that it shows.
        step: u64,
        /// Its file, inside the run's folder.
        file: String,
    },
    /// The averaged generator was scored.
    Score {
        /// The step that was scored.
        step: u64,
        /// The metric, with sample count and features.
        name: String,
        /// Its value; smaller is better.
        value: f64,
    },
    /// A checkpoint is being written.
    Checkpoint {
        /// Its step.
        step: u64,
        /// Its folder under `checkpoints/`: `latest`, `best`, `epoch-0010`.
        name: String,
    },
    /// Training is over, for now.
    End {
        /// The last step.
        step: u64,
        /// Why: `complete`, `time`, `stopped`.
        reason: String,
    },
}

/// What a watcher asks of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Request {
    /// Nothing.
    Continue,
    /// To stop after this step.
    Stop,
}

/// Somebody who looks on.
pub trait Watcher {
    /// Sees `event`; `gan` is as it stands after it.
    ///
    /// # Errors
    /// What keeps the watcher from its work ends the training.
    fn on(&mut self, event: &Event, gan: &Gan) -> Result<Request>;
}
