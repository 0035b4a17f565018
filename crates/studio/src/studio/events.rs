//! Server-sent events: changes of the list of runs, and of one run's log.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::Studio;
use super::run_index::{IndexUpdate, LogUpdate};
use crate::errors::{Answer, Failure};
use crate::peer::Peer;
use crate::server::Counted;
use crate::shares::Share;

/// Length of a client's event queue; a client that lags further is disconnected and reconnects.
const EVENT_QUEUE: usize = 16;

pub(super) fn routes() -> Router<Arc<Studio>> {
    Router::new().route("/api/events", get(index_events)).route("/api/runs/{id}/events", get(run_events))
}

/// The events as a response, which holds its `share` of the streams until it ends.
fn stream(events: mpsc::Receiver<Event>, share: Share) -> Response {
    let events = ReceiverStream::new(events).map(move |event| {
        let _share = &share;
        Ok::<_, Infallible>(event)
    });
    let stream = Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(10)));
    (Extension(Counted), stream).into_response()
}

/// A stream for the client `peer`: they last, so that their number is limited, in all and for one address.
fn share(studio: &Studio, peer: &Peer) -> Answer<Share> {
    studio.streams.take(peer.address()).ok_or_else(|| {
        let refusal = Failure::busy("too many pages follow the runs at this moment");
        Failure {
            hint: "close some; a page that is refused asks again by itself".into(),
            retry_after: Some(5),
            ..refusal
        }
    })
}

/// Changes of the list, after the current row of every run.
async fn index_events(State(studio): State<Arc<Studio>>, Extension(peer): Extension<Peer>) -> Answer<Response> {
    let share = share(&studio, &peer)?;
    let mut updates = studio.index.updates.subscribe();
    let rows = studio.index.rows().await;
    let (send, receive) = mpsc::channel(EVENT_QUEUE);
    tokio::spawn(async move {
        for row in rows.iter() {
            let Ok(text) = serde_json::to_string(row) else { continue };
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
    Ok(stream(receive, share))
}

#[derive(Debug, Default, Deserialize)]
struct After {
    after: Option<u64>,
}

/// The lines of a run's log after line `after`, followed by new ones.
async fn run_events(
    State(studio): State<Arc<Studio>>,
    Extension(peer): Extension<Peer>,
    Path(id): Path<String>,
    Query(query): Query<After>,
    headers: HeaderMap,
) -> Answer<Response> {
    let share = share(&studio, &peer)?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse::<u64>().ok());
    let index = Arc::clone(&studio.index);
    let subscribe = move || index.with(&id, |run, _| run.subscribe(last.or(query.after).unwrap_or(run.log.lines)));
    let (missed, mut lines) = studio.work.read(subscribe).await?;
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
    Ok(stream(receive, share))
}

fn event(line: &LogUpdate) -> Event {
    match line {
        LogUpdate::Appended(number, name, text) => Event::default().id(number.to_string()).event(name).data(text),
        LogUpdate::Reset => Event::default().event("reset").data("{}"),
    }
}
