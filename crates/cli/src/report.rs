//! How errors reach a person: what happened, then what to do, then the flags for what the library names. Exit status 1 for failures, 2 for misuse.

use std::io::Write;
use std::process::ExitCode;

use faussaire::{Error, Result};

/// Prints a line to stdout; a reader that went away (`| head`) ends the program quietly.
macro_rules! say {
    ($($text:tt)*) => { $crate::report::line(format_args!($($text)*))? };
}
pub(crate) use say;

/// What `say!` does.
pub fn line(text: std::fmt::Arguments) -> Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        outcome => outcome.map_err(Error::io("write to", "stdout")),
    }
}

/// Prints `error` and gives the exit status that fits it.
pub fn failure(error: &Error) -> ExitCode {
    eprintln!("error: {error}");
    if !error.hint().is_empty() {
        eprintln!("hint: {}", error.hint());
    }
    if let Some(line) = crate::flags::line(&error.named()) {
        eprintln!("flags: {line}");
    }
    match error {
        Error::Usage { .. } | Error::Recipe { .. } | Error::NoTestImages { .. } => ExitCode::from(2),
        _ => ExitCode::FAILURE,
    }
}

/// A whole number with thousands set apart.
pub fn count(n: impl TryInto<u64>) -> String {
    faussaire::net::summary::grouped(n.try_into().unwrap_or(u64::MAX))
}
