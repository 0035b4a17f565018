//! The help of the command and of every subcommand: plain English, readable in a terminal of 100 columns, with examples.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Bench, subcommands};

/// Subcommands whose help ends in examples: all but two that take one word.
const WITHOUT_EXAMPLES: [&str; 2] = ["completions", "man"];

/// Phrases that are not the field's, or not English.
const PHRASES: [&str; 16] = [
    "so many",
    "so long",
    "go on with",
    "goes on",
    "anybody",
    "somebody",
    "whoever",
    "of before",
    "rightly",
    "stands for",
    "Bring images",
    "Say nothing",
    "passes over",
    "looked into",
    "learned from",
    "processor",
];

/// The help of the command, of every subcommand and of `data`'s actions.
fn pages(bench: &Bench) -> Vec<(String, String)> {
    let names = subcommands(bench);
    assert!(names.len() >= 13, "{names:?}");
    let actions = ["list", "fetch", "check", "preview"].map(|action| format!("data {action}"));
    let all = [String::new()].into_iter().chain(names).chain(actions);
    let page = |name: String| {
        let words: Vec<&str> = name.split_whitespace().chain(["--help"]).collect();
        let text = bench.ok(&words);
        (name, text)
    };
    all.map(page).collect()
}

#[test]
fn help_is_plain_and_fits_a_terminal() {
    let bench = Bench::new();
    for (name, text) in pages(&bench) {
        for phrase in PHRASES {
            assert!(!text.contains(phrase), "{name}: {phrase}: {text}");
        }
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= 100, "{name}: a line of {widest} characters: {text}");
        assert!(!text.contains('\u{1b}'), "{name}: escape codes where there is no terminal: {text}");
    }
}

#[test]
fn help_says_where_to_begin_and_shows_examples() {
    let bench = Bench::new();
    let first = bench.ok(&["--help"]);
    assert!(first.contains("New here? `faussaire train`") && first.contains("`faussaire studio`"), "{first}");
    for name in subcommands(&bench) {
        let text = bench.ok(&[&name, "--help"]);
        let examples = text.split("Examples:\n").nth(1).unwrap_or_default();
        let shown = examples.contains(&format!("faussaire {name} ")) || examples.contains(&format!("/{name} "));
        assert!(shown || WITHOUT_EXAMPLES.contains(&name.as_str()), "{name}: {text}");
    }
}

#[test]
fn old_flags_are_still_read() {
    let bench = Bench::new();
    let error = bench.fails(&["serve", "nowhere", "--most", "5"], 1);
    assert!(error.contains("there is no run nowhere"), "{error}");
}
