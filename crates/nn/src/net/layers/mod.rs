//! The layers: one file each, with a line in the list below that gives its keyword in recipes and its parser. A program's own layer is registered by name ([`register`]).

mod activation;
mod attention;
pub(super) mod batchnorm;
mod conditionalbatchnorm;
mod conv;
mod convtranspose;
mod crop;
mod dense;
mod dropout;
mod dropout2d;
mod embedding;
mod gaussiannoise;
mod groupnorm;
mod heads;
mod maxpool;
mod minibatchstd;
mod pixelnorm;
mod pixelshuffle;
mod pool;
mod reshape;
mod residual;
mod softmax;
mod upsample;
mod zeropad;

use std::sync::Arc;

use burn::tensor::Tensor;

use super::parse::{Reading, Words};
use super::{Dual, Fused, Op, Pass, Shape, Storage, WeightSpec};
use crate::ops::Activation;
use crate::registry::{PREFIX, Registry};
use activation::ActivationLayer;
use faussaire_data::did_you_mean;
use faussaire_data::error::Result;
use groupnorm::GroupNorm;

/// The trait of layers. Fusion is planned from [`Self::op`].
pub trait LayerKind: std::fmt::Debug + Send + Sync {
    /// The first word of its line.
    fn keyword(&self) -> &'static str;

    /// The output shape for `input`, or what was expected instead.
    ///
    /// # Errors
    /// A sentence with the shapes it accepts.
    fn output(&self, input: Shape) -> Reading<Shape>;

    /// Its operation at inference, for exports; [`Op::Opaque`] if no export supports it.
    fn op(&self, _input: Shape) -> Op {
        Op::Opaque
    }

    /// Its weights, in Keras's order and layouts.
    fn weights(&self, _input: Shape) -> Vec<WeightSpec> {
        Vec::new()
    }

    /// Multiplications and additions for one example, without fast algorithms; element-wise operations are not counted.
    fn flops(&self, _input: Shape) -> u64 {
        0
    }

    /// The storage formats that it supports.
    fn storage(&self) -> Storage {
        Storage::Single
    }

    /// Why gradient penalties don't support this layer; `None` if they do.
    fn penalty_obstacle(&self) -> Option<&'static str> {
        None
    }

    /// Whether it uses labels.
    fn takes_labels(&self) -> bool {
        false
    }

    /// Applies the layer to a batch of `input`s: `[batch, h, w, c]`, with `weights` in the order of [`Self::weights`]. A
    /// registered layer is never fused with its neighbours: `fused` is then [`Fused::ALONE`].
    fn forward(&self, input: Shape, x: Tensor<4>, weights: &[Tensor<1>], fused: Fused, pass: &mut Pass) -> Tensor<4>;

    /// The layer's value and its derivative along a direction of its input, both in differentiable operations, as needed by
    /// gradient penalties. Its random draws equal those of [`Self::forward`] in the same pass.
    fn tangent(&self, input: Shape, x: Dual, weights: &[Tensor<1>], pass: &mut Pass) -> Dual;
}

/// The tangent of an affine layer whose bias is its second weight: the layer applied to the direction, without bias.
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
#[derive(Clone, Debug)]
pub struct Layer {
    kind: Arc<dyn LayerKind>,
    /// Whether it is a registered layer.
    own: bool,
}

/// Layers are equal if their `Debug` output is.
impl PartialEq for Layer {
    fn eq(&self, other: &Self) -> bool {
        self.own == other.own && format!("{:?}", self.kind) == format!("{:?}", other.kind)
    }
}

