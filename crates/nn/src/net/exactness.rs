//! Every layer's derivative along a direction, and the gradients of that derivative, against finite differences in
//! double precision; and the kernels in single precision against the composed operations in double.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::tensor::DType;

use super::testing::{Bench, Wanted, distance, network, norm, signed, tensor, values};
use super::{Mode, Shape};

/// Images per batch: two groups for `minibatchstd 3`, the last larger.
const BATCH: usize = 7;

const IMAGE: Shape = Shape::Image(6, 6, 3);

/// Name, layers, input, labels, spectral.
type Case = (&'static str, &'static str, Shape, usize, bool);

/// Nets in which a layer's input depends on weights, and its output goes through a curved function into a logit.
const CASES: &[Case] = &[
    ("dense", "dense 7 | leakyrelu 0.2 | dense 5 | tanh | dense 4 | sigmoid | dense 1", Shape::Flat(6), 0, false),
    ("conv", "conv 4 4x4 stride 2 | tanh | conv 3 3x3 padding valid | flatten | dense 1 | sigmoid", IMAGE, 0, false),
    (
        "convtranspose",
        "conv 4 3x3 stride 2 | tanh | convtranspose 2 4x4 stride 2 | tanh | flatten | dense 1",
        IMAGE,
        0,
        false,
    ),
    (
        "padding",
        "conv 4 4x4 stride 2 padding 1 nobias | tanh | conv 3 3x3 padding 2x0 | tanh | upsample 2 | conv 2 3x3 padding 2 | \
         flatten | dense 1 nobias | sigmoid",
        IMAGE,
        0,
        false,
    ),
    (
        "convtranspose padding",
        "conv 4 3x3 stride 2 | tanh | convtranspose 3 4x3 stride 2 padding 1 output_padding 1 nobias | tanh | convtranspose 2 \
         3x4 stride 1x2 padding valid | tanh | flatten | dense 1",
        IMAGE,
        0,
        false,
    ),
    (
        "convtranspose of a vector",
        "dense 5 | tanh | convtranspose 3 4x4 padding 0 | tanh | flatten | dense 1",
        Shape::Flat(6),
        0,
        false,
    ),
    ("maxpool", "conv 4 3x3 | tanh | maxpool 3 | tanh | flatten | dense 1", IMAGE, 0, false),
    (
        "zeropad",
        "conv 4 3x3 stride 2 | tanh | zeropad 0 1 2 1 | conv 3 3x3 stride 2 padding valid | flatten | dense 1",
        IMAGE,
        0,
        false,
    ),
    ("softmax", "conv 4 3x3 stride 2 | softmax | tanh | flatten | dense 5 | softmax | dense 1", IMAGE, 0, false),
    (
        "dropout2d",
        "conv 4 3x3 | tanh | dropout2d 0.3 | conv 3 3x3 stride 2 | tanh | flatten | dense 1",
        IMAGE,
        0,
        false,
    ),
    (
        "gaussiannoise",
        "gaussiannoise 0.3 | conv 4 3x3 | tanh | gaussiannoise 0.2 | conv 3 3x3 stride 2 | tanh | flatten | dense 1",
        IMAGE,
        0,
        false,
    ),
    ("upsample", "conv 3 3x3 | tanh | upsample 2 | conv 2 3x3 | sigmoid | flatten | dense 1", IMAGE, 0, false),
    (
        "upsample bilinear",
        "conv 3 3x3 | tanh | upsample 2 bilinear | tanh | conv 2 3x3 | flatten | dense 1",
        IMAGE,
        0,
        false,
    ),
    (
        "upsample bilinear 3",
        "conv 3 3x3 stride 3x2 | tanh | upsample 3 bilinear | conv 2 3x3 | tanh | flatten | dense 1",
        IMAGE,
        0,
        false,
    ),
    ("relu", "conv 4 3x3 | relu | conv 3 3x3 | leakyrelu | flatten | dense 1", IMAGE, 0, false),
    (
        "dropout",
        "conv 4 3x3 | tanh | dropout 0.3 | conv 3 3x3 | tanh | flatten | dropout 0.5 | dense 1",
        IMAGE,
        0,
        false,
    ),
    ("residual", "residual | conv 3 3x3 | tanh | add | tanh | flatten | dense 1", IMAGE, 0, false),
    (
        "residual down",
        "conv 4 3x3 | residual | leakyrelu 0.2 | conv 5 3x3 | tanh | conv 5 3x3 stride 2 | add | tanh | flatten | dense 1",
        IMAGE,
        0,
        false,
    ),
    (
        "residual up",
        "conv 4 3x3 stride 2 | residual | upsample 2 | conv 3 3x3 | tanh | add | tanh | flatten | dense 1",
        IMAGE,
        0,
        false,
    ),
    (
        "residual avgpool",
        "residual | conv 4 3x3 | tanh | avgpool 2 | residual | conv 4 1x1 | tanh | add | add | tanh | flatten | dense 1",
        IMAGE,
        0,
        false,
    ),
    (
        "embedding",
        "embedding 2 | conv 4 3x3 stride 2 | tanh | flatten | embedding 3 | dense 4 | tanh | dense 1",
        IMAGE,
        3,
        false,
    ),
    ("projection", "conv 4 3x3 stride 2 | tanh | flatten | dense 5 | tanh | projection", IMAGE, 3, false),
    ("auxiliary", "conv 4 3x3 stride 2 | tanh | flatten | auxiliary", IMAGE, 3, false),
    (
        "spectral",
        "conv 4 3x3 stride 2 | leakyrelu 0.1 | conv 5 3x3 | tanh | globalpool sum | projection",
        IMAGE,
        3,
        true,
    ),
    ("batchnorm", "conv 4 3x3 stride 2 | batchnorm | tanh | flatten | dense 1", IMAGE, 0, false),
    ("crop", "conv 4 3x3 | tanh | crop 4 3 | conv 3 3x3 | tanh | flatten | dense 1", IMAGE, 0, false),
    ("avgpool", "conv 4 3x3 | tanh | avgpool 3 | tanh | flatten | dense 1", IMAGE, 0, false),
    ("globalpool", "conv 4 3x3 | tanh | globalpool | dense 3 | tanh | dense 1", IMAGE, 0, false),
    ("globalpool sum", "conv 4 3x3 | tanh | globalpool sum | dense 3 | tanh | dense 1", IMAGE, 0, false),
    (
        "pixelshuffle",
        "conv 8 3x3 stride 2 | tanh | pixelshuffle 2 | conv 2 3x3 | tanh | flatten | dense 1",
        IMAGE,
        0,
        false,
    ),
    (
        "instancenorm",
        "conv 4 3x3 | instancenorm | leakyrelu 0.2 | conv 3 3x3 stride 2 | tanh | flatten | dense 1",
        IMAGE,
        0,
        false,
    ),
    (
        "layernorm",
        "conv 4 3x3 | layernorm | tanh | conv 3 3x3 stride 2 | layernorm | sigmoid | flatten | layernorm epsilon 0.01 | dense 1",
        IMAGE,
        0,
        false,
    ),
    (
        "groupnorm",
        "conv 6 3x3 | groupnorm 3 | leakyrelu 0.2 | conv 4 3x3 stride 2 | groupnorm 2 | tanh | flatten | dense 1",
        IMAGE,
        0,
        false,
    ),
    ("pixelnorm", "conv 4 3x3 stride 2 | pixelnorm | tanh | flatten | dense 5 | pixelnorm | dense 1", IMAGE, 0, false),
    (
        "minibatchstd",
        "conv 4 3x3 stride 2 | tanh | minibatchstd 3 | conv 3 3x3 | tanh | flatten | minibatchstd 7 | dense 1",
        IMAGE,
        0,
        false,
    ),
    ("conditionalbatchnorm", "conv 4 3x3 stride 2 | conditionalbatchnorm | tanh | flatten | dense 1", IMAGE, 3, false),
    ("attention", "conv 9 3x3 stride 2 | leakyrelu 0.2 | attention | tanh | flatten | dense 1", IMAGE, 0, false),
    ("attention spectral", "conv 8 3x3 stride 2 | tanh | attention | tanh | flatten | dense 1", IMAGE, 0, true),
];

