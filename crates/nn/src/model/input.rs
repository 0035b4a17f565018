//! The input of a model: a batch of examples, with labels for a conditional model; as tensors or as flat values.

use std::ops::Range;

use burn::tensor::{Device, Tensor};

use crate::net::{Network, Shape};
use crate::ops::tensor;
use faussaire_data::error::{Error, Result};

/// A batch as tensors; made from `&x` or `(&x, &labels)`.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// `[batch, h, w, c]`
    pub x: &'a Tensor<4>,
    /// `[batch, 1, 1, labels]`, 1 for each label of the image, else 0.
    pub labels: Option<&'a Tensor<4>>,
}

impl<'a> From<&'a Tensor<4>> for Input<'a> {
    fn from(x: &'a Tensor<4>) -> Self {
        Self { x, labels: None }
    }
}

impl<'a> From<(&'a Tensor<4>, &'a Tensor<4>)> for Input<'a> {
    fn from((x, labels): (&'a Tensor<4>, &'a Tensor<4>)) -> Self {
        Self { x, labels: Some(labels) }
    }
}

impl Input<'_> {
    /// Checks the batch against `net`.
    pub(super) fn of(self, net: &Network) -> Result<Self> {
        net.check_input(self.x, self.labels)?;
        Ok(self)
    }
}

/// A batch as flat values; made from `&x` or `(&x, &labels)`.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// `[n, h, w, c]` in order.
    pub x: &'a [f32],
    /// `[n, labels]`, 1 for each label of the image, else 0; empty without labels.
    pub labels: &'a [f32],
}

impl<'a> From<&'a [f32]> for Values<'a> {
    fn from(x: &'a [f32]) -> Self {
        Self { x, labels: &[] }
    }
}

impl<'a> From<&'a Vec<f32>> for Values<'a> {
    fn from(x: &'a Vec<f32>) -> Self {
        Self { x, labels: &[] }
    }
}

impl<'a, const N: usize> From<&'a [f32; N]> for Values<'a> {
    fn from(x: &'a [f32; N]) -> Self {
        Self { x, labels: &[] }
    }
}

impl<'a> From<(&'a [f32], &'a [f32])> for Values<'a> {
    fn from((x, labels): (&'a [f32], &'a [f32])) -> Self {
        Self { x, labels }
    }
}

impl<'a> From<(&'a Vec<f32>, &'a Vec<f32>)> for Values<'a> {
    fn from((x, labels): (&'a Vec<f32>, &'a Vec<f32>)) -> Self {
        Self { x, labels }
    }
}

impl Values<'_> {
    /// Number of examples for `net`.
    pub(super) fn examples(&self, net: &Network) -> Result<usize> {
        self.count(net.name(), net.input(), net.labels())
    }

    /// Number of examples for the net called `name`.
    pub(super) fn count(&self, name: &str, input: Shape, labels: usize) -> Result<usize> {
        let n = self.x.len() / input.len().max(1);
        if self.x.len() != n * input.len() {
            return Err(Error::usage(
                format!(
                    "the {name} expects examples of {input}, {} values each, got {} values",
                    input.len(),
                    self.x.len()
                ),
                "flat values are [n, height, width, channels] in order, all of them",
            ));
        }
        if self.labels.len() != n * labels {
            return Err(Error::usage(
                format!(
                    "the {name} expects {labels} labels for each of {n} examples, got {} values",
                    self.labels.len()
                ),
                "labels are [n, labels] in order, 1 for each that holds, else 0; pass `(&x, &labels)`, or `&x` where there are none",
            ));
        }
        Ok(n)
    }

    /// Some of the examples as tensors for `net`.
    pub(super) fn tensors(&self, net: &Network, of: Range<usize>, device: &Device) -> (Tensor<4>, Option<Tensor<4>>) {
        self.parts(net.input(), net.labels(), of, device)
    }

    /// Some of the examples as tensors.
    pub(super) fn parts(
        &self,
        input: Shape,
        labels: usize,
        of: Range<usize>,
        device: &Device,
    ) -> (Tensor<4>, Option<Tensor<4>>) {
        let part = |values: &[f32], width: usize| values[of.start * width..of.end * width].to_vec();
        let [h, w, c] = input.dims();
        let x = tensor(part(self.x, input.len()), [of.len(), h, w, c], device);
        let labels = (labels > 0).then(|| tensor(part(self.labels, labels), [of.len(), 1, 1, labels], device));
        (x, labels)
    }
}
