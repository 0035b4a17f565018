//! What happens during training, as data. Watchers (progress bar, event log, sheets, doctor, ...) see every event, may
//! add events of their own, and may ask the loop to roll back or to stop; they can't change anything else.

use serde::{Deserialize, Serialize};

use super::{Finding, Gan, Heal, Variety};
use crate::error::Result;
use crate::metrics::ScoreName;

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
    #[serde(deserialize_with = "number")]
    pub d_loss: f32,
    /// The generator's loss.
    #[serde(deserialize_with = "number")]
    pub g_loss: f32,
    /// What the gradient penalties came to, beside `d_loss` (mean over the updates that paid); nothing where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f32>,
    /// Length of D's gradient (mean over its updates in this step).
    #[serde(default, deserialize_with = "number")]
    pub d_norm: f32,
    /// Length of G's gradient.
    #[serde(default, deserialize_with = "number")]
    pub g_norm: f32,
    /// Share of real images that D took for real.
    #[serde(deserialize_with = "number")]
    pub d_real: f32,
    /// Share of generated images that D took for generated.
    #[serde(deserialize_with = "number")]
    pub d_fake: f32,
    /// Mean score (logit) of real images.
    #[serde(default, deserialize_with = "number")]
    pub real_score: f32,
    /// Mean score of generated images.
    #[serde(default, deserialize_with = "number")]
    pub fake_score: f32,
    /// Mean score of images held back (`train.held_out`), in steps that are logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_score: Option<f32>,
    /// How much the images of the last update's batch differ, in steps that are logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variety: Option<Variety>,
}

/// A number that may be none at all, or beyond all: JSON has neither, and writes `null` for both.
pub(super) fn number<'de, D: serde::Deserializer<'de>>(from: D) -> std::result::Result<f32, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f32::NAN))
}

/// Every so many steps one is written to the log.
const LOG_EVERY: u64 = 10;

impl StepReport {
    /// Whether step `step` is one that the log keeps: the first and every tenth. Whoever judges a run by these alone comes
    /// to the same result from its log as from watching.
    pub fn is_logged(step: u64) -> bool {
        step == 1 || step.is_multiple_of(LOG_EVERY)
    }
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
        /// What trains it: processor, cores, instruction set.
        #[serde(default)]
        machine: String,
        /// What its steps round the operands of products to: `f32`, `bf16`.
        #[serde(default)]
        precision: String,
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
        /// Metric and setting, written as `name`, `metric` and `setting`; logs of version 0.1 have `name` only.
        #[serde(flatten)]
        name: ScoreName,
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
    /// A loss was no longer finite; the step was not completed.
    Diverged {
        /// The last step before it.
        step: u64,
        /// What was seen.
        what: String,
    },
    /// The doctor has seen something.
    Finding(Finding),
    /// The doctor sent the run back to an earlier step, under a changed recipe.
    Heal(Heal),
    /// Training is over, for now.
    End {
        /// The last step.
        step: u64,
        /// Why: `complete`, `time`, `stopped`, `rolled-back`.
        reason: String,
    },
}

/// What a watcher asks of the loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Request {
    /// Nothing.
    #[default]
    Continue,
    /// To end here, so that the run can go on from an earlier checkpoint under a changed recipe.
    RollBack,
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

    /// Events of its own. It is asked after every event, and all watchers, itself included, are told of them before
    /// training goes on.
    fn take_events(&mut self) -> Vec<Event> {
        Vec::new()
    }
}

/// A closure is a watcher, too.
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
        };
        let old = r#"{"event":"score","step":4,"name":"rare-classes-256-nearest-of-1000","value":0.30000000000000004}"#;
        assert_eq!(serde_json::from_str::<Event>(old).unwrap(), score);
        let text = serde_json::to_string(&score).unwrap();
        assert!(text.contains(r#""name":"rare-classes-256-nearest-of-1000""#), "{text}");
        assert!(text.contains(r#""metric":"rare-classes","setting":"256-nearest-of-1000""#), "{text}");
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), score);
    }

    #[test]
    fn a_step_that_went_beyond_numbers_can_be_read_back() {
        let line = r#"{"event":"step","step":4,"epoch":1,"images":8,"train_s":1,"d_loss":1e18,"g_loss":2,"d_norm":3,"g_norm":4,
                       "d_real":0,"d_fake":1,"real_score":0,"fake_score":0,"penalty":5,"held_out_score":6,
                       "variety":{"real_spread":1,"fake_spread":2,"real_nearest":3,"fake_nearest":4,"fake_shift":5}}"#;
        let Event::Step(mut report) = serde_json::from_str(line).unwrap() else { panic!("not a step") };
        let variety = report.variety.as_mut().unwrap();
        (report.d_loss, report.g_norm, variety.fake_shift) = (f32::INFINITY, f32::NAN, f32::NAN);
        (report.penalty, report.held_out_score) = (Some(f32::INFINITY), Some(f32::NAN));
        let text = serde_json::to_string(&Event::Step(report)).unwrap();
        let Event::Step(back) = serde_json::from_str(&text).unwrap() else { panic!("not a step") };
        assert!(back.d_loss.is_nan() && back.g_norm.is_nan() && back.variety.unwrap().fake_shift.is_nan());
        assert_eq!((back.g_loss, back.d_norm, back.penalty, back.held_out_score), (2.0, 3.0, None, None));
    }
}
