//! Where everything is computed: on threads of the package's own, without Python's lock.
//!
//! A forked process has none of its parent's threads, so the pool belongs to a process id: a child starts its own. Rayon's global
//! pool would wait for ever for threads that are not there (rayon #708).

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use faussaire::{Error, Result};
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::errors::raised;

/// The environment variable with the number of threads.
const VARIABLE: &str = "FAUSSAIRE_THREADS";
/// Most threads.
const MOST: usize = 1024;

struct Shared {
    /// What [`set_threads`] was given.
    threads: Option<usize>,
    /// The pool, and the process that it belongs to.
    pool: Option<(u32, Arc<ThreadPool>)>,
}

static SHARED: Mutex<Shared> = Mutex::new(Shared { threads: None, pool: None });

/// Does `work` on the pool, without Python's lock.
pub fn on_pool<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    detached(py, |pool| pool.install(work))
}

/// Does `work` with what `mutex` holds on the pool, without Python's lock. The lock is taken after Python's is given back: a thread
/// that holds Python's must not wait for one that waits for it. And it is taken here, not on the pool, where a thread that holds
/// it may go on with another call's work, and wait for itself.
pub fn locked<S: Send, T: Send>(
    py: Python<'_>,
    mutex: &Mutex<S>,
    work: impl FnOnce(&mut S) -> Result<T> + Send,
) -> PyResult<T> {
    detached(py, |pool| {
        let mut guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        let state: &mut S = &mut guard;
        pool.install(|| work(state))
    })
}

/// Gives `work` the pool, without Python's lock.
pub fn detached<T: Send>(py: Python<'_>, work: impl FnOnce(&ThreadPool) -> Result<T> + Send) -> PyResult<T> {
    py.detach(|| {
        let pool = pool()?;
        catch_unwind(AssertUnwindSafe(|| work(&pool))).unwrap_or_else(|_| {
            Err(Error::run("an internal error: the library panicked, see the lines above", "please report this"))
        })
    })
    .map_err(raised)
}

fn pool() -> Result<Arc<ThreadPool>> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    match &shared.pool {
        Some((owner, pool)) if *owner == process => return Ok(Arc::clone(pool)),
        // Its threads are the parent's: nobody would answer.
        Some(_) => std::mem::forget(shared.pool.take()),
        None => {}
    }
    let threads = asked(shared.threads)?;
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("faussaire-{index}"))
        .build()
        .map_err(|e| Error::usage(format!("{threads} threads can't be started: {e}"), "try fewer (`set_threads`)"))?;
    let pool = Arc::new(pool);
    shared.pool = Some((process, Arc::clone(&pool)));
    Ok(pool)
}

/// The number of threads: what the program says, the environment, or one per core.
fn asked(set: Option<usize>) -> Result<usize> {
    if let Some(threads) = set {
        return Ok(threads);
    }
    match std::env::var(VARIABLE) {
        Ok(text) if !text.is_empty() => text.parse().ok().filter(|n| (1..=MOST).contains(n)).ok_or_else(|| {
            Error::usage(format!("{VARIABLE} is {text:?}, expected 1 to {MOST}"), "unset it to use all cores")
        }),
        _ => Ok(std::thread::available_parallelism().map_or(1, NonZero::get)),
    }
}

/// Computes on `n` threads from now on; None: one per core.
#[pyfunction]
#[pyo3(signature = (n))]
pub fn set_threads(py: Python<'_>, n: Option<usize>) -> PyResult<()> {
    if let Some(wrong) = n.filter(|n| !(1..=MOST).contains(n)) {
        let error = Error::usage(format!("{wrong} threads, expected 1 to {MOST}"), "None uses all cores");
        return Err(raised(error));
    }
    py.detach(|| {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.threads = n;
        let former = shared.pool.take();
        drop(shared);
        match former {
            Some((owner, _)) if owner != std::process::id() => std::mem::forget(former),
            _ => drop(former),
        }
    });
    Ok(())
}

/// How many threads compute.
#[pyfunction]
pub fn threads(py: Python<'_>) -> PyResult<usize> {
    on_pool(py, || Ok(rayon::current_num_threads()))
}

/// Gives the memory that is kept for the next computation back to the system.
#[pyfunction]
pub fn release_memory(py: Python<'_>) -> PyResult<()> {
    on_pool(py, || {
        faussaire::device::release_memory();
        Ok(())
    })
}
