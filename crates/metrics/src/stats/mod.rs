//! The statistics below the scores: moments, pairwise distances, nearest neighbours, confidence intervals.

pub(crate) mod bootstrap;
pub(crate) mod knn;
pub(crate) mod moments;
pub(crate) mod pairwise;
