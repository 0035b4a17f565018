//! How good the images are, as numbers whose names say what they measure: one file per metric. Most compare the
//! [`Features`] of real and generated images; such a comparison is a plain function of two matrices.

pub mod bootstrap;
pub mod classes;
pub mod classifier;
mod distances;
pub mod diversity;
mod features;
pub mod frechet;
mod generated;
mod judgement;
pub mod kernel_distance;
pub mod manifold;
mod moments;
mod nearest;
pub mod neighbours;
mod random_features;
mod running;
pub mod score;
mod sliced_wasserstein;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod reference;

pub use bootstrap::{Bootstrap, Estimate};
pub use classifier::Classifier;
pub use features::Features;
pub use generated::Generated;
pub use judgement::{Exhibit, Extractor, Judgement, judge};
pub use moments::Moments;
pub use random_features::RandomFeatures;
pub use running::Running;
pub use score::{Better, Metric, Score, Setting};
pub use sliced_wasserstein::SlicedWasserstein;
