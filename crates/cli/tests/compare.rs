//! `faussaire compare`: several recipes and seeds, some of which fail, killed and called again.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use common::Bench;

/// Sixty small pictures without labels, so that no classifier has to be trained.
fn pictures(bench: &Bench) {
    let folder = bench.path("real");
    std::fs::create_dir(&folder).unwrap();
    for i in 0..60u32 {
        let inside = |x: u32, y: u32| (i % 20..i % 20 + 8).contains(&x) && (i % 13..i % 13 + 9).contains(&y);
        let picture = image::GrayImage::from_fn(28, 28, |x, y| image::Luma([if inside(x, y) { 200 } else { 0 }]));
        picture.save(folder.join(format!("{i:02}.png"))).unwrap();
    }
}

/// The tiny recipe with a discriminator so deep that a high rate makes its scores outgrow a float within a few steps.
fn deep() -> String {
    let layers = "\"conv 48 3x3 stride 2\", \"leakyrelu 0.2\", ".repeat(18);
    let at = common::TINY.find("[discriminator]").unwrap();
    let from = common::TINY[at..].find("adam").unwrap() + at;
    let (start, end) = (&common::TINY[..at], &common::TINY[from..]);
    format!("{start}[discriminator]\nlayers = [{layers} \"flatten\", \"dense 1\"]\n{end}")
}

fn json(bench: &Bench, folder: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(bench.path(folder).join("table.json")).unwrap()).unwrap()
}

/// The states of all runs, by name.
fn states(table: &serde_json::Value) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    table["runs"].as_array().unwrap().iter().map(|run| (text(&run["name"]), text(&run["state"]))).collect()
}

#[test]
fn nets_made_for_the_images_are_compared() {
    let bench = Bench::new();
    pictures(&bench);
    let arguments = ["compare", "real", "--preset", "auto", "--vary", "batch=8,12", "--seeds", "1", "--steps", "2"];
    let said = bench.ok(&[&arguments[..], &["-n", "60", "--run", "c", "--threads", "2", "--quiet"]].concat());
    assert!(said.contains("frechet-60-real-random-convnet-train"), "{said}");
}

#[test]
fn variants_are_trained_judged_and_tested_and_failures_are_rows() {
    let bench = Bench::new();
    pictures(&bench);
    let vary = ["compare", "real", "--config", "tiny.toml", "--vary", "loss=gan,hinge,wasserstein"];
    let more = ["--seeds", "2", "--steps", "4", "-n", "60", "--run", "c", "--quiet"];
    let said = bench.ok(&[&vary[..], &more].concat());
    assert!(
        said.contains(
            "| wasserstein | 0 of 2 | | | | refused: tiny.toml: recipe key `train.loss`: a Wasserstein critic diverges without"
        ),
        "{said}"
    );
    assert!(said.contains("frechet-60-real-random-convnet-train, lower is better"), "{said}");
    assert!(
        said.contains("too few images to tell (60; needs about 256)") && said.contains("\nVerdict: **gan**"),
        "{said}"
    );
    assert_eq!(
        std::fs::read_to_string(bench.path("c/table.md")).unwrap().trim(),
        said.split("\n\nc: ").next().unwrap()
    );
    let table = json(&bench, "c");
    let names = ["gan-seed0", "gan-seed1", "hinge-seed0", "hinge-seed1"].map(|n| (n.to_owned(), "finished".to_owned()));
    assert_eq!(states(&table), names);
    assert_eq!(table["metrics"][0]["pairs"][0]["verdict"]["verdict"], "too-few");
    let page = std::fs::read_to_string(bench.path("c/page.html")).unwrap();
    assert_eq!(page.matches("data:image/png;base64,").count(), 4);
    let csv = std::fs::read_to_string(bench.path("c/table.csv")).unwrap();
    assert_eq!(csv.lines().filter(|line| line.contains(",frechet-60-")).count(), 4, "{csv}");

    // The runs are like any other, and what `train` makes of the same recipe and seed.
    bench.ok(&["sample", "c/runs/hinge-seed1", "-n", "2", "-o", "x.npy"]);
    let same = ["train", "real", "--config", "tiny.toml", "--set", "train.loss=hinge", "--seed", "1", "--steps", "4"];
    bench.ok(&[&same[..], &["--run", "alone", "--quiet"]].concat());
    assert_eq!(bench.weights("c/runs/hinge-seed1"), bench.weights("alone"));
    assert_ne!(bench.weights("c/runs/hinge-seed0"), bench.weights("alone"));

    // Called again: nothing is trained again, a third seed and another variant are added, and now there is a test.
    let log = |run: &str| std::fs::metadata(bench.path(run).join("events.jsonl")).unwrap().modified().unwrap();
    let before = log("c/runs/gan-seed0");
    let vary = ["compare", "real", "--config", "tiny.toml", "--vary", "loss=lsgan"];
    bench.ok(&[&vary[..], &["--run", "c", "--seeds", "3", "--steps", "4", "--quiet"]].concat());
    assert_eq!(log("c/runs/gan-seed0"), before);
    let table = json(&bench, "c");
    assert!(states(&table).iter().all(|(_, state)| state == "finished"), "{table}");
    assert_eq!(states(&table).len(), 9);
    assert_ne!(table["metrics"][0]["pairs"][0]["verdict"]["verdict"], "too-few");

    // The same name for another recipe would compare apples with pears.
    let other = ["compare", "real", "--config", "tiny.toml", "--vary", "loss=gan", "--set", "train.batch=4"];
    let error = bench.fails(&[&other[..], &["--run", "c"]].concat(), 2);
    assert!(error.contains("train.batch: 8 -> 4"), "{error}");

    // Neither have shorter runs a place beside longer ones, nor runs on other data.
    let error = bench.fails(&["compare", "--run", "c", "--steps", "3"], 2);
    assert!(error.contains("has made 4 steps") && error.contains("longer, not shorter"), "{error}");
    let error = bench.fails(&["compare", "strokes", "--config", "tiny.toml", "--run", "c"], 2);
    assert!(error.contains("/real, not on strokes"), "{error}");
    bench.ok(&["compare", "--run", "c", "--steps", "5", "--quiet"]);
    assert_eq!(json(&bench, "c")["runs"][8]["step"], 5);
}

