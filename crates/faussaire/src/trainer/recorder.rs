//! The watcher that writes a run folder: the log of events, sheets of images from fixed noise, checkpoints.
//!
//! What a run comes to depends on its steps, never on where somebody stopped it. So scores, sheets and the checkpoint `best` have
//! a schedule (`train.sheet_every`); what is written at an end besides, its sheet and score, is cut off and forgotten when the run
//! goes on.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::scoring::Scoring;
use super::sheet;
use crate::data::{Digest, open_plain_with};
use crate::error::{Error, Result};
use crate::metrics::{Extractor, OnlineScore};
use crate::render::png;
use crate::run::{Run, RunState, State, StopRequest, forget_off_schedule, save_in_run, tidy};
use crate::train::{Event, Gan, Heal, Request, StepReport, Watcher};

/// Name of the best checkpoint.
pub(super) const BEST: &str = "best";

/// Writes log, sheets and checkpoints into the run folder.
#[derive(Debug)]
pub struct Recorder {
    run: Run,
    events: File,
    events_path: PathBuf,
    /// Digest of the log so far.
    digest: Digest,
    /// Length and digest of the log before the training's end was logged.
    before_end: Option<(u64, Digest)>,
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
    /// A log that can't be opened, or that is shorter.
    pub fn new(run: Run, state: Option<&State>) -> Result<Self> {
        let path = run.log_path();
        let mut access = OpenOptions::new();
        let access = access.create(true).truncate(false).read(true).write(true);
        let mut events = open_plain_with(access, &path).map_err(Error::io("create", &path))?;
        let length = state.map_or(0, State::resumed_bytes);
        let digest = digest_of(&mut events, length).map_err(Error::io("read", &path))?;
        truncate(&mut events, length).map_err(Error::io("write", &path))?;
        tidy(&run.path().join("checkpoints"));
        forget_off_schedule(&run.checkpoint(BEST))?;
        let last_report = state.and_then(|s| s.report.filter(|report| report.step == s.step));
        Ok(Self {
            run,
            events,
            events_path: path,
            digest,
            before_end: None,
            saved: Instant::now(),
            stop: StopRequest::new(),
            // A step whose metrics the log doesn't have is logged at an end, should it come at once.
            last_logged: state.map_or(0, |s| s.step.saturating_sub(u64::from(last_report.is_some()))),
            last_report,
            last_sheet: None,
            scoring: Scoring::default(),
            best: state.and_then(|s| s.best),
            pending: Vec::new(),
        })
    }

