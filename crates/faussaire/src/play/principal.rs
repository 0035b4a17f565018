//! Principal directions of a layer (SeFa; Shen & Zhou 2021, "Closed-form factorization of latent semantics in GANs"). A layer
//! maps noise z to A z; the unit vectors n that make |A n| largest are the eigenvectors of A^T A with the largest
//! eigenvalues. They need no data and no image.

use nalgebra::{DMatrix, SymmetricEigen};

/// Largest latent for which directions are computed: the work grows with its third power.
const MAX_LATENT: usize = 1024;

/// A principal direction of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Principal {
    /// The unit vector; its largest value is positive, since an eigenvector's sign is arbitrary.
    pub vector: Vec<f32>,
    /// Its eigenvalue divided by the sum of all.
    pub share: f32,
}

/// The `count` directions with the largest eigenvalues, largest first. `weight` has a row of `outputs` values for each
/// latent number; further rows, such as those for labels, are ignored. Empty for a latent above 1,024, or fewer rows
/// than latent numbers.
pub fn principal(weight: &[f32], latent: usize, outputs: usize, count: usize) -> Vec<Principal> {
    if latent == 0 || latent > MAX_LATENT || weight.len() < latent * outputs {
        return Vec::new();
    }
    let values = weight.iter().take(latent * outputs).map(|v| f64::from(*v));
    let rows = DMatrix::from_row_iterator(latent, outputs, values);
    let eigen = SymmetricEigen::new(&rows * rows.transpose());
    let total = eigen.eigenvalues.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let mut order: Vec<usize> = (0..latent).collect();
    order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
    let direction = |at: usize| Principal {
        vector: upright(eigen.eigenvectors.column(at).iter().map(|v| *v as f32).collect()),
        share: (eigen.eigenvalues[at].max(0.0) / total) as f32,
    };
    order.into_iter().take(count).map(direction).collect()
}

/// The vector with the sign that makes its largest value positive.
fn upright(vector: Vec<f32>) -> Vec<f32> {
    let largest = vector.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0);
    if largest < 0.0 { vector.into_iter().map(|v| -v).collect() } else { vector }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_stretched_direction_comes_first() {
        // The second latent number is stretched by 3, the first by 1/2; the last row belongs to a label.
        let found = principal(&[0.0, 0.5, -3.0, 0.0, 0.0, 0.0, 9.0, 9.0], 3, 2, 2);
        assert_eq!(found.len(), 2);
        for (principal, wanted) in found.iter().zip([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]) {
            assert!(principal.vector.iter().zip(wanted).all(|(v, w)| (v - w).abs() < 1e-6), "{principal:?}");
        }
        assert!((found[0].share - 9.0 / 9.25).abs() < 1e-6 && (found[1].share - 0.25 / 9.25).abs() < 1e-6);
    }

    #[test]
    fn a_direction_points_the_way_of_its_largest_value() {
        assert_eq!(upright(vec![0.5, -0.8]), [-0.5, 0.8]);
        assert_eq!(upright(vec![0.8, -0.5]), [0.8, -0.5]);
    }

    #[test]
    fn what_is_too_large_or_too_small_has_none() {
        assert!(principal(&vec![1.0; 2000], 2000, 1, 3).is_empty());
        assert!(principal(&[1.0; 3], 2, 2, 3).is_empty());
        assert!(principal(&[], 0, 2, 3).is_empty());
    }
}
