//! Stopping a training through its run folder, by a file called `stop`. The training finds it within a fraction of a
//! second, saves and ends as after Ctrl-C. This works for a training of any process or machine that shares the folder,
//! and can't signal an unrelated process (docs/decisions/0009).

use std::fs::{self, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::Run;
use crate::data::open_plain;
use crate::error::{Error, Result};

/// Name of the file.
const STOP: &str = "stop";
/// Interval at which a training looks for it.
const INTERVAL: Duration = Duration::from_millis(200);

impl Run {
    /// Requests the training in this folder to save and stop.
    ///
    /// # Errors
    /// A folder without a training, or a file that can't be written.
    pub fn ask_to_stop(&self) -> Result<()> {
        if !self.is_training() {
            return Err(Error::run(
                format!("{} is not being trained", self.path().display()),
                "the training has ended",
            ));
        }
        let path = self.path().join(STOP);
        // A new file only: an existing one may be a link, and writing through it would empty a file elsewhere.
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(Error::io("create", &path)(e)),
            // The training removes whatever has the name.
            _ => Ok(()),
        }
    }

    /// Whether a training is running in this folder, that is, whether the folder is locked.
    pub fn is_training(&self) -> bool {
        let path = self.path().join("lock");
        if !fs::symlink_metadata(&path).is_ok_and(|m| m.is_file()) {
            return false;
        }
        let Ok(file) = open_plain(&path) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }

    /// Removes the request, if there is one: it was handled, or is left from a training that was killed.
    pub(super) fn clear_stop(&self) -> Result<()> {
        let path = self.path().join(STOP);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io("remove", &path)(e)),
            _ => Ok(()),
        }
    }
}

/// Looks for the request at regular intervals.
#[derive(Debug)]
pub(crate) struct StopRequest {
    checked: Instant,
}

impl StopRequest {
    pub(crate) fn new() -> Self {
        Self { checked: Instant::now() }
    }

    /// Whether `run` was requested to stop since the last call; the request is removed.
    pub(crate) fn was_requested(&mut self, run: &Run) -> Result<bool> {
        if self.checked.elapsed() < INTERVAL {
            return Ok(false);
        }
        self.checked = Instant::now();
        if !run.path().join(STOP).exists() {
            return Ok(false);
        }
        run.clear_stop()?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Preset, Recipe};

    #[test]
    fn only_a_training_can_be_stopped_and_only_once() {
        let root = tempfile::tempdir().unwrap();
        let recipe = Recipe::parse(Preset::Tp.text(), "tp", &[]).unwrap();
        let run = Run::create_at(&root.path().join("mine"), &recipe).unwrap();
        assert!(!run.is_training());
        assert!(run.ask_to_stop().unwrap_err().to_string().contains("is not being trained"));
        let lock = run.lock().unwrap();
        assert!(run.is_training());
        let mut request = StopRequest { checked: Instant::now().checked_sub(INTERVAL).unwrap() };
        assert!(!request.was_requested(&run).unwrap());
        run.ask_to_stop().unwrap();
        assert!(!request.was_requested(&run).unwrap(), "it looks at intervals");
        std::thread::sleep(INTERVAL);
        assert!(request.was_requested(&run).unwrap());
        std::thread::sleep(INTERVAL);
        assert!(!request.was_requested(&run).unwrap());
        // A link with that name is removed, and what it leads to stays.
        #[cfg(unix)]
        {
            let other = root.path().join("other");
            fs::write(&other, "mine").unwrap();
            std::os::unix::fs::symlink(&other, run.path().join(STOP)).unwrap();
            run.ask_to_stop().unwrap();
            std::thread::sleep(INTERVAL);
            assert!(request.was_requested(&run).unwrap());
            assert_eq!(fs::read(&other).unwrap(), b"mine");
        }
        // A request that a killed training left does not stop the next one.
        run.ask_to_stop().unwrap();
        drop(lock);
        let _lock = run.lock().unwrap();
        std::thread::sleep(INTERVAL);
        assert!(!request.was_requested(&run).unwrap());
    }
}
