//! What a layer computes in use, in numbers: kernel, strides, padding, epsilon, with every default filled in and every
//! size worked out. Other programs' formats are written from this (`export/`), so that they need to know neither how a
//! line is read nor what training does besides.
//!
//! A layer that computes what another one computes has its form: `layernorm` is a `groupnorm` of one group, `auxiliary`
//! a dense layer, dropout nothing at all. Weights keep the names and layouts of [`super::WeightSpec`].

use serde::Serialize;

/// What a layer computes in use.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "form", rename_all = "lowercase")]
pub enum Form {
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
}
