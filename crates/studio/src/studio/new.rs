//! New: the presets, data sets and recipe keys to choose from, a preview of a choice, and starting its training.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use faussaire::data::{self, Location, OpenOptions};
use faussaire::recipe::{Auto, Images, Key, Kind, values};
use faussaire::{Preset, Recipe};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Studio, trainings};
use crate::body::Body;
use crate::errors::{Answer, Failure};
use crate::work::Ticket;

/// How long a preview may take.
const PREVIEW_TIME: Duration = Duration::from_secs(20);

pub(super) fn routes() -> Router<Arc<Studio>> {
    Router::new()
        .route("/api/presets", get(presets))
        .route("/api/datasets", get(datasets))
        .route("/api/keys", get(keys))
        .route("/api/recipe", post(recipe))
}

/// A request of the page: a preset with changes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    preset: String,
    data: Option<String>,
    #[serde(default)]
    set: BTreeMap<String, Value>,
    epochs: Option<u64>,
    steps: Option<u64>,
    time: Option<String>,
    seed: Option<u64>,
}

async fn presets() -> Answer<Json<&'static [Value]>> {
    static ALL: OnceLock<Vec<Value>> = OnceLock::new();
    let describe = |preset: &Preset| -> faussaire::Result<Value> {
        let recipe = Recipe::parse(preset.text(), preset.name(), &[])?;
        let values: BTreeMap<String, String> = values(&recipe)?.into_iter().collect();
        Ok(json!({
            "name": preset.name(), "about": preset.about(), "data": recipe.data.source,
            "config": preset.text(), "values": values,
        }))
    };
    if let Some(all) = ALL.get() {
        return Ok(Json(all));
    }
    // The nets and values of `auto` depend on the data.
    let auto = json!({
        "name": Auto::NAME, "about": Auto::ABOUT.lines().next(), "data": null, "config": null, "values": {},
    });
    let presets = Preset::ALL.iter().map(describe).collect::<faussaire::Result<Vec<_>>>()?;
    let all = std::iter::once(auto).chain(presets).collect();
    Ok(Json(ALL.get_or_init(|| all)))
}

async fn datasets(State(studio): State<Arc<Studio>>) -> Answer<Json<Vec<Value>>> {
    let options = options(&studio);
    let list = move || {
        let rows = data::list(&options)?;
        let row = |row: data::Listing| {
            json!({
                "name": row.name, "about": row.about, "images": row.images, "place": row.location.to_string(),
                "here": matches!(row.location, Location::BuiltIn | Location::Local(_)),
                "shape": [row.shape.height, row.shape.width, row.shape.channels],
            })
        };
        Ok(Json(rows.into_iter().map(row).collect()))
    };
    studio.work.read(list).await
}

async fn keys() -> Json<Vec<Value>> {
    let describe = |key: &Key| {
        let (kind, choices) = match key.kind {
            Kind::Number { .. } => ("number", None),
            Kind::Integer { .. } | Kind::OneOf(_) => ("integer", None),
            Kind::Switch => ("bool", None),
            Kind::AutoSwitch => ("choice", Some(&["auto", "true", "false"][..])),
            Kind::Choice(names) => ("choice", Some(names)),
            Kind::Text | Kind::Size => ("text", None),
            Kind::List(_) => ("list", None),
        };
        json!({
            "key": key.name, "help": key.doc, "kind": kind, "choices": choices, "default": key.default,
            "expected": key.kind.expected(),
        })
    };
    let offered = |key: &&Key| !opens_files(&key.name) && key.name != "labels.shares";
    Json(Key::all().iter().filter(offered).map(describe).collect())
}

async fn recipe(State(studio): State<Arc<Studio>>, Body(choice): Body<Choice>) -> Answer<Json<Value>> {
    let shared = Arc::clone(&studio);
    let preview = move |ticket: &Ticket| {
        let Chosen { recipe, reasons, values } = choice.recipe(&shared)?;
        let (generator, discriminator) = recipe.networks()?;
        let images = images(&recipe, &shared);
        ticket.check()?;
        let k = recipe.train.n_critic;
        let per_epoch = images.map(|n| (n / recipe.train.batch) as f64 / k as f64);
        let by_epochs =
            per_epoch.filter(|_| recipe.train.epochs > 0).map(|s| (s * recipe.train.epochs as f64).ceil() as u64);
        let by_steps = (recipe.train.steps > 0).then_some(recipe.train.steps);
        let steps = by_epochs.into_iter().chain(by_steps).min();
        // Both time the nets.
        let (estimate, remarks) = shared.work.on_pool(|| {
            let estimate = recipe.estimate(&generator, &discriminator, steps, images, &|| ticket.is_over());
            (estimate, recipe.remarks(images.map_or(Images::Unknown, Images::Count)))
        });
        let remarks = remarks?;
        Ok(Json(json!({
            "config": recipe.to_toml()?, "generator": generator.summary(), "discriminator": discriminator.summary(),
            "parameters": [generator.parameters().0, discriminator.parameters().0],
            "flops": [generator.flops(), discriminator.flops()],
            "shape": generator.output().dims(), "images": images, "steps_per_epoch": per_epoch, "steps": steps,
            "command": choice.command()?.join(" "),
            "estimate": estimate,
            "remarks": remarks,
            "reasons": reasons,
            "values": values,
        })))
    };
    // One at a time, or they would slow each other down.
    studio.work.compute(&studio.work.trials, PREVIEW_TIME, preview).await
}

