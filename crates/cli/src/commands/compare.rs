//! `faussaire compare`: trains several recipes with several seeds each, judges every run, and says which recipe is better
//! as far as that many seeds can tell. Each training is a process of its own, so that one that fails takes no other
//! along, and its run folder is like any other.

mod planning;
mod scoring;
mod training;

use std::sync::atomic::Ordering;

use faussaire::compare::{Entry, Folder, Outcome, Plan, State, Table, csv, json, markdown, page};
use faussaire::{Error, Result};

use crate::arguments::Compare;
use crate::report::say;

pub fn run(options: &Compare) -> Result<()> {
    let planned = planning::plan(options)?;
    let (folder, plan) = (&planned.folder, &planned.plan);
    let stop = super::stopping::on_signal()?;
    if !options.quiet {
        introduce(folder, plan);
    }
    training::train(folder, plan, options.quiet, &stop)?;
    let stopped = stop.load(Ordering::SeqCst);
    if !stopped {
        super::limit_threads(Some(plan.jobs * plan.threads))?;
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
        say!("\n{}: page.html to look at; table.md, table.csv, table.json; runs/", folder.path().display());
    }
    if stop.load(Ordering::SeqCst) {
        eprintln!("stopped; to go on: faussaire compare --run {}", folder.path().display());
        return Ok(());
    }
    nothing_but_failures(&table)
}

fn introduce(folder: &Folder, plan: &Plan) {
    let all = plan.jobs().len();
    let s = if plan.threads == 1 { "" } else { "s" };
    eprintln!("{}: {all} runs, {} at once, {} thread{s} each", plan.title, plan.jobs, plan.threads);
    for variant in plan.variants.iter() {
        if let Some(why) = &variant.refused {
            eprintln!("{} is refused: {why}", variant.name);
        }
    }
    eprintln!("folder {}; Ctrl-C stops and saves, the same command goes on", folder.path().display());
}

/// What is known of all runs.
fn table(folder: &Folder, plan: Plan) -> Result<Table> {
    let mut runs = Vec::new();
    for job in plan.jobs() {
        let known = folder.outcome(&job)?;
        let outcome = known.unwrap_or_else(|| Outcome::new(State::Unfinished, plan.length, &folder.run(&job)));
        runs.push(Entry { variant: job.variant, seed: job.seed, name: job.name, outcome });
    }
    Ok(Table::new(plan, runs))
}

/// A comparison in which every single run failed has failed.
fn nothing_but_failures(table: &Table) -> Result<()> {
    let mut reasons = table.runs.iter().filter_map(|run| run.outcome.trouble());
    match reasons.next() {
        Some(why) if reasons.count() + 1 == table.runs.len() => {
            Err(Error::run(format!("no run gave a number: {why}"), "the runs' own words are under logs/"))
        }
        _ => Ok(()),
    }
}
