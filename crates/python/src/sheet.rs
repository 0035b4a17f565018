//! Sheets: images in rows and columns, as a PNG file and as pixels.

use faussaire::Result;
use faussaire::data::ImageShape;
use faussaire::render::{Images, png, sheet as render};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arrays::floats;
use crate::pool::on_pool;

/// What a sheet is: the PNG file, the pixels, their height, width and channels.
type Sheet<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>, (usize, usize, usize));

/// The sheet of `values`, images of `shape` within `bounds`.
#[pyfunction]
pub fn sheet<'py>(
    py: Python<'py>,
    values: &[u8],
    shape: (usize, usize, usize),
    bounds: (f32, f32),
    rows: usize,
    columns: usize,
    scale: Option<usize>,
) -> PyResult<Sheet<'py>> {
    let (file, picture) = on_pool(py, || {
        let shape = ImageShape { height: shape.0, width: shape.1, channels: shape.2 };
        drawn(&Images::from_values(&floats(values)?, shape, bounds)?, rows, columns, scale)
    })?;
    let shape = picture.shape;
    let sizes = (shape.height, shape.width, shape.channels);
    Ok((PyBytes::new(py, &file), PyBytes::new(py, &picture.bytes), sizes))
}

fn drawn(
    images: &Images,
    rows: usize,
    columns: usize,
    scale: Option<usize>,
) -> Result<(Vec<u8>, faussaire::render::Picture)> {
    let mut options = render::Options::default();
    if let Some(scale) = scale {
        (options.scale, options.gap) = (Some(scale), 0);
    }
    let picture = render::sheet(images, rows, columns, &options)?;
    Ok((png::encode(&picture)?, picture))
}
