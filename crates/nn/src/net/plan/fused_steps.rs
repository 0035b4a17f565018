//! Fuses two convolutions, or two with batch normalisation between them, under bf16, if the intermediate image is much larger
//! than the result. A few images at a time pass through all layers, so that intermediate images stay in the processor's cache
//! ([`ops::conv_chain`], [`ops::normed_chain`]).

use burn::tensor::Tensor;

use super::Step;
use crate::net::layers::batchnorm::BatchNorm;
use crate::net::{LayerEntry, Mode, Network, Op, Pass, Weights};
use crate::ops::{self, Precision};

/// Minimum values of an intermediate image; a batch of these exceeds the cache.
const LARGE: usize = 1 << 16;

/// Minimum ratio of intermediate to output values for fusion.
const FUNNEL: usize = 16;

/// Number of steps, from the first one, that may be fused ([`Step::fused_steps`]).
pub(super) fn planned(layers: &[LayerEntry], ops: &[Op], steps: &[Step]) -> usize {
    let convolves = |step: &Step| matches!(ops[step.layer], Op::Conv { .. } | Op::ConvTranspose { .. });
    let funnel = |step: &Step, last: &Step| {
        let (between, out) = (layers[step.layer].output.len(), layers[last.layer].output.len());
        step.bf16_output && convolves(step) && convolves(last) && between >= LARGE && between >= FUNNEL * out
    };
    match steps {
        [first, second, ..] if funnel(first, second) && first.fused.backward.activation_grad_by_next => 2,
        [first, norm, second, ..]
            if funnel(first, second)
                && first.fused.backward.followed_by_batchnorm
                && norm.bf16_output
                && matches!(ops[norm.layer], Op::BatchNorm { .. }) =>
        {
            3
        }
        _ => 1,
    }
}

impl Network {
    /// Runs the first steps fused, if planned and supported by this pass.
    pub(in crate::net) fn apply_fused_steps(
        &self,
        steps: &[Step],
        weights: &Weights,
        x: &Tensor<4>,
        pass: &mut Pass,
    ) -> Option<Tensor<4>> {
        let batch = x.dims()[0];
        match steps {
            [first, second, ..] if first.fused_steps == 2 && pass.precision == Precision::Bf16 => {
                let [first, second] = [first, second].map(|step| self.convolution(step, weights, batch, pass));
                Some(ops::conv_chain(x.clone(), [first?, second?]))
            }
            // With gradients, each runs separately.
            [first, norm, second, ..]
                if first.fused_steps == 3
                    && pass.precision == Precision::Bf16
                    && pass.mode == Mode::Train
                    && pass.slice().is_none()
                    && !x.is_tracked()
                    && !weights.tensors().iter().any(Tensor::is_tracked) =>
            {
                let entry = &self.layers()[norm.layer];
                let Op::BatchNorm { epsilon, momentum } = entry.layer.planned(entry.input) else { return None };
                let batchnorm = BatchNorm::of(epsilon, momentum);
                let [first, second] = [first, second].map(|step| self.convolution(step, weights, batch, pass));
                pass.layer = norm.layer;
                let own = self.weights_of(entry, weights, pass);
                let spec = batchnorm.spec(true, norm.fused_on(pass), pass);
                let parameters = [own[0].clone(), own[1].clone()];
                let (y, statistics) = ops::normed_chain(x.clone(), [first?, second?], parameters, spec);
                batchnorm.observe(&statistics, pass);
                Some(y)
            }
            _ => None,
        }
    }

