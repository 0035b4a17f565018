//! Learn: the toys in the plane, trained half a step at a time by the library's own `Lesson`. The only training that happens
//! in the studio's process: nets of a few thousand weights, a few lessons at most, forgotten when nobody goes on with them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use faussaire::play::{Half, Lesson};
use faussaire::{Device, Preset, Recipe, device};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Studio;
use super::new::opens_files;
use crate::body::Body;
use crate::errors::{Answer, Failure, aside};

/// Lessons at once, and how long one waits for its next step.
const MOST: usize = 8;
const IDLE: Duration = Duration::from_secs(600);
/// Larger nets and batches are no lesson.
const WEIGHTS: usize = 200_000;
const BATCH: usize = 1_024;
/// Values between the layers, of a whole batch.
const VALUES: usize = 1 << 24;
/// Steps of one request, and how long it may take.
const STEPS: u64 = 500;
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn routes() -> Router<Arc<Studio>> {
    Router::new().route("/api/learn", post(begin)).route("/api/learn/{id}/step", post(step))
}

/// Lessons under way.
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
        inner.lessons.retain(|_, (used, _)| used.elapsed() < IDLE);
        inner
    }

    fn add(&self, lesson: Lesson) -> String {
        let mut inner = self.inner();
        if inner.lessons.len() >= MOST {
            // The one that was left alone for longest.
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
                format!("there is no lesson {id:?}"),
                "lessons end after some idle minutes; start another one",
            )
        })?;
        *used = Instant::now();
        Ok(Arc::clone(lesson))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    data: String,
    preset: Option<String>,
    #[serde(default)]
    set: BTreeMap<String, Value>,
    #[serde(default)]
    seed: u64,
}

async fn begin(State(studio): State<Arc<Studio>>, Body(asked): Body<Begin>) -> Answer<Json<Value>> {
    aside(move || {
        let recipe = recipe(&asked)?;
        let mut lesson = device::on_pool(|| Lesson::new(recipe, &Device::flex()))?;
        let state = state(&mut lesson)?;
        let id = studio.lessons.add(lesson);
        Ok::<_, Failure>(Json(json!({ "lesson": id, "state": state })))
    })
    .await
}

/// The recipe of a lesson, if it is small enough for one.
fn recipe(asked: &Begin) -> Answer<Recipe> {
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
    // Nothing else than the toys reads no file.
    if !["ring", "grid"].contains(&asked.data.as_str()) {
        return Err(Failure::bad(format!("{:?} can't be shown in the plane", asked.data), "choose ring or grid"));
    }
    let recipe = Recipe::parse(preset.text(), &format!("preset {}", preset.name()), &changes)?;
    let (generator, discriminator) = recipe.networks()?;
    let weights = generator.parameters().0.saturating_add(discriminator.parameters().0);
    let train = &recipe.train;
    // Some layers have no weights but many values.
    let values = super::estimate::values(&generator).saturating_add(super::estimate::values(&discriminator));
    if values.saturating_mul(train.batch) > VALUES
        || weights > WEIGHTS
        || train.batch > BATCH
        || train.n_critic > 20
        || recipe.latent > 256
    {
        return Err(Failure::bad(
            format!(
                "a lesson has at most {WEIGHTS} weights, batches of {BATCH}, 20 updates of D per step, a latent of 256"
            ),
            "train it with `faussaire train`",
        ));
    }
    Ok(recipe)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Go {
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

async fn step(State(studio): State<Arc<Studio>>, Path(id): Path<String>, Body(go): Body<Go>) -> Answer<Json<Value>> {
    let lesson = studio.lessons.get(&id)?;
    if go.count == 0 || go.count > STEPS || (go.half != Which::Both && go.count != 1) {
        return Err(Failure::bad(
            format!("count is {}, expected 1 for a half, 1 to {STEPS} for both", go.count),
            "send several requests",
        ));
    }
    aside(move || {
        let mut lesson = lesson.lock().unwrap_or_else(PoisonError::into_inner);
        let lesson: &mut Lesson = &mut lesson;
        device::on_pool(|| advance(lesson, &go))?;
        Ok::<_, Failure>(Json(state(lesson)?))
    })
    .await
}

/// Goes on. Halves come in turn: asking for the one that was made last makes the other one first, so that a step is whole.
fn advance(lesson: &mut Lesson, go: &Go) -> faussaire::Result<()> {
    match go.half {
        Which::Both => {
            let began = Instant::now();
            let goal = lesson.steps() + go.count;
            while lesson.steps() < goal && began.elapsed() < PATIENCE {
                lesson.half()?;
            }
            return Ok(());
        }
        Which::Discriminator if lesson.next() != Half::Discriminator => {
            lesson.half()?;
        }
        Which::Generator if lesson.next() != Half::Generator => {
            lesson.half()?;
        }
        _ => {}
    }
    lesson.half().map(|_| ())
}

/// What there is to see, with points rounded to what a screen shows.
fn state(lesson: &mut Lesson) -> Answer<Value> {
    let picture = device::on_pool(move || lesson.picture())?;
    let short = |value: f32| (f64::from(value) * 1e4).round() / 1e4;
    let points = |all: &[[f32; 2]]| all.iter().map(|p| p.map(short)).collect::<Vec<_>>();
    let heat = picture.heat.as_ref().map(|heat| {
        let values: Vec<f64> = heat.values.iter().map(|v| short(*v)).collect();
        json!({ "n": heat.side, "extent": [-picture.window, picture.window], "values": values })
    });
    let (near, coverage) = (picture.coverage.per_mode.iter().sum::<usize>(), &picture.coverage);
    Ok(json!({
        "step": picture.step, "half_done": if picture.half_done { "discriminator" } else { "none" },
        "d_loss": picture.d_loss, "g_loss": picture.g_loss,
        "d_real": picture.told.map(|told| told[0]), "d_fake": picture.told.map(|told| told[1]),
        "window": picture.window, "real": points(&picture.real), "fake": points(&picture.fake), "heat": heat,
        "mesh": { "n": picture.mesh.side, "points": points(&picture.mesh.points) },
        "coverage": {
            "clusters": coverage.covered(), "of": coverage.modes(),
            "near": near as f64 / coverage.points.max(1) as f64,
        },
    }))
}
