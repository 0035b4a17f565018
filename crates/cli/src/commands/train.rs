//! `faussaire train`: builds or reopens a run and trains it, with a progress bar and pictures in the terminal.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use faussaire::data::LabelKind;
use faussaire::data::LabelSettings;
use faussaire::data::{Chosen, Dataset, OpenOptions};
use faussaire::doctor::{self, Case, Doctor};
use faussaire::metrics::Extractor;
use faussaire::recipe::{Conditional, differences};
use faussaire::run::{self, Recorder, Run};
use faussaire::train::{Ending, Gan, Limits, Watcher};
use faussaire::{Error, Preset, Recipe, Result};

use super::data::open_dataset;
use super::findings;
use super::judge::{Against, extractor};
use super::progress::Console;
use crate::arguments::Train;
use crate::report::{count, say};

/// Where runs go without `--run`.
const RUNS: &str = "runs";

pub fn run(options: &Train) -> Result<()> {
    super::limit_threads(options.threads)?;
    let device = super::device(&options.device)?;
    let resumed = options.resume.as_ref().map(|given| find(given.as_deref())).transpose()?;
    let recipe = match &resumed {
        Some(run) => resumed_recipe(run, options)?,
        None => new_recipe(options)?,
    };
    let dataset = open(&recipe, options)?;
    let named = dataset.name();
    let recipe = if resumed.is_some() { recipe } else { labelled(recipe, dataset.as_ref(), options)? };
    let mut gan = Gan::new(recipe, dataset, &device)?;
    if resumed.is_none() {
        gan.initialise()?;
    }
    if options.dry_run {
        return print_plan(&gan);
    }
    let limits = limits(&gan.recipe, options)?;
    let resuming = resumed.is_some();
    let run = resumed.map_or_else(|| create(&gan.recipe, options), Ok)?;
    let _lock = run.lock()?;
    let state = if resuming { resume(&run, &mut gan)? } else { None };
    let log = state.as_ref().map_or_else(|| Ok(Vec::new()), |state| run.events(Some(state.events_bytes)))?;
    if let Some(total) = limits.total_steps(&gan)
        && gan.progress.step >= total
    {
        let step = count(gan.progress.step);
        say!("{}: complete at step {step}; --steps, --epochs or --time trains it further", run.path().display());
        return Ok(());
    }
    run.write_recipe(&gan.recipe)?;

    let mut doctor = Doctor::new(Case::of(&run.first_recipe()?)?, &log);
    let mut recorder = Recorder::new(run.clone(), state.as_ref())?.judged_by(judge(&gan, options)?);
    let stop = stop_on_signal()?;
    if options.stop_at_eof {
        stop_at_eof(Arc::clone(&stop));
    }
    let mut console = Console::new(options.quiet, stop, limits.time);
    console.introduce(&gan, &named, run.path());
    let began = Instant::now();
    let ending = loop {
        let limits = Limits { time: limits.time.map(|time| time.saturating_sub(began.elapsed())), ..limits };
        let mut watchers: [&mut dyn Watcher; 3] = [&mut recorder, &mut doctor, &mut console];
        match gan.fit(&limits, &mut watchers) {
            Ok(Ending::RolledBack) => gan = doctor::heal(&gan, &run, &mut recorder, &mut doctor)?,
            Ok(ending) => break ending,
            Err(error) => {
                console.clear();
                // The log says how it failed; a report that can't be written must not hide that.
                let _ = faussaire::report::write(&run);
                return Err(error);
            }
        }
    };
    faussaire::report::write(&run)?;
    let judged = recorder.judging().as_secs_f64() / began.elapsed().as_secs_f64().max(1e-9);
    conclude(&gan, &run, ending, &doctor, judged)
}

/// Who is to score the run, where the recipe asks for a judge.
fn judge(gan: &Gan, options: &Train) -> Result<Option<Extractor>> {
    if !gan.recipe.train.judge || gan.dataset().toy().is_some() {
        return Ok(None);
    }
    let against = Against::open(&gan.recipe.data.source, &gan.recipe.open_options(OpenOptions::default()), true)?;
    rayon::scope(|_| extractor(&against, None, options.quiet, &super::device("cpu")?)).map(Some)
}

/// A recipe for a new run: the preset or file, then the flags.
pub fn new_recipe(options: &Train) -> Result<Recipe> {
    let changes = changes(options);
    match &options.config {
        Some(path) => Recipe::read(path, &changes),
        None => {
            let preset = options.preset.as_deref().map_or(Ok(Preset::Quick), Preset::named)?;
            Recipe::parse(preset.text(), &format!("preset {}", preset.name()), &changes)
        }
    }
}

