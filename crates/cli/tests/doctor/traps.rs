//! Mistakes that are remarked on before step 1, trained all the same: what the doctor says then has to agree with the
//! remark, and where such a run learns in spite of it, nothing is found in it.

use faussaire::Recipe;
use faussaire::recipe::Images;

use crate::common::{Bench, events};
use crate::{Case, Outcome, fails, find, thrives};

/// Layers of D that end in these.
macro_rules! ends_in {
    ($ending:literal) => {
        concat!(
            "discriminator.layers=[\"conv 8 4x4 stride 2\", \"leakyrelu 0.2\", \"conv 16 4x4 stride 2\", \"leakyrelu 0.2\", ",
            "\"flatten\", \"dense 1\", ",
            $ending,
            "]"
        )
    };
}

/// One learning rate for both nets.
macro_rules! rates {
    ($rate:literal) => {
        [concat!("generator.adam.learning_rate=", $rate), concat!("discriminator.adam.learning_rate=", $rate)]
    };
}

/// A mistake and the remark on it.
struct Trap {
    case: Case,
    remark: &'static str,
}

/// Few enough that a batch of 60 is most of them.
const FEW: usize = 100;

const fn trap(remark: &'static str, case: Case) -> Trap {
    Trap { case, remark }
}

const TRAPS: [Trap; 15] = [
    trap(
        "joint-batchnorm",
        fails(
            "batch normalisation in D, one batch",
            "strokes",
            "joint-batchnorm",
            &[
                "train.joint_batch=true",
                "discriminator.layers=[\"conv 8 4x4 stride 2\", \"batchnorm\", \"leakyrelu 0.2\", \"conv 16 4x4 stride 2\", \
                 \"batchnorm\", \"leakyrelu 0.2\", \"flatten\", \"dense 1\", \"sigmoid\"]",
            ],
        ),
    ),
    trap("bounded-scores", fails("D ends in relu", "strokes", "dead-discriminator", &[ends_in!("\"relu\"")])),
    trap(
        "bounded-scores",
        fails(
            "D ends in relu",
            "ring",
            "dead-discriminator",
            &[
                "train.loss=nonsaturating",
                "train.penalties={}",
                "discriminator.layers=[\"dense 32 init he\", \"leakyrelu 0.2\", \"dense 32 init he\", \"leakyrelu 0.2\", \
                 \"dense 1\", \"relu\"]",
            ],
        ),
    ),
    trap(
        "bounded-scores",
        fails("D ends in two sigmoids", "strokes", "dead-discriminator", &[ends_in!("\"sigmoid\", \"sigmoid\"")]),
    ),
    trap("bounded-scores", thrives("D ends in tanh", "strokes", &[ends_in!("\"tanh\"")])),
    trap(
        "zeros",
        fails(
            "D begins at zero",
            "strokes",
            "dead-discriminator",
            &[
                "discriminator.layers=[\"conv 8 4x4 stride 2 init zeros\", \"leakyrelu 0.2\", \"conv 16 4x4 stride 2\", \
               \"leakyrelu 0.2\", \"flatten\", \"dense 1 init zeros\", \"sigmoid\"]",
            ],
        ),
    ),
    trap(
        "sigmoid-unused",
        thrives(
            "sigmoid with a Wasserstein loss",
            "strokes",
            &["train.loss=wasserstein", "train.penalties={ wgan-gp = 10.0 }", "train.n_critic=2"],
        ),
    ),
    trap(
        "dropout",
        fails(
            "dropout of 0.95 in D",
            "strokes",
            "helpless-discriminator",
            &[
                "discriminator.layers=[\"conv 8 4x4 stride 2\", \"leakyrelu 0.2\", \"conv 16 4x4 stride 2\", \"leakyrelu 0.2\", \
                 \"flatten\", \"dropout 0.95\", \"dense 1\", \"sigmoid\"]",
            ],
        ),
    ),
    trap(
        "light-penalty",
        thrives(
            "WGAN-GP, weight 1e-6",
            "strokes",
            &["train.loss=wasserstein", "train.penalties={ wgan-gp = 1e-6 }", "train.n_critic=2"],
        ),
    ),
    trap("small-batch", thrives("batch of 1", "strokes", &["train.batch=1"])),
    trap("large-batch", thrives("batch of 60 of 100", "strokes", &["train.batch=60", "data.count=100"])),
    trap("high-rates", thrives("both rates 10 times too high", "strokes", &rates!("1e-2"))),
    trap("high-rates", fails("both rates 100 times too high", "strokes", "rates-too-high", &rates!("1e-1"))),
    trap("high-rates", fails("both rates 10 times too high", "ring", "rates-too-high", &rates!("2e-2"))),
    trap("high-rates", fails("both rates 100 times too high", "ring", "rates-too-high", &rates!("2e-1"))),
];

impl Trap {
    /// Trains it for `steps`, or as long as its recipe says, and checks what is said before step 1 and at the end.
    fn train(&self, bench: &Bench, run: &str, seed: u64, steps: Option<&str>) -> Outcome {
        let case = &self.case;
        let path = format!("{}/tests/doctor/{}.toml", env!("CARGO_MANIFEST_DIR"), case.base);
        let changes: Vec<String> = case.set.iter().map(ToString::to_string).collect();
        let recipe = Recipe::parse(&std::fs::read_to_string(path).unwrap(), case.base, &changes).unwrap();
        let remarks = recipe.remarks(Images::Count(FEW)).unwrap();
        let remark = remarks.iter().find(|remark| remark.name == self.remark).unwrap();
        let more: Vec<&str> = steps.map_or(Vec::new(), |steps| vec!["--steps", steps]);
        let outcome = case.train(bench, run, seed, &more).unwrap();
        let (name, said) = (case.name, &outcome.said);
        let (before, finding) = (said.find(&format!("remark: {}", remark.what)), said.find("doctor, step"));
        assert!(before.is_some() && (finding.is_none() || finding > before), "{name}: {said}");
        outcome
    }

