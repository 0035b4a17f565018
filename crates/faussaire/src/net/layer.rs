//! The layers there are. The `match` below is the registry: help, errors and parsing derive from it.

use burn::tensor::Tensor;

use super::activation::ActivationLayer;
use super::batchnorm::BatchNorm;
use super::conv::Conv2d;
use super::convtranspose::ConvTranspose;
use super::dense::Dense;
use super::dropout::Dropout;
use super::reshape::{Flatten, Reshape};
use super::upsample::Upsample;
use super::words::{Reading, Words};
use super::{Fused, Pass, Shape, WeightSpec};
use crate::ops::Activation;

/// What every layer can say and do.
pub trait LayerKind: std::fmt::Debug {
    /// The word that begins its line.
    fn keyword(&self) -> &'static str;

    /// The shape it makes of `input`, or what it expected instead.
    ///
    /// # Errors
    /// A sentence that says which shapes it accepts.
    fn output(&self, input: Shape) -> Reading<Shape>;

    /// Its weights, in Keras's order and layouts.
    fn weights(&self, _input: Shape) -> Vec<WeightSpec> {
        Vec::new()
    }

    /// Multiplications and additions for one example, counted naively; element-wise work is left out.
    fn flops(&self, _input: Shape) -> u64 {
        0
    }

    /// The activation that it is, if it is one: a layer before it may absorb it.
    fn as_activation(&self) -> Option<Activation> {
        None
    }

    /// The factor by which it upsamples, if that is all it does: a convolution after it may absorb it.
    fn as_upsampling(&self) -> Option<usize> {
        None
    }

    /// Whether it can apply the activation behind it in the same pass.
    fn absorbs_activation(&self) -> bool {
        false
    }

    /// Whether it can upsample in the same pass.
    fn absorbs_upsampling(&self) -> bool {
        false
    }

    /// Applies the layer to a batch of `input`s: `[batch, h, w, c]`, with `weights` in the order of [`Self::weights`].
    fn forward(&self, input: Shape, x: Tensor<4>, weights: &[Tensor<1>], fused: Fused, pass: &mut Pass) -> Tensor<4>;
}

/// A layer of a network.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// `dense 128`
    Dense(Dense),
    /// `reshape 7 7 64`
    Reshape(Reshape),
    /// `flatten`
    Flatten(Flatten),
    /// `conv 64 4x4 stride 2`
    Conv(Conv2d),
    /// `convtranspose 64 4x4 stride 2`
    ConvTranspose(ConvTranspose),
    /// `upsample 2`
    Upsample(Upsample),
    /// `batchnorm`
    BatchNorm(BatchNorm),
    /// `relu`, `leakyrelu 0.2`, `tanh`, `sigmoid`
    Activation(ActivationLayer),
    /// `dropout 0.2`
    Dropout(Dropout),
}

/// The keywords that begin a line, for error messages.
const KEYWORDS: &str =
    "dense, reshape, flatten, conv, convtranspose, upsample, batchnorm, relu, leakyrelu, tanh, sigmoid, dropout";

impl Layer {
    /// Reads one line.
    ///
    /// # Errors
    /// A sentence about what is wrong with the line.
    pub fn parse(line: &str) -> Reading<Self> {
        let mut parts = line.split_whitespace();
        let keyword = parts.next().ok_or_else(|| format!("the line is empty; expected one of {KEYWORDS}"))?;
        let mut words = Words::new(parts);
        let layer = match keyword {
            "dense" => Self::Dense(Dense::parse(&mut words)?),
            "reshape" => Self::Reshape(Reshape::parse(&mut words)?),
            "flatten" => Self::Flatten(Flatten),
            "conv" => Self::Conv(Conv2d::parse(&mut words)?),
            "convtranspose" => Self::ConvTranspose(ConvTranspose::parse(&mut words)?),
            "upsample" => Self::Upsample(Upsample::parse(&mut words)?),
            "batchnorm" => Self::BatchNorm(BatchNorm::parse(&mut words)?),
            "relu" | "leakyrelu" | "tanh" | "sigmoid" => Self::Activation(ActivationLayer::parse(keyword, &mut words)?),
            "dropout" => Self::Dropout(Dropout::parse(&mut words)?),
            other => return Err(format!("there is no layer `{other}`; expected one of {KEYWORDS}")),
        };
        words.end()?;
        Ok(layer)
    }

    /// The layer as what every layer can do.
    pub fn kind(&self) -> &dyn LayerKind {
        match self {
            Self::Dense(layer) => layer,
            Self::Reshape(layer) => layer,
            Self::Flatten(layer) => layer,
            Self::Conv(layer) => layer,
            Self::ConvTranspose(layer) => layer,
            Self::Upsample(layer) => layer,
            Self::BatchNorm(layer) => layer,
            Self::Activation(layer) => layer,
            Self::Dropout(layer) => layer,
        }
    }
}