/// The recipe with the labels of `dataset`, where its nets are told any.
fn labelled(recipe: Recipe, dataset: &dyn Dataset, options: &Train) -> Result<Recipe> {
    if let Some(kind) = &options.conditional {
        let Some(how) = Conditional::ALL.into_iter().find(|how| how.name() == kind) else {
            let names = Conditional::ALL.map(Conditional::name).join(", ");
            return Err(Error::usage(
                format!("--conditional={kind}: expected one of {names}"),
                "plain --conditional is concat",
            ));
        };
        let labels = match recipe.labels.names.is_empty() {
            true => LabelSettings::of(dataset)?,
            false => recipe.labels.clone().counted(dataset)?,
        };
        return recipe.conditioned(labels, how);
    }
    let mut recipe = recipe;
    if recipe.labels.names.is_empty() {
        return Ok(recipe);
    }
    // A conditional preset on another data set is told that one's classes.
    let another = options.dataset.is_some() && recipe.labels.kind == LabelKind::Classes;
    recipe.labels = if another { LabelSettings::of(dataset)? } else { recipe.labels.counted(dataset)? };
    Ok(recipe)
}

/// The run's own recipe; flags may only change what doesn't touch the training.
fn resumed_recipe(run: &Run, options: &Train) -> Result<Recipe> {
    let was = healed(run, run.recipe(&[])?)?;
    let is = was.changed(&changes(options))?;
    let found = differences(&was, &is)?;
    if found.is_empty() {
        return Ok(is);
    }
    let lines: Vec<String> = found.iter().map(|d| format!("\n  {d}")).collect();
    Err(Error::usage(
        format!("{} was begun under another recipe:{}", run.path().display(), lines.concat()),
        "resume without these changes, or start a new run with them",
    ))
}

/// `recipe` with the changes of a heal that a kill kept from reaching the run's config.toml.
fn healed(run: &Run, recipe: Recipe) -> Result<Recipe> {
    let latest = run.checkpoint("latest");
    if !run::exists(&latest) {
        return Ok(recipe);
    }
    let (_, state) = run::state(&latest)?;
    doctor::changed_by(&recipe, &run.events(Some(state.events_bytes))?)
}

/// Flags that are shorthands for keys of the recipe. `--set` comes last and wins.
fn changes(options: &Train) -> Vec<String> {
    let mut changes = Vec::new();
    let mut key = |key: &str, value: Option<u64>| changes.extend(value.map(|v| format!("{key}={v}")));
    key("train.epochs", options.epochs);
    key("train.steps", options.steps);
    // One limit given on the command line replaces the other one of the recipe.
    key("train.steps", options.epochs.map(|_| 0));
    key("train.epochs", options.steps.map(|_| 0));
    key("train.batch", options.batch);
    key("train.seed", options.seed);
    key("train.heal", options.heal);
    key("data.size", options.size);
    // A run goes on as it began, which is what `auto` means there.
    let precision = options.precision.as_ref().filter(|p| *p != "auto" || options.resume.is_none());
    changes.extend(precision.map(|precision| format!("train.precision={precision}")));
    if options.judge {
        changes.push("train.judge=true".into());
    }
    if let Some(dataset) = &options.dataset {
        let path = Path::new(dataset);
        let is_path = !faussaire::data::is_name(dataset) && path.exists();
        let source = if is_path { absolute(path) } else { dataset.clone() };
        changes.push(format!("data.source={}", toml_text(&source)));
        // A preset's cut is meant for its own data set.
        if options.config.is_none() && options.resume.is_none() {
            changes.push("data.count=0".into());
        }
    }
    if !options.init.is_empty() {
        let files: Vec<String> = options.init.iter().map(|file| toml_text(&absolute(file))).collect();
        changes.push(format!("train.init=[{}]", files.join(",")));
    }
    if let Some(dir) = &options.data {
        changes.push(format!("data.dir={}", toml_text(&absolute(dir))));
    }
    changes.extend(options.set.iter().cloned());
    changes
}

/// `path` from the root, so that a resume from another folder finds it.
pub fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.into()).to_string_lossy().into_owned()
}

/// `text` as a TOML string, so that a path such as `1` or `true` stays text. JSON's quoting is understood by TOML.
fn toml_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn open(recipe: &Recipe, options: &Train) -> Result<Box<dyn Dataset>> {
    let data = &recipe.data;
    let set = open_dataset(&data.source, &recipe.open_options(OpenOptions::default()), options.quiet)?;
    Ok(if data.count > 0 { Chosen::first(set, data.count) } else { set })
}