    /// Whether the doctor said of the run what it should have, in the first half of its steps.
    fn is_right(&self, outcome: &Outcome) -> bool {
        let found: Vec<&str> = outcome.findings.iter().map(|(name, _)| name.as_str()).collect();
        match self.case.expected {
            None => found.is_empty() && outcome.said.contains("nothing to report"),
            // A run may diverge after that; nothing else is named beside the cause.
            Some(expected) => {
                found[..1] == [expected]
                    && found[1..].iter().all(|name| *name == "diverged")
                    && 2 * outcome.findings[0].1 <= outcome.steps
            }
        }
    }
}

fn check(cases: &[(&str, &str, &str)]) {
    let bench = Bench::new();
    for (at, (name, base, steps)) in cases.iter().enumerate() {
        let trap = TRAPS.iter().find(|trap| trap.case.name == *name && trap.case.base == *base).unwrap();
        let outcome = trap.train(&bench, &at.to_string(), 0, Some(steps));
        assert!(trap.is_right(&outcome), "{name} ({base}): {:?}, {}", outcome.findings, outcome.said);
    }
}

#[test]
fn what_is_remarked_on_and_fails_is_named() {
    check(&[
        ("batch normalisation in D, one batch", "strokes", "300"),
        ("D ends in relu", "ring", "400"),
        ("D begins at zero", "strokes", "200"),
        ("dropout of 0.95 in D", "strokes", "300"),
        ("both rates 100 times too high", "strokes", "150"),
        ("both rates 100 times too high", "ring", "400"),
    ]);
}

#[test]
fn what_is_remarked_on_and_learns_is_left_alone() {
    check(&[("batch of 1", "strokes", "400"), ("D ends in tanh", "strokes", "250")]);
}

#[test]
fn a_batch_of_one_does_not_show_variety() {
    let bench = Bench::new();
    bench.train("one", &["--batch", "1", "--steps", "220"]);
    let said = bench.ok(&["doctor", "one"]);
    assert!(said.contains("batches of one image don't show how much images differ"), "{said}");
    assert!(said.contains("\nremark: each update sees a single image"), "{said}");
}

#[test]
fn a_step_of_more_than_a_minute_is_remarked_on_before_it() {
    let bench = Bench::new();
    // Some 1e14 operations per step, without any training.
    let output = bench.run(&[
        "train",
        "--preset",
        "tp",
        "--batch",
        "60000",
        "--dry-run",
        "--set",
        "data.source=strokes",
        "--set",
        "data.count=60000",
    ]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("remark: a step with a batch of 60,000"), "{said}");
    assert!(said.contains("on this machine\n  try: use smaller batches: --set train.batch="), "{said}");
}

#[test]
fn runs_that_only_time_ends_are_examined_too() {
    let bench = Bench::new();
    let limit = ["--set", "train.steps=0", "--time", "4s"];
    let outcome = find("no noise", "ring").train(&bench, "failing", 0, &limit).unwrap();
    assert_eq!(outcome.steps, 0, "unknown");
    assert_eq!(outcome.findings.first().map(|(name, _)| name.as_str()), Some("collapse"), "{}", outcome.said);
    // How far they come hangs on the machine; what is said, on that.
    for time in ["4s", "0.01s"] {
        let limit = ["--set", "train.steps=0", "--time", time];
        let healthy = find("ring", "ring").train(&bench, time, 0, &limit).unwrap();
        let last = events(&bench.path(time)).iter().filter_map(|event| event["step"].as_u64()).max().unwrap();
        let expected = match last {
            ..200 => "the doctor has not seen enough yet: it can tell from step 200 on",
            _ => "nothing to report",
        };
        assert!(healthy.findings.is_empty() && healthy.said.contains(expected), "{last}: {}", healthy.said);
    }
}

#[test]
#[ignore = "minutes: all mistakes with a remark, three seeds each"]
fn the_whole_table_of_mistakes() {
    let bench = Bench::new();
    let mut wrong = Vec::new();
    println!(
        "| recipe | data | remark | expected | named, at step (share of the run) |\n| --- | --- | --- | --- | --- |"
    );
    for (at, trap) in TRAPS.iter().enumerate() {
        let Trap { case, remark } = trap;
        for seed in 0..3 {
            let outcome = trap.train(&bench, &format!("{at}-{seed}"), seed, None);
            let share = |step: u64| 100.0 * step as f64 / outcome.steps as f64;
            let words: Vec<String> =
                outcome.findings.iter().map(|(name, step)| format!("{name} {step} ({:.0}%)", share(*step))).collect();
            let (expected, words) = (case.expected.unwrap_or("nothing"), words.join(", "));
            println!("| {} | {} | {remark} | {expected} | {words} |", case.name, case.base);
            if !trap.is_right(&outcome) {
                wrong.push(format!("{} on {}, seed {seed}: {words}", case.name, case.base));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
