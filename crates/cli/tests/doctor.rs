//! Planned failures: recipes made to fail are named by the doctor within the first fifth of their steps, healthy ones are
//! left alone, and `--heal` turns failures into runs like the healthy ones. The recipes are four small healthy ones
//! (tests/doctor/*.toml) and what a failure changes in them; those that get a remark before step 1 are in
//! tests/doctor/traps.rs. CI runs some; the whole tables, whose outcome stands in docs/results/doctor.md:
//!
//!     cargo test --release --test doctor --locked -- --ignored --nocapture --test-threads 1

#![allow(clippy::unwrap_used)]

mod common;
#[path = "doctor/traps.rs"]
mod traps;

use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Bench, events};

/// A healthy recipe with some keys changed, and what the doctor should call it.
struct Case {
    name: &'static str,
    base: &'static str,
    set: &'static [&'static str],
    expected: Option<&'static str>,
}

const fn fails(name: &'static str, base: &'static str, expected: &'static str, set: &'static [&'static str]) -> Case {
    Case { name, base, set, expected: Some(expected) }
}

const fn thrives(name: &'static str, base: &'static str, set: &'static [&'static str]) -> Case {
    Case { name, base, set, expected: None }
}

/// Layers that start at zero and stay there: whatever the noise, nothing comes through.
const DEAF: &str = "generator.layers=[\"dense 7*7*16 init zeros\", \"reshape 7 7 16\", \"batchnorm\", \"leakyrelu 0.2\", \"upsample 2\", \
                    \"conv 12 3x3 init zeros\", \"batchnorm\", \"leakyrelu 0.2\", \"upsample 2\", \"conv 1 5x5\", \"sigmoid\"]";
const DEAF_POINTS: &str = "generator.layers=[\"dense 32 init zeros\", \"leakyrelu 0.2\", \"dense 32 init zeros\", \
                           \"leakyrelu 0.2\", \"dense 2\"]";
/// Without batch normalisation, which hides a learning rate that is too high.
const PLAIN: &str = "generator.layers=[\"dense 7*7*16\", \"reshape 7 7 16\", \"leakyrelu 0.2\", \"upsample 2\", \"conv 12 3x3\", \
                     \"leakyrelu 0.2\", \"upsample 2\", \"conv 1 5x5\", \"sigmoid\"]";
/// Dense nets, which learn ten images by heart.
const DENSE: [&str; 2] = [
    "generator.layers=[\"dense 128\", \"leakyrelu 0.2\", \"dense 784\", \"reshape 28 28 1\", \"sigmoid\"]",
    "discriminator.layers=[\"flatten\", \"dense 128\", \"leakyrelu 0.2\", \"dense 1\"]",
];
const TEN: [&str; 7] = [
    "data.count=10",
    "train.batch=10",
    "train.sheet_every=50",
    "train.steps=6000",
    "train.penalties={ r1 = 0.1 }",
    DENSE[0],
    DENSE[1],
];

const FAILING: [Case; 18] = [
    fails(
        "D far too strong",
        "strokes",
        "overpowering-discriminator",
        &["discriminator.adam.learning_rate=1e-2", "generator.adam.learning_rate=1e-4", "train.n_critic=3"],
    ),
    fails(
        "D far too strong",
        "ring",
        "overpowering-discriminator",
        &[
            "train.loss=nonsaturating",
            "train.penalties={}",
            "discriminator.adam.learning_rate=2e-2",
            "generator.adam.learning_rate=1e-5",
            "train.n_critic=5",
        ],
    ),
    fails("D far too weak", "strokes", "helpless-discriminator", &["discriminator.adam.learning_rate=1e-7"]),
    fails("D far too weak", "ring", "helpless-discriminator", &["discriminator.adam.learning_rate=1e-7"]),
    fails("G's rate too high", "strokes", "restless-generator", &["generator.adam.learning_rate=0.2", PLAIN]),
    fails("G's rate too high", "ring", "restless-generator", &["generator.adam.learning_rate=0.2"]),
    fails("latent of 1", "strokes", "narrow-latent", &["latent=1"]),
    fails("latent of 1", "mnist", "narrow-latent", &["latent=1"]),
    fails("no noise", "strokes", "collapse", &[DEAF]),
    fails("no noise", "ring", "collapse", &[DEAF_POINTS]),
    fails(
        "NaN on purpose",
        "strokes",
        "diverged",
        &["train.loss=least-squares", "generator.adam.learning_rate=10", "discriminator.adam.learning_rate=10"],
    ),
    fails(
        "NaN on purpose",
        "ring",
        "diverged",
        &[
            "train.loss=least-squares",
            "train.penalties={}",
            "generator.adam.learning_rate=10",
            "discriminator.adam.learning_rate=10",
        ],
    ),
    fails("D not frozen", "strokes", "unfrozen-discriminator", &["train.sabotage=d-not-frozen"]),
    fails("G's labels 0", "strokes", "reversed-generator", &["train.sabotage=g-labels-0"]),
    fails("D not frozen", "mnist", "unfrozen-discriminator", &["train.sabotage=d-not-frozen"]),
    fails("ten images", "strokes", "copying", &TEN),
    fails("ten images", "mnist", "copying", &TEN),
    fails(
        "48 images, 12 held out",
        "strokes",
        "overfitting",
        &["data.count=60", "train.held_out=0.2", "generator.adam.learning_rate=1e-3", DENSE[1]],
    ),
];

