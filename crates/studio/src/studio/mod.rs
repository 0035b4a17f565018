//! `faussaire studio`: a web page that shows runs while they train, explores their generators and starts new runs. One file
//! per group of routes; docs/decisions/0009 explains the design.

mod config;
mod data_sets;
mod events;
mod expert;
mod export;
mod learn;
mod new;
pub(crate) mod play;
mod run_index;
mod run_log;
mod runs;
mod runs_dir;
mod tail;
mod trainings;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use faussaire::Result;
use tokio::sync::Semaphore;

use crate::assets::Assets;
use crate::engine::{Engine, Loaded};
use crate::errors::{Answer, Failure};
use crate::guard::{self, Guard};
use crate::server::{Server, Stop};
use data_sets::DataSets;
use expert::Rounds;
use learn::Lessons;
use run_index::RunIndex;
use runs_dir::RunsDir;
use trainings::Trainings;

/// The port that is tried first.
pub const PORT: u16 = 7411;

/// Limits: queued requests for images, concurrent searches, concurrent downloads.
const QUEUE: usize = 64;
const SEARCHES: usize = 2;
const DOWNLOADS: usize = 4;

/// Options of `faussaire studio`.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of runs, or of one run.
    pub runs: PathBuf,
    /// The address to listen on.
    pub host: IpAddr,
    /// The port; `None` for [`PORT`], or any free one.
    pub port: Option<u16>,
    /// The token to require; `None` draws one where other machines can reach the address.
    pub token: Option<String>,
    /// A folder of data sets, searched before $FAUSSAIRE_DATA and the cache.
    pub data: Option<PathBuf>,
    /// The program that runs trainings: this executable.
    pub program: PathBuf,
    /// Serve the front end from this folder instead of the embedded files, for development.
    pub assets: Option<PathBuf>,
}

/// State shared by all handlers.
#[derive(Debug)]
pub(crate) struct Studio {
    pub index: Arc<RunIndex>,
    pub stop: Stop,
    pub trainings: Arc<Trainings>,
    pub program: PathBuf,
    pub data: Option<PathBuf>,
    pub engine: Engine,
    pub data_sets: DataSets,
    pub rounds: Rounds,
    pub lessons: Lessons,
    /// Permits for searches in latent space.
    pub searches: Arc<Semaphore>,
    /// Held while nets are benchmarked.
    pub trials: Arc<tokio::sync::Mutex<()>>,
    /// Permits for long downloads.
    pub downloads: Arc<Semaphore>,
}

impl Studio {
    /// The generator of a run's checkpoint.
    async fn open(&self, id: &str, checkpoint: Option<&str>) -> Answer<Arc<Loaded>> {
        let run = self.index.runs_dir.run(id)?;
        // Only for its checks: a recipe must be a small regular file.
        self.index.runs_dir.config(&run)?;
        self.engine.open(&run, checkpoint).await
    }
}

/// Serves the studio until `stop` is requested or the process gets a signal; `ready` gets the address to open.
///
/// # Errors
/// The address can't be bound.
pub fn run(options: Options, stop: &Stop, ready: impl FnOnce(&str)) -> Result<()> {
    let server = Server::bind(options.host, options.port, PORT)?;
    let guard = Guard::new(options.host, options.token.clone())?;
    ready(&address(&server, &guard));
    let engine = Engine::new(QUEUE)?;
    let local = guard.token().is_none();
    server.run(stop, || {
        let trainings = Arc::<Trainings>::default();
        let studio = Arc::new(Studio {
            index: Arc::new(RunIndex::new(RunsDir::new(&options.runs), Arc::clone(&trainings))),
            stop: stop.clone(),
            trainings,
            program: options.program,
            data_sets: DataSets::new(options.data.clone(), local),
            data: options.data,
            engine,
            rounds: Rounds::default(),
            lessons: Lessons::default(),
            searches: Arc::new(Semaphore::new(SEARCHES)),
            trials: Arc::default(),
            downloads: Arc::new(Semaphore::new(DOWNLOADS)),
        });
        tokio::spawn(events::poll_runs(Arc::clone(&studio)));
        router(studio, guard, Assets::new(options.assets))
    })
}

/// The URL to open in a browser.
fn address(server: &Server, guard: &Guard) -> String {
    let address = server.address();
    let host = if address.ip().is_unspecified() { "localhost".into() } else { address.ip().to_string() };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let token = guard.token().map_or(String::new(), |token| format!("?token={token}"));
    format!("http://{host}:{}/{token}", address.port())
}

fn router(studio: Arc<Studio>, guard: Guard, assets: Assets) -> Router {
    Router::new()
        .route("/api/runs", get(runs::list).post(new::start))
        .route("/api/runs/{id}/stop", post(trainings::stop))
        .route("/api/runs/{id}/resume", post(trainings::resume))
        .merge(new::routes())
        .merge(runs::routes())
        .merge(events::routes())
        .merge(play::routes())
        .merge(expert::routes())
        .merge(learn::routes())
        .merge(export::routes())
        .route("/api/{*path}", axum::routing::any(not_found))
        .with_state(studio)
        .fallback_service(assets.service())
        .layer(from_fn_with_state(guard, guard::check))
}

async fn not_found() -> Failure {
    Failure::missing("this route doesn't exist", "reload the page")
}
