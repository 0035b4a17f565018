//! Trainings of several ranks under MPI come to the bits of one process: with each MPI of this machine, whatever the numbers of
//! ranks and threads, and when resumed with others. Machines without `mpirun` skip those tests, which say so:
//!
//!     apt-get install openmpi-bin mpich
//!     cargo test --release --workspace --test ranks -- --nocapture
//!     MPIRUN=/opt/intel/bin/mpirun:/opt/mpich5/bin/mpirun cargo test --release --workspace --test ranks

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::numbers::Numbers;
use common::run_state::{RunState, difference, run_state};
use common::{Bench, events};

/// An MPI's program that starts ranks.
struct Launcher {
    program: String,
    is_open_mpi: bool,
}

/// Its name, which tells it from the others and can be part of a folder's.
impl std::fmt::Display for Launcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.program.trim_start_matches('/').replace('/', "-"))
    }
}

/// The launchers that MPIRUN names, with colons between them; else those of Debian's packages; else the one that there is.
fn launchers() -> Vec<Launcher> {
    let named = std::env::var("MPIRUN").unwrap_or_default();
    let named: Vec<&str> = named.split(':').filter(|name| !name.is_empty()).collect();
    let found = |names: &[&str]| -> Vec<Launcher> { names.iter().filter_map(|name| launcher(name)).collect() };
    let mut launchers = found(&named);
    for names in [&["mpirun.openmpi", "mpirun.mpich"][..], &["mpirun"]] {
        if launchers.is_empty() {
            launchers = found(names);
        }
    }
    if launchers.is_empty() {
        eprintln!("skipped: there is no mpirun (apt-get install openmpi-bin mpich)");
    }
    launchers
}

fn launcher(program: &str) -> Option<Launcher> {
    let version = Command::new(program).arg("--version").stderr(Stdio::null()).output().ok()?;
    let said = String::from_utf8_lossy(&version.stdout).to_lowercase();
    let is_open_mpi = said.contains("open mpi") || said.contains("openrte");
    version.status.success().then(|| Launcher { program: program.to_owned(), is_open_mpi })
}

/// The command under `launcher` with `ranks` processes.
fn launched(bench: &Bench, launcher: &Launcher, ranks: usize, arguments: &[&str]) -> Command {
    let mut command = started(bench, launcher, ranks);
    command.arg(env!("CARGO_BIN_EXE_faussaire")).args(arguments);
    command
}

/// The launcher, of which only the program to be started is still to be given.
fn started(bench: &Bench, launcher: &Launcher, ranks: usize) -> Command {
    let mut command = Command::new(&launcher.program);
    if launcher.is_open_mpi {
        command.arg("--oversubscribe");
    }
    command.args(["-n", &ranks.to_string()]);
    command.current_dir(bench.folder.path()).env("XDG_CACHE_HOME", bench.path("cache")).env_remove("FAUSSAIRE_DATA");
    command.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    command.env("OMPI_MCA_rmaps_base_oversubscribe", "1");
    command
}

fn run(bench: &Bench, launcher: &Launcher, ranks: usize, arguments: &[&str]) -> Output {
    launched(bench, launcher, ranks, arguments).stdin(Stdio::null()).output().unwrap()
}

fn ok(bench: &Bench, launcher: &Launcher, ranks: usize, arguments: &[&str]) {
    let output = run(bench, launcher, ranks, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{launcher} -n {ranks} {arguments:?}: {error}");
}

/// How often `text` is in what was printed.
fn times(output: &Output, text: &str) -> usize {
    String::from_utf8_lossy(&output.stderr).matches(text).count()
}

/// Arguments of a training of the tiny recipe in the folder `name`, with what looks across a batch.
fn training<'a>(name: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let all =
        ["train", "--config", "tiny.toml", "--run", name, "--quiet", "--set", "train.augment.kinds=[\"translation\"]"];
    let more_keys = ["--set", "train.label_flip=0.1", "--set", "train.noise=0.05", "--set", "data.mirror=true"];
    all.into_iter().chain(more_keys).chain(more.iter().copied()).collect()
}

