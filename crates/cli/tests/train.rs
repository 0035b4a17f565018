//! Training through the binary: what a run leaves behind, and how it ends.

#![allow(clippy::unwrap_used)]

mod common;

use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Bench, events};

#[test]
fn a_preset_keeps_the_number_of_images_of_its_own_data_set() {
    let bench = Bench::new();
    let count = |arguments: &[&str]| {
        let said = bench.ok(&[&["train", "--dry-run"], arguments].concat());
        said.lines().find(|line| line.starts_with("count = ")).map(str::to_owned)
    };
    assert_eq!(count(&["--preset", "quick"]).as_deref(), Some("count = 9600"));
    assert_eq!(count(&["strokes", "--preset", "quick"]).as_deref(), Some("count = 9600"));
    assert_eq!(count(&["strokes"]).as_deref(), Some("count = 0"));
    assert_eq!(count(&["strokes", "--preset", "quick", "--set", "data.count=5000"]).as_deref(), Some("count = 5000"));
}

#[test]
fn a_run_leaves_recipe_events_sheet_and_checkpoint() {
    let bench = Bench::new();
    let said = bench.train("mine", &["strokes", "--steps", "25"]);
    assert!(said.contains("complete after 25 steps") && said.contains("faussaire sample mine"), "{said}");

    let run = bench.path("mine");
    let config = std::fs::read_to_string(run.join("config.toml")).unwrap();
    for key in ["latent = 8", "steps = 25", "seed = 0", "beta2 = 0.999", "source = \"strokes\""] {
        assert!(config.contains(key), "no {key} in {config}");
    }
    let log = events(&run);
    let steps: Vec<_> = log.iter().filter(|e| e["event"] == "step").collect();
    let numbers: Vec<u64> = steps.iter().map(|e| e["step"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 10, 20, 25]);
    for step in &steps {
        assert_eq!(step["images"].as_u64().unwrap(), 8 * step["step"].as_u64().unwrap());
        let value = |key: &str| step[key].as_f64().unwrap();
        assert!(value("d_loss") > 0.0 && value("g_loss") > 0.0 && value("train_s") > 0.0, "{step}");
        assert!((0.0..=1.0).contains(&value("d_real")) && (0.0..=1.0).contains(&value("d_fake")), "{step}");
    }
    assert_eq!(log.last().unwrap()["event"], "checkpoint");
    let sheet = image::open(run.join("samples/000025.png")).unwrap();
    assert!(sheet.width() > 280 && sheet.height() > 112, "{}x{}", sheet.width(), sheet.height());
    // A second run from the first one's resolved recipe is the same run.
    bench.ok(&["train", "--config", "mine/config.toml", "--run", "again", "--quiet"]);
    assert_eq!(bench.weights("mine"), bench.weights("again"));
    bench.ok(&["train", "--config", "mine/config.toml", "--run", "other", "--seed", "1", "--quiet"]);
    assert_ne!(bench.weights("mine"), bench.weights("other"));
}

#[test]
fn runs_are_numbered_and_time_ends_them() {
    let bench = Bench::new();
    let began = Instant::now();
    let said = bench.ok(&["train", "--config", "tiny.toml", "--time", "1s", "--quiet"]);
    assert!(began.elapsed() < Duration::from_secs(60));
    assert!(said.contains("0001-strokes-tiny") && said.contains("train --resume runs/0001-strokes-tiny"), "{said}");
    let last = events(&bench.path("runs/0001-strokes-tiny"));
    assert!(last.iter().any(|e| e["event"] == "end" && e["reason"] == "time"));
    let said = bench.ok(&["train", "--resume", "--time", "1s", "--quiet"]);
    assert!(said.contains("0001-strokes-tiny"), "{said}");
    assert!(bench.ok(&["train", "--config", "tiny.toml", "--quiet"]).contains("0002-strokes-tiny"));
}

#[test]
fn a_dry_run_shows_the_plan_and_writes_nothing() {
    let bench = Bench::new();
    let said = bench.ok(&["train", "--config", "tiny.toml", "--dry-run", "--set", "train.batch=100"]);
    assert!(said.contains("convtranspose 4 4x4 stride 2") && said.contains("600.0 steps per epoch"), "{said}");
    assert!(!bench.path("runs").exists());
}

#[cfg(unix)]
#[test]
fn signals_finish_the_step_and_save() {
    let bench = Bench::new();
    for signal in ["INT", "TERM"] {
        let arguments = ["train", "--config", "tiny.toml", "--steps", "1000000", "--run", signal];
        let child = bench.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = bench.path(signal).join("events.jsonl");
        let began = Instant::now();
        while std::fs::metadata(&log).map_or(true, |m| m.len() < 1000) {
            assert!(began.elapsed() < Duration::from_secs(60), "no events");
            std::thread::sleep(Duration::from_millis(20));
        }
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains(&format!("faussaire train --resume {signal}")), "{said}");
        let step = |name: &str| {
            let log = events(&bench.path(name));
            log.iter().filter_map(|e| e["step"].as_u64()).max().unwrap()
        };
        let before = step(signal);
        bench.ok(&["train", "--resume", signal, "--steps", &(before + 5).to_string(), "--quiet"]);
        assert_eq!(step(signal), before + 5);
    }
}

#[test]
fn images_that_are_decoded_on_the_way_come_the_same_with_one_thread_as_with_two() {
    let bench = Bench::new();
    bench.train("first", &["--steps", "1"]);
    bench.ok(&["sample", "first", "-n", "40", "-o", "images"]);
    for threads in ["1", "2"] {
        let arguments = ["train", "images", "--config", "tiny.toml", "--run", threads, "--quiet", "--threads", threads];
        let mut training = bench.command(&arguments).spawn().unwrap();
        let began = Instant::now();
        let ended = loop {
            if let Some(ended) = training.try_wait().unwrap() {
                break ended;
            }
            if began.elapsed() > Duration::from_secs(120) {
                training.kill().unwrap();
                panic!("the training hangs with {threads} threads");
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(ended.success());
    }
    assert_eq!(bench.weights("1"), bench.weights("2"));
}
