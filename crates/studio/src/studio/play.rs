//! Play: noise, the images that a run's generator makes of it, ways to go, the way back from a drawing, and what the run's
//! own discriminator thinks of all that.

use std::sync::Arc;

use axum::body::Body as Sent;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faussaire::data::ImageShape;
use faussaire::device;
use faussaire::play::{Found, Inversion, Origin};
use faussaire::render::{Images, png, sheet};
use faussaire::run::Sampler;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::Studio;
use crate::body::Body;
use crate::engine::{Classes, Loaded};
use crate::errors::{Answer, Failure, aside};
use crate::truncation::truncate;

/// Images of one answer, and bytes that they may take.
const MOST: usize = 1_024;
const MOST_BYTES: usize = 16 << 20;
/// Numbers of one answer in JSON, which takes ten times their room.
const MOST_VALUES: usize = 1 << 20;
/// Images that a walk may pass through.
const ENDS: usize = 32;
/// Noise further out than this is a slip: nearly all lies within 5.
const FARTHEST: f32 = 100.0;
/// Gradient steps of a search, by default and at most, and between two messages.
const STEPS: u64 = 150;
const MOST_STEPS: u64 = 2_000;
const STRIDE: u64 = 3;

pub(super) fn routes() -> Router<Arc<Studio>> {
    Router::new()
        .route("/api/runs/{id}/noise", get(noise))
        .route("/api/runs/{id}/directions", get(directions))
        .route("/api/runs/{id}/images", post(images))
        .route("/api/runs/{id}/walk", post(walk))
        .route("/api/runs/{id}/invert", post(invert))
        .route("/api/runs/{id}/judge", post(judge))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoiseQuery {
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    first: u64,
    n: Option<usize>,
    checkpoint: Option<String>,
}

async fn noise(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Query(query): Query<NoiseQuery>,
) -> Answer<Json<Value>> {
    let loaded = studio.open(&id, query.checkpoint.as_deref()).await?;
    let n = count(query.n.unwrap_or(1))?;
    if query.first > u64::MAX - MOST as u64 {
        return Err(Failure::bad("first is too large", "count from 0"));
    }
    let labels = loaded.labels(&Classes::AtLarge, query.seed, query.first, n)?;
    Ok(Json(json!({ "z": loaded.sampler.noise(query.seed, query.first, n), "labels": labels })))
}

#[derive(Debug, Deserialize)]
struct Which {
    checkpoint: Option<String>,
    /// `labels` for what the judge of the data tells apart, which takes seconds; else what the weights tell, at once.
    by: Option<String>,
}

async fn directions(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Answer<Json<Vec<Value>>> {
    let loaded = studio.open(&id, which.checkpoint.as_deref()).await?;
    let run = studio.board.place.run(&id)?;
    aside(move || {
        let all = match which.by.as_deref() {
            Some("labels") => studio.data_sets.label_directions(&run, &loaded),
            _ => device::on_pool(|| loaded.directions().to_vec()),
        };
        let describe = |direction: &faussaire::play::Direction| {
            let kind = match direction.origin {
                Origin::Weights => "sefa",
                Origin::Label => "label",
            };
            json!({
                "name": direction.name, "kind": kind, "vector": direction.vector, "reach": direction.reach,
                "strength": direction.strength,
            })
        };
        Ok::<_, Failure>(Json(all.iter().map(describe).collect()))
    })
    .await
}

/// What images are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    checkpoint: Option<String>,
    z: Option<Vec<Vec<f32>>>,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    first: u64,
    n: Option<usize>,
    class: Option<String>,
    classes: Option<Vec<String>>,
    truncation: Option<f32>,
    #[serde(default)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Format {
    /// Bytes, `[n, h, w, c]`.
    #[default]
    Raw,
    /// One picture with all images.
    Png,
    /// Numbers as they come out of the generator, as JSON; points have no other form.
    Values,
}

impl Wanted {
    fn noise(&self, loaded: &Loaded) -> Answer<Vec<Vec<f32>>> {
        let mut noise = match &self.z {
            Some(z) => {
                count(z.len())?;
                z.clone()
            }
            None if self.first > u64::MAX - MOST as u64 => {
                return Err(Failure::bad("first is too large", "count from 0"));
            }
            None => loaded.sampler.noise(self.seed, self.first, count(self.n.unwrap_or(1))?),
        };
        check_noise(loaded, &noise)?;
        truncate(&mut noise, self.truncation)?;
        Ok(noise)
    }

    fn classes(&self) -> Classes<'_> {
        match (&self.class, &self.classes) {
            (_, Some(each)) => Classes::Each(each),
            (Some(one), None) => Classes::One(one),
            (None, None) => Classes::AtLarge,
        }
    }
}

