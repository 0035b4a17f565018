//! `faussaire serve RUN`: a run's generator as a small HTTP service. Requests that come at the same time go through the
//! generator together; when more come than can wait, they are told when to come again.

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
use tokio::sync::Semaphore;

use crate::engine::{Engine, Loaded};
use crate::errors::Failure;
use crate::guard::{self, Guard};
use crate::server::{Server, Stop};
use metrics::Metrics;

/// The port that is tried first.
pub const PORT: u16 = 7412;
/// Kilobytes that all answers together may take.
const ROOM: usize = 512 << 10;

/// What `faussaire serve` is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The run's folder.
    pub run: PathBuf,
    /// Which checkpoint; without a name, the best or else the latest one.
    pub checkpoint: Option<String>,
    /// The address to listen at.
    pub host: IpAddr,
    /// The port; without one, [`PORT`] or any free one.
    pub port: Option<u16>,
    /// The token to demand; without one, a new one is made where other machines can reach the address.
    pub token: Option<String>,
    /// Requests that may wait.
    pub queue: usize,
    /// Images of one request, at most.
    pub most: usize,
}

/// What all handlers share.
#[derive(Debug)]
pub(crate) struct Service {
    engine: Engine,
    loaded: Arc<Loaded>,
    most: usize,
    room: Arc<Semaphore>,
    metrics: Metrics,
}

/// What is served, for whoever announces it.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The address.
    pub address: String,
    /// The token to send, if one is demanded.
    pub token: Option<String>,
    /// The step of the checkpoint.
    pub step: u64,
    /// What an image is: 28x28x1.
    pub shape: String,
}

/// Serves until `stop` is asked for or the process is told to end; what is in work then is finished.
///
/// # Errors
/// A run that can't be opened, an address that can't be had.
pub fn run(options: Options, stop: &Stop, ready: impl FnOnce(&Ready)) -> Result<()> {
    let engine = Engine::new(options.queue)?;
    let loaded = engine.load(&options.run, options.checkpoint.as_deref())?;
    let shape = loaded.sampler.shape();
    if !matches!(shape.channels, 1 | 3) {
        return Err(faussaire::Error::usage(
            format!("the generator makes points ({shape}), not images"),
            "serve a run that was trained on images",
        ));
    }
    let server = Server::bind(options.host, options.port, PORT)?;
    let guard = Guard::new(options.host, options.token.clone())?;
    ready(&Ready {
        address: format!("http://{}", server.address()),
        token: guard.token().map(String::from),
        step: loaded.sampler.step,
        shape: shape.to_string(),
    });
    let metrics = Metrics::new();
    let room = Arc::new(Semaphore::new(ROOM));
    let service = Arc::new(Service { engine, loaded, most: options.most, room, metrics });
    server.run(stop, || router(service, guard))
}

fn router(service: Arc<Service>, guard: Guard) -> Router {
    Router::new()
        .route("/generate", post(generate::generate))
        .route("/healthz", get(healthy))
        .route("/metrics", get(metrics::metrics))
        .route("/openapi.json", get(description))
        .fallback(any(nothing))
        .method_not_allowed_fallback(any(not_so))
        .layer(from_fn_with_state(Arc::clone(&service), counted))
        .with_state(service)
        .layer(from_fn_with_state(guard, guard::check))
}

async fn healthy() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The interface, for programs that read such descriptions.
async fn description() -> Response {
    let text = include_str!("openapi.json").replace("{version}", env!("CARGO_PKG_VERSION"));
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

async fn nothing() -> Failure {
    Failure::missing("there is no such path", "GET /openapi.json describes those there are")
}

async fn not_so(method: Method) -> Failure {
    let what = format!("this path is not asked with {method}");
    Failure::new(axum::http::StatusCode::METHOD_NOT_ALLOWED, what, "GET /openapi.json describes how")
}

/// Counts requests and times them.
async fn counted(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let began = Instant::now();
    let response = next.run(request).await;
    service.metrics.request(&path, response.status().as_u16(), began.elapsed());
    response
}
