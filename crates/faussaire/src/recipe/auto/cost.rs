//! The estimated duration of a training step on a small machine, by which a recipe is given its size: the same everywhere, so
//! that the same images give the same recipe.

use crate::error::Result;
use crate::net::{Network, Op};
use crate::recipe::Recipe;

/// Seconds on two cores with AVX2, fitted to steps of nets for 24x40 to 128x128 pixels (within a third of the measured times):
/// per floating-point operation as `Network::flops` counts them, per value of a layer with weights, and per pixel value that is
/// augmented.
const PER_OPERATION: f64 = 2.4e-12;
const PER_VALUE: f64 = 2.7e-9;
const PER_AUGMENTED: f64 = 2.0e-7;

/// Seconds of a step of `recipe` on two cores.
///
/// # Errors
/// Nets that can't be built.
pub(super) fn seconds_per_step(recipe: &Recipe) -> Result<f64> {
    let (generator, discriminator) = recipe.networks()?;
    let [g, d] = [&generator, &discriminator]
        .map(|net| PER_OPERATION * net.flops() as f64 + PER_VALUE * values_with_weights(net) as f64);
    let train = &recipe.train;
    let augmented = if train.augment.kinds.is_empty() { 0.0 } else { PER_AUGMENTED * generator.output().len() as f64 };
    // D's update: G forward, D forward and backward on real and generated images. G's: G forward and backward, D forward and
    // backward to its input.
    let per_image = train.n_critic as f64 * (g + 6.0 * d) + 3.0 * g + 2.0 * d + augmented;
    Ok(per_image * train.batch as f64)
}

/// Output values of the convolutions and dense layers for one example.
fn values_with_weights(net: &Network) -> usize {
    let weighs = |op| matches!(op, Op::Dense | Op::Conv { .. } | Op::ConvTranspose { .. });
    net.layers().iter().filter(|entry| weighs(entry.layer.kind().op(entry.input))).map(|entry| entry.output.len()).sum()
}

/// A duration as text.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 0.001 => "less than 1 ms".to_owned(),
        s if s < 0.1 => format!("{:.0} ms", s * 1000.0),
        s if s < 2.0 => format!("{s:.1} s"),
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        let texts = [1e-4, 0.0043, 0.38, 12.4, 89.4, 600.0, 5399.0, 9000.0].map(duration);
        assert_eq!(texts, ["less than 1 ms", "4 ms", "0.4 s", "12 s", "89 s", "10 min", "90 min", "2.5 h"]);
    }
}
