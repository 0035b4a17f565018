//! Feature extractors: nets that turn images into the vectors that scores compare, and where the net is a classifier,
//! into class predictions too.

pub(crate) mod channels;
pub mod classifier;
pub(crate) mod extractor;
pub(crate) mod inception;
pub(crate) mod random;
