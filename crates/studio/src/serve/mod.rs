//! `faussaire serve RUN`: a run's generator as a small HTTP service. Concurrent requests are batched; when the queue is full,
//! the answer is 429 with Retry-After.

mod generate;
mod metrics;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use faussaire::Result;
use serde_json::{Value, json};

use crate::engine::{Engine, Loaded};
use crate::errors::Failure;
use crate::guard::{self, Access, Guard, Rules};
use crate::memory::Memory;
use crate::server::{Server, Stop};
use metrics::Metrics;

/// The port that is tried first.
pub const PORT: u16 = 7412;
/// Memory limit for all pending responses, in kilobytes.
const MEMORY_KB: usize = 512 << 10;

/// Options of `faussaire serve`.
#[derive(Clone, Debug)]
pub struct Options {
    /// The run's folder.
    pub run: PathBuf,
    /// The checkpoint's name; `None` for the best one, or else the latest.
    pub checkpoint: Option<String>,
    /// The address to listen on.
    pub host: IpAddr,
    /// The port; `None` for [`PORT`], or any free one.
    pub port: Option<u16>,
    /// Who may use it.
    pub access: Access,
    /// Length of the queue of requests.
    pub queue: usize,
    /// Maximum images per request.
    pub max_images: usize,
}

/// State shared by all handlers.
#[derive(Debug)]
pub(crate) struct Service {
    engine: Engine,
    loaded: Arc<Loaded>,
    max_images: usize,
    memory: Memory,
    metrics: Metrics,
}

/// What is served, to be announced by the caller.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The address.
    pub address: String,
    /// The token to send, if one is required.
    pub token: Option<String>,
    /// The step of the checkpoint.
    pub step: u64,
    /// The shape of an image, such as 28x28x1.
    pub shape: String,
}

/// Serves until `stop` is requested or the process gets a signal; requests in work are finished.
///
/// # Errors
/// A token that is easily guessed, a run that can't be opened, or an address that can't be bound.
pub fn run(options: Options, stop: &Stop, ready: impl FnOnce(&Ready)) -> Result<()> {
    let rules = Rules::new(&options.access, options.host)?;
    let engine = Engine::new(options.queue)?;
    let loaded = engine.load(&options.run, options.checkpoint.as_deref())?;
    let shape = loaded.sampler.shape();
    if !shape.is_picture() {
        return Err(faussaire::Error::usage(
            format!("the generator makes points ({shape}), not images"),
            "serve a run that was trained on images",
        ));
    }
    let server = Server::bind(options.host, options.port, PORT)?;
    let guard = rules.at(server.address())?.for_programs();
    ready(&Ready {
        address: format!("http://{}", server.address()),
        token: guard.token().map(String::from),
        step: loaded.sampler.step,
        shape: shape.to_string(),
    });
    let metrics = Metrics::new();
    let memory = Memory::new(MEMORY_KB);
    let service = Arc::new(Service { engine, loaded, max_images: options.max_images, memory, metrics });
    server.run(stop, || router(service, guard))
}

fn router(service: Arc<Service>, guard: Guard) -> Router {
    Router::new()
        .route("/generate", post(generate::generate))
        .route("/healthz", get(healthy))
        .route("/metrics", get(metrics::metrics))
        .route("/openapi.json", get(description))
        .fallback(any(not_found))
        .method_not_allowed_fallback(any(method_not_allowed))
        .layer(from_fn_with_state(Arc::clone(&service), record_request))
        .with_state(service)
        .layer(from_fn_with_state(guard, guard::check))
}

async fn healthy() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The OpenAPI description.
async fn description() -> Response {
    let text = include_str!("openapi.json").replace("{version}", env!("CARGO_PKG_VERSION"));
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

async fn not_found() -> Failure {
    Failure::missing("this path doesn't exist", "see /openapi.json")
}

async fn method_not_allowed(method: Method) -> Failure {
    let what = format!("this path doesn't accept {method}");
    Failure::new(axum::http::StatusCode::METHOD_NOT_ALLOWED, what, "see /openapi.json")
}

/// Counts requests and times them.
async fn record_request(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let began = Instant::now();
    let response = next.run(request).await;
    service.metrics.request(&path, response.status().as_u16(), began.elapsed());
    response
}
