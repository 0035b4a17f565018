//! `relu`, `leakyrelu 0.2`, `tanh`, `sigmoid`: a function of each value alone.

use burn::tensor::Tensor;

use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, LayerKind, Op, Pass, Shape, Storage};
use crate::ops::{self, Activation, Precision};

/// An activation as a layer of its own; the layer before it usually absorbs it.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivationLayer {
    function: Activation,
}

impl ActivationLayer {
    pub(super) fn new(function: Activation) -> Self {
        Self { function }
    }

    /// `leakyrelu`, with Keras's slope unless one follows.
    pub(super) fn leaky(words: &mut Words) -> Reading<Self> {
        let slope = if words.number_follows() { words.number("a slope", 0.0, 1.0)? } else { 0.3 };
        Ok(Self::new(Activation::LeakyRelu(slope)))
    }
}

impl LayerKind for ActivationLayer {
    fn keyword(&self) -> &'static str {
        match self.function {
            Activation::Relu => "relu",
            Activation::LeakyRelu(_) => "leakyrelu",
            Activation::Tanh => "tanh",
            Activation::Sigmoid => "sigmoid",
            Activation::Identity => "identity",
        }
    }

    fn op(&self, _: Shape) -> Op {
        match self.function {
            Activation::Relu => Op::Relu,
            Activation::LeakyRelu(slope) => Op::LeakyRelu { slope },
            Activation::Tanh => Op::Tanh,
            Activation::Sigmoid => Op::Sigmoid,
            Activation::Identity => Op::Nothing,
        }
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        Ok(input)
    }

    fn storage(&self) -> Storage {
        Storage::Either
    }

    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], fused: Fused, _: &mut Pass) -> Tensor<4> {
        ops::activate(x, self.function, fused.stored)
    }

    fn tangent(&self, _: Shape, x: Dual, _: &[Tensor<1>], _: &mut Pass) -> Dual {
        let value = ops::activate(x.value, self.function, Precision::F32);
        Dual { tangent: ops::activation_tangent(x.tangent, value.clone(), self.function), value }
    }
}