fn count(n: usize) -> Answer<usize> {
    if (1..=MOST).contains(&n) {
        return Ok(n);
    }
    Err(Failure::bad(format!("{n} images are requested, expected 1 to {MOST}"), "send several requests"))
}

/// Refuses vectors that the generator can't take.
fn check_noise(loaded: &Loaded, noise: &[Vec<f32>]) -> Answer<()> {
    let (latent, size) = (loaded.sampler.network().input().len(), loaded.sampler.shape().len());
    if let Some(wrong) = noise.iter().find(|z| z.len() != latent) {
        return Err(Failure::bad(
            format!("a noise vector has {} values, expected {latent}", wrong.len()),
            "GET noise makes them",
        ));
    }
    if noise.iter().flatten().any(|value| !(-FARTHEST..=FARTHEST).contains(value)) {
        return Err(Failure::bad(
            format!("a noise vector has a value beyond {FARTHEST}"),
            "normal noise has values of about 1",
        ));
    }
    if noise.len().saturating_mul(size) > MOST_BYTES {
        return Err(Failure::bad(format!("{} images are too many at once", noise.len()), "ask for fewer"));
    }
    Ok(())
}

async fn images(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Body(wanted): Body<Wanted>,
) -> Answer<Response> {
    let loaded = studio.open(&id, wanted.checkpoint.as_deref()).await?;
    let noise = wanted.noise(&loaded)?;
    let labels = loaded.labels(&wanted.classes(), wanted.seed, wanted.first, noise.len())?;
    let values = studio.engine.images(&loaded, noise, labels).await?;
    answer(&loaded, values, wanted.format).await
}

/// Sends images in the form that was asked for.
async fn answer(loaded: &Arc<Loaded>, values: Vec<f32>, format: Format) -> Answer<Response> {
    let shape = loaded.sampler.shape();
    let n = values.len() / shape.len().max(1);
    let step = loaded.sampler.step;
    match format {
        Format::Values if values.len() > MOST_VALUES => Err(Failure::bad(
            format!("{} values are too many for JSON", values.len()),
            "ask for fewer images, or for raw",
        )),
        Format::Values => {
            let shape = [n, shape.height, shape.width, shape.channels];
            Ok(Json(json!({ "shape": shape, "values": values, "step": step })).into_response())
        }
        Format::Raw => {
            let bytes = pixels(loaded, &values)?.bytes;
            let mut response = bytes.into_response();
            let text = format!("{n},{},{},{}", shape.height, shape.width, shape.channels);
            response
                .headers_mut()
                .insert("x-shape", HeaderValue::from_str(&text).map_err(|e| Failure::internal(e.to_string()))?);
            response.headers_mut().insert("x-step", HeaderValue::from(step));
            Ok(response)
        }
        Format::Png => {
            let images = pixels(loaded, &values)?;
            aside(move || {
                let columns = (n as f64).sqrt().ceil() as usize;
                let picture = sheet::sheet(&images, n.div_ceil(columns), columns, &sheet::Options::default())?;
                let bytes = png::encode(&picture)?;
                Ok::<_, Failure>(([(header::CONTENT_TYPE, "image/png")], bytes).into_response())
            })
            .await
        }
    }
}

