//! `convtranspose 64 4x4 stride 2`: a transposed convolution, Keras's `Conv2DTranspose` with padding "same": the output is
//! the input times the stride. `padding valid` crops nothing: (n - 1) stride + kernel. `padding 1` crops a row or column on
//! each side, and `output_padding 1` adds one at the end, as in PyTorch; with these two a vector is an image of one pixel.
//! With a bias, unless `nobias`.

use burn::tensor::Tensor;

use super::affine_tangent;
use crate::net::parse::{Padding, Reading, Words};
use crate::net::{Dual, Fused, Init, LayerKind, Op, Pass, Shape, Storage, WeightSpec};
use crate::ops::{self, Geometry};

/// A transposed convolution over an image.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvTranspose {
    filters: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
    /// Rows and columns added at the end.
    extra: [usize; 2],
    bias: bool,
    init: Init,
}

impl ConvTranspose {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        let (filters, kernel) = (words.size("the number of filters")?, words.pair("a kernel size")?);
        let (stride, padding) = (words.stride()?, words.padding(kernel)?);
        let extra = words.output_padding(stride)?;
        if padding == Padding::Same && extra != [0, 0] {
            return Err(
                "output_padding goes with `padding valid` or a number; padding same sets the output's size".into()
            );
        }
        Ok(Self { filters, kernel, stride, padding, extra, bias: words.has_bias(), init: words.init()? })
    }

    /// Rows and columns cropped on each side; `None` for padding "same".
    fn crop(&self) -> Option<[usize; 2]> {
        match self.padding {
            Padding::Same => None,
            Padding::Valid => Some([0, 0]),
            Padding::By(crop) => Some(crop),
        }
    }

    /// Height and width after an image of `size`; none where nothing is left.
    fn size(&self, size: [usize; 2]) -> Option<[usize; 2]> {
        let [high, wide] = [0, 1].map(|i| match self.crop() {
            None => Some(size[i] * self.stride[i]),
            Some(crop) => {
                let full = (size[i] - 1) * self.stride[i] + self.kernel[i] + self.extra[i];
                full.checked_sub(2 * crop[i]).filter(|left| *left > 0)
            }
        });
        Some([high?, wide?])
    }

    /// The convolution that this one transposes: from our output back to our input.
    fn geometry(&self, batch: usize, [h, w, c]: [usize; 3]) -> Geometry {
        let [high, wide] = self.size([h, w]).unwrap_or_default();
        match self.crop() {
            None => Geometry::same(batch, high, wide, self.filters, c, self.kernel, self.stride),
            Some(crop) => Geometry::padded(batch, high, wide, self.filters, c, self.kernel, self.stride, crop),
        }
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
        if matches!(input, Shape::Flat(_)) && self.padding == Padding::Same {
            return Err(format!("expected an image (height x width x channels), but the input is a vector of {input}"));
        }
        let [h, w, _] = input.dims();
        match self.size([h, w]) {
            Some([high, wide]) => Ok(Shape::Image(high, wide, self.filters)),
            None => Err(format!("its padding crops all of the output for the input {input}")),
        }
    }

    fn weights(&self, input: Shape) -> Vec<WeightSpec> {
        let [kh, kw] = self.kernel;
        let [_, _, c] = input.dims();
        let area = kh * kw;
        // Keras computes the fans of a transposed kernel from its last two axes, as for any other.
        vec![
            WeightSpec::kernel(&[kh, kw, self.filters, c], self.init, area * self.filters, area * c),
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
        ops::conv_transpose(x, weights[0].clone(), weights[1].clone(), spec)
    }

    fn tangent(&self, input: Shape, x: Dual, weights: &[Tensor<1>], pass: &mut Pass) -> Dual {
        affine_tangent(self, input, x, weights, pass)
    }
}
