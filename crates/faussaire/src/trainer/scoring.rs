//! Scores of a training, computed from the averaged generator on fixed noise: at every sheet of a run folder, or at the same
//! epochs where a training in memory has an extractor.

use std::time::{Duration, Instant};

use crate::error::Result;
use crate::metrics::{Extractor, OnlineMetric, OnlineScore};
use crate::train::{Event, Gan, Request, Watcher};

/// The online metric of a training, made when a score is first needed.
#[derive(Debug, Default)]
pub(super) struct Scoring {
    /// The extractor, until the metric is made; none: pixels are compared.
    extractor: Option<Extractor>,
    metric: Option<OnlineMetric>,
    spent: Duration,
}

impl Scoring {
    /// Scores with the features of `extractor`, or on pixels.
    pub fn by(extractor: Option<Extractor>) -> Self {
        Self { extractor, ..Self::default() }
    }

    /// Total time spent on scoring.
    pub fn time(&self) -> Duration {
        self.spent
    }

    /// The scores of `gan`; smaller is better. The first one determines the best checkpoint.
    ///
    /// # Errors
    /// Where a real image can't be read.
    pub fn score(&mut self, gan: &Gan) -> Result<Vec<OnlineScore>> {
        let (seed, began) = (gan.recipe.train.seed, Instant::now());
        let made = |metric: OnlineMetric| if gan.recipe.data.mirror { metric.mirrored() } else { metric };
        let metric = match (self.metric.take(), self.extractor.take()) {
            (Some(metric), _) => metric,
            (None, Some(extractor)) => made(OnlineMetric::with_extractor(extractor, gan.dataset(), seed)?),
            (None, None) => made(OnlineMetric::new(gan.dataset(), seed)?),
        };
        let mut values = gan.generate(&gan.fixed_latents(metric.images()))?;
        gan.range().to_unit(&mut values);
        let scores = metric.score(&values);
        self.metric = Some(metric);
        self.spent += began.elapsed();
        Ok(scores)
    }
}

/// The watcher that scores a training in memory.
#[derive(Debug)]
pub(super) struct Scores {
    pub scoring: Scoring,
    last: Option<u64>,
    pending: Vec<Event>,
}

impl Scores {
    /// Scores with the features of `extractor`.
    pub fn by(extractor: Extractor) -> Self {
        Self { scoring: Scoring::by(Some(extractor)), last: None, pending: Vec::new() }
    }

    fn take(&mut self, gan: &Gan) -> Result<()> {
        let step = gan.progress.step;
        if self.last.replace(step) != Some(step) {
            let scores = self.scoring.score(gan)?;
            let event = |score: OnlineScore| {
                let OnlineScore { name, value, error, .. } = score;
                Event::Score { step, name, value, error }
            };
            self.pending.extend(scores.into_iter().map(event));
        }
        Ok(())
    }
}

impl Watcher for Scores {
    fn on(&mut self, event: &Event, gan: &Gan) -> Result<Request> {
        match event {
            Event::Epoch { epoch, .. } if gan.recipe.train.sheet_due(*epoch) => self.take(gan)?,
            Event::End { .. } => self.take(gan)?,
            _ => {}
        }
        Ok(Request::Continue)
    }

    fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.pending)
    }
}
