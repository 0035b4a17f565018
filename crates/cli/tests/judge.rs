//! `faussaire judge`: other people's images and our own, by the net with random weights (training a classifier would take
//! a minute; the library's tests do that in small).

#![allow(clippy::unwrap_used)]

mod common;

use common::Bench;

/// A folder of 60 pictures, each with a square whose place and shade differ; `brighter` moves the shade.
fn pictures(bench: &Bench, name: &str, brighter: u8, seed: u32) {
    let folder = bench.path(name);
    std::fs::create_dir(&folder).unwrap();
    for i in 0..60u32 {
        let (x, y) = ((i * 7 + seed) % 20, (i * 11 + seed) % 20);
        let shade = 100 + (i % 5) as u8 * 10 + brighter;
        let square = |px: u32, py: u32| (x..x + 8).contains(&px) && (y..y + 8).contains(&py);
        let picture = image::GrayImage::from_fn(28, 28, |px, py| image::Luma([if square(px, py) { shade } else { 0 }]));
        picture.save(folder.join(format!("{i:02}.png"))).unwrap();
    }
}

#[test]
fn nearer_images_score_better() {
    let bench = Bench::new();
    pictures(&bench, "real", 0, 0);
    pictures(&bench, "alike", 0, 3);
    pictures(&bench, "brighter", 100, 3);
    let scores = |images: &str| {
        let text = bench.ok(&["judge", images, "--against", "real", "--json"]);
        let judgement: serde_json::Value = serde_json::from_str(&text).unwrap();
        judgement["scores"].as_array().unwrap().clone()
    };
    let (alike, brighter) = (scores("alike"), scores("brighter"));
    assert_eq!(alike[0]["name"], "fid-60-random-convnet-train");
    assert!(alike[0]["value"].as_f64().unwrap() < brighter[0]["value"].as_f64().unwrap());
    assert!(alike[0]["warning"].as_str().unwrap().contains("60"), "{}", alike[0]);
    let table = bench.ok(&["judge", "alike", "--against", "real"]);
    assert!(table.contains("fid-60") && table.contains("precision(k=3)"), "{table}");
}

#[test]
fn a_run_is_judged_against_its_own_data_and_too_little_is_refused() {
    let bench = Bench::new();
    pictures(&bench, "real", 0, 0);
    bench.ok(&["train", "real", "--config", "tiny.toml", "--run", "mine", "--steps", "2", "--quiet"]);
    let table = bench.ok(&["judge", "mine", "-n", "60"]);
    assert!(table.contains("mine (step 2)") && table.contains("kid(subsets-of-"), "{table}");
    assert!(bench.fails(&["judge", "mine", "-n", "9"], 2).contains("at least 50"));
    assert!(bench.fails(&["judge", "real"], 2).contains("--against"));
    assert!(bench.fails(&["judge", "nowhere", "--against", "real"], 2).contains("nowhere"));
}
