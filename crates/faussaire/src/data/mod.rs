//! Data sets: where images come from. A data set is an indexed collection of images of one shape, read one at a time
//! into a buffer the caller owns; one file per format.

mod source;

pub use source::{Dataset, ImageShape};
