//! What happens, as it happens: server-sent events of the list of runs and of one run's log.

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
use super::board::{Line, News};
use crate::errors::{Answer, Failure, aside};

/// How often folders are looked at while somebody watches.
const LOOK: Duration = Duration::from_millis(500);
/// Events on their way to a client; one that reads no faster than this is let go, and comes back by itself.
const QUEUE: usize = 64;

pub(super) fn routes() -> Router<Arc<Studio>> {
    Router::new().route("/api/events", get(all)).route("/api/runs/{id}/events", get(one))
}

/// Looks at the folders again and again, while anybody watches.
pub(super) async fn keep_looking(studio: Arc<Studio>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = studio.stop.asked() => return,
        }
        let board = Arc::clone(&studio.board);
        let looked = aside(move || {
            if board.is_watched() {
                board.refresh();
            }
            Ok::<_, Failure>(())
        });
        // A failed look is followed by the next one.
        let _ = looked.await;
    }
}

type Events =
    Sse<axum::response::sse::KeepAliveStream<std::pin::Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>>>;

fn stream(events: mpsc::Receiver<Event>) -> Events {
    let events: std::pin::Pin<Box<dyn Stream<Item = _> + Send>> = Box::pin(ReceiverStream::new(events).map(Ok));
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(10)))
}

/// Changes of the list; first, every run as it stands.
async fn all(State(studio): State<Arc<Studio>>) -> Answer<Events> {
    let mut news = studio.board.news.subscribe();
    let board = Arc::clone(&studio.board);
    let rows = aside(move || Ok::<_, Failure>(board.rows())).await?;
    let (send, receive) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        for row in rows {
            let Ok(text) = serde_json::to_string(&row) else { continue };
            if send.send(Event::default().event("run").data(text)).await.is_err() {
                return;
            }
        }
        loop {
            let told = tokio::select! {
                told = news.recv() => told,
                () = studio.stop.asked() => return,
                () = send.closed() => return,
            };
            let event = match told {
                Ok(News::Row(text)) => Event::default().event("run").data(text),
                Ok(News::Gone(id)) => Event::default().event("gone").data(serde_json::json!({ "id": id }).to_string()),
                // It connects again and gets the whole list.
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

/// The lines of a run's log after line `after`, and those to come.
async fn one(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Query(query): Query<After>,
    headers: HeaderMap,
) -> Answer<Events> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse::<u64>().ok());
    let board = Arc::clone(&studio.board);
    let (missed, mut lines) =
        aside(move || board.with(&id, |run, _| run.follow(last.or(query.after).unwrap_or(run.chronicle.lines))))
            .await?;
    let (send, receive) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        for line in missed.unwrap_or_else(|| vec![Line::Reset]) {
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
                // It has missed some: it must read the history again.
                Err(RecvError::Lagged(_)) => Line::Reset,
                Err(RecvError::Closed) => return,
            };
            if send.send(event(&line)).await.is_err() {
                return;
            }
        }
    });
    Ok(stream(receive))
}

fn event(line: &Line) -> Event {
    match line {
        Line::New(number, name, text) => Event::default().id(number.to_string()).event(name).data(text),
        Line::Reset => Event::default().event("reset").data("{}"),
    }
}