const HEALTHY: [Case; 11] = [
    thrives("ring", "ring", &[]),
    thrives(
        "ring, wgan-gp",
        "ring",
        &["train.loss=wasserstein", "train.penalties={ wgan-gp = 1.0 }", "train.n_critic=3"],
    ),
    thrives("grid", "grid", &[]),
    thrives("strokes", "strokes", &[]),
    thrives("strokes, hinge", "strokes", &["train.loss=hinge"]),
    thrives("strokes, least squares", "strokes", &["train.loss=least-squares"]),
    thrives(
        "strokes, wgan-gp",
        "strokes",
        &["train.loss=wasserstein", "train.penalties={ wgan-gp = 10.0 }", "train.n_critic=2"],
    ),
    thrives("strokes, relativistic", "strokes", &["train.loss=relativistic", "train.penalties={ r1 = 1.0, r2 = 1.0 }"]),
    thrives("strokes, held out", "strokes", &["train.held_out=0.1"]),
    thrives("mnist", "mnist", &[]),
    thrives("mnist, relativistic", "mnist", &["train.loss=relativistic", "train.penalties={ r1 = 1.0, r2 = 1.0 }"]),
];

/// What a run left.
struct Outcome {
    steps: u64,
    /// Names and steps of what was found, the first and gravest first.
    findings: Vec<(String, u64)>,
    heals: usize,
    score: f64,
    /// What was printed, what is on stderr first.
    said: String,
}

impl Case {
    /// Trains it as `run`; none where its data isn't there.
    fn train(&self, bench: &Bench, run: &str, seed: u64, more: &[&str]) -> Option<Outcome> {
        let data = std::env::var_os("FAUSSAIRE_DATA");
        if self.base == "mnist" && data.is_none() {
            println!("skipped: {} wants MNIST in $FAUSSAIRE_DATA", self.name);
            return None;
        }
        let config = format!("{}/tests/doctor/{}.toml", env!("CARGO_MANIFEST_DIR"), self.base);
        let seed = seed.to_string();
        let mut arguments = vec!["train", "--config", &config, "--run", run, "--seed", &seed, "--threads", "1"];
        // What a wild run comes to hangs on its last digits: the same ones on every machine.
        arguments.extend(["--precision", "f32"]);
        arguments.extend(self.set.iter().flat_map(|set| ["--set", *set]));
        arguments.extend(more);
        let mut command = bench.command(&arguments);
        if let Some(data) = data {
            command.env("FAUSSAIRE_DATA", data);
        }
        let output = command.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        // A loss that is no number ends a run, with a clear error.
        let diverged = error.contains("error: ") && error.contains("loss is") && error.contains("hint: ");
        assert!(output.status.success() || diverged, "{arguments:?}: {error}");
        let log = events(&bench.path(run));
        let of = |kind: &str| log.iter().filter(|e| e["event"] == kind).cloned().collect::<Vec<_>>();
        let findings = of("finding");
        let named = findings.iter().map(|f| (f["name"].as_str().unwrap().to_owned(), f["step"].as_u64().unwrap()));
        let deciding = |e: &&serde_json::Value| {
            ["sliced", "missing-and"].iter().any(|name| e["name"].as_str().unwrap().starts_with(name))
        };
        Some(Outcome {
            steps: of("start")[0]["steps"].as_u64().unwrap(),
            findings: named.collect(),
            heals: of("heal").len(),
            score: of("score").iter().rfind(deciding).map_or(f64::NAN, |e| e["value"].as_f64().unwrap()),
            said: error.into_owned() + &String::from_utf8_lossy(&output.stdout),
        })
    }

