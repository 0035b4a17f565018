//! Learn: 2-D toy data sets, trained half a step at a time by the library's `Lesson`. Only these trainings run in the studio's
//! process: small nets, a few lessons at a time, dropped when idle.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use faussaire::play::{Cost, Lesson, Phase};
use faussaire::recipe::Key;
use faussaire::{Device, Preset, Recipe};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Studio;
use super::new::opens_files;
use crate::body::Body;
use crate::errors::{Answer, Failure};
use crate::work::{Ticket, Work};

/// Maximum open lessons, the idle time after which one is dropped, and that after which one makes room for another.
const MAX_LESSONS: usize = 32;
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);
const SPARE_TIMEOUT: Duration = Duration::from_secs(60);
/// Limits on nets and steps.
const MAX_WEIGHTS: usize = 200_000;
const MAX_LAYERS: usize = 200;
const MAX_BATCH: usize = 1_024;
const MAX_UPDATES: usize = 20;
const MAX_LATENT: usize = 256;
/// Limits on what a lesson takes: operations of a phase and of a picture, memory.
const MAX_FLOPS: u64 = 4_000_000_000;
const MAX_BYTES: u64 = 96 << 20;
/// Limits of one request: steps, and time, after which it answers with the steps made.
const MAX_STEPS: u64 = 500;
const REQUEST_TIME: Duration = Duration::from_millis(500);
/// How long a request may take with its last phase and its picture.
const LONGEST: Duration = Duration::from_secs(30);

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
    lessons: BTreeMap<String, (Instant, Shared)>,
}

/// A lesson; one request at a time works on it, and others are refused rather than kept waiting.
type Shared = Arc<tokio::sync::Mutex<Lesson>>;

impl Lessons {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.lessons.retain(|_, (used, _)| used.elapsed() < IDLE_TIMEOUT);
        inner
    }

    /// Makes room for one more lesson, if need be in place of the least recently used one.
    ///
    /// # Errors
    /// 429: all lessons are in use.
    fn make_room(inner: &mut Inner) -> Answer<()> {
        if inner.lessons.len() < MAX_LESSONS {
            return Ok(());
        }
        let oldest = inner.lessons.iter().min_by_key(|(_, (used, _))| *used);
        let spare = oldest.filter(|(_, (used, _))| used.elapsed() >= SPARE_TIMEOUT).map(|(id, _)| id.clone());
        let spare = spare.ok_or_else(|| Failure::busy(format!("{MAX_LESSONS} lessons are in use")))?;
        inner.lessons.remove(&spare);
        Ok(())
    }

    fn add(&self, lesson: Lesson) -> Answer<String> {
        let mut inner = self.inner();
        Self::make_room(&mut inner)?;
        inner.begun += 1;
        let id = inner.begun.to_string();
        inner.lessons.insert(id.clone(), (Instant::now(), Arc::new(tokio::sync::Mutex::new(lesson))));
        Ok(id)
    }

    fn get(&self, id: &str) -> Answer<Shared> {
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
    Lessons::make_room(&mut studio.lessons.inner())?;
    let shared = Arc::clone(&studio);
    let begin = move |ticket: &Ticket| {
        let recipe = recipe(&asked)?;
        let mut lesson = shared.work.on_pool(|| Lesson::new(recipe, &Device::cpu()))?;
        ticket.check()?;
        let state = state(&shared.work, &mut lesson)?;
        let id = shared.lessons.add(lesson)?;
        Ok(Json(json!({ "lesson": id, "state": state })))
    };
    studio.work.compute(&studio.work.lessons, LONGEST, begin).await
}

/// The recipe of a lesson, within the limits.
fn recipe(asked: &LessonRequest) -> Answer<Recipe> {
    let preset = Preset::named(asked.preset.as_deref().unwrap_or(&asked.data))?;
    let mut changes =
        vec![format!("data.source={}", Value::from(asked.data.as_str())), format!("train.seed={}", asked.seed)];
    for (key, value) in &asked.set {
        // A lesson's nets and training: known keys and groups, by any of their names.
        let name = Key::path(key)?;
        let fits = ["latent", "generator.", "discriminator.", "train."].iter().any(|part| name.starts_with(part));
        if !fits || name == "train.seed" || opens_files(&name) {
            return Err(Failure::bad(format!("{name:?} can't be set in a lesson"), "change the nets or the training"));
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
    let cost = Cost::of(&recipe)?;
    let weights = generator.parameters().0.saturating_add(discriminator.parameters().0);
    let layers = generator.layers().len().max(discriminator.layers().len());
    for (what, is, most) in [
        ("weights", weights as u64, MAX_WEIGHTS as u64),
        ("layers in a net", layers as u64, MAX_LAYERS as u64),
        ("examples in a batch", recipe.train.batch as u64, MAX_BATCH as u64),
        ("updates of D per step", recipe.train.n_critic as u64, MAX_UPDATES as u64),
        ("values of noise", recipe.latent as u64, MAX_LATENT as u64),
        ("operations in half a step", cost.phase, MAX_FLOPS),
        ("operations for a picture", cost.picture, MAX_FLOPS),
        ("bytes of memory", cost.bytes, MAX_BYTES),
    ] {
        if is > most {
            return Err(Failure::bad(
                format!("this lesson takes {is} {what}, expected at most {most}"),
                "make its nets or its batch smaller, or train it with `faussaire train`",
            ));
        }
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
    let mut lesson = lesson.try_lock_owned().map_err(|_| Failure::busy("another request works on this lesson"))?;
    let shared = Arc::clone(&studio);
    let go_on = move |ticket: &Ticket| {
        let lesson: &mut Lesson = &mut lesson;
        shared.work.on_pool(|| advance(lesson, &asked, ticket))?;
        ticket.check()?;
        Ok(Json(state(&shared.work, lesson)?))
    };
    studio.work.compute(&studio.work.lessons, LONGEST, go_on).await
}

/// Trains on. Phase steps alternate: requesting the same one twice runs the other one in between.
fn advance(lesson: &mut Lesson, asked: &StepRequest, ticket: &Ticket) -> faussaire::Result<()> {
    match asked.half {
        Which::Both => {
            let began = Instant::now();
            let goal = lesson.steps().saturating_add(asked.count);
            while lesson.steps() < goal && began.elapsed() < REQUEST_TIME && !ticket.is_over() {
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
fn state(work: &Work, lesson: &mut Lesson) -> Answer<Value> {
    let picture = work.on_pool(move || lesson.picture())?;
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
