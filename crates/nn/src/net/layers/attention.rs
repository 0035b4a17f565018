//! `attention`: self-attention between pixels (SAGAN, Zhang et al. 2019). Each pixel has a query, a key and a value (1x1
//! convolutions without bias to c/8, c/8 and c/2 channels) and gets the mean of all values, weighted by the softmax over
//! `query . key`. A last 1x1 convolution maps that to c channels; it is multiplied by `gamma`, initially 0, and added to the
//! pixel. The keys and values are those of all pixels (the paper's later code pools them 2x2).

use burn::tensor::Tensor;

use super::residual::project;
use crate::net::parse::Reading;
use crate::net::{Dual, Fused, Init, LayerKind, Op, Pass, Shape, WeightSpec};
use crate::ops::{self, Precision};

/// Maximum number of pixels: 64x64, whose scores take 64 MiB per image.
const LARGEST_IMAGE: usize = 64 * 64;

/// Minimum channels, so that a query has one.
const MIN_CHANNELS: usize = 8;

/// Never rounded: the softmax would amplify rounding errors, and these products are cheap.
const PRECISION: Precision = Precision::F32;

/// Self-attention between the pixels of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Attention;

/// Channels of a query or key, and of a value.
fn widths(c: usize) -> [usize; 2] {
    [c / 8, c / 2]
}

/// Queries, keys and values: `[batch, pixels, channels]` each.
fn projections(x: &Tensor<4>, weights: &[Tensor<1>]) -> [Tensor<3>; 3] {
    let [batch, h, w, c] = x.dims();
    let [narrow, wide] = widths(c);
    [(0, narrow), (1, narrow), (2, wide)]
        .map(|(i, to)| project(x.clone(), weights[i].clone(), to, PRECISION).reshape([batch, h * w, to]))
}

/// Maps to the input's channels and multiplies by `gamma`.
fn output(seen: Tensor<3>, [h, w, c]: [usize; 3], weights: &[Tensor<1>]) -> Tensor<4> {
    let [batch, _, wide] = seen.dims();
    let seen = seen.reshape([batch, h, w, wide]);
    project(seen, weights[3].clone(), c, PRECISION).mul(weights[4].clone().reshape([1, 1, 1, 1]))
}

impl LayerKind for Attention {
    fn keyword(&self) -> &'static str {
        "attention"
    }

    fn op(&self, input: Shape) -> Op {
        let [narrow, wide] = widths(input.dims()[2]);
        Op::Attention { narrow, wide }
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        let Shape::Image(h, w, c) = input else {
            return Err(format!("expected an image (height x width x channels), but the input is a vector of {input}"));
        };
        if c < MIN_CHANNELS {
            return Err(format!("expected at least {MIN_CHANNELS} channels, but the input is {input}"));
        }
        if h * w > LARGEST_IMAGE {
            return Err(format!(
                "it compares all pairs of pixels, so that at most {LARGEST_IMAGE} pixels (64x64) are accepted, but the \
                 input is {input}; put it where the image is smaller"
            ));
        }
        Ok(input)
    }

    fn weights(&self, input: Shape) -> Vec<WeightSpec> {
        let [_, _, c] = input.dims();
        let [narrow, wide] = widths(c);
        let kernel = |name, from: usize, to: usize| WeightSpec {
            name,
            ..WeightSpec::kernel(&[from, to], Init::GlorotUniform, from, to)
        };
        vec![
            kernel("query", c, narrow),
            kernel("key", c, narrow),
            kernel("value", c, wide),
            kernel("output", wide, c),
            WeightSpec::trainable("gamma", &[1], Init::Zeros),
        ]
    }

    fn flops(&self, input: Shape) -> u64 {
        let [h, w, c] = input.dims();
        let [narrow, wide] = widths(c);
        let pixels = (h * w) as u64;
        2 * pixels * (2 * narrow + 2 * wide) as u64 * c as u64 + 2 * pixels * pixels * (narrow + wide) as u64
    }

    fn forward(&self, input: Shape, x: Tensor<4>, weights: &[Tensor<1>], _: Fused, _: &mut Pass) -> Tensor<4> {
        let seen = ops::attend(projections(&x, weights));
        x.add(output(seen, input.dims(), weights))
    }

    fn tangent(&self, input: Shape, x: Dual, weights: &[Tensor<1>], _: &mut Pass) -> Dual {
        let seen = ops::attend_dual(projections(&x.value, weights), projections(&x.tangent, weights));
        let [value, tangent] = seen.map(|seen| output(seen, input.dims(), weights));
        Dual { value: x.value.add(value), tangent: x.tangent.add(tangent) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use burn::tensor::{DType, Device};

    use super::*;
    use crate::net::testing::{applied, assert_near, network, refusal, signed, tensor, values, weight_values};

    #[test]
    fn starts_as_the_identity() {
        let x = signed(1, 48);
        assert_near(&applied("attention", Shape::Image(2, 3, 8), &x), &x, 1e-6);
    }

    #[test]
    fn without_a_preference_every_pixel_sees_the_mean_of_all() {
        let image = Shape::Image(3, 2, 8);
        let net = network("attention", image, 0, false);
        let mut weights = weight_values(&net, 1);
        weights[0].fill(0.0);
        let x = signed(1, image.len());
        let tensors = weights.iter().map(|w| tensor(w, [w.len()], DType::F64)).collect();
        let ours =
            net.apply(&crate::net::Weights::new(tensors), tensor(&x, [1, 3, 2, 8], DType::F64), &mut Pass::infer());
        // The mean pixel through value and output, times gamma.
        let mean: Vec<f64> = (0..8).map(|c| x.iter().skip(c).step_by(8).sum::<f64>() / 6.0).collect();
        let product = |v: &[f64], w: &[f64], to: usize| -> Vec<f64> {
            (0..to).map(|j| v.iter().enumerate().map(|(i, v)| v * w[i * to + j]).sum()).collect()
        };
        let seen = product(&product(&mean, &weights[2], 4), &weights[3], 8);
        let wanted: Vec<f64> = x.iter().enumerate().map(|(i, x)| x + weights[4][0] * seen[i % 8]).collect();
        assert_near(&values(&ours), &wanted, 1e-12);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert!(refusal("attention", Shape::Flat(64)).contains("the input is a vector of 64"));
        let few = refusal("attention", Shape::Image(4, 4, 7));
        assert!(few.ends_with("expected at least 8 channels, but the input is 4x4x7"), "{few}");
        let large = refusal("attention", Shape::Image(128, 64, 8));
        assert!(large.contains("at most 4096 pixels (64x64) are accepted, but the input is 128x64x8"), "{large}");
    }

    #[test]
    fn spectral_vectors_have_names_of_their_own() {
        let net = network("attention", Shape::Image(2, 2, 16), 0, true);
        let mut names = net.weight_names();
        assert_eq!(names.len(), 9);
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 9, "{names:?}");
        assert_eq!(net.initial(1, &Device::flex()).tensors().len(), 9);
    }
}
