//! Synthetic data sets, generated from a seed.

pub(crate) mod points;
pub(crate) mod stacked;
pub(crate) mod strokes;
