//! The statistics below the scores: feature matrices, class counts, moments, pairwise distances, nearest neighbours, confidence intervals.

pub(crate) mod bootstrap;
pub(crate) mod class_counts;
pub(crate) mod knn;
pub(crate) mod matrix;
pub(crate) mod moments;
pub(crate) mod pairwise;
