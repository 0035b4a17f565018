//! The training loop: single steps with all their events, healing where needed, and the loop over them.

use std::time::Instant;

use super::{Folder, Phase, Trainer, heal, ranks, resume, scoring};
use crate::doctor::{Doctor, RunContext};
use crate::error::{Error, Result};
use crate::report;
use crate::run;
use crate::train::{Ending, Event, Gan, Limits, Request, Watcher, notify};

/// A watcher that collects the events of one step.
#[derive(Default)]
struct EventBuffer(Vec<Event>);

impl Watcher for EventBuffer {
    fn on(&mut self, event: &Event, _: &Gan) -> Result<Request> {
        self.0.push(event.clone());
        Ok(Request::Continue)
    }
}

impl Trainer {
    /// Makes one step and returns all its events, including sheets, scores, checkpoints, findings and heals, the start
    /// event with the first step and the end event with the last. Returns none once the training has ended. The steps
    /// are those of [`Self::run`], bit for bit.
    ///
    /// # Errors
    /// A loss that is no longer finite, images that can't be read, or files that can't be written.
    pub fn step(&mut self) -> Result<Option<Vec<Event>>> {
        self.advance(&mut [])
    }

    /// Trains until the limits, calling `on` with every event, which may request a stop.
    ///
    /// # Errors
    /// As [`Self::step`], no limit at all, or an error of `on`.
    pub fn run(&mut self, mut on: impl FnMut(&Event, &Gan) -> Result<Request>) -> Result<Ending> {
        self.run_watched(&mut [&mut on])
    }

