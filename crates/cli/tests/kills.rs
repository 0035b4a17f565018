//! Trainings that are killed and stopped at random instants, and resumed until they are complete, come to the bits of a calm one:
//! with each option that changes what a training carries from step to step.
//!
//! A run of the tests tries a few instants; `KILLS=100` tries as many with each option:
//!
//!     KILLS=100 cargo test --release -p faussaire --test kills -- --nocapture

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::Bench;
use common::numbers::Numbers;
use common::run_state::{difference, run_state};

/// How many instants a run of the tests tries with each option.
const TRIED: u64 = 3;

/// After N signals in one training the next ones come later, so that it makes progress.
const PATIENCE: u64 = 12;

/// Counts of what was tried.
#[derive(Default)]
struct Tried {
    trainings: u64,
    kills: u64,
    terminated: u64,
    interrupted: u64,
    twice: u64,
    /// Signals that came when the training was complete already.
    late: u64,
}

impl Tried {
    fn signals(&self) -> u64 {
        self.kills + self.terminated + self.interrupted + self.twice
    }
}

/// Trains with `arguments` calmly, then again and again under signals.
fn compare(name: &str, arguments: &str, steps: u64) {
    let bench = Bench::new();
    photos(&bench);
    let length = steps.to_string();
    let start = |run: &str| -> Vec<String> {
        let rest = format!("{arguments} --quiet --threads 1 --run {run} --steps {length}");
        ["train"].into_iter().chain(rest.split(' ')).map(str::to_owned).collect()
    };
    let plain = |arguments: &[String]| bench.ok(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    // Once for the caches, and once for the time that it takes with them.
    plain(&start("calm"));
    let expected = run_state(&bench.path("calm"));
    fs::remove_dir_all(bench.path("calm")).unwrap();
    let began = Instant::now();
    plain(&start("calm"));
    let whole = began.elapsed().as_secs_f64();
    assert_eq!(difference(&run_state(&bench.path("calm")), &expected), "", "{name}: two calm trainings");
    let goal = std::env::var("KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(TRIED);
    let (mut numbers, mut tried) =
        (Numbers(name.bytes().fold(goal, |seed, byte| seed * 31 + u64::from(byte))), Tried::default());
    while tried.signals() < goal {
        let _ = fs::remove_dir_all(bench.path("mine"));
        let mut signals = 0;
        loop {
            let has_run = bench.path("mine/config.toml").is_file();
            let resume = ["train", "--resume", "mine", "--quiet", "--threads", "1", "--steps", &length];
            let next = if has_run { resume.map(str::to_owned).to_vec() } else { start("mine") };
            if tried.signals() >= goal {
                plain(&next);
                break;
            }
            let patience = 1.0 + (signals / PATIENCE) as f64;
            let delay = Duration::from_secs_f64((0.01 + numbers.share() * whole * 0.4) * patience);
            let is_complete = disturbed(&bench, &next, delay, numbers.next(), &mut tried);
            signals += 1;
            if is_complete {
                break;
            }
        }
        tried.trainings += 1;
        let found = difference(&run_state(&bench.path("mine")), &expected);
        assert_eq!(found, "", "{name}: after {signals} signals, goal {goal}");
        bench.ok(&["doctor", "mine"]);
        let left = common::run_state::names(&bench.path("mine"));
        assert!(left.iter().all(|name| !name.ends_with(".damaged.jsonl")), "{name}: {left:?}");
    }
    println!(
        "{name}: {} trainings with {} SIGKILL, {} SIGTERM, {} SIGINT and {} of two SIGINT in a row ({} more signals came too \
         late), each equal to the calm one",
        tried.trainings, tried.kills, tried.terminated, tried.interrupted, tried.twice, tried.late
    );
}

/// Starts a training and gives it a signal after `delay`. Whether it was complete before.
fn disturbed(bench: &Bench, arguments: &[String], delay: Duration, which: u64, tried: &mut Tried) -> bool {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let log = fs::File::create(bench.path("stderr")).unwrap();
    let mut child = bench.command(&arguments).stdout(Stdio::null()).stderr(log).spawn().unwrap();
    std::thread::sleep(delay);
    let said = || fs::read_to_string(bench.path("stderr")).unwrap();
    if let Some(status) = child.try_wait().unwrap() {
        assert!(status.success(), "{arguments:?}: {}", said());
        tried.late += 1;
        return true;
    }
    let signal = |name: &str| {
        // It may have ended by now.
        let _ = Command::new("kill").args(["-s", name, &child.id().to_string()]).stderr(Stdio::null()).status();
    };
    let (count, allowed) = match which % 8 {
        0..4 => {
            signal("KILL");
            (&mut tried.kills, vec![None])
        }
        4 | 5 => {
            signal("TERM");
            (&mut tried.terminated, vec![Some(0), Some(130), None])
        }
        6 => {
            signal("INT");
            (&mut tried.interrupted, vec![Some(0), Some(130), None])
        }
        _ => {
            signal("INT");
            signal("INT");
            (&mut tried.twice, vec![Some(0), Some(130), None])
        }
    };
    *count += 1;
    let status = child.wait().unwrap();
    assert!(status.success() || allowed.contains(&status.code()), "{arguments:?}: {status}: {}", said());
    assert!(!said().contains("panicked") && !said().contains("warning"), "{arguments:?}: {}", said());
    false
}

/// Forty images in two classes.
fn photos(bench: &Bench) {
    for at in 0..40u8 {
        let place = bench.path("photos").join(if at % 2 == 0 { "even" } else { "odd" });
        fs::create_dir_all(&place).unwrap();
        image::GrayImage::from_fn(28, 28, |x, y| image::Luma([at * 6 + (x * (at as u32 % 4) + y) as u8]))
            .save(place.join(format!("{at}.png")))
            .unwrap();
    }
}

/// Sheets, scores and kept checkpoints every few steps: kills fall between these as well.
const OFTEN: &str = "--set train.sheet_every=1 --set train.keep_every=2";

#[test]
fn healing() {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/ring.toml");
    let arguments = format!(
        "--config {config} --seed 1 --precision f32 --set discriminator.adam.learning_rate=1e-7 --set train.save_every=0 \
         --heal"
    );
    compare("--heal", &arguments, 400);
}

#[test]
fn judged() {
    let arguments = format!("photos --config tiny.toml --judge {OFTEN}");
    compare("--judge", &arguments, 60);
}

#[test]
fn conditional() {
    let arguments = format!("photos --config tiny.toml --conditional --set train.save_every=0 {OFTEN}");
    compare("--conditional", &arguments, 40);
}

#[test]
fn adaptive_augmentation() {
    let augment = r#"--set train.augment.kinds=["colour","translation"] --set train.augment.target=0.6"#;
    let augment = format!("{augment} --set train.augment.probability=0.2 --set train.augment.reach=400");
    let arguments = format!("photos --config tiny.toml --set train.save_every=0 {augment} {OFTEN}");
    compare("adaptive augmentation", &arguments, 40);
}

#[test]
fn images_held_out() {
    let arguments = format!("photos --config tiny.toml --set train.held_out=0.2 --set train.ema=0.9 {OFTEN}");
    compare("held-out images", &arguments, 80);
}
