//! Server-sent events: changes of the list of runs, and of one run's log.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use axum::routing::get;
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};

use super::Studio;
use super::run_index::{IndexUpdate, LogUpdate};
use crate::errors::{Answer, Failure, run_blocking};

/// Time between refreshes while a client is subscribed.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Length of a client's event queue; a client that lags further is disconnected and reconnects.
const EVENT_QUEUE: usize = 64;

pub(super) fn routes() -> Router<Arc<Studio>> {
    Router::new().route("/api/events", get(index_events)).route("/api/runs/{id}/events", get(run_events))
}

/// Refreshes the index periodically while a client is subscribed.
pub(super) async fn poll_runs(studio: Arc<Studio>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(POLL_INTERVAL) => {}
            () = studio.stop.asked() => return,
        }
        let index = Arc::clone(&studio.index);
        let refreshed = run_blocking(move || {
            if index.has_subscribers() {
                index.refresh();
            }
            Ok::<_, Failure>(())
        });
        // A failed refresh is retried in the next round.
        let _ = refreshed.await;
    }
}

type Events =
    Sse<axum::response::sse::KeepAliveStream<std::pin::Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>>>;

fn stream(events: mpsc::Receiver<Event>) -> Events {
    let events: std::pin::Pin<Box<dyn Stream<Item = _> + Send>> = Box::pin(ReceiverStream::new(events).map(Ok));
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(10)))
}

/// Changes of the list, after the current row of every run.
async fn index_events(State(studio): State<Arc<Studio>>) -> Answer<Events> {
    let mut updates = studio.index.updates.subscribe();
    let index = Arc::clone(&studio.index);
    let rows = run_blocking(move || Ok::<_, Failure>(index.rows())).await?;
    let (send, receive) = mpsc::channel(EVENT_QUEUE);
    tokio::spawn(async move {
        for row in rows {
            let Ok(text) = serde_json::to_string(&row) else { continue };
            if send.send(Event::default().event("run").data(text)).await.is_err() {
                return;
            }
        }
        loop {
            let update = tokio::select! {
                update = updates.recv() => update,
                () = studio.stop.asked() => return,
                () = send.closed() => return,
            };
            let event = match update {
                Ok(IndexUpdate::Row(text)) => Event::default().event("run").data(text),
                Ok(IndexUpdate::Removed(id)) => {
                    Event::default().event("gone").data(serde_json::json!({ "id": id }).to_string())
                }
                // The client reconnects and gets the whole list.
                Err(RecvError::Lagged(_) | RecvError::Closed) => return,
            };
            if send.send(event).await.is_err() {
                return;
            }
        }
    });
    Ok(stream(receive))
}

#[derive(Debug, Default, Deserialize)]
struct After {
    after: Option<u64>,
}

/// The lines of a run's log after line `after`, followed by new ones.
async fn run_events(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Query(query): Query<After>,
    headers: HeaderMap,
) -> Answer<Events> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse::<u64>().ok());
    let index = Arc::clone(&studio.index);
    let (missed, mut lines) =
        run_blocking(move || index.with(&id, |run, _| run.subscribe(last.or(query.after).unwrap_or(run.log.lines))))
            .await?;
    let (send, receive) = mpsc::channel(EVENT_QUEUE);
    tokio::spawn(async move {
        for line in missed.unwrap_or_else(|| vec![LogUpdate::Reset]) {
            if send.send(event(&line)).await.is_err() {
                return;
            }
        }
        loop {
            let line = tokio::select! {
                line = lines.recv() => line,
                () = studio.stop.asked() => return,
                () = send.closed() => return,
            };
            let line = match line {
                Ok(line) => line,
                // Lines were lost: the client must read the history again.
                Err(RecvError::Lagged(_)) => LogUpdate::Reset,
                Err(RecvError::Closed) => return,
            };
            if send.send(event(&line)).await.is_err() {
                return;
            }
        }
    });
    Ok(stream(receive))
}

fn event(line: &LogUpdate) -> Event {
    match line {
        LogUpdate::Appended(number, name, text) => Event::default().id(number.to_string()).event(name).data(text),
        LogUpdate::Reset => Event::default().event("reset").data("{}"),
    }
}
