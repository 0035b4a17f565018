//! Play: noise, generated images, latent directions, walks, inversion of a drawing, and the scores of the run's own
//! discriminator.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body as Sent;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faussaire::data::ImageShape;
use faussaire::play::{Inversion, InversionResult, Origin};
use faussaire::render::{Images, png, sheet};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::Studio;
use crate::body::Body;
use crate::engine::{Classes, Loaded};
use crate::errors::{Answer, Failure};
use crate::memory::Reserved;
use crate::server::Counted;
use crate::truncation::truncate;
use crate::work::Ticket;

/// Limits of one response: images and bytes.
const MAX_IMAGES: usize = 1_024;
const MAX_BYTES: usize = 16 << 20;
/// Maximum values of a JSON response, which take ten times their memory.
const MAX_VALUES: usize = 1 << 20;
/// Maximum images that a walk passes through.
const MAX_ENDS: usize = 32;
/// Largest accepted absolute noise value; normal noise is nearly always within 5.
const MAX_NOISE: f32 = 100.0;
/// How long scores and directions may take; a search, and a client for reading one of its lines.
pub(super) const NET_TIME: Duration = Duration::from_secs(60);
const SEARCH_TIME: Duration = Duration::from_secs(120);
const LINE_TIME: Duration = Duration::from_secs(10);
/// Gradient steps of a search: default, maximum, and between two messages.
const DEFAULT_STEPS: u64 = 150;
const MAX_STEPS: u64 = 2_000;
const STEPS_PER_MESSAGE: u64 = 3;

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
    let n = count(&loaded, query.n.unwrap_or(1))?;
    check_first(query.first)?;
    let draw = move || {
        let labels = loaded.labels(&Classes::Sampled, query.seed, query.first, n)?;
        Ok(Json(json!({ "z": loaded.noise(query.seed, query.first, n), "labels": labels })))
    };
    studio.work.read(draw).await
}

#[derive(Debug, Deserialize)]
struct DirectionsQuery {
    checkpoint: Option<String>,
    /// `labels` for directions of the data's labels, which take seconds; else directions of the weights.
    by: Option<String>,
}

async fn directions(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Query(query): Query<DirectionsQuery>,
) -> Answer<Json<Vec<Value>>> {
    let loaded = studio.open(&id, query.checkpoint.as_deref()).await?;
    let shared = Arc::clone(&studio);
    let find = move |_: &Ticket| {
        let all = match query.by.as_deref() {
            Some("labels") => {
                let run = shared.checked(&id)?;
                shared.data_sets.label_directions(&shared.work, &run, &loaded)
            }
            _ => shared.work.on_pool(|| loaded.directions().to_vec()),
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
        Ok(Json(all.iter().map(describe).collect()))
    };
    studio.work.compute(&studio.work.nets, NET_TIME, find).await
}

/// A request for images.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ImagesRequest {
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
    /// The generator's raw output as JSON; the only form for points.
    Values,
}

impl ImagesRequest {
    fn noise(&self, loaded: &Loaded) -> Answer<Vec<Vec<f32>>> {
        let mut noise = match &self.z {
            Some(z) => {
                count(loaded, z.len())?;
                z.clone()
            }
            None => {
                check_first(self.first)?;
                loaded.noise(self.seed, self.first, count(loaded, self.n.unwrap_or(1))?)
            }
        };
        check_noise(loaded, &noise)?;
        truncate(&mut noise, self.truncation)?;
        Ok(noise)
    }

    fn classes(&self) -> Classes<'_> {
        match (&self.class, &self.classes) {
            (_, Some(each)) => Classes::Each(each),
            (Some(one), None) => Classes::One(one),
            (None, None) => Classes::Sampled,
        }
    }
}

