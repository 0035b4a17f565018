//! `faussaire judge`: scores a run's images, or anybody's, against real ones. The judging itself is
//! [`faussaire::judging`]'s.

mod scores;

use std::path::Path;

use faussaire::data::PartFile;
use faussaire::judging::{self, Options};
use faussaire::{Error, Result};

use super::bars::Bars;
use crate::arguments::Judge;
use crate::report::say;

pub fn run(options: &Judge) -> Result<()> {
    super::limit_threads(options.threads)?;
    let mut bars = Bars::new(options.json);
    let judged = judging::run(&asked(options), &mut |progress| bars.show(progress))?;
    drop(bars);
    if let (Some(file), Some(page)) = (&options.neighbours, &judged.neighbours) {
        write(file, page)?;
    }
    if options.json {
        let text = serde_json::to_string_pretty(&judged.judgement)
            .map_err(|e| Error::usage(format!("the scores can't be written as JSON: {e}"), "report this"))?;
        say!("{text}");
        return Ok(());
    }
    if judged.random_features {
        eprintln!("{} has no labels: features come from a fixed net with random weights", judged.real);
    }
    scores::print(&judged)?;
    if let Some(file) = &options.neighbours {
        say!("\n{}: each image beside the nearest ones that were learned from", file.display());
    }
    Ok(())
}

fn asked(options: &Judge) -> Options {
    Options {
        against: options.against.clone(),
        data_dir: options.data.clone(),
        n: options.n,
        class: options.class.clone(),
        inception: options.inception.clone(),
        checkpoint: options.checkpoint.clone(),
        neighbours: options.neighbours.is_some(),
        seed: options.seed,
        ..Options::of(&options.of)
    }
}

fn write(file: &Path, page: &str) -> Result<()> {
    let mut out = PartFile::create(file)?;
    out.write(page.as_bytes())?;
    out.commit()
}
