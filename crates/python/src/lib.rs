//! The native part of the Python package `faussaire`: one class per file, no arithmetic. Python code
//! (`python/faussaire`) gives it the face that people know from Keras; neither decides what the library decides.
//!
//! Arrays come in as bytes and go out as bytearrays, which NumPy takes over without a copy. Everything is computed without
//! Python's lock, on a pool of its own ([`pool`]).

mod arrays;
mod cli;
mod dataset;
mod errors;
mod export;
mod judge;
mod model;
mod pool;
mod recipe;
mod run;
mod sampler;
mod sheet;
mod trainer;

use pyo3::prelude::*;

#[pymodule]
mod _faussaire {
    #[pymodule_export]
    use crate::cli::{duration, main};
    #[pymodule_export]
    use crate::dataset::{Dataset, data_sets};
    #[pymodule_export]
    use crate::export::{export_model, export_run};
    #[pymodule_export]
    use crate::judge::judge;
    #[pymodule_export]
    use crate::model::{Model, composed_predict, composed_train};
    #[pymodule_export]
    use crate::pool::{release_memory, set_threads, threads};
    #[pymodule_export]
    use crate::recipe::{Recipe, presets};
    #[pymodule_export]
    use crate::run::Run;
    #[pymodule_export]
    use crate::sampler::Sampler;
    #[pymodule_export]
    use crate::sheet::sheet;
    #[pymodule_export]
    use crate::trainer::Trainer;

    #[pymodule_init]
    fn init(module: &super::Bound<'_, super::PyModule>) -> super::PyResult<()> {
        use pyo3::types::PyModuleMethods;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
