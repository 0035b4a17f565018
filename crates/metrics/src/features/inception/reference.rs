//! Tests of agreement with torchvision's graph as pytorch-fid changes it, on weights computed by a formula
//! (`bench/judge/inception.py` computes the expected numbers): the published weights can't be distributed with the
//! code.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use burn::tensor::Device;
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde_json::Value;

use super::Inception;
use super::graph::Graph;
use faussaire_data::ImageShape;

const SHAPE: ImageShape = ImageShape { height: 20, width: 24, channels: 3 };

/// Uniform numbers in [0, 1): SplitMix64 on the name's FNV-1a hash plus the index.
fn draws(name: &str, count: usize) -> Vec<f32> {
    let seed = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3));
    let draw = |i: u64| {
        let z = seed.wrapping_add((i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u32 << 24) as f32
    };
    (0..count as u64).map(draw).collect()
}

fn values(name: &str, shape: &[usize]) -> Vec<f32> {
    let uniform = draws(name, shape.iter().product());
    let limit = (6.0 / shape[1..].iter().product::<usize>() as f64).sqrt() as f32;
    let value = |u: f32| match name {
        _ if name.ends_with("conv.weight") => (2.0 * u - 1.0) * limit,
        _ if name.ends_with("bn.weight") || name.ends_with("running_var") => 0.5 + u,
        _ => 0.2 * u - 0.1,
    };
    uniform.into_iter().map(value).collect()
}

/// Writes the weights to `path`, all but `without`.
fn write(path: &Path, without: &str) {
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    for conv in Graph::new().unwrap().convs {
        let kernel = vec![conv.outputs, conv.inputs, conv.kernel[0], conv.kernel[1]];
        let of_channels = ["bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"];
        let shapes = of_channels.map(|name| (name, vec![conv.outputs]));
        for (name, shape) in shapes.into_iter().chain([("conv.weight", kernel)]) {
            let name = format!("{}.{name}", conv.name);
            let bytes = values(&name, &shape).iter().flat_map(|v| v.to_le_bytes()).collect();
            tensors.push((name, shape, bytes));
        }
    }
    let kept = tensors.iter().filter(|(name, ..)| name != without);
    let views = kept.map(|(name, shape, bytes)| (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    std::fs::write(path, serialize(views, None).unwrap()).unwrap();
}

#[test]
fn features_agree_with_torchvision() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inception.safetensors");
    write(&path, "");
    let net = Inception::open(&path, SHAPE, &Device::flex()).unwrap();
    let images = draws("images", 2 * SHAPE.len());
    let features = net.features(&images).unwrap();
    assert_eq!((features.rows(), features.dims()), (2, 2048));
    let reference: Value = serde_json::from_str(include_str!("../../../../../bench/judge/inception.json")).unwrap();
    for image in 0..2 {
        let row = features.row(image);
        let norm = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        let expected = reference["norms"][image].as_f64().unwrap();
        assert!((norm / expected - 1.0).abs() < 1e-4, "{norm} {expected}");
        for (value, expected) in row.iter().step_by(16).zip(reference["features"][image].as_array().unwrap()) {
            let off = f64::from(*value) - expected.as_f64().unwrap();
            assert!(off.abs() < 1e-5 * norm, "{value} {expected}");
        }
    }
    // Grey images are shown in three equal channels.
    let grey = Inception::open(&path, ImageShape { channels: 1, ..SHAPE }, &Device::flex()).unwrap();
    let one: Vec<f32> = images[..SHAPE.len() / 3].to_vec();
    let three: Vec<f32> = one.iter().flat_map(|v| [*v; 3]).collect();
    assert_eq!(grey.features(&one).unwrap(), net.features(&three).unwrap());
    // Images with alpha are shown over white.
    let with_alpha = Inception::open(&path, ImageShape { channels: 4, ..SHAPE }, &Device::flex()).unwrap();
    let opaque: Vec<f32> = images.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 1.0]).collect();
    assert_eq!(with_alpha.features(&opaque).unwrap(), net.features(&images).unwrap());
    let clear: Vec<f32> = opaque.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2], 0.0]).collect();
    assert_eq!(with_alpha.features(&clear).unwrap(), net.features(&vec![1.0; images.len()]).unwrap());
    assert!(net.features(&images[1..]).is_err());
}

#[test]
fn other_files_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inception.safetensors");
    let open = |shape| Inception::open(&path, shape, &Device::flex()).unwrap_err().to_string();
    assert!(open(SHAPE).starts_with("can't read"));
    write(&path, "Mixed_6c.branch7x7_2.bn.bias");
    assert!(open(SHAPE).ends_with("it has no tensor Mixed_6c.branch7x7_2.bn.bias"), "{}", open(SHAPE));
    std::fs::write(&path, b"not weights").unwrap();
    assert!(open(SHAPE).contains("can't be used as InceptionV3's weights"));
    assert!(open(ImageShape { channels: 2, ..SHAPE }).contains("20x24x2"));
}
