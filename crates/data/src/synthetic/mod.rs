//! Data sets that are drawn by program, from a seed.

pub(crate) mod points;
pub(crate) mod stacked;
pub(crate) mod strokes;