#[test]
fn slices_give_the_same_bits_on_any_number_of_threads() {
    let bench = Bench::new();
    for threads in ["1", "2", "3", "9"] {
        bench.ok(&training(threads, &["--set", "train.slices=4", "--threads", threads]));
        let [found, expected] = [threads, "1"].map(|name| run_state(&bench.path(name)));
        assert_eq!(difference(&found, &expected), "", "{threads} threads");
    }
    bench.ok(&training("unsliced", &[]));
    assert_ne!(bench.weights("unsliced"), bench.weights("1"));
}

#[test]
fn ranks_give_the_bits_of_one_process() {
    let bench = Bench::new();
    bench.ok(&training("one", &["--set", "train.slices=4"]));
    let expected = run_state(&bench.path("one"));
    for launcher in &launchers() {
        for (ranks, threads) in [(1, "2"), (2, "1"), (2, "2"), (4, "1"), (4, "2")] {
            let name = format!("{launcher}-{ranks}-{threads}");
            // Four ranks ask for four slices by themselves.
            let slices: &[&str] = if ranks == 4 { &[] } else { &["--set", "train.slices=4"] };
            ok(&bench, launcher, ranks, &training(&name, &[slices, &["--threads", threads]].concat()));
            assert_eq!(difference(&run_state(&bench.path(&name)), &expected), "", "{name}");
        }
    }
}

#[test]
fn a_run_goes_on_with_other_ranks() {
    let bench = Bench::new();
    bench.ok(&training("calm", &["--set", "train.slices=4"]));
    let expected = run_state(&bench.path("calm"));
    for launcher in &launchers() {
        let name = format!("{launcher}-on");
        ok(&bench, launcher, 4, &training(&name, &["--steps", "5"]));
        ok(&bench, launcher, 2, &["train", "--resume", &name, "--steps", "7", "--quiet"]);
        bench.ok(&["train", "--resume", &name, "--steps", "12", "--quiet"]);
        assert_eq!(difference(&kept(run_state(&bench.path(&name))), &kept(expected.clone())), "", "{launcher}");
    }
}

/// `state` without the recipe: the lengths that were asked for differ.
fn kept(mut state: RunState) -> RunState {
    state.retain(|name, _| !name.starts_with("config"));
    state
}

/// Steps within which [`helpless`] is healed.
const HEALED: &str = "180";

/// Arguments of a training in the folder `name` whose discriminator learns nothing until that is healed.
fn helpless<'a>(name: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/ring.toml");
    let set = ["--set", "discriminator.adam.learning_rate=1e-7", "--set", "train.slices=4", "--heal", "--quiet"];
    let run = ["train", "--config", config, "--seed", "1", "--precision", "f32", "--run", name];
    [&run[..], &set, more].concat()
}

#[test]
fn a_healed_run_has_the_bits_of_one_process() {
    let bench = Bench::new();
    bench.ok(&helpless("whole", &["--steps", HEALED]));
    let expected = run_state(&bench.path("whole"));
    let heals = events(&bench.path("whole")).iter().filter(|event| event["event"] == "heal").count();
    assert!(heals > 0);
    for launcher in &launchers() {
        let whole = format!("{launcher}-healed");
        ok(&bench, launcher, 2, &helpless(&whole, &["--steps", HEALED, "--threads", "1"]));
        assert_eq!(difference(&run_state(&bench.path(&whole)), &expected), "", "{launcher}");
        let parts = format!("{launcher}-parts");
        ok(&bench, launcher, 4, &helpless(&parts, &["--steps", "40", "--threads", "1"]));
        ok(&bench, launcher, 2, &["train", "--resume", &parts, "--steps", "172", "--quiet", "--threads", "2"]);
        bench.ok(&["train", "--resume", &parts, "--steps", HEALED, "--quiet"]);
        assert_eq!(difference(&kept(run_state(&bench.path(&parts))), &kept(expected.clone())), "", "{launcher}");
    }
}

