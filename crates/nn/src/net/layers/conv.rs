//! `conv 64 4x4 stride 2`: a convolution with a bias; padding "same" as in Keras, unless `padding valid`.

use burn::tensor::Tensor;

use super::affine_tangent;
use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, Init, LayerKind, Op, Pass, Shape, Storage, WeightSpec};
use crate::ops::{self, Geometry};

/// A convolution over an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv2d {
    filters: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    same: bool,
    init: Init,
}

impl Conv2d {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        Ok(Self {
            filters: words.size("the number of filters")?,
            kernel: words.pair("a kernel size")?,
            stride: words.stride()?,
            same: words.padding_is_same()?,
            init: words.init()?,
        })
    }

    fn geometry(&self, batch: usize, [h, w, c]: [usize; 3]) -> Geometry {
        if self.same {
            Geometry::same(batch, h, w, c, self.filters, self.kernel, self.stride)
        } else {
            Geometry::valid(batch, h, w, c, self.filters, self.kernel, self.stride)
        }
    }
}

impl LayerKind for Conv2d {
    fn keyword(&self) -> &'static str {
        "conv"
    }

    fn op(&self, input: Shape) -> Op {
        let g = self.geometry(1, input.dims());
        // Rows and columns after the last kernel position are dropped.
        let below = |out: usize, stride: usize, kernel: usize, n: usize, before: usize| {
            ((out.max(1) - 1) * stride + kernel).saturating_sub(n + before)
        };
        Op::Conv {
            kernel: self.kernel,
            stride: self.stride,
            pads: [
                g.pad_top,
                g.pad_left,
                below(g.out_h, g.stride_h, g.kernel_h, g.in_h, g.pad_top),
                below(g.out_w, g.stride_w, g.kernel_w, g.in_w, g.pad_left),
            ],
        }
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        let Shape::Image(h, w, c) = input else {
            return Err(format!("expected an image (height x width x channels), but the input is a vector of {input}"));
        };
        let [kh, kw] = self.kernel;
        if !self.same && (kh > h || kw > w) {
            return Err(format!("with padding valid the {kh}x{kw} kernel doesn't fit into the input {input}"));
        }
        let g = self.geometry(1, [h, w, c]);
        Ok(Shape::Image(g.out_h, g.out_w, self.filters))
    }

    fn weights(&self, input: Shape) -> Vec<WeightSpec> {
        let [kh, kw] = self.kernel;
        let [_, _, c] = input.dims();
        let area = kh * kw;
        vec![
            WeightSpec::kernel(&[kh, kw, c, self.filters], self.init, area * c, area * self.filters),
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
        ops::conv(x, weights[0].clone(), weights[1].clone(), spec)
    }

    fn tangent(&self, input: Shape, x: Dual, weights: &[Tensor<1>], pass: &mut Pass) -> Dual {
        affine_tangent(self, input, x, weights, pass)
    }
}