    /// Trains until the limits, sending every event to all `watchers`.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_watched(&mut self, watchers: &mut [&mut dyn Watcher]) -> Result<Ending> {
        if self.stop.is_none() {
            self.require_limits()?;
        }
        while self.advance(watchers)?.is_some() {}
        match self.phase {
            Phase::Ended(ending) => Ok(ending),
            _ => Err(Error::usage("the training ended with an error", "`Trainer::extend` continues it")),
        }
    }

    /// Refuses a training that would go on for ever.
    ///
    /// # Errors
    /// No limit at all.
    pub fn require_limits(&self) -> Result<()> {
        if self.limits == Limits::default() {
            return Err(Error::usage(
                "the length of the training is not limited",
                "set `train.epochs` or `train.steps` in the recipe, or give limits (`trainer::Options`)",
            ));
        }
        Ok(())
    }

    /// Ends a training that is advanced by [`Self::step`] before its limits, with a last sheet, a checkpoint and the
    /// report. Returns their events; none where the training is not running.
    ///
    /// # Errors
    /// Where files can't be written.
    pub fn finish(&mut self) -> Result<Vec<Event>> {
        let mut buffer = EventBuffer::default();
        if matches!(self.phase, Phase::Running(_)) {
            self.close(Ending::Stopped, &mut [&mut buffer])?;
        }
        Ok(buffer.0)
    }

    fn advance(&mut self, watchers: &mut [&mut dyn Watcher]) -> Result<Option<Vec<Event>>> {
        let mut buffer = EventBuffer::default();
        let mut all: Vec<&mut dyn Watcher> = Vec::new();
        for watcher in watchers.iter_mut() {
            all.push(&mut **watcher);
        }
        all.push(&mut buffer);
        let outcome = self.advance_watched(&mut all);
        match outcome {
            Ok(true) => Ok(Some(buffer.0)),
            Ok(false) => Ok(None),
            Err(error) => {
                self.phase = Phase::Failed;
                // The training's error must not be hidden by one of the report.
                let _ = self.write_report();
                Err(self.with_way_on(error))
            }
        }
    }

    /// `error`; one of the system, such as a full disk, with what is left to go on from.
    fn with_way_on(&self, error: Error) -> Error {
        let of_system = matches!(error, Error::Io { .. });
        let Some(run) = self.run_folder().filter(|_| of_system) else { return error };
        let hint = match run::state(&run.checkpoint("latest")) {
            Ok((_, state)) => format!("{}; then go on from step {} (`Trainer::resume`)", error.hint(), state.step),
            Err(_) => format!("{}; then start the run again: it had not saved anything yet", error.hint()),
        };
        Error::run(error.to_string(), hint)
    }

    /// Makes one step; false where the training has ended.
    fn advance_watched(&mut self, watchers: &mut [&mut dyn Watcher]) -> Result<bool> {
        let began = match self.phase {
            Phase::Running(began) => began,
            Phase::New if !self.is_complete() => {
                self.begin()?;
                let began = Instant::now();
                self.phase = Phase::Running(began);
                self.notify_start(watchers)?;
                // It was stopped or killed between the finding and its heal.
                self.heal_if_due(watchers)?;
                if self.has_all_steps() {
                    // It was killed, or failed, between its last step and its end.
                    self.close(Ending::Complete, watchers)?;
                    return Ok(true);
                }
                began
            }
            Phase::New => {
                // The report is written last of all.
                self.write_report()?;
                self.phase = Phase::Ended(Ending::Complete);
                return Ok(false);
            }
            Phase::Ended(_) | Phase::Failed => return Ok(false),
        };
        ranks::lead(&self.gan, &mut self.shared)?;
        let request = self.watched(watchers, Gan::step_watched)?;
        match request {
            Request::RollBack => self.go_back(watchers)?,
            // A stop comes after a heal that is due at the same step.
            Request::Continue | Request::Stop => self.heal_if_due(watchers)?,
        }
        let stopped = request == Request::Stop || self.stop.as_ref().is_some_and(|stop| stop());
        let ending = if stopped { Some(Ending::Stopped) } else { self.limits.reached(&self.gan, began) };
        if let Some(ending) = ending {
            self.close(ending, watchers)?;
        }
        Ok(true)
    }

    /// Prepares the first step: finds the judge, writes the recipe and opens the log in the folder.
    fn begin(&mut self) -> Result<()> {
        self.find_judge(&mut |_| ())?;
        self.lacks_end = false;
        if let Some(doctor) = self.before_end.take() {
            self.doctor = doctor;
        }
        let Some(Folder { run, state, recorder, .. }) = &mut self.folder else {
            if let (None, Some(judge)) = (&self.scores, self.judge.take()) {
                self.scores = Some(scoring::Scores::by(judge));
            }
            return Ok(());
        };
        if let Some(recorder) = recorder {
            recorder.forget_end()?;
        } else {
            let log = resume::log(run, state.as_ref())?;
            run.write_recipe(&self.gan.recipe)?;
            self.doctor = Doctor::new(RunContext::of(&run.first_recipe()?)?, &log);
            let new = super::Recorder::new(run.clone(), state.as_ref())?.after(&log);
            *recorder = Some(new.judged_by(self.judge.take()));
        }
        Ok(())
    }

    fn notify_start(&mut self, watchers: &mut [&mut dyn Watcher]) -> Result<()> {
        let start = self.gan.start(&self.limits);
        self.watched(watchers, |gan, all| notify(all, gan, start)).map(|_| ())
    }

    /// Ends the training: a last sheet and checkpoint, the report.
    fn close(&mut self, ending: Ending, watchers: &mut [&mut dyn Watcher]) -> Result<()> {
        let end = self.gan.end(ending);
        self.phase = Phase::Ended(ending);
        self.before_end = Some(self.doctor.clone());
        self.watched(watchers, |gan, all| notify(all, gan, end))?;
        self.write_report()
    }

    fn heal_if_due(&mut self, watchers: &mut [&mut dyn Watcher]) -> Result<()> {
        if self.doctor.is_heal_due(&self.gan) { self.go_back(watchers) } else { Ok(()) }
    }

    /// Goes back to an earlier state under a changed recipe.
    fn go_back(&mut self, watchers: &mut [&mut dyn Watcher]) -> Result<()> {
        let Self { gan, folder, doctor, .. } = self;
        let folder = folder.as_mut().and_then(|folder| Some((&folder.run, folder.recorder.as_mut()?)));
        self.gan = heal::heal(gan, folder, doctor)?;
        self.shared = false;
        self.notify_start(watchers)
    }

    fn write_report(&self) -> Result<()> {
        self.run_folder().map_or(Ok(()), |run| report::write(run).map(|_| ()))
    }

    /// Calls `act` with all watchers, those of the trainer first.
    fn watched<T>(
        &mut self,
        others: &mut [&mut dyn Watcher],
        act: impl FnOnce(&mut Gan, &mut [&mut dyn Watcher]) -> Result<T>,
    ) -> Result<T> {
        let Self { gan, folder, scores, doctor, .. } = self;
        let mut all: Vec<&mut dyn Watcher> = Vec::new();
        if let Some(recorder) = folder.as_mut().and_then(|folder| folder.recorder.as_mut()) {
            all.push(recorder);
        }
        if let Some(scores) = scores {
            all.push(scores);
        }
        all.push(doctor);
        for watcher in others.iter_mut() {
            all.push(&mut **watcher);
        }
        act(gan, &mut all)
    }
}