/// Sixty images, and the place of a rank other than 0 where some of them have other bytes. Of both, `/proc/self/cwd/photos` is the
/// path.
#[cfg(target_os = "linux")]
fn photos(bench: &Bench, broken: &[usize]) {
    for place in ["rank0", "rank1"] {
        std::fs::create_dir_all(bench.path(place).join("photos")).unwrap();
        for at in 0..60 {
            let photo = bench.path(place).join(format!("photos/{at:02}.png"));
            image::GrayImage::from_fn(28, 28, |x, y| image::Luma([(at as u32 * 4 + x + y) as u8]))
                .save(&photo)
                .unwrap();
            if place == "rank1" && broken.contains(&at) {
                let length = std::fs::metadata(&photo).unwrap().len();
                std::fs::write(&photo, vec![0; length as usize]).unwrap();
            }
        }
    }
}

/// Another build, another instruction set, other data, a folder that can't be written: one message, and all end.
#[cfg(target_os = "linux")]
#[test]
fn ranks_that_differ_are_refused() {
    let bench = Bench::new();
    photos(&bench, &[]);
    std::fs::copy(bench.path("rank1/photos/07.png"), bench.path("rank1/photos/more.png")).unwrap();
    let program = env!("CARGO_BIN_EXE_faussaire");
    let mut other = std::fs::read(program).unwrap();
    other.push(0);
    std::fs::copy(program, bench.path("other")).unwrap();
    std::fs::write(bench.path("other"), other).unwrap();
    std::fs::write(bench.path("file"), "no folder").unwrap();
    let train = r#"train --config "$top/tiny.toml" --quiet --set train.slices=2"#;
    let cases = [
        (
            r#"[ $rank = 1 ] && program=$top/other"#,
            "--run $top/run",
            "rank 1: this rank runs another build of faussaire",
        ),
        (
            "[ $rank = 1 ] && export FAUSSAIRE_ISA=portable",
            "--run $top/run",
            "rank 1: this rank computes with portable",
        ),
        (":", "/proc/self/cwd/photos --run $top/run", "has other images here than at rank 0"),
        (":", "--run $top/file/run", "file/run"),
        (":", "--run /proc/none/run", "/proc/none"),
    ];
    for launcher in &launchers() {
        for (before, more, expected) in cases {
            let script = format!(
                r#"rank=${{OMPI_COMM_WORLD_RANK:-$PMI_RANK}}; top=$PWD; program={program}; cd rank$rank; {before}; exec "$program" {train} {more}"#
            );
            let mut command = started(&bench, launcher, 2);
            let output = command.args(["sh", "-c", &script]).stdin(Stdio::null()).output().unwrap();
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success() && times(&output, "error: ") == 1, "{launcher}: {before} {more}: {error}");
            assert!(error.contains(expected) && error.contains("hint: "), "{launcher}: {error}");
            // The next start may have the same folder.
            assert!(!bench.path("run").exists(), "{launcher}: {before} {more}");
        }
    }
}