#[test]
fn what_cannot_be_judged_stays_trained() {
    let bench = Bench::new();
    pictures(&bench);
    std::fs::create_dir(bench.path("few")).unwrap();
    for i in 0..8 {
        std::fs::copy(bench.path(&format!("real/{i:02}.png")), bench.path(&format!("few/{i:02}.png"))).unwrap();
    }
    let ask = ["compare", "few", "--config", "tiny.toml", "--seeds", "1", "--steps", "3", "--run", "f", "--quiet"];
    let error = bench.fails(&ask, 1);
    assert!(error.contains("trained, but can't be judged: too few images to judge: 10000 against 8"), "{error}");
    let table = json(&bench, "f");
    assert_eq!((states(&table)[0].1.as_str(), &table["runs"][0]["step"]), ("finished", &3.into()));
    let log = || std::fs::metadata(bench.path("f/runs/tiny-seed0/events.jsonl")).unwrap().modified().unwrap();
    let before = log();
    bench.fails(&ask, 1);
    assert_eq!(log(), before, "trained again");
}

#[test]
fn a_variant_that_diverges_ends_no_other() {
    let bench = Bench::new();
    pictures(&bench);
    std::fs::write(bench.path("deep.toml"), deep()).unwrap();
    let vary = ["compare", "real", "--config", "deep.toml", "--vary", "discriminator.adam.learning_rate=1e-3,10"];
    bench.ok(&[&vary[..], &["-n", "60", "--run", "d", "--seeds", "2", "--steps", "40", "--quiet"]].concat());
    let states = states(&json(&bench, "d"));
    let of = |name: &str| states.iter().find(|(run, _)| run == name).map(|(_, state)| state.as_str());
    assert_eq!(
        (of("learning-rate-1e-3-seed0"), of("learning-rate-1e-3-seed1")),
        (Some("finished"), Some("finished")),
        "{states:?}"
    );
    assert_eq!(
        (of("learning-rate-10-seed0"), of("learning-rate-10-seed1")),
        (Some("failed"), Some("failed")),
        "{states:?}"
    );
    let text = std::fs::read_to_string(bench.path("d/table.md")).unwrap();
    assert!(
        text.contains("- learning-rate-10-seed0: failed at step ") && text.contains("| learning_rate=10 | 0 of 2 |"),
        "{text}"
    );
}

#[test]
fn toys_are_scored_by_their_clusters() {
    let bench = Bench::new();
    let said =
        bench.ok(&["compare", "--preset", "ring", "--vary", "batch=8,16", "--seeds", "1", "--steps", "3", "--quiet"]);
    assert!(said.contains("missing-modes-2500-ring") && said.contains("comparisons/0001-ring: page.html"), "{said}");
}

