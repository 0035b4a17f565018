//! Images on request: generators are loaded once and stay, requests of several clients that come at the same time go through
//! a generator together, and those that find the queue full are told so. The studio's Play and `faussaire serve` share it.

mod loaded;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use faussaire::run::Run;
use tokio::sync::OnceCell;

pub use loaded::{Classes, Loaded};
pub use worker::Stats;

use crate::errors::{Answer, Failure, aside};
use worker::Worker;

/// Generators that stay loaded; the one that was not asked for longest makes room.
const LOADED: usize = 4;

/// Which weights: the folder, the checkpoint, and when its state was written.
#[derive(Clone, Debug, PartialEq)]
struct Key {
    run: PathBuf,
    checkpoint: String,
    written: Option<(u64, SystemTime)>,
}

type Slot = Arc<OnceCell<Arc<Loaded>>>;

/// All generators in use, and the thread that computes.
#[derive(Debug)]
pub struct Engine {
    /// The one used last stands last.
    slots: Mutex<Vec<(Key, Slot)>>,
    worker: Worker,
}

impl Engine {
    /// With a queue of `room` requests.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn new(room: usize) -> faussaire::Result<Self> {
        Ok(Self { slots: Mutex::default(), worker: Worker::start(room)? })
    }

    /// The generator of a run's checkpoint; without a name, of its best or else its latest one.
    ///
    /// # Errors
    /// Where there is none, or it is damaged.
    pub async fn open(&self, run: &Path, checkpoint: Option<&str>) -> Answer<Arc<Loaded>> {
        let key = key(run, checkpoint)?;
        let slot = self.slot(&key);
        let open = || {
            let (run, name) = (key.run.clone(), key.checkpoint.clone());
            aside(move || Loaded::open(&run, &name).map(Arc::new))
        };
        slot.get_or_try_init(open).await.cloned()
    }

    /// As [`Self::open`], for whoever can wait.
    ///
    /// # Errors
    /// Where there is none, or it is damaged.
    pub fn load(&self, run: &Path, checkpoint: Option<&str>) -> faussaire::Result<Arc<Loaded>> {
        let key = key(run, checkpoint).map_err(|failure| faussaire::Error::run(failure.error, failure.hint))?;
        Loaded::open(&key.run, &key.checkpoint).map(Arc::new)
    }

    fn slot(&self, key: &Key) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let found = slots.iter().position(|(known, _)| known == key).map(|at| slots.remove(at));
        let (key, slot) = found.unwrap_or_else(|| (key.clone(), Slot::default()));
        if slots.len() >= LOADED {
            slots.remove(0);
        }
        slots.push((key, Arc::clone(&slot)));
        slot
    }

    /// The images of these noise vectors: `[n, h, w, c]` values within the generator's bounds.
    ///
    /// # Errors
    /// 429 where the queue is full; vectors or labels that don't fit.
    pub async fn images(&self, of: &Arc<Loaded>, noise: Vec<Vec<f32>>, labels: Vec<Vec<f32>>) -> Answer<Vec<f32>> {
        self.worker.images(of, noise, labels).await
    }

    /// What was done so far.
    pub fn stats(&self) -> &Stats {
        self.worker.stats()
    }
}

/// The key of a checkpoint that exists.
fn key(path: &Path, checkpoint: Option<&str>) -> Answer<Key> {
    let run = Run::open(path)?;
    let mut names = run.checkpoint_names().unwrap_or_default();
    names.sort();
    let has = |name: &str| names.iter().any(|known| known == name);
    let chosen = match checkpoint {
        Some(name) => Some(name).filter(|name| has(name)),
        None => ["best", "latest"].into_iter().find(|name| has(name)).or(names.last().map(String::as_str)),
    };
    let Some(chosen) = chosen else {
        let known = if names.is_empty() { "none yet".into() } else { names.join(", ") };
        let what =
            checkpoint.map_or("there is no checkpoint".into(), |name| format!("there is no checkpoint {name:?}"));
        return Err(Failure::missing(format!("{what}; there is: {known}"), "the first one is written while training"));
    };
    let written = std::fs::metadata(run.checkpoint(chosen).join("state.json")).ok();
    let written = written.and_then(|meta| Some((meta.len(), meta.modified().ok()?)));
    Ok(Key { run: path.into(), checkpoint: chosen.into(), written })
}
