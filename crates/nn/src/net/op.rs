//! What a layer computes in use, as an operation with all its numbers: kernel, strides, padding, epsilon, with every default
//! filled in and every size worked out. Fusion is planned over operations (`plan/`), batch normalisation is folded by them,
//! and other programs' formats are written from them (`export/`): none of these knows how a line is read.
//!
//! A layer that computes what another one computes is the same operation: `layernorm` is a `groupnorm` of one group, `auxiliary`
//! a dense layer, dropout nothing at all. Weights keep the names and layouts of [`super::WeightSpec`].

use serde::Serialize;

use super::Shape;
use crate::ops::{Activation, Geometry};

/// What a layer computes in use.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "form", rename_all = "lowercase")]
pub enum Op {
    /// The values as they are.
    Nothing,
    /// The same values, in channels-last order, under another shape.
    Reshape,
    /// `weight` `[in, out]`, `bias`: a weighted sum over the last axis.
    Dense,
    /// `weight` `[kh, kw, in, out]`, `bias`.
    Conv {
        /// Height and width.
        kernel: [usize; 2],
        /// Vertical, horizontal.
        stride: [usize; 2],
        /// Zeros above, left, below, right.
        pads: [usize; 4],
    },
    /// `weight` `[kh, kw, out, in]`, `bias`: every input pixel adds its kernel to the output, whose first rows and columns
    /// are those after `crop`.
    ConvTranspose {
        /// Height and width.
        kernel: [usize; 2],
        /// Vertical, horizontal.
        stride: [usize; 2],
        /// Rows and columns of the full output that are left out at the beginning.
        crop: [usize; 2],
    },
    /// Every pixel becomes `factor` x `factor` ones.
    Upsample {
        /// In both directions.
        factor: usize,
        /// Blended (half-pixel centres, the edge repeated) instead of repeated.
        bilinear: bool,
    },
    /// The mean of every `factor` x `factor` pixels.
    AveragePool {
        /// In both directions.
        factor: usize,
    },
    /// One value per channel.
    GlobalPool {
        /// The sum over all pixels instead of their mean.
        sum: bool,
    },
    /// Channel `c * r * r + i * r + j` becomes channel `c` of pixel `(i, j)` of a square of side `r`.
    PixelShuffle {
        /// The side.
        factor: usize,
    },
    /// `gamma`, `beta`, `mean`, `variance`, one value per channel.
    BatchNorm {
        /// Added to the variance.
        epsilon: f32,
        /// How slowly the moving statistics follow.
        momentum: f32,
    },
    /// As `BatchNorm`, but `gamma` and `beta` are `[labels, channels]`; those of an image are the mean of its labels' rows,
    /// of all rows where it has none.
    ConditionalBatchNorm {
        /// Added to the variance.
        epsilon: f32,
        /// How slowly the moving statistics follow.
        momentum: f32,
    },
    /// `gamma`, `beta`, one value per channel; mean and variance of each group of channels over all pixels.
    GroupNorm {
        /// How many.
        groups: usize,
        /// Added to the variance.
        epsilon: f32,
    },
    /// Every pixel over the root of its channels' mean square.
    PixelNorm {
        /// Added to the mean square.
        epsilon: f32,
    },
    /// max(x, 0).
    Relu,
    /// x where positive, `slope` x elsewhere.
    LeakyRelu {
        /// The slope below 0.
        slope: f32,
    },
    /// The hyperbolic tangent.
    Tanh,
    /// 1 / (1 + exp(-x)).
    Sigmoid,
    /// Keeps its input for the `Close` that belongs to it.
    Open,
    /// Adds what the matching `Open` kept: averaged over `down` x `down` pixels, projected by `weight` `[in, out]` where there
    /// is one, repeated `up` times in both directions.
    Close {
        /// 1: not at all.
        down: usize,
        /// 1: not at all.
        up: usize,
    },
    /// The sum of the holding labels' rows of `table` `[labels, height, width, channels]` (`[labels, channels]` before a
    /// vector), behind the channels there are.
    Embedding,
    /// `weight` `[in, 1]`, `bias`, `table` `[labels, in]`: the score plus the inner product with the labels' rows.
    Projection,
    /// One channel more: the mean deviation within groups of the batch.
    MinibatchStd {
        /// Images that follow each other; those left over join the last group.
        group: usize,
        /// Added to the variance.
        epsilon: f32,
    },
    /// `query`, `key` `[c, narrow]`, `value` `[c, wide]`, `output` `[wide, c]`, `gamma` `[1]`.
    Attention {
        /// Channels of a query or key.
        narrow: usize,
        /// Channels of a value.
        wide: usize,
    },
    /// A layer that a program registered and that no export can write.
    Opaque,
}

impl Op {
    /// The activation that it is, if it is one.
    pub fn activation(self) -> Option<Activation> {
        match self {
            Self::Relu => Some(Activation::Relu),
            Self::LeakyRelu { slope } => Some(Activation::LeakyRelu(slope)),
            Self::Tanh => Some(Activation::Tanh),
            Self::Sigmoid => Some(Activation::Sigmoid),
            _ => None,
        }
    }

    /// The convolution from `input` to `output` that it is over a batch of images, or that it transposes; true where it does.
    pub(super) fn convolution(self, input: Shape, output: Shape, batch: usize) -> Option<(Geometry, bool)> {
        let (kernel, stride, pads, [from, to], transposed) = match self {
            Self::Conv { kernel, stride, pads: [top, left, ..] } => {
                (kernel, stride, [top, left], [input, output], false)
            }
            Self::ConvTranspose { kernel, stride, crop } => (kernel, stride, crop, [output, input], true),
            _ => return None,
        };
        let ([in_h, in_w, in_c], [out_h, out_w, out_c]) = (from.dims(), to.dims());
        let ([kernel_h, kernel_w], [stride_h, stride_w], [pad_top, pad_left]) = (kernel, stride, pads);
        let geometry = Geometry {
            batch,
            in_h,
            in_w,
            in_c,
            out_h,
            out_w,
            out_c,
            kernel_h,
            kernel_w,
            stride_h,
            stride_w,
            pad_top,
            pad_left,
        };
        Some((geometry, transposed))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::network;
    use super::*;

    #[test]
    fn a_convolutions_geometry_is_worked_out_of_its_operation() {
        let cases = [
            ("conv 5 4x3 stride 2x1", Geometry::same(3, 7, 6, 2, 5, [4, 3], [2, 1]), false),
            ("conv 5 3x2 stride 2 padding valid", Geometry::valid(3, 7, 6, 2, 5, [3, 2], [2, 2]), false),
            ("convtranspose 5 4x3 stride 2x3", Geometry::same(3, 14, 18, 5, 2, [4, 3], [2, 3]), true),
        ];
        for (line, geometry, transposed) in cases {
            let net = network(line, Shape::Image(7, 6, 2), 0, false);
            let placed = &net.layers()[0];
            let op = placed.layer.kind().op(placed.input);
            assert_eq!(op.convolution(placed.input, placed.output, 3), Some((geometry, transposed)), "{line}");
        }
        let net = network("dense 3", Shape::Flat(4), 0, false);
        assert_eq!(net.layers()[0].layer.planned(Shape::Flat(4)).convolution(Shape::Flat(4), Shape::Flat(3), 3), None);
    }
}
