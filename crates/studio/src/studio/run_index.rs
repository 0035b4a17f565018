//! The index of all runs: it follows their logs once for all clients, and only while a client is connected.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};

use faussaire::run::Run;
use serde::Serialize;
use tokio::sync::broadcast;

use super::config::Config;
use super::run_log::{End, RunLog};
use super::runs_dir::RunsDir;
use super::tail::{Change, Tail};
use super::trainings::{Trainings, last_error};
use crate::errors::{Answer, Failure};

/// Minimum time between two refreshes.
const REFRESH_INTERVAL: Duration = Duration::from_millis(400);
/// Longer logs are not read.
const MAX_LOG_BYTES: u64 = 1 << 30;
/// Lines of a log kept for clients that reconnect.
const RECENT_LINES: usize = 512;
/// Messages that a subscriber may lag behind.
const CHANNEL_CAPACITY: usize = 1_024;

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    Running,
    Stopped,
    Complete,
    Diverged,
    Damaged,
}

/// A row of the list of runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    pub id: String,
    pub state: State,
    pub data: String,
    pub preset: Option<&'static str>,
    pub loss: String,
    pub step: u64,
    pub steps: Option<u64>,
    pub epoch: f64,
    pub images: u64,
    pub images_per_s: Option<f64>,
    pub score: Option<NamedScore>,
    pub best: Option<Best>,
    pub sheet: Option<String>,
    pub findings: usize,
    pub changed: u64,
    pub error: Option<String>,
}

/// The newest value of the main score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct NamedScore {
    name: String,
    value: f64,
}

/// The best value of the main score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Best {
    step: u64,
    value: f64,
}

/// An update of the list of runs.
#[derive(Clone, Debug)]
pub(super) enum IndexUpdate {
    /// A run's row has changed, as JSON.
    Row(Arc<str>),
    /// The run's folder was removed.
    Removed(String),
}

/// An update of one run's log.
#[derive(Clone, Debug)]
pub(super) enum LogUpdate {
    /// A new line: its number, the event's name, the text.
    Appended(u64, String, Arc<str>),
    /// The log was truncated: earlier lines are invalid.
    Reset,
}

/// All runs of a folder.
#[derive(Debug)]
pub(crate) struct RunIndex {
    pub(super) runs_dir: RunsDir,
    trainings: Arc<Trainings>,
    inner: Mutex<Inner>,
    pub(super) updates: broadcast::Sender<IndexUpdate>,
}

#[derive(Debug, Default)]
struct Inner {
    refreshed: Option<Instant>,
    runs: BTreeMap<String, FollowedRun>,
}

/// A run and the state of reading its log.
#[derive(Debug)]
pub(super) struct FollowedRun {
    path: PathBuf,
    config: Config,
    tail: Tail,
    pub log: RunLog,
    unreadable: Option<String>,
    /// Whether a process started by this studio trains it, or is about to.
    alive: bool,
    row: Option<Row>,
    recent: VecDeque<(u64, String, Arc<str>)>,
    lines: broadcast::Sender<LogUpdate>,
}

impl RunIndex {
    pub(super) fn new(runs_dir: RunsDir, trainings: Arc<Trainings>) -> Self {
        Self { runs_dir, trainings, inner: Mutex::default(), updates: broadcast::channel(CHANNEL_CAPACITY).0 }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // After a panic the state is read again from the files.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether any client is subscribed.
    pub(super) fn has_subscribers(&self) -> bool {
        self.updates.receiver_count() > 0 || self.inner().runs.values().any(|run| run.lines.receiver_count() > 0)
    }

    /// Reads all folders, unless the last refresh was just now.
    pub(super) fn refresh(&self) {
        let mut inner = self.inner();
        if inner.refreshed.is_some_and(|at| at.elapsed() < REFRESH_INTERVAL) {
            return;
        }
        let names = self.runs_dir.names();
        let gone: Vec<String> = inner.runs.keys().filter(|id| !names.contains(id)).cloned().collect();
        for id in gone {
            inner.runs.remove(&id);
            // Sending fails without subscribers, which is fine, here and below.
            let _ = self.updates.send(IndexUpdate::Removed(id));
        }
        for id in names {
            let Ok(path) = self.runs_dir.run(&id) else { continue };
            let run = inner.runs.entry(id.clone()).or_insert_with(|| FollowedRun::new(path));
            if run.refresh(&self.runs_dir, &self.trainings, &id)
                && let Some(row) = &run.row
                && let Ok(text) = serde_json::to_string(row)
            {
                let _ = self.updates.send(IndexUpdate::Row(text.into()));
            }
        }
        inner.refreshed = Some(Instant::now());
    }

    /// The rows of all runs, sorted by name.
    pub(super) fn rows(&self) -> Vec<Row> {
        self.refresh();
        self.inner().runs.values().filter_map(|run| run.row.clone()).collect()
    }

    /// Calls `look` with one run and its row.
    pub(super) fn with<T>(&self, id: &str, look: impl FnOnce(&FollowedRun, &Row) -> T) -> Answer<T> {
        self.runs_dir.run(id)?;
        self.refresh();
        let inner = self.inner();
        let run = inner.runs.get(id).and_then(|run| Some((run, run.row.as_ref()?)));
        let (run, row) = run.ok_or_else(|| {
            Failure::missing(format!("run {id:?} doesn't exist"), "its folder may have been deleted or renamed")
        })?;
        Ok(look(run, row))
    }

    /// Makes the next call refresh.
    pub(super) fn invalidate(&self) {
        self.inner().refreshed = None;
    }
}

impl FollowedRun {
    fn new(path: PathBuf) -> Self {
        Self {
            tail: Tail::new(path.join("events.jsonl")),
            path,
            config: Config::default(),
            log: RunLog::new(),
            unreadable: None,
            alive: false,
            row: None,
            recent: VecDeque::new(),
            lines: broadcast::channel(CHANNEL_CAPACITY).0,
        }
    }

