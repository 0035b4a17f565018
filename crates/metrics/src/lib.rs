//! How good the images are, as numbers whose names say what they measure: one file per metric. Most compare the
//! [`Features`] of real and generated images; such a comparison is a plain function of two matrices.

pub mod bootstrap;
pub mod channels;
pub mod classes;
pub mod classifier;
mod closeness;
mod copies;
mod distances;
pub mod diversity;
mod extractor;
mod features;
pub mod frechet;
mod generated;
mod inception;
mod judgement;
mod kept;
pub mod kernel_distance;
pub mod manifold;
mod moments;
mod nearest;
pub mod neighbours;
mod random_features;
mod real_side;
mod running;
pub mod score;
mod sliced_wasserstein;
mod watching;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod reference;

pub use bootstrap::{Bootstrap, Estimate};
pub use channels::Channels;
pub use classifier::Classifier;
pub use closeness::Closeness;
pub use copies::{Copies, Learned, Sheet};
pub use extractor::Extractor;
pub use features::Features;
pub use generated::Generated;
pub use inception::Inception;
pub use judgement::{Exhibit, FEWEST, Judgement, judge};
pub use moments::Moments;
pub use random_features::RandomFeatures;
pub use running::Running;
pub use score::{Better, Metric, Score, Setting};
pub use sliced_wasserstein::SlicedWasserstein;
pub use watching::Watching;

/// The programs of the README, which are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
