//! `compare --share K/N`: trains every Nth run of a plan, as a task of a cluster. Nothing is written but the folders of these runs
//! and what came of them, so that tasks need no lock that all machines honour; the plain command does what is left, and judges.

use std::sync::atomic::Ordering;

use faussaire::{Result, Share};

use super::{Compare, STOPPING, planning, training};
use crate::print::{note, tell};
use crate::report::counted;
use crate::stopping;

pub fn train(options: &Compare, share: Share) -> Result<()> {
    let (folder, plan) = planning::planned(options, share)?;
    let stop = stopping::after_step(STOPPING);
    let jobs = plan.jobs();
    let own = (0..jobs.len()).filter(|at| share.has(*at)).map(|at| &jobs[at]);
    if !options.quiet {
        let (runs, threads) = (counted(own.clone().count(), "run"), counted(plan.threads, "thread"));
        note!("{}, share {share}: {runs}, {} at a time, {threads} each", plan.title, plan.jobs);
    }
    training::train(&folder, &plan, options.quiet, &stop, share)?;
    let mut finished = 0;
    for job in own.clone() {
        finished += usize::from(folder.outcome(job)?.is_some_and(|outcome| outcome.is_finished(&plan.length)));
    }
    let path = folder.path().display();
    tell!("{path}, share {share}: {finished} of {} done", counted(own.count(), "run"));
    if stop.load(Ordering::SeqCst) {
        note!("stopped; the same command goes on");
    } else {
        note!("after all shares: faussaire compare --run {path}");
    }
    Ok(())
}
