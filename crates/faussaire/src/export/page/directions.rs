//! The latent directions that change images most, for the page's sliders.

use super::super::plain::Plain;
use crate::net::Op;
use crate::play;

/// Number of sliders, as in the studio.
const SLIDERS: usize = 10;

/// Unit vectors, strongest first; the axes of the latent space if the first layer is not dense.
pub fn principal(plain: &Plain) -> Vec<Vec<f32>> {
    let latent = plain.input.len();
    // Embeddings append their values to the noise, and normalised noise keeps its order.
    let first = plain.parts.iter().find(|part| !matches!(part.op, Op::Embedding | Op::PixelNorm { .. }));
    let weight = first.filter(|part| part.op == Op::Dense).and_then(|part| part.weight("weight"));
    let found = weight.map(|w| play::principal(&w.values, latent, w.shape.get(1).copied().unwrap_or(0), SLIDERS));
    match found {
        Some(found) if !found.is_empty() => found.into_iter().map(|principal| principal.vector).collect(),
        _ => (0..latent.min(SLIDERS)).map(|axis| (0..latent).map(|i| f32::from(i == axis)).collect()).collect(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::net::{Network, Shape, Weights};
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

    #[test]
    fn without_a_dense_layer_first_the_axes_serve() {
        let lines = ["reshape 1 1 2", "conv 3 1x1", "flatten", "dense 2", "sigmoid"].map(String::from);
        let net = Network::new("generator", &lines, Shape::Flat(2)).unwrap();
        let plain = Plain::of(&net, &net.initial(1, &Device::flex()));
        assert_eq!(principal(&plain), [[1.0, 0.0], [0.0, 1.0]]);
    }
}
