//! The command `faussaire`.

use std::ffi::OsString;
use std::path::PathBuf;

use faussaire::Error;
use faussaire_cli::Program;
use pyo3::prelude::*;

use crate::errors::raised;

/// Runs the command with `arguments`, of which the first is its name, and gives its exit status. `program` and `first` start it
/// again. It takes over the process's signals: for processes that do nothing else.
#[pyfunction]
pub fn main(py: Python<'_>, arguments: Vec<OsString>, program: PathBuf, first: Vec<OsString>) -> u8 {
    py.detach(|| faussaire_cli::run(arguments, Program::new(program, first)))
}

/// The seconds that `text` means: `90s`, `10m`, `2h`.
#[pyfunction]
pub fn duration(text: &str) -> PyResult<f64> {
    faussaire_cli::duration(text)
        .map(|time| time.as_secs_f64())
        .map_err(|why| raised(Error::usage(format!("the time {text:?}: {why}"), "seconds as a number, or such a text")))
}
