//! A run that was stopped, or killed, resumes to the bits of one that was not.

#![allow(clippy::unwrap_used)]

mod common;

use std::process::Stdio;
use std::time::Duration;

use common::{Bench, events};

#[test]
fn twelve_steps_equal_six_and_six_with_any_threads() {
    let bench = Bench::new();
    bench.train("whole", &["--steps", "12", "--threads", "1"]);
    bench.train("parts", &["--steps", "6", "--threads", "3"]);
    assert_ne!(bench.weights("whole"), bench.weights("parts"));
    bench.ok(&["train", "--resume", "parts", "--steps", "12", "--threads", "2", "--quiet"]);
    assert_eq!(bench.weights("whole"), bench.weights("parts"));
    let losses = |run: &str| {
        let log = events(&bench.path(run));
        let last = log.iter().rfind(|e| e["event"] == "step" && e["step"] == 12).unwrap().clone();
        ["d_loss", "g_loss", "images", "d_real", "d_fake"].map(|key| last[key].clone())
    };
    assert_eq!(losses("whole"), losses("parts"));
    let sheet = |run: &str| std::fs::read(bench.path(run).join("samples/000012.png")).unwrap();
    assert_eq!(sheet("whole"), sheet("parts"));
}

#[test]
fn other_hyperparameters_are_refused_with_the_difference() {
    let bench = Bench::new();
    bench.train("mine", &["--steps", "3"]);
    let before = bench.weights("mine");
    let error =
        bench.fails(&["train", "--resume", "mine", "--batch", "16", "--set", "generator.adam.learning_rate=0.5"], 2);
    assert!(
        error.contains("train.batch: 8 -> 16") && error.contains("generator.adam.learning_rate: 0.001 -> 0.5"),
        "{error}"
    );
    assert_eq!(bench.weights("mine"), before);
    bench.ok(&["train", "--resume", "mine", "--steps", "4", "--set", "train.sheet_every=1", "--quiet"]);
}

/// A run folder as the program wrote it before recipe keys were renamed: it is read, drawn from, and resumed to the same bits.
#[test]
fn a_run_with_earlier_key_names_goes_on() {
    let bench = Bench::new();
    let set = ["train.label_flip=0.1", "train.pac=2", "train.n_critic=2", "train.ema=0.9", "train.joint_batch=false"];
    let set: Vec<&str> = set.iter().flat_map(|key| ["--set", key]).collect();
    bench.train("whole", &[&["--steps", "6"], &set[..]].concat());
    bench.train("old", &[&["--steps", "3"], &set[..]].concat());
    let path = bench.path("old/config.toml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    for (new, old) in [
        ("label_flip", "flips"),
        ("pac", "packing"),
        ("n_critic", "discriminator_steps"),
        ("ema", "average"),
        ("fake_batchnorm", "fakes"),
        ("joint_batch", "mixed"),
        ("learning_rate", "rate"),
    ] {
        assert!(text.contains(&format!("\n{new} = ")), "{new}");
        text = text.replace(&format!("\n{new} = "), &format!("\n{old} = "));
    }
    std::fs::write(&path, text).unwrap();
    bench.ok(&["doctor", "old"]);
    bench.ok(&["sample", "old", "-n", "2", "-o", "two.npy"]);
    bench.ok(&["train", "--resume", "old", "--steps", "6", "--quiet"]);
    assert_eq!(bench.weights("whole"), bench.weights("old"));
    assert!(std::fs::read_to_string(&path).unwrap().contains("\nn_critic = 2\n"));
}

#[test]
fn twenty_kills_at_random_moments_lose_nothing() {
    let bench = Bench::new();
    // Ten steps per epoch, a sheet and a kept checkpoint at each: kills fall between these as well.
    let always = ["train.save_every=0", "data.count=80", "train.sheet_every=1", "train.keep_every=1"];
    let always: Vec<&str> = always.iter().flat_map(|key| ["--set", key]).collect();
    let mut arguments = vec!["train", "--config", "tiny.toml", "--run", "killed", "--steps", "1000000"];
    arguments.extend(&always);
    let mut moment = 12_345u64;
    let mut reached = Vec::new();
    // On a busy machine many a kill comes before the first checkpoint.
    for kill in 0..100 {
        if kill >= 20 && reached.len() >= 10 {
            break;
        }
        let mut child = bench.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // A linear congruence: other moments every time, the same in every test run.
        moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_millis(150 + (moment >> 33) % 400));
        child.kill().unwrap();
        child.wait().unwrap();
        if kill > 0 || bench.path("killed/config.toml").exists() {
            arguments = vec!["train", "--resume", "killed", "--steps", "1000000"];
        }
        let said = bench.run(&["sample", "killed", "-n", "1", "-o", "one.npy"]);
        if said.status.success() {
            let text = String::from_utf8(said.stdout).unwrap();
            let step = text.trim().rsplit(' ').next().unwrap().replace(',', "");
            reached.push(step.parse::<u64>().unwrap());
        } else {
            let text = String::from_utf8(said.stderr).unwrap();
            assert!(reached.is_empty() && text.contains("there is no checkpoint"), "{text}");
        }
    }
    assert!(reached.len() >= 10 && reached.is_sorted(), "{reached:?}");
    let last = *reached.last().unwrap() + 3;
    println!("steps reached at the kills: {reached:?}");
    bench.ok(&["train", "--resume", "killed", "--steps", &last.to_string(), "--quiet"]);
    let text = last.to_string();
    let mut calm = vec!["--steps", &text];
    calm.extend(&always);
    bench.train("calm", &calm);
    assert_eq!(bench.weights("killed"), bench.weights("calm"));
    let steps = |run: &str| -> Vec<u64> {
        let log = events(&bench.path(run));
        log.iter().filter(|e| e["event"] == "step").map(|e| e["step"].as_u64().unwrap()).collect()
    };
    assert_eq!(steps("killed"), steps("calm"));
    let epochs = |run: &str| -> Vec<u64> {
        let log = events(&bench.path(run));
        log.iter().filter(|e| e["event"] == "epoch").map(|e| e["epoch"].as_u64().unwrap()).collect()
    };
    assert_eq!(epochs("killed"), epochs("calm"));
    let names = |run: &str, folder: &str| {
        let entries = std::fs::read_dir(bench.path(run).join(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name()).collect();
        // What a kill leaves unfinished is no loss.
        // Nor is the best on schedule, which makes way for a better one at the end.
        let beside = [".old", ".part", ".on-schedule"];
        names.retain(|name| !beside.iter().any(|ending| name.to_string_lossy().ends_with(ending)));
        names.sort();
        names
    };
    assert_eq!(names("killed", "checkpoints"), names("calm", "checkpoints"));
    assert_eq!(names("killed", "samples"), names("calm", "samples"));
}
