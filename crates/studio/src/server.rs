//! The HTTP/1 server: limits on connections, on the time and size of headers and on unread responses, and a graceful
//! shutdown.

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

/// Maximum open connections; more wait.
const MAX_CONNECTIONS: usize = 512;
/// Time limit for a request's headers, and for an idle connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// Time limit for a client to read a response.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Size limit of a request's headers.
const HEADER_BYTES: usize = 32 << 10;
/// How long a shutdown waits for requests in work.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20);

/// A bound listener that doesn't serve yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

/// A shared request to stop the server.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::channel(false).0))
    }
}

impl Stop {
    /// Requests a stop.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Whether a stop was requested.
    pub(crate) fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves when a stop is requested. Responses without an end must await it.
    pub async fn asked(&self) {
        let mut seen = self.0.subscribe();
        // The sender lives as long as self.
        let _ = seen.wait_for(|asked| *asked).await;
    }
}

impl Server {
    /// Binds `port` at `host`; without a port, `usual` or else any free one.
    ///
    /// # Errors
    /// The address can't be bound.
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

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `router()` in its own runtime until `stop` is requested or the process gets SIGINT or SIGTERM (a second signal
    /// exits at once).
    ///
    /// # Errors
    /// The runtime can't be started.
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
        // A running computation must not delay the exit.
        runtime.shutdown_timeout(Duration::from_secs(1));
        outcome.map_err(refused)
    }
}

async fn accept(listener: tokio::net::TcpListener, stop: &Stop, router: Router) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { break };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // No file descriptors left, or a client that disconnected: neither ends the server.
                Err(_) => { tokio::time::sleep(Duration::from_millis(50)).await; continue }
            },
            () = stop.asked() => break,
        };
        // Small responses are sent without delay.
        let _ = stream.set_nodelay(true);
        // The connection is closed when the client doesn't read for too long.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_buf_size(HEADER_BYTES)
            .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(router.clone()));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A broken connection needs no handling.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await;
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
