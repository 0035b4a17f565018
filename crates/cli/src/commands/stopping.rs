//! Requests to stop and save: a signal, or the end of stdin.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use faussaire::{Error, Result};

/// Ctrl-C and SIGTERM request a stop after the current step; the second one ends the process at once.
pub fn on_signal() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    })
    .map_err(|e| Error::usage(format!("signals can't be handled: {e}"), "report this"))?;
    Ok(stop)
}

/// Requests a stop when stdin ends: `compare` holds the other end, which also closes if it is killed.
pub fn at_eof(stop: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        stop.store(true, Ordering::SeqCst);
    });
}
