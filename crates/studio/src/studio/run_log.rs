//! The contents of a run's log, read while it grows: metrics of its steps, scores, sheets, findings, and its state.

use std::collections::{BTreeMap, BTreeSet};

use faussaire::doctor::{Finding, Heal};
use faussaire::metrics::ScoreName;
use faussaire::train::{Event, StepReport};
use serde::Serialize;

/// Maximum steps kept; beyond that, every second one is dropped.
const MAX_STEPS: usize = 16_384;
/// Maximum sheets kept; beyond that, every second one is dropped.
const MAX_SHEETS: usize = 4_096;
/// Maximum scores kept; beyond that, those of every second step are dropped, but for the steps with the best score of a name.
const MAX_SCORES: usize = 65_536;
/// Maximum findings, and heals, kept: the last ones.
const MAX_FINDINGS: usize = 1_000;
/// Maximum points of a curve sent to the page.
const MAX_POINTS: usize = 2_000;
/// Number of logged steps over which the speed is measured.
const SPEED_WINDOW: usize = 12;

/// A score of a checkpoint.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Score {
    pub step: u64,
    #[serde(flatten)]
    pub name: ScoreName,
    pub value: f64,
}

/// A sheet of images.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Sheet {
    pub step: u64,
    pub file: String,
}

/// How the log ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    /// No end: training is running, or was killed.
    #[default]
    Open,
    Complete,
    Stopped,
    Diverged,
}

/// The parsed log of a run.
#[derive(Debug)]
pub(super) struct RunLog {
    /// Number of lines read.
    pub lines: u64,
    /// Total steps of the run; 0 if limited by time alone.
    pub steps: u64,
    pub steps_per_epoch: f64,
    points: Vec<StepReport>,
    /// One of `stride` logged steps is kept.
    stride: u64,
    logged: u64,
    recent: Vec<StepReport>,
    pub scores: Vec<Score>,
    pub sheets: Vec<Sheet>,
    pub findings: Vec<Finding>,
    pub heals: Vec<Heal>,
    pub end: End,
    /// The first invalid line, with the reason.
    pub damaged: Option<String>,
}

impl RunLog {
    pub(super) fn new() -> Self {
        Self {
            lines: 0,
            steps: 0,
            steps_per_epoch: 0.0,
            points: Vec::new(),
            stride: 1,
            logged: 0,
            recent: Vec::new(),
            scores: Vec::new(),
            sheets: Vec::new(),
            findings: Vec::new(),
            heals: Vec::new(),
            end: End::Open,
            damaged: None,
        }
    }

