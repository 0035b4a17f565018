//! `Run`: a run's folder, as the command and the studio see it.

use std::path::PathBuf;

use faussaire::run::Run as Inner;
use faussaire::{Device, Model as Net};
use faussaire::{Error, Result, export, report};
use pyo3::prelude::*;

use crate::model::Model;
use crate::pool::on_pool;
use crate::recipe::Recipe;

/// A run's folder.
#[pyclass(frozen, module = "faussaire._faussaire")]
pub struct Run(pub Inner);

/// `values` as a list in JSON.
pub fn json(values: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(values).map_err(|e| Error::run(format!("it can't be written: {e}"), "please report this"))
}

#[pymethods]
impl Run {
    #[new]
    fn new(path: PathBuf) -> PyResult<Self> {
        Inner::open(&path).map(Self).map_err(crate::errors::raised)
    }

    #[staticmethod]
    fn newest(root: PathBuf) -> PyResult<Self> {
        Inner::newest(&root).map(Self).map_err(crate::errors::raised)
    }

    #[getter]
    fn path(&self) -> PathBuf {
        self.0.path().to_path_buf()
    }

    #[getter]
    fn recipe(&self, py: Python<'_>) -> PyResult<Recipe> {
        on_pool(py, || self.0.recipe(&[]).map(Recipe))
    }

    /// The events of the log, in JSON.
    fn events(&self, py: Python<'_>) -> PyResult<String> {
        on_pool(py, || json(&self.0.events(None)?))
    }

    fn checkpoints(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        on_pool(py, || self.0.checkpoint_names())
    }

    /// The report, a page.
    fn report(&self, py: Python<'_>) -> PyResult<String> {
        on_pool(py, || report::page(&self.0))
    }

    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        on_pool(py, || self.0.ask_to_stop())
    }

    fn is_training(&self, py: Python<'_>) -> PyResult<bool> {
        on_pool(py, || Ok(self.0.is_training()))
    }

    /// The averaged generator and the discriminator of a checkpoint.
    fn models(&self, py: Python<'_>, checkpoint: &str) -> PyResult<(Model, Model)> {
        on_pool(py, || {
            let subject = export::Subject::open(&self.0, checkpoint)?;
            let model = |which| {
                let (net, weights) = subject.net(which);
                let mut model = Net::from_network(net.clone(), 0, &Device::cpu());
                model.weights = weights.clone();
                Model::of(model)
            };
            Ok((model(export::Which::Generator), model(export::Which::Discriminator)))
        })
    }
}
