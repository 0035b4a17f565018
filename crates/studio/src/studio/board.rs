//! All runs of the folder as they stand: their logs are followed once, however many look on, and only while somebody does.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};

use faussaire::run::Run;
use serde::Serialize;
use tokio::sync::broadcast;

use super::chronicle::{Chronicle, End};
use super::config::Config;
use super::place::Place;
use super::tail::{Growth, Tail};
use super::trainings::{Trainings, last_words};
use crate::errors::{Answer, Failure};

/// Folders are looked at no more often.
const EVERY: Duration = Duration::from_millis(400);
/// Logs that are longer when they are seen first are not read.
const LONGEST: u64 = 1 << 30;
/// Lines of a log that are kept for viewers who come a little late.
const RECENT: usize = 512;
/// Messages that a viewer may lag behind.
const LAG: usize = 1_024;

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    Running,
    Stopped,
    Complete,
    Diverged,
    Damaged,
}

/// A line of the list of runs.
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

/// The newest value of the score that decides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct NamedScore {
    name: String,
    value: f64,
}

/// Its best value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Best {
    step: u64,
    value: f64,
}

/// What those who look at the list are told.
#[derive(Clone, Debug)]
pub(super) enum News {
    /// A run's line has changed, as JSON.
    Row(Arc<str>),
    /// The run is gone.
    Gone(String),
}

/// What those who look at one run are told.
#[derive(Clone, Debug)]
pub(super) enum Line {
    /// A new line of its log: number, name of the event, the line.
    New(u64, String, Arc<str>),
    /// The log was cut off: what was told doesn't hold.
    Reset,
}

/// All runs.
#[derive(Debug)]
pub(crate) struct Board {
    pub(super) place: Place,
    trainings: Arc<Trainings>,
    inner: Mutex<Inner>,
    pub(super) news: broadcast::Sender<News>,
}

#[derive(Debug, Default)]
struct Inner {
    looked: Option<Instant>,
    runs: BTreeMap<String, Followed>,
}

/// A run that is followed.
#[derive(Debug)]
pub(super) struct Followed {
    path: PathBuf,
    config: Config,
    tail: Tail,
    pub chronicle: Chronicle,
    unreadable: Option<String>,
    /// Whether a process of ours trains it, or is about to.
    alive: bool,
    row: Option<Row>,
    recent: VecDeque<(u64, String, Arc<str>)>,
    lines: broadcast::Sender<Line>,
}

impl Board {
    pub(super) fn new(place: Place, trainings: Arc<Trainings>) -> Self {
        Self { place, trainings, inner: Mutex::default(), news: broadcast::channel(LAG).0 }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // What a panic left half done is read again from the files.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anybody waits for news.
    pub(super) fn is_watched(&self) -> bool {
        self.news.receiver_count() > 0 || self.inner().runs.values().any(|run| run.lines.receiver_count() > 0)
    }

    /// Looks at all folders, unless that was done just now.
    pub(super) fn refresh(&self) {
        let mut inner = self.inner();
        if inner.looked.is_some_and(|at| at.elapsed() < EVERY) {
            return;
        }
        let names = self.place.names();
        let gone: Vec<String> = inner.runs.keys().filter(|id| !names.contains(id)).cloned().collect();
        for id in gone {
            inner.runs.remove(&id);
            // Nobody listening is no fault, here and below.
            let _ = self.news.send(News::Gone(id));
        }
        for id in names {
            let Ok(path) = self.place.run(&id) else { continue };
            let run = inner.runs.entry(id.clone()).or_insert_with(|| Followed::new(path));
            if run.refresh(&self.place, &self.trainings, &id)
                && let Some(row) = &run.row
                && let Ok(text) = serde_json::to_string(row)
            {
                let _ = self.news.send(News::Row(text.into()));
            }
        }
        inner.looked = Some(Instant::now());
    }

    /// The list, runs by name.
    pub(super) fn rows(&self) -> Vec<Row> {
        self.refresh();
        self.inner().runs.values().filter_map(|run| run.row.clone()).collect()
    }

    /// What is known of one run.
    pub(super) fn with<T>(&self, id: &str, look: impl FnOnce(&Followed, &Row) -> T) -> Answer<T> {
        self.place.run(id)?;
        self.refresh();
        let inner = self.inner();
        let run = inner.runs.get(id).and_then(|run| Some((run, run.row.as_ref()?)));
        let (run, row) = run.ok_or_else(|| {
            Failure::missing(format!("there is no run {id:?}"), "its folder may have been deleted or renamed")
        })?;
        Ok(look(run, row))
    }

    /// Looks again as soon as anybody asks.
    pub(super) fn look_again(&self) {
        self.inner().looked = None;
    }
}

impl Followed {
    fn new(path: PathBuf) -> Self {
        Self {
            tail: Tail::new(path.join("events.jsonl")),
            path,
            config: Config::default(),
            chronicle: Chronicle::new(),
            unreadable: None,
            alive: false,
            row: None,
            recent: VecDeque::new(),
            lines: broadcast::channel(LAG).0,
        }
    }

