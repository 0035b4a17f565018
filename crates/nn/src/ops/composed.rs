//! The operations composed of Burn's own: what GPUs run, and what the native kernels are tested against.

use burn::tensor::module::conv2d;
use burn::tensor::ops::{ConvOptions, PadMode};
use burn::tensor::{Tensor, activation as burn_activation};

use super::{Activation, Adam, Conv, Geometry, Normalisation};

/// Padding after the last row and column: what the output size needs beyond the padding before the first.
fn padding_after(g: &Geometry) -> (usize, usize) {
    let needed = |out: usize, stride: usize, kernel: usize| (out.max(1) - 1) * stride + kernel;
    (
        needed(g.out_h, g.stride_h, g.kernel_h).saturating_sub(g.in_h + g.pad_top),
        needed(g.out_w, g.stride_w, g.kernel_w).saturating_sub(g.in_w + g.pad_left),
    )
}

fn weight_oihw(weight: Tensor<1>, g: &Geometry) -> Tensor<4> {
    weight.reshape([g.kernel_h, g.kernel_w, g.in_c, g.out_c]).permute([3, 2, 0, 1])
}

pub(super) fn conv(x: Tensor<4>, weight: Tensor<1>, bias: Tensor<1>, spec: Conv) -> Tensor<4> {
    let g = spec.geometry;
    let x = upsample(x, spec.upsample).permute([0, 3, 1, 2]);
    let (bottom, right) = padding_after(&g);
    let x = x.pad((g.pad_left, right, g.pad_top, bottom), PadMode::Constant(0.0));
    let options = ConvOptions::new([g.stride_h, g.stride_w], [0, 0], [1, 1], 1);
    let y = conv2d(x, weight_oihw(weight, &g), Some(bias), options);
    // A stride that doesn't divide the size leaves extra rows.
    let y = y.slice([0..g.batch, 0..g.out_c, 0..g.out_h, 0..g.out_w]).permute([0, 2, 3, 1]);
    activate(y, spec.activation)
}

/// Written as a plain convolution of the zero-stuffed image with the flipped kernel, which differentiates on every
/// backend.
pub(super) fn conv_transpose(x: Tensor<4>, weight: Tensor<1>, bias: Tensor<1>, spec: Conv) -> Tensor<4> {
    let g = spec.geometry;
    let [batch, h, w, c] = x.dims();
    let stuffed = stuff(x.permute([0, 3, 1, 2]), [batch, c, h, w], [g.stride_h, g.stride_w]);
    let (height, width) = ((h - 1) * g.stride_h + 1, (w - 1) * g.stride_w + 1);
    let (top, left) = (g.kernel_h - 1, g.kernel_w - 1);
    // Enough zeros that the full correlation covers the padded input, then the unpadded part is cut out.
    let bottom = (g.pad_top + g.in_h + g.kernel_h - 1).saturating_sub(top + height);
    let right = (g.pad_left + g.in_w + g.kernel_w - 1).saturating_sub(left + width);
    let padded = stuffed.pad((left, right, top, bottom), PadMode::Constant(0.0));
    let kernel = weight.reshape([g.kernel_h, g.kernel_w, g.in_c, g.out_c]).flip([0, 1]).permute([2, 3, 0, 1]);
    let y = conv2d(padded, kernel, Some(bias), ConvOptions::new([1, 1], [0, 0], [1, 1], 1));
    let rows = g.pad_top..g.pad_top + g.in_h;
    let columns = g.pad_left..g.pad_left + g.in_w;
    activate(y.slice([0..batch, 0..g.in_c, rows, columns]).permute([0, 2, 3, 1]), spec.activation)
}

/// Puts `stride - 1` zeros between neighbouring pixels of an NCHW image.
fn stuff(x: Tensor<4>, [batch, c, h, w]: [usize; 4], [stride_h, stride_w]: [usize; 2]) -> Tensor<4> {
    let x = x.reshape([batch * c, h, 1, w, 1]);
    let x = if stride_w > 1 {
        let zeros = Tensor::zeros([batch * c, h, 1, w, stride_w - 1], (&x.device(), x.dtype()));
        Tensor::cat(vec![x, zeros], 4)
    } else {
        x
    };
    let x = if stride_h > 1 {
        let zeros = Tensor::zeros([batch * c, h, stride_h - 1, w, stride_w], (&x.device(), x.dtype()));
        Tensor::cat(vec![x, zeros], 2)
    } else {
        x
    };
    let full: Tensor<4> = x.reshape([batch, c, h * stride_h, w * stride_w]);
    full.slice([0..batch, 0..c, 0..(h - 1) * stride_h + 1, 0..(w - 1) * stride_w + 1])
}

