//! Downloads of a run: its report, its nets as files for other programs, and generated images.

use std::sync::Arc;

use axum::body::Body as Sent;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use faussaire::export::{self, Format, Layout, Options, Pixels, Subject, Which};
use faussaire::report;
use faussaire::run::Run;
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::Studio;
use super::play::{NET_TIME, pixels};
use super::runs_dir::LOG;
use crate::archive::{Archive, Piped};
use crate::engine::{Classes, Loaded};
use crate::errors::{Answer, Failure};
use crate::server::Counted;
use crate::work::Ticket;

/// Maximum images in a file.
const MAX_IMAGES: usize = 1_000_000;
/// Largest log of which a report is made: its events are in memory at once.
const REPORT_BYTES: u64 = 64 << 20;
/// Content security policy of a report: inline style and pictures only.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'self'; sandbox allow-popups";

pub(super) fn routes() -> Router<Arc<Studio>> {
    Router::new()
        .route("/api/runs/{id}/report", get(page))
        .route("/api/runs/{id}/export", get(nets))
        .route("/api/runs/{id}/samples", get(samples))
}

async fn page(State(studio): State<Arc<Studio>>, Path(id): Path<String>) -> Answer<Response> {
    let shared = Arc::clone(&studio);
    let make = move |_: &Ticket| {
        let run = Run::open(&shared.checked(&id)?)?;
        check_log(run.path(), REPORT_BYTES)?;
        let text = report::page(&run)?;
        let head = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
            (header::CONTENT_DISPOSITION, content_disposition("inline", &format!("{id}.html"))),
        ];
        Ok((head, text).into_response())
    };
    studio.work.compute(&studio.work.nets, NET_TIME, make).await
}

