//! Training itself: one step with all its events, healed if need be, and the loop over such steps.

use std::time::Instant;

use super::{Folder, Phase, Trainer, heal, resume, scoring};
use crate::doctor::{Doctor, RunContext};
use crate::error::{Error, Result};
use crate::report;
use crate::train::{Ending, Event, Gan, Limits, Request, Watcher, notify};

/// The watcher that remembers the events of one step.
#[derive(Default)]
struct EventBuffer(Vec<Event>);

impl Watcher for EventBuffer {
    fn on(&mut self, event: &Event, _: &Gan) -> Result<Request> {
        self.0.push(event.clone());
        Ok(Request::Continue)
    }
}

impl Trainer {
    /// Makes one step and returns all its events: sheets, scores, checkpoints, findings and heals among them, the start
    /// with the first step and the end with the last. Nothing once the training is over. The same steps as
    /// [`Self::run`], bit for bit.
    ///
    /// # Errors
    /// A loss that is no longer finite, images that can't be read, or files that can't be written.
    pub fn step(&mut self) -> Result<Option<Vec<Event>>> {
        self.advance(&mut [])
    }

    /// Trains until the limits, telling `on` of every event. It may ask for a stop.
    ///
    /// # Errors
    /// As [`Self::step`], no limit at all, or what `on` reports.
    pub fn run(&mut self, mut on: impl FnMut(&Event, &Gan) -> Result<Request>) -> Result<Ending> {
        self.run_watched(&mut [&mut on])
    }

    /// Trains until the limits, telling all `watchers` of every event.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_watched(&mut self, watchers: &mut [&mut dyn Watcher]) -> Result<Ending> {
        if self.limits == Limits::default() && self.stop.is_none() {
            return Err(Error::usage(
                "nothing says how long to train",
                "set `train.epochs` or `train.steps` in the recipe, or give limits (`trainer::Options`)",
            ));
        }
        while self.advance(watchers)?.is_some() {}
        match self.phase {
            Phase::Over(ending) => Ok(ending),
            _ => Err(Error::usage("the training ended with an error", "`Trainer::extend` lets it go on")),
        }
    }

    /// Ends a training that is pulled step by step before its limits: a last sheet and checkpoint, the report. Returns the
    /// events; none where it is not under way.
    ///
    /// # Errors
    /// Where files can't be written.
    pub fn finish(&mut self) -> Result<Vec<Event>> {
        let mut seen = EventBuffer::default();
        if matches!(self.phase, Phase::Going(_)) {
            self.close(Ending::Stopped, &mut [&mut seen])?;
        }
        Ok(seen.0)
    }

    fn advance(&mut self, watchers: &mut [&mut dyn Watcher]) -> Result<Option<Vec<Event>>> {
        let mut seen = EventBuffer::default();
        let mut all: Vec<&mut dyn Watcher> = Vec::new();
        for watcher in watchers.iter_mut() {
            all.push(&mut **watcher);
        }
        all.push(&mut seen);
        let outcome = self.advance_watched(&mut all);
        match outcome {
            Ok(true) => Ok(Some(seen.0)),
            Ok(false) => Ok(None),
            Err(error) => {
                self.phase = Phase::Failed;
                // The log says how it failed; a report that can't be written must not hide that.
                let _ = self.write_report();
                Err(error)
            }
        }
    }

    /// One step; whether there was one to make.
    fn advance_watched(&mut self, watchers: &mut [&mut dyn Watcher]) -> Result<bool> {
        let began = match self.phase {
            Phase::Going(began) => began,
            Phase::Fresh if !self.is_complete() => {
                self.begin()?;
                let began = Instant::now();
                self.phase = Phase::Going(began);
                self.notify_start(watchers)?;
                began
            }
            Phase::Fresh => {
                self.phase = Phase::Over(Ending::Complete);
                return Ok(false);
            }
            Phase::Over(_) | Phase::Failed => return Ok(false),
        };
        let request = self.watched(watchers, Gan::step_watched)?;
        if request == Request::RollBack {
            self.heal()?;
            self.notify_start(watchers)?;
        }
        let stopped = request == Request::Stop || self.stop.as_ref().is_some_and(|stop| stop());
        let ending = if stopped { Some(Ending::Stopped) } else { self.limits.reached(&self.gan, began) };
        if let Some(ending) = ending {
            self.close(ending, watchers)?;
        }
        Ok(true)
    }

    /// What the first step needs: the recipe and the log in the folder, a judge.
    fn begin(&mut self) -> Result<()> {
        self.find_judge(&mut |_| ())?;
        let Some(Folder { run, state, recorder, .. }) = &mut self.folder else {
            if let (None, Some(judge)) = (&self.scores, self.judge.take()) {
                self.scores = Some(scoring::Scores::by(judge));
            }
            return Ok(());
        };
        if recorder.is_none() {
            let log = resume::log(run, state.as_ref())?;
            run.write_recipe(&self.gan.recipe)?;
            self.doctor = Doctor::new(RunContext::of(&run.first_recipe()?)?, &log);
            *recorder = Some(super::Recorder::new(run.clone(), state.as_ref())?.judged_by(self.judge.take()));
        }
        Ok(())
    }

    fn notify_start(&mut self, watchers: &mut [&mut dyn Watcher]) -> Result<()> {
        let start = self.gan.start(&self.limits);
        self.watched(watchers, |gan, all| notify(all, gan, start)).map(|_| ())
    }

    /// The end: a last sheet and checkpoint, the report.
    fn close(&mut self, ending: Ending, watchers: &mut [&mut dyn Watcher]) -> Result<()> {
        let end = self.gan.end(ending);
        self.phase = Phase::Over(ending);
        self.watched(watchers, |gan, all| notify(all, gan, end))?;
        self.write_report()
    }

    fn heal(&mut self) -> Result<()> {
        let Self { gan, folder, doctor, .. } = self;
        let folder = folder.as_mut().and_then(|folder| Some((&folder.run, folder.recorder.as_mut()?)));
        self.gan = heal::heal(gan, folder, doctor)?;
        Ok(())
    }

    fn write_report(&self) -> Result<()> {
        self.run_folder().map_or(Ok(()), |run| report::write(run).map(|_| ()))
    }

    /// Does `act` with all watchers: those of the trainer first.
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
