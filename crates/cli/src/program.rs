//! How the command is started again: `compare` trains in processes of its own, and so does the studio.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use faussaire::{Error, Result};

static PROGRAM: OnceLock<Program> = OnceLock::new();

/// A program that is this command, with the arguments that stand before the command's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program(Option<(PathBuf, Vec<OsString>)>);

impl Program {
    /// This process's own executable.
    pub fn this() -> Self {
        Self(None)
    }

    /// `path`, with `arguments` before the command's own: an interpreter that runs the command as a module.
    pub fn new(path: impl Into<PathBuf>, arguments: impl IntoIterator<Item = OsString>) -> Self {
        Self(Some((path.into(), arguments.into_iter().collect())))
    }

    /// From now on it is this one that is started.
    pub(crate) fn remember(self) {
        // The first one stays: a process runs the command once.
        let _ = PROGRAM.set(self);
    }
}

/// The program to start, and its first arguments.
///
/// # Errors
/// The executable of this process can't be found.
pub(crate) fn parts() -> Result<(PathBuf, Vec<OsString>)> {
    match PROGRAM.get() {
        Some(Program(Some(given))) => Ok(given.clone()),
        _ => Ok((std::env::current_exe().map_err(Error::io("find", "this program"))?, Vec::new())),
    }
}

/// A process of this command, to be given its arguments.
///
/// # Errors
/// As [`parts`].
pub(crate) fn command() -> Result<Command> {
    let (path, arguments) = parts()?;
    let mut command = Command::new(path);
    command.args(arguments);
    Ok(command)
}
