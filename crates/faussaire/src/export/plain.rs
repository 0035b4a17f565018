//! A net as plain data: for every layer its operation, its shapes, and its weights as numbers. Formats use nothing
//! else.

use crate::net::{Network, Op, Shape, Weights};
use crate::ops::host;

/// A net.
#[derive(Clone, Debug)]
pub struct Plain {
    /// "generator" or "discriminator".
    pub name: &'static str,
    /// Shape of one input.
    pub input: Shape,
    /// Shape of one output.
    pub output: Shape,
    /// Number of labels; 0 for an unconditional net.
    pub labels: usize,
    /// The layers in order.
    pub parts: Vec<Part>,
}

/// A layer.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its index in the recipe.
    pub index: usize,
    /// The first word of its line.
    pub keyword: &'static str,
    /// Its line.
    pub line: String,
    /// Its operation.
    pub op: Op,
    /// Shape of one input.
    pub input: Shape,
    /// Shape of one output.
    pub output: Shape,
    /// Its weights.
    pub weights: Vec<Weight>,
}

/// A weight, as used in inference.
#[derive(Clone, Debug)]
pub struct Weight {
    /// Its name in the layer.
    pub name: &'static str,
    /// Its shape, in Keras's layout.
    pub shape: Vec<usize>,
    /// Its values, the last axis running fastest.
    pub values: Vec<f32>,
}

impl Plain {
    /// `net` with `weights`.
    pub fn of(net: &Network, weights: &Weights) -> Self {
        let used = net.in_use(weights);
        let part = |(index, (entry, own)): (usize, (&crate::net::LayerEntry, Vec<_>))| Part {
            index,
            keyword: entry.layer.kind().keyword(),
            line: entry.line.clone(),
            op: entry.layer.kind().op(entry.input),
            input: entry.input,
            output: entry.output,
            weights: own.into_iter().map(weight).collect(),
        };
        let parts = net.layers().iter().zip(used).enumerate().map(part).collect();
        let name = if net.name() == "discriminator" { "discriminator" } else { "generator" };
        Self { name, input: net.input(), output: net.output(), labels: net.labels(), parts }
    }
}

fn weight((spec, tensor): (&crate::net::WeightSpec, burn::tensor::Tensor<1>)) -> Weight {
    Weight { name: spec.name, shape: spec.shape.clone(), values: host(&tensor) }
}

impl Part {
    /// Its name, such as `conv3`.
    pub fn name(&self) -> String {
        format!("{}{}", self.keyword, self.index)
    }

    /// Its weight called `name`.
    pub fn weight(&self, name: &str) -> Option<&Weight> {
        self.weights.iter().find(|w| w.name == name)
    }

    /// Input and output channels (features).
    pub fn channels(&self) -> (usize, usize) {
        (self.input.dims()[2], self.output.dims()[2])
    }

    /// For a transposed convolution: rows and columns of the full output that are cut off at the end, and those that it
    /// lacks.
    pub fn transposed_ends(
        &self,
        kernel: [usize; 2],
        stride: [usize; 2],
        crop: [usize; 2],
    ) -> ([usize; 2], [usize; 2]) {
        let (from, to) = (self.input.dims(), self.output.dims());
        let full = |i: usize| (from[i] - 1) * stride[i] + kernel[i];
        let needed = |i: usize| crop[i] + to[i];
        let end = [0, 1].map(|i| full(i).saturating_sub(needed(i)));
        (end, [0, 1].map(|i| needed(i).saturating_sub(full(i))))
    }

    /// Whether its input and its output are images.
    pub fn of_images(&self) -> (bool, bool) {
        let image = |shape| matches!(shape, Shape::Image(..));
        (image(self.input), image(self.output))
    }
}

impl Weight {
    /// Its values with the axes in another order: axis `axes[i]` becomes axis `i`.
    #[cfg(feature = "onnx")]
    pub fn permuted(&self, axes: &[usize]) -> Vec<f32> {
        permuted(&self.values, &self.shape, axes)
    }
}

/// `values` of `shape` with the axes in another order: axis `axes[i]` becomes axis `i`.
pub fn permuted(values: &[f32], shape: &[usize], axes: &[usize]) -> Vec<f32> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    let sizes: Vec<usize> = axes.iter().map(|a| shape[*a]).collect();
    let steps: Vec<usize> = axes.iter().map(|a| strides[*a]).collect();
    let mut place = vec![0; axes.len()];
    let mut result = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        result.push(values[place.iter().zip(&steps).map(|(p, s)| p * s).sum::<usize>()]);
        for axis in (0..place.len()).rev() {
            place[axis] += 1;
            if place[axis] < sizes[axis] {
                break;
            }
            place[axis] = 0;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_change_places() {
        let values: Vec<f32> = (0..6).map(|v| v as f32).collect();
        assert_eq!(permuted(&values, &[2, 3], &[1, 0]), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        let values: Vec<f32> = (0..24).map(|v| v as f32).collect();
        let turned = permuted(&values, &[2, 3, 4], &[2, 0, 1]);
        assert_eq!(turned[..3], [0.0, 4.0, 8.0]);
        assert_eq!(permuted(&turned, &[4, 2, 3], &[1, 2, 0]), values);
        assert_eq!(permuted(&[7.0], &[], &[]), [7.0]);
    }
}
