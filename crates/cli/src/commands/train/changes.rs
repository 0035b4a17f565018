//! The flags of `faussaire train` as a recipe and changes to one.

use std::path::Path;

use faussaire::data::{Progress, is_image};
use faussaire::net::Shape;
use faussaire::recipe::Auto;
use faussaire::trainer::Data;
use faussaire::{Error, Preset, Recipe, Result};

use super::Train;
use crate::quoting::quoted;

/// A recipe for a new run, with what is to be said about it.
pub struct NewRecipe {
    pub recipe: Recipe,
    /// The name of the preset or file.
    pub name: String,
    /// The choices of the preset `auto`, one line each.
    pub reasons: Vec<String>,
    /// Its data, if they had to be opened for the choice.
    pub data: Option<Data>,
}

/// A recipe for a new run: the preset or file, then the flags. Without a preset it is the default one, or `auto` for images that
/// the default nets don't fit.
pub fn new_recipe(options: &Train, progress: &mut dyn FnMut(Progress)) -> Result<NewRecipe> {
    let changes = of(options);
    let named = |name: &str, recipe, data| NewRecipe { recipe, name: name.into(), reasons: Vec::new(), data };
    if let Some(path) = &options.config {
        if let (false, Ok(preset)) = (path.exists(), Preset::named(&path.to_string_lossy())) {
            return Err(Error::usage(
                format!("--config {}: there is no such file", path.display()),
                format!("that is a preset: --preset {}", preset.name()),
            ));
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        return Ok(named(&name, Recipe::read(path, &changes)?, None));
    }
    if options.preset.as_deref() == Some(Auto::NAME) {
        return auto(&changes, progress);
    }
    refuse_images_as_folder_of_sets(options)?;
    let preset = preset(options)?;
    let recipe = Recipe::parse(preset.text(), &format!("preset {}", preset.name()), &changes)?;
    let adapts = options.preset.is_none() && !options.set.iter().any(|change| sets_layers(change));
    // What can't be opened is reported where it is needed.
    let data = if adapts { Data::open(&recipe, progress).ok() } else { None };
    match data.as_ref().and_then(|data| misfit(&recipe, data)) {
        Some(why) => {
            let mut made = auto(&changes, progress)?;
            made.reasons.insert(0, why);
            Ok(made)
        }
        None => Ok(named(preset.name(), recipe, data)),
    }
}

fn auto(changes: &[String], progress: &mut dyn FnMut(Progress)) -> Result<NewRecipe> {
    let Auto { recipe, reasons, .. } = Recipe::for_data(changes, progress)?;
    Ok(NewRecipe { recipe, name: Auto::NAME.into(), reasons, data: None })
}

/// `--data` is a folder of data sets; with images in it and no data set named, the images are meant.
fn refuse_images_as_folder_of_sets(options: &Train) -> Result<()> {
    let names_data = options.dataset.is_some() || options.preset.is_some() || sets_source(options);
    let Some(folder) = options.data.as_deref().filter(|_| !names_data) else { return Ok(()) };
    let list = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let has_images = |folder: &Path| list(folder).any(|path| is_image(&path.to_string_lossy()));
    if has_images(folder) || list(folder).any(|path| path.is_dir() && has_images(&path)) {
        return Err(Error::usage(
            format!("no data set is named, and {} has images, while --data is a folder of data sets", folder.display()),
            format!("to learn from these images: faussaire train {}", quoted(&folder.to_string_lossy())),
        ));
    }
    Ok(())
}

/// Whether a `--set` is about the data set.
fn sets_source(options: &Train) -> bool {
    options.set.iter().any(|change| change.starts_with("data.source"))
}

/// Whether a `--set` is about the nets of the default preset.
fn sets_layers(change: &str) -> bool {
    let key = change.split('=').next().unwrap_or_default().trim();
    key.ends_with(".layers") || ["generator", "discriminator"].contains(&key)
}

/// Why the images of `data` don't fit the nets of `recipe`; none if they do, or are points.
fn misfit(recipe: &Recipe, data: &Data) -> Option<String> {
    let real = data.set().shape();
    let (generator, _) = recipe.networks().ok()?;
    let fits = Shape::from(real).dims() == generator.output().dims();
    let why = format!("the default nets make {}, these images are {real}: --preset auto is used", generator.output());
    (!fits && real.is_picture()).then_some(why)
}

/// The preset asked for, or the default: `digits` knows the labels of its own data set only.
fn preset(options: &Train) -> Result<Preset> {
    let other_data = options.dataset.is_some() || sets_source(options);
    match &options.preset {
        Some(name) => Preset::named(name),
        None if other_data => Ok(Preset::Quick),
        None => Ok(Preset::Digits),
    }
}

/// Flags that are shorthands for keys of the recipe. `--set` comes last and wins.
pub fn of(options: &Train) -> Vec<String> {
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
    changes.extend(options.size.map(|size| format!("data.size={size}")));
    if options.mirror {
        changes.push("data.mirror=true".into());
    }
    // On resume, `auto` keeps the run's precision.
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
        // A preset's `data.count` is meant for its own data set.
        let named = options.preset.as_deref().and_then(|name| Preset::named(name).ok());
        let is_own = named.is_some_and(|preset| preset.is_for(dataset));
        if options.config.is_none() && options.resume.is_none() && !is_own {
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
