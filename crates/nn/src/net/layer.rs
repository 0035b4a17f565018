//! The layers there are. The `match` below is the registry: help, errors and parsing derive from it.

use burn::tensor::Tensor;

use super::activation::ActivationLayer;
use super::attention::Attention;
use super::batchnorm::BatchNorm;
use super::conditionalbatchnorm::ConditionalBatchNorm;
use super::conv::Conv2d;
use super::convtranspose::ConvTranspose;
use super::dense::Dense;
use super::dropout::Dropout;
use super::embedding::Embedding;
use super::groupnorm::GroupNorm;
use super::heads::{Auxiliary, Projection};
use super::minibatchstd::MinibatchStd;
use super::pixelnorm::PixelNorm;
use super::pixelshuffle::PixelShuffle;
use super::pool::{AveragePool, GlobalPool};
use super::reshape::{Flatten, Reshape};
use super::residual::{Add, Residual};
use super::upsample::Upsample;
use super::words::{Reading, Words};
use super::{Dual, Form, Fused, Pass, Shape, Storage, Surroundings, WeightSpec};
use crate::ops::{Activation, Geometry};

/// What every layer can say and do.
pub trait LayerKind: std::fmt::Debug {
    /// The word that begins its line.
    fn keyword(&self) -> &'static str;

    /// The shape it makes of `input`, or what it expected instead.
    ///
    /// # Errors
    /// A sentence that says which shapes it accepts.
    fn output(&self, input: Shape) -> Reading<Shape>;

    /// What it computes in use, which is how other programs get to know it.
    fn form(&self, input: Shape) -> Form;

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

    /// The convolution that it is over a batch of `input`s, or that it transposes, if it is one with weights and a bias.
    fn as_convolution(&self, _input: Shape, _batch: usize) -> Option<Geometry> {
        None
    }

    /// Whether it transposes the convolution that it is.
    fn is_transposed(&self) -> bool {
        false
    }

    /// The batch normalisation that it is, if it is one.
    fn as_batchnorm(&self) -> Option<&BatchNorm> {
        None
    }

    /// Whether it can upsample in the same pass.
    fn absorbs_upsampling(&self) -> bool {
        false
    }

    /// Whether it subtracts each channel's mean over the batch before anything else, while training.
    fn centres(&self) -> bool {
        false
    }

    /// Whether it is a product over its input whose backward pass keeps [`crate::ops::Links`].
    fn keeps_links(&self) -> bool {
        false
    }

    /// The forms of storage that it can read and write.
    fn storage(&self) -> Storage {
        Storage::Single
    }

    /// Why no gradient penalty can pass through it, if none can.
    fn penalty_obstacle(&self) -> Option<&'static str> {
        None
    }

    /// Whether it can keep `shape` for the `add` that follows, as `residual` does.
    fn opens_residual(&self) -> bool {
        false
    }

    /// Whether it ends a residual block.
    fn closes_residual(&self) -> bool {
        false
    }

    /// Whether it looks at the labels.
    fn takes_labels(&self) -> bool {
        false
    }

    /// Applies the layer to a batch of `input`s: `[batch, h, w, c]`, with `weights` in the order of [`Self::weights`].
    fn forward(&self, input: Shape, x: Tensor<4>, weights: &[Tensor<1>], fused: Fused, pass: &mut Pass) -> Tensor<4>;

    /// The layer's value, and how it changes when its input moves along a direction: both in operations that can be
    /// differentiated once more, which is what gradient penalties need. Draws the same randomness as [`Self::forward`]
    /// in the same pass would.
    fn tangent(&self, input: Shape, x: Dual, weights: &[Tensor<1>], pass: &mut Pass) -> Dual;
}

/// The tangent of a layer that is linear but for a bias, its second weight: the layer itself, on the direction, without it.
pub(super) fn affine_tangent(
    layer: &dyn LayerKind,
    input: Shape,
    x: Dual,
    weights: &[Tensor<1>],
    pass: &mut Pass,
) -> Dual {
    let without_bias = [weights[0].clone(), weights[1].zeros_like().without_autodiff()];
    let tangent = layer.forward(input, x.tangent, &without_bias, Fused::ALONE, pass);
    Dual { value: layer.forward(input, x.value, weights, Fused::ALONE, pass), tangent }
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
    /// `residual`
    Residual(Residual),
    /// `add`
    Add(Add),
    /// `embedding 16`
    Embedding(Embedding),
    /// `projection`
    Projection(Projection),
    /// `auxiliary`
    Auxiliary(Auxiliary),
    /// `avgpool 2`
    AveragePool(AveragePool),
    /// `globalpool`
    GlobalPool(GlobalPool),
    /// `pixelshuffle 2`
    PixelShuffle(PixelShuffle),
    /// `groupnorm 8`, `layernorm`, `instancenorm`
    GroupNorm(GroupNorm),
    /// `pixelnorm`
    PixelNorm(PixelNorm),
    /// `conditionalbatchnorm`
    ConditionalBatchNorm(ConditionalBatchNorm),
    /// `minibatchstd`
    MinibatchStd(MinibatchStd),
    /// `attention`
    Attention(Attention),
}

