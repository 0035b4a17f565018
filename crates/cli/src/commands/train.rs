//! `faussaire train`: trains a new run or resumes one. The training itself is [`faussaire::Trainer`]'s.

mod arguments;
pub mod changes;
mod how;
mod plan;
mod remarks;
pub mod sabotage;
mod summary;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use faussaire::data::{IN_MEMORY, is_name};
use faussaire::run::Run;
use faussaire::trainer::{Data, resumed_recipe};
use faussaire::{Error, Gan, Result, Trainer};

pub use arguments::Train;
use changes::NewRecipe;

use super::bars::Bars;
use super::progress::Console;
use crate::flags;
use crate::print::{self, note, tell};
use crate::ranks::Team;
use crate::report::{count, quoted};
use crate::stopping;

/// The folder of runs without `--run`.
const RUNS: &str = "runs";

/// What is printed at the first Ctrl-C.
const STOPPING: &str = "stopping after this step, then saving; press Ctrl-C again to end at once";

pub fn run(options: &Train) -> Result<()> {
    if options.sabotage.as_deref() == Some("list") {
        return sabotage::list();
    }
    if options.stop_at_eof {
        stopping::at_eof();
    }
    let team = Team::join()?;
    if team.leads() { team.dismissed(lead(options, &team)) } else { follow(options, &team) }
}

/// What a rank other than 0 does.
fn follow(options: &Train, team: &Team) -> Result<()> {
    super::limit_threads(options.threads.or(team.threads))?;
    team.follow(&super::device(&options.device)?)
}

/// The whole of a training: of this process, or of rank 0.
fn lead(options: &Train, team: &Team) -> Result<()> {
    super::limit_threads(options.threads.or(team.threads))?;
    let device = super::device(&options.device)?;
    if !options.quiet {
        team.introduce();
    }
    let run = options.resume.as_ref().map(|given| find(given.as_deref())).transpose()?;
    if let (Some(name), false) = (&options.dataset, options.quiet) {
        super::mention_namesake(name);
    }
    let mut bars = Bars::new(options.quiet);
    let (recipe, name, opened) = match &run {
        Some(run) => (resumed_recipe(run, &changes::of(options))?, String::new(), None),
        None => {
            let NewRecipe { recipe, name, reasons, data } =
                changes::new_recipe(options, &mut |fetched| bars.fetching(fetched))?;
            if !options.quiet {
                let said = reasons.iter().filter(|line| options.time.is_none() || !line.starts_with("length: "));
                said.for_each(|line| note!("{}", flags::in_asides(line)));
            }
            let recipe = match &options.sabotage {
                Some(mistake) => recipe.sabotaged(mistake)?,
                None => recipe,
            };
            (recipe, name, data)
        }
    };
    let data = match opened {
        Some(data) => Ok(data),
        None => Data::open(&recipe, &mut |fetched| bars.fetching(fetched)),
    };
    drop(bars);
    let data = data.map_err(|error| if_moved(error, run.as_ref(), &recipe.data.source))?;
    let how = how::how(&recipe, device, options)?.ranks(Arc::clone(&team.ranks));
    match run {
        Some(_) if options.dry_run => plan::show(&Gan::new(recipe, data.shared(), &how.device)?, options.quiet),
        Some(run) => train(Trainer::resume(run, data, &how)?, options),
        None => {
            let trainer = Trainer::new(recipe, data, &how)?;
            match options.dry_run {
                true => plan::show(trainer.gan(), options.quiet),
                false => train(placed(trainer, &name, options)?, options),
            }
        }
    }
}

fn train(mut trainer: Trainer, options: &Train) -> Result<()> {
    let Some(path) = trainer.run_folder().map(|run| run.path().to_path_buf()) else { return Ok(()) };
    if options.resume.is_some() && !trainer.is_resumed() {
        note!("{} has no checkpoint yet: starting from step 0", path.display());
    }
    for remark in trainer.remarks() {
        print::warning(remark);
    }
    if trainer.is_complete() {
        // The report is written, should that have failed.
        trainer.step()?;
        let step = count(trainer.gan().progress.step);
        tell!("{}: complete at step {step}; continue with --steps, --epochs or --time", path.display());
        return Ok(());
    }
    let mut bars = Bars::new(options.quiet);
    trainer.find_judge(&mut |progress| bars.show(progress))?;
    drop(bars);
    let stop = stopping::after_step(STOPPING);
    let mut trainer = trainer.stop_when(move || stop.load(Ordering::SeqCst));
    let mut console = Console::new(options.quiet, trainer.limits().time);
    console.introduce(trainer.gan(), &path);
    // A resumed run's were made before its first step.
    if !trainer.is_resumed() {
        remarks::show(trainer.gan(), options.quiet)?;
    }
    let outcome = trainer.run_watched(&mut [&mut console]);
    stopping::at_once();
    if outcome.is_err() {
        console.clear();
    }
    summary::conclude(&trainer, outcome?);
    Ok(())
}

/// `error`; of images that are no longer where the run to be resumed has them, with how to say where they are.
fn if_moved(error: Error, resumed: Option<&Run>, source: &str) -> Error {
    match resumed {
        Some(run) if !is_name(source) && !source.starts_with(IN_MEMORY) && !Path::new(source).exists() => {
            let run = quoted(&run.path().display().to_string());
            Error::data(
                format!("the images of this run were in {source}, where there is nothing now"),
                format!("put them back, or say where they are: faussaire train NEWPATH --resume {run}"),
            )
        }
        _ => error,
    }
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
