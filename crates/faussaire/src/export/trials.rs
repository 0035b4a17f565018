//! Tests of every layer and every preset's nets in every format, with weights that all affect the output.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::tensor::Device;

use super::*;
use crate::net::{Network, Weights};
use crate::random::Stream;
use crate::recipe::{Preset, Recipe};

/// Initial weights, but with random values for biases, gammas, statistics and zero kernels.
pub(super) fn random_weights(net: &Network, seed: u64) -> Weights {
    let stream = Stream::new(seed, "restless");
    let drawn = net.initial(seed, &Device::flex());
    let values = net.specs().zip(drawn.tensors()).enumerate().map(|(k, (spec, tensor))| {
        let noise = stream.uniform(k as u64, spec.len(), -1.0, 1.0);
        let values = crate::ops::host(tensor);
        let changed = |(v, n): (f32, f32)| match spec.name {
            "gamma" | "variance" => 1.0 + 0.5 * n,
            "bias" | "beta" | "mean" => 0.2 * n,
            _ if v == 0.0 => 0.05 * n,
            _ => v,
        };
        values.into_iter().zip(noise).map(changed).collect()
    });
    Weights::from_values(values.collect(), &Device::flex())
}

pub(super) fn subject(recipe: Recipe, name: &str) -> Subject {
    let (g, d) = recipe.networks().unwrap();
    Subject::of(recipe, name, random_weights(&g, 1), random_weights(&d, 2)).unwrap()
}

pub(super) fn preset(preset: Preset) -> Subject {
    subject(Recipe::parse(preset.text(), preset.name(), &[]).unwrap(), preset.name())
}

/// Pairs of nets, generator and discriminator, that have every layer, in images and in vectors, with odd sizes.
const PAIRS: &[(&str, &str)] = &[
    (
        "dense 5*4*9 | leakyrelu | reshape 5 4 9 | batchnorm | relu | conv 6 4x3 stride 2x1 | conv 3 2x2 padding valid | tanh",
        "conv 5 4x4 stride 2 | leakyrelu 0.1 | flatten | dropout 0.3 | dense 4 | batchnorm | dense 1 | sigmoid",
    ),
    (
        "dense 3*2*8 | reshape 3 2 8 | convtranspose 6 4x4 stride 2 | relu | convtranspose 5 3x2 stride 1 | tanh | convtranspose 4 2x5 stride 3 | sigmoid | convtranspose 3 5x5 stride 1x2 | sigmoid",
        "conv 5 3x3 stride 3 | layernorm | leakyrelu | flatten | dense 4 | layernorm epsilon 0.01 | dense 1",
    ),
    (
        "convtranspose 6 4x4 padding 0 nobias | batchnorm | relu | convtranspose 5 4x3 stride 2 padding 1 | relu | convtranspose 4 \
         3x4 stride 2x3 padding 1x0 output_padding 1x2 | tanh | zeropad 0 1 2 1 | softmax | dropout2d 0.2 | conv 3 3x3 padding 2x1 | tanh",
        "gaussiannoise 0.1 | conv 8 5x4 stride 2x1 padding 1 nobias | maxpool 1 | leakyrelu 0.2 | conv 6 3x3 | zeropad 1 | flatten | \
         dropout 0.3 | dense 4 nobias | softmax | dense 1",
    ),
    (
        "dense 3*5*8 | reshape 3 5 8 | upsample 2 | conv 6 3x3 padding 2 | maxpool 2 | tanh | conv 3 3x3 | sigmoid",
        "conv 8 3x3 | maxpool 2 | relu | flatten | dense 1",
    ),
    (
        "dense 12 | pixelnorm | dense 3*4*8 | reshape 3 4 8 | upsample 2 | conv 6 3x3 | pixelnorm | upsample 3 bilinear | conv 3 4x4 | tanh",
        "conv 8 3x3 | avgpool 2 | groupnorm 4 | relu | conv 6 5x5 stride 2 | instancenorm | tanh | globalpool | dense 1",
    ),
    (
        "dense 3*3*16 | reshape 3 3 16 | residual | conv 16 3x3 | relu | add | pixelshuffle 2 | residual | upsample 2 | conv 7 3x3 | add | dense 5 | relu | conv 1 1x1 | sigmoid",
        "residual | conv 4 3x3 | avgpool 2 | residual | conv 5 3x3 | relu | add | add | relu | globalpool sum | dense 1",
    ),
    (
        "dense 2*3*8 | reshape 2 3 8 | attention | upsample 2 | attention | conv 3 3x3 | tanh",
        "conv 8 3x3 stride 2 | attention | minibatchstd | conv 4 3x3 | flatten | minibatchstd 3 | dense 1",
    ),
    (
        "dense 3*4*6 | reshape 3 4 6 | batchnorm | relu | upsample 2 | conv 5 3x3 | leakyrelu 0.2 | upsample 2 | conv 4 3x3 | crop 9 14 | sigmoid",
        "conv 5 4x4 stride 2 | leakyrelu 0.2 | crop 4 5 | conv 6 4x4 stride 2 | leakyrelu 0.2 | flatten | dense 1",
    ),
    (
        "dense 6 | residual | dense 7 | tanh | residual | dense 7 | add | add | layernorm | dense 2",
        "dense 8 | leakyrelu 0.2 | groupnorm 2 | dense 1",
    ),
];

