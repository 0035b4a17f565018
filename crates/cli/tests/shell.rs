//! What an installation puts beside the command: completions for shells, manual pages.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::process::{Command, Stdio};

use common::{Bench, subcommands};

/// What `program` says of the text `given` to it; nothing where it isn't installed.
fn judged_by(program: &str, arguments: &[&str], given: &str) -> Option<String> {
    use std::io::Write;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        eprintln!("skipped: {program} isn't installed");
        return None;
    };
    let mut input = child.stdin.take().unwrap();
    let text = given.to_owned();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program}: {error}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned() + &error)
}

#[test]
fn completions_know_every_subcommand() {
    let bench = Bench::new();
    let names = subcommands(&bench);
    assert!(names.len() >= 11 && names.iter().any(|name| name == "train"), "{names:?}");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = bench.ok(&["completions", shell]);
        for word in names.iter().map(String::as_str).chain(["--preset", "--resume"]) {
            // fish's scripts have long options without the dashes.
            assert!(script.contains(word.trim_start_matches('-')), "{shell}: {word}");
        }
    }
    let error = bench.fails(&["completions", "cmd"], 2);
    assert!(error.contains("possible values: bash"), "{error}");
}

#[test]
fn bash_completes() {
    let bench = Bench::new();
    let mut script = bench.ok(&["completions", "bash"]);
    script +=
        "\nCOMP_WORDS=(faussaire tr); COMP_CWORD=1; _faussaire faussaire tr faussaire; echo \"${COMPREPLY[@]}\"\n";
    script += "COMP_WORDS=(faussaire train --pres); COMP_CWORD=2; _faussaire faussaire --pres train; echo \"${COMPREPLY[@]}\"\n";
    if let Some(said) = judged_by("bash", &["--norc"], &script) {
        assert_eq!(said, "train\n--preset\n");
    }
}

#[test]
fn every_subcommand_has_a_manual_page() {
    let bench = Bench::new();
    let page = bench.ok(&["man"]);
    assert!(page.contains(".TH faussaire 1") && page.contains(".SH SYNOPSIS"), "{page}");
    bench.ok(&["man", "share/man1"]);
    let folder = bench.path("share/man1");
    assert_eq!(fs::read_to_string(folder.join("faussaire.1")).unwrap(), page);
    for name in subcommands(&bench) {
        let page = fs::read_to_string(folder.join(format!("faussaire-{name}.1"))).unwrap();
        assert!(page.contains(&format!(".TH faussaire-{name} 1")), "{page}");
    }
    let train = fs::read_to_string(folder.join("faussaire-train.1")).unwrap();
    if let Some(complaints) = judged_by("groff", &["-man", "-Tutf8", "-ww", "-z"], &train) {
        assert_eq!(complaints, "");
    }
    fs::write(bench.path("taken"), "").unwrap();
    let error = bench.fails(&["man", "taken"], 1);
    assert!(error.contains("taken"), "{error}");
}
