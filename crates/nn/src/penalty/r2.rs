//! R2 (Mescheder et al. 2018): half the mean squared slope at generated images; with R1, what lets R3GAN do without any
//! normalisation (Huang et al. 2024).

use super::{Cost, r1};

/// `n^2 / 2`.
pub fn cost(norm: f64) -> Cost {
    r1::cost(norm)
}
