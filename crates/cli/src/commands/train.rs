//! `faussaire train`: trains a new run or resumes one. The training itself is [`faussaire::Trainer`]'s.

mod arguments;
pub mod changes;
mod how;
mod plan;
mod summary;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use faussaire::run::Run;
use faussaire::trainer::{Data, resumed_recipe};
use faussaire::{Gan, Result, Trainer};

pub use arguments::Train;
use changes::NewRecipe;

use super::bars::Bars;
use super::progress::Console;
use super::stopping;
use crate::flags;
use crate::report::{count, say};

/// The folder of runs without `--run`.
const RUNS: &str = "runs";

pub fn run(options: &Train) -> Result<()> {
    super::limit_threads(options.threads)?;
    let device = super::device(&options.device)?;
    let run = options.resume.as_ref().map(|given| find(given.as_deref())).transpose()?;
    let mut bars = Bars::new(options.quiet);
    let (recipe, name) = match &run {
        Some(run) => (resumed_recipe(run, &changes::of(options))?, String::new()),
        None => {
            let NewRecipe { recipe, name, reasons } =
                changes::new_recipe(options, &mut |fetched| bars.fetching(fetched))?;
            if !options.quiet {
                let said = reasons.iter().filter(|line| options.time.is_none() || !line.starts_with("length: "));
                said.for_each(|line| eprintln!("{}", flags::in_asides(line)));
            }
            (recipe, name)
        }
    };
    let data = Data::open(&recipe, &mut |fetched| bars.fetching(fetched))?;
    drop(bars);
    let how = how::how(&recipe, device, options)?;
    match run {
        Some(_) if options.dry_run => plan::show(&Gan::new(recipe, data.shared(), &how.device)?),
        Some(run) => train(Trainer::resume(run, data, &how)?, options),
        None => {
            let trainer = Trainer::new(recipe, data, &how)?;
            if options.dry_run { plan::show(trainer.gan()) } else { train(placed(trainer, &name, options)?, options) }
        }
    }
}

fn train(mut trainer: Trainer, options: &Train) -> Result<()> {
    let Some(path) = trainer.run_folder().map(|run| run.path().to_path_buf()) else { return Ok(()) };
    if options.resume.is_some() && !trainer.is_resumed() {
        eprintln!("{} has no checkpoint yet: starting from step 0", path.display());
    }
    if trainer.is_complete() {
        let step = count(trainer.gan().progress.step);
        say!("{}: complete at step {step}; continue with --steps, --epochs or --time", path.display());
        return Ok(());
    }
    let mut bars = Bars::new(options.quiet);
    trainer.find_judge(&mut |progress| bars.show(progress))?;
    drop(bars);
    let stop = stopping::on_signal()?;
    if options.stop_at_eof {
        stopping::at_eof(Arc::clone(&stop));
    }
    let mut trainer = trainer.stop_when(move || stop.load(Ordering::SeqCst));
    let mut console = Console::new(options.quiet, trainer.limits().time);
    console.introduce(trainer.gan(), &path);
    let outcome = trainer.run_watched(&mut [&mut console]);
    if outcome.is_err() {
        console.clear();
    }
    summary::conclude(&trainer, outcome?)
}

/// The folder of a new run of the recipe called `name`.
fn placed(trainer: Trainer, name: &str, options: &Train) -> Result<Trainer> {
    if let Some(path) = &options.run {
        return trainer.at(path);
    }
    let source = trainer.gan().recipe.data.source.clone();
    let data = Path::new(&source).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    trainer.numbered(Path::new(RUNS), &format!("{data}-{name}"))
}

fn find(given: Option<&Path>) -> Result<Run> {
    given.map_or_else(|| Run::newest(Path::new(RUNS)), Run::open)
}
