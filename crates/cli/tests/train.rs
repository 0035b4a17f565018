//! Training through the binary: what a run leaves behind, and how it ends.

#![allow(clippy::unwrap_used)]

mod common;

use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Bench, events};

#[test]
fn a_run_leaves_recipe_events_sheet_and_checkpoint() {
    let bench = Bench::new();
    let said = bench.train("mine", &["strokes", "--steps", "25"]);
    assert!(said.contains("complete at 25 steps") && said.contains("faussaire sample mine"), "{said}");

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
fn one_thread_is_enough_for_images_that_are_decoded_on_the_way() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("pictures")).unwrap();
    for i in 0..20u8 {
        let picture = image::GrayImage::from_fn(28, 28, |x, y| image::Luma([i.wrapping_mul(31) ^ (x * y) as u8]));
        picture.save(bench.path(&format!("pictures/{i}.png"))).unwrap();
    }
    let mut weights = Vec::new();
    for threads in ["1", "2"] {
        let run = format!("with-{threads}");
        let start = ["train", "pictures", "--config", "tiny.toml", "--steps", "5", "--quiet"];
        let mut child = bench.command(&[&start[..], &["--threads", threads, "--run", &run]].concat()).spawn().unwrap();
        // It would wait for itself for ever.
        let ended = (0..600).find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            child.try_wait().unwrap()
        });
        if ended.is_none() {
            child.kill().unwrap();
        }
        assert!(ended.is_some_and(|status| status.success()), "{threads} threads: {ended:?}");
        weights.push(bench.weights(&run));
    }
    assert_eq!(weights[0], weights[1]);
}
