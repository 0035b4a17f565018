//! Request bodies: JSON with limits on its size and on the time it takes to arrive.

use std::time::Duration;

use axum::Json;
use axum::body::HttpBody;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use crate::connections::Connection;
use crate::errors::Failure;

/// Time limit for a body to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// A JSON body of at most `LIMIT` bytes.
#[derive(Debug)]
pub(crate) struct Body<T, const LIMIT: usize = { 1 << 20 }>(pub T);

impl<S: Send + Sync, T: DeserializeOwned, const LIMIT: usize> FromRequest<S> for Body<T, LIMIT> {
    type Rejection = Failure;

    async fn from_request(mut request: Request, state: &S) -> Result<Self, Failure> {
        // A declared length over the limit is refused before anything is read.
        if request.body().size_hint().lower() > LIMIT as u64 {
            return Err(too_large(LIMIT));
        }
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let kind = kind.to_owned();
        DefaultBodyLimit::max(LIMIT).apply(&mut request);
        let place = request.extensions().get::<Connection>().cloned();
        place.as_ref().inspect(|place| place.receives());
        let read = tokio::time::timeout(BODY_TIMEOUT, Json::from_request(request, state)).await;
        place.as_ref().inspect(|place| place.works());
        match read {
            Ok(Ok(Json(value))) => Ok(Self(value)),
            Ok(Err(rejection)) => Err(refusal(&rejection, &kind, LIMIT)),
            Err(_) => Err(Failure::new(
                StatusCode::REQUEST_TIMEOUT,
                format!("the body did not arrive within {} s", BODY_TIMEOUT.as_secs()),
                "send the body without pauses",
            )),
        }
    }
}

/// The response to a rejected body of content type `kind`.
fn refusal(rejection: &JsonRejection, kind: &str, limit: usize) -> Failure {
    match rejection {
        // A form of another site can send any other type without a preflight request.
        JsonRejection::MissingJsonContentType(_) => Failure::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("the body is of type \"{kind}\", expected application/json"),
            "send JSON with the header content-type: application/json",
        ),
        // Either too large or cut off, in which case nobody reads this.
        JsonRejection::BytesRejection(BytesRejection::FailedToBufferBody(_)) => too_large(limit),
        JsonRejection::JsonDataError(e) => invalid_json(e),
        JsonRejection::JsonSyntaxError(e) => invalid_json(e),
        other => Failure::bad(other.body_text(), "send JSON"),
    }
}

fn invalid_json(error: &impl std::error::Error) -> Failure {
    let what = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    Failure::bad(format!("the body can't be read: {what}"), "check the fields of the request")
}

fn too_large(limit: usize) -> Failure {
    Failure::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body is larger than {} KB", limit >> 10),
        "send a smaller body",
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
    fn a_body_without_a_declared_length_is_limited_too() {
        let parts = (0..100).map(|_| Ok::<_, std::io::Error>(" ".repeat(64)));
        let body = Sent::from_stream(tokio_stream::iter(parts));
        assert_eq!(read("application/json", body).unwrap_err().0, 413);
    }
}