/// An image that one rank alone can't use would be replaced there by another one. It ends the training in all, and nothing
/// before the last checkpoint is lost.
#[cfg(target_os = "linux")]
#[test]
fn an_image_that_one_rank_cannot_read_ends_all() {
    let bench = Bench::new();
    photos(&bench, &[7, 23, 41]);
    let calm = |name: &str| {
        let keys = ["train.slices=4", "train.save_every=0"].map(|key| ["--set", key]).concat();
        let run = bench.path(name).display().to_string();
        let words =
            ["train", "/proc/self/cwd/photos", "--config", "../tiny.toml", "--quiet", "--threads", "1", "--run", &run];
        [&words[..], &keys[..]].concat().iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    let alone = |arguments: &[String]| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = bench.command(&arguments).current_dir(bench.path("rank0")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    alone(&calm("calm"));
    let expected = run_state(&bench.path("calm"));
    for launcher in &launchers() {
        let name = format!("{launcher}-broken");
        let own_place = r#"cd "rank${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" && exec "$@""#;
        let mut command = started(&bench, launcher, 2);
        command.args(["sh", "-c", own_place, "sh", env!("CARGO_BIN_EXE_faussaire")]).args(calm(&name));
        let output = command.stdin(Stdio::null()).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{launcher}: {error}");
        assert_eq!(times(&output, "error: "), 1, "{error}");
        assert!(error.contains("error: rank 1: /proc/self/cwd/photos/"), "{error}");
        assert!(error.contains("can't be used in this rank, but in others: "), "{error}");
        assert!(error.contains("hint: give all machines the same files"), "{error}");
        assert!(bench.path(&name).join("checkpoints/latest/state.json").is_file(), "{error}");
        alone(&["train", "--resume", &bench.path(&name).display().to_string(), "--quiet"].map(String::from));
        assert_eq!(difference(&run_state(&bench.path(&name)), &expected), "", "{launcher}");
    }
}

/// One that no rank can use is replaced by the same image in all.
#[cfg(target_os = "linux")]
#[test]
fn an_image_that_no_rank_can_read_is_replaced_alike() {
    let bench = Bench::new();
    photos(&bench, &[7, 23, 41]);
    let more = ["--set", "train.slices=4", "rank1/photos"];
    bench.ok(&training("one", &more));
    for launcher in &launchers() {
        let name = format!("{launcher}-two");
        ok(&bench, launcher, 2, &training(&name, &more));
        assert_eq!(difference(&run_state(&bench.path(&name)), &run_state(&bench.path("one"))), "", "{launcher}");
    }
}

#[test]
fn what_is_wrong_is_said_once_and_all_end() {
    let bench = Bench::new();
    let library = |launcher: &Launcher| if launcher.is_open_mpi { "libmpich.so.12" } else { "libmpi.so.40" };
    for launcher in &launchers() {
        let refused = |ranks: usize, more: &[&str], said: &str| {
            let began = Instant::now();
            let output = run(&bench, launcher, ranks, &training("refused", more));
            assert!(!output.status.success(), "{launcher} -n {ranks} {more:?}");
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(times(&output, "error: "), 1, "{error}");
            assert!(error.contains("hint: ") || error.contains("tip: "), "{error}");
            assert!(error.contains(said), "{error}");
            assert!(began.elapsed() < Duration::from_secs(60), "{more:?}");
        };
        refused(3, &[], "3 ranks: expected a power of two");
        refused(3, &["--set", "train.slices=4"], "3 ranks can't share the 4 slices");
        refused(8, &["--set", "train.slices=4"], "8 ranks can't share the 4 slices");
        refused(2, &["--batch", "9"], "`train.slices`: expected a number that divides the batch of 9, got 2");
        refused(2, &["--set", "train.slices=3"], "`train.slices`: expected 1, 2, 4");
        refused(2, &["nowhere/photos"], "nowhere/photos");
        refused(2, &["--precision", "bf17"], "bf17");
        let output = launched(&bench, launcher, 2, &training("other", &[]))
            .env("FAUSSAIRE_MPI", "/no/libmpi.so")
            .output()
            .unwrap();
        assert_eq!((times(&output, "error: the MPI library /no/libmpi.so"), output.status.success()), (1, false));
        if launchers().len() > 1 {
            let mut other = launched(&bench, launcher, 2, &training("other", &[]));
            let output = other.env("FAUSSAIRE_MPI", library(launcher)).output().unwrap();
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(error.contains("started 2 processes, but the MPI library"), "{launcher}: {error}");
        }
    }
}

#[test]
fn without_mpi_a_launched_process_is_alone_if_told_so() {
    let bench = Bench::new();
    let arguments = training("alone", &[]);
    let mut command = bench.command(&arguments);
    let output = command.env("OMPI_COMM_WORLD_SIZE", "2").env("FAUSSAIRE_MPI", "off").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut command = bench.command(&training("srun", &[]));
    let step = [("SLURM_STEP_NUM_TASKS", "2"), ("SLURM_STEP_ID", "0"), ("SLURM_PROCID", "0")];
    let output = command.envs(step).env_remove("FAUSSAIRE_MPI").output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.starts_with("error: srun started 2 processes, but without MPI") && error.contains("--mpi=pmix"),
        "{error}"
    );
}

/// A rank that is killed, at any moment, ends all, and the run goes on from its last checkpoint to the bits of a calm one.
///
///     KILLS=20 cargo test --release --workspace --test ranks killed -- --nocapture
#[test]
fn a_killed_rank_ends_all_and_costs_no_bits() {
    let bench = Bench::new();
    let kills = std::env::var("KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(1);
    let more = ["--set", "train.slices=4", "--set", "train.save_every=0", "--steps", "60", "--threads", "1"];
    let mut numbers = Numbers(kills);
    for launcher in &launchers() {
        let calm = format!("{launcher}-calm");
        let began = Instant::now();
        ok(&bench, launcher, 2, &training(&calm, &more));
        let (mut whole, expected) = (began.elapsed(), run_state(&bench.path(&calm)));
        let (mut killed, mut slowest, mut late) = (0, Duration::ZERO, 0);
        // The first kill comes after the first checkpoint, the others whenever.
        while killed < kills {
            let name = format!("{launcher}-{killed}-{late}");
            let mut child = launched(&bench, launcher, 2, &training(&name, &more))
                .stdin(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let state = bench.path(&name).join("checkpoints/latest/state.json");
            let (began, delay) = (Instant::now(), whole.mul_f64(0.9 * numbers.share()));
            let is_due = || if killed == 0 { state.is_file() } else { began.elapsed() >= delay };
            let mut ranks = Vec::new();
            while child.try_wait().unwrap().is_none() && ranks.is_empty() {
                std::thread::sleep(Duration::from_millis(2));
                ranks = if is_due() { ranks_of(&name) } else { Vec::new() };
            }
            let saved = step(&state);
            let Some(victim) = ranks.get(numbers.next() as usize % ranks.len().max(1)) else {
                // The machine is less busy than it was.
                whole = began.elapsed();
                late += 1;
                assert!(late < 10 * kills, "{launcher}: complete before every kill");
                continue;
            };
            let instant = Instant::now();
            Command::new("kill").args(["-9", &victim.to_string()]).status().unwrap();
            let output = child.wait_with_output().unwrap();
            while !ranks_of(&name).is_empty() && instant.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(2));
            }
            let (took, said) = (instant.elapsed(), String::from_utf8_lossy(&output.stderr));
            slowest = slowest.max(took);
            assert!(!output.status.success(), "{launcher}: the end of a rank went unnoticed");
            assert!(took < Duration::from_secs(10), "{launcher}: {took:?}");
            assert!(!said.contains("panicked") && !said.contains("error: "), "{said}");
            assert!(step(&state) >= saved, "{launcher}: the checkpoint of step {saved:?} was lost");
            let again = if bench.path(&name).join("config.toml").is_file() {
                vec!["train", "--resume", &name, "--quiet", "--steps", "60"]
            } else {
                training(&name, &more)
            };
            bench.ok(&again);
            assert_eq!(difference(&run_state(&bench.path(&name)), &expected), "", "{launcher}, kill {killed}");
            killed += 1;
        }
        println!(
            "{launcher}: {killed} kills of one rank of 2, {slowest:?} until all had ended at most, each resumed to the same bits"
        );
    }
}

/// The step of a checkpoint, if there is one.
fn step(state: &std::path::Path) -> Option<u64> {
    serde_json::from_slice::<serde_json::Value>(&std::fs::read(state).ok()?).ok()?["step"].as_u64()
}

/// The processes whose arguments name `run` without being the launcher, in the order in which they were started.
fn ranks_of(run: &str) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut ours: Vec<u32> = processes
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse::<u32>().ok()?;
            let arguments = std::fs::read(entry.path().join("cmdline")).ok()?;
            let words: Vec<_> = arguments.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
            let is_rank = words.first()?.ends_with("faussaire") && words.iter().any(|word| *word == run);
            is_rank.then_some(id)
        })
        .collect();
    ours.sort_unstable();
    ours
}