fn bench((_, lines, input, labels, spectral): Case, mode: Mode) -> Bench {
    let mut bench = Bench::new(network(lines, input, labels, spectral), mode, BATCH);
    if spectral {
        settle(&mut bench);
    }
    bench
}

/// Brings the vectors of spectral normalisation to their fixed points: there the estimate doesn't change with them, so
/// that finite differences, which move them, see the gradient that takes them for constants.
fn settle(bench: &mut Bench) {
    let mut weights = bench.tensors(DType::F64);
    let x = tensor(&bench.x, bench.shape(), DType::F64);
    for _ in 0..400 {
        let mut pass = Bench { mode: Mode::Train, ..bench.clone() }.pass();
        bench.net.apply_to_logits(&weights, x.clone(), &mut pass);
        bench.net.absorb(&mut weights, pass);
    }
    bench.weights = weights.tensors().iter().map(values).collect();
}

/// The derivative at 0 of `f`, by the central difference of fourth order.
fn derivative(f: impl Fn(f64) -> Vec<f64>) -> Vec<f64> {
    let h = 2e-5;
    let [a, b, c, d] = [-2.0 * h, -h, h, 2.0 * h].map(f);
    let slope = |i: usize| (a[i] - d[i] + 8.0 * (c[i] - b[i])) / (12.0 * h);
    (0..a.len()).map(slope).collect()
}