/// Checks a number of images, whose noise and labels must not be too many values.
pub(super) fn count(loaded: &Loaded, n: usize) -> Answer<usize> {
    if !(1..=MAX_IMAGES).contains(&n) {
        let what = format!("{n} images are requested, expected 1 to {MAX_IMAGES}");
        return Err(Failure::bad(what, "send several requests"));
    }
    let each = loaded.sampler.latent().saturating_add(loaded.sampler.labels().names.len());
    if n.saturating_mul(each) > MAX_VALUES {
        let what = format!("{n} images of a latent of {} exceed the limit of one request", loaded.sampler.latent());
        return Err(Failure::bad(what, format!("request at most {}", (MAX_VALUES / each.max(1)).max(1))));
    }
    Ok(n)
}

fn check_first(first: u64) -> Answer<()> {
    if first > u64::MAX - MAX_IMAGES as u64 {
        return Err(Failure::bad("first is too large", "count from 0"));
    }
    Ok(())
}

/// Memory for `n` images: values, then bytes, then what is sent; numbers as text take more.
fn memory(studio: &Studio, loaded: &Loaded, n: usize, format: Format) -> Answer<Reserved> {
    let each = match format {
        Format::Values => 64,
        Format::Raw => 5,
        Format::Png => 7,
    };
    studio.memory.reserve(n.saturating_mul(loaded.sampler.shape().len()).saturating_mul(each), &format!("{n} images"))
}

/// Refuses invalid noise vectors.
fn check_noise(loaded: &Loaded, noise: &[Vec<f32>]) -> Answer<()> {
    let (latent, size) = (loaded.sampler.network().input().len(), loaded.sampler.shape().len());
    if let Some(wrong) = noise.iter().find(|z| z.len() != latent) {
        return Err(Failure::bad(
            format!("a noise vector has {} values, expected {latent}", wrong.len()),
            "get valid vectors from the route `noise`",
        ));
    }
    if noise.iter().flatten().any(|value| !(-MAX_NOISE..=MAX_NOISE).contains(value)) {
        return Err(Failure::bad(
            format!("a noise vector has a value beyond {MAX_NOISE}"),
            "normal noise has values of about 1",
        ));
    }
    if noise.len().saturating_mul(size) > MAX_BYTES {
        return Err(Failure::bad(format!("{} images exceed the limit of one response", noise.len()), "request fewer"));
    }
    Ok(())
}

async fn images(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Body(wanted): Body<ImagesRequest>,
) -> Answer<Response> {
    let loaded = studio.open(&id, wanted.checkpoint.as_deref()).await?;
    let pass = studio.work.images.enter().await?;
    let noise = wanted.noise(&loaded)?;
    let memory = memory(&studio, &loaded, noise.len(), wanted.format)?;
    let labels = loaded.labels(&wanted.classes(), wanted.seed, wanted.first, noise.len())?;
    let values = studio.engine.images(&loaded, noise, labels).await?;
    drop(pass);
    answer(&studio, &loaded, values, wanted.format, memory).await
}

/// Encodes images in the requested format.
async fn answer(
    studio: &Studio,
    loaded: &Arc<Loaded>,
    values: Vec<f32>,
    format: Format,
    memory: Reserved,
) -> Answer<Response> {
    let loaded = Arc::clone(loaded);
    studio.work.read(move || encode(&loaded, &values, format, memory)).await
}

