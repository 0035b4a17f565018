//! Exports: nets as files for other programs.

use std::path::{Path, PathBuf};

use faussaire::export::{self, Format, Layout, Options, Pixels, Subject, Which};
use faussaire::run::Run;
use faussaire::{Error, Result};
use pyo3::prelude::*;

use crate::model::Model;
use crate::pool::on_pool;

/// The files that were written, and the largest difference found when they were verified.
type Written = (Vec<PathBuf>, f64);

fn options(net: Option<&str>, pixels: &str, layout: &str, half: bool) -> Result<Options> {
    let unknown = |what: &str, given: &str, known: &str| {
        Error::usage(format!("the {what} of the export is {given}"), format!("expected {known}"))
    };
    let mut options = Options::default().half(half);
    options = options.pixels(match pixels {
        "float" => Pixels::Float,
        "uint8" => Pixels::Uint8,
        other => return Err(unknown("type of pixels", other, "float or uint8")),
    });
    options = options.layout(match layout {
        "nhwc" => Layout::Nhwc,
        "nchw" => Layout::Nchw,
        other => return Err(unknown("layout", other, "nhwc or nchw")),
    });
    options.net = net.map(which).transpose()?;
    Ok(options)
}

fn which(net: &str) -> Result<Which> {
    match net {
        "generator" => Ok(Which::Generator),
        "discriminator" => Ok(Which::Discriminator),
        other => Err(Error::usage(format!("the net of the export is {other}"), "expected generator or discriminator")),
    }
}

/// The format that the ending of `path` names.
fn format(path: &Path) -> Result<Format> {
    Format::named(&path.extension().unwrap_or_default().to_string_lossy().to_lowercase())
}

/// Writes the nets of a run's checkpoint to `path`, by its ending.
#[pyfunction]
#[pyo3(signature = (run, checkpoint, path, net, pixels, layout, half))]
#[allow(clippy::too_many_arguments)]
pub fn export_run(
    py: Python<'_>,
    run: PathBuf,
    checkpoint: &str,
    path: PathBuf,
    net: Option<&str>,
    pixels: &str,
    layout: &str,
    half: bool,
) -> PyResult<Written> {
    on_pool(py, || {
        let options = options(net, pixels, layout, half)?;
        let written = export::write(&Run::open(&run)?, checkpoint, format(&path)?, &path, &options)?;
        Ok((written.files.into_iter().map(|(path, _)| path).collect(), written.difference))
    })
}

/// Writes one model, as the `net` of a pair, to `path`, by its ending.
#[pyfunction]
pub fn export_model(
    py: Python<'_>,
    model: &Model,
    net: &str,
    path: PathBuf,
    pixels: &str,
    layout: &str,
    half: bool,
) -> PyResult<Written> {
    let model = model.with(py, |model| Ok(model.clone()))?;
    on_pool(py, || {
        let options = options(Some(net), pixels, layout, half)?;
        let subject = Subject::of_model(&model, which(net)?, model.net.name())?;
        let written = export::write_subject(subject, format(&path)?, &path, &options)?;
        Ok((written.files.into_iter().map(|(path, _)| path).collect(), written.difference))
    })
}
