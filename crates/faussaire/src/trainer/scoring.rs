//! Scores of a training, taken from the averaged generator on fixed noise: at every sheet of a run folder, or at the same
//! epochs where a training in memory has a judge.

use std::time::{Duration, Instant};

use crate::error::Result;
use crate::metrics::{Extractor, Running};
use crate::train::{Event, Gan, Request, Watcher};

/// The metric of a training, made when it is first asked for.
#[derive(Debug, Default)]
pub(super) struct Scoring {
    /// The judge, until its metric is made; none: plain pixels are compared.
    judge: Option<Extractor>,
    metric: Option<Running>,
    spent: Duration,
}

impl Scoring {
    /// Scores by `judge`, or on plain pixels.
    pub fn by(judge: Option<Extractor>) -> Self {
        Self { judge, ..Self::default() }
    }

    /// How long scoring has taken in all.
    pub fn spent(&self) -> Duration {
        self.spent
    }

    /// Names and values of the scores of `gan`, smaller is better; the first decides which checkpoint is best.
    ///
    /// # Errors
    /// Where a real image can't be read.
    pub fn score(&mut self, gan: &Gan) -> Result<Vec<(String, f64)>> {
        let (seed, began) = (gan.recipe.train.seed, Instant::now());
        let metric = match (self.metric.take(), self.judge.take()) {
            (Some(metric), _) => metric,
            (None, Some(judge)) => Running::judged(judge, gan.dataset(), seed)?,
            (None, None) => Running::new(gan.dataset(), seed)?,
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
    news: Vec<Event>,
}

impl Scores {
    /// Scores by `judge`.
    pub fn by(judge: Extractor) -> Self {
        Self { scoring: Scoring::by(Some(judge)), last: None, news: Vec::new() }
    }

    fn take(&mut self, gan: &Gan) -> Result<()> {
        let step = gan.progress.step;
        if self.last.replace(step) != Some(step) {
            let scores = self.scoring.score(gan)?;
            self.news.extend(scores.into_iter().map(|(name, value)| Event::Score { step, name, value }));
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

    fn news(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.news)
    }
}
