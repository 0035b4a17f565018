//! Every call that changes files is made to fail once: nothing is lost, the message is right, and what goes on afterwards comes to
//! the same bits.
//!
//! `failing_writes/shim.c` is compiled and preloaded; it counts the calls of a command, and fails one of them. A run of the tests
//! tries some of each kind, `FAILING_WRITES=9` nine of each, and `FAILING_WRITES=all` every call in every way:
//!
//!     FAILING_WRITES=all cargo test --release -p faussaire --test failing_writes -- --nocapture

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use common::Bench;
use common::run_state::{RunState, difference, digest, run_state};

/// Errors of the system, as Linux numbers them.
const EIO: i32 = 5;
const ENOSPC: i32 = 28;
const ENOLCK: i32 = 37;

/// How many calls of each kind a run of the tests tries, in each scenario.
const TRIED: usize = 2;

/// A command, and what is there before it.
struct Scenario {
    name: &'static str,
    before: Vec<&'static str>,
    command: &'static str,
    outcome: Outcome,
}

enum Outcome {
    /// A training in the folder `mine`, and the command that goes on with it.
    Training { resume: &'static str },
    /// Files of this name, with others beside them; the command is given again.
    Files(&'static [&'static str]),
}

/// A call that is made to fail.
#[derive(Clone)]
struct Fault {
    call: usize,
    kind: String,
    path: String,
    error: i32,
    how: &'static str,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { call, kind, path, error, how } = self;
        write!(f, "call {call}, {kind} {path}, fails with {error}, {how}")
    }
}

impl Fault {
    fn ways(call: usize, kind: &str, path: &str) -> Vec<Self> {
        let of = |error, how| Self { call, kind: kind.to_owned(), path: path.to_owned(), error, how };
        match kind {
            "write" => vec![of(ENOSPC, "once"), of(ENOSPC, "lasting"), of(ENOSPC, "short"), of(EIO, "once")],
            "open" | "mkdir" | "ftruncate" => vec![of(ENOSPC, "once"), of(ENOSPC, "lasting"), of(EIO, "once")],
            "rename" | "fsync" => vec![of(ENOSPC, "once"), of(EIO, "once")],
            "flock" => vec![of(ENOLCK, "once")],
            _ => vec![of(EIO, "once")],
        }
    }
}

/// The compiled shim; none without a C compiler.
fn shim() -> Option<&'static Path> {
    static SHIM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let compile = || {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/failing_writes/shim.c");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("shim-{}.so", std::process::id()));
        let mut cc = Command::new("cc");
        cc.args(["-Wall", "-Wextra", "-O1", "-shared", "-fPIC", "-o"]).args([&target, &source]).arg("-ldl");
        match cc.output() {
            Ok(output) => {
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                Some(target)
            }
            Err(error) => {
                println!("skipped: there is no C compiler (cc): {error}");
                None
            }
        }
    };
    SHIM.get_or_init(compile).as_deref()
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (entry, kind) = entry.map(|entry| (entry.path(), entry.file_type().unwrap())).unwrap();
        let target = to.join(entry.file_name().unwrap());
        if kind.is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry, &target);
        } else {
            fs::copy(&entry, &target).unwrap();
        }
    }
}

/// The paths of all files under `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn words(command: &str) -> Vec<&str> {
    command.split(' ').collect()
}

/// Runs `command` under the shim. Without a fault, its calls are the lines of the file `calls` beside the bench's folder.
fn run_faulty(bench: &Bench, command: &str, fault: Option<&Fault>, calls: &Path) -> Output {
    let mut run = bench.command(&words(command));
    run.env("LD_PRELOAD", shim().unwrap()).env("FAULT_ROOT", bench.folder.path().canonicalize().unwrap());
    run.env("FAULT_LOG", calls).env("FAULT_AT", fault.map_or(0, |fault| fault.call).to_string());
    if let Some(fault) = fault {
        run.env("FAULT_ERRNO", fault.error.to_string()).env("FAULT_HOW", fault.how);
    }
    run.output().unwrap()
}

