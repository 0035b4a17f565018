//! Arrays of numbers, however a file stores them (`.npy`, `.npz`, IDX): which images their sizes, types and values mean, and
//! which labels.

pub(crate) mod key;
pub(crate) mod labels;
mod pixels;
pub(crate) mod range;
pub(crate) mod rows;
pub(crate) mod scalar;
pub(crate) mod shape;

pub(crate) use pixels::{Images, Settings, black_and_white, from_bytes, is_symmetric, read};
pub(crate) use scalar::Scalar;
