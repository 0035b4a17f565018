//! The events of a training, as data. Watchers (progress bar, event log, sheets, doctor, ...) receive every event, may
//! emit events of their own, and may request a rollback or a stop; they can't change anything else.

use serde::{Deserialize, Serialize};

use super::{Finding, Gan, Heal, Variety};
use crate::error::Result;
use crate::metrics::ScoreName;

/// The metrics of one step: losses and accuracies are those before its updates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepReport {
    /// Generator updates made so far, this one included.
    pub step: u64,
    /// Epochs completed, with fraction.
    pub epoch: f64,
    /// Real images that D has been trained on so far.
    pub images: u64,
    /// Seconds spent in steps so far, without sheets and scoring.
    pub train_s: f64,
    /// The discriminator's loss (mean over its updates in this step).
    #[serde(deserialize_with = "number")]
    pub d_loss: f32,
    /// The generator's loss.
    #[serde(deserialize_with = "number")]
    pub g_loss: f32,
    /// Sum of the gradient penalties, not included in `d_loss` (mean over the updates that apply them); none without
    /// penalties.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f32>,
    /// Norm of D's gradient (mean over its updates in this step).
    #[serde(default, deserialize_with = "number")]
    pub d_norm: f32,
    /// Norm of G's gradient.
    #[serde(default, deserialize_with = "number")]
    pub g_norm: f32,
    /// Share of real images that D classifies as real.
    #[serde(deserialize_with = "number")]
    pub d_real: f32,
    /// Share of generated images that D classifies as generated.
    #[serde(deserialize_with = "number")]
    pub d_fake: f32,
    /// Mean score (logit) of real images.
    #[serde(default, deserialize_with = "number")]
    pub real_score: f32,
    /// Mean score of generated images.
    #[serde(default, deserialize_with = "number")]
    pub fake_score: f32,
    /// Standard deviation of D's scores among the real images and among the generated ones (root mean square of the two);
    /// none in logs of an earlier checkout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score_spread: Option<f32>,
    /// Change of the mean score of generated images by D's last update: their mean in G's update minus that in D's (for a
    /// relativistic loss, of what it exceeds the real images' by).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score_shift: Option<f32>,
    /// Mean score of held-out images (`train.held_out`), in steps that are logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_score: Option<f32>,
    /// Variety of the images of the last update's batch, in steps that are logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variety: Option<Variety>,
}

/// Reads a number that may be NaN or infinite, which JSON writes as `null`; `null` becomes NaN.
pub(super) fn number<'de, D: serde::Deserializer<'de>>(from: D) -> std::result::Result<f32, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f32::NAN))
}

/// Interval of the steps that are logged.
const LOG_EVERY: u64 = 10;

impl StepReport {
    /// Whether step `step` is logged: the first and every tenth. A watcher that uses only these finds the same in the
    /// log.
    pub(crate) fn is_logged(step: u64) -> bool {
        step == 1 || step.is_multiple_of(LOG_EVERY)
    }
}

/// An event of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// Training starts or resumes.
    Start {
        /// Steps completed before.
        step: u64,
        /// Total steps that the limits allow; 0 if only time is limited.
        steps: u64,
        /// Steps per epoch.
        steps_per_epoch: f64,
        /// The machine: processor, cores, instruction set.
        #[serde(default)]
        machine: String,
        /// Format to which the operands of products are rounded: `f32`, `bf16`.
        #[serde(default)]
        precision: String,
    },
    /// A step is complete.
    Step(StepReport),
    /// An epoch is complete.
    Epoch {
        /// Epochs completed.
        epoch: u64,
        /// The step that completed it.
        report: StepReport,
    },
    /// A sheet of images from fixed noise was written.
    Sheet {
        /// The step of its images.
        step: u64,
        /// Its file, inside the run's folder.
        file: String,
    },
    /// The averaged generator was scored.
    Score {
        /// The step that was scored.
        step: u64,
        /// Metric and setting, written as `name`, `metric` and `setting`; logs of an earlier checkout have `name` only.
        #[serde(flatten)]
        name: ScoreName,
        /// Its value; smaller is better.
        value: f64,
        /// Its standard error over the choice of generated images, where it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<f64>,
    },
    /// A checkpoint was written.
    Checkpoint {
        /// Its step.
        step: u64,
        /// Its folder under `checkpoints/`: `latest`, `best`, `epoch-0010`.
        name: String,
    },
    /// A loss was no longer finite; the step was not completed.
    Diverged {
        /// The last step before it.
        step: u64,
        /// Which value was not finite.
        what: String,
    },
    /// The doctor has found a symptom.
    Finding(Finding),
    /// The doctor sent the run back to an earlier step, under a changed recipe.
    Heal(Heal),
    /// Training has ended; it may be resumed.
    End {
        /// The last step.
        step: u64,
        /// Why: `complete`, `time`, `stopped`.
        reason: String,
    },
}

