//! Bodies of requests: JSON of a limited size that arrives within a limited time, whatever the client does.

use std::time::Duration;

use axum::Json;
use axum::body::HttpBody;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
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

    async fn from_request(mut request: Request, state: &S) -> Result<Self, Failure> {
        // A length that is claimed is refused before anything is read.
        if request.body().size_hint().lower() > LIMIT as u64 {
            return Err(too_large(LIMIT));
        }
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let kind = kind.to_owned();
        DefaultBodyLimit::max(LIMIT).apply(&mut request);
        match tokio::time::timeout(PATIENCE, Json::from_request(request, state)).await {
            Ok(Ok(Json(value))) => Ok(Self(value)),
            Ok(Err(rejection)) => Err(refusal(&rejection, &kind, LIMIT)),
            Err(_) => Err(Failure::new(
                StatusCode::REQUEST_TIMEOUT,
                format!("the body did not arrive within {} s", PATIENCE.as_secs()),
                "send it at once",
            )),
        }
    }
}

/// What a client is told whose body of type `kind` was rejected.
fn refusal(rejection: &JsonRejection, kind: &str, limit: usize) -> Failure {
    match rejection {
        // Any other kind can be sent by a foreign page's form without asking first.
        JsonRejection::MissingJsonContentType(_) => Failure::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("the body is of type \"{kind}\", expected application/json"),
            "send JSON with the header content-type: application/json",
        ),
        // Either too large or broken off, in which case nobody reads this.
        JsonRejection::BytesRejection(BytesRejection::FailedToBufferBody(_)) => too_large(limit),
        JsonRejection::JsonDataError(e) => unreadable(e),
        JsonRejection::JsonSyntaxError(e) => unreadable(e),
        other => Failure::bad(other.body_text(), "send JSON"),
    }
}

fn unreadable(error: &impl std::error::Error) -> Failure {
    let what = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    Failure::bad(format!("the body can't be read: {what}"), "see the interface's description for the fields")
}

fn too_large(limit: usize) -> Failure {
    Failure::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body is larger than {} KB", limit >> 10),
        "send less at once",
    )
}

#[cfg(test)]
mod tests {
    use axum::body::Body as Sent;

    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        n: u8,
    }

    /// Reads a body of this type; the limit is 1 KB.
    fn read(kind: &str, body: impl Into<Sent>) -> Result<Asked, (u16, String)> {
        let request = Request::post("/").header(header::CONTENT_TYPE, kind).body(body.into()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let read = runtime.block_on(Body::<Asked, 1024>::from_request(request, &()));
        read.map(|Body(asked)| asked).map_err(|failure| (failure.status.as_u16(), failure.error))
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        assert_eq!(read("application/json; charset=utf-8", r#"{"n": 7}"#).unwrap().n, 7);
        let refused = |kind, body: String| read(kind, body).unwrap_err();
        let (status, error) = refused("text/plain", r#"{"n": 7}"#.into());
        assert_eq!((status, &error[..]), (415, "the body is of type \"text/plain\", expected application/json"));
        let (status, error) = refused("application/json", " ".repeat(1025));
        assert_eq!((status, &error[..]), (413, "the body is larger than 1 KB"));
        for (body, part) in [
            (r#"{"n": 256}"#, "n: invalid value: integer `256`, expected u8"),
            (r#"{"n": 1, "m": 2}"#, "unknown field `m`, expected `n`"),
            (r#"{"n": 1"#, "EOF while parsing"),
            (r#"{"n": 1} x"#, "trailing characters"),
        ] {
            let (status, error) = refused("application/json", body.into());
            assert!(status == 400 && error.starts_with("the body can't be read: "), "{status}, {error}");
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_body_without_a_claimed_length_is_limited_too() {
        let parts = (0..100).map(|_| Ok::<_, std::io::Error>(" ".repeat(64)));
        let body = Sent::from_stream(tokio_stream::iter(parts));
        assert_eq!(read("application/json", body).unwrap_err().0, 413);
    }
}