    /// Adds a line; returns the name of its event.
    pub(super) fn add_line(&mut self, line: &str) -> Option<String> {
        self.lines += 1;
        match serde_json::from_str::<Event>(line) {
            Ok(event) => self.apply(event),
            Err(e) => {
                let number = self.lines;
                self.damaged.get_or_insert_with(|| format!("events.jsonl: line {number} is not an event: {e}"));
                return None;
            }
        }
        let value: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(value.get("event")?.as_str()?.to_owned())
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Start { steps, steps_per_epoch, .. } => {
                (self.steps, self.steps_per_epoch, self.end) = (steps, steps_per_epoch, End::Open);
                self.recent.clear();
            }
            Event::Step(report) => self.step(report),
            Event::Epoch { report, .. } => self.push_recent(report),
            Event::Sheet { step, file } => {
                let file = file.trim_start_matches("samples/").to_owned();
                if self.sheets.last().is_some_and(|last| last.step >= step) {
                    self.sheets.retain(|sheet| sheet.step != step);
                }
                if self.sheets.len() >= MAX_SHEETS {
                    thin(&mut self.sheets);
                }
                self.sheets.push(Sheet { step, file });
            }
            Event::Score { step, name, value, .. } => {
                if self.scores.len() >= MAX_SCORES {
                    self.thin_scores();
                }
                self.scores.push(Score { step, name, value });
            }
            Event::Diverged { .. } => self.end = End::Diverged,
            Event::Finding(finding) => {
                if self.findings.len() >= MAX_FINDINGS {
                    self.findings.remove(0);
                }
                self.findings.push(finding);
            }
            Event::Heal(heal) => self.apply_heal(heal),
            Event::End { reason, .. } => {
                self.end = if reason == "stopped" { End::Stopped } else { End::Complete };
            }
            // A checkpoint, and what a later version tells of.
            _ => {}
        }
    }

    /// Keeps the scores of every second step, and of the steps at which the best score of a name was first reached.
    fn thin_scores(&mut self) {
        let mut best = BTreeMap::<String, (f64, u64)>::new();
        for Score { step, name, value } in &self.scores {
            let least = best.entry(name.to_string()).or_insert((*value, *step));
            if *value < least.0 {
                *least = (*value, *step);
            }
        }
        let steps: BTreeSet<u64> = self.scores.iter().map(|score| score.step).collect();
        let mut kept: BTreeSet<u64> = steps.into_iter().skip(1).step_by(2).collect();
        kept.extend(best.into_values().map(|(_, step)| step));
        self.scores.retain(|score| kept.contains(&score.step));
        // More are left only with thousands of scores at a step, or of names; each thinning must make room for many lines.
        let surplus = self.scores.len().saturating_sub(MAX_SCORES / 4 * 3);
        self.scores.drain(..surplus);
    }

    fn step(&mut self, report: StepReport) {
        self.push_recent(report);
        self.logged += 1;
        if self.logged.is_multiple_of(self.stride) {
            self.points.push(report);
        }
        if self.points.len() >= MAX_STEPS {
            thin(&mut self.points);
            self.stride *= 2;
        }
    }

    fn push_recent(&mut self, report: StepReport) {
        if self.recent.last().is_some_and(|last| last.step == report.step) {
            return;
        }
        if self.recent.len() >= SPEED_WINDOW {
            self.recent.remove(0);
        }
        self.recent.push(report);
    }

    /// Drops the steps after `back_to`, which the run repeats.
    fn apply_heal(&mut self, heal: Heal) {
        self.points.retain(|point| point.step <= heal.back_to);
        self.scores.retain(|score| score.step <= heal.back_to);
        self.sheets.retain(|sheet| sheet.step <= heal.back_to);
        self.recent.clear();
        self.end = End::Open;
        if self.heals.len() >= MAX_FINDINGS {
            self.heals.remove(0);
        }
        self.heals.push(heal);
    }

    /// The last logged step.
    pub(super) fn last(&self) -> Option<&StepReport> {
        self.recent.last().or(self.points.last())
    }

    /// Current training speed in real images per second.
    pub(super) fn images_per_s(&self) -> Option<f64> {
        let (first, last) = (self.recent.first()?, self.recent.last()?);
        rate(first, last).or_else(|| (last.train_s > 0.0).then(|| last.images as f64 / last.train_s))
    }

    /// The newest and the best value of the main score.
    pub(super) fn main_score(&self) -> Option<(&Score, &Score)> {
        // A step may have several scores; the first is the main one.
        let last = self.scores.last()?.step;
        let now = self.scores.iter().find(|score| score.step == last)?;
        let same = self.scores.iter().filter(|score| score.name == now.name);
        let best = same.min_by(|a, b| a.value.total_cmp(&b.value))?;
        Some((now, best))
    }

    /// The metrics as columns.
    pub(super) fn history(&self) -> History {
        let every = self.points.len().div_ceil(MAX_POINTS).max(1);
        let mut history = History::default();
        let mut before: Option<&StepReport> = None;
        for (at, point) in self.points.iter().enumerate() {
            if at % every != 0 && at + 1 != self.points.len() {
                continue;
            }
            history.push(point, before.and_then(|before| rate(before, point)));
            before = Some(point);
        }
        history
    }
}

