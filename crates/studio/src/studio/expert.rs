//! The expert quiz: the visitor plays the discriminator. The studio shuffles real and generated images, and after the
//! visitor's answers reveals which were real and what the run's own discriminator answered.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faussaire::Recipe;
use faussaire::data::fill;
use faussaire::data::labels::Conditions;
use faussaire::judging::Reference;
use faussaire::render::Images;
use faussaire::run::Run;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Studio;
use super::play::{NET_TIME, count, to_unit};
use crate::body::Body;
use crate::engine::{Classes, Loaded};
use crate::errors::{Answer, Failure};
use crate::work::Ticket;

/// Default and maximum number of images of a round.
const DEFAULT_IMAGES: usize = 20;
const MAX_IMAGES: usize = 100;
/// Maximum open rounds.
const MAX_ROUNDS: usize = 256;

pub(super) fn routes() -> Router<Arc<Studio>> {
    Router::new().route("/api/runs/{id}/expert", post(begin)).route("/api/runs/{id}/expert/answer", post(answer))
}

/// Open rounds.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    /// Key of the hash that orders the images, so that clients can't predict it.
    secret: RandomState,
    rounds: Mutex<VecDeque<(String, Round)>>,
}

/// A round's secret, revealed after the answers.
#[derive(Clone, Debug)]
struct Round {
    run: String,
    /// Which images are real.
    truth: Vec<bool>,
    /// Which images the discriminator classified as real.
    discriminator: Vec<bool>,
    step: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoundRequest {
    checkpoint: Option<String>,
    #[serde(default)]
    seed: u64,
    n: Option<usize>,
}

async fn begin(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Body(asked): Body<RoundRequest>,
) -> Answer<Json<Value>> {
    let n = asked.n.unwrap_or(DEFAULT_IMAGES);
    if !(2..=MAX_IMAGES).contains(&n) {
        return Err(Failure::bad(format!("{n} images, expected 2 to {MAX_IMAGES}"), "use 20 images, for example"));
    }
    let loaded = studio.open(&id, asked.checkpoint.as_deref()).await?;
    let nonce = studio.rounds.secret.hash_one((&id, asked.seed, std::time::SystemTime::now()));
    let draw = |what: &str, i: usize| studio.rounds.secret.hash_one((nonce, what, i));
    let truth: Vec<bool> = (0..n).map(|i| draw("truth", i).is_multiple_of(2)).collect();
    let picks: Vec<u64> = (0..n).map(|i| draw("pick", i)).collect();
    let pass = studio.work.images.enter().await?;
    count(&loaded, n)?;
    let size = loaded.sampler.shape().len();
    // Generated, real and mixed values, bytes, and those as text.
    let memory = studio.memory.reserve(n.saturating_mul(size).saturating_mul(16), &format!("{n} images"))?;
    let labels = loaded.labels(&Classes::Sampled, asked.seed, 0, n)?;
    let mut generated = studio.engine.images(&loaded, loaded.noise(asked.seed, 0, n), labels.clone()).await?;
    drop(pass);
    to_unit(&loaded, &mut generated);
    let (shared, secret) = (Arc::clone(&studio), truth.clone());
    let make = move |ticket: &Ticket| {
        let _memory = memory;
        let recipe = Run::open(&shared.checked(&id)?)?.recipe(&[])?;
        let real = shared.data_sets.reference(&recipe)?;
        ticket.check()?;
        let mixed = mix(&loaded, &recipe, &real, &secret, &picks, generated, labels)?;
        let discriminator = shared.work.on_pool(|| discriminator_answers(&loaded, &recipe, &mixed))?;
        let bytes = Images::from_values(&mixed.values, loaded.sampler.shape(), (0.0, 1.0))?.bytes;
        let shape = loaded.sampler.shape();
        let round = Round { run: id, truth: secret, discriminator, step: loaded.sampler.step };
        let response = json!({
            "shape": [n, shape.height, shape.width, shape.channels], "pixels": STANDARD.encode(bytes),
            "step": loaded.sampler.step, "split": real.split,
        });
        Ok((response, round))
    };
    let (response, round) = studio.work.compute(&studio.work.nets, NET_TIME, make).await?;
    let name = format!("{:016x}", draw("name", 0));
    let mut rounds = studio.rounds.rounds.lock().unwrap_or_else(PoisonError::into_inner);
    if rounds.len() >= MAX_ROUNDS {
        rounds.pop_front();
    }
    rounds.push_back((name.clone(), round));
    let mut response = response;
    response["round"] = name.into();
    Ok(Json(response))
}

/// Images in 0..=1 with the labels given to the discriminator.
struct Mixed {
    values: Vec<f32>,
    labels: Vec<Vec<f32>>,
}

/// Replaces generated images by real ones where `truth` is set.
fn mix(
    loaded: &Loaded,
    recipe: &Recipe,
    reference: &Reference,
    truth: &[bool],
    picks: &[u64],
    generated: Vec<f32>,
    labels: Vec<Vec<f32>>,
) -> Answer<Mixed> {
    let (shape, set) = (loaded.sampler.shape(), reference.real.as_ref());
    if set.shape() != shape || set.is_empty() {
        return Err(Failure::conflict(
            format!("the data has images of {}, the generator makes {shape}", set.shape()),
            "the quiz needs real images of the same shape",
        ));
    }
    let (mut values, mut labels) = (generated, labels);
    let chosen: Vec<usize> = picks.iter().map(|pick| (pick % set.len() as u64) as usize).collect();
    let mut pixels = Vec::new();
    fill(set, &chosen, &mut pixels)?;
    let conditional = !recipe.labels.names.is_empty() && recipe.networks()?.1.labels() > 0;
    let rows = if conditional { Conditions::new(&recipe.labels, set)?.rows(set, &chosen) } else { Vec::new() };
    for (at, _) in truth.iter().enumerate().filter(|(_, is_real)| **is_real) {
        let part = at * shape.len()..(at + 1) * shape.len();
        values[part.clone()].copy_from_slice(&pixels[part]);
        if conditional {
            let width = recipe.labels.names.len();
            labels[at] = rows[at * width..(at + 1) * width].to_vec();
        }
    }
    // Both sides are rounded to bytes; otherwise the discriminator could recognise real images by their rounded values.
    values.iter_mut().for_each(|value| *value = (value.clamp(0.0, 1.0) * 255.0).round() / 255.0);
    Ok(Mixed { values, labels })
}

/// Which images the run's own discriminator classifies as real.
fn discriminator_answers(loaded: &Loaded, recipe: &Recipe, mixed: &Mixed) -> Answer<Vec<bool>> {
    let expert = loaded.expert()?;
    let scores = expert.scores(&mixed.values, &mixed.labels)?;
    let mean = scores.iter().sum::<f32>() / scores.len().max(1) as f32;
    // A relative loss has no fixed threshold; the mean score is used.
    let zero = recipe.train.loss.scale().middle.unwrap_or(mean);
    Ok(scores.iter().map(|score| *score > zero).collect())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerRequest {
    round: String,
    answers: Vec<bool>,
}

async fn answer(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Body(given): Body<AnswerRequest>,
) -> Answer<Json<Value>> {
    let mut rounds = studio.rounds.rounds.lock().unwrap_or_else(PoisonError::into_inner);
    let found = rounds.iter().position(|(name, round)| *name == given.round && round.run == id);
    let Some(at) = found else {
        return Err(Failure::missing(
            "this round doesn't exist",
            "it was answered already, or the studio was restarted; start a new one",
        ));
    };
    let n = rounds[at].1.truth.len();
    if given.answers.len() != n {
        return Err(Failure::bad(format!("{} answers for {n} images", given.answers.len()), "answer for each image"));
    }
    let Some((_, round)) = rounds.remove(at) else { return Err(Failure::internal("the round is gone")) };
    let right = |answers: &[bool]| answers.iter().zip(&round.truth).filter(|(a, b)| a == b).count();
    Ok(Json(json!({
        "truth": round.truth, "right": right(&given.answers), "step": round.step,
        "discriminator": { "answers": round.discriminator, "right": right(&round.discriminator) },
    })))
}
