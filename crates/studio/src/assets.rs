//! The front end: files of `assets/`, embedded in the program.

use std::borrow::Cow;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use tower_http::compression::CompressionLayer;

use crate::errors::Failure;

/// The files of `assets/`, by their paths below it.
#[derive(RustEmbed)]
#[folder = "assets"]
struct Embedded;

/// The source of the front end: embedded, or a folder.
#[derive(Clone, Debug)]
pub(crate) struct Assets {
    folder: Option<Arc<PathBuf>>,
}

impl Assets {
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder: folder.map(Arc::new) }
    }

    /// The fallback for paths without a route; responses are compressed where the browser accepts it.
    pub(crate) fn service(self) -> Router {
        let files = Router::new().fallback(move |request: Request| {
            let assets = self.clone();
            async move { Ok::<_, Infallible>(assets.answer(&request)) }
        });
        files.layer(CompressionLayer::new())
    }

    fn answer(&self, request: &Request) -> Response {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return Failure::new(StatusCode::METHOD_NOT_ALLOWED, "expected GET", "the API is under /api")
                .into_response();
        }
        let path = request.uri().path().trim_start_matches('/');
        // Client-side routing: a path without an extension is a view of the page.
        let name = if path.is_empty() || !path.contains('.') { "index.html" } else { path };
        match self.file(name) {
            Some(bytes) => send(name, bytes, request.headers()),
            None => Failure::missing(format!("{path:?} doesn't exist"), "open /").into_response(),
        }
    }

    fn file(&self, name: &str) -> Option<Bytes> {
        let Some(folder) = &self.folder else {
            return Embedded::get(name).map(|file| match file.data {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => bytes.into(),
            });
        };
        let plain = name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
        plain.then(|| std::fs::read(folder.join(name)).ok().map(Bytes::from))?
    }
}

/// A file with its type, or 304 where the browser has it already.
fn send(name: &str, bytes: Bytes, headers: &HeaderMap) -> Response {
    let digest = Sha256::digest(&bytes);
    let tag: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    // Weak: a file and its compressed form share the tag.
    let tag = format!("W/\"{tag}\"");
    let head = [
        (header::CONTENT_TYPE, mime(name).to_owned()),
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, bytes).into_response()
}

fn mime(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json" | "webmanifest") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_outside_the_folder_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("assets")).unwrap();
        std::fs::write(folder.path().join("assets/a.js"), "1").unwrap();
        std::fs::write(folder.path().join("secret.txt"), "2").unwrap();
        let assets = Assets::new(Some(folder.path().join("assets")));
        assert!(assets.file("a.js").is_some());
        for name in ["../secret.txt", "./a.js", "", "//a.js"] {
            assert!(assets.file(name).is_none(), "{name}");
        }
    }
}
