//! From the command line to a plan: base recipes, what is varied, which variants are valid, how many run at a time. An
//! existing folder has a plan, which flags extend. Nothing is written before all of it is accepted.

use std::fs::File;
use std::path::{Path, PathBuf};

use faussaire::compare::{Axis, Folder, History, Length, Plan, choices};
use faussaire::ops::Precision;
use faussaire::recipe::{Auto, PrecisionChoice, TrainSettings};
use faussaire::{Error, Preset, Recipe, Result, Share};

use super::Compare;
use crate::commands::train::Train;
use crate::commands::train::changes::{self, NewRecipe};

/// Where comparisons go without `--run`.
const COMPARISONS: &str = "comparisons";

/// A recipe that variants begin with.
struct Base {
    name: String,
    preset: Option<String>,
    config: Option<PathBuf>,
}

/// The folder, its lock, and the plan to carry out.
pub struct Planned {
    pub folder: Folder,
    pub plan: Plan,
    _lock: File,
}

/// Writes the plan that the command line asks for to its folder.
pub fn plan(options: &Compare) -> Result<Planned> {
    check(options)?;
    let asks = asks(options);
    let existing = options.run.as_deref().filter(|path| path.join("comparison.json").is_file());
    if !asks && existing.is_none() {
        return Err(Error::usage(
            "there is nothing to compare: no data set, recipe or --vary",
            "for example: faussaire compare ring --preset ring --vary loss=gan,wgan-gp,r3gan --steps 2000",
        ));
    }
    let bases = if asks { bases(options)? } else { Vec::new() };
    let mut variants = if asks { variants(options, &bases)? } else { Vec::new() };
    let title = title(options, &bases);
    let folder = match &options.run {
        Some(path) => Folder::open(path)?,
        None => Folder::numbered(Path::new(COMPARISONS), &label(options))?,
    };
    let lock = folder.lock()?;
    let dataset = options.dataset.as_deref().map(whole);
    let mut plan = match folder.plan()? {
        Some(plan) => {
            same_data(&plan, dataset.as_deref())?;
            plan
        }
        None => {
            Plan { title, dataset, seeds: (0..3).collect(), samples: 10_000, device: "cpu".into(), ..Plan::default() }
        }
    };
    adopt(&mut plan, options, &folder)?;
    level(&folder, &plan, &mut variants)?;
    for (name, changes, recipe) in &variants {
        let refused = recipe.as_ref().err().map(reason);
        match plan.variants.iter_mut().find(|v| v.name == *name) {
            Some(known) => (known.changes, known.refused) = (changes.clone(), refused),
            None => plan.add(name, changes.clone(), refused),
        }
    }
    let variant = |name: &str| plan.variants.iter().find(|v| v.name == name);
    let recipes = variants.iter().filter_map(|(name, _, recipe)| Some((variant(name)?, recipe.as_ref().ok()?)));
    folder.save_recipes(&recipes.collect::<Vec<_>>())?;
    share_out(&mut plan, options);
    folder.save_plan(&plan)?;
    Ok(Planned { folder, plan, _lock: lock })
}

/// The folder and its plan, for a share of the runs: neither is changed, but for how many runs go at once here.
pub fn planned(options: &Compare, share: Share) -> Result<(Folder, Plan)> {
    check(options)?;
    let asks = asks(options)
        || options.steps.is_some()
        || options.epochs.is_some()
        || options.time.is_some()
        || options.seeds.is_some()
        || options.n.is_some()
        || options.device.is_some();
    let Some(path) = options.run.as_ref().filter(|path| path.join("comparison.json").is_file() && !asks) else {
        let what = match asks {
            true => "--share trains runs of a plan, which what else was asked for would change".to_owned(),
            false => format!("--share {share}: there is no plan in the folder of --run yet"),
        };
        return Err(Error::usage(
            what,
            "make the plan first, once: faussaire compare DATASET --vary KEY=V1,V2 --run DIR --plan-only; then each task does \
             faussaire compare --run DIR --share K/N",
        ));
    };
    let folder = Folder::open(path)?;
    let Some(mut plan) = folder.plan()? else {
        return Err(Error::usage(format!("{} has no plan", path.display()), "make it first, with --plan-only"));
    };
    share_out(&mut plan, options);
    let own = (0..plan.jobs().len()).filter(|at| share.has(*at)).count().max(1);
    if own < plan.jobs && options.jobs.is_none() {
        plan.threads = plan.threads * plan.jobs / own;
        plan.jobs = own;
    }
    Ok((folder, plan))
}

/// Whether recipes are asked for, which make or change a plan.
fn asks(options: &Compare) -> bool {
    options.dataset.is_some()
        || !(options.preset.is_empty()
            && options.config.is_empty()
            && options.vary.is_empty()
            && options.set.is_empty())
}

