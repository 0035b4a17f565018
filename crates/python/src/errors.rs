//! Errors of the library as Python's exceptions, which `python/faussaire/_errors.py` defines: `what` and `hint` as they are.

use faussaire::Error;
use pyo3::prelude::*;

/// Where the classes are.
const MODULE: &str = "faussaire._errors";

/// The exception that `error` is in Python.
pub fn raised(error: Error) -> PyErr {
    Python::attach(|py| {
        let class = match &error {
            Error::Recipe { .. } => "RecipeError",
            Error::Data { .. } | Error::NoTestImages { .. } => "DataError",
            Error::Run { .. } => "RunError",
            Error::Diverged { .. } => "Diverged",
            Error::Usage { .. } => "UsageError",
            Error::Io { .. } => "FileError",
            _ => "FaussaireError",
        };
        let made = py
            .import(MODULE)
            .and_then(|module| module.getattr(class))
            .and_then(|class| class.call1((error.to_string(), error.hint())));
        made.map_or_else(|failed| failed, PyErr::from_value)
    })
}
