//! `faussaire report`: files for a report of one's own: the history as a table, curves and pictures.

use std::path::PathBuf;

use clap::Args;
use faussaire::run::Run;
use faussaire::trainer::Data;
use faussaire::{Result, report};

use super::bars::Bars;
use crate::print::{note, tell};

/// `faussaire report`
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Report {
    /// Run folder
    pub run: PathBuf,
    /// Folder for the files; made if it is missing, files of the same names are replaced
    #[arg(short, long, visible_alias = "to", value_name = "FOLDER")]
    pub output: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  faussaire report runs/0001-mnist-tp-short -o figures   tables, curves as SVG and PNG, all epochs in one picture

The run's own page is report.html in its folder.";

pub fn run(options: &Report) -> Result<()> {
    let run = Run::open(&options.run)?;
    let mut bars = Bars::new(false);
    let made = report::figures(&run, &options.output, |recipe| {
        Ok(Data::open(recipe, &mut |fetched| bars.fetching(fetched))?.shared())
    });
    drop(bars);
    let made = made?;
    for (path, about) in &made.files {
        tell!("{}: {about}", path.display());
    }
    for remark in &made.remarks {
        note!("{remark}");
    }
    Ok(())
}