/// Command-line limits, then the recipe's; something must end the training.
fn limits(recipe: &Recipe, options: &Train) -> Result<Limits> {
    let mut limits = Limits { epochs: recipe.train.epochs, steps: recipe.train.steps, time: options.time };
    if options.time.is_some() && options.epochs.is_none() && options.steps.is_none() {
        // Asked for a time: the recipe's own length doesn't cut it short.
        (limits.epochs, limits.steps) = (0, 0);
    }
    if limits == Limits::default() {
        return Err(Error::usage(
            "nothing says how long to train",
            "give --epochs N, --steps N or --time 10m, or set train.epochs in the recipe",
        ));
    }
    Ok(limits)
}

fn create(recipe: &Recipe, options: &Train) -> Result<Run> {
    if let Some(path) = &options.run {
        return Run::create_at(path, recipe);
    }
    let data = Path::new(&recipe.data.source).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let config = options.config.as_ref().and_then(|c| c.file_stem()).map(|s| s.to_string_lossy().into_owned());
    let preset = config.or_else(|| options.preset.clone()).unwrap_or_else(|| Preset::Quick.name().into());
    Run::create_numbered(Path::new(RUNS), &format!("{data}-{preset}"), recipe)
}

fn find(given: Option<&Path>) -> Result<Run> {
    given.map_or_else(|| Run::newest(Path::new(RUNS)), Run::open)
}

/// Puts the latest checkpoint into `gan`; a run that was killed before its first one begins again.
fn resume(run: &Run, gan: &mut Gan) -> Result<Option<run::State>> {
    let latest = run.checkpoint("latest");
    if run::exists(&latest) {
        return run::load(&latest, gan).map(Some);
    }
    if run.checkpoint_names()?.is_empty() {
        eprintln!("{} has no checkpoint yet: it begins again", run.path().display());
        gan.initialise()?;
        return Ok(None);
    }
    Err(Error::run(
        format!("{} is missing, but there are other checkpoints", latest.display()),
        "to go on from one of them, copy its folder (checkpoints/best, ...) to checkpoints/latest",
    ))
}

/// `path` as one word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:,@".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Ctrl-C and SIGTERM ask for a stop after the current step; asked twice, the process ends at once.
pub fn stop_on_signal() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    })
    .map_err(|e| Error::usage(format!("signals can't be handled: {e}"), "report this"))?;
    Ok(stop)
}

/// Asks for a stop when stdin ends: `compare` holds the other end, and a kill closes it too.
fn stop_at_eof(stop: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        stop.store(true, Ordering::SeqCst);
    });
}

fn print_plan(gan: &Gan) -> Result<()> {
    say!("{}", gan.generator.summary());
    say!("{}", gan.discriminator.summary());
    let images = gan.dataset().len();
    say!("{}: {} images of {}", gan.dataset().name(), count(images as u64), gan.image_shape());
    say!("{:.1} steps per epoch at batch {}", gan.steps_per_epoch(), gan.recipe.train.batch);
    say!("\n{}", gan.recipe.to_toml()?.trim_end());
    Ok(())
}

fn conclude(gan: &Gan, run: &Run, ending: Ending, doctor: &Doctor, judged: f64) -> Result<()> {
    let path = quoted(run.path());
    let step = gan.progress.step;
    let rate = gan.progress.images as f64 / gan.progress.train_s.max(1e-9);
    let how = match ending {
        Ending::Complete => "complete",
        Ending::Time => "out of time",
        Ending::Stopped | Ending::RolledBack => "stopped",
    };
    let (steps, images) = (count(step), count(gan.progress.images));
    say!("{path}: {how} at {steps} steps, {images} images at {rate:.0} images/s");
    say!("  sheet       {path}/samples/{step:06}.png");
    say!("  checkpoint  {path}/checkpoints/latest");
    say!("  report      {path}/report.html");
    say!("  log         {path}/events.jsonl");
    say!("  scores      took {:.1} % of the time", 100.0 * judged);
    if let Some(findings) = findings::summary(doctor.findings(), doctor.heals()) {
        say!("  doctor      {findings}; what they mean: faussaire doctor {path}");
    }
    say!("next:");
    let train = &gan.recipe.train;
    let planned = Limits { epochs: train.epochs, steps: train.steps, time: None }.total_steps(gan);
    if ending != Ending::Complete && planned.is_none_or(|planned| step < planned) {
        say!("  faussaire train --resume {path}");
    } else {
        say!("  faussaire train --resume {path} --steps {}", 2 * step);
    }
    say!("  faussaire sample {path} --grid 8x8 -o images.png");
    say!("  faussaire sample {path} -o walk.gif");
    Ok(())
}