    /// Lines from now on, and those after number `after` that came before; none of these where they are not kept any more.
    pub(super) fn follow(&self, after: u64) -> (Option<Vec<Line>>, broadcast::Receiver<Line>) {
        let first = self.recent.front().map_or(self.chronicle.lines + 1, |(number, ..)| *number);
        let kept = after + 1 >= first && after <= self.chronicle.lines;
        let missed = self.recent.iter().filter(|(number, ..)| *number > after);
        let missed = missed.map(|(number, event, line)| Line::New(*number, event.clone(), line.clone())).collect();
        (kept.then_some(missed), self.lines.subscribe())
    }

    /// Looks at the folder; true where the list's line has changed.
    fn refresh(&mut self, place: &Place, trainings: &Trainings, id: &str) -> bool {
        self.config.refresh(place, &self.path, id);
        self.alive = trainings.has(id);
        self.unreadable = self.read().err().map(|e| format!("events.jsonl can't be read: {e}"));
        let row = self.describe(id);
        let changed = self.row.as_ref() != Some(&row);
        self.row = Some(row);
        changed
    }

    fn read(&mut self) -> std::io::Result<()> {
        let read = self.read_on();
        if read.is_err() {
            // Looked at again next time, whether it has changed or not.
            self.tail.forget();
        }
        read
    }

    fn read_on(&mut self) -> std::io::Result<()> {
        let growth = self.tail.look()?;
        if growth == Growth::Same {
            return Ok(());
        }
        if growth == Growth::Anew {
            self.chronicle = Chronicle::new();
            self.recent.clear();
            let _ = self.lines.send(Line::Reset);
        }
        if !self.tail.exists() {
            return Ok(());
        }
        if self.tail.length() > LONGEST {
            return Err(std::io::Error::other(format!("it is longer than {LONGEST} bytes")));
        }
        let Self { tail, chronicle, recent, lines, .. } = self;
        tail.lines(|line| {
            let Some(event) = chronicle.see(line) else { return };
            let text: Arc<str> = line.into();
            if recent.len() == RECENT {
                recent.pop_front();
            }
            recent.push_back((chronicle.lines, event.clone(), text.clone()));
            let _ = lines.send(Line::New(chronicle.lines, event, text));
        })
    }

    fn state(&self) -> (State, Option<String>) {
        // About to begin: there is no recipe yet.
        let begins = self.alive && !self.path.join("config.toml").exists();
        let damaged = [&self.config.damaged, &self.unreadable, &self.chronicle.damaged];
        let words = || last_words(&self.path).map(|(error, _)| error);
        match (damaged.into_iter().flatten().next(), self.chronicle.end) {
            _ if begins => (State::Running, None),
            (Some(reason), _) => (State::Damaged, words().or_else(|| Some(reason.clone()))),
            _ if self.alive || Run::open(&self.path).is_ok_and(|run| run.is_training()) => (State::Running, None),
            // Killed, or never got to a step.
            (None, End::Open) => (State::Stopped, words()),
            (None, End::Stopped) => (State::Stopped, None),
            (None, End::Complete) => (State::Complete, None),
            (None, End::Diverged) => (State::Diverged, None),
        }
    }

    fn describe(&self, id: &str) -> Row {
        let (state, error) = self.state();
        let log = &self.chronicle;
        let last = log.last();
        let deciding = log.deciding();
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
            score: deciding.map(|(now, _)| NamedScore { name: now.name.to_string(), value: now.value }),
            best: deciding.map(|(_, best)| Best { step: best.step, value: best.value }),
            sheet: log.sheets.last().map(|sheet| sheet.file.clone()),
            findings: log.findings.len(),
            changed: changed.map_or(0, |since| since.as_secs()),
            error,
        }
    }
}