fn moved(from: &[f64], along: &[f64], by: f64) -> Vec<f64> {
    from.iter().zip(along).map(|(v, d)| v + by * d).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The largest relative deviation of the gradients of `sum(r * wanted)` from finite differences, one direction for `x`
/// and one for each weight.
fn gradient_deviation(bench: &Bench, wanted: Wanted) -> f64 {
    let r = signed(9, bench.outcome(wanted, DType::F64).len());
    let gradients = bench.gradients(wanted, &r, DType::F64);
    let whole = norm(&gradients.concat());
    assert!(whole > 1e-3, "nothing to compare: {whole}");
    let mut largest = 0.0f64;
    for (k, gradient) in gradients.iter().enumerate() {
        if k > 0 && !bench.net.trainable().nth(k - 1).unwrap() {
            continue;
        }
        // Along the gradient, where it shows best, and a random direction of the same length.
        let random = signed(50 + k as u64, gradient.len());
        let size = norm(gradient).max(1e-3 * whole);
        let along: Vec<f64> = gradient.iter().zip(&random).map(|(g, d)| g / size + d / norm(&random)).collect();
        let slope = derivative(|by| {
            let mut bench = bench.clone();
            let target = if k == 0 { &mut bench.x } else { &mut bench.weights[k - 1] };
            *target = moved(target, &along, by);
            vec![dot(&r, &bench.outcome(wanted, DType::F64))]
        });
        largest = largest.max((slope[0] - dot(gradient, &along)).abs() / size);
    }
    largest
}

#[test]
fn tangents_and_their_gradients_are_exact() {
    for case in CASES {
        for mode in [Mode::Train, Mode::Infer] {
            let bench = bench(*case, mode);
            let value = bench.outcome(Wanted::Logits, DType::F64);
            let tangent = bench.outcome(Wanted::Tangent, DType::F64);
            let slope = derivative(|by| {
                Bench { x: moved(&bench.x, &bench.direction, by), ..bench.clone() }.outcome(Wanted::Logits, DType::F64)
            });
            let along = distance(&tangent, &slope) / norm(&tangent);
            let [first, second] = [Wanted::Logits, Wanted::Tangent].map(|w| gradient_deviation(&bench, w));
            println!("{:22} {mode:?}: tangent {along:.1e}, gradients {first:.1e}, of the tangent {second:.1e}", case.0);
            assert!(norm(&tangent) > 1e-3 * norm(&value), "{}: no tangent", case.0);
            assert!(along < 1e-8, "{} {mode:?}: the tangent is off by {along:e}", case.0);
            assert!(first < 1e-8, "{} {mode:?}: gradients are off by {first:e}", case.0);
            assert!(second < 1e-7, "{} {mode:?}: gradients of the tangent are off by {second:e}", case.0);
        }
    }
}

#[test]
fn kernels_in_single_precision_agree_with_double() {
    for case in CASES {
        for mode in [Mode::Train, Mode::Infer] {
            let bench = bench(*case, mode);
            let mut report = format!("{:22} {mode:?}:", case.0);
            for wanted in [Wanted::Logits, Wanted::Tangent] {
                let [double, single] = [DType::F64, DType::F32].map(|dtype| bench.outcome(wanted, dtype));
                let apart = distance(&double, &single) / norm(&double);
                let r = signed(9, double.len());
                let [double, single] = [DType::F64, DType::F32].map(|dtype| bench.gradients(wanted, &r, dtype));
                let whole = norm(&double.concat());
                let apart_of = |(d, s): (&Vec<f64>, &Vec<f64>)| distance(d, s) / norm(d).max(1e-2 * whole);
                let gradients = double.iter().zip(&single).map(apart_of).fold(0.0, f64::max);
                report += &format!(" {wanted:?} {apart:.1e}, gradients {gradients:.1e};");
                assert!(apart < 1e-5, "{} {mode:?}: {wanted:?} apart by {apart:e}", case.0);
                assert!(gradients < 2e-5, "{} {mode:?}: gradients of {wanted:?} apart by {gradients:e}", case.0);
            }
            println!("{report}");
        }
    }
}
