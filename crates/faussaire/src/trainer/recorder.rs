//! The watcher that writes a run folder: the log of events, sheets of images from fixed noise, checkpoints.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::scoring::Scoring;
use super::sheet;
use crate::data::open_plain_with;
use crate::error::{Error, Result};
use crate::metrics::Extractor;
use crate::render::png;
use crate::run::{Run, State, StopRequest, save};
use crate::train::{Event, Gan, Heal, Request, StepReport, Watcher};

/// Writes log, sheets and checkpoints into the run folder.
#[derive(Debug)]
pub struct Recorder {
    run: Run,
    events: File,
    events_path: PathBuf,
    saved: Instant,
    stop: StopRequest,
    last_logged: u64,
    last_report: Option<StepReport>,
    last_sheet: Option<u64>,
    scoring: Scoring,
    best: Option<f64>,
    /// Its own events, already logged, for the other watchers.
    pending: Vec<Event>,
}

impl Recorder {
    /// Opens the log of `run`; when resuming, truncates it after the checkpoint's `state`.
    ///
    /// # Errors
    /// A log that can't be opened.
    pub fn new(run: Run, state: Option<&State>) -> Result<Self> {
        let path = run.path().join("events.jsonl");
        let mut access = OpenOptions::new();
        let access = access.create(true).truncate(false).write(true);
        let mut events = open_plain_with(access, &path).map_err(Error::io("create", &path))?;
        let length = state.map_or(0, |s| s.events_bytes);
        let longer = events.metadata().is_ok_and(|m| m.len() > length);
        let truncated = if longer { events.set_len(length) } else { Ok(()) };
        truncated.and_then(|()| events.seek(SeekFrom::End(0))).map_err(Error::io("write", &path))?;
        Ok(Self {
            run,
            events,
            events_path: path,
            saved: Instant::now(),
            stop: StopRequest::new(),
            last_logged: state.map_or(0, |s| s.step),
            last_report: None,
            last_sheet: None,
            scoring: Scoring::default(),
            best: state.and_then(|s| s.best),
            pending: Vec::new(),
        })
    }

    /// Scores the run with the features of `extractor`, instead of on pixels.
    #[must_use]
    pub fn judged_by(self, extractor: Option<Extractor>) -> Self {
        Self { scoring: Scoring::by(extractor), ..self }
    }

    /// Total time spent on scoring.
    pub fn scoring_time(&self) -> Duration {
        self.scoring.time()
    }

    fn log(&mut self, event: &Event) -> Result<()> {
        let mut line = serde_json::to_vec(event)
            .map_err(|e| Error::run(format!("an event can't be written as JSON: {e}"), "report this"))?;
        line.push(b'\n');
        self.events.write_all(&line).map_err(Error::io("write", &self.events_path))
    }

    /// Logs an event of its own, and emits it to the other watchers.
    fn emit(&mut self, event: Event) -> Result<()> {
        self.log(&event)?;
        self.pending.push(event);
        Ok(())
    }

    /// The run continues as `gan`, with a changed recipe: logs the heal and saves a checkpoint.
    ///
    /// # Errors
    /// A log or checkpoint that can't be written.
    pub fn healed(&mut self, heal: &Heal, gan: &Gan) -> Result<()> {
        self.log(&Event::Heal(heal.clone()))?;
        (self.last_logged, self.last_report, self.last_sheet) = (heal.back_to, None, None);
        if heal.checkpoint.is_none() {
            self.best = None;
        }
        self.save_latest(gan)
    }

    fn log_step(&mut self, report: StepReport) -> Result<()> {
        self.last_logged = report.step;
        self.log(&Event::Step(report))
    }

    fn sheet(&mut self, gan: &Gan) -> Result<()> {
        let step = gan.progress.step;
        if self.last_sheet == Some(step) {
            return Ok(());
        }
        self.write_sheet(gan)?;
        self.score(gan)
    }

