//! `groupnorm 8`, `layernorm` and `instancenorm`: every image is normalised separately to mean `beta` and deviation
//! `gamma`. Unlike in batch normalisation, images are independent, so that gradient penalties are possible.
//!
//! They differ in the channels that share statistics: the channels of one of N groups (Wu & He 2018), all channels
//! (Ba et al. 2016), each channel alone (Ulyanov et al. 2016); always over all pixels. `gamma` and `beta` are one value
//! per channel in all three: for `layernorm` that is what the code of WGAN-GP does (Gulrajani et al. 2017), while
//! PyTorch's and Keras's layers of that name normalise, or learn a gamma for, other axes of an image.

use burn::tensor::Tensor;

use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, Init, LayerKind, Op, Pass, Shape, WeightSpec};
use crate::ops::{self, GroupNormalisation};

/// The channels that share a mean and a deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sharing {
    Channels,
    Groups(usize),
    Image,
}

/// Normalisation of each image separately.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupNorm {
    sharing: Sharing,
    epsilon: f32,
}

impl GroupNorm {
    fn with(sharing: Sharing, words: &mut Words) -> Reading<Self> {
        Ok(Self { sharing, epsilon: words.named("epsilon", 1e-5, 1e-12, 0.1)? })
    }

    /// `groupnorm 8`
    pub(super) fn groups(words: &mut Words) -> Reading<Self> {
        let groups = words.size("the number of groups")?;
        Self::with(Sharing::Groups(groups), words)
    }

    /// `layernorm`
    pub(super) fn layer(words: &mut Words) -> Reading<Self> {
        Self::with(Sharing::Image, words)
    }

    /// `instancenorm`
    pub(super) fn instance(words: &mut Words) -> Reading<Self> {
        Self::with(Sharing::Channels, words)
    }

    fn count(&self, channels: usize) -> usize {
        match self.sharing {
            Sharing::Channels => channels,
            Sharing::Groups(groups) => groups,
            Sharing::Image => 1,
        }
    }

    fn spec(&self, input: Shape, fused: Fused) -> GroupNormalisation {
        let [_, _, c] = input.dims();
        GroupNormalisation { groups: self.count(c), epsilon: self.epsilon, activation: fused.activation }
    }
}

impl LayerKind for GroupNorm {
    fn keyword(&self) -> &'static str {
        match self.sharing {
            Sharing::Channels => "instancenorm",
            Sharing::Groups(_) => "groupnorm",
            Sharing::Image => "layernorm",
        }
    }

    fn op(&self, input: Shape) -> Op {
        Op::GroupNorm { groups: self.count(input.dims()[2]), epsilon: self.epsilon }
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        let [h, w, c] = input.dims();
        let groups = self.count(c);
        if !c.is_multiple_of(groups) {
            return Err(format!("expected a multiple of {groups} channels, but the input is {input}"));
        }
        if h * w * (c / groups) < 2 {
            return Err(format!(
                "expected several values to normalise together, but in the input {input} each would be alone; layernorm \
                 takes all channels together"
            ));
        }
        Ok(input)
    }

    fn weights(&self, input: Shape) -> Vec<WeightSpec> {
        let [_, _, c] = input.dims();
        vec![WeightSpec::trainable("gamma", &[c], Init::Ones), WeightSpec::trainable("beta", &[c], Init::Zeros)]
    }

    fn forward(&self, input: Shape, x: Tensor<4>, weights: &[Tensor<1>], fused: Fused, _: &mut Pass) -> Tensor<4> {
        ops::groupnorm(x, [weights[0].clone(), weights[1].clone()], self.spec(input, fused))
    }

    fn tangent(&self, input: Shape, x: Dual, weights: &[Tensor<1>], _: &mut Pass) -> Dual {
        let affine = [weights[0].clone(), weights[1].clone()];
        let [value, tangent] = ops::groupnorm_dual([x.value, x.tangent], affine, self.spec(input, Fused::ALONE));
        Dual { value, tangent }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::net::testing::{applied, assert_near, refusal};

    /// 2 pixels of 4 channels.
    const X: [f64; 8] = [1.0, 2.0, 10.0, 20.0, 3.0, 6.0, 10.0, 60.0];
    const IMAGE: Shape = Shape::Image(2, 1, 4);

    /// The values standardised in the sets of indices.
    fn standard(sets: &[&[usize]]) -> Vec<f64> {
        let mut y = X.to_vec();
        for set in sets {
            let n = set.len() as f64;
            let mean = set.iter().map(|i| X[*i]).sum::<f64>() / n;
            let variance = set.iter().map(|i| (X[*i] - mean).powi(2)).sum::<f64>() / n;
            set.iter().for_each(|i| y[*i] = (X[*i] - mean) / (variance + 1e-5).sqrt());
        }
        y
    }

    #[test]
    fn a_mean_is_shared_by_a_channel_a_group_or_the_image() {
        let y = applied("instancenorm", IMAGE, &X);
        assert_near(&y, &standard(&[&[0, 4], &[1, 5], &[2, 6], &[3, 7]]), 1e-5);
        // The third channel is constant: 0, not 0 / 0.
        assert_eq!((y[2], y[6]), (0.0, 0.0));
        assert_near(&applied("groupnorm 2", IMAGE, &X), &standard(&[&[0, 1, 4, 5], &[2, 3, 6, 7]]), 1e-5);
        assert_near(&applied("layernorm", IMAGE, &X), &standard(&[&[0, 1, 2, 3, 4, 5, 6, 7]]), 1e-5);
        // Two images: each on its own.
        let both = applied("layernorm", IMAGE, &[X, X.map(|v| -5.0 * v)].concat());
        assert_near(&both[8..], &both[..8].iter().map(|v| -v).collect::<Vec<_>>(), 1e-5);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let uneven = refusal("groupnorm 8", Shape::Image(2, 2, 12));
        assert!(uneven.ends_with("expected a multiple of 8 channels, but the input is 2x2x12"), "{uneven}");
        assert!(refusal("instancenorm", Shape::Flat(5)).contains("in the input 5 each would be alone"));
        assert!(refusal("groupnorm 5", Shape::Image(1, 1, 5)).contains("each would be alone"));
        assert!(refusal("groupnorm", Shape::Image(1, 1, 5)).contains("expected the number of groups here"));
        assert!(refusal("layernorm epsilon 2", Shape::Flat(5)).contains("expected epsilon from"));
    }
}