    /// Whether the doctor said of the run what it should have, in time.
    fn is_right(&self, outcome: &Outcome) -> bool {
        match (self.expected, outcome.findings.first()) {
            (None, None) => true,
            (Some(expected), Some((name, step))) => expected == name && step * 5 <= outcome.steps,
            _ => false,
        }
    }
}

fn find(name: &str, base: &str) -> &'static Case {
    FAILING.iter().chain(&HEALTHY).find(|case| case.name == name && case.base == base).unwrap()
}

/// Trains some cases over so few steps that CI has the time, and expects the right word on each.
fn check(cases: &[(&str, &str)], steps: &str, seed: u64) {
    let bench = Bench::new();
    for (at, (name, base)) in cases.iter().enumerate() {
        let (case, run) = (find(name, base), at.to_string());
        let Some(outcome) = case.train(&bench, &run, seed, &["--steps", steps]) else { continue };
        println!("{name} ({base}): {:?}", outcome.findings);
        assert!(case.is_right(&outcome), "{name} ({base}): {:?}, expected {:?}", outcome.findings, case.expected);
    }
}

#[test]
fn failures_on_points_are_named_in_time() {
    let names = ["D far too strong", "D far too weak", "G's rate too high", "no noise", "NaN on purpose"];
    check(&names.map(|name| (name, "ring")), "1600", 3);
}

#[test]
fn failures_on_images_are_named_in_time() {
    check(&[("latent of 1", "strokes")], "500", 3);
    // Wild enough from the first steps on that it doesn't hang on last digits, as it does with half of the seeds.
    check(&[("G's rate too high", "strokes")], "500", 0);
}

#[test]
fn a_discriminator_that_is_not_frozen_is_named() {
    let bench = Bench::new();
    let outcome = find("D not frozen", "strokes").train(&bench, "class", 3, &["--steps", "200"]).unwrap();
    let found: Vec<&str> = outcome.findings.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(found, ["unfrozen-discriminator"], "{}", outcome.said);
    let said = bench.ok(&["doctor", "class"]);
    assert!(
        said.contains("isn't frozen") && said.contains("try: freeze the discriminator in the generator's step"),
        "{said}"
    );
}

#[test]
fn healthy_runs_are_left_alone() {
    check(&[("ring", "ring"), ("grid", "grid")], "1500", 3);
    check(&[("strokes", "strokes")], "500", 3);
}

/// The changes of all heals in a log.
fn healed(bench: &Bench, run: &str) -> Vec<String> {
    let heals = events(&bench.path(run)).into_iter().filter(|e| e["event"] == "heal");
    heals.map(|e| format!("{} {} {}", e["step"], e["back_to"], e["set"])).collect()
}

#[test]
fn a_healed_run_can_be_repeated_and_resumed_bit_for_bit() {
    let bench = Bench::new();
    let case = find("G's rate too high", "ring");
    for run in ["one", "two"] {
        case.train(&bench, run, 1, &["--steps", "1000", "--heal"]).unwrap();
    }
    let heals = healed(&bench, "one");
    assert!(!heals.is_empty());
    assert_eq!(heals, healed(&bench, "two"));
    assert_eq!(bench.weights("one"), bench.weights("two"));
    let recipe = |name: &str| std::fs::read_to_string(bench.path("one").join(name)).unwrap();
    assert!(recipe("config.first.toml").contains("rate = 0.2") && !recipe("config.toml").contains("rate = 0.2"));

    // Killed again and again, with a checkpoint after every step, it comes out the same.
    let config = format!("{}/tests/doctor/ring.toml", env!("CARGO_MANIFEST_DIR"));
    let mut arguments =
        vec!["train", "--config", &config, "--run", "killed", "--seed", "1", "--steps", "1000", "--heal"];
    arguments.extend(["--precision", "f32", "--threads", "1", "--set", "train.save_every=0"]);
    arguments.extend(case.set.iter().flat_map(|set| ["--set", *set]));
    for _ in 0..6 {
        let mut child = bench.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(900));
        child.kill().unwrap();
        child.wait().unwrap();
        arguments = vec!["train", "--resume", "killed", "--threads", "1", "--quiet"];
    }
    bench.ok(&arguments);
    assert_eq!(healed(&bench, "killed"), heals);
    assert_eq!(bench.weights("killed"), bench.weights("one"));
}

