//! The operation that a layer computes at inference, with all parameters: kernel, strides, padding, epsilon. Fusion is planned
//! over operations (`plan/`), batch normalisation is folded with them, and exports write them (`export/`), so none of these
//! depends on how a line is parsed.
//!
//! Layers that compute the same share an operation: `layernorm` is a `groupnorm` of one group, `auxiliary`
//! a dense layer, dropout the identity. Weights keep the names and layouts of [`super::WeightSpec`].

use serde::Serialize;

use super::Shape;
use crate::ops::{Activation, Geometry};

/// The operation of a layer at inference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "form", rename_all = "lowercase")]
pub enum Op {
    /// The identity.
    Nothing,
    /// The same values in another shape, in channels-last order.
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
    /// `weight` `[kh, kw, out, in]`, `bias`: every input pixel adds its kernel to the output, of which the first `crop`
    /// rows and columns are dropped.
    ConvTranspose {
        /// Height and width.
        kernel: [usize; 2],
        /// Vertical, horizontal.
        stride: [usize; 2],
        /// Rows and columns dropped at the start of the full output.
        crop: [usize; 2],
    },
    /// Upsampling: every pixel becomes `factor` x `factor` pixels.
    Upsample {
        /// In both directions.
        factor: usize,
        /// Bilinear (half-pixel centres, the edge repeated) instead of nearest neighbour.
        bilinear: bool,
    },
    /// The part of the output's size that begins at this row and column.
    Crop {
        /// Rows dropped at the start.
        top: usize,
        /// Columns dropped at the start.
        left: usize,
    },
    /// The mean of every `factor` x `factor` pixels.
    AveragePool {
        /// In both directions.
        factor: usize,
    },
    /// The largest of every `factor` x `factor` pixels.
    MaxPool {
        /// In both directions.
        factor: usize,
    },
    /// Zeros around the image.
    ZeroPad {
        /// Rows and columns above, left, below, right.
        pads: [usize; 4],
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
        /// Momentum of the moving statistics.
        momentum: f32,
    },
    /// As `BatchNorm`, but `gamma` and `beta` are `[labels, channels]`; an image uses the mean of its labels' rows, or of all
    /// rows without labels.
    ConditionalBatchNorm {
        /// Added to the variance.
        epsilon: f32,
        /// Momentum of the moving statistics.
        momentum: f32,
    },
    /// `gamma`, `beta`, one value per channel; mean and variance of each group of channels over all pixels.
    GroupNorm {
        /// Number of groups.
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
    /// exp(x) over the sum of it over the channels.
    Softmax,
    /// Keeps its input for the matching `Close`.
    Open,
    /// Adds the input of the matching `Open`: averaged over `down` x `down` pixels, projected by `weight` `[in, out]` if there
    /// is one, repeated `up` times in both directions.
    Close {
        /// 1 for no change.
        down: usize,
        /// 1 for no change.
        up: usize,
    },
    /// The sum of the image's label rows of `table` `[labels, height, width, channels]` (`[labels, channels]` before a
    /// vector), appended to the channels.
    Embedding,
    /// `weight` `[in, 1]`, `bias`, `table` `[labels, in]`: the score plus the inner product with the labels' rows.
    Projection,
    /// Appends a channel: the mean deviation within groups of the batch.
    MinibatchStd {
        /// Number of consecutive images in a group; remaining ones join the last group.
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
    /// A registered layer that no export supports.
    Opaque,
}

impl Op {
    /// The activation of an activation operation.
    pub fn activation(self) -> Option<Activation> {
        match self {
            Self::Relu => Some(Activation::Relu),
            Self::LeakyRelu { slope } => Some(Activation::LeakyRelu(slope)),
            Self::Tanh => Some(Activation::Tanh),
            Self::Sigmoid => Some(Activation::Sigmoid),
            _ => None,
        }
    }

    /// The geometry of a convolution from `input` to `output` over a batch, and whether it is transposed; `None` for others.
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
            let entry = &net.layers()[0];
            let op = entry.layer.kind().op(entry.input);
            assert_eq!(op.convolution(entry.input, entry.output, 3), Some((geometry, transposed)), "{line}");
        }
        let net = network("dense 3", Shape::Flat(4), 0, false);
        assert_eq!(net.layers()[0].layer.planned(Shape::Flat(4)).convolution(Shape::Flat(4), Shape::Flat(3), 3), None);
    }
}