impl Scenario {
    /// A folder with what is there before.
    fn template(&self) -> Bench {
        let bench = Bench::new();
        photos(&bench.path("photos"));
        for command in &self.before {
            bench.ok(&words(command));
        }
        bench
    }

    /// What the command has come to.
    fn state(&self, bench: &Bench) -> RunState {
        match &self.outcome {
            Outcome::Training { .. } => run_state(&bench.path("mine")),
            Outcome::Files(names) => {
                let all = names.iter().flat_map(|name| {
                    let path = bench.path(name);
                    if path.is_dir() { files(&path) } else { vec![path] }
                });
                all.filter_map(|path| Some((path.display().to_string(), digest(&fs::read(&path).ok()?))))
                    .map(|(name, digest)| (name.replace(&bench.folder.path().display().to_string(), ""), digest))
                    .collect()
            }
        }
    }

    /// Tries all faults that are asked for; what was wrong is a line each.
    fn try_all(&self) {
        if shim().is_none() {
            return;
        }
        let template = self.template();
        let calm = Bench::new();
        copy_over(&template, &calm);
        let log = template.path("calls");
        let output = run_faulty(&calm, self.command, None, &log);
        assert!(output.status.success(), "{}: {output:?}", self.name);
        let expected = self.state(&calm);
        let text = fs::read_to_string(&log).unwrap();
        fs::remove_file(&log).unwrap();
        let mut by_kind: BTreeMap<String, Vec<Fault>> = BTreeMap::new();
        for (at, line) in text.lines().enumerate() {
            let (kind, path) = line.split_once(' ').unwrap().1.split_once(' ').unwrap();
            by_kind.entry(kind.to_owned()).or_default().extend(Fault::ways(at + 1, kind, path));
        }
        let tried = match std::env::var("FAILING_WRITES").as_deref() {
            Ok("all") => usize::MAX,
            Ok(number) => number.parse().unwrap(),
            Err(_) => TRIED,
        };
        let counts: Vec<_> = by_kind.iter().map(|(kind, faults)| format!("{} {kind}", faults.len())).collect();
        let chosen: Vec<Fault> = by_kind.into_values().flat_map(|faults| some(&faults, tried)).collect();
        let mut wrong = Vec::new();
        let mut told = 0;
        for fault in &chosen {
            let bench = Bench::new();
            copy_over(&template, &bench);
            match self.try_one(&bench, fault, &expected) {
                Ok(was_told) => told += usize::from(was_told),
                Err(why) => wrong.push(format!("{fault}:\n  {why}")),
            }
        }
        println!(
            "{}: {} calls; {} of the faults ({}) tried: {told} were told, {} did no harm, {} were wrong",
            self.name,
            text.lines().count(),
            chosen.len(),
            counts.join(", "),
            chosen.len() - told - wrong.len(),
            wrong.len()
        );
        assert!(wrong.is_empty(), "{}:\n{}", self.name, wrong.join("\n"));
    }

