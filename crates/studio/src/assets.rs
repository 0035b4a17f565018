//! The front end: files of `assets/`, embedded in the program.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use faussaire::data::read_plain;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use crate::errors::Failure;

/// The files of `assets/`, by their paths below it.
#[derive(RustEmbed)]
#[folder = "assets"]
struct Embedded;

/// Size limit of a file in a folder.
const MAX_BYTES: u64 = 64 << 20;

/// A file as it is sent.
#[derive(Clone)]
struct File {
    bytes: Bytes,
    /// Compressed, where that makes it smaller.
    packed: Option<Bytes>,
    tag: String,
}

/// The embedded files, hashed and compressed once: a request for one costs next to nothing.
static FILES: LazyLock<BTreeMap<String, File>> = LazyLock::new(|| {
    let file = |name: std::borrow::Cow<str>| {
        let data = Embedded::get(&name)?.data.into_owned();
        Some((name.to_string(), File::new(&name, data.into())))
    };
    Embedded::iter().filter_map(file).collect()
});

impl File {
    fn new(name: &str, bytes: Bytes) -> Self {
        let digest = Sha256::digest(&bytes);
        let tag: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        let is_packed_already = matches!(mime(name), "image/png" | "image/x-icon" | "font/woff2");
        let packed = (!is_packed_already).then(|| packed(&bytes)).flatten().filter(|packed| packed.len() < bytes.len());
        // Weak: a file and its compressed form share the tag.
        Self { packed, tag: format!("W/\"{tag}\""), bytes }
    }
}

fn packed(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

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
        if self.folder.is_none() {
            LazyLock::force(&FILES);
        }
        Router::new().fallback(move |request: Request| {
            let assets = self.clone();
            async move { Ok::<_, Infallible>(assets.answer(&request)) }
        })
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
            Some(file) => send(name, file, request.headers()),
            None => Failure::missing(format!("{path:?} doesn't exist"), "open /").into_response(),
        }
    }

    fn file(&self, name: &str) -> Option<File> {
        let Some(folder) = &self.folder else { return FILES.get(name).cloned() };
        let plain = name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
        let bytes = plain.then(|| read_plain(&folder.join(name), MAX_BYTES).ok())??;
        Some(File::new(name, bytes.into()))
    }
}

/// A file with its type, or 304 where the browser has it already.
fn send(name: &str, file: File, headers: &HeaderMap) -> Response {
    let mut head = HeaderMap::new();
    head.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime(name)));
    head.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    head.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    head.extend(HeaderValue::from_str(&file.tag).map(|tag| (header::ETAG, tag)));
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == file.tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    let bytes = match file.packed.filter(|_| takes_gzip(headers)) {
        Some(packed) => {
            head.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            packed
        }
        None => file.bytes,
    };
    (head, bytes).into_response()
}

/// Whether the browser accepts gzip: it is named, with a weight that isn't 0.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let all = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    })
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
    fn gzip_is_sent_to_those_who_take_it() {
        let takes = |value: &'static str| {
            takes_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]))
        };
        for value in ["gzip", "br, gzip", "GZIP;q=0.1", "deflate,gzip ; q=1"] {
            assert!(takes(value), "{value}");
        }
        for value in ["", "br", "gzip;q=0", "gzip;q=0.0, br", "gzipped", "*"] {
            assert!(!takes(value), "{value}");
        }
    }

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