/// Parses the words after a keyword.
pub type LayerReader = dyn Fn(&mut Words<'_>) -> Reading<Arc<dyn LayerKind>> + Send + Sync;

static OWN: Registry<LayerReader> = Registry::new("layer");

/// Registers a layer for recipes: `reader` parses the words after `own:KEYWORD`. Registering a keyword again replaces the layer
/// for recipes parsed later. See [`crate::registry`].
///
/// # Errors
/// The keyword has other characters than lower-case letters, digits, `-` and `_`.
pub fn register(
    keyword: &str,
    reader: impl Fn(&mut Words<'_>) -> Reading<Arc<dyn LayerKind>> + Send + Sync + 'static,
) -> Result<()> {
    OWN.register(keyword, Arc::new(reader))
}

/// Parses the words after a built-in keyword.
type BuiltIn = fn(&mut Words<'_>) -> Reading<Layer>;

/// The keyword of each layer, an example of its line, and its parser.
macro_rules! layers {
    ($($(#[doc = $example:literal])* $keyword:literal by $read:expr,)*) => {
        const KEYWORDS: &[(&str, BuiltIn)] = &[$(($keyword, |words| {
            let read: fn(&mut Words<'_>) -> Reading<_> = $read;
            read(words).map(Layer::built_in)
        }),)*];
    };
}

layers! {
    /// `dense 128`
    "dense" by dense::Dense::parse,
    /// `reshape 7 7 64`
    "reshape" by reshape::Reshape::parse,
    /// `flatten`
    "flatten" by |_| Ok(reshape::Flatten),
    /// `conv 64 4x4 stride 2`
    "conv" by conv::Conv2d::parse,
    /// `convtranspose 64 4x4 stride 2`
    "convtranspose" by convtranspose::ConvTranspose::parse,
    /// `upsample 2`
    "upsample" by upsample::Upsample::parse,
    /// `crop 37 53`
    "crop" by crop::Crop::parse,
    /// `batchnorm`
    "batchnorm" by batchnorm::BatchNorm::parse,
    /// `relu`
    "relu" by |_| Ok(ActivationLayer::new(Activation::Relu)),
    /// `leakyrelu 0.2`
    "leakyrelu" by ActivationLayer::leaky,
    /// `tanh`
    "tanh" by |_| Ok(ActivationLayer::new(Activation::Tanh)),
    /// `sigmoid`
    "sigmoid" by |_| Ok(ActivationLayer::new(Activation::Sigmoid)),
    /// `dropout 0.2`
    "dropout" by dropout::Dropout::parse,
    /// `dropout2d 0.2`
    "dropout2d" by dropout2d::Dropout2d::parse,
    /// `gaussiannoise 0.1`
    "gaussiannoise" by gaussiannoise::GaussianNoise::parse,
    /// `softmax`
    "softmax" by |_| Ok(softmax::Softmax),
    /// `residual`
    "residual" by |_| Ok(residual::Residual),
    /// `add`
    "add" by residual::Add::parse,
    /// `embedding 16`
    "embedding" by embedding::Embedding::parse,
    /// `projection`
    "projection" by heads::Projection::parse,
    /// `auxiliary`
    "auxiliary" by heads::Auxiliary::parse,
    /// `avgpool 2`
    "avgpool" by pool::AveragePool::parse,
    /// `maxpool 2`
    "maxpool" by maxpool::MaxPool::parse,
    /// `zeropad 0 1 0 1`
    "zeropad" by zeropad::ZeroPad::parse,
    /// `globalpool`
    "globalpool" by |words| Ok(pool::GlobalPool::parse(words)),
    /// `pixelshuffle 2`
    "pixelshuffle" by pixelshuffle::PixelShuffle::parse,
    /// `groupnorm 8`
    "groupnorm" by GroupNorm::groups,
    /// `layernorm`
    "layernorm" by GroupNorm::layer,
    /// `instancenorm`
    "instancenorm" by GroupNorm::instance,
    /// `pixelnorm`
    "pixelnorm" by pixelnorm::PixelNorm::parse,
    /// `conditionalbatchnorm`
    "conditionalbatchnorm" by conditionalbatchnorm::ConditionalBatchNorm::parse,
    /// `minibatchstd`
    "minibatchstd" by minibatchstd::MinibatchStd::parse,
    /// `attention`
    "attention" by |_| Ok(attention::Attention),
}

/// All keywords, registered ones last.
pub(super) fn keywords() -> Vec<&'static str> {
    KEYWORDS.iter().map(|(keyword, _)| *keyword).chain(OWN.names()).collect()
}

impl Layer {
    fn built_in(kind: impl LayerKind + 'static) -> Self {
        Self { kind: Arc::new(kind), own: false }
    }

    /// Parses the words after `keyword`.
    pub(super) fn read(keyword: &str, words: &mut Words<'_>) -> Reading<Self> {
        if let Some((_, read)) = KEYWORDS.iter().find(|(known, _)| *known == keyword) {
            return read(words);
        }
        if let Some(own) = OWN.find(keyword) {
            return own.item()(words).map(|kind| Self { kind, own: true });
        }
        if keyword.starts_with(PREFIX) {
            return Err(OWN.unknown(keyword, &[]));
        }
        let known = keywords();
        let meant = did_you_mean(keyword, known.iter().copied().chain(super::parse::other_names()));
        Err(format!("there is no layer `{keyword}`; {meant}expected one of {}", known.join(", ")))
    }

    /// The layer as a trait object.
    pub fn kind(&self) -> &dyn LayerKind {
        &*self.kind
    }

    /// Its operation for fusion; opaque for a registered layer.
    pub(super) fn planned(&self, input: Shape) -> Op {
        if self.own { Op::Opaque } else { self.kind.op(input) }
    }
}
