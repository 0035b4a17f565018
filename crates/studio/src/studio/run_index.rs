//! The index of all runs: it follows their logs once for all clients, and only while a client is connected.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};

use axum::body::Bytes;
use faussaire::run::Run;
use serde::Serialize;
use tokio::sync::{Notify, broadcast, watch};

use super::config::Config;
use super::run_log::{End, RunLog};
use super::runs_dir::{RunsDir, is_run_folder};
use super::tail::{Change, Tail};
use super::trainings::{Trainings, last_error};
use crate::errors::{Answer, Failure, run_blocking};
use crate::server::Stop;

/// Time between two readings while a client is subscribed, and the shortest between any.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
const REFRESH_INTERVAL: Duration = Duration::from_millis(400);
/// Lines of a log kept for clients that reconnect, and their longest.
const RECENT_LINES: usize = 512;
const MAX_SENT_LINE: usize = 16 << 10;
/// Messages that a subscriber may lag behind.
const CHANNEL_CAPACITY: usize = 1_024;
/// How long a request waits for the folders to be read again, and about how long for the first list.
const PATIENCE: Duration = Duration::from_millis(100);
const FIRST_LIST_TIME: Duration = Duration::from_secs(5);

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

/// All runs of a folder. Each run has a lock of its own, so that a long log delays nobody who looks at another run; and the list
/// is kept as it was last read, so that nobody waits for any log.
#[derive(Debug)]
pub(crate) struct RunIndex {
    pub(super) runs_dir: RunsDir,
    trainings: Arc<Trainings>,
    runs: Mutex<BTreeMap<String, Arc<Followed>>>,
    list: watch::Sender<Option<List>>,
    /// Asks [`Self::follow`] for a new list.
    wanted: Notify,
    /// Counts the changes that a list of before doesn't show.
    changes: AtomicU64,
    pub(super) updates: broadcast::Sender<IndexUpdate>,
}

/// The list of runs as it was read.
#[derive(Clone, Debug)]
struct List {
    at: Instant,
    changes: u64,
    rows: Arc<Vec<Row>>,
    json: Bytes,
}

/// A run that is followed, and those who listen to its log.
#[derive(Debug)]
struct Followed {
    run: Mutex<FollowedRun>,
    lines: broadcast::Sender<LogUpdate>,
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
    /// Whether the row has changed since it was last told to those who listen to the list.
    changed: bool,
    /// When the files were last read.
    read: Option<Instant>,
    recent: VecDeque<(u64, String, Arc<str>)>,
    lines: broadcast::Sender<LogUpdate>,
}

impl Followed {
    fn new(path: PathBuf) -> Arc<Self> {
        let lines = broadcast::channel(CHANNEL_CAPACITY).0;
        Arc::new(Self { run: Mutex::new(FollowedRun::new(path, lines.clone())), lines })
    }

