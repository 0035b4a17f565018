//! bf16 and f32 through the binary: what a run says about its precision, and that it keeps it. These tests mean the same on
//! every processor: one without bf16 rounds as well.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Bench, events};

#[test]
fn a_run_says_and_keeps_its_precision() {
    let bench = Bench::new();
    bench.train("exact", &["--steps", "12"]);
    bench.train("whole", &["--steps", "12", "--precision", "bf16", "--threads", "1"]);
    assert_ne!(bench.weights("exact"), bench.weights("whole"));
    let config = |run: &str| std::fs::read_to_string(bench.path(run).join("config.toml")).unwrap();
    let started = |run: &str| events(&bench.path(run))[0]["precision"].as_str().unwrap().to_owned();
    for (run, precision) in [("exact", "f32"), ("whole", "bf16")] {
        assert!(config(run).contains(&format!("precision = \"{precision}\"")), "{}", config(run));
        assert_eq!(started(run), precision);
    }

    // Twelve steps equal six and six, whatever the threads.
    bench.train("parts", &["--steps", "6", "--precision", "bf16", "--threads", "3"]);
    bench.ok(&["train", "--resume", "parts", "--steps", "12", "--threads", "2", "--quiet"]);
    assert_eq!(bench.weights("whole"), bench.weights("parts"));
    let error = bench.fails(&["train", "--resume", "parts", "--steps", "13", "--precision", "f32"], 2);
    assert!(error.contains("train.precision: \"bf16\" -> \"f32\""), "{error}");
    bench.ok(&["train", "--resume", "parts", "--steps", "13", "--precision", "auto", "--quiet"]);
    assert!(config("parts").contains("precision = \"bf16\""));
}

#[test]
fn auto_is_resolved_and_printed() {
    let bench = Bench::new();
    let words = ["train", "--config", "tiny.toml", "--run", "mine", "--steps", "2", "--precision", "auto"];
    let said = String::from_utf8(bench.run(&words).stderr).unwrap();
    let config = std::fs::read_to_string(bench.path("mine/config.toml")).unwrap();
    let log = events(&bench.path("mine"));
    let precision = log[0]["precision"].as_str().unwrap();
    assert!(["f32", "bf16"].contains(&precision));
    assert!(config.contains(&format!("precision = \"{precision}\"")), "{config}");
    assert!(
        said.contains(&format!(" threads, {precision}")) || said.contains(&format!("; 1 thread, {precision}")),
        "{said}"
    );
    // Under a gradient penalty `auto` is f32 everywhere.
    bench.train("punished", &["--steps", "2", "--precision", "auto", "--set", "train.penalties.r1=1"]);
    assert_eq!(events(&bench.path("punished"))[0]["precision"], "f32");
}

#[test]
fn a_run_of_before_there_was_a_choice_goes_on_in_f32() {
    let bench = Bench::new();
    bench.train("old", &["--steps", "3"]);
    bench.train("new", &["--steps", "6"]);
    let path = bench.path("old/config.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, config.replace("precision = \"f32\"\n", "")).unwrap();
    bench.ok(&["train", "--resume", "old", "--steps", "6", "--quiet"]);
    assert_eq!(bench.weights("old"), bench.weights("new"));
    assert!(std::fs::read_to_string(&path).unwrap().contains("precision = \"f32\""));
}

#[test]
fn samples_are_exact_unless_asked_otherwise() {
    let bench = Bench::new();
    bench.train("run", &["--steps", "30"]);
    let drawn = |more: &[&str]| {
        let words = ["sample", "run", "-n", "20", "-o", "images.npy"];
        bench.ok(&[&words[..], more].concat());
        std::fs::read(bench.path("images.npy")).unwrap()
    };
    let exact = drawn(&[]);
    assert_eq!(drawn(&["--precision", "f32", "--threads", "1"]), exact);
    let rounded = drawn(&["--precision", "bf16"]);
    let apart: Vec<u8> = exact.iter().zip(&rounded).map(|(a, b)| a.abs_diff(*b)).collect();
    // Of 256 levels: some pixels move, none by much.
    assert!(apart.iter().any(|d| *d > 0) && apart.iter().all(|d| *d < 12), "{:?}", apart.iter().max());
    let auto = drawn(&["--precision", "auto"]);
    assert!(auto == exact || auto == rounded);
}

#[test]
fn an_unknown_precision_is_refused() {
    let bench = Bench::new();
    let error = bench.fails(&["train", "--config", "tiny.toml", "--precision", "half"], 2);
    assert!(error.contains("bf16"), "{error}");
}
