//! Directions in latent space along which images change most, found without data: the principal directions of the first
//! layer.

use super::principal::{Principal, principal};
use crate::net::{Network, Op, Weights};
use crate::ops::host;
use crate::run::Sampler;

/// Noise is normal with standard deviation 1, so nearly all of it is within this distance of 0 along any direction.
const REACH: f32 = 3.0;

/// How a direction was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From the first layer's weights.
    Weights,
    /// From a classifier's predictions of the images.
    Label,
}

/// A direction in latent space.
#[derive(Clone, Debug, PartialEq)]
pub struct Direction {
    /// Its display name.
    pub name: String,
    /// How it was found.
    pub origin: Origin,
    /// A unit vector, one value per latent number; to be added to a noise vector, times -`reach` to `reach`.
    pub vector: Vec<f32>,
    /// The largest useful distance, either way.
    pub reach: f32,
    /// For weights, the eigenvalue's share; for labels, the correlation.
    pub strength: f32,
}

/// The `count` strongest directions of the generator's first layer, strongest first; empty if the first layer is not
/// dense.
pub fn directions(sampler: &Sampler, count: usize) -> Vec<Direction> {
    let latent = sampler.network().input().len();
    let Some(first) = first_dense(sampler.network(), sampler.weights()) else { return Vec::new() };
    let direction = |(nth, Principal { vector, share }): (usize, Principal)| Direction {
        name: format!("direction {}", nth + 1),
        origin: Origin::Weights,
        vector,
        reach: REACH,
        strength: share,
    };
    let outputs = first.len() / latent.max(1);
    principal(&first, latent, outputs, count).into_iter().enumerate().map(direction).collect()
}

/// The noise's rows of the first dense layer's weight, `[latent, outputs]`. The rows of label embeddings, which follow
/// the noise, come after them.
fn first_dense(net: &Network, weights: &Weights) -> Option<Vec<f32>> {
    let latent = net.input().len();
    let mut before = 0;
    for placed in net.layers() {
        match placed.layer.kind().op(placed.input) {
            Op::Dense => {
                let outputs = placed.output.len();
                let values = host(weights.tensors().get(before)?);
                return values.get(..latent * outputs).map(<[f32]>::to_vec);
            }
            // These keep the order of the noise's values.
            Op::Embedding | Op::PixelNorm { .. } => before += placed.specs.len(),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::net::{Setting, Shape};
    use burn::tensor::Device;

    #[test]
    fn the_first_layer_is_found_behind_what_labels_add() {
        let lines = ["embedding 2", "dense 3"].map(String::from);
        let setting = Setting { input: Shape::Flat(2), labels: 4, spectral: false };
        let net = Network::build("generator", &lines, setting).unwrap();
        let values = vec![vec![9.0; 8], (0..12).map(|v| v as f32).collect(), vec![0.0; 3]];
        let weights = Weights::from_values(values, &Device::flex());
        assert_eq!(first_dense(&net, &weights).unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let lines = ["reshape 1 1 2", "conv 3 1x1"].map(String::from);
        let net = Network::new("generator", &lines, Shape::Flat(2)).unwrap();
        assert_eq!(first_dense(&net, &net.initial(1, &Device::flex())), None);
    }
}