    /// Goes on after the events `log`: the sheet that was due at the last of its steps is not written again at an end.
    #[must_use]
    pub(super) fn after(self, log: &[Event]) -> Self {
        let since_heal = log.iter().rev().take_while(|event| !matches!(event, Event::Heal(_)));
        let sheet = |event: &Event| if let Event::Sheet { step, .. } = event { Some(*step) } else { None };
        Self { last_sheet: since_heal.filter_map(sheet).next(), ..self }
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
        let length = self.events.stream_position().map_err(Error::io("read", &self.events_path))?;
        if let Err(error) = self.events.write_all(&line) {
            // Of a line that was begun nothing stays: what an end logs after it would be on the same line.
            let _ = truncate(&mut self.events, length);
            return Err(Error::io("write", &self.events_path)(error));
        }
        self.digest.update(&line);
        Ok(())
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

    /// A sheet with its score, at an end or on schedule.
    fn sheet(&mut self, gan: &Gan) -> Result<()> {
        let step = gan.progress.step;
        if self.last_sheet == Some(step) {
            return Ok(());
        }
        self.write_sheet(gan)?;
        self.score(gan)
    }

    /// The end of a training is off the schedule: what is logged from now on is cut off where the run goes on.
    fn end(&mut self, event: &Event, gan: &Gan) -> Result<()> {
        let length = self.events.stream_position().map_err(Error::io("read", &self.events_path))?;
        self.before_end = Some((length, self.digest.clone()));
        if let Some(report) = self.last_report
            && report.step > self.last_logged
        {
            self.log_step(report)?;
        }
        self.sheet(gan)?;
        self.log(event)?;
        self.save_latest(gan)
    }

    /// Takes back what the end has logged and scored: the training goes on.
    ///
    /// # Errors
    /// A log or checkpoint that can't be changed.
    pub(super) fn forget_end(&mut self) -> Result<()> {
        let Some((length, digest)) = self.before_end.take() else { return Ok(()) };
        truncate(&mut self.events, length).map_err(Error::io("write", &self.events_path))?;
        (self.digest, self.last_sheet) = (digest, None);
        if let Some(report) = self.last_report.filter(|report| !StepReport::is_logged(report.step)) {
            self.last_logged = self.last_logged.min(report.step.saturating_sub(1));
        }
        forget_off_schedule(&self.run.checkpoint(BEST))
    }

    fn write_sheet(&mut self, gan: &Gan) -> Result<()> {
        let step = gan.progress.step;
        self.last_sheet = Some(step);
        let file = format!("samples/{step:06}.png");
        png::write(&self.run.path().join(&file), &sheet::of(gan)?)?;
        self.emit(Event::Sheet { step, file })
    }

    /// Scores the averaged generator on fixed noise, and saves the checkpoint `best` if no earlier score was better. One that is
    /// the best at an end only is no best for the steps after it.
    fn score(&mut self, gan: &Gan) -> Result<()> {
        let (step, scores) = (gan.progress.step, self.scoring.score(gan)?);
        // Without a number there is no best.
        let deciding = scores.first().map_or(f64::INFINITY, |score| score.value);
        for OnlineScore { name, value, error, .. } in scores {
            self.emit(Event::Score { step, name, value, error })?;
        }
        if deciding.is_finite() && self.best.is_none_or(|best| deciding < best) {
            if self.before_end.is_none() {
                self.best = Some(deciding);
            }
            self.save(gan, BEST)?;
        }
        Ok(())
    }

    fn save(&mut self, gan: &Gan, name: &str) -> Result<()> {
        self.events.sync_data().map_err(Error::io("write", &self.events_path))?;
        let length = self.events.stream_position().map_err(Error::io("read", &self.events_path))?;
        let (before_end, digest) = match &self.before_end {
            Some((length, digest)) => (Some(*length), digest.clone()),
            None => (None, self.digest.clone()),
        };
        let run = RunState {
            events_bytes: length,
            bytes_before_end: before_end,
            log: Some(digest.finish()),
            best: self.best,
            off_schedule: name == BEST && before_end.is_some(),
            report: self.last_report.filter(|report| before_end.is_none() && report.step > self.last_logged),
        };
        save_in_run(&self.run.checkpoint(name), gan, run)?;
        self.emit(Event::Checkpoint { step: gan.progress.step, name: name.into() })
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
                if let Err(error) = self.end(event, gan) {
                    // The steps are saved if they can be; a resume writes the end anew.
                    if self.forget_end().is_ok() {
                        let _ = self.save_latest(gan);
                    }
                    return Err(error);
                }
            }
            Event::Start { step, .. } => {
                self.log(event)?;
                if *step == 0 && self.last_sheet != Some(0) {
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

/// Cuts `file` after `length` bytes, where writing goes on.
fn truncate(file: &mut File, length: u64) -> std::io::Result<()> {
    if file.metadata()?.len() > length {
        file.set_len(length)?;
    }
    file.seek(SeekFrom::End(0)).map(drop)
}

/// The digest of the first `length` bytes of `file`, which must have as many.
fn digest_of(file: &mut File, length: u64) -> std::io::Result<Digest> {
    let (mut digest, mut left, mut chunk) = (Digest::new(), length, vec![0; 1 << 16]);
    file.seek(SeekFrom::Start(0))?;
    while left > 0 {
        let part = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        file.read_exact(&mut chunk[..part])?;
        digest.update(&chunk[..part]);
        left -= part as u64;
    }
    Ok(digest)
}