/// Drops every second one.
fn thin<T>(all: &mut Vec<T>) {
    let mut at = 0;
    all.retain(|_| {
        at += 1;
        at % 2 == 0
    });
}

fn rate(from: &StepReport, to: &StepReport) -> Option<f64> {
    let seconds = to.train_s - from.train_s;
    (seconds > 0.0 && to.images > from.images).then(|| (to.images - from.images) as f64 / seconds)
}

/// Columns of the curves; one entry per point.
#[derive(Debug, Default, Serialize)]
pub(super) struct History {
    step: Vec<u64>,
    epoch: Vec<f64>,
    train_s: Vec<f64>,
    d_loss: Vec<f32>,
    g_loss: Vec<f32>,
    d_norm: Vec<f32>,
    g_norm: Vec<f32>,
    d_real: Vec<f32>,
    d_fake: Vec<f32>,
    real_score: Vec<f32>,
    fake_score: Vec<f32>,
    held_out_score: Vec<Option<f32>>,
    penalty: Vec<Option<f32>>,
    images: Vec<u64>,
    images_per_s: Vec<Option<f64>>,
}

impl History {
    fn push(&mut self, point: &StepReport, speed: Option<f64>) {
        self.step.push(point.step);
        self.epoch.push(point.epoch);
        self.train_s.push(point.train_s);
        self.d_loss.push(point.d_loss);
        self.g_loss.push(point.g_loss);
        self.d_norm.push(point.d_norm);
        self.g_norm.push(point.g_norm);
        self.d_real.push(point.d_real);
        self.d_fake.push(point.d_fake);
        self.real_score.push(point.real_score);
        self.fake_score.push(point.fake_score);
        self.held_out_score.push(point.held_out_score);
        self.penalty.push(point.penalty);
        self.images.push(point.images);
        self.images_per_s.push(speed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(log: &mut RunLog, step: u64) {
        let line = format!(
            "{{\"event\":\"step\",\"step\":{step},\"epoch\":0.5,\"images\":{},\"train_s\":{},\"d_loss\":1.0,\
             \"g_loss\":{step}.5,\"d_real\":0.5,\"d_fake\":0.5}}",
            step * 64,
            step as f64 * 0.5
        );
        assert_eq!(log.add_line(&line).as_deref(), Some("step"));
    }

    #[test]
    fn long_runs_are_subsampled_and_keep_the_last_step() {
        let mut log = RunLog::new();
        (1..=100_000).for_each(|at| step(&mut log, at * 10));
        let history = log.history();
        assert!((1_000..=MAX_POINTS + 1).contains(&history.step.len()), "{}", history.step.len());
        assert!(history.step.is_sorted() && history.step[0] <= 1_000);
        assert!(*history.step.last().unwrap() > 999_000);
        assert_eq!(log.last().unwrap().step, 1_000_000);
        assert_eq!(log.images_per_s(), Some(128.0));
        assert_eq!(history.images_per_s[5], Some(128.0));
        assert_eq!(history.train_s[5], history.step[5] as f64 * 0.5);
    }

    #[test]
    fn what_a_log_holds_takes_limited_memory() {
        let mut log = RunLog::new();
        for step in 0..3 * MAX_SHEETS {
            log.add_line(&format!("{{\"event\":\"sheet\",\"step\":{step},\"file\":\"samples/{step:06}.png\"}}"));
        }
        assert!(log.sheets.len() <= MAX_SHEETS && log.sheets.last().unwrap().step == 3 * MAX_SHEETS as u64 - 1);
        for step in 0..2 * MAX_SCORES {
            let value = if step == 7 { 0.5 } else { 1.0 + step as f64 };
            log.add_line(&format!("{{\"event\":\"score\",\"step\":{step},\"name\":\"x\",\"value\":{value}}}"));
        }
        assert!(log.scores.len() <= MAX_SCORES);
        assert_eq!(log.main_score().map(|(_, best)| (best.step, best.value)), Some((7, 0.5)));
        for step in 0..2 * MAX_FINDINGS {
            log.add_line(&format!(
                "{{\"event\":\"heal\",\"step\":{step},\"name\":\"diverged\",\"back_to\":{step},\"remedy\":\"r\",\"set\":[]}}"
            ));
        }
        assert_eq!((log.heals.len(), log.damaged), (MAX_FINDINGS, None));
    }

    fn score(log: &mut RunLog, step: u64, name: &str, value: f64) {
        let line = format!("{{\"event\":\"score\",\"step\":{step},\"name\":\"{name}\",\"value\":{value}}}");
        assert_eq!(log.add_line(&line).as_deref(), Some("score"));
        assert!(log.scores.len() <= MAX_SCORES);
    }

    /// How often scores are thinned in `lines` lines.
    fn thinned(log: &mut RunLog, lines: u64, mut add: impl FnMut(&mut RunLog, u64)) -> usize {
        let mut times = 0;
        for at in 0..lines {
            let before = log.scores.len();
            add(log, at);
            times += usize::from(log.scores.len() <= before);
        }
        times
    }

    #[test]
    fn scores_are_thinned_by_steps_and_rarely() {
        // All of a step stay together, and of equal ones the first is the best.
        let mut log = RunLog::new();
        let lines = MAX_SCORES as u64 + 2;
        assert_eq!(thinned(&mut log, lines, |log, at| score(log, at / 2, ["main", "other"][at as usize % 2], 0.0)), 1);
        let (main, other): (Vec<&Score>, Vec<&Score>) =
            log.scores.iter().partition(|score| score.name.to_string() == "main");
        assert_eq!((main.len(), other.len()), (MAX_SCORES / 4 + 2, MAX_SCORES / 4 + 2));
        assert!(main.iter().zip(&other).all(|(main, other)| main.step == other.step));
        assert_eq!(log.main_score().map(|(now, best)| (now.step, best.step)), Some((lines / 2 - 1, 0)));
        // What no training writes makes room, too.
        let lines = 2 * MAX_SCORES as u64;
        for kind in ["equal", "one step", "names"] {
            let mut log = RunLog::new();
            let times = thinned(&mut log, lines, |log, at| match kind {
                "equal" => score(log, at, "x", 0.0),
                "one step" => score(log, 7, "x", at as f64),
                _ => score(log, at, &format!("x{at}"), 0.0),
            });
            assert!((1..=8).contains(&times), "{kind}: {times}");
            assert!(log.scores.len() > MAX_SCORES / 3, "{kind}: {}", log.scores.len());
        }
    }

    #[test]
    fn a_heal_drops_later_steps_and_scores() {
        let mut log = RunLog::new();
        (1..=10).for_each(|at| step(&mut log, at));
        let score = |step, value| format!("{{\"event\":\"score\",\"step\":{step},\"name\":\"x\",\"value\":{value}}}");
        for line in [score(2, 0.5), score(4, 0.25), score(9, 0.125)] {
            log.add_line(&line);
        }
        assert_eq!(log.main_score().map(|(now, best)| (now.step, best.step)), Some((9, 9)));
        log.add_line("{\"event\":\"diverged\",\"step\":10,\"what\":\"nan\"}");
        assert_eq!(log.end, End::Diverged);
        log.add_line(
            "{\"event\":\"heal\",\"step\":10,\"name\":\"diverged\",\"back_to\":4,\"remedy\":\"r\",\"set\":[\"a=1\"]}",
        );
        assert_eq!((log.end, log.history().step), (End::Open, vec![1, 2, 3, 4]));
        assert_eq!(log.main_score().map(|(now, best)| (now.step, best.step)), Some((4, 4)));
        assert_eq!(log.add_line("{\"event\":\"what\"}"), None);
        assert!(log.damaged.as_deref().unwrap().contains("line 16 is not an event"), "{:?}", log.damaged);
    }
}