fn encode(loaded: &Loaded, values: &[f32], format: Format, memory: Reserved) -> Answer<Response> {
    let shape = loaded.sampler.shape();
    let n = values.len() / shape.len().max(1);
    let step = loaded.sampler.step;
    match format {
        Format::Values if values.len() > MAX_VALUES => Err(Failure::bad(
            format!("{} values are too many for JSON", values.len()),
            "request fewer images, or the format raw",
        )),
        Format::Values => {
            let shape = [n, shape.height, shape.width, shape.channels];
            let text = json!({ "shape": shape, "values": values, "step": step }).to_string();
            Ok(([(header::CONTENT_TYPE, "application/json")], memory.body(text)).into_response())
        }
        Format::Raw => {
            let bytes = pixels(loaded, values)?.bytes;
            let text = format!("{n},{},{},{}", shape.height, shape.width, shape.channels);
            let shape = HeaderValue::from_str(&text).map_err(|e| Failure::internal(e.to_string()))?;
            let head = [
                (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
                (HeaderName::from_static("x-shape"), shape),
                (HeaderName::from_static("x-step"), HeaderValue::from(step)),
            ];
            Ok((head, memory.body(bytes)).into_response())
        }
        Format::Png => {
            let images = pixels(loaded, values)?;
            let columns = (n as f64).sqrt().ceil() as usize;
            let picture = sheet::sheet(&images, n.div_ceil(columns), columns, &sheet::Options::default())?;
            let bytes = png::encode(&picture)?;
            Ok(([(header::CONTENT_TYPE, "image/png")], memory.body(bytes)).into_response())
        }
    }
}

/// Generated values as 8-bit images.
pub(super) fn pixels(loaded: &Loaded, values: &[f32]) -> Answer<Images> {
    let shape: ImageShape = loaded.sampler.shape();
    if !shape.is_picture() {
        return Err(Failure::bad("this generator makes points, not images", "use the format values"));
    }
    Ok(Images::from_values(values, shape, loaded.sampler.bounds())?)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WalkRequest {
    checkpoint: Option<String>,
    ends: Vec<Vec<f32>>,
    frames: usize,
    class: Option<String>,
    truncation: Option<f32>,
}

/// The frames of a closed walk through `ends`.
async fn walk(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Body(walk): Body<WalkRequest>,
) -> Answer<Response> {
    let loaded = studio.open(&id, walk.checkpoint.as_deref()).await?;
    let pass = studio.work.images.enter().await?;
    let frames = count(&loaded, walk.frames)?;
    if walk.ends.len() < 2 || walk.ends.len() > MAX_ENDS {
        return Err(Failure::bad(
            format!("{} ends, expected 2 to {MAX_ENDS}", walk.ends.len()),
            "choose at least two images",
        ));
    }
    check_noise(&loaded, &walk.ends)?;
    let mut noise = loaded.walk(&walk.ends, frames);
    check_noise(&loaded, &noise)?;
    let memory = memory(&studio, &loaded, frames, Format::Raw)?;
    truncate(&mut noise, walk.truncation)?;
    // All frames of a walk have one class.
    let labels = match &walk.class {
        Some(class) => loaded.labels(&Classes::One(class), 0, 0, frames)?,
        None => vec![loaded.labels(&Classes::Sampled, 0, 0, 1)?.concat(); frames],
    };
    let values = studio.engine.images(&loaded, noise, labels).await?;
    drop(pass);
    answer(&studio, &loaded, values, Format::Raw, memory).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InvertRequest {
    checkpoint: Option<String>,
    pixels: String,
    class: Option<String>,
    steps: Option<u64>,
    #[serde(default)]
    seed: u64,
}

/// Searches for the noise whose image is closest to `pixels`; streams its progress as lines of JSON.
async fn invert(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Body(drawn): Body<InvertRequest>,
) -> Answer<Response> {
    let loaded = studio.open(&id, drawn.checkpoint.as_deref()).await?;
    let steps = drawn.steps.unwrap_or(DEFAULT_STEPS);
    if steps == 0 || steps > MAX_STEPS {
        return Err(Failure::bad(format!("{steps} steps are requested, expected 1 to {MAX_STEPS}"), "leave it out"));
    }
    loaded.check_search()?;
    let target = target(&loaded, &drawn.pixels)?;
    let classes = drawn.class.as_deref().map_or(Classes::Sampled, Classes::One);
    let label = loaded.labels(&classes, drawn.seed, 0, 1)?.concat();
    let permit = studio.searches.clone().try_acquire_owned();
    let permit = permit.map_err(|_| Failure::busy("other searches are in progress"))?;
    let (send, lines) = mpsc::channel::<Result<String, std::convert::Infallible>>(4);
    let handle = Handle::current();
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let began = Instant::now();
        // A client that reads too slowly is not waited for.
        let send_line = |line: Value| {
            let sent = async { tokio::time::timeout(LINE_TIME, send.send(Ok(format!("{line}\n")))).await };
            handle.block_on(sent).is_ok_and(|sent| sent.is_ok())
        };
        let begun = studio.work.on_pool(|| Inversion::new(&loaded.sampler, &target, &label, drawn.seed));
        let mut search = match begun {
            Ok(search) => search,
            Err(e) => {
                send_line(json!({ "error": e.to_string(), "hint": e.hint() }));
                return;
            }
        };
        let mut made = 0;
        while made < steps && !studio.stop.is_asked() && began.elapsed() < SEARCH_TIME {
            let stride = STEPS_PER_MESSAGE.min(steps - made);
            made += stride;
            let found = studio.work.on_pool(|| search.step(&loaded.sampler, stride));
            let line = found.map_err(Failure::from).and_then(|found| line(&loaded, &found));
            let line = line.unwrap_or_else(|e| json!({ "error": e.error, "hint": e.hint }));
            // The client has disconnected.
            if !send_line(line) {
                return;
            }
        }
    });
    let head = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((Extension(Counted), head, Sent::from_stream(ReceiverStream::new(lines))).into_response())
}

fn line(loaded: &Loaded, found: &InversionResult) -> Answer<Value> {
    let bytes = pixels(loaded, &found.image)?.bytes;
    Ok(json!({ "step": found.step, "error": found.error, "z": found.z, "pixels": STANDARD.encode(bytes) }))
}

/// The drawn pixels, scaled to the generator's range.
fn target(loaded: &Loaded, pixels: &str) -> Answer<Vec<f32>> {
    let size = loaded.sampler.shape().len();
    let bytes = STANDARD
        .decode(pixels)
        .map_err(|e| Failure::bad(format!("pixels are not base64: {e}"), "encode the pixel bytes as base64"))?;
    if bytes.len() != size {
        return Err(Failure::bad(
            format!("{} pixel values, expected {size} for {}", bytes.len(), loaded.sampler.shape()),
            "send an image of the generator's shape",
        ));
    }
    let (low, high) = loaded.sampler.bounds();
    Ok(bytes.iter().map(|byte| low + (high - low) * f32::from(*byte) / 255.0).collect())
}

/// The discriminator's scores of the images of these noise vectors.
async fn judge(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Body(wanted): Body<ImagesRequest>,
) -> Answer<Json<Value>> {
    let loaded = studio.open(&id, wanted.checkpoint.as_deref()).await?;
    let pass = studio.work.images.enter().await?;
    let noise = wanted.noise(&loaded)?;
    let memory = memory(&studio, &loaded, noise.len(), Format::Raw)?;
    let labels = loaded.labels(&wanted.classes(), wanted.seed, wanted.first, noise.len())?;
    let mut values = studio.engine.images(&loaded, noise, labels.clone()).await?;
    drop(pass);
    let shared = Arc::clone(&studio);
    let judge = move |_: &Ticket| {
        let _memory = memory;
        to_unit(&loaded, &mut values);
        let expert = loaded.expert()?;
        let scores = shared.work.on_pool(|| expert.scores(&values, &labels))?;
        Ok(Json(json!({ "scores": scores, "step": expert.step })))
    };
    studio.work.compute(&studio.work.nets, NET_TIME, judge).await
}

/// Scales values from the generator's bounds to 0..=1.
pub(super) fn to_unit(loaded: &Loaded, values: &mut [f32]) {
    let (low, high) = loaded.sampler.bounds();
    values.iter_mut().for_each(|value| *value = (*value - low) / (high - low));
}
