//! The watcher that keeps a run's folder: the log of events, sheets of images from fixed noise, checkpoints.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Run, State, save};
use crate::error::{Error, Result};
use crate::picture::{Images, png, sheet};
use crate::train::{Event, Gan, Request, StepReport, Watcher};

/// Every so many steps one is written to the log.
const LOG_EVERY: u64 = 10;
/// Rows and columns of a sheet.
const SHEET: (usize, usize) = (4, 10);

/// Writes what happens into the run's folder.
#[derive(Debug)]
pub struct Recorder {
    run: Run,
    events: File,
    events_path: PathBuf,
    saved: Instant,
    last_logged: u64,
    last_report: Option<StepReport>,
    last_sheet: Option<u64>,
}

impl Recorder {
    /// Opens the log of `run`; when resuming, what was logged after the checkpoint's `state` is cut off.
    ///
    /// # Errors
    /// Where the log can't be opened.
    pub fn new(run: Run, state: Option<&State>) -> Result<Self> {
        let path = run.path().join("events.jsonl");
        let mut events = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(Error::io("create", &path))?;
        let kept = state.map_or(0, |s| s.events_bytes);
        events
            .set_len(kept)
            .and_then(|()| events.seek(SeekFrom::End(0)))
            .map_err(Error::io("write", &path))?;
        Ok(Self {
            run,
            events,
            events_path: path,
            saved: Instant::now(),
            last_logged: state.map_or(0, |s| s.step),
            last_report: None,
            last_sheet: None,
        })
    }

    fn log(&mut self, event: &Event) -> Result<()> {
        let mut line = serde_json::to_vec(event)
            .map_err(|e| Error::run(format!("an event can't be written as JSON: {e}"), "report this"))?;
        line.push(b'\n');
        self.events.write_all(&line).map_err(Error::io("write", &self.events_path))
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
        self.last_sheet = Some(step);
        let (rows, columns) = SHEET;
        let values = gan.generate(&gan.fixed_noise(rows * columns));
        let images = Images::from_values(&values, gan.image_shape(), gan.range().bounds())?;
        let picture = sheet::sheet(&images, rows, columns, &sheet::Options::default())?;
        let file = format!("samples/{step:06}.png");
        png::write(&self.run.path().join(&file), &picture)?;
        self.log(&Event::Sheet { step, file })
    }

    fn save(&mut self, gan: &Gan) -> Result<()> {
        self.log(&Event::Checkpoint { step: gan.progress.step })?;
        self.events.sync_data().map_err(Error::io("write", &self.events_path))?;
        let length = self.events.stream_position().map_err(Error::io("read", &self.events_path))?;
        save(&self.run.checkpoint("latest"), gan, length)?;
        self.saved = Instant::now();
        Ok(())
    }
}

impl Watcher for Recorder {
    fn on(&mut self, event: &Event, gan: &Gan) -> Result<Request> {
        match event {
            Event::Step(report) => {
                self.last_report = Some(*report);
                if report.step == 1 || report.step % LOG_EVERY == 0 {
                    self.log_step(*report)?;
                }
                if self.saved.elapsed() >= Duration::from_secs(gan.recipe.train.save_every) {
                    self.save(gan)?;
                }
            }
            Event::Epoch { epoch, .. } => {
                self.log(event)?;
                let every = gan.recipe.train.sheet_every;
                if every > 0 && epoch % every == 0 {
                    self.sheet(gan)?;
                }
            }
            Event::End { .. } => {
                if let Some(report) = self.last_report
                    && report.step > self.last_logged
                {
                    self.log_step(report)?;
                }
                self.sheet(gan)?;
                self.log(event)?;
                self.save(gan)?;
            }
            Event::Start { .. } | Event::Sheet { .. } | Event::Checkpoint { .. } => self.log(event)?,
        }
        Ok(Request::Continue)
    }
}
