//! The worker thread: batches queued requests for the same generator.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use faussaire::{Error, Result, device};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::oneshot;

use super::Loaded;
use crate::errors::{Answer, Failure};

/// Counts of images, batches and requests.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    /// Images made.
    pub images: AtomicU64,
    /// Batches computed.
    pub batches: AtomicU64,
    /// Requests queue_error because the queue was full.
    pub refused: AtomicU64,
    /// Parts of requests in the queue or in work.
    pub waiting: AtomicU64,
}

/// A part of a request.
struct Job {
    of: Arc<Loaded>,
    noise: Vec<Vec<f32>>,
    labels: Vec<Vec<f32>>,
    answer: oneshot::Sender<Result<Vec<f32>>>,
}

#[derive(Debug)]
pub(super) struct Worker {
    queue: mpsc::Sender<Job>,
    stats: Arc<Stats>,
}

impl Worker {
    pub(super) fn start(capacity: usize) -> Result<Self> {
        let (queue, jobs) = mpsc::channel(capacity.max(1));
        let stats = Arc::<Stats>::default();
        let counted = Arc::clone(&stats);
        std::thread::Builder::new()
            .name("faussaire-engine".into())
            .spawn(move || work(jobs, &counted))
            .map_err(|e| Error::usage(format!("no thread can be started: {e}"), "free some memory"))?;
        Ok(Self { queue, stats })
    }

    pub(super) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Splits a request into batches: a large request queues one at a time, so that small requests can interleave.
    pub(super) async fn images(
        &self,
        of: &Arc<Loaded>,
        noise: Vec<Vec<f32>>,
        labels: Vec<Vec<f32>>,
    ) -> Answer<Vec<f32>> {
        let size = of.sampler.shape().len();
        let mut values = Vec::with_capacity(noise.len() * size);
        for first in (0..noise.len()).step_by(of.batch) {
            let part = first..(first + of.batch).min(noise.len());
            let labels = labels.get(part.clone()).map(<[Vec<f32>]>::to_vec).unwrap_or_default();
            let (answer, answered) = oneshot::channel();
            let job = Job { of: Arc::clone(of), noise: noise[part].to_vec(), labels, answer };
            // The first part is queue_error if the queue is full; the following ones wait.
            let permit = match first {
                0 => self.queue.try_reserve().map_err(|e| self.queue_error(&e))?,
                _ => self.queue.reserve().await.map_err(|_| worker_stopped())?,
            };
            self.stats.waiting.fetch_add(1, Ordering::Relaxed);
            permit.send(job);
            values.extend(answered.await.map_err(|_| worker_stopped())??);
        }
        Ok(values)
    }

    fn queue_error(&self, error: &TrySendError<()>) -> Failure {
        match error {
            TrySendError::Full(()) => {
                self.stats.refused.fetch_add(1, Ordering::Relaxed);
                Failure::busy("the queue of requests is full")
            }
            TrySendError::Closed(()) => worker_stopped(),
        }
    }
}

fn worker_stopped() -> Failure {
    Failure::internal("generating the images failed")
}

fn work(mut jobs: mpsc::Receiver<Job>, stats: &Stats) {
    let mut next = None;
    while let Some(first) = next.take().or_else(|| jobs.blocking_recv()) {
        let mut images = first.noise.len();
        let of = Arc::clone(&first.of);
        let mut batch = vec![first];
        while let Ok(job) = jobs.try_recv() {
            if !Arc::ptr_eq(&job.of, &of) || images + job.noise.len() > of.batch {
                next = Some(job);
                break;
            }
            images += job.noise.len();
            batch.push(job);
        }
        let taken = batch.len() as u64;
        run_batch(&of, batch, stats);
        stats.waiting.fetch_sub(taken, Ordering::Relaxed);
    }
}

/// Computes a batch and sends each request its images.
fn run_batch(of: &Loaded, batch: Vec<Job>, stats: &Stats) {
    // Requests whose client has disconnected are dropped.
    let batch: Vec<Job> = batch.into_iter().filter(|job| !job.answer.is_closed()).collect();
    let (noise, labels): (Vec<_>, Vec<_>) = batch.iter().map(|job| (job.noise.clone(), job.labels.clone())).unzip();
    let (noise, labels) = (noise.concat(), labels.concat());
    if noise.is_empty() {
        return;
    }
    let made = images(of, &noise, &labels);
    stats.images.fetch_add(noise.len() as u64, Ordering::Relaxed);
    stats.batches.fetch_add(1, Ordering::Relaxed);
    let Ok(values) = made else {
        // One invalid request must not fail the others: each is computed alone and gets its own answer.
        for job in batch {
            let outcome = images(of, &job.noise, &job.labels);
            let _ = job.answer.send(outcome);
        }
        return;
    };
    let size = of.sampler.shape().len();
    let mut rest = values.as_slice();
    for job in batch {
        let (own, others) = rest.split_at((job.noise.len() * size).min(rest.len()));
        rest = others;
        // The client may have disconnected.
        let _ = job.answer.send(Ok(own.to_vec()));
    }
}

fn images(of: &Loaded, noise: &[Vec<f32>], labels: &[Vec<f32>]) -> Result<Vec<f32>> {
    // All requests share this thread, so a panic must not end it.
    catch_unwind(AssertUnwindSafe(|| device::on_pool(|| of.sampler.values(&noise.concat(), Some(&labels.concat())))))
        .unwrap_or_else(|_| Err(Error::run("the generator panicked", "please report this")))
}