    /// The convolution of a step.
    fn convolution(&self, step: &Step, weights: &Weights, batch: usize, pass: &mut Pass) -> Option<ops::Convolution> {
        let entry = &self.layers()[step.layer];
        let (geometry, transposed) = entry.layer.planned(entry.input).convolution(entry.input, entry.output, batch)?;
        pass.layer = step.layer;
        let own = self.weights_of(entry, weights, pass);
        Some(ops::Convolution {
            weight: own[0].clone(),
            bias: own[1].clone(),
            spec: step.fused_on(pass).conv(geometry, pass.precision),
            transposed,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use burn::tensor::DType::F32;

    use super::*;
    use crate::net::Shape;
    use crate::net::testing::{Bench, Wanted, distance, network, norm, signed};

    /// How many steps go together, from each one on.
    fn plan(lines: &str, input: Shape) -> Vec<usize> {
        network(lines, input, 0, false).steps().iter().map(|step| step.fused_steps).collect()
    }

    #[test]
    fn generators_ends_go_together() {
        let sheep = "dense 7*7*64 | reshape 7 7 64 | upsample 2 | conv 128 3x3 | relu | upsample 2 | conv 256 3x3 | relu | \
                     conv 1 5x5 | sigmoid";
        assert_eq!(plan(sheep, Shape::Flat(128)), [1, 1, 1, 2, 1]);
        let digits = "dense 14*14*128 | reshape 14 14 128 | batchnorm | leakyrelu 0.2 | convtranspose 256 4x4 stride 2 | \
                      batchnorm | leakyrelu 0.2 | conv 1 5x5 | sigmoid";
        assert_eq!(plan(digits, Shape::Flat(32)), [1, 1, 1, 3, 1, 1]);
        // An activation whose gradient is not read off the value, another layer between, a result as large as its input.
        for lines in [
            "conv 256 3x3 | tanh | conv 1 5x5",
            "conv 256 3x3 | relu | dropout 0.2 | conv 1 5x5",
            "conv 256 3x3 | relu | conv 64 5x5",
            "conv 256 3x3 | groupnorm 8 | relu | conv 1 5x5",
        ] {
            assert!(plan(lines, Shape::Image(28, 28, 8)).iter().all(|together| *together == 1), "{lines}");
        }
    }

    /// The ends of generators: images of 65,536 values between.
    const ENDS: [&str; 5] = [
        "conv 8 3x3 | leakyrelu 0.3 | upsample 2 | conv 64 3x3 | leakyrelu 0.6 | conv 1 3x3",
        "conv 8 3x3 | leakyrelu 0.3 | convtranspose 64 4x4 stride 2 | leakyrelu 0.6 | conv 1 3x3",
        "conv 8 3x3 | leakyrelu 0.3 | upsample 2 | conv 64 3x3 | leakyrelu 0.6 | convtranspose 1 4x4 stride 2",
        "upsample 2 | conv 64 3x3 | leakyrelu 0.6 | conv 64 4x4 stride 4 | batchnorm | relu | flatten | dense 1024",
        "conv 8 3x3 | leakyrelu 0.3 | convtranspose 64 4x4 stride 2 | batchnorm | leakyrelu 0.6 | conv 1 3x3",
    ];

    fn benches(lines: &str) -> [Bench; 2] {
        let net = network(lines, Shape::Image(16, 16, 3), 0, false);
        let mut apart = net.clone();
        apart.do_each_step_alone();
        assert_ne!(net, apart, "{lines}");
        [net, apart].map(|net| Bench { precision: Precision::Bf16, ..Bench::new(net, Mode::Train, 9) })
    }

    #[test]
    fn the_same_values_and_gradients_as_one_by_one() {
        for lines in ENDS {
            let [together, apart] = benches(lines);
            let r = signed(4, 9 * together.net.output().len());
            let both = [&together, &apart].map(|bench| bench.gradients(Wanted::Logits, &r, F32));
            assert!(both[0] == both[1], "{lines}");
            // Without gradients, too; statistics are then summed in another order.
            let [a, b] = [&together, &apart].map(|bench| bench.outcome(Wanted::Logits, F32));
            assert!(distance(&a, &b) <= 1e-3 * norm(&b), "{lines}");
            assert!(lines == ENDS[4] || a == b, "{lines}");
        }
    }

    #[test]
    fn statistics_are_observed_as_one_by_one() {
        let [together, apart] = benches(ENDS[4]);
        let seen = [&together, &apart].map(|bench| {
            let mut pass = bench.pass();
            let x = crate::net::testing::tensor::<4>(&bench.x, bench.shape(), F32);
            bench.net.apply_to_logits(&bench.tensors(F32), x, &mut pass);
            let observed = |o: &crate::net::pass::Observed| {
                (o.layer, o.weight, o.momentum.to_bits(), crate::net::testing::values(&o.seen))
            };
            pass.observed.iter().map(observed).collect::<Vec<_>>()
        });
        let [a, b] = &seen;
        assert_eq!((a.len(), b.len()), (2, 2));
        for (a, b) in a.iter().zip(b) {
            assert_eq!((a.0, a.1, a.2), (b.0, b.1, b.2));
            assert!(distance(&a.3, &b.3) <= 1e-5 * norm(&b.3), "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_frozen_layer_gets_no_gradient_and_the_others_theirs() {
        let [mut together, mut apart] = benches(ENDS[0]);
        for bench in [&mut together, &mut apart] {
            bench.net.freeze_layer(3);
        }
        let r = signed(4, 9 * 32 * 32);
        let both = [&together, &apart].map(|bench| bench.gradients(Wanted::Logits, &r, F32));
        assert!(both[0] == both[1]);
        assert!(both[0].iter().any(|g| g.iter().all(|v| *v == 0.0)));
    }
}
