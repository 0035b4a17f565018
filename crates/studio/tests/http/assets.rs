//! The pages' files: what is inside the program, how it is sent, what the browser may keep.

use std::fs;
use std::io::Read;
use std::path::Path;

use super::client::{get, with};
use super::scene::{studio, trained};

/// Paths below `folder`, with `/` between their parts.
fn files(folder: &Path, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            names.extend(files(&entry.path(), &format!("{name}/")));
        } else {
            names.push(name);
        }
    }
    names
}

#[test]
fn every_file_is_inside_the_program() {
    let server = studio(trained(), |_| ());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let names = files(&folder, "");
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        let reply = get(server.at, &format!("/{name}"));
        assert_eq!(reply.status, 200, "{name}");
        assert!(reply.body == fs::read(folder.join(&name)).unwrap(), "{name} is not what is in the folder");
    }
    get(server.at, "/app/nothing.js").refusal(404);
    get(server.at, "/../Cargo.toml").refusal(404);
}

#[test]
fn files_are_compressed_for_those_who_take_it() {
    let server = studio(trained(), |_| ());
    for (path, kind) in [("/", "text/html"), ("/app/main.js", "text/javascript"), ("/icon.svg", "image/svg+xml")] {
        let plain = get(server.at, path);
        assert!(plain.header("content-encoding").is_none() && plain.header("content-type").unwrap().starts_with(kind));
        let packed = with(server.at, "GET", path, &[("accept-encoding", "br, gzip")], b"");
        assert_eq!((packed.status, packed.header("content-encoding")), (200, Some("gzip")), "{path}");
        assert_eq!(packed.header("vary"), Some("accept-encoding"));
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == plain.body, "{path}");
        assert!(packed.body.len() < plain.body.len(), "{path}: {} bytes", packed.body.len());
        for header in ["etag", "cache-control", "content-type", "content-security-policy"] {
            assert!(
                plain.header(header).is_some() && plain.header(header) == packed.header(header),
                "{path}: {header}"
            );
        }
    }
    // Pictures and the interface are sent as they are.
    let sheet = with(server.at, "GET", "/api/runs/plain/sheets/000012.png", &[("accept-encoding", "gzip")], b"");
    assert_eq!((sheet.status, sheet.header("content-encoding")), (200, None));
}

#[test]
fn the_browser_asks_again_and_is_told_that_nothing_changed() {
    let server = studio(trained(), |_| ());
    let first = get(server.at, "/app/main.js");
    let tag = first.header("etag").unwrap();
    assert_eq!(first.header("cache-control"), Some("no-cache"));
    assert!(tag.starts_with("W/\""), "{tag}: one tag for both forms has to be weak");
    for headers in [vec![("if-none-match", tag)], vec![("if-none-match", tag), ("accept-encoding", "gzip")]] {
        let again = with(server.at, "GET", "/app/main.js", &headers, b"");
        assert_eq!((again.status, again.body.len()), (304, 0));
        assert_eq!((again.header("etag"), again.header("content-encoding")), (Some(tag), None));
    }
    assert_eq!(with(server.at, "GET", "/app/main.js", &[("if-none-match", "W/\"0\"")], b"").status, 200);
}

#[test]
fn a_folder_takes_the_place_of_the_files_inside() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("index.html"), "<p>mine</p>").unwrap();
    let server = studio(trained(), |options| options.assets = Some(folder.path().to_owned()));
    assert_eq!(get(server.at, "/").text(), "<p>mine</p>");
    fs::write(folder.path().join("index.html"), "<p>changed</p>").unwrap();
    assert_eq!(get(server.at, "/any/page").text(), "<p>changed</p>");
    get(server.at, "/app/main.js").refusal(404);
}