/// Fewest images of a run: with fewer, chance decides which one is better.
const MIN_SAMPLES: usize = 50;

/// Refuses numbers that no plan can have.
fn check(options: &Compare) -> Result<()> {
    if options.threads.is_some_and(|threads| !(1..=1024).contains(&threads)) || options.jobs == Some(0) {
        return Err(Error::usage(
            "--threads and --jobs: expected 1 to 1024 threads and at least one job",
            "leave them out",
        ));
    }
    match options.n {
        Some(n) if n < MIN_SAMPLES => Err(Error::usage(
            format!("-n {n}: comparing needs at least {MIN_SAMPLES} images of each run"),
            "leave -n out for the default, 10,000",
        )),
        _ => Ok(()),
    }
}

/// Refuses another data set than that of the plan.
fn same_data(plan: &Plan, dataset: Option<&str>) -> Result<()> {
    match dataset {
        Some(asked) if plan.dataset.as_deref() != Some(asked) => {
            let of = plan.dataset.as_deref().unwrap_or("its recipes' data");
            let what = format!("this comparison is on {of}, not on {asked}");
            Err(Error::usage(what, "use a new folder for other data"))
        }
        _ => Ok(()),
    }
}

/// Refuses a `length` below what some run has reached: its runs could not be compared with those.
fn no_shorter(length: &Length, plan: &Plan, folder: &Folder) -> Result<()> {
    let shorter = |is: Option<u64>, was: Option<u64>| matches!((is, was), (Some(is), Some(was)) if is < was);
    for job in plan.jobs() {
        let Some((step, _, seconds)) = History::read(&folder.run(&job)).ok().and_then(|history| history.last) else {
            continue;
        };
        let beyond = length.steps.is_some_and(|steps| steps < step) || length.seconds.is_some_and(|s| s < seconds);
        if beyond || shorter(length.epochs, plan.length.epochs) {
            return Err(Error::usage(
                format!("{} has made {step} steps in {seconds:.0} s, more than the length given now", job.name),
                "a comparison can be made longer, not shorter: use a new folder",
            ));
        }
    }
    Ok(())
}

/// Applies the flags to a plan.
fn adopt(plan: &mut Plan, options: &Compare, folder: &Folder) -> Result<()> {
    if let Some(seeds) = options.seeds {
        plan.seeds = (0..seeds).collect();
    }
    let length =
        Length { steps: options.steps, epochs: options.epochs, seconds: options.time.map(|time| time.as_secs_f64()) };
    if length != Length::default() && length != plan.length {
        no_shorter(&length, plan, folder)?;
        plan.length = length;
    }
    plan.samples = options.n.unwrap_or(plan.samples);
    if let Some(device) = &options.device {
        crate::commands::device(device)?;
        plan.device.clone_from(device);
    }
    Ok(())
}

/// How many runs at once, and how many threads for each.
fn share_out(plan: &mut Plan, options: &Compare) {
    let most = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = options.threads.unwrap_or(most);
    let usual = if plan.device == "cpu" { threads } else { 1 };
    plan.jobs = options.jobs.unwrap_or(usual).min(plan.jobs().len()).max(1);
    plan.threads = (threads / plan.jobs).max(1);
}

/// A variant: its name, its changes, and its recipe or why there is none.
type Asked = (String, Vec<String>, Result<Recipe>);

fn variants(options: &Compare, bases: &[Base]) -> Result<Vec<Asked>> {
    let axes = options.vary.iter().map(|text| Axis::parse(text)).collect::<Result<Vec<_>>>()?;
    let choices = choices(&axes)?;
    let mut planned: Vec<Asked> = Vec::new();
    for base in bases {
        // A base that is refused by itself may make sense with a change.
        let settings = recipe(base, &[], options).map_or_else(|_| TrainSettings::default(), |recipe| recipe.train);
        for choice in &choices {
            let words = [base.name.as_str(), choice.name.as_str()];
            let name = match bases.len() {
                1 if !choice.name.is_empty() => choice.name.clone(),
                _ => words.iter().filter(|w| !w.is_empty()).copied().collect::<Vec<_>>().join(" "),
            };
            let changes = choice.changes(&settings);
            let built = recipe(base, &changes, options).and_then(|recipe| recipe.networks().map(|_| recipe));
            planned.push((name, changes, built));
        }
    }
    if let Some((_, _, Err(_))) = planned.first()
        && planned.iter().all(|(_, _, recipe)| recipe.is_err())
    {
        return Err(planned.swap_remove(0).2.err().unwrap_or_else(|| Error::usage("no variant", "report this")));
    }
    Ok(planned)
}

