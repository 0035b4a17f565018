//! Ctrl-C, SIGTERM and the end of the terminal. They end the command at once and leave no unfinished file; while it does work
//! in steps that it can save, the first one stops that work after its step, and the second ends the command at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use faussaire::data::abandon_unfinished;
use faussaire::process::IgnoredSignals;
use faussaire::{Error, Result};

use crate::print::note;

/// Exit status of a command that was ended at once, as of one that Ctrl-C ends by itself.
const INTERRUPTED: i32 = 130;
/// How long the end waits for its line to be printed: a reader may have stopped reading.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The work that a signal stops after its step, if there is any.
static STEPS: Mutex<Option<Steps>> = Mutex::new(None);

struct Steps {
    stop: Arc<AtomicBool>,
    /// Whether a signal came before.
    told: bool,
    /// What is printed at the first one.
    answer: &'static str,
}

fn steps() -> MutexGuard<'static, Option<Steps>> {
    STEPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers signals from now on, until the process ends. The end of the terminal stays ignored where whoever started it ignores it (`nohup`).
pub fn answer_signals() -> Result<()> {
    let ignored = IgnoredSignals::now();
    ctrlc::set_handler(on_signal).map_err(|e| Error::usage(format!("signals can't be handled: {e}"), "report this"))?;
    ignored.ignore_again();
    Ok(())
}

/// From now on the first signal prints `answer` and sets what is returned.
pub fn after_step(answer: &'static str) -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    *steps() = Some(Steps { stop: Arc::clone(&stop), told: false, answer });
    stop
}

/// From now on the first signal does nothing: another process, which has it too, decides.
pub fn leave_to_others() {
    after_step("");
}

/// From now on a signal ends the command at once again.
pub fn at_once() {
    *steps() = None;
}

/// The end of stdin is a signal, too, for as long as there is no other: `compare` holds the other end, which also closes if it is
/// killed.
pub fn at_eof() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        match &*steps() {
            Some(steps) => steps.stop.store(true, Ordering::SeqCst),
            None => end("stopped before the first step"),
        }
    });
}

fn on_signal() {
    let mut steps = steps();
    match steps.as_mut() {
        Some(steps) if !steps.told => {
            steps.told = true;
            steps.stop.store(true, Ordering::SeqCst);
            let answer = steps.answer;
            // Not here: a line that nobody reads must not hold up the second signal.
            if !answer.is_empty() {
                std::thread::spawn(move || note!("{answer}"));
            }
        }
        Some(_) => end("ended at once"),
        None => end("stopped; unfinished files were removed"),
    }
}

fn end(words: &'static str) -> ! {
    let (said, hear) = mpsc::channel();
    std::thread::spawn(move || {
        note!("{words}");
        let _ = said.send(());
    });
    abandon_unfinished();
    let _ = hear.recv_timeout(LAST_WORDS);
    std::process::exit(INTERRUPTED)
}
