//! Bodies of requests: JSON of a limited size that arrives within a limited time, whatever the client does.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use crate::errors::Failure;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A JSON body of at most `LIMIT` bytes.
#[derive(Debug)]
pub(crate) struct Body<T, const LIMIT: usize = { 1 << 20 }>(pub T);

impl<S: Send + Sync, T: DeserializeOwned, const LIMIT: usize> FromRequest<S> for Body<T, LIMIT> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        // Any other kind can be sent by a foreign page's form without asking first.
        if kind.split(';').next().map(str::trim) != Some("application/json") {
            return Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!("the body is of type \"{kind}\", expected application/json"),
                "send JSON with the header content-type: application/json",
            ));
        }
        let claimed = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        if claimed.is_some_and(|bytes| bytes > LIMIT as u64) {
            return Err(too_large(LIMIT));
        }
        let read = tokio::time::timeout(PATIENCE, to_bytes(request.into_body(), LIMIT)).await;
        let bytes = match read {
            Ok(Ok(bytes)) => bytes,
            // Either too large or broken off, in which case nobody reads this.
            Ok(Err(_)) => return Err(too_large(LIMIT)),
            Err(_) => {
                return Err(Failure::new(
                    StatusCode::REQUEST_TIMEOUT,
                    format!("the body did not arrive within {} s", PATIENCE.as_secs()),
                    "send it at once",
                ));
            }
        };
        serde_json::from_slice(&bytes).map(Self).map_err(|e| {
            Failure::bad(format!("the body can't be read: {e}"), "see the interface's description for the fields")
        })
    }
}

fn too_large(limit: usize) -> Failure {
    Failure::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body is larger than {} KB", limit >> 10),
        "send less at once",
    )
}
