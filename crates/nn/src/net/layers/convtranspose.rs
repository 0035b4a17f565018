//! `convtranspose 64 4x4 stride 2`: a transposed convolution with a bias, Keras's `Conv2DTranspose` with padding "same":
//! the output is the input times the stride.

use burn::tensor::Tensor;

use super::affine_tangent;
use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, Init, LayerKind, Op, Pass, Shape, Storage, WeightSpec};
use crate::ops::{self, Geometry};

/// A transposed convolution over an image.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvTranspose {
    filters: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    init: Init,
}

impl ConvTranspose {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        Ok(Self {
            filters: words.size("the number of filters")?,
            kernel: words.pair("a kernel size")?,
            stride: words.stride()?,
            init: words.init()?,
        })
    }

    /// The convolution that this one transposes: from our output back to our input.
    fn geometry(&self, batch: usize, [h, w, c]: [usize; 3]) -> Geometry {
        let [sh, sw] = self.stride;
        Geometry::same(batch, h * sh, w * sw, self.filters, c, self.kernel, self.stride)
    }
}

impl LayerKind for ConvTranspose {
    fn keyword(&self) -> &'static str {
        "convtranspose"
    }

    fn op(&self, input: Shape) -> Op {
        let g = self.geometry(1, input.dims());
        Op::ConvTranspose { kernel: self.kernel, stride: self.stride, crop: [g.pad_top, g.pad_left] }
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        let Shape::Image(h, w, _) = input else {
            return Err(format!("expected an image (height x width x channels), but the input is a vector of {input}"));
        };
        let [sh, sw] = self.stride;
        Ok(Shape::Image(h * sh, w * sw, self.filters))
    }

    fn weights(&self, input: Shape) -> Vec<WeightSpec> {
        let [kh, kw] = self.kernel;
        let [_, _, c] = input.dims();
        let area = kh * kw;
        // Keras computes the fans of a transposed kernel from its last two axes, as for any other.
        vec![
            WeightSpec::kernel(&[kh, kw, self.filters, c], self.init, area * self.filters, area * c),
            WeightSpec::trainable("bias", &[self.filters], Init::Zeros),
        ]
    }

    fn flops(&self, input: Shape) -> u64 {
        self.geometry(1, input.dims()).flops()
    }

    fn storage(&self) -> Storage {
        Storage::Either
    }

    fn forward(&self, input: Shape, x: Tensor<4>, weights: &[Tensor<1>], fused: Fused, pass: &mut Pass) -> Tensor<4> {
        let geometry = self.geometry(x.dims()[0], input.dims());
        let spec = fused.conv(geometry, pass.precision);
        ops::conv_transpose(x, weights[0].clone(), weights[1].clone(), spec)
    }

    fn tangent(&self, input: Shape, x: Dual, weights: &[Tensor<1>], pass: &mut Pass) -> Dual {
        affine_tangent(self, input, x, weights, pass)
    }
}
