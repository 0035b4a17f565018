//! R1 (Mescheder et al. 2018): half the mean squared slope at real images. Where generated and real images agree it
//! leaves D no reason to slope at all, which makes the equilibrium stable.

use super::Cost;

/// `n^2 / 2`.
pub fn cost(norm: f64) -> Cost {
    Cost { value: 0.5 * norm * norm, rate: 1.0 }
}
