//! The training loop: limits, and watchers that receive every event.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Event, Gan, Request, Watcher};
use crate::device;
use crate::error::{Error, Result};

/// How long to train; whichever is reached first ends it. The default has no limit.
///
/// ```
/// use std::time::Duration;
/// use faussaire::train::Limits;
///
/// let limits = Limits::epochs(20).with_time(Duration::from_secs(600));
/// assert_eq!((limits.epochs, limits.steps), (20, 0));
/// assert_ne!(Limits::steps(500), Limits::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Total epochs; 0 for no limit.
    pub epochs: u64,
    /// Total generator updates; 0 for no limit.
    pub steps: u64,
    /// Duration from the start of this call; none for no limit.
    pub time: Option<Duration>,
}

impl Limits {
    /// Total generator updates; 0 for no limit.
    pub fn steps(steps: u64) -> Self {
        Self { steps, ..Self::default() }
    }

    /// Total epochs; 0 for no limit.
    pub fn epochs(epochs: u64) -> Self {
        Self { epochs, ..Self::default() }
    }

    /// Time from the start of this training, resumed or not.
    pub fn time(time: Duration) -> Self {
        Self { time: Some(time), ..Self::default() }
    }

    /// The same, with a limit of total generator updates; 0 for none.
    #[must_use]
    pub fn with_steps(self, steps: u64) -> Self {
        Self { steps, ..self }
    }

    /// The same, with a limit of total epochs; 0 for none.
    #[must_use]
    pub fn with_epochs(self, epochs: u64) -> Self {
        Self { epochs, ..self }
    }

    /// The same, with a limit of time.
    #[must_use]
    pub fn with_time(self, time: Duration) -> Self {
        Self { time: Some(time), ..self }
    }

    /// Total steps allowed for `gan`; none if steps and epochs are not limited.
    pub fn total_steps(&self, gan: &Gan) -> Option<u64> {
        let (batches, k) = (gan.batches.batches_per_epoch(), gan.recipe.train.n_critic);
        let by_epochs = (self.epochs > 0).then(|| self.epochs.saturating_mul(batches).div_ceil(k));
        let by_steps = (self.steps > 0).then_some(self.steps);
        by_epochs.into_iter().chain(by_steps).min()
    }

    /// Which limit is reached, if any, by a training that began at `began`.
    pub(crate) fn reached(&self, gan: &Gan, began: Instant) -> Option<Ending> {
        if self.total_steps(gan).is_some_and(|total| gan.progress.step >= total) {
            return Some(Ending::Complete);
        }
        self.time.is_some_and(|time| began.elapsed() >= time).then_some(Ending::Time)
    }
}

/// Why training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The steps or epochs are complete.
    Complete,
    /// The time is up.
    Time,
    /// A watcher requested it.
    Stopped,
    /// A watcher requested to return to an earlier checkpoint.
    RolledBack,
}

impl Gan {
    /// Trains until `limits`, sending every event to `watchers`. It writes no files and does not heal; use
    /// [`crate::trainer::Trainer`] for that.
    ///
    /// # Errors
    /// A loss that is no longer finite, images that can't be read, or what a watcher reports.
    pub fn fit(&mut self, limits: &Limits, watchers: &mut [&mut dyn Watcher]) -> Result<Ending> {
        let began = Instant::now();
        notify(watchers, self, self.start(limits))?;
        let mut request = Request::Continue;
        let ending = loop {
            match (request, limits.reached(self, began)) {
                (Request::Stop, _) => break Ending::Stopped,
                (Request::RollBack, _) => return Ok(Ending::RolledBack),
                (Request::Continue, Some(ending)) => break ending,
                (Request::Continue, None) => request = self.step_watched(watchers)?,
            }
        };
        notify(watchers, self, self.end(ending))?;
        Ok(ending)
    }

    /// The event of a training that starts or resumes.
    pub(crate) fn start(&self, limits: &Limits) -> Event {
        Event::Start {
            step: self.progress.step,
            steps: limits.total_steps(self).unwrap_or(0),
            steps_per_epoch: self.steps_per_epoch(),
            machine: device::machine(),
            precision: self.generator.precision.name().to_owned(),
        }
    }

    /// The event of a training that has ended.
    pub(crate) fn end(&self, ending: Ending) -> Event {
        Event::End { step: self.progress.step, reason: ending.to_string() }
    }

    /// One step with its events; returns the strongest request of the watchers.
    pub(crate) fn step_watched(&mut self, watchers: &mut [&mut dyn Watcher]) -> Result<Request> {
        let report = match self.step() {
            Ok(report) => report,
            Err(Error::Diverged { what, hint }) => {
                let event = Event::Diverged { step: self.progress.step, what: what.clone() };
                return match notify(watchers, self, event)? {
                    Request::RollBack => Ok(Request::RollBack),
                    Request::Continue | Request::Stop => Err(Error::Diverged { what, hint }),
                };
            }
            Err(error) => return Err(error),
        };
        let mut request = notify(watchers, self, Event::Step(report))?;
        for epoch in self.epochs_completed() {
            request = request.max(notify(watchers, self, Event::Epoch { epoch, report })?);
        }
        Ok(request)
    }

    /// The epochs, counted from 1, that the last step completed: none, one, or several on a tiny set.
    pub(crate) fn epochs_completed(&self) -> std::ops::Range<u64> {
        let k = self.recipe.train.n_critic;
        let epochs = |step: u64| step * k / self.batches.batches_per_epoch();
        epochs(self.progress.step.saturating_sub(1)) + 1..epochs(self.progress.step) + 1
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

/// Sends `event` to all watchers, and the events that they emit; returns their strongest request.
pub(crate) fn notify(watchers: &mut [&mut dyn Watcher], gan: &Gan, event: Event) -> Result<Request> {
    let mut request = Request::Continue;
    let mut events = VecDeque::from([event]);
    while let Some(event) = events.pop_front() {
        for watcher in watchers.iter_mut() {
            request = request.max(watcher.on(&event, gan)?);
        }
        events.extend(watchers.iter_mut().flat_map(|watcher| watcher.take_events()));
    }
    Ok(request)
}
