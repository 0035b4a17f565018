//! `Model`: a network that predicts and, once compiled, trains; and two of them composed, the second one frozen.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use faussaire::model::composed::Composed;
use faussaire::net::{Network, Setting, Weights};
use faussaire::ops::host;
use faussaire::{AdamSettings, Device, Error, Model as Inner, Result};
use pyo3::prelude::*;
use pyo3::types::PyByteArray;

use crate::arrays::{batch, bytearray, floats, labels, shape, sizes};
use crate::pool::{detached, locked, on_pool};

/// A network, its weights and its optimizer.
#[pyclass(frozen, module = "faussaire._faussaire")]
pub struct Model(Arc<Mutex<Inner>>);

impl Model {
    pub fn of(model: Inner) -> Self {
        Self(Arc::new(Mutex::new(model)))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` with the model on the pool.
    pub fn with<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&mut Inner) -> Result<T> + Send) -> PyResult<T> {
        locked(py, &self.0, work)
    }
}

/// The settings that `text` gives in JSON; the others are Adam's usual ones.
pub fn adam(text: &str) -> Result<AdamSettings> {
    let settings: AdamSettings = serde_json::from_str(text)
        .map_err(|e| Error::usage(format!("the optimizer's settings can't be read: {e}"), "see `faussaire.Adam`"))?;
    settings.checked()
}

#[pymethods]
impl Model {
    #[new]
    #[pyo3(signature = (name, lines, input, labels, seed))]
    fn new(
        py: Python<'_>,
        name: String,
        lines: Vec<String>,
        input: Vec<usize>,
        labels: usize,
        seed: u64,
    ) -> PyResult<Self> {
        on_pool(py, || {
            let setting = Setting { input: shape(&input)?, labels, spectral: false };
            let net = Network::build(&name, &lines, setting)?;
            Ok(Self::of(Inner::from_network(net, seed, &Device::cpu())))
        })
    }

    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        on_pool(py, || Ok(Self::of(Inner::load(path, &Device::cpu())?)))
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        on_pool(py, || Ok(Self::of(Inner::from_bytes(bytes, "the pickle".as_ref(), &Device::cpu())?)))
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        self.with(py, |model| model.save(path))
    }

    fn to_bytes(&self, py: Python<'_>) -> PyResult<Vec<u8>> {
        self.with(py, |model| model.to_bytes())
    }

    /// A model of its own with the same state.
    fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        self.with(py, |model| Ok(Self::of(model.clone())))
    }

    #[getter]
    fn name(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |model| Ok(model.net.name().to_owned()))
    }

    #[getter]
    fn input_shape(&self, py: Python<'_>) -> PyResult<Vec<usize>> {
        self.with(py, |model| Ok(sizes(model.net.input())))
    }

    #[getter]
    fn output_shape(&self, py: Python<'_>) -> PyResult<Vec<usize>> {
        self.with(py, |model| Ok(sizes(model.net.output())))
    }

    #[getter]
    fn labels(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |model| Ok(model.net.labels()))
    }

    #[getter]
    fn layers(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.with(py, |model| Ok(model.net.layers().iter().map(|entry| entry.line.clone()).collect()))
    }

    /// Each layer's line, output shape and number of parameters.
    fn rows(&self, py: Python<'_>) -> PyResult<Vec<(String, Vec<usize>, usize)>> {
        let row = |entry: &faussaire::net::LayerEntry| {
            let parameters = entry.specs.iter().map(|spec| spec.len()).sum();
            (entry.line.clone(), sizes(entry.output), parameters)
        };
        self.with(py, |model| Ok(model.net.layers().iter().map(row).collect()))
    }

    /// The numbers of all and of trainable parameters.
    fn parameters(&self, py: Python<'_>) -> PyResult<(usize, usize)> {
        self.with(py, |model| Ok(model.net.parameters()))
    }

    fn summary(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |model| Ok(model.summary()))
    }

    #[getter]
    fn updates(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |model| Ok(model.updates()))
    }

    #[getter]
    fn compiled(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, |model| Ok(model.optimizer.is_some()))
    }

    fn compile(&self, py: Python<'_>, settings: &str, loss: &str) -> PyResult<()> {
        self.with(py, |model| {
            if !["binary_crossentropy", "nonsaturating"].contains(&loss) {
                return Err(Error::usage(
                    format!("a model learns by binary cross-entropy, not by {loss}"),
                    "the losses of recipes are for both nets together: `faussaire.GAN(...).compile(loss_function=...)`",
                ));
            }
            model.compile(adam(settings)?);
            Ok(())
        })
    }

    #[pyo3(signature = (x, y=None))]
    fn predict<'py>(&self, py: Python<'py>, x: &[u8], y: Option<&[u8]>) -> PyResult<Bound<'py, PyByteArray>> {
        let values = self.with(py, |model| model.predict((&floats(x)?, &labels(y)?)))?;
        bytearray(py, &values)
    }

    /// Loss and accuracy, without an update.
    #[pyo3(signature = (x, y, targets))]
    fn evaluate(&self, py: Python<'_>, x: &[u8], y: Option<&[u8]>, targets: &[u8]) -> PyResult<(f32, f32)> {
        let told = self.with(py, |model| model.evaluate((&batch(x)?, &labels(y)?), &floats(targets)?))?;
        Ok((told.loss, told.accuracy))
    }

    /// One update; returns loss and accuracy.
    #[pyo3(signature = (x, y, targets))]
    fn train(&self, py: Python<'_>, x: &[u8], y: Option<&[u8]>, targets: &[u8]) -> PyResult<(f32, f32)> {
        let learned = self.with(py, |model| model.train((&batch(x)?, &labels(y)?), &floats(targets)?))?;
        Ok((learned.loss, learned.accuracy))
    }

    /// Name and shape of each weight.
    fn weight_shapes(&self, py: Python<'_>) -> PyResult<Vec<(String, Vec<usize>)>> {
        self.with(py, |model| {
            let shapes = model.net.specs().map(|spec| spec.shape.clone());
            Ok(model.net.weight_names().into_iter().zip(shapes).collect())
        })
    }

    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyByteArray>>> {
        let all = self.with(py, |model| Ok(model.weights.tensors().iter().map(host).collect::<Vec<_>>()))?;
        all.iter().map(|values| bytearray(py, values)).collect()
    }

    fn set_weights(&self, py: Python<'_>, weights: Vec<Vec<u8>>) -> PyResult<()> {
        self.with(py, |model| {
            let values = weights.iter().map(|bytes| floats(bytes)).collect::<Result<_>>()?;
            let tensors = Weights::from_values(values, &model.device()).tensors().to_vec();
            model.weights = model.net.weights(tensors)?;
            Ok(())
        })
    }

    /// Takes over the weights of `other`, which has the same layers.
    fn adopt(&self, py: Python<'_>, other: &Self) -> PyResult<()> {
        let weights = other.with(py, |model| Ok(model.weights.clone()))?;
        self.with(py, |model| {
            model.weights = model.net.weights(weights.tensors().to_vec())?;
            Ok(())
        })
    }

    fn same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Does `work` with `first` behind which `second` is frozen. Locks are always taken in the same order.
fn composed<T: Send>(
    py: Python<'_>,
    first: &Model,
    second: &Model,
    work: impl FnOnce(&mut Composed) -> Result<T> + Send,
) -> PyResult<T> {
    detached(py, |pool| {
        if first.same_as(second) {
            return Err(Error::usage(
                "a model can't be composed with itself",
                "compose a generator and a discriminator",
            ));
        }
        let (mut maker, judge) = if Arc::as_ptr(&first.0) < Arc::as_ptr(&second.0) {
            let maker = first.lock();
            (maker, second.lock())
        } else {
            let judge = second.lock();
            (first.lock(), judge)
        };
        let (maker, judge): (&mut Inner, &Inner) = (&mut maker, &judge);
        pool.install(|| work(&mut maker.then(judge.frozen())))
    })
}

/// What the frozen `second` says of what `first` makes.
#[pyfunction]
#[pyo3(signature = (first, second, x, y=None))]
pub fn composed_predict<'py>(
    py: Python<'py>,
    first: &Model,
    second: &Model,
    x: &[u8],
    y: Option<&[u8]>,
) -> PyResult<Bound<'py, PyByteArray>> {
    let values = composed(py, first, second, |both| both.predict((&floats(x)?, &labels(y)?)))?;
    bytearray(py, &values)
}

/// One update of `first` behind which `second` is frozen; returns loss and accuracy.
#[pyfunction]
#[pyo3(signature = (first, second, x, y, targets))]
pub fn composed_train(
    py: Python<'_>,
    first: &Model,
    second: &Model,
    x: &[u8],
    y: Option<&[u8]>,
    targets: &[u8],
) -> PyResult<(f32, f32)> {
    let learned = composed(py, first, second, |both| both.train((&batch(x)?, &labels(y)?), &floats(targets)?))?;
    Ok((learned.loss, learned.accuracy))
}
