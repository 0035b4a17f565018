//! The loop: Algorithm 1 of Goodfellow et al. (2014), with an average of the generator and watchers around it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Event, Gan, Request, StepReport, Watcher};
use crate::device;
use crate::error::{Error, Result};

/// How long to train; whichever is reached first ends it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Passes over the data in all; 0 for no limit.
    pub epochs: u64,
    /// Generator updates in all; 0 for no limit.
    pub steps: u64,
    /// From now on.
    pub time: Option<Duration>,
}

impl Limits {
    /// Steps allowed in all, if the limits say, for `gan`.
    pub fn total_steps(&self, gan: &Gan) -> Option<u64> {
        let (batches, k) = (gan.batches.batches_per_epoch(), gan.recipe.train.n_critic);
        let by_epochs = (self.epochs > 0).then(|| self.epochs.saturating_mul(batches).div_ceil(k));
        let by_steps = (self.steps > 0).then_some(self.steps);
        by_epochs.into_iter().chain(by_steps).min()
    }
}

/// Why training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The steps or epochs asked for are done.
    Complete,
    /// The time is up.
    Time,
    /// A watcher asked for it.
    Stopped,
    /// A watcher asked to go back to an earlier checkpoint.
    RolledBack,
}

impl Gan {
    /// Trains until `limits`, telling `watchers` of every event.
    ///
    /// # Errors
    /// A loss that is no longer finite, images that can't be read, or what a watcher reports.
    pub fn fit(&mut self, limits: &Limits, watchers: &mut [&mut dyn Watcher]) -> Result<Ending> {
        let began = Instant::now();
        let total = limits.total_steps(self);
        let (step, steps_per_epoch) = (self.progress.step, self.steps_per_epoch());
        let (machine, precision) = (device::machine(), self.generator.precision.name().to_owned());
        let start = Event::Start { step, steps: total.unwrap_or(0), steps_per_epoch, machine, precision };
        tell(watchers, self, start)?;
        let ending = loop {
            if total.is_some_and(|total| self.progress.step >= total) {
                break Ending::Complete;
            }
            if limits.time.is_some_and(|time| began.elapsed() >= time) {
                break Ending::Time;
            }
            match self.step_watched(watchers)? {
                Request::Continue => {}
                Request::Stop => break Ending::Stopped,
                Request::RollBack => return Ok(Ending::RolledBack),
            }
        };
        let reason = ending.to_string();
        tell(watchers, self, Event::End { step: self.progress.step, reason })?;
        Ok(ending)
    }

    /// A step, and all that the watchers have to say to it.
    fn step_watched(&mut self, watchers: &mut [&mut dyn Watcher]) -> Result<Request> {
        let report = match self.step() {
            Ok(report) => report,
            Err(Error::Diverged { what, hint }) => {
                let event = Event::Diverged { step: self.progress.step, what: what.clone() };
                return match tell(watchers, self, event)? {
                    Request::RollBack => Ok(Request::RollBack),
                    Request::Continue | Request::Stop => Err(Error::Diverged { what, hint }),
                };
            }
            Err(error) => return Err(error),
        };
        let mut request = tell(watchers, self, Event::Step(report))?;
        for epoch in self.epochs_completed() {
            request = request.max(tell(watchers, self, Event::Epoch { epoch, report })?);
        }
        Ok(request)
    }

    /// One step: k discriminator updates, one generator update, the average.
    ///
    /// # Errors
    /// A loss that is no longer finite, or images that can't be read.
    pub fn step(&mut self) -> Result<StepReport> {
        // On a thread of the pool: from outside, every kernel's call would have to be handed over to it.
        rayon::scope(|_| self.step_here())
    }

    fn step_here(&mut self) -> Result<StepReport> {
        let first = self.discriminator_half()?;
        self.generator_half(first)
    }

    /// The passes over the data, counted from 1, that the last step completed: none, one, or several on a tiny set.
    pub(crate) fn epochs_completed(&self) -> std::ops::Range<u64> {
        let k = self.recipe.train.n_critic;
        let passes = |step: u64| step * k / self.batches.batches_per_epoch();
        passes(self.progress.step.saturating_sub(1)) + 1..passes(self.progress.step) + 1
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Complete => "complete",
            Self::Time => "time",
            Self::Stopped => "stopped",
            Self::RolledBack => "rolled-back",
        })
    }
}

/// Tells all watchers of `event`, and of what they add to it.
fn tell(watchers: &mut [&mut dyn Watcher], gan: &Gan, event: Event) -> Result<Request> {
    let mut request = Request::Continue;
    let mut events = VecDeque::from([event]);
    while let Some(event) = events.pop_front() {
        for watcher in watchers.iter_mut() {
            request = request.max(watcher.on(&event, gan)?);
        }
        events.extend(watchers.iter_mut().flat_map(|watcher| watcher.news()));
    }
    Ok(request)
}
