//! Feature extractors: nets that turn images into the vectors that scores compare, and where the net is a classifier,
//! into class predictions too.

pub(crate) mod channels;
pub mod classifier;
pub(crate) mod extractor;
pub(crate) mod inception;
pub(crate) mod random;

/// Parts of a judgement begin at multiples of this number of images, a multiple of all batches of extractors and samplers.
pub const BLOCK: usize = 128;
