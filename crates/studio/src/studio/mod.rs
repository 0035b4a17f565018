//! `faussaire studio`: a page that shows runs while they train, lets one play with what they have learnt, and starts new
//! ones. One file per group of routes; docs/decisions/0009 says how it is built.

mod board;
mod chronicle;
mod config;
mod data_sets;
mod estimate;
mod events;
mod expert;
mod export;
mod learn;
mod new;
pub(crate) mod place;
pub(crate) mod play;
mod runs;
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
use board::Board;
use data_sets::DataSets;
use expert::Rounds;
use learn::Lessons;
use place::Place;
use trainings::Trainings;

/// The port that is tried first.
pub const PORT: u16 = 7411;

/// Requests for images that wait, searches and long downloads at once.
const QUEUE: usize = 64;
const SEARCHES: usize = 2;
const DOWNLOADS: usize = 4;

/// What `faussaire studio` is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder with runs, or one run's.
    pub runs: PathBuf,
    /// The address to listen at.
    pub host: IpAddr,
    /// The port; without one, [`PORT`] or any free one.
    pub port: Option<u16>,
    /// The token to demand; without one, a new one is made where other machines can reach the address.
    pub token: Option<String>,
    /// A folder of data sets, looked into before $FAUSSAIRE_DATA and the cache.
    pub data: Option<PathBuf>,
    /// The program that trainings are started with: this one.
    pub program: PathBuf,
    /// Front end from this folder instead of the one inside the program, for whoever works on it.
    pub assets: Option<PathBuf>,
}

/// What all handlers share.
#[derive(Debug)]
pub(crate) struct Studio {
    pub board: Arc<Board>,
    pub stop: Stop,
    pub trainings: Arc<Trainings>,
    pub program: PathBuf,
    pub data: Option<PathBuf>,
    pub engine: Engine,
    pub data_sets: DataSets,
    pub rounds: Rounds,
    pub lessons: Lessons,
    /// Places for searches in latent space.
    pub searches: Arc<Semaphore>,
    /// Whose turn it is to time nets.
    pub trials: Arc<tokio::sync::Mutex<()>>,
    /// Places for long downloads.
    pub downloads: Arc<Semaphore>,
}

impl Studio {
    /// The generator of a run's checkpoint.
    async fn open(&self, id: &str, checkpoint: Option<&str>) -> Answer<Arc<Loaded>> {
        let run = self.board.place.run(id)?;
        // Read for its checks alone: a recipe that is no plain small file is refused.
        self.board.place.config(&run)?;
        self.engine.open(&run, checkpoint).await
    }
}

/// Serves the studio until `stop` is asked for or the process is told to end; `ready` gets the address to open.
///
/// # Errors
/// An address that can't be had.
pub fn run(options: Options, stop: &Stop, ready: impl FnOnce(&str)) -> Result<()> {
    let server = Server::bind(options.host, options.port, PORT)?;
    let guard = Guard::new(options.host, options.token.clone())?;
    ready(&address(&server, &guard));
    let engine = Engine::new(QUEUE)?;
    let local = guard.token().is_none();
    server.run(stop, || {
        let trainings = Arc::<Trainings>::default();
        let studio = Arc::new(Studio {
            board: Arc::new(Board::new(Place::new(&options.runs), Arc::clone(&trainings))),
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
        tokio::spawn(events::keep_looking(Arc::clone(&studio)));
        router(studio, guard, Assets::new(options.assets))
    })
}

/// What to type into a browser.
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
        .route("/api/{*path}", axum::routing::any(nothing))
        .with_state(studio)
        .fallback_service(assets.service())
        .layer(from_fn_with_state(guard, guard::check))
}

async fn nothing() -> Failure {
    Failure::missing("there is no such route", "the page uses those there are")
}
