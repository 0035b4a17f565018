//! `Sampler`: a trained generator without its data, for any number of threads at once.

use std::path::PathBuf;

use faussaire::run::{Run, Sampler as Inner};
use faussaire::{Error, PixelRange, Result, device};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes};

use crate::arrays::{bytearray, floats, labels};
use crate::pool::on_pool;

/// A generator that makes images.
#[pyclass(frozen, module = "faussaire._faussaire")]
pub struct Sampler(pub Inner);

#[pymethods]
impl Sampler {
    /// The checkpoint of a run.
    #[new]
    #[pyo3(signature = (path, checkpoint, device, precision))]
    fn new(py: Python<'_>, path: PathBuf, checkpoint: &str, device: &str, precision: &str) -> PyResult<Self> {
        on_pool(py, || {
            let choice = serde_json::from_value(precision.into()).map_err(|_| {
                Error::usage(format!("there is no precision {precision}"), "expected auto, f32 or bf16")
            })?;
            let sampler = Inner::open(&Run::open(&path)?, checkpoint, &device::named(device)?)?;
            Ok(Self(sampler.rounded(choice)?))
        })
    }

    #[getter]
    fn step(&self) -> u64 {
        self.0.step
    }

    #[getter]
    fn latent_dim(&self) -> usize {
        self.0.latent()
    }

    #[getter]
    fn shape(&self) -> (usize, usize, usize) {
        let shape = self.0.shape();
        (shape.height, shape.width, shape.channels)
    }

    /// Lowest and highest pixel value.
    #[getter]
    fn bounds(&self) -> (f32, f32) {
        self.0.bounds()
    }

    /// The names of the labels that its images can be asked to have.
    #[getter]
    fn classes(&self) -> Vec<String> {
        self.0.labels().names.clone()
    }

    /// Noise vectors number `first` to `first + n` under `seed`.
    fn noise<'py>(&self, py: Python<'py>, seed: u64, first: u64, n: usize) -> PyResult<Bound<'py, PyByteArray>> {
        let z = on_pool(py, || Ok(self.0.noise(seed, first, n)))?;
        bytearray(py, &z)
    }

    /// The label rows of `n` images: those asked for, one for all or one each; else as frequent as in the data.
    #[pyo3(signature = (classes, seed, n))]
    fn labels<'py>(
        &self,
        py: Python<'py>,
        classes: Option<Vec<String>>,
        seed: u64,
        n: usize,
    ) -> PyResult<Bound<'py, PyByteArray>> {
        let rows = on_pool(py, || self.rows(classes.as_deref(), seed, n))?;
        bytearray(py, &rows)
    }

    /// The images of the noise `z`, with the label rows `y`.
    #[pyo3(signature = (z, y=None))]
    fn values<'py>(&self, py: Python<'py>, z: &[u8], y: Option<&[u8]>) -> PyResult<Bound<'py, PyByteArray>> {
        let values = on_pool(py, || self.0.values(&floats(z)?, Some(&labels(y)?)))?;
        bytearray(py, &values)
    }

    /// The same within 0 and 1.
    #[pyo3(signature = (z, y=None))]
    fn unit<'py>(&self, py: Python<'py>, z: &[u8], y: Option<&[u8]>) -> PyResult<Bound<'py, PyByteArray>> {
        let values = on_pool(py, || {
            let mut values = self.0.values(&floats(z)?, Some(&labels(y)?))?;
            PixelRange::of(self.0.network())?.to_unit(&mut values);
            Ok(values)
        })?;
        bytearray(py, &values)
    }

    /// Images number 0 to `n` under `seed` as bytes: those of the command `sample`.
    fn draw<'py>(&self, py: Python<'py>, n: usize, seed: u64) -> PyResult<Bound<'py, PyBytes>> {
        let images = on_pool(py, || self.0.draw(n, seed))?;
        Ok(PyBytes::new(py, &images.bytes))
    }

    /// `frames` noise vectors on a closed walk through `stops` of them.
    fn walk<'py>(&self, py: Python<'py>, stops: usize, frames: usize, seed: u64) -> PyResult<Bound<'py, PyByteArray>> {
        let z = on_pool(py, || Ok(self.0.walk(&self.0.noise(seed, 0, stops), frames, 0..frames)))?;
        bytearray(py, &z)
    }
}

impl Sampler {
    fn rows(&self, classes: Option<&[String]>, seed: u64, n: usize) -> Result<Vec<f32>> {
        match classes {
            None => Ok(self.0.sample_labels(seed, 0, n)),
            Some([one]) => Ok(self.0.encode_label(one)?.repeat(n)),
            Some(each) if each.len() == n => {
                let rows: Result<Vec<Vec<f32>>> = each.iter().map(|class| self.0.encode_label(class)).collect();
                Ok(rows?.concat())
            }
            Some(each) => Err(Error::usage(
                format!("{} classes for {n} images", each.len()),
                "give one class for all images, or one for each",
            )),
        }
    }
}
