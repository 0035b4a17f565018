//! `Recipe`: all that a training depends on. It never changes; a changed one is another.

use std::path::PathBuf;

use faussaire::recipe::{Conditional, Images, Key};
use faussaire::{Error, Preset, Recipe as Inner, Result};
use pyo3::prelude::*;

use crate::dataset::Dataset;
use crate::errors::raised;
use crate::pool::on_pool;

/// A recipe.
#[pyclass(frozen, module = "faussaire._faussaire")]
#[derive(Clone)]
pub struct Recipe(pub Inner);

#[pymethods]
impl Recipe {
    /// A recipe of these nets; the other keys have their defaults.
    #[new]
    fn new(latent: usize, generator: Vec<String>, discriminator: Vec<String>) -> Self {
        Self(Inner::new(latent, generator, discriminator))
    }

    #[staticmethod]
    fn preset(name: &str) -> PyResult<Self> {
        Preset::named(name).and_then(Preset::recipe).map(Self).map_err(raised)
    }

    #[staticmethod]
    fn parse(text: &str) -> PyResult<Self> {
        Inner::parse(text, "the recipe", &[]).map(Self).map_err(raised)
    }

    #[staticmethod]
    fn read(path: PathBuf) -> PyResult<Self> {
        Inner::read(&path, &[]).map(Self).map_err(raised)
    }

    /// A recipe made by rule for the images that `changes` name, and the reasons.
    #[staticmethod]
    fn for_data(py: Python<'_>, changes: Vec<String>) -> PyResult<(Self, Vec<String>)> {
        on_pool(py, || Inner::for_data(&changes, &mut |_| ())).map(|auto| (Self(auto.recipe), auto.reasons))
    }

    /// The same for images that are there.
    #[staticmethod]
    fn for_images(py: Python<'_>, data: &Dataset) -> PyResult<(Self, Vec<String>)> {
        let made = on_pool(py, || Inner::for_images(data.data.set().shape(), data.data.set().len()))?;
        Ok((Self(data.named_in(made.recipe)), made.reasons))
    }

    /// The same recipe with the key or group called `key` set to `value`, in JSON.
    fn set(&self, key: &str, value: &str) -> PyResult<Self> {
        let value: serde_json::Value = serde_json::from_str(value).map_err(|e| {
            raised(Error::usage(format!("the value of `{key}` can't be read: {e}"), "give a number, a text or a list"))
        })?;
        self.0.clone().set(key, value).map(Self).map_err(raised)
    }

    /// All keys with their values, nested, in JSON.
    fn to_json(&self) -> PyResult<String> {
        serde_json::to_string(&self.0)
            .map_err(|e| raised(Error::recipe(format!("the recipe can't be written: {e}"), "please report this")))
    }

    fn to_toml(&self) -> PyResult<String> {
        self.0.to_toml().map_err(raised)
    }

    fn validate(&self) -> PyResult<()> {
        self.0.networks().map(|_| ()).map_err(raised)
    }

    /// The tables of both nets, generator first.
    fn summaries(&self) -> PyResult<(String, String)> {
        self.0.networks().map(|(g, d)| (g.summary(), d.summary())).map_err(raised)
    }

    fn same_as(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// The present name of a key or group.
    #[staticmethod]
    fn key(name: &str) -> PyResult<String> {
        Key::path(name).map_err(raised)
    }

    /// What is worth knowing of the recipe before a training: what is seen, and what it means, what to do.
    fn remarks(&self) -> PyResult<Vec<String>> {
        let told = || -> Result<Vec<String>> {
            Ok(self
                .0
                .remarks(Images::Unknown)?
                .into_iter()
                .map(|remark| format!("{}; {}", remark.what, remark.advice))
                .collect())
        };
        told().map_err(raised)
    }
}

/// The way to condition called `name`.
pub fn conditional(name: &str) -> Result<Conditional> {
    let known = Conditional::ALL.iter().find(|how| how.name() == name);
    known.copied().ok_or_else(|| {
        let names: Vec<&str> = Conditional::ALL.iter().map(|how| how.name()).collect();
        Error::usage(format!("there is no way to condition called {name}"), format!("expected {}", names.join(", ")))
    })
}

/// Names of the recipes that come along, with what each is for.
#[pyfunction]
pub fn presets() -> Vec<(&'static str, &'static str)> {
    Preset::ALL.iter().map(|preset| (preset.name(), preset.about())).collect()
}
