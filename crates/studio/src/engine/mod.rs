//! Generation on request: generators stay loaded, concurrent requests are batched, and a full queue answers 429. The studio's
//! Play page and `faussaire serve` share it.

mod loaded;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use faussaire::run::Run;
use tokio::sync::OnceCell;

pub(crate) use loaded::{Classes, Loaded};
pub(crate) use worker::Stats;

use crate::errors::{Answer, Failure};
use crate::work::Work;
use worker::Worker;

/// Maximum loaded generators, and bytes of their weights together; the least recently used ones are dropped.
const MAX_LOADED: usize = 4;
const MAX_LOADED_BYTES: usize = 512 << 20;

/// How long a checkpoint may take to load.
const LOAD_TIME: Duration = Duration::from_secs(60);

/// Identifies weights: the folder, the checkpoint, and when its state was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    run: PathBuf,
    checkpoint: String,
    written: Option<(u64, SystemTime)>,
}

type Slot = Arc<OnceCell<Arc<Loaded>>>;

/// The loaded generators and the worker thread.
#[derive(Debug)]
pub(crate) struct Engine {
    /// Least recently used first.
    slots: Mutex<Vec<(Key, Slot)>>,
    worker: Worker,
}

impl Engine {
    /// Starts a worker with a queue of `capacity` requests.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn new(capacity: usize) -> faussaire::Result<Self> {
        Ok(Self { slots: Mutex::default(), worker: Worker::start(capacity)? })
    }

    /// The generator of `key`, which [`Key::of`] found.
    ///
    /// # Errors
    /// The checkpoint is damaged, or too large for the studio.
    pub(crate) async fn open(&self, work: &Work, key: Key) -> Answer<Arc<Loaded>> {
        let slot = self.slot(&key);
        let open = || {
            let (run, name) = (key.run.clone(), key.checkpoint.clone());
            work.compute(&work.loads, LOAD_TIME, move |_| {
                Loaded::check(&run)?;
                Ok(Arc::new(Loaded::open(&run, &name)?))
            })
        };
        let loaded = slot.get_or_try_init(open).await.cloned()?;
        self.drop_the_oldest();
        Ok(loaded)
    }

    /// Drops the least recently used generators while all together take too much memory; the last one stays.
    fn drop_the_oldest(&self) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = |(_, slot): &(Key, Slot)| slot.get().map_or(0, |loaded| loaded.bytes());
        while slots.len() > 1 && slots.iter().map(bytes).sum::<usize>() > MAX_LOADED_BYTES {
            slots.remove(0);
        }
    }

    /// As [`Self::open`], blocking.
    ///
    /// # Errors
    /// The checkpoint doesn't exist or is damaged.
    pub(crate) fn load(&self, run: &Path, checkpoint: Option<&str>) -> faussaire::Result<Arc<Loaded>> {
        let key = Key::of(run, checkpoint).map_err(|failure| faussaire::Error::run(failure.error, failure.hint))?;
        Loaded::open(&key.run, &key.checkpoint).map(Arc::new)
    }

    fn slot(&self, key: &Key) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let found = slots.iter().position(|(known, _)| known == key).map(|at| slots.remove(at));
        let (key, slot) = found.unwrap_or_else(|| (key.clone(), Slot::default()));
        if slots.len() >= MAX_LOADED {
            slots.remove(0);
        }
        slots.push((key, Arc::clone(&slot)));
        slot
    }

    /// The images of these noise vectors: `[n, h, w, c]` values within the generator's bounds.
    ///
    /// # Errors
    /// 429 if the queue is full; invalid vectors or labels.
    pub(crate) async fn images(
        &self,
        of: &Arc<Loaded>,
        noise: Vec<Vec<f32>>,
        labels: Vec<Vec<f32>>,
    ) -> Answer<Vec<f32>> {
        self.worker.images(of, noise, labels).await
    }

    /// Counts of images, batches and requests.
    pub(crate) fn stats(&self) -> &Stats {
        self.worker.stats()
    }
}

impl Key {
    /// The key of a checkpoint that exists; without a name, of the run's best or else its latest one. Blocks.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn of(path: &Path, checkpoint: Option<&str>) -> Answer<Self> {
        let run = Run::open(path)?;
        let mut names = run.checkpoint_names().unwrap_or_default();
        names.sort();
        let has = |name: &str| names.iter().any(|known| known == name);
        let chosen = match checkpoint {
            Some(name) => Some(name).filter(|name| has(name)),
            None => ["best", "latest"].into_iter().find(|name| has(name)).or(names.last().map(String::as_str)),
        };
        let Some(chosen) = chosen else {
            let what = match checkpoint {
                _ if names.is_empty() => "the run has no checkpoint yet".to_owned(),
                Some(name) => {
                    let near = faussaire::data::did_you_mean(name, names.iter().map(String::as_str));
                    format!("checkpoint {name:?} doesn't exist; {near}expected one of {}", names.join(", "))
                }
                None => format!("no checkpoint was chosen, expected one of {}", names.join(", ")),
            };
            return Err(Failure::missing(what, "training saves the first checkpoint after a while"));
        };
        let written = std::fs::metadata(run.checkpoint(chosen).join("state.json")).ok();
        let written = written.and_then(|meta| Some((meta.len(), meta.modified().ok()?)));
        Ok(Key { run: path.into(), checkpoint: chosen.into(), written })
    }
}