/// Values as bytes.
pub(super) fn pixels(loaded: &Loaded, values: &[f32]) -> Answer<Images> {
    let shape: ImageShape = loaded.sampler.shape();
    if !matches!(shape.channels, 1 | 3) {
        return Err(Failure::bad("this generator makes points, not pictures", "ask for the format values"));
    }
    Ok(Images::from_values(values, shape, loaded.sampler.bounds())?)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Walk {
    checkpoint: Option<String>,
    ends: Vec<Vec<f32>>,
    frames: usize,
    class: Option<String>,
    truncation: Option<f32>,
}

/// All frames of a closed walk through `ends`.
async fn walk(State(studio): State<Arc<Studio>>, Path(id): Path<String>, Body(walk): Body<Walk>) -> Answer<Response> {
    let loaded = studio.open(&id, walk.checkpoint.as_deref()).await?;
    let frames = count(walk.frames)?;
    if walk.ends.len() < 2 || walk.ends.len() > ENDS {
        return Err(Failure::bad(format!("{} ends, expected 2 to {ENDS}", walk.ends.len()), "choose some images"));
    }
    check_noise(&loaded, &walk.ends)?;
    let mut noise = Sampler::walk(&walk.ends, frames, 0..frames);
    check_noise(&loaded, &noise)?;
    truncate(&mut noise, walk.truncation)?;
    // A walk keeps to one class.
    let labels = match &walk.class {
        Some(class) => loaded.labels(&Classes::One(class), 0, 0, frames)?,
        None => vec![loaded.labels(&Classes::AtLarge, 0, 0, 1)?.concat(); frames],
    };
    let values = studio.engine.images(&loaded, noise, labels).await?;
    answer(&loaded, values, Format::Raw).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Drawn {
    checkpoint: Option<String>,
    pixels: String,
    class: Option<String>,
    steps: Option<u64>,
    #[serde(default)]
    seed: u64,
}

/// Searches for the noise that makes the generator draw `pixels`, and tells of it on the way: a line of JSON each time.
async fn invert(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Body(drawn): Body<Drawn>,
) -> Answer<Response> {
    let loaded = studio.open(&id, drawn.checkpoint.as_deref()).await?;
    let steps = drawn.steps.unwrap_or(STEPS);
    if steps == 0 || steps > MOST_STEPS {
        return Err(Failure::bad(format!("{steps} steps are requested, expected 1 to {MOST_STEPS}"), "leave it out"));
    }
    let target = target(&loaded, &drawn.pixels)?;
    let classes = drawn.class.as_deref().map_or(Classes::AtLarge, Classes::One);
    let label = loaded.labels(&classes, drawn.seed, 0, 1)?.concat();
    let place = studio.searches.clone().try_acquire_owned();
    let place = place.map_err(|_| Failure::busy("other searches are under way"))?;
    let (send, lines) = mpsc::channel::<Result<String, std::convert::Infallible>>(4);
    let stop = studio.stop.clone();
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let tell = |line: Value| send.blocking_send(Ok(format!("{line}\n"))).is_ok();
        let begun = device::on_pool(|| Inversion::new(&loaded.sampler, &target, &label, drawn.seed));
        let mut search = match begun {
            Ok(search) => search,
            Err(e) => {
                tell(json!({ "error": e.to_string(), "hint": e.hint() }));
                return;
            }
        };
        let mut made = 0;
        while made < steps && !stop.is_asked() {
            let stride = STRIDE.min(steps - made);
            made += stride;
            let found = device::on_pool(|| search.step(&loaded.sampler, stride));
            let line = found.map_err(Failure::from).and_then(|found| line(&loaded, &found));
            let line = line.unwrap_or_else(|e| json!({ "error": e.error, "hint": e.hint }));
            // Nobody listens any more.
            if !tell(line) {
                return;
            }
        }
    });
    let head = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((head, Sent::from_stream(ReceiverStream::new(lines))).into_response())
}

fn line(loaded: &Loaded, found: &Found) -> Answer<Value> {
    let bytes = pixels(loaded, &found.image)?.bytes;
    Ok(json!({ "step": found.step, "error": found.error, "z": found.z, "pixels": STANDARD.encode(bytes) }))
}

/// Pixels that were drawn, in the generator's range.
fn target(loaded: &Loaded, pixels: &str) -> Answer<Vec<f32>> {
    let size = loaded.sampler.shape().len();
    let bytes =
        STANDARD.decode(pixels).map_err(|e| Failure::bad(format!("pixels are not base64: {e}"), "encode the bytes"))?;
    if bytes.len() != size {
        return Err(Failure::bad(
            format!("{} pixel values, expected {size} for {}", bytes.len(), loaded.sampler.shape()),
            "send the picture in the size of the generator's images",
        ));
    }
    let (low, high) = loaded.sampler.bounds();
    Ok(bytes.iter().map(|byte| low + (high - low) * f32::from(*byte) / 255.0).collect())
}

/// What the run's discriminator says of the images of these noise vectors.
async fn judge(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Body(wanted): Body<Wanted>,
) -> Answer<Json<Value>> {
    let loaded = studio.open(&id, wanted.checkpoint.as_deref()).await?;
    let noise = wanted.noise(&loaded)?;
    let labels = loaded.labels(&wanted.classes(), wanted.seed, wanted.first, noise.len())?;
    let mut values = studio.engine.images(&loaded, noise, labels.clone()).await?;
    aside(move || {
        to_unit(&loaded, &mut values);
        let expert = loaded.expert()?;
        let scores = device::on_pool(|| expert.scores(&values, &labels))?;
        Ok::<_, Failure>(Json(json!({ "scores": scores, "step": expert.step })))
    })
    .await
}

/// Values within the generator's bounds, from 0 to 1.
pub(super) fn to_unit(loaded: &Loaded, values: &mut [f32]) {
    let (low, high) = loaded.sampler.bounds();
    values.iter_mut().for_each(|value| *value = (*value - low) / (high - low));
}
