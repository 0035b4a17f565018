//! Listening: HTTP/1 with limits that no client can talk its way around (connections, header time and size, unread
//! answers), and a stop that finishes what is in work.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use faussaire::{Error, Result};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::sync::{Semaphore, watch};
use tokio_io_timeout::TimeoutStream;

/// Connections at once; more wait.
const CONNECTIONS: usize = 512;
/// How long a request's head may take, and how long a connection may lie idle.
const HEAD: Duration = Duration::from_secs(15);
/// How long a client may leave an answer unread.
const UNREAD: Duration = Duration::from_secs(30);
/// Requests with longer heads are refused.
const HEAD_BYTES: usize = 32 << 10;
/// How long a stop waits for what is in work.
const LAST: Duration = Duration::from_secs(20);

/// A place to listen at, taken but not served yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

/// Tells everybody that the server is to stop.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::channel(false).0))
    }
}

impl Stop {
    /// Asks for it.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was asked for.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends when it is asked for. Whoever answers without an end must listen to it.
    pub async fn asked(&self) {
        let mut seen = self.0.subscribe();
        // The sender lives as long as self.
        let _ = seen.wait_for(|asked| *asked).await;
    }
}

impl Server {
    /// Takes `port` at `host`; without a port, `usual` or else any free one.
    ///
    /// # Errors
    /// Where it can't be had.
    pub fn bind(host: IpAddr, port: Option<u16>, usual: u16) -> Result<Self> {
        let tried = TcpListener::bind((host, port.unwrap_or(usual)));
        let listener = match (tried, port) {
            (Err(e), None) if e.kind() == io::ErrorKind::AddrInUse => TcpListener::bind((host, 0)),
            (tried, _) => tried,
        };
        let refused = |e: io::Error| {
            let port = port.unwrap_or(usual);
            Error::usage(format!("can't listen at {host}, port {port}: {e}"), "choose another --port or --host")
        };
        let listener = listener.map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves what `router` makes, inside a runtime of its own, until `stop` is asked for or the process gets SIGINT or
    /// SIGTERM (the second one ends it at once).
    ///
    /// # Errors
    /// Where the runtime can't be started.
    pub fn run(self, stop: &Stop, router: impl FnOnce() -> Router) -> Result<()> {
        let refused = |e: io::Error| Error::usage(format!("the server can't be started: {e}"), "free some memory");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(64)
            .thread_name("faussaire-http")
            .enable_all()
            .build()
            .map_err(refused)?;
        let outcome = runtime.block_on(async {
            tokio::spawn(stop_on_signal(stop.clone()));
            let listener = tokio::net::TcpListener::from_std(self.listener)?;
            accept(listener, stop, router()).await;
            Ok(())
        });
        // A computation that is still going on must not hold the end up.
        runtime.shutdown_timeout(Duration::from_secs(1));
        outcome.map_err(refused)
    }
}

async fn accept(listener: tokio::net::TcpListener, stop: &Stop, router: Router) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { break };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // No descriptors left, or a client that went away: neither ends the server.
                Err(_) => { tokio::time::sleep(Duration::from_millis(50)).await; continue }
            },
            () = stop.asked() => break,
        };
        // Small answers go out at once.
        let _ = stream.set_nodelay(true);
        // Broken off when the client leaves what was sent unread for too long.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(UNREAD));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(router.clone()));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A client's broken connection is nobody's business.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(LAST, graceful.shutdown()).await;
}

async fn stop_on_signal(stop: Stop) {
    signal().await;
    stop.ask();
    signal().await;
    std::process::exit(130);
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        }
        _ => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
