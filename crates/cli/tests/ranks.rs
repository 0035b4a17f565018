//! Trainings of several ranks under MPI come to the bits of one process: with each MPI of this machine, whatever the numbers of
//! ranks and threads, and when resumed with others. Machines without `mpirun` skip those tests, which say so:
//!
//!     apt-get install openmpi-bin mpich
//!     cargo test --release --workspace --test ranks -- --nocapture

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::Bench;
use common::run_state::{difference, run_state};

/// The launchers of Debian's packages, and those under their own name only.
fn launchers() -> Vec<&'static str> {
    let found: Vec<_> =
        ["mpirun.openmpi", "mpirun.mpich", "mpirun"].into_iter().filter(|name| is_there(name)).collect();
    let found = if found.len() > 1 { found.into_iter().filter(|name| *name != "mpirun").collect() } else { found };
    if found.is_empty() {
        eprintln!("skipped: there is no mpirun (apt-get install openmpi-bin mpich)");
    }
    found
}

fn is_there(launcher: &str) -> bool {
    let silent = |command: &mut Command| command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    silent(Command::new(launcher).arg("--version")).is_ok_and(|status| status.success())
}

/// The command under `launcher` with `ranks` processes.
fn launched(bench: &Bench, launcher: &str, ranks: usize, arguments: &[&str]) -> Command {
    let mut command = Command::new(launcher);
    if !launcher.contains("mpich") {
        command.arg("--oversubscribe");
    }
    command.args(["-n", &ranks.to_string(), env!("CARGO_BIN_EXE_faussaire")]).args(arguments);
    command.current_dir(bench.folder.path()).env("XDG_CACHE_HOME", bench.path("cache")).env_remove("FAUSSAIRE_DATA");
    command.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    command.env("OMPI_MCA_rmaps_base_oversubscribe", "1");
    command
}

fn run(bench: &Bench, launcher: &str, ranks: usize, arguments: &[&str]) -> Output {
    launched(bench, launcher, ranks, arguments).stdin(Stdio::null()).output().unwrap()
}

fn ok(bench: &Bench, launcher: &str, ranks: usize, arguments: &[&str]) {
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
    for launcher in launchers() {
        for ranks in [1, 2, 4] {
            let name = format!("{launcher}-{ranks}");
            // Four ranks ask for four slices by themselves.
            let slices: &[&str] = if ranks == 4 { &[] } else { &["--set", "train.slices=4"] };
            ok(&bench, launcher, ranks, &training(&name, &[slices, &["--threads", "1"]].concat()));
            assert_eq!(difference(&run_state(&bench.path(&name)), &expected), "", "{name}");
        }
    }
}

#[test]
fn a_run_goes_on_with_other_ranks() {
    let bench = Bench::new();
    bench.ok(&training("calm", &["--set", "train.slices=4"]));
    let expected = run_state(&bench.path("calm"));
    for launcher in launchers() {
        let name = format!("{launcher}-on");
        ok(&bench, launcher, 4, &training(&name, &["--steps", "5"]));
        ok(&bench, launcher, 2, &["train", "--resume", &name, "--steps", "7", "--quiet"]);
        bench.ok(&["train", "--resume", &name, "--steps", "12", "--quiet"]);
        let found = run_state(&bench.path(&name));
        let kept = |state: &common::run_state::RunState| -> common::run_state::RunState {
            // The lengths that were asked for differ.
            state.iter().filter(|(name, _)| *name != "config.toml").map(|(k, v)| (k.clone(), v.clone())).collect()
        };
        assert_eq!(difference(&kept(&found), &kept(&expected)), "", "{launcher}");
    }
}

#[test]
fn what_is_wrong_is_said_once_and_all_end() {
    let bench = Bench::new();
    let library = |launcher: &str| if launcher.contains("mpich") { "libmpi.so.40" } else { "libmpich.so.12" };
    for launcher in launchers() {
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

/// A rank that is killed ends all, and the run goes on from its last checkpoint to the bits of a calm one.
#[test]
fn a_killed_rank_ends_all_and_costs_no_bits() {
    let bench = Bench::new();
    bench.ok(&training("calm", &["--set", "train.slices=4", "--set", "train.save_every=0", "--steps", "40"]));
    let expected = run_state(&bench.path("calm"));
    for launcher in launchers() {
        let name = format!("{launcher}-killed");
        let more = ["--set", "train.slices=4", "--set", "train.save_every=0", "--steps", "40", "--threads", "1"];
        let mut child = launched(&bench, launcher, 2, &training(&name, &more))
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let latest = bench.path(&name).join("checkpoints/latest/state.json");
        let began = Instant::now();
        while !latest.is_file() && began.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let victim = last_rank_of(&bench.path(&name).display().to_string());
        let killed = Instant::now();
        if let Some(victim) = victim {
            Command::new("kill").args(["-9", &victim.to_string()]).status().unwrap();
        }
        let status = child.wait().unwrap();
        assert!(victim.is_none() || !status.success(), "{launcher}: the end of a rank went unnoticed");
        assert!(killed.elapsed() < Duration::from_secs(10), "{launcher}: {:?}", killed.elapsed());
        bench.ok(&["train", "--resume", &name, "--quiet"]);
        assert_eq!(difference(&run_state(&bench.path(&name)), &expected), "", "{launcher}");
    }
}

/// The process with the highest number whose arguments name `run` without being the launcher.
fn last_rank_of(run: &str) -> Option<u32> {
    let name = run.rsplit('/').next()?.to_owned();
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let ours = processes.filter_map(|entry| {
        let id = entry.file_name().to_str()?.parse::<u32>().ok()?;
        let arguments = std::fs::read(entry.path().join("cmdline")).ok()?;
        let words: Vec<_> = arguments.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        let is_rank = words.first()?.ends_with("faussaire") && words.iter().any(|word| *word == name);
        is_rank.then_some(id)
    });
    ours.max()
}