    /// Whether the fault was told.
    fn try_one(&self, bench: &Bench, fault: &Fault, expected: &RunState) -> Result<bool, String> {
        let before = self.state(bench);
        let log = bench.path("calls");
        let output = run_faulty(bench, self.command, Some(fault), &log);
        let _ = fs::remove_file(&log);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let told = match output.status.code() {
            Some(0) => false,
            Some(1) => true,
            other => return Err(format!("exit status {other:?}: {said}")),
        };
        if said.contains("panicked") || told && !(said.contains("error: ") && said.contains("hint: ")) {
            return Err(format!("no proper message: {said}"));
        }
        let fitting = if fault.error == ENOSPC { "free some disk space" } else { "the disk" };
        if told && fault.error != ENOLCK && !said.contains(fitting) {
            return Err(format!("the hint doesn't fit: {said}"));
        }
        // A removal that failed leaves what was to be removed, until the next command there.
        let leftovers =
            || files(bench.folder.path()).into_iter().filter(|f| f.extension().is_some_and(|e| e == "part"));
        if fault.kind != "unlink"
            && let Some(part) = leftovers().next()
        {
            return Err(format!("{} is left: {said}", part.display()));
        }
        match &self.outcome {
            Outcome::Training { resume } => {
                self.training_goes_on(bench, resume, &said, told, !before["config.toml"].is_empty())?
            }
            Outcome::Files(_) => {
                let after = self.state(bench);
                let is_whole =
                    |name: &String| after.get(name) == before.get(name) || after.get(name) == expected.get(name);
                if let Some(name) = before.keys().chain(after.keys()).find(|name| !is_whole(name)) {
                    return Err(format!("{name} is neither the old one nor the new one: {said}"));
                }
                if !told && after != *expected {
                    return Err(format!("said to be complete:{}", difference(&after, expected)));
                }
                let again = bench.run(&words(self.command));
                if !again.status.success() {
                    return Err(format!("given again: {}", String::from_utf8_lossy(&again.stderr)));
                }
            }
        }
        if let Some(part) = leftovers().next() {
            return Err(format!("{} is left after another command: {said}", part.display()));
        }
        let found = self.state(bench);
        if found != *expected {
            return Err(format!("another outcome:{}\n  it had said: {said}", difference(&found, expected)));
        }
        Ok(told)
    }

    /// What a training has saved can be used, and it goes on as it has said.
    fn training_goes_on(
        &self,
        bench: &Bench,
        resume: &str,
        said: &str,
        told: bool,
        had_run: bool,
    ) -> Result<(), String> {
        let ok = |command: &str| {
            let output = bench.run(&words(command));
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            if output.status.success() { Ok(why) } else { Err(format!("{command}: {why}\n  it had said: {said}")) }
        };
        let has_run = bench.path("mine/config.toml").is_file();
        if has_run && bench.path("mine/events.jsonl").is_file() {
            ok("doctor mine")?;
        }
        if had_run {
            ok("sample mine -n 1 -o probe.npy")?;
            fs::remove_file(bench.path("probe.npy")).unwrap();
        }
        if !told {
            return Ok(());
        }
        // As long as it has begun no run, or says that there is nothing to go on from, it is started as before.
        if !has_run || said.contains("start the run again") {
            if had_run {
                return Err(format!("there was something to go on from: {said}"));
            }
            let _ = fs::remove_dir_all(bench.path("mine"));
            ok(self.command)?;
            return Ok(());
        }
        let warned = ok(resume)?;
        if warned.contains("warning") {
            return Err(format!("the resume warns: {warned}"));
        }
        Ok(())
    }
}

/// A few of each kind: some from the beginning to the end, each in another way.
fn some(faults: &[Fault], tried: usize) -> Vec<Fault> {
    let count = tried.min(faults.len());
    (0..count).map(|k| faults[faults.len() * (2 * k + 1) / (2 * count)].clone()).collect()
}

fn copy_over(from: &Bench, to: &Bench) {
    fs::remove_file(to.path("tiny.toml")).unwrap();
    copy(from.folder.path(), to.folder.path());
}

/// Twelve images in two classes.
fn photos(folder: &Path) {
    for at in 0..12u8 {
        let place = folder.join(if at % 2 == 0 { "even" } else { "odd" });
        fs::create_dir_all(&place).unwrap();
        image::GrayImage::from_fn(28, 28, |x, y| image::Luma([at * 20 + (x + y) as u8]))
            .save(place.join(format!("{at}.png")))
            .unwrap();
    }
}

#[test]
fn a_training() {
    let command = "train --config tiny.toml --run mine --quiet --threads 1 --steps 12 --set data.count=80 \
                   --set train.sheet_every=1 --set train.keep_every=1";
    let resume = "train --resume mine --quiet --threads 1 --steps 12";
    Scenario { name: "training", before: vec![], command, outcome: Outcome::Training { resume } }.try_all();
}

#[test]
fn a_resume() {
    let start = "train --config tiny.toml --run mine --quiet --threads 1 --steps 12 --set data.count=80 \
                 --set train.sheet_every=1 --set train.keep_every=1";
    let command = "train --resume mine --quiet --threads 1 --steps 23";
    let outcome = Outcome::Training { resume: command };
    Scenario { name: "resume", before: vec![start], command, outcome }.try_all();
}

