//! Scores of generated images against real ones: FID, KID, precision and recall, density and coverage, class balance,
//! memorization. The name of a score states what it measures, on how many images and with which features.
//!
//! [`judge`] computes all scores of a set of images with an [`Extractor`]; [`OnlineMetric`] computes a few cheap ones
//! during training. Layout: `features` (extractors), `scores` (one file per metric), `stats` (moments, distances,
//! intervals), `reference` (the real images' side of a judgement, cached), `parts` (features from several processes), `online`.

mod cache;
mod data_name;
mod features;
mod generated_set;
mod judgement;
mod metric;
mod needed;
mod online;
pub mod parts;
mod reference;
mod score;
mod score_name;
mod scores;
mod selection;
mod stats;
mod verdict;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod testing;

pub use features::channels::Channels;
pub use features::classifier::{self, Classifier};
pub use features::extractor::Extractor;
pub use features::inception::Inception;
pub use features::random::RandomFeatures;
pub use generated_set::GeneratedSet;
pub use judgement::{Judgement, MIN_IMAGES, Samples, judge};
pub use metric::{Better, Metric};
pub use online::OnlineMetric;
pub use online::score::OnlineScore;
pub use score::{Score, TooFew};
pub use score_name::ScoreName;
pub use scores::memorization::nearest_training::{Memorization, NearestTraining, TrainingImages};
pub use verdict::{Grade, Verdict};

pub(crate) use stats::matrix::Features;

pub(crate) use online::fid::OnlineFid;
pub(crate) use online::pixel_knn::PixelKnn;
pub(crate) use online::sliced_wasserstein::SlicedWasserstein;
pub(crate) use score::{Floor, Parameters, Setting};
pub(crate) use stats::bootstrap::{Bootstrap, Estimate};
pub(crate) use stats::moments::Moments;

/// The programs of the README, which are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
