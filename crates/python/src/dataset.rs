//! `Dataset`: images with their labels, opened by name or path, or a program's own.

use std::path::PathBuf;
use std::sync::Arc;

use faussaire::data::{self, Fit, ImageShape, InMemory, OpenOptions, Split};
use faussaire::recipe::DataSettings;
use faussaire::render::Images;
use faussaire::trainer::Data;
use faussaire::{Error, Recipe, Result};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes};

use crate::arrays::{bytearray, floats};
use crate::pool::on_pool;

/// Images.
#[pyclass(frozen, module = "faussaire._faussaire")]
pub struct Dataset {
    pub data: Data,
    /// How a recipe names them; none for a program's own.
    pub settings: Option<DataSettings>,
}

impl Dataset {
    fn set(&self) -> Arc<dyn data::Dataset> {
        self.data.shared()
    }

    /// `recipe` with these images as its data, where it can name them.
    pub fn named_in(&self, mut recipe: Recipe) -> Recipe {
        if let Some(settings) = &self.settings {
            let mirror = recipe.data.mirror;
            recipe.data = settings.clone();
            recipe.data.mirror = mirror;
        }
        recipe
    }
}

fn image_shape(sizes: (usize, usize, usize)) -> ImageShape {
    ImageShape { height: sizes.0, width: sizes.1, channels: sizes.2 }
}

fn labelled(set: InMemory, labels: Option<Vec<u32>>, classes: Option<Vec<String>>) -> Result<Dataset> {
    let set = match labels {
        None => set,
        Some(labels) => {
            let count = labels.iter().max().map_or(0, |most| *most as usize + 1);
            let classes = classes.unwrap_or_else(|| (0..count).map(|class| class.to_string()).collect());
            set.with_labels(labels, classes)?
        }
    };
    Ok(Dataset { data: set.into(), settings: None })
}

#[pymethods]
impl Dataset {
    /// The training images that the recipe keys in `keys` (JSON) name; they are downloaded where they are missing.
    #[staticmethod]
    #[pyo3(signature = (keys, progress=None))]
    fn open(py: Python<'_>, keys: Vec<(String, String)>, progress: Option<Py<PyAny>>) -> PyResult<Self> {
        on_pool(py, || {
            let mut recipe = Recipe::new(1, ["dense 1"], ["dense 1"]);
            for (key, value) in keys {
                let value: serde_json::Value = serde_json::from_str(&value).unwrap_or_default();
                recipe = recipe.set(&format!("data.{key}"), value)?;
            }
            let data = Data::open(&recipe, &mut |fetched| tell(progress.as_ref(), &fetched))?;
            Ok(Self { data, settings: Some(recipe.data) })
        })
    }

    /// The test images of `source`.
    #[staticmethod]
    #[pyo3(signature = (source, size=None, channels=None, fit=None, data_dir=None, progress=None))]
    fn open_test(
        py: Python<'_>,
        source: &str,
        size: Option<(usize, usize)>,
        channels: Option<usize>,
        fit: Option<&str>,
        data_dir: Option<PathBuf>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        on_pool(py, || {
            let mut options = OpenOptions::default().data_dir(data_dir).split(Split::Test);
            (options.size, options.channels) = (size, channels);
            if fit == Some("pad") {
                options.fit = Fit::Pad;
            }
            let set: Arc<dyn data::Dataset> =
                data::open(source, &options, &mut |f| tell(progress.as_ref(), &f))?.into();
            Ok(Self { data: set.into(), settings: None })
        })
    }

    #[staticmethod]
    #[pyo3(signature = (name, shape, pixels, labels=None, classes=None))]
    fn from_bytes(
        py: Python<'_>,
        name: &str,
        shape: (usize, usize, usize),
        pixels: &[u8],
        labels: Option<Vec<u32>>,
        classes: Option<Vec<String>>,
    ) -> PyResult<Self> {
        on_pool(py, || labelled(InMemory::from_bytes(name, image_shape(shape), pixels.to_vec())?, labels, classes))
    }