/// A resume after which each step is saved.
#[test]
fn a_resume_that_saves_always() {
    let start = "train photos --config tiny.toml --run mine --quiet --threads 1 --steps 2 --set train.save_every=0 \
                 --conditional";
    let command = "train --resume mine --quiet --threads 1 --steps 5";
    let outcome = Outcome::Training { resume: command };
    Scenario { name: "resume on images, saved at each step", before: vec![start], command, outcome }.try_all();
}

#[test]
fn a_healing() {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/ring.toml");
    let command = format!(
        "train --config {config} --run mine --seed 1 --threads 1 --precision f32 --quiet --steps 200 --set \
         discriminator.adam.learning_rate=1e-7 --heal"
    );
    let command = String::leak(command);
    let resume = "train --resume mine --threads 1 --quiet --steps 200";
    Scenario { name: "healing", before: vec![], command, outcome: Outcome::Training { resume } }.try_all();
}

const TRAIN: &str = "train --config tiny.toml --run mine --quiet --threads 1 --steps 2";

/// The command that overwrites files that it has written before, of other images.
fn rewriting(name: &'static str, before: &'static str, command: &'static str, outputs: &'static [&'static str]) {
    Scenario { name, before: vec![TRAIN, before], command, outcome: Outcome::Files(outputs) }.try_all();
}

#[test]
fn exports() {
    let exported = |name, before, command, outputs| rewriting(name, before, command, outputs);
    exported("export html", "export mine -o x.html --half", "export mine -o x.html", &["x.html"]);
    exported("export onnx", "export mine -o x.onnx --layout nchw", "export mine -o x.onnx", &["x.onnx"]);
    exported(
        "export safetensors",
        "export mine -o x.safetensors --net generator",
        "export mine -o x.safetensors",
        &["x.safetensors", "x.py"],
    );
}

#[test]
fn samples() {
    rewriting("sample png", "sample mine -n 4 -o x.png", "sample mine -n 9 -o x.png", &["x.png"]);
    rewriting("sample gif", "sample mine -n 4 -o x.gif", "sample mine -n 9 -o x.gif", &["x.gif"]);
    rewriting("sample npy", "sample mine -n 4 -o x.npy", "sample mine -n 9 -o x.npy", &["x.npy"]);
    rewriting("sample zip", "sample mine -n 4 -o x.zip", "sample mine -n 9 -o x.zip", &["x.zip"]);
    rewriting("sample folder", "sample mine -n 4 --seed 1 -o x", "sample mine -n 4 -o x", &["x"]);
}

#[test]
fn samples_with_labels() {
    const TRAIN: &str = "train photos --config tiny.toml --run mine --quiet --threads 1 --steps 2 --conditional";
    let before = vec![TRAIN, "sample mine -n 4 -o x.npy"];
    let outcome = Outcome::Files(&["x.npy", "x.labels.npy"]);
    Scenario { name: "sample npy with labels", before, command: "sample mine -n 9 -o x.npy", outcome }.try_all();
}

/// Images so large that what they are decoded to is kept in a cache file.
#[test]
fn a_training_on_large_images() {
    let place = tempfile::tempdir().unwrap();
    for at in 0..12u32 {
        let image = image::RgbImage::from_fn(360, 360, |x, y| image::Rgb([x as u8, (y * at) as u8, (at * 20) as u8]));
        image.save(place.path().join(format!("{at}.bmp"))).unwrap();
    }
    let command = format!(
        "train {} --config tiny.toml --run mine --quiet --threads 1 --steps 3 --size 28 --set data.channels=1 --set train.sheet_every=1",
        place.path().display()
    );
    let resume = "train --resume mine --quiet --threads 1 --steps 3";
    let outcome = Outcome::Training { resume };
    Scenario { name: "training on large images", before: vec![], command: String::leak(command), outcome }.try_all();
}
