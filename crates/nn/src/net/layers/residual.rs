//! `residual` ... `add`: the layers between them form a branch whose output is added to its input (He et al.
//! 2016). If the branch changes the size, the shortcut is resampled (average pooling down, nearest
//! neighbour up); if it changes the number of channels, the shortcut gets a 1x1 convolution without bias.

use burn::tensor::Tensor;

use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, Init, LayerKind, Op, Pass, Shape, WeightSpec};
use crate::ops::{self, Geometry, Precision};

/// Opens a block: remembers its input.
#[derive(Clone, Debug, PartialEq)]
pub struct Residual;

/// Closes a block: adds the shortcut.
#[derive(Clone, Debug, PartialEq)]
pub struct Add {
    /// Shape before the block.
    opened: Shape,
}

/// How the shortcut is resampled to the branch's size.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Resample {
    None,
    Down(usize),
    Up(usize),
}

impl Add {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        Ok(Self { opened: words.opened()? })
    }

    fn resample(&self, branch: Shape) -> Reading<Resample> {
        let ([h, w, _], [bh, bw, _]) = (self.opened.dims(), branch.dims());
        if (h, w) == (bh, bw) {
            return Ok(Resample::None);
        }
        let factor = |large: [usize; 2], small: [usize; 2]| {
            let f = large[0] / small[0].max(1);
            (f > 1 && small.map(|s| s * f) == large).then_some(f)
        };
        (factor([h, w], [bh, bw]).map(Resample::Down))
            .or_else(|| factor([bh, bw], [h, w]).map(Resample::Up))
            .ok_or_else(|| {
                format!(
                    "the block began with {} and its branch ends with {branch}: expected the same height and width, \
                     or a whole multiple of both",
                    self.opened
                )
            })
    }

    /// Maps the block's input to the branch's shape.
    fn shortcut(&self, x: Tensor<4>, branch: Shape, weights: &[Tensor<1>], precision: Precision) -> Tensor<4> {
        let resample = self.resample(branch).unwrap_or(Resample::None);
        let x = if let Resample::Down(factor) = resample { ops::average_pool(x, factor) } else { x };
        let x = match weights.first() {
            None => x,
            Some(weight) => project(x, weight.clone(), branch.dims()[2], precision),
        };
        if let Resample::Up(factor) = resample { ops::upsample(x, factor) } else { x }
    }
}

/// A 1x1 convolution without bias.
pub(super) fn project(x: Tensor<4>, weight: Tensor<1>, channels: usize, precision: Precision) -> Tensor<4> {
    let [batch, h, w, c] = x.dims();
    let geometry = Geometry::dense(batch * h * w, c, channels);
    let spec = Fused::ALONE.conv(geometry, precision);
    let bias = Tensor::zeros([channels], (&x.device().inner(), x.dtype()));
    ops::conv(x.reshape([batch * h * w, 1, 1, c]), weight, bias, spec).reshape([batch, h, w, channels])
}

impl LayerKind for Residual {
    fn keyword(&self) -> &'static str {
        "residual"
    }

    fn op(&self, _: Shape) -> Op {
        Op::Open
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        Ok(input)
    }

    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, pass: &mut Pass) -> Tensor<4> {
        pass.open.push(x.clone());
        x
    }

    fn tangent(&self, _: Shape, x: Dual, _: &[Tensor<1>], pass: &mut Pass) -> Dual {
        pass.open.push(x.value.clone());
        pass.open.push(x.tangent.clone());
        x
    }
}

impl LayerKind for Add {
    fn keyword(&self) -> &'static str {
        "add"
    }

    fn op(&self, input: Shape) -> Op {
        let (down, up) = match self.resample(input) {
            Ok(Resample::Down(factor)) => (factor, 1),
            Ok(Resample::Up(factor)) => (1, factor),
            Ok(Resample::None) | Err(_) => (1, 1),
        };
        Op::Close { down, up }
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        self.resample(input).map(|_| input)
    }

    fn weights(&self, input: Shape) -> Vec<WeightSpec> {
        let (from, to) = (self.opened.dims()[2], input.dims()[2]);
        if from == to { Vec::new() } else { vec![WeightSpec::kernel(&[from, to], Init::GlorotUniform, from, to)] }
    }

    fn flops(&self, input: Shape) -> u64 {
        let ([h, w, from], [bh, bw, to]) = (self.opened.dims(), input.dims());
        if from == to { 0 } else { 2 * (h * w).min(bh * bw) as u64 * from as u64 * to as u64 }
    }

    fn forward(&self, input: Shape, x: Tensor<4>, weights: &[Tensor<1>], _: Fused, pass: &mut Pass) -> Tensor<4> {
        match pass.open.pop() {
            Some(opened) => x.add(self.shortcut(opened, input, weights, pass.precision)),
            None => x,
        }
    }

    fn tangent(&self, input: Shape, x: Dual, weights: &[Tensor<1>], pass: &mut Pass) -> Dual {
        match (pass.open.pop(), pass.open.pop()) {
            (Some(tangent), Some(value)) => Dual {
                value: x.value.add(self.shortcut(value, input, weights, pass.precision)),
                tangent: x.tangent.add(self.shortcut(tangent, input, weights, pass.precision)),
            },
            _ => x,
        }
    }
}
