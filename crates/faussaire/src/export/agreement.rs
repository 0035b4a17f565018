//! The difference between the outputs of two implementations of one net, on fixed inputs.

use super::subject::{Batch, Subject};
use super::{Which, subject};
use crate::net::{Network, Weights};
use crate::random::Stream;

/// Number of examples: more than a group of `minibatchstd`, and no multiple of one.
const EXAMPLES: usize = 6;

/// The largest accepted difference, absolute for outputs between -1 and 1, relative for larger ones.
const TOLERANCE: f64 = 1e-5;

/// The inputs of the comparison: noise for a generator, random images within `bounds` for a discriminator. Every second
/// row of labels has two labels, and one has none.
pub fn inputs(net: &Network, which: Which, bounds: (f32, f32)) -> Batch {
    let (len, n) = (net.input().len(), EXAMPLES);
    let stream = Stream::new(0, "export");
    let values = match which {
        Which::Generator => stream.normal(0, n * len),
        Which::Discriminator => stream.uniform(0, n * len, bounds.0, bounds.1),
    };
    let width = net.labels();
    let mut rows = vec![0.0; n * width];
    for (i, row) in rows.chunks_mut(width.max(1)).enumerate().skip(1) {
        row[(i * 3) % width] = 1.0;
        if i % 2 == 0 {
            row[(i * 5 + 1) % width] = 1.0;
        }
    }
    Batch { n, values, rows }
}

/// The difference between two outputs, and the largest accepted one.
pub fn difference(ours: &[f32], theirs: &[f32]) -> (f64, f64) {
    let size = ours.iter().fold(1.0f64, |size, v| size.max(f64::from(v.abs())));
    if ours.len() != theirs.len() {
        return (f64::INFINITY, TOLERANCE * size);
    }
    let apart = |(a, b): (&f32, &f32)| (f64::from(*a) - f64::from(*b)).abs();
    // A NaN is an infinite difference.
    let largest = ours.iter().zip(theirs).map(apart).fold(0.0, |m, d| if d >= 0.0 { d.max(m) } else { f64::INFINITY });
    (largest, TOLERANCE * size)
}

/// As [`difference`], for `theirs` as bytes, of which 0 and 255 are `bounds`: the difference without rounding.
#[cfg(feature = "onnx")]
pub fn of_bytes(ours: &[f32], theirs: &[u8], (low, high): (f32, f32)) -> (f64, f64) {
    if ours.len() != theirs.len() {
        return (f64::INFINITY, TOLERANCE);
    }
    let beyond = |(value, byte): (&f32, &u8)| {
        let exact = (f64::from(*value) - f64::from(low)) / f64::from(high - low) * 255.0;
        ((exact.clamp(0.0, 255.0) - f64::from(*byte)).abs() - 0.5).max(0.0) / 255.0
    };
    (ours.iter().zip(theirs).map(beyond).fold(0.0, f64::max), TOLERANCE)
}

/// The difference between `net` with `weights` and one of the subject's nets.
pub fn of_weights(subject: &Subject, which: Which, net: &Network, weights: &Weights) -> (f64, f64) {
    let batch = inputs(net, which, subject.range.bounds());
    difference(&subject.run(which, &batch), &subject::forward(net, weights, &batch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_relative_to_large_results() {
        let (apart, accepted) = difference(&[100.0, -0.5], &[100.5, -0.5]);
        assert!((apart - 0.5).abs() < 1e-9 && (accepted - 1e-3).abs() < 1e-12);
        assert_eq!(difference(&[0.5], &[0.5]), (0.0, 1e-5));
        assert!(difference(&[0.5], &[f32::NAN]).0.is_infinite() && difference(&[0.5], &[]).0.is_infinite());
    }

    #[test]
    fn bytes_may_differ_by_their_rounding_only() {
        let bounds = (-1.0, 1.0);
        assert_eq!(of_bytes(&[-1.0, 0.0, 1.0, 1.5], &[0, 128, 255, 255], bounds).0, 0.0);
        assert_eq!(of_bytes(&[0.0], &[127], bounds).0, 0.0, "half way is either");
        let (apart, accepted) = of_bytes(&[0.0], &[129], bounds);
        assert!((apart - 1.0 / 255.0).abs() < 1e-9 && apart > accepted);
    }
}
