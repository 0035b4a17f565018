//! Penalties and their gradients against PyTorch's double backward. The numbers and the script that made them are in
//! bench/penalty.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::tensor::DType;
use serde_json::Value;

use super::{Critic, Penalty};
use crate::net::reference::{bench, deviation};
use crate::net::testing::{Bench, signed, tensor, uniform, values};

const PENALTIES: &str = include_str!("../../../../bench/penalty/reference.json");

/// The weight of all of them.
const WEIGHT: f64 = 10.0;

/// The images at which a penalty looks, as bench/penalty/reference.py makes them.
fn points(penalty: Penalty, batch: usize, len: usize) -> Vec<f64> {
    let (real, fake, shares) = (signed(1, batch * len), signed(3, batch * len), uniform(4, batch));
    match penalty {
        Penalty::R1 => real,
        Penalty::R2 => fake,
        _ => (0..batch * len).map(|i| shares[i / len] * real[i] + (1.0 - shares[i / len]) * fake[i]).collect(),
    }
}

/// The penalty's value, then its gradients: none for the images, which are constants, then one for each weight.
fn charged(bench: &Bench, penalty: Penalty, dtype: DType) -> (f64, Vec<Vec<f64>>) {
    let constant = bench.tensors(dtype);
    let tracked = constant.tracked(bench.net.trainable());
    let labels = bench.net.labels();
    let given = (labels > 0).then(|| tensor(&bench.given, [bench.batch, 1, 1, labels], dtype));
    let pass = || bench.pass();
    let critic = Critic { net: &bench.net, tracked: &tracked, constant: &constant, labels: given, pass: &pass };
    let term = critic.penalty_term(penalty, WEIGHT, tensor(&bench.x, bench.shape(), dtype));
    let mut gradients = term.surrogate.backward();
    let of_weight = |w: &burn::tensor::Tensor<1>| match w.grad_remove(&mut gradients) {
        Some(gradient) => values(&gradient),
        None => vec![0.0; w.dims()[0]],
    };
    let mut all = vec![Vec::new()];
    all.extend(tracked.tensors().iter().map(of_weight));
    (f64::from(term.value), all)
}

#[test]
fn penalties_equal_pytorchs_double_backward() {
    let json: Value = serde_json::from_str(PENALTIES).unwrap();
    let batch = json["batch"].as_u64().unwrap() as usize;
    for case in json["cases"].as_array().unwrap() {
        let mut bench = bench(case, &json["input"], batch);
        let penalty: Penalty = serde_json::from_value(case["penalty"].clone()).unwrap();
        bench.x = points(penalty, batch, bench.net.input().len());
        for dtype in [DType::F64, DType::F32] {
            let (ours, gradients) = charged(&bench, penalty, dtype);
            let value = (ours / case["value"].as_f64().unwrap() - 1.0).abs();
            let gradients = deviation(&bench, &gradients, case);
            let name = format!("{} {penalty:?} {dtype:?}", case["critic"]);
            println!("{name}: value {value:.1e}, gradients {gradients:.1e}");
            // What a norm costs is computed in single precision in any case.
            let tolerance = if dtype == DType::F64 { 1e-6 } else { 2e-5 };
            assert!(value < tolerance, "{name}: apart by {value:e}");
            assert!(gradients < tolerance, "{name}: gradients apart by {gradients:e}");
        }
    }
}
