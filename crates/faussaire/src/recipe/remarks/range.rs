//! The range of a net's output: a final relu, tanh or sigmoid bounds it, and so do several of them in a row.

use crate::net::{LayerEntry, Network, Op};

/// Lowest and highest value.
pub(super) type Range = [f32; 2];

/// No bounds.
const FREE: Range = [f32::NEG_INFINITY, f32::INFINITY];

/// The range after `layers`, as far as activations decide it.
pub(super) fn of(layers: &[LayerEntry]) -> Range {
    layers.iter().fold(FREE, after)
}

/// The range of D's scores: what precedes a final sigmoid, which is the loss's.
pub(super) fn of_scores(discriminator: &Network) -> Range {
    of(under_sigmoid(discriminator))
}

/// The layers of D before a final sigmoid.
pub(super) fn under_sigmoid(discriminator: &Network) -> &[LayerEntry] {
    match discriminator.layers().split_last() {
        Some((last, before)) if op(last) == Op::Sigmoid => before,
        _ => discriminator.layers(),
    }
}

/// Whether it has no bound at all.
pub(super) fn is_free(range: Range) -> bool {
    range == FREE
}

/// Index of the first layer after the last one without bounds.
pub(super) fn bounded_from(layers: &[LayerEntry]) -> usize {
    (0..layers.len()).rev().find(|at| is_free(of(&layers[..=*at]))).map_or(0, |at| at + 1)
}

pub(super) fn op(entry: &LayerEntry) -> Op {
    entry.layer.kind().op(entry.input)
}

fn after(range: Range, entry: &LayerEntry) -> Range {
    match op(entry) {
        Op::Relu => range.map(|x| x.max(0.0)),
        Op::LeakyRelu { slope } => range.map(|x| if x < 0.0 { x * slope.max(f32::MIN_POSITIVE) } else { x }),
        Op::Tanh => range.map(f32::tanh),
        Op::Sigmoid => range.map(|x| 1.0 / (1.0 + (-x).exp())),
        // Of a single channel it is 1.
        Op::Softmax if entry.input.dims()[2] == 1 => [1.0, 1.0],
        Op::Softmax => [0.0, 1.0],
        // Means and copies of values. Dropout scales values up and others to 0, which moves no bound to infinity.
        Op::Nothing
        | Op::Reshape
        | Op::AveragePool { .. }
        | Op::GlobalPool { .. }
        | Op::PixelShuffle { .. }
        | Op::Upsample { .. } => range,
        _ => FREE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Shape;

    fn range(lines: &[&str]) -> (Range, usize) {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let net = Network::new("discriminator", &lines, Shape::Image(8, 8, 1)).unwrap();
        (of(net.layers()), bounded_from(net.layers()))
    }

    #[test]
    fn activations_bound_in_their_order() {
        let rounded = |lines: &[&str]| range(lines).0.map(|x| (100.0 * x).round() / 100.0);
        let infinity = f32::INFINITY;
        assert!(is_free(range(&["conv 1 3x3", "relu", "flatten", "dense 1"]).0));
        assert_eq!(rounded(&["flatten", "dense 1", "relu"]), [0.0, infinity]);
        assert_eq!(rounded(&["flatten", "dense 1", "leakyrelu 0.2"]), [-infinity, infinity]);
        assert_eq!(rounded(&["flatten", "dense 1", "sigmoid", "sigmoid"]), [0.5, 0.73]);
        assert_eq!(rounded(&["flatten", "dense 1", "tanh", "sigmoid"]), [0.27, 0.73]);
        assert_eq!(rounded(&["conv 1 3x3", "relu", "tanh", "avgpool 8"]), [0.0, 1.0]);
        assert_eq!(range(&["conv 1 3x3", "relu", "tanh", "avgpool 8"]).1, 1);
        assert_eq!(rounded(&["conv 1 3x3", "tanh", "batchnorm"]), [-infinity, infinity]);
    }
}
