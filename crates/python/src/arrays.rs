//! Arrays as bytes: 32-bit floats in the machine's order, flat. The shapes are Python's business.

use faussaire::net::Shape;
use faussaire::{Error, Result};
use pyo3::prelude::*;
use pyo3::types::PyByteArray;

/// The values of `bytes`.
///
/// # Errors
/// One that is NaN or infinite.
pub fn floats(bytes: &[u8]) -> Result<Vec<f32>> {
    let values = bytes.chunks_exact(4).map(|four| f32::from_ne_bytes([four[0], four[1], four[2], four[3]]));
    let values: Vec<f32> = values.collect();
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(values),
        Some(at) => Err(Error::usage(
            format!("value {at} of the array is {}, not a finite number", values[at]),
            "find such values with numpy.isfinite",
        )),
    }
}

/// The values of `bytes`, if there are any.
///
/// # Errors
/// As [`floats`].
pub fn labels(bytes: Option<&[u8]>) -> Result<Vec<f32>> {
    bytes.map_or_else(|| Ok(Vec::new()), floats)
}

/// The values of a batch to learn from.
///
/// # Errors
/// As [`floats`], and an empty batch.
pub fn batch(bytes: &[u8]) -> Result<Vec<f32>> {
    if bytes.is_empty() {
        return Err(Error::usage("there are no examples to learn from", "give a batch of at least one"));
    }
    floats(bytes)
}

/// `values` as a bytearray, which an array takes over.
pub fn bytearray<'py>(py: Python<'py>, values: &[f32]) -> PyResult<Bound<'py, PyByteArray>> {
    PyByteArray::new_with(py, values.len() * 4, |buffer| {
        for (four, value) in buffer.chunks_exact_mut(4).zip(values) {
            four.copy_from_slice(&value.to_ne_bytes());
        }
        Ok(())
    })
}

/// `[features]` or `[height, width, channels]`.
pub fn shape(sizes: &[usize]) -> Result<Shape> {
    match *sizes {
        [features] => Ok(Shape::Flat(features)),
        [h, w, c] => Ok(Shape::Image(h, w, c)),
        _ => Err(Error::usage(
            format!("the input shape {sizes:?} has {} sizes, expected 1 or 3", sizes.len()),
            "vectors are (features,), images (height, width, channels)",
        )),
    }
}

/// The sizes of `shape`.
pub fn sizes(shape: Shape) -> Vec<usize> {
    match shape {
        Shape::Flat(features) => vec![features],
        Shape::Image(h, w, c) => vec![h, w, c],
    }
}
