//! Learn: 2-D toy data sets, trained half a step at a time by the library's `Lesson`. Only these trainings run in the studio's
//! process: small nets, a few lessons at a time, dropped when idle.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use faussaire::play::{Lesson, Phase};
use faussaire::{Device, Preset, Recipe, device};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Studio;
use super::new::opens_files;
use crate::body::Body;
use crate::errors::{Answer, Failure, run_blocking};

/// Maximum open lessons, and the idle time after which one is dropped.
const MAX_LESSONS: usize = 8;
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);
/// Limits on nets and batches.
const MAX_WEIGHTS: usize = 200_000;
const MAX_BATCH: usize = 1_024;
/// Maximum activations of a batch.
const MAX_VALUES: usize = 1 << 24;
/// Limits of one request: steps and time.
const MAX_STEPS: u64 = 500;
const REQUEST_TIME: Duration = Duration::from_secs(2);

pub(super) fn routes() -> Router<Arc<Studio>> {
    Router::new().route("/api/learn", post(begin)).route("/api/learn/{id}/step", post(step))
}

/// Open lessons.
#[derive(Debug, Default)]
pub(crate) struct Lessons {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    begun: u64,
    lessons: BTreeMap<String, (Instant, Arc<Mutex<Lesson>>)>,
}

impl Lessons {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.lessons.retain(|_, (used, _)| used.elapsed() < IDLE_TIMEOUT);
        inner
    }

    fn add(&self, lesson: Lesson) -> String {
        let mut inner = self.inner();
        if inner.lessons.len() >= MAX_LESSONS {
            // The least recently used one.
            let oldest = inner.lessons.iter().min_by_key(|(_, (used, _))| *used).map(|(id, _)| id.clone());
            oldest.map(|id| inner.lessons.remove(&id));
        }
        inner.begun += 1;
        let id = inner.begun.to_string();
        inner.lessons.insert(id.clone(), (Instant::now(), Arc::new(Mutex::new(lesson))));
        id
    }

    fn get(&self, id: &str) -> Answer<Arc<Mutex<Lesson>>> {
        let mut inner = self.inner();
        let found = inner.lessons.get_mut(id);
        let (used, lesson) = found.ok_or_else(|| {
            Failure::missing(
                format!("lesson {id:?} doesn't exist"),
                "idle lessons end after ten minutes; start a new one",
            )
        })?;
        *used = Instant::now();
        Ok(Arc::clone(lesson))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LessonRequest {
    data: String,
    preset: Option<String>,
    #[serde(default)]
    set: BTreeMap<String, Value>,
    #[serde(default)]
    seed: u64,
}

async fn begin(State(studio): State<Arc<Studio>>, Body(asked): Body<LessonRequest>) -> Answer<Json<Value>> {
    run_blocking(move || {
        let recipe = recipe(&asked)?;
        let mut lesson = device::on_pool(|| Lesson::new(recipe, &Device::cpu()))?;
        let state = state(&mut lesson)?;
        let id = studio.lessons.add(lesson);
        Ok::<_, Failure>(Json(json!({ "lesson": id, "state": state })))
    })
    .await
}

/// The recipe of a lesson, within the limits.
fn recipe(asked: &LessonRequest) -> Answer<Recipe> {
    let preset = Preset::named(asked.preset.as_deref().unwrap_or(&asked.data))?;
    let mut changes =
        vec![format!("data.source={}", Value::from(asked.data.as_str())), format!("train.seed={}", asked.seed)];
    for (key, value) in &asked.set {
        let fits = ["latent", "generator.", "discriminator.", "train."].iter().any(|part| key.starts_with(part));
        if !fits || key == "train.seed" || opens_files(key) || key.contains('=') {
            return Err(Failure::bad(format!("{key:?} can't be set in a lesson"), "change the nets or the training"));
        }
        changes.push(match value {
            Value::String(text) => format!("{key}={text}"),
            other => format!("{key}={other}"),
        });
    }
    // Only the toy data sets read no file.
    if !["ring", "grid"].contains(&asked.data.as_str()) {
        return Err(Failure::bad(format!("{:?} is not a 2-D data set", asked.data), "choose ring or grid"));
    }
    let recipe = Recipe::parse(preset.text(), &format!("preset {}", preset.name()), &changes)?;
    let (generator, discriminator) = recipe.networks()?;
    let weights = generator.parameters().0.saturating_add(discriminator.parameters().0);
    let train = &recipe.train;
    // Some layers have no weights but many activations.
    let values = generator.activations().saturating_add(discriminator.activations());
    if values.saturating_mul(train.batch) > MAX_VALUES
        || weights > MAX_WEIGHTS
        || train.batch > MAX_BATCH
        || train.n_critic > 20
        || recipe.latent > 256
    {
        return Err(Failure::bad(
            format!(
                "a lesson has at most {MAX_WEIGHTS} weights, batches of {MAX_BATCH}, 20 updates of D per step, a latent of 256"
            ),
            "train it with `faussaire train`",
        ));
    }
    Ok(recipe)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepRequest {
    half: Which,
    #[serde(default = "one")]
    count: u64,
}

fn one() -> u64 {
    1
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Which {
    Discriminator,
    Generator,
    Both,
}

async fn step(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Body(asked): Body<StepRequest>,
) -> Answer<Json<Value>> {
    let lesson = studio.lessons.get(&id)?;
    if asked.count == 0 || asked.count > MAX_STEPS || (asked.half != Which::Both && asked.count != 1) {
        return Err(Failure::bad(
            format!("count is {}, expected 1 for a half, 1 to {MAX_STEPS} for both", asked.count),
            "send several requests",
        ));
    }
    run_blocking(move || {
        let mut lesson = lesson.lock().unwrap_or_else(PoisonError::into_inner);
        let lesson: &mut Lesson = &mut lesson;
        device::on_pool(|| advance(lesson, &asked))?;
        Ok::<_, Failure>(Json(state(lesson)?))
    })
    .await
}

/// Trains on. Phase steps alternate: requesting the same one twice runs the other one in between.
fn advance(lesson: &mut Lesson, asked: &StepRequest) -> faussaire::Result<()> {
    match asked.half {
        Which::Both => {
            let began = Instant::now();
            let goal = lesson.steps() + asked.count;
            while lesson.steps() < goal && began.elapsed() < REQUEST_TIME {
                lesson.advance()?;
            }
            return Ok(());
        }
        Which::Discriminator if lesson.next() != Phase::Discriminator => {
            lesson.advance()?;
        }
        Which::Generator if lesson.next() != Phase::Generator => {
            lesson.advance()?;
        }
        _ => {}
    }
    lesson.advance().map(|_| ())
}

/// The lesson's state as JSON, with coordinates rounded to 4 digits.
fn state(lesson: &mut Lesson) -> Answer<Value> {
    let picture = device::on_pool(move || lesson.picture())?;
    let rounded = |value: f32| (f64::from(value) * 1e4).round() / 1e4;
    let points = |all: &[[f32; 2]]| all.iter().map(|p| p.map(rounded)).collect::<Vec<_>>();
    let heat = picture.heat.as_ref().map(|heat| {
        let values: Vec<f64> = heat.values.iter().map(|v| rounded(*v)).collect();
        json!({ "n": heat.side, "extent": [-picture.window, picture.window], "values": values })
    });
    let (near, coverage) = (picture.coverage.per_mode.iter().sum::<usize>(), &picture.coverage);
    Ok(json!({
        "step": picture.step, "half_done": if picture.half_done { "discriminator" } else { "none" },
        "d_loss": picture.d_loss, "g_loss": picture.g_loss,
        "d_real": picture.accuracies.map(|told| told[0]), "d_fake": picture.accuracies.map(|told| told[1]),
        "window": picture.window, "real": points(&picture.real), "fake": points(&picture.fake), "heat": heat,
        "mesh": { "n": picture.mesh.side, "points": points(&picture.mesh.points) },
        "coverage": {
            "clusters": coverage.covered(), "of": coverage.modes(),
            "near": near as f64 / coverage.points.max(1) as f64,
        },
    }))
}
