//! A run folder written by an earlier checkout under the recipe keys of that time (`packing`, `flips`, `fakes`, `mixed`, `average`,
//! `adam.learning_rate`, `n_critic`) resumes to the same bits, is judged to the same scores, and is reported.
//! `tests/earlier-run` holds it: 12 steps with the portable kernels, trained from `images.npy`.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::Bench;
use sha2::{Digest, Sha256};

/// SHA-256 of the weights that the earlier program reached at step 20 after resuming this run.
const AT_STEP_20: [(&str, &str); 5] = [
    ("average.safetensors", "2182df57d5f104ccbfe7c977ec11ea1ad2f05aadc4119b637fd970bd7bf99421"),
    ("discriminator-adam.safetensors", "fbe4329a0fd2041551d138b4f001fdd8220f3627bc5bb7b271c2028f5112876d"),
    ("discriminator.safetensors", "0cc604217b8a5fd6e4262c1f21d670ae1c58c63c57b48e7763a92f1036ed431f"),
    ("generator-adam.safetensors", "42b0f6a40f19d4f92f281078369e52c91580fea4ac819eea8e25e60a541b0f30"),
    ("generator.safetensors", "510ff50d70cce5afdaf8f8f06b11cbdce7ff1b0de3e8b905feea11ee5bd6e1b1"),
];

/// What an earlier checkout printed as the Frechet distance of 50 images of step 12.
const FRECHET: (&str, f64) = ("frechet-50-images.npy-random-convnet-train", 2.734_850_272_278_720_7);

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(from, to).unwrap();
        }
    }
}

/// A folder with the earlier run and its data in it.
fn bench() -> Bench {
    let bench = Bench::new();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/earlier-run"), bench.folder.path());
    bench
}

fn portable(bench: &Bench, arguments: &[&str]) -> String {
    let output = bench.command(arguments).env("FAUSSAIRE_ISA", "portable").output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn it_resumes_to_the_same_bits() {
    let bench = bench();
    portable(&bench, &["train", "--resume", "run", "--steps", "20", "--quiet"]);
    let reached: Vec<(String, String)> = bench
        .weights("run")
        .into_iter()
        .map(|(name, bytes)| (name, Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect()))
        .collect();
    let expected: Vec<(String, String)> = AT_STEP_20.map(|(name, digest)| (name.into(), digest.into())).to_vec();
    assert_eq!(reached, expected);
    // The recipe is written with today's keys, and read again.
    let config = std::fs::read_to_string(bench.path("run/config.toml")).unwrap();
    assert!(config.contains("n_critic = 2") && config.contains("pac = 2") && !config.contains("packing"), "{config}");
    portable(&bench, &["train", "--resume", "run", "--steps", "21", "--quiet"]);
}

#[test]
fn it_is_judged_to_the_same_scores() {
    let judged = portable(&bench(), &["judge", "run", "-n", "50", "--json"]);
    let judged: serde_json::Value = serde_json::from_str(&judged).unwrap();
    let scores = judged["scores"].as_array().unwrap();
    let frechet = scores.iter().find(|score| score["name"] == FRECHET.0).unwrap();
    let value = frechet["value"].as_f64().unwrap();
    assert!((value - FRECHET.1).abs() < 1e-6 * FRECHET.1, "{value}");
}

#[test]
fn it_is_reported_and_sampled() {
    let bench = bench();
    portable(&bench, &["train", "--resume", "run", "--steps", "13", "--quiet"]);
    let report = std::fs::read_to_string(bench.path("run/report.html")).unwrap();
    assert!(report.contains("images.npy") && !report.contains("NaN"));
    let doctor = portable(&bench, &["doctor", "run"]);
    assert!(!doctor.is_empty());
    portable(&bench, &["sample", "run", "-n", "4", "--checkpoint", "epoch-0003", "-o", "images.png"]);
    assert!(bench.path("images.png").is_file());
}
