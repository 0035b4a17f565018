//! `conv 64 4x4 stride 2`: a convolution; padding "same" as in Keras, unless `padding valid` or `padding 1` (zeros on both
//! sides, as in PyTorch); with a bias, unless `nobias`.

use burn::tensor::Tensor;

use super::affine_tangent;
use crate::net::parse::{Padding, Reading, Words};
use crate::net::{Dual, Fused, Init, LayerKind, Op, Pass, Shape, Storage, WeightSpec};
use crate::ops::{self, Geometry};

/// A convolution over an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv2d {
    filters: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
    bias: bool,
    init: Init,
}

impl Conv2d {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        let (filters, kernel) = (words.size("the number of filters")?, words.pair("a kernel size")?);
        let (stride, padding) = (words.stride()?, words.padding(kernel)?);
        Ok(Self { filters, kernel, stride, padding, bias: words.has_bias(), init: words.init()? })
    }

    fn geometry(&self, batch: usize, [h, w, c]: [usize; 3]) -> Geometry {
        let (to, kernel, stride) = (self.filters, self.kernel, self.stride);
        match self.padding {
            Padding::Same => Geometry::same(batch, h, w, c, to, kernel, stride),
            Padding::Valid => Geometry::valid(batch, h, w, c, to, kernel, stride),
            Padding::By(pad) => Geometry::padded(batch, h, w, c, to, kernel, stride, pad),
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
        let g = self.geometry(1, [h, w, c]);
        if g.out_h == 0 || g.out_w == 0 {
            let with = match self.padding {
                Padding::By([rows, columns]) => format!("padding {rows}x{columns}"),
                Padding::Same | Padding::Valid => "padding valid".into(),
            };
            return Err(format!("with {with} the {kh}x{kw} kernel doesn't fit into the input {input}"));
        }
        Ok(Shape::Image(g.out_h, g.out_w, self.filters))
    }

    fn weights(&self, input: Shape) -> Vec<WeightSpec> {
        let [kh, kw] = self.kernel;
        let [_, _, c] = input.dims();
        let area = kh * kw;
        vec![
            WeightSpec::kernel(&[kh, kw, c, self.filters], self.init, area * c, area * self.filters),
            WeightSpec::bias(self.filters, self.bias),
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
