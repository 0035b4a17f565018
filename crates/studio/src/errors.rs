//! Error responses: an HTTP status, with what happened and a hint as JSON.

use std::io::ErrorKind;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use faussaire::Error;

/// The result of a handler.
pub(crate) type Answer<T> = Result<T, Failure>;

/// A failed request.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The response's status.
    pub status: StatusCode,
    /// What happened, and what was expected.
    pub error: String,
    /// How to fix it.
    pub hint: String,
    /// Seconds after which it may be tried again.
    pub retry_after: Option<u32>,
}

impl Failure {
    /// With any status.
    pub(crate) fn new(status: StatusCode, error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status, error: error.into(), hint: hint.into(), retry_after: None }
    }

    /// 400: the request is invalid.
    pub(crate) fn bad(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, hint)
    }

    /// 404: not found.
    pub(crate) fn missing(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error, hint)
    }

    /// 409: the request conflicts with the current state.
    pub(crate) fn conflict(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, error, hint)
    }

    /// 500: a bug or a failure of this machine.
    pub(crate) fn internal(error: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error, "please report this")
    }

    /// 429: too many requests at once.
    pub(crate) fn busy(error: impl Into<String>) -> Self {
        let failure = Self::new(StatusCode::TOO_MANY_REQUESTS, error, "try again in a moment");
        Self { retry_after: Some(1), ..failure }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Usage { .. } | Error::Recipe { .. } | Error::NoTestImages { .. } => StatusCode::BAD_REQUEST,
            Error::Data { .. } | Error::Run { .. } | Error::Diverged { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Error::Io { source, .. } => match source.kind() {
                ErrorKind::NotFound => StatusCode::NOT_FOUND,
                ErrorKind::InvalidData => StatusCode::UNPROCESSABLE_ENTITY,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            },
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string(), error.hint())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let text = serde_json::json!({ "error": self.error, "hint": self.hint });
        let mut response = (self.status, Json(text)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Runs `work`, which blocks, on tokio's pool for blocking work.
///
/// # Errors
/// What `work` reports; 500 where it panicked.
pub(crate) async fn run_blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Answer<T>
where
    T: Send + 'static,
    E: Into<Failure> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome.map_err(Into::into),
        Err(_) => Err(Failure::internal("the request failed")),
    }
}