/// The same with labels.
const CONDITIONAL: &[(&str, &str)] = &[
    (
        "embedding 4 | dense 3*3*6 | reshape 3 3 6 | embedding 2 | conditionalbatchnorm | relu | upsample 2 | conv 3 3x3 | tanh",
        "embedding 1 | conv 6 3x3 stride 2 | conditionalbatchnorm epsilon 0.01 | tanh | flatten | conditionalbatchnorm | projection",
    ),
    (
        "embedding 4 | dense 4*4*6 | conditionalbatchnorm | reshape 4 4 6 | conv 1 3x3 | sigmoid",
        "conv 6 3x3 stride 2 | leakyrelu | flatten | embedding 3 | auxiliary",
    ),
];

fn recipe(generator: &str, discriminator: &str, labels: bool, spectral: bool) -> Recipe {
    let lines = |text: &str| serde_json::to_string(&text.split('|').map(str::trim).collect::<Vec<_>>()).unwrap();
    let labels = if labels { "[labels]\nnames = [\"a\", \"b\", \"c \\\"x\\\"\"]\nkind = \"attributes\"\n" } else { "" };
    let text = format!(
        "latent = 7\n{labels}[generator]\nlayers = {}\nspectral = {spectral}\n[discriminator]\nlayers = {}\nspectral = {spectral}\n",
        lines(generator),
        lines(discriminator),
    );
    Recipe::parse(&text, "trial", &[]).unwrap()
}

/// All small nets.
pub(super) fn small() -> Vec<Subject> {
    let mut all = Vec::new();
    for (k, (pairs, labels)) in [(PAIRS, false), (CONDITIONAL, true)].into_iter().enumerate() {
        for (i, (g, d)) in pairs.iter().enumerate() {
            for spectral in [false, true] {
                all.push(subject(recipe(g, d, labels, spectral), &format!("trial-{k}-{i}-{spectral}")));
            }
        }
    }
    all
}

fn check(subject: &Subject, format: Format, options: &Options) {
    let export = make(subject, format, options).unwrap_or_else(|e| panic!("{} {options:?}: {e}", subject.name));
    println!("{:24} {options:?}: {:.1e} of {:.1e}", subject.name, export.difference, export.tolerance);
}

fn check_onnx(subject: &Subject, all: bool) {
    for net in [Which::Generator, Which::Discriminator] {
        check(subject, Format::Onnx, &Options { net: Some(net), ..Options::default() });
        let points = subject.net(Which::Generator).0.output().dims()[..2] == [1, 1];
        if points || !all {
            continue;
        }
        for (pixels, layout) in
            [(Pixels::Float, Layout::Nchw), (Pixels::Uint8, Layout::Nhwc), (Pixels::Uint8, Layout::Nchw)]
        {
            check(subject, Format::Onnx, &Options { net: Some(net), pixels, layout, half: false });
        }
    }
}

#[test]
fn every_layer_as_onnx() {
    small().iter().for_each(|subject| check_onnx(subject, true));
}

#[test]
fn every_preset_as_onnx() {
    Preset::ALL.iter().for_each(|name| check_onnx(&preset(*name), false));
}

#[test]
fn every_layer_and_preset_as_safetensors() {
    small().iter().for_each(|subject| check(subject, Format::Safetensors, &Options::default()));
    Preset::ALL.iter().for_each(|name| check(&preset(*name), Format::Safetensors, &Options::default()));
}

/// For bench/export: every net in every format, with inputs and outputs, in the folder `FAUSSAIRE_TRIALS`.
#[test]
#[ignore = "writes files for bench/export/check.py"]
fn files_for_other_programs() {
    let root = PathBuf::from(std::env::var("FAUSSAIRE_TRIALS").expect("FAUSSAIRE_TRIALS names a folder"));
    let presets = Preset::ALL.iter().map(|name| preset(*name));
    for subject in presets.chain(small()) {
        let folder = root.join(&subject.name);
        std::fs::create_dir_all(&folder).unwrap();
        let mut trial = serde_json::Map::new();
        for (name, which) in [("generator", Which::Generator), ("discriminator", Which::Discriminator)] {
            let (net, _) = subject.net(which);
            let batch = agreement::inputs(net, which, subject.range.bounds());
            let output = subject.run(which, &batch);
            let about = serde_json::json!({
                "n": batch.n, "input": batch.values, "labels": batch.rows, "output": output,
                "input_shape": shape(net.input()), "output_shape": shape(net.output()),
            });
            trial.insert(name.into(), about);
            let onnx = |file: &str, pixels, layout| {
                let options = Options { net: Some(which), pixels, layout, half: false };
                let export = make(&subject, Format::Onnx, &options).unwrap();
                std::fs::write(folder.join(format!("{name}{file}.onnx")), &export.files[0].1).unwrap();
            };
            onnx("", Pixels::Float, Layout::Nhwc);
            if shape(subject.net(Which::Generator).0.output()).len() == 3 {
                onnx("-uint8", Pixels::Uint8, Layout::Nchw);
            }
        }
        trial.insert("bounds".into(), serde_json::json!(subject.range.bounds()));
        std::fs::write(folder.join("trial.json"), serde_json::Value::from(trial).to_string()).unwrap();
        let titled = subject.titled(Path::new("nets.py"));
        for (ending, bytes) in make(&titled, Format::Safetensors, &Options::default()).unwrap().files {
            std::fs::write(folder.join(format!("nets.{ending}")), bytes).unwrap();
        }
    }
}

fn shape(shape: crate::net::Shape) -> Vec<usize> {
    match shape {
        crate::net::Shape::Flat(n) => vec![n],
        crate::net::Shape::Image(h, w, c) => vec![h, w, c],
    }
}
