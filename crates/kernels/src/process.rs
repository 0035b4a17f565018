//! Signals of the whole process: for programs to set, not for libraries, and best before they start threads. Where the system
//! has no signals, nothing here does anything.

/// Lets a write beyond the limit of file sizes (`ulimit -f`) fail as one on a full disk does. Without this the system ends the
/// process without a word.
pub fn fail_writes_beyond_size_limit() {
    #[cfg(unix)]
    // SAFETY: no handler is set; SIG_IGN is valid for SIGXFSZ, and the call changes nothing else.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

/// The signals that would stop this process, but which whoever started it has told it to ignore: `nohup` does so with the end of
/// the terminal. Ctrl-C and SIGTERM, which shells ignore in a script's background, stop it all the same: somebody sent them.
#[derive(Debug, Default)]
pub struct IgnoredSignals {
    #[cfg(unix)]
    ignored: Vec<libc::c_int>,
}

impl IgnoredSignals {
    /// Those that are ignored now; to be asked before any handler is set.
    pub fn now() -> Self {
        #[cfg(unix)]
        return Self { ignored: STOPPING.into_iter().filter(|signal| is_ignored(*signal)).collect() };
        #[cfg(not(unix))]
        Self::default()
    }

    /// Ignores them again, after a handler was set for all.
    pub fn ignore_again(&self) {
        #[cfg(unix)]
        for signal in &self.ignored {
            // SAFETY: no handler is set; SIG_IGN is valid for each signal of STOPPING.
            unsafe {
                libc::signal(*signal, libc::SIG_IGN);
            }
        }
    }
}

#[cfg(unix)]
const STOPPING: [libc::c_int; 1] = [libc::SIGHUP];

#[cfg(unix)]
fn is_ignored(signal: libc::c_int) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action nothing is changed; the old one is written to `action`, which has room for it and is read only
    // where the call succeeded. All zeros are a valid `sigaction`.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_stays_so() {
        fail_writes_beyond_size_limit();
        assert!(is_ignored(libc::SIGXFSZ));
        // The end of the terminal, which no other test uses.
        IgnoredSignals { ignored: vec![libc::SIGHUP] }.ignore_again();
        assert!(IgnoredSignals::now().ignored.contains(&libc::SIGHUP));
    }
}