/// A watcher's request to the training loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Request {
    /// Nothing.
    #[default]
    Continue,
    /// Stop here, so that the run can continue from an earlier checkpoint under a changed recipe.
    RollBack,
    /// Stop after this step.
    Stop,
}

/// Receives the events of a training.
pub trait Watcher {
    /// Receives `event`; `gan` is in its state after it.
    ///
    /// # Errors
    /// An error ends the training.
    fn on(&mut self, event: &Event, gan: &Gan) -> Result<Request>;

    /// Removes and returns the events that the watcher emits. It is called after every event; all watchers, itself
    /// included, receive them before training continues.
    fn take_events(&mut self) -> Vec<Event> {
        Vec::new()
    }
}

/// A closure is a watcher.
impl<F: FnMut(&Event, &Gan) -> Result<Request>> Watcher for F {
    fn on(&mut self, event: &Event, gan: &Gan) -> Result<Request> {
        self(event, gan)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::metrics::Metric;

    #[test]
    fn scores_are_read_with_a_name_alone_and_written_with_metric_and_setting() {
        let score = Event::Score {
            step: 4,
            name: ScoreName::new(Metric::RareClasses, "256-nearest-of-1000"),
            value: 0.1 + 0.2,
            error: None,
        };
        let old = r#"{"event":"score","step":4,"name":"rare-classes-256-nearest-of-1000","value":0.30000000000000004}"#;
        assert_eq!(serde_json::from_str::<Event>(old).unwrap(), score);
        let text = serde_json::to_string(&score).unwrap();
        assert!(text.contains(r#""name":"rare-classes-256-nearest-of-1000""#), "{text}");
        assert!(text.contains(r#""metric":"rare-classes","setting":"256-nearest-of-1000""#), "{text}");
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), score);
    }

    #[test]
    fn a_step_with_nan_or_infinity_can_be_read_back() {
        let line = r#"{"event":"step","step":4,"epoch":1,"images":8,"train_s":1,"d_loss":1e18,"g_loss":2,"d_norm":3,"g_norm":4,
                       "d_real":0,"d_fake":1,"real_score":0,"fake_score":0,"penalty":5,"held_out_score":6,
                       "variety":{"real_spread":1,"fake_spread":2,"real_nearest":3,"fake_nearest":4,"fake_shift":5}}"#;
        let Event::Step(mut report) = serde_json::from_str(line).unwrap() else { panic!("not a step") };
        let variety = report.variety.as_mut().unwrap();
        (report.d_loss, report.g_norm, variety.fake_shift) = (f32::INFINITY, f32::NAN, f32::NAN);
        (report.penalty, report.held_out_score) = (Some(f32::INFINITY), Some(f32::NAN));
        (report.score_spread, report.score_shift) = (Some(f32::NAN), Some(0.5));
        let text = serde_json::to_string(&Event::Step(report)).unwrap();
        let Event::Step(back) = serde_json::from_str(&text).unwrap() else { panic!("not a step") };
        assert!(back.d_loss.is_nan() && back.g_norm.is_nan() && back.variety.unwrap().fake_shift.is_nan());
        assert_eq!((back.g_loss, back.d_norm, back.penalty, back.held_out_score), (2.0, 3.0, None, None));
        assert_eq!((back.score_spread, back.score_shift), (None, Some(0.5)));
    }
}