pub(super) fn upsample(x: Tensor<4>, factor: usize) -> Tensor<4> {
    if factor == 1 {
        return x;
    }
    let [batch, h, w, c] = x.dims();
    let x: Tensor<6> = x.reshape([batch, h, 1, w, 1, c]);
    x.expand([batch, h, factor, w, factor, c]).reshape([batch, h * factor, w * factor, c])
}

pub(super) fn moments(x: Tensor<4>) -> [Tensor<1>; 2] {
    let [batch, h, w, c] = x.dims();
    let rows: Tensor<2> = x.reshape([batch * h * w, c]);
    let mean = rows.clone().mean_dim(0);
    let variance = rows.sub(mean.clone()).powi_scalar(2).mean_dim(0);
    [mean.reshape([c]), variance.reshape([c])]
}

pub(super) fn batchnorm(
    x: Tensor<4>,
    [gamma, beta]: [Tensor<1>; 2],
    [mean, variance]: [Tensor<1>; 2],
    spec: Normalisation,
) -> Tensor<4> {
    let c = x.dims()[3];
    let [mean, variance] = if spec.from_batch { moments(x.clone()) } else { [mean, variance] };
    let row = |t: Tensor<1>| -> Tensor<4> { t.reshape([1, 1, 1, c]) };
    let scale = row(variance).add_scalar(spec.epsilon).sqrt().recip().mul(row(gamma));
    activate(x.sub(row(mean)).mul(scale).add(row(beta)), spec.activation)
}

pub(super) fn activate(x: Tensor<4>, activation: Activation) -> Tensor<4> {
    match activation {
        Activation::Identity => x,
        Activation::Relu => burn_activation::relu(x),
        Activation::LeakyRelu(slope) => {
            // Burn's has the right derivative at 0, ours the left one, as TensorFlow's.
            let below = x.clone().without_autodiff().lower_equal_scalar(0.0);
            x.clone().mask_where(below, x.mul_scalar(slope))
        }
        Activation::Tanh => burn_activation::tanh(x),
        Activation::Sigmoid => burn_activation::sigmoid(x),
    }
}

pub(super) fn activation_tangent(tangent: Tensor<4>, y: Tensor<4>, activation: Activation) -> Tensor<4> {
    let slope = match activation {
        Activation::Identity => return tangent,
        Activation::Relu => return tangent.mask_fill(y.without_autodiff().lower_equal_scalar(0.0), 0.0),
        Activation::LeakyRelu(slope) => {
            let below = y.without_autodiff().lower_equal_scalar(0.0);
            return tangent.clone().mask_where(below, tangent.mul_scalar(slope));
        }
        Activation::Tanh => y.clone().mul(y).neg().add_scalar(1.0),
        Activation::Sigmoid => y.clone().sub(y.clone().mul(y)),
    };
    tangent.mul(slope)
}

pub(super) fn adam([parameter, m, v]: [Tensor<1>; 3], gradient: Tensor<1>, t: u64, adam: &Adam) -> [Tensor<1>; 3] {
    let m = m.mul_scalar(adam.beta1).add(gradient.clone().mul_scalar(1.0 - adam.beta1));
    let v = v.mul_scalar(adam.beta2).add(gradient.powi_scalar(2).mul_scalar(1.0 - adam.beta2));
    let power = |beta: f32| f64::from(beta).powf(t as f64);
    let alpha = f64::from(adam.rate) * (1.0 - power(adam.beta2)).sqrt() / (1.0 - power(adam.beta1));
    let step = m.clone().mul_scalar(alpha).div(v.clone().sqrt().add_scalar(adam.epsilon));
    [parameter.sub(step), m, v]
}