/// Starts a training; returns its folder's name as soon as it runs.
pub(super) async fn start(
    State(studio): State<Arc<Studio>>,
    Body(choice): Body<Choice>,
) -> Answer<(StatusCode, Json<Value>)> {
    let (checking, checked) = (Arc::clone(&studio), choice.clone());
    let check = move || {
        let Chosen { recipe, .. } = checked.recipe(&checking)?;
        recipe.networks()?;
        let limited = checked.time.is_some() || recipe.train.epochs > 0 || recipe.train.steps > 0;
        if !limited {
            return Err(Failure::bad(
                "the length of the training is missing",
                "give epochs, steps, or a time such as 10m",
            ));
        }
        Ok(format!("{}-{}", stem(&recipe.data.source), checked.preset))
    };
    let label = studio.work.read(check).await?;
    let mut args = choice.command()?;
    if let Some(dir) = &studio.data {
        args.push(format!("--data={}", dir.display()));
    }
    let id = trainings::start(&studio, &label, args).await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

/// Whether a key's value is a path, which a page may not choose.
pub(super) fn opens_files(key: &str) -> bool {
    matches!(key.trim(), "data.source" | "data.dir" | "train.init")
}

fn stem(source: &str) -> String {
    Path::new(source).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn options(studio: &Studio) -> OpenOptions {
    OpenOptions::default().data_dir(studio.data.clone())
}

/// Number of training images, if check_data_name without reading them.
fn images(recipe: &Recipe, studio: &Studio) -> Option<usize> {
    let source = &recipe.data.source;
    let listed = data::list(&options(studio)).ok()?.into_iter().find(|row| row.name == *source)?;
    let all = match listed.location {
        Location::BuiltIn => data::open(source, &recipe.open_options(options(studio)), &mut |_| ()).ok()?.len(),
        _ => listed.images?,
    };
    Some(if recipe.data.count > 0 { all.min(recipe.data.count) } else { all })
}

/// The recipe of a choice.
struct Chosen {
    recipe: Recipe,
    /// What the preset `auto` chose and why, one line each.
    reasons: Vec<String>,
    /// The values of all keys before the changes of the page, if they depend on the data.
    values: Option<BTreeMap<String, String>>,
}

impl Choice {
    /// Whether the recipe is made for the data.
    fn is_auto(&self) -> bool {
        self.preset == Auto::NAME
    }

    /// The recipe of the training.
    fn recipe(&self, studio: &Studio) -> Answer<Chosen> {
        let mut changes = Vec::new();
        if let Some(name) = &self.data {
            self.check_data_name(studio, name)?;
            changes.push(format!("data.source={}", Value::from(name.as_str())));
            if !Preset::named(&self.preset).is_ok_and(|preset| preset.is_for(name)) {
                changes.push("data.count=0".into());
            }
        }
        let mut number = |key: &str, value: Option<u64>| changes.extend(value.map(|v| format!("{key}={v}")));
        number("train.epochs", self.epochs);
        number("train.steps", self.steps);
        number("train.steps", self.epochs.map(|_| 0));
        number("train.epochs", self.steps.map(|_| 0));
        number("train.seed", self.seed);
        if self.time.is_some() && self.epochs.is_none() && self.steps.is_none() {
            changes.extend(["train.epochs=0".into(), "train.steps=0".into()]);
        }
        changes.extend(self.changes()?);
        if self.is_auto() {
            return self.made_for_data(studio, changes);
        }
        let preset = Preset::named(&self.preset)?;
        let recipe = Recipe::parse(preset.text(), &format!("preset {}", preset.name()), &changes)?;
        Ok(Chosen { recipe, reasons: Vec::new(), values: None })
    }

    /// The recipe that the preset `auto` makes for the data, which must be on this machine: a preview downloads nothing.
    fn made_for_data(&self, studio: &Studio, mut changes: Vec<String>) -> Answer<Chosen> {
        let Some(name) = &self.data else {
            return Err(Failure::bad("the preset auto makes nets for a data set, and none is given", "choose one"));
        };
        let is_here =
            |row: &data::Listing| row.name == *name && matches!(row.location, Location::BuiltIn | Location::Local(_));
        if !data::list(&options(studio))?.iter().any(is_here) {
            return Err(Failure::bad(
                format!("the preset auto makes nets for the images, but those of {name} aren't on this machine"),
                format!("`faussaire data fetch {name}` downloads them"),
            ));
        }
        if let Some(dir) = &studio.data {
            changes.push(format!("data.dir={}", Value::from(dir.to_string_lossy())));
        }
        let Auto { mut recipe, unchanged, mut reasons, .. } = Recipe::for_data(&changes, &mut |_| ())?;
        recipe.data.dir.clone_from(&unchanged.data.dir);
        // The page has an estimate for this machine.
        reasons.retain(|reason| !reason.starts_with("length: "));
        Ok(Chosen { recipe, reasons, values: Some(values(&unchanged)?.into_iter().collect()) })
    }

    /// Accepts only names of data sets: a page may not open folders of this machine.
    fn check_data_name(&self, studio: &Studio, name: &str) -> Answer<()> {
        if data::is_name(name) {
            return Ok(());
        }
        let names: Vec<String> = data::list(&options(studio))?.into_iter().map(|row| row.name).collect();
        let near = data::did_you_mean(name, names.iter().map(String::as_str));
        let names = names.join(", ");
        Err(Failure::bad(
            format!("data set {name:?} doesn't exist"),
            format!("{near}expected one of {names}; paths go with `faussaire train PATH`"),
        ))
    }

    /// `set` as `--set` takes it.
    fn changes(&self) -> Answer<Vec<String>> {
        let change = |(name, value): (&String, &Value)| {
            if Key::find(name).map_or(true, |key| opens_files(&key.name)) {
                return Err(Failure::bad(
                    format!("{name:?} is not a recipe key"),
                    "`faussaire presets --keys` lists the keys",
                ));
            }
            match value {
                Value::String(text) => Ok(format!("{name}={text}")),
                Value::Null | Value::Object(_) => {
                    Err(Failure::bad(format!("{name} can't be {value}"), "use a number, a string or a list"))
                }
                other => Ok(format!("{name}={other}")),
            }
        };
        self.set.iter().map(change).collect()
    }

    /// The equivalent command line.
    fn command(&self) -> Answer<Vec<String>> {
        let mut args = vec!["train".to_owned()];
        args.extend(self.data.clone());
        let preset = if self.is_auto() { Auto::NAME } else { Preset::named(&self.preset)?.name() };
        args.push(format!("--preset={preset}"));
        let mut flag = |name: &str, value: Option<u64>| args.extend(value.map(|v| format!("--{name}={v}")));
        match (self.epochs, self.steps) {
            (Some(_), Some(_)) => return Err(Failure::bad("both epochs and steps are given", "leave one out")),
            (epochs, steps) => {
                flag("epochs", epochs);
                flag("steps", steps);
            }
        }
        flag("seed", self.seed);
        args.extend(self.time.as_deref().map(time).transpose()?.map(|time| format!("--time={time}")));
        args.extend(self.changes()?.into_iter().map(|change| format!("--set={change}")));
        Ok(args)
    }
}

/// Checks a time such as `10m`.
pub(super) fn time(text: &str) -> Answer<&str> {
    let number = text.strip_suffix(['s', 'm', 'h']).unwrap_or(text);
    let fits = number.parse::<f64>().is_ok_and(|n| n > 0.0 && n < 1e6) && !number.starts_with('+');
    if fits {
        Ok(text)
    } else {
        Err(Failure::bad(format!("{text:?} is not a time"), "use a time such as 90s, 10m or 2h"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(text: &str) -> Choice {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_choice_becomes_a_command_line() {
        let parsed =
            choice(r#"{"preset":"quick","data":"mnist","steps":20,"set":{"train.batch":8,"train.loss":"hinge"}}"#);
        let flags = ["train", "mnist", "--preset=quick", "--steps=20", "--set=train.batch=8", "--set=train.loss=hinge"];
        assert_eq!(parsed.command().unwrap(), flags);
        let parsed = choice(r#"{"preset":"quick","time":"10m"}"#);
        assert_eq!(parsed.command().unwrap(), ["train", "--preset=quick", "--time=10m"]);
        let parsed = choice(r#"{"preset":"auto","data":"strokes","set":{"train.batch":8}}"#);
        assert_eq!(parsed.command().unwrap(), ["train", "strokes", "--preset=auto", "--set=train.batch=8"]);
    }

    #[test]
    fn invalid_choices_are_refused() {
        for text in [
            r#"{"preset":"none"}"#,
            r#"{"preset":"quick","set":{"data.dir":"/etc"}}"#,
            r#"{"preset":"quick","set":{"train.init":["/etc/passwd"]}}"#,
            r#"{"preset":"quick","set":{"nonsense":1}}"#,
            r#"{"preset":"quick","set":{"train.batch":{"a":1}}}"#,
            r#"{"preset":"quick","time":"soon"}"#,
            r#"{"preset":"quick","time":"--resume"}"#,
            r#"{"preset":"quick","epochs":1,"steps":1}"#,
        ] {
            assert!(choice(text).command().is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Choice>(r#"{"preset":"quick","run":"/tmp"}"#).is_err());
    }
}