    /// Subscribes to new lines, and returns the lines after number `after` so far; `None` where they are no longer kept.
    pub(super) fn subscribe(&self, after: u64) -> (Option<Vec<LogUpdate>>, broadcast::Receiver<LogUpdate>) {
        let first = self.recent.front().map_or(self.log.lines + 1, |(number, ..)| *number);
        let kept = after + 1 >= first && after <= self.log.lines;
        let missed = self.recent.iter().filter(|(number, ..)| *number > after);
        let missed =
            missed.map(|(number, event, line)| LogUpdate::Appended(*number, event.clone(), line.clone())).collect();
        (kept.then_some(missed), self.lines.subscribe())
    }

    /// Reads the folder; true if the row has changed.
    fn refresh(&mut self, runs_dir: &RunsDir, trainings: &Trainings, id: &str) -> bool {
        self.config.refresh(runs_dir, &self.path, id);
        self.alive = trainings.has(id);
        self.unreadable = self.read().err().map(|e| format!("events.jsonl can't be read: {e}"));
        let row = self.describe(id);
        let changed = self.row.as_ref() != Some(&row);
        self.row = Some(row);
        changed
    }

    fn read(&mut self) -> std::io::Result<()> {
        let read = self.read_lines();
        if read.is_err() {
            // Read again next time, changed or not.
            self.tail.invalidate();
        }
        read
    }

    fn read_lines(&mut self) -> std::io::Result<()> {
        let change = self.tail.poll()?;
        if change == Change::None {
            return Ok(());
        }
        if change == Change::Replaced {
            self.log = RunLog::new();
            self.recent.clear();
            let _ = self.lines.send(LogUpdate::Reset);
        }
        if !self.tail.exists() {
            return Ok(());
        }
        if self.tail.length() > MAX_LOG_BYTES {
            return Err(std::io::Error::other(format!("it is larger than {MAX_LOG_BYTES} bytes")));
        }
        let Self { tail, log, recent, lines, .. } = self;
        tail.read_lines(|line| {
            let Some(event) = log.add_line(line) else { return };
            let text: Arc<str> = line.into();
            if recent.len() == RECENT_LINES {
                recent.pop_front();
            }
            recent.push_back((log.lines, event.clone(), text.clone()));
            let _ = lines.send(LogUpdate::Appended(log.lines, event, text));
        })
    }

    fn state(&self) -> (State, Option<String>) {
        // About to start: there is no recipe yet.
        let starting = self.alive && !self.path.join("config.toml").exists();
        let damaged = [&self.config.damaged, &self.unreadable, &self.log.damaged];
        let last_error = || last_error(&self.path).map(|(error, _)| error);
        match (damaged.into_iter().flatten().next(), self.log.end) {
            _ if starting => (State::Running, None),
            (Some(reason), _) => (State::Damaged, last_error().or_else(|| Some(reason.clone()))),
            _ if self.alive || Run::open(&self.path).is_ok_and(|run| run.is_training()) => (State::Running, None),
            // Killed, or stopped before the first step.
            (None, End::Open) => (State::Stopped, last_error()),
            (None, End::Stopped) => (State::Stopped, None),
            (None, End::Complete) => (State::Complete, None),
            (None, End::Diverged) => (State::Diverged, None),
        }
    }

    fn describe(&self, id: &str) -> Row {
        let (state, error) = self.state();
        let log = &self.log;
        let last = log.last();
        let main_score = log.main_score();
        let changed = self.tail.changed().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Row {
            id: id.to_owned(),
            state,
            data: self.config.data.clone(),
            preset: self.config.preset,
            loss: self.config.loss.clone(),
            step: last.map_or(0, |report| report.step),
            steps: (log.steps > 0).then_some(log.steps),
            epoch: last.map_or(0.0, |report| report.epoch),
            images: last.map_or(0, |report| report.images),
            images_per_s: log.images_per_s(),
            score: main_score.map(|(now, _)| NamedScore { name: now.name.to_string(), value: now.value }),
            best: main_score.map(|(_, best)| Best { step: best.step, value: best.value }),
            sheet: log.sheets.last().map(|sheet| sheet.file.clone()),
            findings: log.findings.len(),
            changed: changed.map_or(0, |since| since.as_secs()),
            error,
        }
    }
}
