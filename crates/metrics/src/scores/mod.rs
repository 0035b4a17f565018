//! The scores, one file per metric: plain functions of the features, classes or nearest neighbours of two sets of
//! images.

pub(crate) mod classes;
pub(crate) mod diversity;
pub(crate) mod frechet;
pub(crate) mod kid;
pub(crate) mod memorization;
pub(crate) mod prdc;
