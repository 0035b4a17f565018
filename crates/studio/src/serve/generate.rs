//! `POST /generate`: images as PNG, zip, JSON or raw bytes.

use std::sync::Arc;

use axum::body::{Body as Sent, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faussaire::render::{Images, png, sheet};
use serde::Deserialize;
use serde_json::json;

use super::Service;
use crate::archive::Archive;
use crate::body::Body;
use crate::engine::Classes;
use crate::errors::{Answer, Failure, run_blocking};
use crate::truncation::truncate;

/// Size limit of a request body.
const BODY_BYTES: usize = 64 << 10;

/// The JSON body of a request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GenerateRequest {
    #[serde(default = "one")]
    n: usize,
    class: Option<String>,
    classes: Option<Vec<String>>,
    seed: Option<u64>,
    truncation: Option<f32>,
    #[serde(default)]
    format: Format,
}

fn one() -> usize {
    1
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Format {
    /// One picture with all images.
    #[default]
    Png,
    /// One PNG file per image.
    Zip,
    /// PNG files in base64.
    Json,
    /// Bytes, `[n, h, w, c]`.
    Raw,
}

/// Handles `POST /generate`.
pub(super) async fn generate(
    State(service): State<Arc<Service>>,
    Body(wanted): Body<GenerateRequest, BODY_BYTES>,
) -> Answer<Response> {
    let (loaded, n) = (&service.loaded, wanted.n);
    if n == 0 || n > service.max_images {
        return Err(Failure::bad(format!("n is {n}, expected 1 to {}", service.max_images), "send several requests"));
    }
    // Without a seed each response has new images; the header x-seed says which.
    let seed = wanted.seed.map_or_else(random_seed, Ok)?;
    let classes = match (&wanted.class, &wanted.classes) {
        (Some(_), Some(_)) => return Err(Failure::bad("both class and classes are given", "leave one out")),
        (None, Some(each)) => Classes::Each(each),
        (Some(one), None) => Classes::One(one),
        (None, None) => Classes::Sampled,
    };
    let labels = loaded.labels(&classes, seed, 0, n)?;
    // An image is floats, then bytes, then a file.
    let memory = service.memory.reserve(n * loaded.sampler.shape().len() * 6, &format!("{n} images"))?;
    let mut noise = loaded.noise(seed, 0, n);
    truncate(&mut noise, wanted.truncation)?;
    let names: Vec<String> = labels.iter().map(|row| loaded.name(row)).collect();
    let values = service.engine.images(loaded, noise, labels).await?;
    let images = Images::from_values(&values, loaded.sampler.shape(), loaded.sampler.bounds())?;
    drop(values);
    let step = loaded.sampler.step;
    let (kind, bytes) = match wanted.format {
        Format::Raw => ("application/octet-stream", Bytes::from(images.bytes)),
        format => run_blocking(move || encode(&images, &names, seed, step, format)).await?,
    };
    respond(&service, memory.body(bytes), kind, n, seed)
}

fn encode(images: &Images, names: &[String], seed: u64, step: u64, format: Format) -> Answer<(&'static str, Bytes)> {
    let shape = images.shape;
    match format {
        Format::Zip => {
            let mut archive = Archive::new(Vec::new());
            archive.add(images, names)?;
            Ok(("application/zip", archive.finish()?.into()))
        }
        Format::Json => {
            let pictures = (0..images.len()).filter_map(|at| images.picture(at));
            let files =
                pictures.map(|p| Ok(STANDARD.encode(png::encode(&p)?))).collect::<faussaire::Result<Vec<_>>>()?;
            let value = json!({
                "images": files, "shape": [images.len(), shape.height, shape.width, shape.channels], "labels": names,
                "seed": seed, "step": step,
            });
            Ok(("application/json", value.to_string().into()))
        }
        Format::Png | Format::Raw => {
            let columns = (images.len() as f64).sqrt().ceil() as usize;
            let mut options = sheet::Options::default();
            options.scale = Some(1);
            let picture = sheet::sheet(images, images.len().div_ceil(columns), columns, &options)?;
            Ok(("image/png", png::encode(&picture)?.into()))
        }
    }
}

fn respond(service: &Service, body: Sent, kind: &'static str, n: usize, seed: u64) -> Answer<Response> {
    let shape = service.loaded.sampler.shape();
    let text = format!("{n},{},{},{}", shape.height, shape.width, shape.channels);
    let shape = HeaderValue::from_str(&text).map_err(|e| Failure::internal(e.to_string()))?;
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert("x-shape", shape);
    headers.insert("x-seed", HeaderValue::from(seed));
    headers.insert("x-step", HeaderValue::from(service.loaded.sampler.step));
    Ok(response)
}

/// A random seed below 2^53, which every JSON reader represents exactly.
fn random_seed() -> Answer<u64> {
    let bits = getrandom::u64().map_err(|e| Failure::internal(format!("the system's random source failed: {e}")))?;
    Ok(bits >> 11)
}
