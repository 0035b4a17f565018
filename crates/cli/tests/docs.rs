//! Every path that README, ARCHITECTURE.md, CONTRIBUTING.md and the pages under docs/ name or link to exists.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

/// Documents at the top, relative to the repository.
const DOCUMENTS: [&str; 3] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];
/// Documents whose backticked paths are checked, not only their links.
const WITH_PATHS: [&str; 2] = ["ARCHITECTURE.md", "CONTRIBUTING.md"];
/// What a path of the repository ends in, if it names a file.
const ENDINGS: [&str; 9] = [".rs", ".toml", ".md", ".js", ".json", ".py", ".html", ".css", ".sh"];
/// Files of runs, of exports and of this workspace's builds, which documents also name.
const NOT_HERE: [&str; 5] = ["config.toml", "config.first.toml", "state.json", "report.html", "model.py"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What is between backticks in a line.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The targets of a line's links.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// Whether a word between backticks is a path of this repository.
fn is_path(word: &str) -> bool {
    let plain = word.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c));
    let file = ENDINGS.iter().any(|ending| word.ends_with(ending));
    let folder = ["crates/", "docs/", "bench/", "net/", "engines/", "export/", ".ci/", ".github/"];
    plain && !NOT_HERE.contains(&word) && (file || folder.iter().any(|start| word.starts_with(start)))
}

/// `path` below `root`, or below the folder that the section's heading or its last whole path names.
fn exists(root: &Path, bases: &[String], path: &str) -> bool {
    // NAME stands for the file to add: its folder must be there.
    let path = if path.contains("NAME") { path.rsplit_once('/').map_or("", |(folder, _)| folder) } else { path };
    bases.iter().any(|base| root.join(base).join(path).exists())
        // `fprop.rs` of several engines.
        || bases.iter().any(|base| root.join(base).join("engines/direct").join(path).exists())
}

#[test]
fn named_paths_exist() {
    let root = root();
    let mut missing = Vec::new();
    for document in WITH_PATHS {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        let mut bases = vec![String::new()];
        let mut named = 0;
        for line in text.lines() {
            // A heading, or a bold title, that names a folder: the paths below it are relative to that.
            if line.starts_with('#') || line.starts_with("**") {
                bases.truncate(1);
                bases.extend(quoted(line).filter(|word| word.starts_with("crates/")).map(String::from));
            }
            for path in quoted(line).filter(|word| is_path(word)) {
                named += 1;
                if !exists(&root, &bases, path) {
                    missing.push(format!("{document}: {path}"));
                }
            }
        }
        assert!(named > 15, "{document}: only {named} paths were found");
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn links_lead_somewhere() {
    let root = root();
    let pages = ["docs", "docs/decisions", "docs/results", "bench", "bench/parity", "bench/layers"]
        .into_iter()
        .flat_map(|folder| {
            let files = std::fs::read_dir(root.join(folder)).unwrap();
            files.map(|file| file.unwrap().path()).filter(|file| file.extension().is_some_and(|ending| ending == "md"))
        });
    let mut missing = Vec::new();
    for document in DOCUMENTS.iter().map(|name| root.join(name)).chain(pages) {
        let text = std::fs::read_to_string(&document).unwrap();
        for target in
            text.lines().flat_map(links).filter(|target| !target.starts_with("http") && !target.starts_with('#'))
        {
            let file = target.split('#').next().unwrap_or_default();
            if !document.parent().unwrap().join(file).exists() {
                missing.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn the_labs_code_is_that_of_the_examples() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let examples = read("crates/faussaire/examples/lab.rs") + &read("crates/faussaire/examples/sheep.rs");
    let known: Vec<&str> = examples.lines().map(str::trim).collect();
    for page in ["docs/lab.md", "docs/lab.fr.md"] {
        let text = read(page);
        let blocks = text.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next());
        let lines: Vec<&str> = blocks.flat_map(str::lines).map(str::trim).collect();
        assert!(lines.len() > 20, "{page}: {} lines of Rust", lines.len());
        // A line may be the beginning of a longer one in the example.
        let unknown: Vec<_> = lines
            .iter()
            .filter(|line| {
                let start = line.trim_end_matches(';');
                !known.iter().any(|known| known.starts_with(start))
            })
            .collect();
        assert!(unknown.is_empty(), "{page}: not in the examples: {unknown:#?}");
    }
}