#[test]
fn a_log_read_again_says_the_same() {
    let bench = Bench::new();
    find("no noise", "ring").train(&bench, "mine", 0, &["--steps", "1000"]).unwrap();
    let said = bench.ok(&["doctor", "mine", "--json"]);
    let again: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut logged = events(&bench.path("mine"));
    logged.retain(|e| e["event"] == "finding");
    logged.iter_mut().for_each(|e| drop(e.as_object_mut().unwrap().remove("event")));
    assert_eq!(again, logged);
    let text = bench.ok(&["doctor", "mine"]);
    assert!(text.contains("try: ") && text.contains("--set "), "{text}");
    // A healthy run has no findings; before it is examined, its health is not claimed.
    bench.train("calm", &["--heal"]);
    let text = bench.ok(&["doctor", "calm"]);
    assert!(
        text.contains("too short for the doctor: it can tell from step 200 on, and the run has 12 steps"),
        "{text}"
    );
    find("ring", "ring").train(&bench, "long", 3, &["--steps", "1500"]).unwrap();
    assert!(bench.ok(&["doctor", "long"]).contains("nothing to report"));
}

#[test]
#[ignore = "a quarter of an hour: the whole table of planned failures and healthy runs"]
fn the_whole_table() {
    let began = Instant::now();
    let bench = Bench::new();
    let mut wrong = Vec::new();
    println!(
        "| recipe | data | expected | named first, at step (share of the run) | also |\n| --- | --- | --- | --- | --- |"
    );
    for (at, case) in FAILING.iter().chain(&HEALTHY).enumerate() {
        for seed in 0..3 {
            let Some(outcome) = case.train(&bench, &format!("{at}-{seed}"), seed, &[]) else { continue };
            let words: Vec<String> = (outcome.findings.iter())
                .map(|(name, step)| format!("{name} {step} ({:.0}%)", 100.0 * *step as f64 / outcome.steps as f64))
                .collect();
            let first = words.first().map_or("nothing", String::as_str);
            let also = words.get(1..).unwrap_or_default().join(", ");
            println!("| {} | {} | {} | {first} | {also} |", case.name, case.base, case.expected.unwrap_or("nothing"));
            if !case.is_right(&outcome) {
                wrong.push(format!("{} on {}, seed {seed}: {words:?}", case.name, case.base));
            }
        }
    }
    println!("{:.0} s", began.elapsed().as_secs_f64());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Failing recipes that `--heal` should turn into runs like the healthy one, which stands first in each row.
#[test]
#[ignore = "minutes: final scores of healed runs beside those of healthy ones"]
fn healed_runs_reach_the_healthy_score() {
    let bench = Bench::new();
    let squares = &["train.loss=least-squares"];
    let slow = &["generator.adam.learning_rate=1e-3", PLAIN];
    let rows: [(&str, &str, &[&str]); 5] = [
        ("latent of 1", "strokes", &[]),
        ("no noise", "strokes", &[]),
        ("D far too weak", "strokes", &[]),
        ("NaN on purpose", "strokes", squares),
        ("G's rate too high", "strokes", slow),
    ];
    println!("| recipe | seed | healthy | failing | healed | heals |\n| --- | --- | --- | --- | --- | --- |");
    let mut good = 0;
    for (at, (name, base, healthy)) in rows.iter().enumerate() {
        let mut within = 0;
        for seed in 0..3 {
            let case = find(name, base);
            let calm = Case { name: "healthy", base, set: healthy, expected: None };
            let run = |what: &str| format!("{what}-{at}-{seed}");
            let reference = calm.train(&bench, &run("healthy"), seed, &[]).unwrap();
            let failing = case.train(&bench, &run("failing"), seed, &[]).unwrap();
            let healed = case.train(&bench, &run("healed"), seed, &["--heal"]).unwrap();
            println!(
                "| {name} | {seed} | {:.4} | {:.4} | {:.4} | {} |",
                reference.score, failing.score, healed.score, healed.heals
            );
            within += usize::from(healed.score <= 1.2 * reference.score);
        }
        good += usize::from(within == 3);
    }
    assert!(good >= 3, "{good} recipes were healed on all seeds");
}
