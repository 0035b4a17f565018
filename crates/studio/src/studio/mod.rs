//! `faussaire studio`: a page that shows runs while they train, lets one play with what they have learnt, and starts new
//! ones. One file per group of routes; docs/decisions/0009 says how it is built.

mod board;
mod chronicle;
mod config;
mod estimate;
mod events;
mod new;
pub(crate) mod place;
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

use crate::assets::Assets;
use crate::errors::Failure;
use crate::guard::{self, Guard};
use crate::server::{Server, Stop};
use board::Board;
use place::Place;
use trainings::Trainings;

/// The port that is tried first.
pub const PORT: u16 = 7411;

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
}

/// Serves the studio until `stop` is asked for or the process is told to end; `ready` gets the address to open.
///
/// # Errors
/// An address that can't be had.
pub fn run(options: Options, stop: &Stop, ready: impl FnOnce(&str)) -> Result<()> {
    let server = Server::bind(options.host, options.port, PORT)?;
    let guard = Guard::new(options.host, options.token.clone());
    ready(&address(&server, &guard));
    server.run(stop, || {
        let trainings = Arc::<Trainings>::default();
        let studio = Arc::new(Studio {
            board: Arc::new(Board::new(Place::new(&options.runs), Arc::clone(&trainings))),
            stop: stop.clone(),
            trainings,
            program: options.program,
            data: options.data,
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
        .route("/api/{*path}", axum::routing::any(nothing))
        .with_state(studio)
        .fallback_service(assets.service())
        .layer(from_fn_with_state(guard, guard::check))
}

async fn nothing() -> Failure {
    Failure::missing("there is no such route", "the page uses those there are")
}
