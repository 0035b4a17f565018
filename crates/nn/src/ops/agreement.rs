//! The native kernels against the composed operations: equal values and equal gradients of every input.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::host;
use super::{Activation, Adam, BackwardFusion, Conv, Geometry, Normalisation, Precision, composed, native};
use faussaire_data::random::Stream;

fn random<const D: usize>(index: u64, shape: [usize; D]) -> Tensor<D> {
    let values = Stream::new(3, "agreement").normal(index, shape.iter().product());
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

fn close(what: &str, ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let norm = theirs.iter().map(|v| v * v).sum::<f32>().sqrt();
    let apart = ours.iter().zip(theirs).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
    assert!(norm > 1e-3, "{what}: nothing to compare, norm {norm}");
    assert!(apart <= 2e-5 * norm, "{what}: apart by {apart} of {norm}");
}

/// Compares output and gradients of `f` and `g` at the same leaves; the loss is a product with fixed random numbers.
fn compare<F, G>(what: &str, x: Tensor<4>, weights: Vec<Tensor<1>>, f: F, g: G)
where
    F: Fn(Tensor<4>, &[Tensor<1>]) -> Tensor<4>,
    G: Fn(Tensor<4>, &[Tensor<1>]) -> Tensor<4>,
{
    let run = |op: &dyn Fn(Tensor<4>, &[Tensor<1>]) -> Tensor<4>| {
        let x = x.clone().autodiff().require_grad();
        let weights: Vec<_> = weights.iter().map(|w| w.clone().autodiff().require_grad()).collect();
        let y = op(x.clone(), &weights);
        let mut gradients = y.clone().mul(random(99, y.dims())).sum().backward();
        let mut values = vec![host(&y), host(&x.grad_remove(&mut gradients).unwrap())];
        values.extend(weights.iter().filter_map(|w| w.grad_remove(&mut gradients)).map(|g| host(&g)));
        values
    };
    let (ours, theirs) = (run(&f), run(&g));
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (i, (a, b)) in ours.iter().zip(&theirs).enumerate() {
        close(&format!("{what}, {}", ["output", "input gradient"].get(i).unwrap_or(&"weight gradient")), a, b);
    }
}

#[test]
fn convolutions() {
    for (i, (geometry, upsample)) in [
        (Geometry::same(2, 7, 7, 3, 5, [4, 4], [2, 2]), 1),
        (Geometry::same(3, 9, 6, 1, 4, [3, 5], [1, 2]), 1),
        (Geometry::same(2, 8, 8, 4, 1, [5, 5], [1, 1]), 1),
        (Geometry::valid(2, 9, 9, 2, 3, [3, 3], [3, 3]), 1),
        (Geometry::dense(5, 12, 7), 1),
        (Geometry::same(2, 8, 8, 4, 6, [3, 3], [1, 1]), 2),
        (Geometry::same(1, 6, 9, 2, 3, [5, 5], [1, 1]), 3),
    ]
    .into_iter()
    .enumerate()
    {
        let activation = [Activation::Identity, Activation::LeakyRelu(0.2), Activation::Sigmoid][i % 3];
        let spec = Conv {
            geometry,
            upsample,
            activation,
            precision: Precision::F32,
            stored: Precision::F32,
            backward: BackwardFusion::default(),
        };
        let (h, w) = (geometry.in_h / upsample, geometry.in_w / upsample);
        let x = random(1, [geometry.batch, h, w, geometry.in_c]);
        let weights = vec![random(2, [geometry.w_len()]), random(3, [geometry.out_c])];
        compare(
            &format!("conv {geometry:?} x{upsample}"),
            x,
            weights,
            |x, w| native::conv(x, w[0].clone(), w[1].clone(), spec),
            |x, w| composed::conv(x, w[0].clone(), w[1].clone(), spec),
        );
    }
}

#[test]
fn transposed_convolutions() {
    for (i, geometry) in [
        Geometry::same(2, 8, 8, 5, 3, [4, 4], [2, 2]),
        Geometry::same(2, 6, 6, 4, 3, [5, 5], [1, 1]),
        Geometry::same(1, 9, 6, 2, 4, [3, 3], [3, 2]),
        Geometry::same(2, 8, 8, 2, 3, [1, 1], [2, 2]),
    ]
    .into_iter()
    .enumerate()
    {
        let activation = [Activation::Identity, Activation::Relu, Activation::Tanh][i % 3];
        let spec = Conv {
            geometry,
            upsample: 1,
            activation,
            precision: Precision::F32,
            stored: Precision::F32,
            backward: BackwardFusion::default(),
        };
        let x = random(1, [geometry.batch, geometry.out_h, geometry.out_w, geometry.out_c]);
        let weights = vec![random(2, [geometry.w_len()]), random(3, [geometry.in_c])];
        compare(
            &format!("convtranspose {geometry:?}"),
            x,
            weights,
            |x, w| native::conv_transpose(x, w[0].clone(), w[1].clone(), spec),
            |x, w| composed::conv_transpose(x, w[0].clone(), w[1].clone(), spec),
        );
    }
}

#[test]
fn batch_normalisation_and_activations() {
    for from_batch in [true, false] {
        let spec = Normalisation {
            epsilon: 1e-3,
            activation: Activation::LeakyRelu(0.2),
            from_batch,
            stored: Precision::F32,
            slice: None,
        };
        let x: Tensor<4> = random(1, [3, 4, 5, 6]);
        let [mean, variance] =
            if from_batch { composed::moments(x.clone()) } else { [random(4, [6]), random(5, [6]).abs()] };
        if from_batch {
            let ours = native::moments(x.clone());
            close("mean", &host(&ours[0]), &host(&mean));
            close("variance", &host(&ours[1]), &host(&variance));
        }
        compare(
            "batchnorm",
            x,
            vec![random(2, [6]), random(3, [6])],
            |x, w| native::batchnorm(x, w[0].clone(), w[1].clone(), mean.clone(), variance.clone(), spec.clone()),
            |x, w| {
                let statistics = [mean.clone(), variance.clone()];
                composed::batchnorm(x, [w[0].clone(), w[1].clone()], statistics, spec.clone())
            },
        );
    }
    for activation in [Activation::Relu, Activation::LeakyRelu(0.1), Activation::Tanh, Activation::Sigmoid] {
        let x = random(1, [2, 3, 4, 5]);
        compare(
            "activation",
            x,
            vec![],
            |x, _| native::activate(x, activation, Precision::F32),
            |x, _| composed::activate(x, activation),
        );
    }
}

/// Compares an operation that reads, makes and gets gradients in bf16 with the same one that stores f32: outputs and
/// gradients differ by the rounding of what is stored, and by no more.
fn compare_stored(what: &str, x: Tensor<4>, weights: Vec<Tensor<1>>, op: StoringOp) {
    let none = Activation::Identity;
    let run = |storage: Precision| {
        let x = x.clone().autodiff().require_grad();
        let weights: Vec<_> = weights.iter().map(|w| w.clone().autodiff().require_grad()).collect();
        let y = op(native::activate(x.clone(), none, storage), &weights, storage);
        let bf16 = y.dtype() == DType::BF16;
        assert_eq!(bf16, storage == Precision::Bf16);
        let y = native::activate(y, none, Precision::F32);
        let mut gradients = y.clone().mul(random(99, y.dims())).sum().backward();
        let mut values = vec![host(&y), host(&x.grad_remove(&mut gradients).unwrap())];
        values.extend(weights.iter().map(|w| host(&w.grad_remove(&mut gradients).unwrap())));
        values
    };
    for (i, (exact, rounded)) in run(Precision::F32).iter().zip(&run(Precision::Bf16)).enumerate() {
        let norm = exact.iter().map(|v| v * v).sum::<f32>().sqrt();
        let apart = exact.iter().zip(rounded).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt() / norm;
        println!("{what}, {i}: {apart}");
        assert!(apart > 1e-5 && apart < 1.0 / 128.0, "{what}, {i}: apart by {apart}");
    }
}

type StoringOp<'a> = &'a dyn Fn(Tensor<4>, &[Tensor<1>], Precision) -> Tensor<4>;

#[test]
fn stored_as_bf16() {
    let (precision, activation) = (Precision::Bf16, Activation::LeakyRelu(0.2));
    for (geometry, upsample) in [
        (Geometry::same(2, 7, 7, 3, 5, [4, 4], [2, 2]), 1),
        (Geometry::same(2, 8, 8, 20, 1, [5, 5], [1, 1]), 1),
        (Geometry::dense(50, 12, 37), 1),
        (Geometry::same(2, 8, 8, 4, 6, [3, 3], [1, 1]), 2),
    ] {
        let (h, w) = (geometry.in_h / upsample, geometry.in_w / upsample);
        let x = random(1, [geometry.batch, h, w, geometry.in_c]);
        let weights = vec![random(2, [geometry.w_len()]), random(3, [geometry.out_c])];
        let spec =
            |stored| Conv { geometry, upsample, activation, precision, stored, backward: BackwardFusion::default() };
        let op = |x, w: &[Tensor<1>], stored| native::conv(x, w[0].clone(), w[1].clone(), spec(stored));
        compare_stored(&format!("conv {geometry:?} x{upsample}"), x, weights, &op);
    }
    let geometry = Geometry::same(2, 8, 8, 5, 30, [4, 4], [2, 2]);
    let x = random(1, [geometry.batch, geometry.out_h, geometry.out_w, geometry.out_c]);
    let weights = vec![random(2, [geometry.w_len()]), random(3, [geometry.in_c])];
    let spec =
        |stored| Conv { geometry, upsample: 1, activation, precision, stored, backward: BackwardFusion::default() };
    compare_stored("convtranspose", x, weights, &|x, w, stored| {
        native::conv_transpose(x, w[0].clone(), w[1].clone(), spec(stored))
    });
    for from_batch in [true, false] {
        let spec = |stored| Normalisation { epsilon: 1e-3, activation, from_batch, stored, slice: None };
        let weights = vec![random(2, [6]), random(3, [6])];
        compare_stored("batchnorm", random(1, [3, 4, 5, 6]), weights, &|x, w, stored| {
            let [mean, variance] = native::moments(x.clone());
            native::batchnorm(x, w[0].clone(), w[1].clone(), mean, variance, spec(stored))
        });
    }
    for activation in [Activation::Relu, Activation::LeakyRelu(0.1), Activation::Tanh, Activation::Sigmoid] {
        compare_stored("activation", random(1, [2, 3, 4, 5]), vec![], &|x, _, stored| {
            native::activate(x, activation, stored)
        });
    }
}

#[test]
fn adam() {
    let settings = Adam { rate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-7 };
    let start = || [random(1, [50]), random(2, [50]).mul_scalar(0.1), random(3, [50]).abs()];
    let ours = native::adam(start(), random(4, [50]), 3, &settings);
    let theirs = composed::adam(start(), random(4, [50]), 3, &settings);
    for (a, b) in ours.iter().zip(&theirs) {
        close("adam", &host(a), &host(b));
    }
    assert!(host(&ours[0]) != host(&start()[0]));
}

#[test]
fn frozen_weights_cost_nothing() {
    let geometry = Geometry::same(2, 6, 6, 3, 4, [3, 3], [1, 1]);
    let spec = Conv {
        geometry,
        upsample: 1,
        activation: Activation::LeakyRelu(0.2),
        precision: Precision::F32,
        stored: Precision::F32,
        backward: BackwardFusion::default(),
    };
    let (weight, bias) = (random::<1>(2, [geometry.w_len()]), random::<1>(3, [4]));
    // Counted on this thread's own kernels: other tests run beside this one.
    let count = |frozen: bool| {
        let x = random::<4>(1, [2, 6, 6, 3]).autodiff().require_grad();
        let w = if frozen { weight.clone() } else { weight.clone().autodiff().require_grad() };
        let gradients = native::conv(x.clone(), w.clone(), bias.clone(), spec).sum().backward();
        (x.grad(&gradients).is_some(), w.is_autodiff() && w.grad(&gradients).is_some())
    };
    assert_eq!(count(true), (true, false));
    assert_eq!(count(false), (true, true));
}