/// Reads what follows a keyword.
type Parse = fn(&mut Words) -> Reading<Layer>;

/// The keywords that begin a line, and who reads the rest of it.
const KEYWORDS: &[(&str, Parse)] = &[
    ("dense", |words| Dense::parse(words).map(Layer::Dense)),
    ("reshape", |words| Reshape::parse(words).map(Layer::Reshape)),
    ("flatten", |_| Ok(Layer::Flatten(Flatten))),
    ("conv", |words| Conv2d::parse(words).map(Layer::Conv)),
    ("convtranspose", |words| ConvTranspose::parse(words).map(Layer::ConvTranspose)),
    ("upsample", |words| Upsample::parse(words).map(Layer::Upsample)),
    ("batchnorm", |words| BatchNorm::parse(words).map(Layer::BatchNorm)),
    ("relu", |_| Ok(Layer::Activation(ActivationLayer::new(Activation::Relu)))),
    ("leakyrelu", |words| ActivationLayer::leaky(words).map(Layer::Activation)),
    ("tanh", |_| Ok(Layer::Activation(ActivationLayer::new(Activation::Tanh)))),
    ("sigmoid", |_| Ok(Layer::Activation(ActivationLayer::new(Activation::Sigmoid)))),
    ("dropout", |words| Dropout::parse(words).map(Layer::Dropout)),
    ("residual", |_| Ok(Layer::Residual(Residual))),
    ("add", |words| Add::parse(words).map(Layer::Add)),
    ("embedding", |words| Embedding::parse(words).map(Layer::Embedding)),
    ("projection", |words| Projection::parse(words).map(Layer::Projection)),
    ("auxiliary", |words| Auxiliary::parse(words).map(Layer::Auxiliary)),
    ("avgpool", |words| AveragePool::parse(words).map(Layer::AveragePool)),
    ("globalpool", |words| Ok(Layer::GlobalPool(GlobalPool::parse(words)))),
    ("pixelshuffle", |words| PixelShuffle::parse(words).map(Layer::PixelShuffle)),
    ("groupnorm", |words| GroupNorm::groups(words).map(Layer::GroupNorm)),
    ("layernorm", |words| GroupNorm::layer(words).map(Layer::GroupNorm)),
    ("instancenorm", |words| GroupNorm::instance(words).map(Layer::GroupNorm)),
    ("pixelnorm", |words| PixelNorm::parse(words).map(Layer::PixelNorm)),
    ("conditionalbatchnorm", |words| ConditionalBatchNorm::parse(words).map(Layer::ConditionalBatchNorm)),
    ("minibatchstd", |words| MinibatchStd::parse(words).map(Layer::MinibatchStd)),
    ("attention", |_| Ok(Layer::Attention(Attention))),
];

fn keywords() -> String {
    KEYWORDS.iter().map(|(keyword, _)| *keyword).collect::<Vec<_>>().join(", ")
}

impl Layer {
    /// Reads one line that stands among `around`.
    ///
    /// # Errors
    /// A sentence about what is wrong with the line.
    pub fn parse(line: &str, around: &Surroundings) -> Reading<Self> {
        let mut parts = line.split_whitespace();
        let Some(word) = parts.next() else {
            return Err(format!("the line is empty; expected one of {}", keywords()));
        };
        let Some((_, parse)) = KEYWORDS.iter().find(|(keyword, _)| *keyword == word) else {
            return Err(format!("there is no layer `{word}`; expected one of {}", keywords()));
        };
        let mut words = Words::new(parts, around);
        let layer = parse(&mut words)?;
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
            Self::Residual(layer) => layer,
            Self::Add(layer) => layer,
            Self::Embedding(layer) => layer,
            Self::Projection(layer) => layer,
            Self::Auxiliary(layer) => layer,
            Self::AveragePool(layer) => layer,
            Self::GlobalPool(layer) => layer,
            Self::PixelShuffle(layer) => layer,
            Self::GroupNorm(layer) => layer,
            Self::PixelNorm(layer) => layer,
            Self::ConditionalBatchNorm(layer) => layer,
            Self::MinibatchStd(layer) => layer,
            Self::Attention(layer) => layer,
        }
    }
}
