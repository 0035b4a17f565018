//! What the course's lab needs of the command: checks of its steps, files for a report, mistakes to diagnose.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Bench, events};

#[test]
fn steps_are_checked() {
    let bench = Bench::new();
    assert!(bench.ok(&["summary", "tp", "--check", "1"]).contains("ok     parameters  1,770,625, of which 1,769,601"));
    let said = bench.ok(&["summary", "tiny.toml", "--check", "10"]);
    assert!(said.contains("train the GAN on it") && said.contains("D                      unmoved"), "{said}");
    let error = bench.fails(&["summary", "tiny.toml", "--check", "2"], 1);
    assert!(error.contains("checks of step 2 failed"), "{error}");
    bench.fails(&["summary", "tp", "--check", "11"], 2);
}

#[test]
fn a_report_has_tables_curves_and_pictures() {
    let bench = Bench::new();
    bench.train("mine", &["--steps", "12"]);
    let said = bench.ok(&["report", "mine", "-o", "figures"]);
    for name in ["history.csv", "losses.svg", "losses.png", "epochs.png"] {
        assert!(said.contains(name) && bench.path("figures").join(name).is_file(), "{name}: {said}");
    }
    assert!(bench.fails(&["report", "nothing", "-o", "figures"], 1).contains("nothing"));
}

#[test]
fn a_mistake_is_built_in_and_only_the_key_names_it() {
    let bench = Bench::new();
    assert!(bench.ok(&["train", "--sabotage", "list"]).contains("latent-1"));
    bench.train("plain", &["--steps", "2"]);
    for name in ["d-not-frozen", "g-labels-0"] {
        bench.train(name, &["--steps", "2", "--sabotage", name]);
        assert_ne!(bench.weights(name), bench.weights("plain"), "{name}");
        assert!(bench.ok(&["doctor", name, "--key"]).starts_with(name));
    }
    // Resumed, it goes on.
    bench.train("parts", &["--steps", "1", "--sabotage", "g-labels-0"]);
    bench.ok(&["train", "--resume", "parts", "--steps", "2", "--quiet"]);
    assert_eq!(bench.weights("parts"), bench.weights("g-labels-0"));
    assert!(bench.fails(&["doctor", "plain", "--key"], 2).contains("no mistake was built"));

    let said = bench.train("secret", &["--steps", "2", "--sabotage", "random:5"]);
    let key = bench.ok(&["doctor", "secret", "--key"]);
    let name = key.split(':').next().unwrap();
    let config = std::fs::read_to_string(bench.path("secret/config.toml")).unwrap();
    let log = std::fs::read_to_string(bench.path("secret/events.jsonl")).unwrap();
    assert!(!said.contains(name) && !config.contains(name) && !log.contains(name), "{name}: {said}");
    assert!(!events(&bench.path("secret")).is_empty());

    let error = bench.fails(&["train", "--config", "tiny.toml", "--sabotage", "stride-forgotten"], 2);
    assert!(error.contains("images of"), "{error}");
    assert!(bench.fails(&["train", "--config", "tiny.toml", "--sabotage", "latnt-1"], 2).contains("did you mean"));
}
