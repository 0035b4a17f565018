//! Asking a training to stop through its folder: a file called `stop` in it. The training sees it within a fraction of a
//! second, saves and ends as after Ctrl-C. That reaches a training whoever started it and wherever it runs, as long as it
//! shares the folder, and no signal can hit another process (docs/decisions/0009).

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::Run;
use crate::error::{Error, Result};

/// The file's name.
const STOP: &str = "stop";
/// How often a training looks for it.
const EVERY: Duration = Duration::from_millis(200);

impl Run {
    /// Asks the training that writes here to save and to stop.
    ///
    /// # Errors
    /// Where none does, or the file can't be written.
    pub fn ask_to_stop(&self) -> Result<()> {
        if !self.is_training() {
            return Err(Error::run(
                format!("{} is not being trained", self.path().display()),
                "there is nothing to stop; it may have ended just now",
            ));
        }
        let path = self.path().join(STOP);
        fs::write(&path, "").map_err(Error::io("create", &path))
    }

    /// Whether a training writes here at this moment: whether somebody holds the lock.
    pub fn is_training(&self) -> bool {
        let path = self.path().join("lock");
        // Anything else than a plain file could keep us waiting.
        if !fs::symlink_metadata(&path).is_ok_and(|m| m.is_file()) {
            return false;
        }
        let Ok(file) = File::open(&path) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }

    /// Takes the request away, if there is one: it was heard, or is left over from a training that was killed.
    pub(super) fn clear_stop(&self) -> Result<()> {
        let path = self.path().join(STOP);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io("remove", &path)(e)),
            _ => Ok(()),
        }
    }
}

/// Looks for the request now and then.
#[derive(Debug)]
pub(crate) struct StopRequest {
    looked: Instant,
}

impl StopRequest {
    pub(crate) fn new() -> Self {
        Self { looked: Instant::now() }
    }

    /// Whether `run` was asked to stop since the last time, which it then forgets.
    pub(crate) fn came(&mut self, run: &Run) -> Result<bool> {
        if self.looked.elapsed() < EVERY {
            return Ok(false);
        }
        self.looked = Instant::now();
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
    fn only_a_training_can_be_asked_and_it_hears_once() {
        let root = tempfile::tempdir().unwrap();
        let recipe = Recipe::parse(Preset::Tp.text(), "tp", &[]).unwrap();
        let run = Run::create_at(&root.path().join("mine"), &recipe).unwrap();
        assert!(!run.is_training());
        assert!(run.ask_to_stop().unwrap_err().to_string().contains("is not being trained"));
        let held = run.lock().unwrap();
        assert!(run.is_training());
        let mut request = StopRequest { looked: Instant::now().checked_sub(EVERY).unwrap() };
        assert!(!request.came(&run).unwrap());
        run.ask_to_stop().unwrap();
        assert!(!request.came(&run).unwrap(), "it looks now and then only");
        std::thread::sleep(EVERY);
        assert!(request.came(&run).unwrap());
        std::thread::sleep(EVERY);
        assert!(!request.came(&run).unwrap());
        // What a killed training left is not for the next one.
        run.ask_to_stop().unwrap();
        drop(held);
        let _held = run.lock().unwrap();
        std::thread::sleep(EVERY);
        assert!(!request.came(&run).unwrap());
    }
}