#[test]
fn senseless_questions_are_refused() {
    let bench = Bench::new();
    assert!(bench.fails(&["compare"], 2).contains("nothing to compare"));
    assert!(bench.fails(&["compare", "--vary", "loss"], 2).contains("KEY=VALUE"));
    assert!(bench.fails(&["compare", "--vary", "bacth=1,2"], 2).contains("bacth"));
    assert!(bench.fails(&["compare", "--config", "none.toml"], 2).contains("none.toml"));
    assert!(bench.fails(&["compare", "--preset", "rng"], 2).contains("rng"));
    assert!(bench.fails(&["compare", "--vary", "batch=8", "--jobs", "0"], 2).contains("--jobs"));
    assert!(bench.fails(&["compare", "--vary", "batch=8", "-n", "20"], 2).contains("at least 50"));
    assert!(!bench.path("comparisons").exists());
    assert!(bench.fails(&["compare", "--vary", "batch=8", "--run", "."], 1).contains("no comparison.json"));
    // Data that isn't there: every run fails, and so does the comparison.
    let error = bench.fails(&["compare", "nowhere", "--config", "tiny.toml", "--seeds", "1", "--quiet"], 1);
    assert!(error.contains("no run gave a number") && error.contains("nowhere"), "{error}");
}

/// Waits until the log at `path` has a step event.
fn wait_for_steps(path: &Path) {
    for _ in 0..600 {
        if std::fs::read_to_string(path).is_ok_and(|text| text.contains("\"event\":\"step\"")) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("no step in {}", path.display());
}

#[test]
fn a_killed_comparison_goes_on() {
    let bench = Bench::new();
    pictures(&bench);
    let arguments = |folder: &'static str, steps: &'static str| {
        let start =
            ["compare", "real", "--config", "tiny.toml", "--vary", "loss=gan,lsgan", "--seeds", "1", "-n", "60"];
        let save = ["--set", "train.save_every=1", "--jobs", "2", "--quiet", "--run", folder, "--steps", steps];
        [&start[..], &save].concat()
    };
    let mut child =
        bench.command(&arguments("c", "100000")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for_steps(&bench.path("c/runs/gan-seed0/events.jsonl"));
    wait_for_steps(&bench.path("c/runs/lsgan-seed0/events.jsonl"));
    child.kill().unwrap();
    child.wait().unwrap();
    // The trainings notice that they are alone, save and let go of their runs.
    let reached = |run: &str| {
        let text = bench.ok(&["train", "--resume", run, "--steps", "1", "--quiet"]);
        text.rsplit("complete at step ")
            .next()
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .replace(',', "")
            .parse::<u64>()
            .unwrap()
    };
    let both = ["c/runs/gan-seed0", "c/runs/lsgan-seed0"];
    for run in both {
        let busy = || String::from_utf8(bench.run(&["train", "--resume", run, "--steps", "1"]).stderr).unwrap();
        let free = (0..600).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            !busy().contains("another process")
        });
        assert!(free, "{run} is still being trained");
    }
    let far = both.map(reached).into_iter().max().unwrap();
    assert!((1..100_000).contains(&far), "{far}");
    let steps: &'static str = (far + 60).to_string().leak();
    // One training alone is killed this time: that run failed, the other one is finished.
    let mut child = bench.command(&arguments("c", steps)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let killed = kill_training("c/runs/lsgan-seed0");
    assert!(child.wait().unwrap().success());
    let before = states(&json(&bench, "c"));
    assert_eq!(before[0], ("gan-seed0".into(), "finished".into()));
    if killed {
        assert_eq!(before[1].1, "failed", "{before:?}");
    }
    bench.ok(&arguments("c", steps));
    assert!(states(&json(&bench, "c")).iter().all(|(_, state)| state == "finished"));
    bench.ok(&arguments("calm", steps));
    for run in ["gan-seed0", "lsgan-seed0"] {
        assert_eq!(bench.weights(&format!("c/runs/{run}")), bench.weights(&format!("calm/runs/{run}")), "{run}");
    }
    let measures = |folder: &str| json(&bench, folder)["runs"][1]["measures"].clone();
    assert_eq!(measures("c"), measures("calm"));
}

/// Kills the training whose command line names `run`, where the system shows processes as files. False: none was found.
fn kill_training(run: &str) -> bool {
    for _ in 0..100 {
        let Ok(processes) = std::fs::read_dir("/proc") else { return false };
        for process in processes.flatten() {
            let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            let ours = line.contains(env!("CARGO_BIN_EXE_faussaire")) && line.contains(&format!(" {run} "));
            if ours && line.contains("--stop-at-eof") {
                let id = process.file_name().to_string_lossy().into_owned();
                return std::process::Command::new("kill").args(["-9", &id]).status().unwrap().success();
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}
