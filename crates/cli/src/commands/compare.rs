//! `faussaire compare`: trains several recipes with several seeds each, judges every run, and tests which recipe is better.
//! Each training is a process of its own, so that a failure stays with its run, whose folder is like any other.

mod planning;
mod scoring;
mod share;
mod training;

use clap::Args;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use faussaire::compare::{Entry, Folder, Outcome, Plan, State, Table, csv, json, markdown, page};
use faussaire::{Error, Result, Share};

use crate::numbers::{LARGEST, for_library, whole};
use crate::print::{note, say};
use crate::report::counted;
use crate::stopping;

/// `faussaire compare`
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Compare {
    /// Data set, as for `train` [default: the recipe's]
    pub dataset: Option<String>,

    /// Built-in recipe (repeatable) [default: quick, or auto for images that its nets don't fit]
    #[arg(long, value_name = "NAME", help_heading = COMPARED)]
    pub preset: Vec<String>,
    /// Recipe file (repeatable)
    #[arg(long, value_name = "FILE", help_heading = COMPARED)]
    pub config: Vec<PathBuf>,
    /// Try each of these values, such as loss=gan,hinge,wgan-gp or batch=32,64 (repeatable: all combinations). loss also
    /// takes gan, lsgan, wgan, wgan-gp, dragan, sngan and r3gan, which set the penalties too
    #[arg(long, value_name = "KEY=V1,V2,...", help_heading = COMPARED)]
    pub vary: Vec<String>,
    /// Set a key of all recipes (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE", help_heading = COMPARED)]
    pub set: Vec<String>,
    /// Train each recipe with the seeds 0 to N - 1 [default: 3]
    #[arg(long, value_name = "N", value_parser = whole::<u64>(1, 1000), help_heading = COMPARED)]
    pub seeds: Option<u64>,

    /// Generator updates of each run
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0, LARGEST), help_heading = LENGTH)]
    pub steps: Option<u64>,
    /// Epochs of each run
    #[arg(long, value_name = "N", conflicts_with = "steps", value_parser = whole::<u64>(0, LARGEST), help_heading = LENGTH)]
    pub epochs: Option<u64>,
    /// Training time of each run, such as 5m
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = crate::duration::parse, help_heading = LENGTH)]
    pub time: Option<std::time::Duration>,

    /// Folder of the comparison; an existing one is resumed [default: the next number under comparisons/]
    #[arg(long, value_name = "DIR", help_heading = OUTPUT)]
    pub run: Option<PathBuf>,
    /// Number of images of each run to judge [default: 10000]
    #[arg(short, value_name = "N", value_parser = for_library::<usize>(1, LARGEST), help_heading = OUTPUT)]
    pub n: Option<usize>,
    /// Print the table as JSON instead of Markdown
    #[arg(long, help_heading = OUTPUT)]
    pub json: bool,
    /// Print only errors and the result
    #[arg(long, help_heading = OUTPUT)]
    pub quiet: bool,

    /// Write the plan and train nothing: tasks of a cluster do, with --share
    #[arg(long, conflicts_with = "share", help_heading = CLUSTER)]
    pub plan_only: bool,
    /// Train share K of N of the runs of a plan, counted from 0, such as 3/8; the plain command does what is left, and judges
    #[arg(long, value_name = "K/N", value_parser = crate::share::parse, requires = "run", help_heading = CLUSTER)]
    pub share: Option<Share>,

    /// Folder of data sets, searched before $FAUSSAIRE_DATA and the cache
    #[arg(long, value_name = "DIR", help_heading = MACHINE)]
    pub data: Option<PathBuf>,
    /// Runs trained at the same time [default: one per thread; 1 on devices other than cpu]
    #[arg(long, value_name = "N", value_parser = for_library::<usize>(1, 1024), help_heading = MACHINE)]
    pub jobs: Option<usize>,
    /// CPU threads of all runs together [default: all]
    #[arg(long, value_name = "N", value_parser = for_library::<usize>(1, 1024), help_heading = MACHINE)]
    pub threads: Option<usize>,
    /// Device: cpu, cuda, cuda:N, vulkan or metal; all but cpu need a build with that feature
    #[arg(long, value_name = "DEVICE", help_heading = MACHINE)]
    pub device: Option<String>,
}

