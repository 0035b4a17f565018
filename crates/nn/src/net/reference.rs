//! Layers against PyTorch. The numbers and the script that made them are in bench/layers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::tensor::DType;
use serde_json::Value;

use super::testing::{Bench, Wanted, distance, network, norm, signed};
use super::{Mode, Shape};

const LAYERS: &str = include_str!("../../../../bench/layers/reference.json");

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn shape(value: &Value) -> Shape {
    match numbers(value).iter().map(|n| *n as usize).collect::<Vec<_>>()[..] {
        [n] => Shape::Flat(n),
        [h, w, c] => Shape::Image(h, w, c),
        _ => panic!("no shape: {value}"),
    }
}

/// The case's net with the numbers that PyTorch had.
pub(crate) fn bench(case: &Value, input: &Value, batch: usize) -> Bench {
    let labels = case["labels"].as_u64().unwrap() as usize;
    let net = network(case["lines"].as_str().unwrap(), shape(input), labels, false);
    let mode = if case["train"] == Value::Bool(false) { Mode::Infer } else { Mode::Train };
    Bench::new(net, mode, batch)
}

/// How far `ours` are from the case's gradients, relative to each, or to a hundredth of all where one vanishes.
pub(crate) fn deviation(bench: &Bench, ours: &[Vec<f64>], case: &Value) -> f64 {
    let names = std::iter::once("x".to_string()).chain(bench.net.weight_names());
    let theirs = case["gradients"].as_object().unwrap();
    let whole = norm(&theirs.values().flat_map(numbers).collect::<Vec<_>>());
    let mut seen = 0;
    let mut largest = 0.0f64;
    for (name, ours) in names.zip(ours) {
        if let Some(theirs) = theirs.get(&name).map(numbers) {
            seen += 1;
            largest = largest.max(distance(ours, &theirs) / norm(&theirs).max(1e-2 * whole));
        }
    }
    assert_eq!(seen, theirs.len(), "{:?}", theirs.keys());
    largest
}

#[test]
fn layers_and_their_gradients_equal_pytorchs() {
    let json: Value = serde_json::from_str(LAYERS).unwrap();
    let batch = json["batch"].as_u64().unwrap() as usize;
    for case in json["cases"].as_array().unwrap() {
        let bench = bench(case, &case["input"], batch);
        for (dtype, tolerance) in [(DType::F64, 1e-9), (DType::F32, 1e-5)] {
            let (ours, theirs) = (bench.outcome(Wanted::Logits, dtype), numbers(&case["output"]));
            let value = distance(&ours, &theirs) / norm(&theirs);
            let gradients = bench.gradients(Wanted::Logits, &signed(9, ours.len()), dtype);
            let gradients = deviation(&bench, &gradients, case);
            let name = format!("{} {} {dtype:?}", case["lines"], case["input"]);
            println!("{name}: value {value:.1e}, gradients {gradients:.1e}");
            assert!(value < tolerance, "{name}: apart by {value:e}");
            assert!(gradients < tolerance, "{name}: gradients apart by {gradients:e}");
        }
    }
}
