//! `minibatchstd`: gives the discriminator the standard deviation within a batch, so that it can detect mode collapse (Karras
//! et al. 2018). The deviation of every value over a group of images is
//! averaged to one number per group, which becomes one more channel (one more feature of a vector).
//!
//! A group is 4 images that follow each other, unless another number is given: neighbours, so that a batch of real
//! images followed by generated ones gives groups of one kind, if their number is a multiple of the group's. Remaining
//! images join the last group, since a group of one has no deviation; a batch smaller than a group is one group. A single
//! image gets `sqrt(epsilon)`.

use burn::tensor::Tensor;

use crate::net::parse::{Reading, Words};
use crate::net::{Dual, Fused, LayerKind, Op, Pass, Shape};

/// The mean deviation within groups of a batch, as one more channel.
#[derive(Clone, Debug, PartialEq)]
pub struct MinibatchStd {
    group: usize,
    epsilon: f32,
}

impl MinibatchStd {
    pub(super) fn parse(words: &mut Words) -> Reading<Self> {
        let group = if words.number_follows() { words.size("a group size")? } else { 4 };
        if group < 2 {
            return Err("expected a group of at least 2 images, found 1".into());
        }
        // Under the root, so that equal images give neither infinite gradients nor 0 / 0.
        Ok(Self { group, epsilon: words.named("epsilon", 1e-8, 1e-12, 0.1)? })
    }

    /// The groups of a batch: pairs of a number of groups and their size, regular ones first.
    fn groups(&self, batch: usize) -> [(usize, usize); 2] {
        let groups = (batch / self.group).max(1);
        if batch == groups * self.group {
            [(groups, self.group), (0, 0)]
        } else {
            [(groups - 1, self.group), (1, batch - (groups - 1) * self.group)]
        }
    }

    /// Applies `f` to the groups of each size, `[groups, members, values]`, and repeats its result, one number per
    /// group, `[groups, 1, 1]`, at every pixel of every member: `[batch, h, w, 1]`.
    fn per_group<const N: usize>(
        &self,
        xs: [Tensor<4>; N],
        f: impl Fn([Tensor<3>; N]) -> [Tensor<3>; N],
    ) -> [Tensor<4>; N] {
        let [batch, h, w, c] = xs[0].dims();
        let mut results: [Vec<Tensor<4>>; N] = std::array::from_fn(|_| Vec::new());
        let mut start = 0;
        for (groups, members) in self.groups(batch).into_iter().filter(|(groups, _)| *groups > 0) {
            let end = start + groups * members;
            let part = |x: &Tensor<4>| {
                let x = if end - start == batch { x.clone() } else { x.clone().narrow(0, start, end - start) };
                x.reshape([groups, members, h * w * c])
            };
            let made = f(std::array::from_fn(|i| part(&xs[i])));
            for (result, made) in results.iter_mut().zip(made) {
                let spread: Tensor<3> = made.expand([groups, members, h * w]);
                result.push(spread.reshape([end - start, h, w, 1]));
            }
            start = end;
        }
        results.map(|parts| Tensor::cat(parts, 0))
    }

    /// Each value minus the group's mean, and the deviation: `[groups, members, values]` and `[groups, 1, values]`.
    fn deviation(&self, x: Tensor<3>) -> [Tensor<3>; 2] {
        let centred = x.clone().sub(x.mean_dim(1));
        let variance = centred.clone().mul(centred.clone()).mean_dim(1);
        [centred, variance.add_scalar(self.epsilon).sqrt()]
    }
}

impl LayerKind for MinibatchStd {
    fn keyword(&self) -> &'static str {
        "minibatchstd"
    }

    fn op(&self, _: Shape) -> Op {
        Op::MinibatchStd { group: self.group, epsilon: self.epsilon }
    }

    fn output(&self, input: Shape) -> Reading<Shape> {
        Ok(match input {
            Shape::Flat(n) => Shape::Flat(n + 1),
            Shape::Image(h, w, c) => Shape::Image(h, w, c + 1),
        })
    }

    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, _: &mut Pass) -> Tensor<4> {
        let [deviation] = self.per_group([x.clone()], |[x]| {
            let [_, deviation] = self.deviation(x);
            [deviation.mean_dim(2)]
        });
        Tensor::cat(vec![x, deviation], 3)
    }

    /// With d the centred value and s the deviation, the deviation changes by `mean over the group of (d t) / s`.
    fn tangent(&self, _: Shape, x: Dual, _: &[Tensor<1>], _: &mut Pass) -> Dual {
        let [value, tangent] = self.per_group([x.value.clone(), x.tangent.clone()], |[x, t]| {
            let [centred, deviation] = self.deviation(x);
            let change = centred.mul(t).mean_dim(1).div(deviation.clone());
            [deviation.mean_dim(2), change.mean_dim(2)]
        });
        Dual { value: Tensor::cat(vec![x.value, value], 3), tangent: Tensor::cat(vec![x.tangent, tangent], 3) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use burn::tensor::DType;

    use super::*;
    use crate::net::Mode;
    use crate::net::testing::{Bench, Wanted, applied, assert_near, network, refusal};

    #[test]
    fn a_group_shows_its_mean_deviation() {
        // Deviations over the two images: 1 and 3, so 2 on both pixels of both.
        let image = Shape::Image(2, 1, 1);
        assert_near(
            &applied("minibatchstd", image, &[1.0, 2.0, 3.0, 8.0]),
            &[1.0, 2.0, 2.0, 2.0, 3.0, 2.0, 8.0, 2.0],
            1e-6,
        );
        // Groups of 2 and, with what is left over, 3: deviations 1 and sqrt(6).
        let alike = 6.0f64.sqrt();
        let wanted = [0.0, 1.0, 2.0, 1.0, 3.0, alike, 6.0, alike, 9.0, alike];
        assert_near(&applied("minibatchstd 2", Shape::Flat(1), &[0.0, 2.0, 3.0, 6.0, 9.0]), &wanted, 1e-6);
    }

    #[test]
    fn left_over_images_join_the_last_group() {
        let layer = MinibatchStd { group: 4, epsilon: 1e-8 };
        assert_eq!(layer.groups(8), [(2, 4), (0, 0)]);
        assert_eq!(layer.groups(11), [(1, 4), (1, 7)]);
        assert_eq!(layer.groups(5), [(0, 4), (1, 5)]);
        assert_eq!(layer.groups(3), [(0, 4), (1, 3)]);
        assert!(refusal("minibatchstd 1", Shape::Flat(3)).contains("expected a group of at least 2 images, found 1"));
    }

    #[test]
    fn equal_images_have_finite_slopes() {
        let net = network("dense 3 | minibatchstd | dense 2 | tanh | dense 1", Shape::Flat(2), 0, false);
        for dtype in [DType::F32, DType::F64] {
            let mut bench = Bench::new(net.clone(), Mode::Train, 4);
            bench.x = [0.5, -0.25].repeat(4);
            for wanted in [Wanted::Logits, Wanted::Tangent] {
                let mut all = bench.gradients(wanted, &[1.0; 4], dtype).concat();
                all.extend(bench.outcome(wanted, dtype));
                assert!(all.iter().all(|v| v.is_finite()), "{wanted:?} {all:?}");
            }
        }
    }
}
