//! Trains the runs of a plan: `faussaire train` as child processes, `jobs` at a time. Each child's stdin is a pipe that
//! this process holds: however it ends, the pipe closes, and the child saves and stops.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use faussaire::compare::{Folder, History, Job, Outcome, Plan, State};
use faussaire::data::{open_plain, printable, read_plain};
use faussaire::run;
use faussaire::{Error, Result, Share};
use indicatif::{ProgressBar, ProgressStyle};

use crate::print::{self, note};
use crate::program;

/// How often a child is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Most bytes of a training's output that are read for its error.
const MAX_OUTPUT: u64 = 64 << 20;
/// How long a training that lost its parent may take to finish its step and save.
const ORPHAN_TIMEOUT: Duration = Duration::from_secs(120);

/// Trains every run of `share` that isn't finished yet. What came of each is kept in the folder.
pub fn train(folder: &Folder, plan: &Plan, quiet: bool, stop: &AtomicBool, share: Share) -> Result<()> {
    let mut due = Vec::new();
    for (_, job) in plan.jobs().into_iter().enumerate().filter(|(at, _)| share.has(*at)) {
        if !folder.outcome(&job)?.is_some_and(|outcome| outcome.is_finished(&plan.length)) {
            due.push(job);
        }
    }
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        let bar = print::bar(quiet, None);
        bar.set_style(
            ProgressStyle::default_spinner().template("  {msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        while let Some(job) = due.get(next.fetch_add(1, Ordering::SeqCst)).filter(|_| !stop.load(Ordering::SeqCst)) {
            let ending = carry_out(folder, plan, job, stop, &bar)?;
            let outcome = Outcome::new(ending, plan.length, &folder.run(job));
            folder.save_outcome(job, &outcome)?;
            if !quiet {
                note!("{}", said(job, &outcome));
            }
        }
        bar.finish_and_clear();
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..plan.jobs).map(|_| scope.spawn(work)).collect();
        let died = |_| Err(Error::run("a thread of the comparison died", "report this"));
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(died))
    })
}

fn said(job: &Job, outcome: &Outcome) -> String {
    let how = match &outcome.ending {
        State::Finished => "finished".into(),
        State::Refused(why) => format!("refused: {why}"),
        State::Failed(why) => format!("failed: {why}"),
        State::Unfinished => "stopped".into(),
    };
    format!("{}: {how} (step {})", job.name, crate::report::count(outcome.step))
}

/// Trains one run to its end, or until `stop`.
fn carry_out(folder: &Folder, plan: &Plan, job: &Job, stop: &AtomicBool, bar: &ProgressBar) -> Result<State> {
    let path = folder.run(job);
    wait_for_others(folder, job, stop);
    let Some(mut command) = command(folder, plan, job)? else { return Ok(State::Finished) };
    let log = folder.file(&format!("logs/{}.log", job.name));
    let errors = File::create(&log).map_err(Error::io("create", &log))?;
    // A training of its own, whichever launcher started this process.
    command.env("FAUSSAIRE_MPI", "off");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(errors);
    let program = command.get_program().to_owned();
    let mut child = command.spawn().map_err(Error::io("start", &program))?;
    let name = printable(&job.name);
    let status = wait(&mut child, stop, || bar.set_message(format!("{name}  {}", progress(&path, plan))))
        .map_err(Error::io("wait for", &program))?;
    // One that is told to stop before its first step has nothing to save.
    if stop.load(Ordering::SeqCst) && !status.success() {
        return Ok(State::Unfinished);
    }
    ending(status, &path, &log)
}

/// A training whose parent was killed saves and stops by itself; it must have ended before its run is resumed.
fn wait_for_others(folder: &Folder, job: &Job, stop: &AtomicBool) {
    let began = Instant::now();
    while let Some(run) = folder.started_run(job) {
        if run.lock().is_ok() || began.elapsed() > ORPHAN_TIMEOUT || stop.load(Ordering::SeqCst) {
            return;
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// The command that starts or resumes a run; none if its time is used up.
fn command(folder: &Folder, plan: &Plan, job: &Job) -> Result<Option<Command>> {
    let mut command = program::command()?;
    command.arg("train");
    let path = folder.run(job);
    let begun = folder.started_run(job).is_some();
    if begun {
        command.arg("--resume").arg(&path);
    } else {
        command.args(&plan.dataset).arg("--config").arg(folder.recipe(&plan.variants[job.variant]));
        command.arg("--run").arg(&path).args(["--seed", &job.seed.to_string()]);
    }
    let mut flag = |name: &str, value: Option<u64>| {
        if let Some(value) = value {
            command.args([name, &value.to_string()]);
        }
    };
    flag("--steps", plan.length.steps);
    flag("--epochs", plan.length.epochs);
    if let Some(seconds) = plan.length.seconds {
        let left = seconds - if begun { spent(&path) } else { 0.0 };
        if left <= 0.0 {
            return Ok(None);
        }
        command.args(["--time", &format!("{left:.3}s")]);
    }
    command.args(["--threads", &plan.threads.to_string(), "--device", &plan.device, "--quiet", "--stop-at-eof"]);
    Ok(Some(command))
}

/// Seconds of training that the run's checkpoint holds.
fn spent(run: &Path) -> f64 {
    run::state(&run.join("checkpoints/latest")).map_or(0.0, |(_, state)| state.train_s)
}

/// Waits for `child`, calling `look` now and then. Asked to stop, it closes the child's stdin, at which it saves.
fn wait(child: &mut Child, stop: &AtomicBool, mut look: impl FnMut()) -> std::io::Result<ExitStatus> {
    let mut hold = child.stdin.take();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if stop.load(Ordering::SeqCst) {
            hold = None;
        }
        look();
        std::thread::sleep(if hold.is_some() { 4 * POLL_INTERVAL } else { POLL_INTERVAL });
    }
}

fn ending(status: ExitStatus, run: &Path, log: &Path) -> Result<State> {
    if status.success() {
        let stopped = History::read(run)?.end.is_none_or(|reason| reason == "stopped");
        return Ok(if stopped { State::Unfinished } else { State::Finished });
    }
    let text = String::from_utf8_lossy(&read_plain(log, MAX_OUTPUT).unwrap_or_default()).into_owned();
    let error = text.lines().rev().find_map(|line| line.strip_prefix("error: "));
    let why = error.map_or_else(|| format!("the training ended with {status}"), str::to_owned);
    Ok(if status.code() == Some(2) { State::Refused(why) } else { State::Failed(why) })
}

/// The progress of a run, from the end of its log.
fn progress(run: &Path, plan: &Plan) -> String {
    let step = last_step(&run.join("events.jsonl")).unwrap_or(0);
    let all = plan.length.steps.map_or(String::new(), |all| format!(" of {all}"));
    format!("step {step}{all}")
}

fn last_step(log: &Path) -> Option<u64> {
    const TAIL: u64 = 4096;
    let mut file = open_plain(log).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let line = text.lines().rev().find(|line| line.starts_with("{\"event\":\"step\"") && line.ends_with('}'))?;
    serde_json::from_str::<serde_json::Value>(line).ok()?["step"].as_u64()
}
