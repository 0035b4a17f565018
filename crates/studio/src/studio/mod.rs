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

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use faussaire::Result;
use tokio::sync::Semaphore;

use crate::assets::Assets;
use crate::engine::{Engine, Key, Loaded};
use crate::errors::{Answer, Failure};
use crate::guard::{self, Access, Guard, Rules};
use crate::memory::Memory;
use crate::server::{MAX_CONNECTIONS, Server, Stop};
use crate::shares::Shares;
use crate::work::Work;
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
/// Memory for all images that were requested and not read yet, in kilobytes.
const MEMORY_KB: usize = 256 << 10;
/// Streams of events: half of the connections, so that the other half is for requests that end; and those of one address. On
/// this machine alone, everybody has one address.
const STREAMS: usize = MAX_CONNECTIONS / 2;
const STREAMS_OF_ADDRESS: usize = STREAMS * 3 / 4;

/// Options of `faussaire studio`.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of runs, or of one run.
    pub runs: PathBuf,
    /// The address to listen on.
    pub host: IpAddr,
    /// The port; `None` for [`PORT`], or any free one.
    pub port: Option<u16>,
    /// Who may use it.
    pub access: Access,
    /// A folder of data sets, searched before $FAUSSAIRE_DATA and the cache.
    pub data: Option<PathBuf>,
    /// The program that runs trainings, and what stands before its own arguments: this executable.
    pub program: (PathBuf, Vec<OsString>),
    /// Serve the front end from this folder instead of the embedded files, for development.
    pub assets: Option<PathBuf>,
}

/// State shared by all handlers.
#[derive(Debug)]
pub(crate) struct Studio {
    pub index: Arc<RunIndex>,
    pub stop: Stop,
    pub trainings: Arc<Trainings>,
    pub program: (PathBuf, Vec<OsString>),
    pub data: Option<PathBuf>,
    pub engine: Engine,
    pub data_sets: DataSets,
    pub rounds: Rounds,
    pub lessons: Lessons,
    pub work: Work,
    /// Memory for images.
    pub memory: Memory,
    /// Streams of events.
    pub streams: Arc<Shares>,
    /// Permits for searches in latent space.
    pub searches: Arc<Semaphore>,
    /// Permits for long downloads.
    pub downloads: Arc<Semaphore>,
}

impl Studio {
    /// The generator of a run's checkpoint.
    async fn open(&self, id: &str, checkpoint: Option<&str>) -> Answer<Arc<Loaded>> {
        let (index, id, checkpoint) = (Arc::clone(&self.index), id.to_owned(), checkpoint.map(str::to_owned));
        let find = move || {
            let run = index.runs_dir.run(&id)?;
            index.runs_dir.check(&run)?;
            Key::of(&run, checkpoint.as_deref())
        };
        self.engine.open(&self.work, self.work.read(find).await?).await
    }

    /// The folder of run `id`, whose parts all are inside the folder of runs. Blocks.
    fn checked(&self, id: &str) -> Answer<PathBuf> {
        let run = self.index.runs_dir.run(id)?;
        self.index.runs_dir.check(&run)?;
        Ok(run)
    }
}

/// How a studio is reached, to be announced by the caller.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Its address, without a token.
    pub address: String,
    /// The address that opens any browser.
    pub link: String,
    /// The address that opens one browser, once: for the command line of a browser, which others can read.
    pub once: String,
    /// The token that programs send, if one is required.
    pub token: Option<String>,
}

/// Serves the studio until `stop` is requested or the process gets a signal; `ready` gets the addresses to open.
///
/// # Errors
/// A token that is easily guessed, or an address that can't be bound.
pub fn run(options: Options, stop: &Stop, ready: impl FnOnce(&Ready)) -> Result<()> {
    let rules = Rules::new(&options.access, options.host)?;
    let server = Server::bind(options.host, options.port, PORT)?;
    let guard = rules.at(server.address())?;
    let address = address(&server);
    ready(&Ready {
        link: format!("{address}{}", guard.query()),
        once: format!("{address}{}", guard.once()),
        token: guard.token().map(String::from),
        address,
    });
    let engine = Engine::new(QUEUE)?;
    let work = Work::new()?;
    let local = options.host.is_loopback();
    // A token that was chosen is one for others, too.
    let alone = local && !matches!(options.access, Access::Token(_));
    server.run(stop, || {
        let trainings = Arc::<Trainings>::default();
        let index = Arc::new(RunIndex::new(RunsDir::new(&options.runs), Arc::clone(&trainings)));
        let studio = Arc::new(Studio {
            index: Arc::clone(&index),
            stop: stop.clone(),
            trainings,
            program: options.program,
            data_sets: DataSets::new(options.data.clone(), alone),
            data: options.data,
            engine,
            work,
            memory: Memory::new(MEMORY_KB),
            streams: Shares::new(STREAMS, if local { STREAMS } else { STREAMS_OF_ADDRESS }),
            rounds: Rounds::default(),
            lessons: Lessons::default(),
            searches: Arc::new(Semaphore::new(SEARCHES)),
            downloads: Arc::new(Semaphore::new(DOWNLOADS)),
        });
        tokio::spawn(index.follow(stop.clone()));
        router(studio, guard, Assets::new(options.assets))
    })
}

/// The URL to open in a browser, without a token.
fn address(server: &Server) -> String {
    let address = server.address();
    let host = if address.ip().is_unspecified() { "localhost".into() } else { address.ip().to_string() };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    format!("http://{host}:{}/", address.port())
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
