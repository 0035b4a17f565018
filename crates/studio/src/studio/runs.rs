//! Routes of runs: the list, the description of one run, its history and its sheets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use faussaire::PixelRange;
use faussaire::Recipe;
use faussaire::recipe::values;
use faussaire::render::png;
use faussaire::run::{self, Run};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Studio;
use super::config::serialized;
use super::run_index::RunIndex;
use crate::errors::{Answer, Failure};

/// Size limit of a sheet, and the time to send it or a part of it.
const SHEET_BYTES: u64 = 64 << 20;
const PICTURE_TIME: Duration = Duration::from_secs(10);

pub(super) fn routes() -> Router<Arc<Studio>> {
    Router::new()
        .route("/api/runs/{id}", get(one))
        .route("/api/runs/{id}/history", get(history))
        .route("/api/runs/{id}/sheets/{file}", get(sheet))
}

/// All runs.
pub(super) async fn list(State(studio): State<Arc<Studio>>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], studio.index.json().await).into_response()
}

async fn one(State(studio): State<Arc<Studio>>, Path(id): Path<String>) -> Answer<Json<Value>> {
    let index = Arc::clone(&studio.index);
    studio.work.read(move || describe(&index, &id).map(Json)).await
}

/// A run's description, without its curves. Unreadable parts of a damaged run are left out.
fn describe(index: &RunIndex, id: &str) -> Answer<Value> {
    let (row, sheets, steps_per_epoch) =
        index.with(id, |run, row| (row.clone(), run.log.sheets.clone(), run.log.steps_per_epoch))?;
    let path = index.runs_dir.run(id)?;
    let checkpoints = checkpoints(index, &path);
    let running = row.state == super::run_index::State::Running;
    let can_resume = !running && row.error.is_none();
    let mut value = json!({
        "config": Value::Null, "generator": Value::Null, "discriminator": Value::Null, "shape": Value::Null,
        "latent": Value::Null, "bounds": Value::Null, "labels": Value::Null, "values": {},
        "checkpoints": checkpoints, "sheets": sheets, "steps_per_epoch": steps_per_epoch,
        "can_stop": running, "can_resume": can_resume, "folder": path,
    });
    merge(&mut value, json!(row));
    if let Ok(text) = index.runs_dir.config(&path) {
        match Recipe::parse(&text, "config.toml", &[]).map_err(Failure::from).and_then(|recipe| nets(&recipe)) {
            Ok(nets) => merge(&mut value, nets),
            Err(failure) => merge(&mut value, json!({ "error": failure.error, "state": "damaged" })),
        }
        merge(&mut value, json!({ "config": text }));
    }
    Ok(value)
}

/// The nets of a recipe, and the values of its keys.
fn nets(recipe: &Recipe) -> Answer<Value> {
    let (generator, discriminator) = recipe.networks()?;
    let (low, high) = PixelRange::of(&generator)?.bounds();
    let labels = (generator.labels() > 0).then(
        || json!({ "kind": serialized(&recipe.labels.kind), "names": recipe.labels.names, "shares": recipe.labels.shares }),
    );
    let values: BTreeMap<String, String> = values(recipe)?.into_iter().collect();
    Ok(json!({
        "generator": generator.summary(), "discriminator": discriminator.summary(), "values": values,
        "shape": generator.output().dims(), "latent": recipe.latent, "bounds": [low, high], "labels": labels,
    }))
}

fn merge(into: &mut Value, from: Value) {
    if let (Some(into), Value::Object(from)) = (into.as_object_mut(), from) {
        into.extend(from);
    }
}

/// The run's checkpoints, newest first.
fn checkpoints(index: &RunIndex, path: &std::path::Path) -> Vec<Value> {
    let Ok(run) = Run::open(path) else { return Vec::new() };
    let names = index.runs_dir.checkpoints(path);
    let step = |name: &String| Some((run::state(&run.checkpoint(name)).ok()?.1.step, name.clone()));
    let mut found: Vec<(u64, String)> = names.iter().filter_map(step).collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(step, name)| json!({ "name": name, "step": step })).collect()
}

async fn history(State(studio): State<Arc<Studio>>, Path(id): Path<String>) -> Answer<Json<Value>> {
    let index = Arc::clone(&studio.index);
    let read = move || {
        index.with(&id, |run, _| {
            let log = &run.log;
            let mut value = json!(log.history());
            let more = json!({
                "scores": log.scores, "findings": log.findings, "heals": log.heals, "sheets": log.sheets,
                "line": log.lines, "steps_per_epoch": log.steps_per_epoch,
            });
            merge(&mut value, more);
            Json(value)
        })
    };
    studio.work.read(read).await
}

/// The query of a sheet.
#[derive(Deserialize)]
struct SheetQuery {
    /// `380x140`: the size in pixels of the upper left part; the whole sheet if missing.
    part: Option<String>,
}

impl SheetQuery {
    fn size(&self) -> Answer<Option<(u32, u32)>> {
        let Some(part) = &self.part else { return Ok(None) };
        let size = part.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
        let fits = |size: &(u32, u32)| (1..=4096).contains(&size.0) && (1..=4096).contains(&size.1);
        size.filter(fits)
            .map(Some)
            .ok_or_else(|| Failure::bad("part is not a size of 1 to 4096 pixels", "use a size such as ?part=380x140"))
    }
}

async fn sheet(
    State(studio): State<Arc<Studio>>,
    Path((id, file)): Path<(String, String)>,
    Query(query): Query<SheetQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let part = query.size()?;
    let digits = file.strip_suffix(".png").unwrap_or_default();
    if digits.is_empty() || digits.len() > 20 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Failure::missing(format!("sheet {file:?} doesn't exist"), "it may not be written yet"));
    }
    let index = Arc::clone(&studio.index);
    let read = move || {
        let runs_dir = &index.runs_dir;
        let sheet = runs_dir.found(&runs_dir.run(&id)?, &format!("samples/{file}"), SHEET_BYTES)?;
        let changed = sheet.about.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
        let asked = part.map_or(String::new(), |(width, height)| format!("-{width}x{height}"));
        let tag = format!("\"{:x}-{:x}{asked}\"", sheet.about.len(), changed.map_or(0, |since| since.as_nanos()));
        let head = [
            (header::CONTENT_TYPE, "image/png".to_owned()),
            (header::ETAG, tag.clone()),
            (header::CACHE_CONTROL, "private, max-age=60".to_owned()),
        ];
        if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
            return Ok((StatusCode::NOT_MODIFIED, head).into_response());
        }
        let whole = sheet.read()?;
        let bytes = match part {
            Some((width, height)) => png::part(&whole, width, height)?,
            None => whole,
        };
        Ok((head, bytes).into_response())
    };
    // A part is cut from the whole picture, which may be a large one.
    let gate = if part.is_some() { &studio.work.pictures } else { &studio.work.reads };
    studio.work.compute(gate, PICTURE_TIME, move |_| read()).await
}
