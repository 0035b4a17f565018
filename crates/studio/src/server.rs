//! The HTTP/1 server: limits on connections (`connections`), on the time and size of headers and on unread responses, and a
//! graceful shutdown.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use faussaire::{Error, Result};
use hyper::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_io_timeout::TimeoutStream;

use crate::connections::{Connection, Connections, Exchange, Full};
use crate::peer::Peer;

/// Maximum open connections, in all and of one address: a quarter is for others. On this machine alone, everybody has one
/// address.
pub(crate) const MAX_CONNECTIONS: usize = 512;
const MAX_OF_ADDRESS: usize = 384;
/// Time limit for a request's headers, and for an idle connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
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
    let local = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    let connections = Connections::new(MAX_CONNECTIONS, if local { MAX_CONNECTIONS } else { MAX_OF_ADDRESS });
    let graceful = GracefulShutdown::new();
    while let Some((stream, client)) = next(&listener, stop).await {
        let server = stream.local_addr().unwrap_or(client);
        let peer = Peer::new(client, server);
        let Some(place) = place(&connections, &peer, stop).await else { continue };
        let (router, working) = (TowerToHyperService::new(router.clone()), place.clone());
        // Requests know their client and its place, and the place knows what is being done.
        let service = service_fn(move |mut request: Request<Incoming>| {
            let exchange = Arc::new(working.begins());
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(working.clone());
            let answer = router.call(request);
            async move {
                let answer = answer.await?;
                if answer.extensions().get::<Counted>().is_none() {
                    exchange.sends();
                }
                Ok::<_, std::convert::Infallible>(answer.map(|body| Answered { body, exchange }))
            }
        });
        // Small responses are sent without delay.
        let _ = stream.set_nodelay(true);
        // The connection is closed when the client doesn't read for too long.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_buf_size(HEADER_BYTES)
            .serve_connection(TokioIo::new(Box::pin(stream)), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            tokio::select! {
                // A broken connection needs no handling.
                _ = connection => {}
                () = place.closed() => {}
            }
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await;
}

/// The next connection; none once a stop is requested.
async fn next(listener: &tokio::net::TcpListener, stop: &Stop) -> Option<(TcpStream, SocketAddr)> {
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => return Some(accepted),
                // No file descriptors left, or a client that disconnected: neither ends the server.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            () = stop.asked() => return None,
        }
    }
}

/// The place of a new connection; waits while all are at work, and refuses an address that has all of its own at work.
async fn place(connections: &Arc<Connections>, peer: &Peer, stop: &Stop) -> Option<Connection> {
    while !stop.is_asked() {
        match connections.admit(peer.address()) {
            Ok(place) => return Some(place),
            Err(Full::Address) => return None,
            Err(Full::All) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    None
}

/// Marks a response whose number is limited elsewhere: it may take as long as it does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted;

/// A response's body. The connection waits for the next request when the body and all its bytes are gone.
struct Answered {
    body: Body,
    exchange: Arc<Exchange>,
}

/// Bytes of a body. hyper drops a body as soon as its bytes are queued, and the bytes when they are written, so that they are
/// what tells the end of the answer.
struct Queued {
    bytes: Bytes,
    _exchange: Arc<Exchange>,
}

impl AsRef<[u8]> for Queued {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl hyper::body::Body for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        let queued = |bytes| Bytes::from_owner(Queued { bytes, _exchange: Arc::clone(&self.exchange) });
        frame.map_ok(|frame| frame.map_data(queued))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The frames of a body, read to its end.
    fn frames(answered: &mut Answered) -> Vec<Bytes> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut all = Vec::new();
        while let Poll::Ready(Some(frame)) = hyper::body::Body::poll_frame(Pin::new(answered), &mut context) {
            all.push(frame.unwrap().into_data().unwrap());
        }
        all
    }

    #[test]
    fn an_answer_is_sent_until_its_bytes_are_gone() {
        let address = IpAddr::from([10, 0, 0, 1]);
        for text in ["", "an answer"] {
            let connections = Connections::new(1, 1);
            let place = connections.admit(address).unwrap();
            let exchange = Arc::new(place.begins());
            exchange.sends();
            let mut answered = Answered { body: Body::from(text), exchange };
            let bytes = frames(&mut answered);
            assert_eq!(bytes.concat(), text.as_bytes());
            assert!(connections.admit(address).is_err());
            drop(answered);
            assert_eq!(connections.admit(address).is_err(), !text.is_empty(), "{text:?}");
            drop(bytes);
            assert!(connections.admit(address).is_ok());
        }
    }
}
