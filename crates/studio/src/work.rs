//! Where the work of requests is done. Each kind of work has a gate: a few requests run, some wait, further ones are refused
//! with 429. Those that wait hold no thread, so that no kind of work keeps another from a thread. Nets compute on a pool of
//! their own beside that of images (`crate::engine`): the system divides the processor's time between the two.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use faussaire::{Error, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::errors::{Answer, Failure, run_blocking};

/// A gate: limits on the requests at work and on those that wait.
#[derive(Debug)]
pub(crate) struct Gate {
    what: &'static str,
    places: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

/// A request's way through a gate, until it is dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    _place: OwnedSemaphorePermit,
    _running: OwnedSemaphorePermit,
}

impl Gate {
    /// A gate for `running` requests at a time and `waiting` others; `what` they do, for refusals.
    pub(crate) fn new(what: &'static str, running: usize, waiting: usize) -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { what, places: semaphore(running + waiting), running: semaphore(running) }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// 429: too many wait already.
    pub(crate) async fn enter(&self) -> Answer<Pass> {
        let busy = || Failure::busy(format!("too many requests wait for {}", self.what));
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy())?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| busy())?;
        Ok(Pass { _place: place, _running: running })
    }
}

/// How long a piece of work may go on: until its time is over, or its client has left.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    left: Arc<AtomicBool>,
    began: Instant,
    time: Duration,
}

/// Tells a ticket, when it is dropped, that the client has left.
struct Presence(Arc<AtomicBool>);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Ticket {
    fn new(time: Duration) -> (Self, Presence) {
        let left = Arc::<AtomicBool>::default();
        (Self { left: Arc::clone(&left), began: Instant::now(), time }, Presence(left))
    }

    /// Whether the work must end.
    pub(crate) fn is_over(&self) -> bool {
        self.left.load(Ordering::Relaxed) || self.began.elapsed() >= self.time
    }

    /// An error once the work must end.
    ///
    /// # Errors
    /// 503: it takes too long.
    pub(crate) fn check(&self) -> Answer<()> {
        if !self.is_over() {
            return Ok(());
        }
        let what = format!("this took longer than the {} s that one request may take", self.time.as_secs_f32());
        Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, what, "request less, or use the command line"))
    }
}

/// The gates of the studio, and the pool for its nets.
#[derive(Debug)]
pub(crate) struct Work {
    /// Short reads of files.
    pub reads: Gate,
    /// Parts cut from pictures, each of which takes the memory of the whole one.
    pub pictures: Gate,
    /// Generators that are loaded.
    pub loads: Gate,
    /// Images that are generated; their thread is the engine's.
    pub images: Gate,
    /// Exports, reports, directions, scores of a discriminator.
    pub nets: Gate,
    /// Lessons.
    pub lessons: Gate,
    /// Previews of recipes, one at a time: each is timed.
    pub trials: Gate,
    pool: rayon::ThreadPool,
}

impl Work {
    /// With as many threads for nets as the current pool has.
    ///
    /// # Errors
    /// The threads can't be started.
    pub(crate) fn new() -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(rayon::current_num_threads())
            .thread_name(|_| "faussaire-nets".into())
            .build()
            .map_err(|e| Error::usage(format!("no thread can be started: {e}"), "free some memory"))?;
        Ok(Self {
            reads: Gate::new("files", 8, 120),
            pictures: Gate::new("pictures", 2, 62),
            loads: Gate::new("a generator", 2, 62),
            images: Gate::new("images", 64, 0),
            nets: Gate::new("a net", 2, 30),
            lessons: Gate::new("a lesson", 2, 30),
            trials: Gate::new("a preview", 1, 15),
            pool,
        })
    }

    /// Reads files: `work` runs on a thread that may block.
    ///
    /// # Errors
    /// As [`Self::compute`].
    pub(crate) async fn read<T: Send + 'static>(&self, work: impl FnOnce() -> Answer<T> + Send + 'static) -> Answer<T> {
        self.compute(&self.reads, Duration::MAX, |_| work()).await
    }

    /// Does `work` behind `gate`, on a thread that may block; it is to end when `time` is over or the client has left.
    ///
    /// # Errors
    /// What `work` reports; 429 if too many wait.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        gate: &Gate,
        time: Duration,
        work: impl FnOnce(&Ticket) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let pass = gate.enter().await?;
        let (ticket, _presence) = Ticket::new(time);
        run_blocking(move || {
            let _pass = pass;
            work(&ticket)
        })
        .await
    }

    /// Does `work` on the pool for nets.
    pub(crate) fn on_pool<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.pool.install(work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn a_gate_runs_some_lets_some_wait_and_refuses_the_rest() {
        runtime().block_on(async {
            let gate = Gate::new("a test", 1, 1);
            let first = gate.enter().await.unwrap();
            let mut second = std::pin::pin!(gate.enter());
            assert!(tokio::time::timeout(Duration::from_millis(5), &mut second).await.is_err(), "it waits");
            let refused = gate.enter().await.unwrap_err();
            assert_eq!((refused.status.as_u16(), refused.retry_after), (429, Some(1)));
            drop(first);
            second.await.unwrap();
            // One that left while it waited has given its place back.
            let _third = gate.enter().await.unwrap();
        });
    }

    #[test]
    fn work_ends_when_its_client_leaves_or_its_time_is_over() {
        let work = Work::new().unwrap();
        let runtime = runtime();
        let (send, ended) = std::sync::mpsc::channel();
        let until_over = move |ticket: &Ticket| {
            while !ticket.is_over() {
                std::thread::sleep(Duration::from_millis(1));
            }
            let _ = send.send(());
            ticket.check()
        };
        let long = Duration::from_secs(100);
        runtime.block_on(async {
            let asked = work.compute(&work.nets, long, until_over.clone());
            assert!(tokio::time::timeout(Duration::from_millis(20), asked).await.is_err());
        });
        ended.recv_timeout(Duration::from_secs(5)).unwrap();
        let refused = runtime.block_on(work.compute(&work.nets, Duration::from_millis(20), until_over)).unwrap_err();
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        ended.recv_timeout(Duration::from_secs(5)).unwrap();
    }

    #[test]
    fn nets_have_threads_of_their_own() {
        let work = Work::new().unwrap();
        let name = || std::thread::current().name().map(str::to_owned);
        assert_eq!(work.on_pool(name).as_deref(), Some("faussaire-nets"));
        assert_eq!(work.on_pool(rayon::current_num_threads), rayon::current_num_threads());
    }
}