/// What is printed at the first Ctrl-C.
const STOPPING: &str = "stopping after the steps and the judgement under way; press Ctrl-C again to end at once";

const COMPARED: &str = "What to compare";
const LENGTH: &str = "Length";
const OUTPUT: &str = "Judging and output";
const CLUSTER: &str = "On a cluster";
const MACHINE: &str = "Data and machine";

const EXAMPLES: &str = "\
Examples:
  faussaire compare ring --preset ring --vary loss=gan,wgan-gp,r3gan --steps 2000
  faussaire compare mnist --config mine.toml --config theirs.toml --time 10m
  faussaire compare --run comparisons/0001-ring --seeds 8      add seeds, or resume
  faussaire compare --run comparisons/0001-ring --share 3/8    the fourth of eight tasks of a cluster (docs/clusters.md)";

pub fn run(options: &Compare) -> Result<()> {
    // Before data are opened for the preset `auto`, which needs threads.
    super::limit_threads(options.threads)?;
    if let Some(share) = options.share {
        return share::train(options, share);
    }
    let planned = planning::plan(options)?;
    let (folder, plan) = (&planned.folder, &planned.plan);
    if options.plan_only {
        let (runs, path) = (counted(plan.jobs().len(), "run"), folder.path().display());
        say!("{path}: {runs} planned; train shares with: faussaire compare --run {path} --share K/N");
        return Ok(());
    }
    let stop = stopping::after_step(STOPPING);
    if !options.quiet {
        introduce(folder, plan);
    }
    training::train(folder, plan, options.quiet, &stop, Share::ALL)?;
    let stopped = stop.load(Ordering::SeqCst);
    if !stopped {
        faussaire::device::on_pool(|| scoring::score(folder, plan, options.quiet, &stop))?;
    }
    let table = table(folder, plan.clone())?;
    let page = page(&table, &folder.file("runs"))?;
    let files = [("table.md", markdown(&table)), ("table.csv", csv(&table)), ("table.json", json(&table)?)];
    for (name, text) in files.into_iter().chain([("page.html", page)]) {
        folder.write(name, text.as_bytes())?;
    }
    if options.json {
        say!("{}", json(&table)?);
    } else {
        say!("{}", markdown(&table).trim_end());
        say!("\n{}: page.html, table.md, table.csv, table.json, runs/", folder.path().display());
    }
    if stop.load(Ordering::SeqCst) {
        note!("stopped; to resume: faussaire compare --run {}", folder.path().display());
        return Ok(());
    }
    nothing_but_failures(&table)
}

fn introduce(folder: &Folder, plan: &Plan) {
    let all = plan.jobs().len();
    let (runs, threads) = (counted(all as u64, "run"), counted(plan.threads as u64, "thread"));
    note!("{}: {runs}, {} at a time, {threads} each", plan.title, plan.jobs);
    for variant in plan.variants.iter() {
        if let Some(why) = &variant.refused {
            note!("{} refused: {why}", variant.name);
        }
    }
    note!("folder {}; Ctrl-C saves and stops, the same command resumes", folder.path().display());
}

/// The results so far of all runs.
fn table(folder: &Folder, plan: Plan) -> Result<Table> {
    let mut runs = Vec::new();
    for job in plan.jobs() {
        let known = folder.outcome(&job)?;
        let outcome = known.unwrap_or_else(|| Outcome::new(State::Unfinished, plan.length, &folder.run(&job)));
        runs.push(Entry { variant: job.variant, seed: job.seed, name: job.name, outcome });
    }
    Ok(Table::new(plan, runs))
}

/// Fails if every run failed.
fn nothing_but_failures(table: &Table) -> Result<()> {
    let mut reasons = table.runs.iter().filter_map(|run| run.outcome.failure());
    match reasons.next() {
        Some(why) if reasons.count() + 1 == table.runs.len() => {
            Err(Error::run(format!("no run gave a number: {why}"), "the output of the runs is under logs/"))
        }
        _ => Ok(()),
    }
}
