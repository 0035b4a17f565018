//! `faussaire doctor`: reads a run's log and prints the doctor's findings, and what is unusual in the run's recipe.

use clap::Args;
use faussaire::Result;
use faussaire::doctor::{self, RunContext};
use faussaire::run::Run;
use std::path::PathBuf;

use super::findings;
use super::train::sabotage;
use crate::print::{self, say};

/// `faussaire doctor`
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {
    /// Run folder
    pub run: PathBuf,
    /// Print one JSON object per finding
    #[arg(long)]
    pub json: bool,
    /// Print the mistake that `train --sabotage` built into the run
    #[arg(long, conflicts_with = "json")]
    pub key: bool,
}

const EXAMPLES: &str = "\
Examples:
  faussaire doctor runs/0001-mnist-quick";

pub fn run(options: &Doctor) -> Result<()> {
    let run = Run::open(&options.run)?;
    if options.key {
        return sabotage::key(&run.first_recipe()?);
    }
    let context = RunContext::of(&run.first_recipe()?)?;
    let remarks = context.remarks.clone();
    let doctor = doctor::Doctor::new(context, &run.events(None)?);
    if options.json {
        for finding in doctor.findings() {
            say!("{}", serde_json::json!(finding));
        }
        return Ok(());
    }
    if doctor.findings().is_empty() {
        say!("{}: {}", run.path().display(), findings::none(&doctor));
    }
    for finding in doctor.findings() {
        print::result(&findings::text(finding))?;
    }
    for remark in &remarks {
        print::result(&findings::remark(remark))?;
    }
    for heal in doctor.heals() {
        print::result(&findings::healed(heal))?;
    }
    Ok(())
}