    fn run(&self) -> MutexGuard<'_, FollowedRun> {
        // After a panic the state is read again from the files.
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunIndex {
    pub(super) fn new(runs_dir: RunsDir, trainings: Arc<Trainings>) -> Self {
        Self {
            runs_dir,
            trainings,
            runs: Mutex::default(),
            list: watch::channel(None).0,
            wanted: Notify::new(),
            changes: AtomicU64::new(0),
            updates: broadcast::channel(CHANNEL_CAPACITY).0,
        }
    }

    fn runs(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Followed>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether any client is subscribed.
    pub(super) fn has_subscribers(&self) -> bool {
        self.updates.receiver_count() > 0 || self.runs().values().any(|run| run.lines.receiver_count() > 0)
    }

    fn is_fresh(&self, list: &List) -> bool {
        list.changes == self.changes.load(Ordering::SeqCst) && list.at.elapsed() < REFRESH_INTERVAL
    }

    /// Reads the folders whenever the list is wanted, and at intervals while a client is subscribed; until `stop`.
    pub(super) async fn follow(self: Arc<Self>, stop: Stop) {
        loop {
            let wanted = tokio::select! {
                () = self.wanted.notified() => true,
                () = tokio::time::sleep(POLL_INTERVAL) => false,
                () = stop.asked() => return,
            };
            let index = Arc::clone(&self);
            let read = run_blocking(move || {
                if wanted || index.has_subscribers() {
                    index.refresh();
                }
                Ok::<_, Failure>(())
            });
            // A failed reading is repeated in the next round.
            let _ = read.await;
        }
    }

    /// Reads all folders, unless they were read just now. Blocks.
    fn refresh(&self) {
        if self.list.borrow().as_ref().is_some_and(|list| self.is_fresh(list)) {
            return;
        }
        // What changes from here on makes a list of now an old one.
        let changes = self.changes.load(Ordering::SeqCst);
        let began = Instant::now();
        let names = self.runs_dir.names();
        let gone: Vec<String> = self.runs().keys().filter(|id| !names.contains(id)).cloned().collect();
        for id in gone {
            self.runs().remove(&id);
            // Sending fails without subscribers, which is fine, here and below.
            let _ = self.updates.send(IndexUpdate::Removed(id));
        }
        let first = self.list.borrow().is_none();
        let mut rows = Vec::with_capacity(names.len());
        for id in names {
            let Ok(path) = self.runs_dir.run(&id) else { continue };
            let followed = self.followed(&id, path);
            let mut run = followed.run();
            run.refresh(&self.runs_dir, &self.trainings, &id);
            // The rest of a long log is read in the next rounds, but the first list should not tell of half of one.
            while first && run.tail.has_more() && began.elapsed() < FIRST_LIST_TIME {
                run.refresh(&self.runs_dir, &self.trainings, &id);
            }
            if std::mem::take(&mut run.changed)
                && let Some(text) = run.row.as_ref().and_then(|row| serde_json::to_string(row).ok())
            {
                let _ = self.updates.send(IndexUpdate::Row(text.into()));
            }
            rows.extend(run.row.clone());
        }
        let json = serde_json::to_vec(&rows).unwrap_or_else(|_| b"[]".to_vec()).into();
        self.list.send_replace(Some(List { at: Instant::now(), changes, rows: Arc::new(rows), json }));
    }

    /// The run `id` in the folder `path`.
    fn followed(&self, id: &str, path: PathBuf) -> Arc<Followed> {
        Arc::clone(self.runs().entry(id.to_owned()).or_insert_with(|| Followed::new(path)))
    }

    /// The list of runs, at most [`REFRESH_INTERVAL`] old if the folders can be read within [`PATIENCE`]; else as it was
    /// read before.
    async fn list(&self) -> Option<List> {
        let mut lists = self.list.subscribe();
        let patience = if lists.borrow().is_some() { PATIENCE } else { 2 * FIRST_LIST_TIME };
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let list = lists.borrow_and_update().clone();
            if list.as_ref().is_some_and(|list| self.is_fresh(list)) {
                return list;
            }
            self.wanted.notify_one();
            if tokio::time::timeout_at(deadline, lists.changed()).await.is_err() {
                return list;
            }
        }
    }

    /// The rows of all runs, sorted by name.
    pub(super) async fn rows(&self) -> Arc<Vec<Row>> {
        self.list().await.map(|list| list.rows).unwrap_or_default()
    }

    /// The same as JSON.
    pub(super) async fn json(&self) -> Bytes {
        self.list().await.map_or(Bytes::from_static(b"[]"), |list| list.json)
    }

    /// Calls `look` with one run and its row, read just now. Blocks.
    pub(super) fn with<T>(&self, id: &str, look: impl FnOnce(&FollowedRun, &Row) -> T) -> Answer<T> {
        let path = self.runs_dir.run(id)?;
        let missing =
            || Failure::missing(format!("run {id:?} doesn't exist"), "its folder may have been deleted or renamed");
        if !is_run_folder(&path) {
            return Err(missing());
        }
        let followed = self.followed(id, path);
        let mut run = followed.run();
        let began = Instant::now();
        while run.read.is_none_or(|read| read.elapsed() >= REFRESH_INTERVAL) || run.tail.has_more() {
            run.refresh(&self.runs_dir, &self.trainings, id);
            if began.elapsed() > FIRST_LIST_TIME {
                break;
            }
        }
        let row = run.row.as_ref().ok_or_else(missing)?;
        Ok(look(&run, row))
    }

    /// Makes the next call read the folders again.
    pub(super) fn invalidate(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        let runs: Vec<_> = self.runs().values().cloned().collect();
        // One that is being read at this moment is read again for the next list.
        runs.iter().filter_map(|followed| followed.run.try_lock().ok()).for_each(|mut run| run.read = None);
    }
}

impl FollowedRun {
    fn new(path: PathBuf, lines: broadcast::Sender<LogUpdate>) -> Self {
        Self {
            tail: Tail::new(path.join("events.jsonl")),
            path,
            config: Config::default(),
            log: RunLog::new(),
            unreadable: None,
            alive: false,
            row: None,
            changed: false,
            read: None,
            recent: VecDeque::new(),
            lines,
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

    /// Reads the folder.
    fn refresh(&mut self, runs_dir: &RunsDir, trainings: &Trainings, id: &str) {
        self.config.refresh(runs_dir, &self.path, id);
        self.alive = trainings.has(id);
        self.unreadable = self.read().err().map(|e| format!("events.jsonl can't be read: {e}"));
        let row = self.describe(id);
        self.changed |= self.row.as_ref() != Some(&row);
        (self.row, self.read) = (Some(row), Some(Instant::now()));
    }

    fn read(&mut self) -> std::io::Result<()> {
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
        let Self { tail, log, recent, lines, .. } = self;
        tail.read_lines(|line| {
            let Some(event) = log.add_line(line) else { return };
            if line.len() > MAX_SENT_LINE {
                // The pages read it with the whole history.
                recent.clear();
                let _ = lines.send(LogUpdate::Reset);
                return;
            }
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
