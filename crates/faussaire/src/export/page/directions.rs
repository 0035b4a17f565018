//! The directions of the noise that change images most: the principal ones of the first layer that mixes it (SeFa, Shen &
//! Zhou 2021), found without drawing a single image.

use nalgebra::{DMatrix, SymmetricEigen};

use super::super::plain::Plain;
use crate::net::{Form, Shape};

/// So many sliders are still looked at.
const MOST: usize = 8;

/// Unit vectors, the one that stretches most first; the axes themselves where the noise meets no dense layer first.
pub fn principal(plain: &Plain) -> Vec<Vec<f32>> {
    let latent = plain.input.len();
    let first = plain.parts.iter().find(|part| part.form == Form::Dense && matches!(part.input, Shape::Flat(_)));
    // An embedding puts its values behind the noise, so the first rows are the noise's.
    let weight = first.and_then(|part| part.weight("weight")).filter(|w| w.shape[0] >= latent);
    let Some(weight) = weight else {
        return (0..latent.min(MOST)).map(|axis| (0..latent).map(|i| f32::from(i == axis)).collect()).collect();
    };
    let units = weight.shape[1];
    let rows: Vec<&[f32]> = weight.values.chunks_exact(units).take(latent).collect();
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let eigen = SymmetricEigen::new(DMatrix::from_fn(latent, latent, |i, j| product(rows[i], rows[j])));
    let mut order: Vec<usize> = (0..latent).collect();
    order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
    let vector = |column: usize| {
        let vector = eigen.eigenvectors.column(column);
        // Of the two signs the one whose largest part is positive, so that equal nets give equal pages.
        let largest = vector.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(1.0);
        vector.iter().map(|v| (v * largest.signum()) as f32).collect()
    };
    order.into_iter().take(MOST).map(vector).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::net::{Network, Weights};
    use burn::tensor::Device;

    #[test]
    fn the_most_stretched_direction_comes_first() {
        let lines = |text: &str| text.split('|').map(|l| l.trim().to_string()).collect::<Vec<_>>();
        let net = Network::new("generator", &lines("dense 2 | sigmoid"), Shape::Flat(3)).unwrap();
        let kernel = vec![0.0, 0.5, 3.0, 0.0, 0.0, 0.0];
        let plain = Plain::of(&net, &Weights::from_values(vec![kernel, vec![0.0; 2]], &Device::flex()));
        let found = principal(&plain);
        assert_eq!(found.len(), 3);
        for (vector, wanted) in found.iter().zip([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]) {
            assert!(vector.iter().zip(wanted).all(|(v, w)| (v - w).abs() < 1e-6), "{vector:?}");
        }
    }
}
