//! The outcome of one run: how it ended, its steps, its scores. It is saved next to the runs, so that a comparison that
//! is continued trains and judges only missing runs.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::plan::{Folder, Job, Length, json};
use crate::data::read_plain;
use crate::error::{Error, Result};
use crate::metrics::{Better, ScoreName};
use crate::run::MAX_LOG_BYTES;
use crate::train::Event;

/// Size limit of an outcome, in bytes.
const MAX_OUTCOME: u64 = 16 << 20;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state", content = "reason")]
pub enum State {
    /// It completed its steps, or its time.
    Finished,
    /// Its recipe is invalid, for this reason.
    Refused(String),
    /// It diverged, or was killed; the error.
    Failed(String),
    /// Stopped before its end; the comparison can resume it.
    Unfinished,
}

/// One score of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Metric and setting.
    #[serde(flatten)]
    pub name: ScoreName,
    /// The score's value.
    pub value: f64,
    /// Which way it improves.
    pub better: Better,
    /// The score of real images against real images, where it is known.
    pub floor: Option<f64>,
    /// Why the value is not to be trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// The outcome of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// How it ended.
    #[serde(flatten)]
    pub ending: State,
    /// Its planned length.
    pub length: Length,
    /// Generator updates made.
    pub step: u64,
    /// Real images that D was trained on.
    pub images: u64,
    /// Seconds spent in steps.
    pub train_s: f64,
    /// Number of judged images; 0 before it is judged.
    pub samples: usize,
    /// The scores; the first one decides.
    pub measures: Vec<Measure>,
    /// Why a finished run could not be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unjudged: Option<String>,
}

impl Outcome {
    /// The outcome of a run that ended with `ending`, with steps and seconds from its log, if there is one.
    pub fn new(ending: State, length: Length, run: &Path) -> Self {
        let (step, images, train_s) = match History::read(run).map(|history| history.last) {
            Ok(Some(last)) => last,
            _ => (0, 0, 0.0),
        };
        Self { ending, length, step, images, train_s, samples: 0, measures: Vec::new(), unjudged: None }
    }

    /// Whether it is finished, with the length `length`.
    pub fn is_finished(&self, length: &Length) -> bool {
        self.ending == State::Finished && self.length == *length
    }

    /// Why there is no score, if known.
    pub fn failure(&self) -> Option<String> {
        match &self.ending {
            State::Refused(why) => Some(format!("refused: {why}")),
            State::Failed(why) => Some(format!("failed at step {}: {why}", self.step)),
            State::Finished => self.unjudged.as_ref().map(|why| format!("trained, but can't be judged: {why}")),
            State::Unfinished => None,
        }
    }

    /// Whether it was judged on `samples` images.
    pub fn is_judged(&self, samples: usize) -> bool {
        self.samples == samples && !self.measures.is_empty()
    }
}

impl Folder {
    /// The saved outcome of `job`, if any.
    ///
    /// # Errors
    /// A file that can't be read; a damaged one counts as missing.
    pub fn outcome(&self, job: &Job) -> Result<Option<Outcome>> {
        let path = self.file(&format!("outcomes/{}.json", job.name));
        if !path.is_file() {
            return Ok(None);
        }
        let text = read_plain(&path, MAX_OUTCOME).map_err(Error::io("read", &path))?;
        Ok(serde_json::from_slice(&text).ok())
    }

    /// Saves the outcome of `job`.
    ///
    /// # Errors
    /// A file that can't be written.
    pub fn save_outcome(&self, job: &Job, outcome: &Outcome) -> Result<()> {
        self.write(&format!("outcomes/{}.json", job.name), &json(outcome)?)
    }
}

/// A run's log in brief: its last step, how it ended, its scores during training.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Step, images and seconds of the last step in the log.
    pub last: Option<(u64, u64, f64)>,
    /// Why the training ended, if it has.
    pub end: Option<String>,
    /// Scores during training: name, step, value.
    pub scores: Vec<(ScoreName, u64, f64)>,
    /// The last sheet, inside the run's folder.
    pub sheet: Option<String>,
}

impl History {
    /// Reads the log of the run at `run`. An incomplete last line is skipped.
    ///
    /// # Errors
    /// A log that is missing or can't be read.
    pub fn read(run: &Path) -> Result<Self> {
        let path = run.join("events.jsonl");
        let text = read_plain(&path, MAX_LOG_BYTES).map_err(Error::io("read", &path))?;
        let mut history = Self::default();
        // Events that this version doesn't know are skipped.
        let lines = text.split(|byte| *byte == b'\n');
        for event in lines.filter_map(|line| serde_json::from_slice::<Event>(line).ok()) {
            match event {
                Event::Step(report) => {
                    history.last = Some((report.step, report.images, report.train_s));
                    history.end = None;
                }
                Event::Score { step, name, value, .. } => history.scores.push((name, step, value)),
                Event::Sheet { file, .. } => history.sheet = Some(file),
                Event::End { reason, .. } => history.end = Some(reason),
                _ => {}
            }
        }
        Ok(history)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_as_far_as_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let lines = [
            r#"{"event":"start","step":0,"steps":9,"steps_per_epoch":3.0}"#,
            r#"{"event":"step","step":7,"epoch":1,"images":56,"train_s":1.5,"d_loss":0,"g_loss":0,"d_real":0,"d_fake":0}"#,
            r#"{"event":"a-later-invention","x":1}"#,
            r#"{"event":"sheet","step":7,"file":"samples/000007.png"}"#,
            r#"{"event":"score","step":7,"name":"m","value":0.5}"#,
            r#"{"event":"end","step":7,"reason":"time"}"#,
        ];
        let read = |text: String| {
            std::fs::write(folder.path().join("events.jsonl"), text).unwrap();
            History::read(folder.path()).unwrap()
        };
        let whole = read(lines.join("\n"));
        assert_eq!((whole.last, whole.end.as_deref()), (Some((7, 56, 1.5)), Some("time")));
        assert_eq!(
            (&whole.scores[..], whole.sheet.as_deref()),
            (&[(ScoreName::parse("m"), 7, 0.5)][..], Some("samples/000007.png"))
        );
        let cut = read(lines.join("\n")[..lines.join("\n").len() - 5].into());
        assert_eq!((cut.end, cut.scores.len()), (None, 1));
        assert!(History::read(&folder.path().join("none")).is_err());
    }

    #[test]
    fn outcomes_survive_json() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::numbered(root.path(), "x").unwrap();
        let job = Job { variant: 0, seed: 0, name: "a-seed0".into() };
        assert_eq!(folder.outcome(&job).unwrap(), None);
        let length = Length { seconds: Some(0.1), ..Length::default() };
        for ending in [State::Finished, State::Failed("no longer finite".into()), State::Unfinished] {
            let mut outcome = Outcome::new(ending.clone(), length, Path::new("nowhere"));
            let (name, better) = (ScoreName::parse("fid"), Better::Smaller);
            outcome.measures.push(Measure { name, value: 0.1 + 0.2, better, floor: None, remark: None });
            folder.save_outcome(&job, &outcome).unwrap();
            assert_eq!(folder.outcome(&job).unwrap().as_ref(), Some(&outcome));
            assert_eq!(outcome.is_finished(&length), ending == State::Finished);
            assert!(!outcome.is_finished(&Length::default()) && !outcome.is_judged(5));
        }
        std::fs::write(folder.file("outcomes/a-seed0.json"), "{").unwrap();
        assert_eq!(folder.outcome(&job).unwrap(), None);
    }
}
