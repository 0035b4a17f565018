//! Expert: the visitor plays the discriminator. The studio shows real and generated images in an order that only it knows,
//! and tells afterwards which were which and what the run's own discriminator said.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faussaire::data::fill;
use faussaire::data::labels::Conditions;
use faussaire::judging::Reference;
use faussaire::render::Images;
use faussaire::run::Run;
use faussaire::{Recipe, device};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Studio;
use super::play::to_unit;
use crate::body::Body;
use crate::engine::{Classes, Loaded};
use crate::errors::{Answer, Failure, aside};

/// Images of a round, by default and at most.
const IMAGES: usize = 20;
const MOST: usize = 100;
/// Rounds that are remembered.
const ROUNDS: usize = 256;

pub(super) fn routes() -> Router<Arc<Studio>> {
    Router::new().route("/api/runs/{id}/expert", post(begin)).route("/api/runs/{id}/expert/answer", post(answer))
}

/// Rounds under way.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    /// Orders of images can't be guessed without it.
    secret: RandomState,
    rounds: Mutex<VecDeque<(String, Round)>>,
}

/// What is kept to oneself until the answer.
#[derive(Clone, Debug)]
struct Round {
    run: String,
    /// Which images are real.
    truth: Vec<bool>,
    /// What the discriminator took for real.
    discriminator: Vec<bool>,
    step: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    checkpoint: Option<String>,
    #[serde(default)]
    seed: u64,
    n: Option<usize>,
}

async fn begin(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Body(asked): Body<Begin>,
) -> Answer<Json<Value>> {
    let n = asked.n.unwrap_or(IMAGES);
    if !(2..=MOST).contains(&n) {
        return Err(Failure::bad(format!("{n} images, expected 2 to {MOST}"), "twenty are a good number"));
    }
    let loaded = studio.open(&id, asked.checkpoint.as_deref()).await?;
    let path = studio.board.place.run(&id)?;
    let turn = studio.rounds.secret.hash_one((&id, asked.seed, std::time::SystemTime::now()));
    let draw = |what: &str, i: usize| studio.rounds.secret.hash_one((turn, what, i));
    let truth: Vec<bool> = (0..n).map(|i| draw("truth", i).is_multiple_of(2)).collect();
    let picks: Vec<u64> = (0..n).map(|i| draw("pick", i)).collect();
    let labels = loaded.labels(&Classes::AtLarge, asked.seed, 0, n)?;
    let mut made = studio.engine.images(&loaded, loaded.sampler.noise(asked.seed, 0, n), labels.clone()).await?;
    to_unit(&loaded, &mut made);
    let (sets, secret) = (Arc::clone(&studio), truth.clone());
    let (shown, round) = aside(move || {
        let recipe = Run::open(&path)?.recipe(&[])?;
        let real = sets.data_sets.of(&recipe)?;
        let mixed = mix(&loaded, &recipe, &real, &secret, &picks, made, labels)?;
        let discriminator = verdict(&loaded, &recipe, &mixed)?;
        let bytes = Images::from_values(&mixed.values, loaded.sampler.shape(), (0.0, 1.0))?.bytes;
        let shape = loaded.sampler.shape();
        let round = Round { run: id, truth: secret, discriminator, step: loaded.sampler.step };
        let shown = json!({
            "shape": [n, shape.height, shape.width, shape.channels], "pixels": STANDARD.encode(bytes),
            "step": loaded.sampler.step, "split": real.split,
        });
        Ok::<_, Failure>((shown, round))
    })
    .await?;
    let name = format!("{:016x}", draw("name", 0));
    let mut rounds = studio.rounds.rounds.lock().unwrap_or_else(PoisonError::into_inner);
    if rounds.len() >= ROUNDS {
        rounds.pop_front();
    }
    rounds.push_back((name.clone(), round));
    let mut shown = shown;
    shown["round"] = name.into();
    Ok(Json(shown))
}

/// Images from 0 to 1 with the labels that the discriminator is told.
struct Mixed {
    values: Vec<f32>,
    labels: Vec<Vec<f32>>,
}

/// Real images in the places where `truth` says so.
fn mix(
    loaded: &Loaded,
    recipe: &Recipe,
    reference: &Reference,
    truth: &[bool],
    picks: &[u64],
    made: Vec<f32>,
    labels: Vec<Vec<f32>>,
) -> Answer<Mixed> {
    let (shape, set) = (loaded.sampler.shape(), reference.real.as_ref());
    if set.shape() != shape || set.is_empty() {
        return Err(Failure::conflict(
            format!("the data has images of {}, the generator makes {shape}", set.shape()),
            "the game needs real images of the same shape",
        ));
    }
    let (mut values, mut labels) = (made, labels);
    let chosen: Vec<usize> = picks.iter().map(|pick| (pick % set.len() as u64) as usize).collect();
    let mut pixels = Vec::new();
    fill(set, &chosen, &mut pixels)?;
    let told = !recipe.labels.names.is_empty() && recipe.networks()?.1.labels() > 0;
    let rows = if told { Conditions::new(&recipe.labels, set)?.rows(set, &chosen) } else { Vec::new() };
    for (at, _) in truth.iter().enumerate().filter(|(_, is_real)| **is_real) {
        let part = at * shape.len()..(at + 1) * shape.len();
        values[part.clone()].copy_from_slice(&pixels[part]);
        if told {
            let width = recipe.labels.names.len();
            labels[at] = rows[at * width..(at + 1) * width].to_vec();
        }
    }
    // What is shown is bytes, and so is what is judged: else a real image would be known by its round values.
    values.iter_mut().for_each(|value| *value = (value.clamp(0.0, 1.0) * 255.0).round() / 255.0);
    Ok(Mixed { values, labels })
}

/// What the run's own discriminator takes for real.
fn verdict(loaded: &Loaded, recipe: &Recipe, mixed: &Mixed) -> Answer<Vec<bool>> {
    let expert = loaded.expert()?;
    let scores = device::on_pool(|| expert.scores(&mixed.values, &mixed.labels))?;
    let mean = scores.iter().sum::<f32>() / scores.len().max(1) as f32;
    // Where a loss only compares scores, the middle of these is as good as any.
    let zero = recipe.train.loss.scale().middle.unwrap_or(mean);
    Ok(scores.iter().map(|score| *score > zero).collect())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    round: String,
    answers: Vec<bool>,
}

async fn answer(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Body(given): Body<Answered>,
) -> Answer<Json<Value>> {
    let mut rounds = studio.rounds.rounds.lock().unwrap_or_else(PoisonError::into_inner);
    let found = rounds.iter().position(|(name, round)| *name == given.round && round.run == id);
    let Some(at) = found else {
        return Err(Failure::missing(
            "there is no such round",
            "it was answered already, or the studio was restarted; start another one",
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
