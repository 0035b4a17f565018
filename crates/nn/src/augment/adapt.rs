//! Adaptive augmentation (ADA, Karras et al. 2020): the mean sign of D's scores on real images measures how strongly D overfits.
//! Above its target the augmentation probability grows, below it shrinks.

/// The probability after a batch of `images` real images, of which D classified the share `accuracy` as real: it can go from 0
/// to 1 within `reach` images.
pub fn adapted(probability: f64, accuracy: f64, target: f64, images: u64, reach: u64) -> f64 {
    let sign = 2.0 * accuracy - 1.0;
    let step = images as f64 / reach.max(1) as f64;
    (probability + step * (sign - target).signum()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_sign_and_stays_a_probability() {
        assert!((adapted(0.5, 0.9, 0.6, 64, 6400) - 0.51).abs() < 1e-12);
        assert!((adapted(0.5, 0.7, 0.6, 64, 6400) - 0.49).abs() < 1e-12);
        assert_eq!(adapted(0.0, 0.5, 0.6, 64, 6400), 0.0);
        assert_eq!(adapted(1.0, 1.0, 0.6, 64, 6400), 1.0);
    }
}