    fn write_sheet(&mut self, gan: &Gan) -> Result<()> {
        let step = gan.progress.step;
        self.last_sheet = Some(step);
        let file = format!("samples/{step:06}.png");
        png::write(&self.run.path().join(&file), &sheet::of(gan)?)?;
        self.emit(Event::Sheet { step, file })
    }

    /// Scores the averaged generator on fixed noise, and saves the checkpoint `best` if no earlier score was better.
    fn score(&mut self, gan: &Gan) -> Result<()> {
        let (step, scores) = (gan.progress.step, self.scoring.score(gan)?);
        let deciding = scores.first().map_or(f64::INFINITY, |(_, value)| *value);
        for (name, value) in scores {
            self.emit(Event::Score { step, name, value })?;
        }
        if self.best.is_none_or(|best| deciding < best) {
            let value = deciding;
            self.best = Some(value);
            self.save(gan, "best")?;
        }
        Ok(())
    }

    fn save(&mut self, gan: &Gan, name: &str) -> Result<()> {
        self.emit(Event::Checkpoint { step: gan.progress.step, name: name.into() })?;
        self.events.sync_data().map_err(Error::io("write", &self.events_path))?;
        let length = self.events.stream_position().map_err(Error::io("read", &self.events_path))?;
        save(&self.run.checkpoint(name), gan, length, self.best)
    }

    fn save_if_due(&mut self, gan: &Gan) -> Result<()> {
        if self.saved.elapsed() >= Duration::from_secs(gan.recipe.train.save_every) {
            self.save_latest(gan)?;
        }
        Ok(())
    }

    fn save_latest(&mut self, gan: &Gan) -> Result<()> {
        self.save(gan, "latest")?;
        self.saved = Instant::now();
        Ok(())
    }

    /// Writes what is due at the end of an epoch: a sheet with its score, a permanent checkpoint.
    fn epoch(&mut self, epoch: u64, gan: &Gan) -> Result<()> {
        if gan.recipe.train.sheet_due(epoch) {
            self.sheet(gan)?;
        }
        if gan.recipe.train.keep_due(epoch) {
            self.save(gan, &format!("epoch-{epoch:04}"))?;
        }
        Ok(())
    }
}

impl Watcher for Recorder {
    fn on(&mut self, event: &Event, gan: &Gan) -> Result<Request> {
        match event {
            Event::Step(report) => {
                self.last_report = Some(*report);
                if StepReport::is_logged(report.step) {
                    self.log_step(*report)?;
                }
                // At an epoch's end the sheet and the permanent checkpoint come first: a kill in between must not skip
                // them.
                if gan.epochs_completed().is_empty() {
                    self.save_if_due(gan)?;
                }
                if self.stop.was_requested(&self.run)? {
                    return Ok(Request::Stop);
                }
            }
            Event::Epoch { epoch, .. } => {
                self.log(event)?;
                self.epoch(*epoch, gan)?;
                if *epoch + 1 == gan.epochs_completed().end {
                    self.save_if_due(gan)?;
                }
            }
            Event::End { .. } => {
                if let Some(report) = self.last_report
                    && report.step > self.last_logged
                {
                    self.log_step(report)?;
                }
                // The checkpoint is saved even if the sheet can't be written.
                let written = self.sheet(gan);
                self.log(event)?;
                self.save_latest(gan)?;
                written?;
            }
            Event::Start { step, .. } => {
                self.log(event)?;
                if *step == 0 {
                    // A sheet of the untrained generator, without a score.
                    self.write_sheet(gan)?;
                }
            }
            Event::Diverged { .. } | Event::Finding(_) => self.log(event)?,
            // Its own events, which it has logged.
            Event::Sheet { .. } | Event::Score { .. } | Event::Checkpoint { .. } | Event::Heal(_) => {}
        }
        Ok(Request::Continue)
    }

    fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.pending)
    }
}
