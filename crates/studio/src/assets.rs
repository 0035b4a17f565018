//! The front end: files of `assets/`, inside the program.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::errors::Failure;

/// Names the files in one place.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        /// Path below `assets/` and content.
        const FILES: &[(&str, &[u8])] = &[$(($name, include_bytes!(concat!("../assets/", $name)))),*];
    };
}

files![
    "app/api.js",
    "app/dom.js",
    "app/format.js",
    "app/live.js",
    "app/main.js",
    "app/router.js",
    "app/theme.js",
    "app/toml.js",
    "icon.svg",
    "index.html",
    "pages/compare.js",
    "pages/expert.js",
    "pages/learn.js",
    "pages/new.js",
    "pages/play.js",
    "pages/run.js",
    "pages/runs.js",
    "parts/chart.js",
    "parts/dialog.js",
    "parts/draw-pad.js",
    "parts/exam-record.js",
    "parts/findings.js",
    "parts/go-on.js",
    "parts/image.js",
    "parts/inversion.js",
    "parts/key-fields.js",
    "parts/labels.js",
    "parts/latent.js",
    "parts/opinion.js",
    "parts/plane.js",
    "parts/run-charts.js",
    "parts/run-head.js",
    "parts/scale.js",
    "parts/sheet.js",
    "parts/status.js",
    "parts/take-away.js",
    "parts/toast.js",
    "parts/walk.js",
    "style/base.css",
    "style/components.css",
    "style/pages.css",
    "style/tokens.css",
];

/// Where the front end comes from.
#[derive(Clone, Debug)]
pub(crate) struct Assets {
    folder: Option<Arc<PathBuf>>,
}

impl Assets {
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder: folder.map(Arc::new) }
    }

    /// Answers every path that no other route does.
    pub(crate) fn service(self) -> Router {
        Router::new().fallback(move |request: Request| {
            let assets = self.clone();
            async move { Ok::<_, Infallible>(assets.answer(&request)) }
        })
    }

    fn answer(&self, request: &Request) -> Response {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return Failure::new(StatusCode::METHOD_NOT_ALLOWED, "expected GET", "the interface is below /api")
                .into_response();
        }
        let path = request.uri().path().trim_start_matches('/');
        // The page shows what the rest of its address says.
        let name = if path.is_empty() || !path.contains('.') { "index.html" } else { path };
        match self.file(name) {
            Some(bytes) => send(name, bytes, request.headers()),
            None => Failure::missing(format!("there is no {path:?}"), "open /").into_response(),
        }
    }

    fn file(&self, name: &str) -> Option<Bytes> {
        let Some(folder) = &self.folder else {
            return FILES.iter().find(|(file, _)| *file == name).map(|(_, bytes)| Bytes::from_static(bytes));
        };
        let plain = name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
        plain.then(|| std::fs::read(folder.join(name)).ok().map(Bytes::from))?
    }
}

/// A file with its type; nothing but a nod where the browser has it.
fn send(name: &str, bytes: Bytes, headers: &HeaderMap) -> Response {
    let digest = Sha256::digest(&bytes);
    let tag: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
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
    fn every_file_of_the_folder_is_inside() {
        fn below(folder: &std::path::Path, prefix: &str, names: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                if entry.path().is_dir() {
                    below(&entry.path(), &format!("{name}/"), names);
                } else {
                    names.push(name);
                }
            }
        }
        let mut names = Vec::new();
        below(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets"), "", &mut names);
        let mut known: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        names.retain(|name| name != "FILES");
        names.sort();
        known.sort_unstable();
        assert_eq!(names, known, "list every file of crates/studio/assets in crates/studio/src/assets.rs");
    }

    #[test]
    fn a_folder_is_not_left() {
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
