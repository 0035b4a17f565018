//! How good the images are, as numbers whose names say what they measure: one file per metric.

mod sliced_wasserstein;

pub use sliced_wasserstein::SlicedWasserstein;
