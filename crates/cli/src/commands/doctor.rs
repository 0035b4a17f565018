//! `faussaire doctor`: reads a run's log again and says what the doctor sees in it.

use faussaire::Result;
use faussaire::doctor::{Case, Doctor};
use faussaire::run::Run;

use super::findings;
use crate::arguments::Doctor as Options;
use crate::report::say;

pub fn run(options: &Options) -> Result<()> {
    let run = Run::open(&options.run)?;
    let doctor = Doctor::new(Case::of(&run.first_recipe()?)?, &run.events(None)?);
    if options.json {
        for finding in doctor.findings() {
            say!("{}", serde_json::json!(finding));
        }
        return Ok(());
    }
    if doctor.findings().is_empty() {
        say!("{}: nothing to report", run.path().display());
    }
    for finding in doctor.findings() {
        say!("{}", findings::text(finding));
    }
    for heal in doctor.heals() {
        say!("{}", findings::healed(heal));
    }
    Ok(())
}