/// If one variant needs f32 (`allows_bf16`), all are computed in f32, so that variants differ only in what is varied.
/// Earlier variants count as well.
fn level(folder: &Folder, plan: &Plan, asked: &mut [Asked]) -> Result<()> {
    let kept = plan.variants.iter().map(|variant| folder.recipe(variant)).filter(|path| path.is_file());
    let kept = kept.map(|path| Ok(Recipe::read(&path, &[])?.train.precision)).collect::<Result<Vec<_>>>()?;
    let mut recipes: Vec<&mut Recipe> = asked.iter_mut().filter_map(|(_, _, recipe)| recipe.as_mut().ok()).collect();
    let mut bear = true;
    for recipe in recipes.iter().filter(|recipe| recipe.train.precision == PrecisionChoice::Auto) {
        bear &= recipe.allows_bf16()?;
    }
    if !bear && kept.contains(&PrecisionChoice::Auto) && Precision::fastest() != Precision::F32 {
        return Err(Error::usage(
            "a new variant must be computed in f32, the others of this comparison are in bf16",
            "use a new folder and compute all in f32: --set train.precision=f32",
        ));
    }
    let level = !bear || kept.contains(&PrecisionChoice::F32);
    // Where bf16 is no choice, `auto` is f32, and earlier recipes keep that word.
    if level && !kept.contains(&PrecisionChoice::Auto) {
        for recipe in recipes.iter_mut().filter(|recipe| recipe.train.precision == PrecisionChoice::Auto) {
            recipe.train.precision = PrecisionChoice::F32;
        }
    }
    Ok(())
}

fn bases(options: &Compare) -> Result<Vec<Base>> {
    let mut bases = Vec::new();
    for name in &options.preset {
        if name != Auto::NAME {
            Preset::named(name)?;
        }
        bases.push(Base { name: name.clone(), preset: Some(name.clone()), config: None });
    }
    for path in &options.config {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !path.exists() {
            return Err(Error::usage(format!("there is no recipe file {}", path.display()), "check --config"));
        }
        bases.push(Base { name: stem, preset: None, config: Some(path.clone()) });
    }
    if bases.is_empty() {
        bases.push(default_base(options));
    }
    if let Some(twice) = bases.iter().enumerate().find(|(at, b)| bases[..*at].iter().any(|other| other.name == b.name))
    {
        return Err(Error::usage(format!("two recipes are called {}", twice.1.name), "give them different names"));
    }
    Ok(bases)
}

/// The recipe without `--preset` and `--config`: the default one, or `auto` for images that its nets don't fit.
fn default_base(options: &Compare) -> Base {
    let quick = || Base { name: "quick".into(), preset: Some("quick".into()), config: None };
    let of_data = Base { preset: None, ..quick() };
    match new_recipe(&of_data, &[], options).map(|new| new.name) {
        Ok(name) if name == Auto::NAME && options.dataset.is_some() => {
            Base { preset: Some(name.clone()), name, config: None }
        }
        // What is wrong is reported where the recipe is needed.
        _ => quick(),
    }
}

/// The recipe that `train` would make of these flags.
fn recipe(base: &Base, changes: &[String], options: &Compare) -> Result<Recipe> {
    new_recipe(base, changes, options).map(|new| new.recipe)
}

fn new_recipe(base: &Base, changes: &[String], options: &Compare) -> Result<NewRecipe> {
    let train = Train {
        dataset: options.dataset.clone(),
        preset: base.preset.clone(),
        config: base.config.clone(),
        data: options.data.clone(),
        epochs: options.epochs,
        steps: options.steps,
        set: options.set.iter().chain(changes).cloned().collect(),
        ..Train::default()
    };
    changes::new_recipe(&train, &mut |_| ())
}

/// A data set's path from the root; a name as it is.
fn whole(dataset: &str) -> String {
    let path = Path::new(dataset);
    if !faussaire::data::is_name(dataset) && path.exists() { changes::absolute(path) } else { dataset.into() }
}

/// What was refused and what to do, in one line.
fn reason(error: &Error) -> String {
    error.to_string().replace('\n', " ")
}

/// What is the same for all variants: `mnist, preset tp`.
fn title(options: &Compare, bases: &[Base]) -> String {
    let presets = bases.iter().filter_map(|base| base.preset.as_ref()).map(|name| format!("preset {name}"));
    let configs = options.config.iter().map(|path| path.display().to_string());
    let mut parts: Vec<String> = options.dataset.iter().cloned().chain(presets).chain(configs).collect();
    parts.extend(options.set.iter().cloned());
    parts.join(", ")
}

/// The folder's name behind its number.
fn label(options: &Compare) -> String {
    let file = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let dataset = options.dataset.as_deref().map(|set| file(Path::new(set)));
    let preset = options.preset.first().cloned();
    let config = options.config.first().map(|path| file(path));
    dataset.or(preset).or(config).unwrap_or_else(|| "quick".into())
}