/// Refuses a report of the run in `folder` if its log has more than `most` bytes.
fn check_log(folder: &std::path::Path, most: u64) -> Answer<()> {
    let bytes = std::fs::metadata(folder.join(LOG)).map_or(0, |about| about.len());
    if bytes > most {
        return Err(Failure::conflict(
            format!("{LOG} has {bytes} bytes, the studio makes reports of at most {most}"),
            "training writes report.html into the run's folder when it ends: open that",
        ));
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExportQuery {
    to: String,
    checkpoint: Option<String>,
    net: Option<Net>,
    #[serde(default)]
    pixels: PixelParam,
    #[serde(default)]
    layout: LayoutParam,
    #[serde(default)]
    half: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Net {
    Generator,
    Discriminator,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PixelParam {
    #[default]
    Float,
    Uint8,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LayoutParam {
    #[default]
    Nhwc,
    Nchw,
}

impl ExportQuery {
    fn options(&self) -> Options {
        let pixels = match self.pixels {
            PixelParam::Float => Pixels::Float,
            PixelParam::Uint8 => Pixels::Uint8,
        };
        let layout = match self.layout {
            LayoutParam::Nhwc => Layout::Nhwc,
            LayoutParam::Nchw => Layout::Nchw,
        };
        let mut options = Options::default().pixels(pixels).layout(layout).half(self.half);
        options.net = self.net.map(|net| match net {
            Net::Generator => Which::Generator,
            Net::Discriminator => Which::Discriminator,
        });
        options
    }
}

/// The nets as a file, sent only after it was read back and verified. Several files are sent as a zip.
async fn nets(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Query(query): Query<ExportQuery>,
) -> Answer<Response> {
    let format = Format::named(&query.to)?;
    let loaded = studio.open(&id, query.checkpoint.as_deref()).await?;
    let permit = Arc::clone(&studio.downloads).try_acquire_owned();
    let permit = permit.map_err(|_| Failure::busy("other downloads are in progress"))?;
    let shared = Arc::clone(&studio);
    let make = move |ticket: &Ticket| {
        let _permit = permit;
        // Checks the file's size before memory is allocated.
        loaded.expert()?;
        let run = Run::open(&shared.checked(&id)?)?;
        ticket.check()?;
        let exported = shared.work.on_pool(|| {
            let subject = Subject::open(&run, loaded.checkpoint())?;
            export::make(&subject, format, &query.options())
        })?;
        let (ending, kind, bytes) = package(&id, format, exported.files)?;
        let difference = format!("{:.1e}", exported.difference);
        let difference = HeaderValue::from_str(&difference).map_err(|e| Failure::internal(e.to_string()))?;
        let head = [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (header::CONTENT_DISPOSITION, content_disposition("attachment", &format!("{id}.{ending}"))),
            (HeaderName::from_static("x-difference"), difference),
            (HeaderName::from_static("x-checked"), HeaderValue::from_static(exported.checked)),
        ];
        Ok((head, bytes).into_response())
    };
    studio.work.compute(&studio.work.nets, NET_TIME, make).await
}

type Package = (&'static str, &'static str, Vec<u8>);

/// Combines exported files into one: its extension, type and content.
fn package(id: &str, format: Format, files: Vec<(&'static str, Vec<u8>)>) -> Answer<Package> {
    if files.len() > 1 {
        let mut archive = Archive::new(Vec::new());
        for (ending, bytes) in &files {
            archive.file(&format!("{id}.{ending}"), bytes)?;
        }
        return Ok(("zip", "application/zip", archive.finish()?));
    }
    let kind = match format {
        Format::Html => "text/html; charset=utf-8",
        _ => "application/octet-stream",
    };
    let file = files.into_iter().next().ok_or_else(|| Failure::internal("the export exported no file"))?;
    Ok((format.name(), kind, file.1))
}

/// A content-disposition header with a sanitised file name.
fn content_disposition(how: &str, name: &str) -> HeaderValue {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    HeaderValue::from_str(&format!("{how}; filename=\"{plain}\"")).unwrap_or(HeaderValue::from_static("attachment"))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SamplesQuery {
    n: Option<usize>,
    class: Option<String>,
    #[serde(default)]
    seed: u64,
    checkpoint: Option<String>,
}

/// A zip file of images, generated while it is sent.
async fn samples(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Query(wanted): Query<SamplesQuery>,
) -> Answer<Response> {
    let n = wanted.n.unwrap_or(100);
    if n == 0 || n > MAX_IMAGES {
        return Err(Failure::bad(format!("n is {n}, expected 1 to {MAX_IMAGES}"), "request fewer"));
    }
    let loaded = studio.open(&id, wanted.checkpoint.as_deref()).await?;
    // Invalid requests are refused before anything is sent.
    let class = wanted.class.filter(|class| !class.is_empty());
    loaded.labels(&class.as_deref().map_or(Classes::Sampled, Classes::One), wanted.seed, 0, 1)?;
    pixels(&loaded, &vec![0.0; loaded.sampler.shape().len()])?;
    let permit = Arc::clone(&studio.downloads).try_acquire_owned();
    let permit = permit.map_err(|_| Failure::busy("other downloads are in progress"))?;
    let (send, parts) = mpsc::channel(4);
    let handle = Handle::current();
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let series = Series { loaded, class, seed: wanted.seed, n };
        if let Err(failure) = write(&studio, &handle, &series, Piped::new(send.clone(), handle.clone())) {
            // Too late for an error status: the file is truncated, which every zip reader detects.
            let _ = send.try_send(Err(std::io::Error::other(failure.error)));
        }
    });
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/zip")),
        (header::CONTENT_DISPOSITION, content_disposition("attachment", &format!("{id}-{n}.zip"))),
    ];
    Ok((Extension(Counted), head, Sent::from_stream(ReceiverStream::new(parts))).into_response())
}

/// The images of one download.
struct Series {
    loaded: Arc<Loaded>,
    class: Option<String>,
    seed: u64,
    n: usize,
}

fn write(studio: &Studio, handle: &Handle, series: &Series, out: Piped) -> Answer<()> {
    let Series { loaded, class, seed, n } = series;
    let classes = class.as_deref().map_or(Classes::Sampled, Classes::One);
    let mut archive = Archive::new(out);
    for first in (0..*n).step_by(loaded.batch) {
        let count = loaded.batch.min(n - first);
        let labels = loaded.labels(&classes, *seed, first as u64, count)?;
        let names: Vec<String> = labels.iter().map(|row| loaded.name(row)).collect();
        let noise = loaded.noise(*seed, first as u64, count);
        let values = handle.block_on(images_with_retry(studio, loaded, noise, labels))?;
        archive.add(&pixels(loaded, &values)?, &names)?;
    }
    archive.finish()?;
    Ok(())
}

/// Generates images, retrying while the queue is full.
async fn images_with_retry(
    studio: &Studio,
    loaded: &Arc<Loaded>,
    noise: Vec<Vec<f32>>,
    labels: Vec<Vec<f32>>,
) -> Answer<Vec<f32>> {
    loop {
        match studio.engine.images(loaded, noise.clone(), labels.clone()).await {
            Err(busy) if busy.retry_after.is_some() && !studio.stop.is_asked() => {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            outcome => return outcome,
        }
    }
}