    #[staticmethod]
    #[pyo3(signature = (name, shape, pixels, labels=None, classes=None))]
    fn from_floats(
        py: Python<'_>,
        name: &str,
        shape: (usize, usize, usize),
        pixels: &[u8],
        labels: Option<Vec<u32>>,
        classes: Option<Vec<String>>,
    ) -> PyResult<Self> {
        on_pool(py, || labelled(InMemory::from_floats(name, image_shape(shape), floats(pixels)?)?, labels, classes))
    }

    #[getter]
    fn name(&self) -> String {
        self.data.set().name()
    }

    #[getter]
    fn shape(&self) -> (usize, usize, usize) {
        let shape = self.data.set().shape();
        (shape.height, shape.width, shape.channels)
    }

    fn __len__(&self) -> usize {
        self.data.set().len()
    }

    #[getter]
    fn classes(&self) -> Vec<String> {
        self.data.set().classes().to_vec()
    }

    #[getter]
    fn attributes(&self) -> Vec<String> {
        self.data.set().attributes().to_vec()
    }

    /// What was said of the images when they were opened.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.data.set().info().notes.clone()
    }

    /// Each image's class; None where one has none.
    #[getter]
    fn labels(&self) -> Option<Vec<u32>> {
        let set = self.data.set();
        (0..set.len()).map(|index| set.label(index)).collect()
    }

    /// Images `first` to `first + n`, as floats from 0 to 1.
    fn read<'py>(&self, py: Python<'py>, first: usize, n: usize) -> PyResult<Bound<'py, PyByteArray>> {
        let values = on_pool(py, || values(self.set().as_ref(), first, n))?;
        bytearray(py, &values)
    }

    /// The same as bytes from 0 to 255.
    fn read_bytes<'py>(&self, py: Python<'py>, first: usize, n: usize) -> PyResult<Bound<'py, PyBytes>> {
        let images = on_pool(py, || {
            let set = self.set();
            Images::from_values(&values(set.as_ref(), first, n)?, set.shape(), (0.0, 1.0))
        })?;
        Ok(PyBytes::new(py, &images.bytes))
    }

    /// The files that can't be read, and why.
    fn skipped(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        on_pool(py, || {
            let skipped = self.set().skipped();
            Ok(skipped.into_iter().map(|bad| (bad.path.display().to_string(), bad.reason)).collect())
        })
    }

    /// A digest of the images and their labels.
    fn fingerprint(&self, py: Python<'_>) -> PyResult<String> {
        on_pool(py, || Ok(self.set().fingerprint()))
    }
}

fn values(set: &dyn data::Dataset, first: usize, n: usize) -> Result<Vec<f32>> {
    let size = set.shape().len();
    let end = first.checked_add(n).filter(|end| *end <= set.len()).ok_or_else(|| {
        Error::usage(format!("images {first} to {} of {}", first.saturating_add(n), set.len()), "count from 0")
    })?;
    let mut values = vec![0.0; (end - first) * size];
    for (index, image) in (first..end).zip(values.chunks_mut(size.max(1))) {
        set.read(index, image)?;
    }
    Ok(values)
}

/// Calls `progress`, if there is one, with what is fetched. What it raises is of no matter to the download.
fn tell(progress: Option<&Py<PyAny>>, fetched: &data::Progress) {
    if let Some(progress) = progress {
        let told = (fetched.file.as_str(), fetched.bytes, fetched.total);
        let _ = Python::attach(|py| progress.call1(py, told).map(drop));
    }
}

/// Names of the data sets that are known, what each is, and where.
#[pyfunction]
#[pyo3(signature = (data_dir=None))]
pub fn data_sets(py: Python<'_>, data_dir: Option<PathBuf>) -> PyResult<Vec<(String, String, String)>> {
    on_pool(py, || {
        let listed = data::list(&OpenOptions::default().data_dir(data_dir))?;
        Ok(listed.into_iter().map(|set| (set.name, set.about, set.location.to_string())).collect())
    })
}
