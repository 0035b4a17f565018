//! Against a server with answers as the hub gives them.

use super::*;
use crate::dataset::Dataset;
use crate::testing::{Answer, serve};
use crate::{Digest, OpenOptions};

fn sample() -> Vec<u8> {
    include_bytes!("../../formats/parquet/sample.parquet").to_vec()
}

fn sha256(bytes: &[u8]) -> String {
    let mut digest = Digest::new();
    digest.update(bytes);
    digest.finish()
}

/// An entry of a branch.
fn entry(path: &str, bytes: &[u8], sum: &str) -> String {
    let size = bytes.len();
    format!(r#"{{"type": "file", "path": "{path}", "size": {size}, "lfs": {{"oid": "{sum}", "size": {size}}}}}"#)
}

fn search_path(cache: &Path, endpoint: String) -> SearchPath {
    let hub = Hub { endpoint, token: None };
    SearchPath { folders: vec![cache.to_path_buf()], cache: Some(cache.to_path_buf()), hub, ..SearchPath::default() }
}

fn open(search_path: &SearchPath, name: &str, split: Split) -> Result<Box<dyn Dataset>> {
    let named = crate::registry::parse_name(name)?.unwrap();
    let options = OpenOptions::default().split(split);
    crate::by_name::open(named, name, &|| Ok(search_path.clone()), &options, &mut |_| ())
}

/// A hub with `me/set`, whose converted branch has these sums.
fn hub(sum: String) -> String {
    serve(move |path| match path {
        "/api/datasets/me/set/parquet" => Answer::Whole(
            br#"{"default": {"train": ["https://huggingface.co/api/datasets/me/set/parquet/default/train/0.parquet",
                "https://huggingface.co/api/datasets/me/set/parquet/default/train/1.parquet"],
                "test": ["https://huggingface.co/api/datasets/me/set/parquet/default/test/0.parquet"]}}"#
                .to_vec(),
        ),
        "/api/datasets/me/set/tree/refs%2Fconvert%2Fparquet?recursive=true" => {
            let files = ["train/0000", "train/0001", "test/0000"];
            let files = files.map(|file| entry(&format!("default/{file}.parquet"), &sample(), &sum));
            Answer::Whole(format!("[{}]", files.join(",")).into_bytes())
        }
        path if path.starts_with("/api/datasets/me/set/parquet/default/") => Answer::Whole(sample()),
        _ => Answer::Missing,
    })
}

#[test]
fn parts_are_fetched_when_they_are_opened_and_kept() {
    let cache = crate::testing::folder();
    let search_path = search_path(cache.path(), hub(sha256(&sample())));
    let train = open(&search_path, "hf:me/set", Split::Train).unwrap();
    assert_eq!(
        (train.len(), train.name().as_str(), train.classes().join(" ")),
        (10, "hf:me/set", "red green".to_owned())
    );
    let folder = cache.path().join("hf/me/set/default");
    assert!(folder.join("train/0001.parquet").is_file() && !folder.join("test").exists());
    assert_eq!(open(&search_path, "hf:me/set:default", Split::Test).unwrap().len(), 5);
    // Now without a network.
    let offline = SearchPath { hub: Hub { endpoint: "http://127.0.0.1:1".to_owned(), token: None }, ..search_path };
    let again = open(&offline, "hf:me/set", Split::Train).unwrap();
    assert_eq!((again.len(), again.fingerprint()), (10, train.fingerprint()));
    let error = open(&offline, "hf:me/other", Split::Train).unwrap_err();
    assert!(error.to_string().starts_with("hf:me/other can't be fetched from Hugging Face: no answer"), "{error}");
    assert!(error.hint().contains("check its name and the network"), "{}", error.hint());
    // Files that were put there by hand.
    let by_hand = cache.path().join("hf/me/other/train");
    std::fs::create_dir_all(&by_hand).unwrap();
    std::fs::write(by_hand.join("a.parquet"), sample()).unwrap();
    assert_eq!(open(&offline, "hf:me/other", Split::Train).unwrap().len(), 5);
}

#[test]
fn wrong_checksums_are_refused() {
    let cache = crate::testing::folder();
    let error = open(&search_path(cache.path(), hub(sha256(b"other"))), "hf:me/set", Split::Train).unwrap_err();
    assert!(error.to_string().contains("the checksum is wrong"), "{error}");
    assert!(!cache.path().join("hf/me/set/default/train/0000.parquet").exists());
}

#[test]
fn without_the_interface_the_branches_are_listed() {
    for branch in ["refs%2Fconvert%2Fparquet", "main"] {
        let converted = branch != "main";
        let server = serve(move |path| {
            let list = format!("/api/datasets/me/set/tree/{branch}?recursive=true");
            let files = if converted {
                ["plain_text/train/0000.parquet", "plain_text/partial-test/0000.parquet"]
            } else {
                ["data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"]
            };
            if path == list {
                let entries = files.map(|file| entry(file, &sample(), &sha256(&sample())));
                return Answer::Whole(
                    format!("[{{\"type\": \"directory\", \"path\": \"data\"}}, {}]", entries.join(",")).into_bytes(),
                );
            }
            match files.iter().any(|file| path == format!("/datasets/me/set/resolve/{branch}/{file}")) {
                true => Answer::Whole(sample()),
                false => Answer::Missing,
            }
        });
        let cache = crate::testing::folder();
        let search_path = search_path(cache.path(), server);
        for split in [Split::Train, Split::Test] {
            assert_eq!(open(&search_path, "hf:me/set", split).unwrap().len(), 5, "{branch} {split:?}");
        }
    }
}

#[test]
fn configurations_and_missing_parts_are_named() {
    let server = serve(|path| {
        match path {
        "/api/datasets/me/many/parquet" => Answer::Whole(
            br#"{"large": {"train": ["https://huggingface.co/l"]}, "small": {"validation": ["https://huggingface.co/s"]},
                "../evil": {"train": ["https://huggingface.co/e"]}}"#
                .to_vec(),
        ),
        "/api/datasets/me/huge/tree/main?recursive=true" => {
            Answer::Whole(br#"[{"path": "data/train-0.parquet", "size": 5368709120}]"#.to_vec())
        }
        "/s" => Answer::Whole(sample()),
        "/l" => Answer::Whole(b"<html>".to_vec()),
        _ => Answer::Missing,
    }
    });
    let cache = crate::testing::folder();
    let search_path = search_path(cache.path(), server);
    let fail = |name: &str, split| open(&search_path, name, split).unwrap_err();
    let error = fail("hf:me/many", Split::Train);
    assert_eq!(error.to_string(), "hf:me/many has 2 configurations; it has large, small");
    assert_eq!(error.hint(), "name one, such as hf:me/many:large");
    assert_eq!(fail("hf:me/many:smal", Split::Train).hint(), "name one, such as hf:me/many:small");
    assert!(
        fail("hf:me/many:small", Split::Train).to_string().ends_with("no training images; its parts are validation")
    );
    assert_eq!(open(&search_path, "hf:me/many:small", Split::Test).unwrap().len(), 5);
    assert!(matches!(fail("hf:me/many:large", Split::Test), Error::NoTestImages { .. }));
    assert!(fail("hf:me/many:large", Split::Train).to_string().contains("it is no parquet file"));
    assert!(fail("hf:me/huge", Split::Train).to_string().contains("take 5 GiB, more than the 1 GiB"));
}

#[test]
fn names_and_what_is_meant() {
    let parse = |name: &str| HubName::parse(name).map(|name| name.map(|name| name.to_string()));
    assert_eq!(parse("hf:ylecun/mnist").unwrap().unwrap(), "hf:ylecun/mnist");
    assert_eq!(parse("hf:a/b.c:d e").unwrap().unwrap(), "hf:a/b.c:d e");
    assert_eq!(parse("mnist").unwrap(), None);
    for wrong in ["hf:mnist", "hf:", "hf:../x", "hf:a/..", "hf:a/b/c", "hf:a/b:", "hf:a/b:../c", "hf:a/b:c/d"] {
        assert!(parse(wrong).unwrap_err().hint().contains("hf:OWNER/SET"), "{wrong}");
    }
    for (name, expected) in [
        ("https://huggingface.co/datasets/ylecun/mnist", Some("hf:ylecun/mnist")),
        ("https://huggingface.co/datasets/ylecun/mnist/tree/main?x=1", Some("hf:ylecun/mnist")),
        ("hf://datasets/a/b", Some("hf:a/b")),
        ("huggingface:a/b", Some("hf:a/b")),
        ("nobody/nothing", Some("hf:nobody/nothing")),
        ("src/nothing", None),
        ("a/b/c", None),
        ("a/b.zip", None),
        ("mnist", None),
    ] {
        assert_eq!(meant(name).as_deref(), expected, "{name}");
    }
}

#[test]
fn the_token_goes_to_the_hub_alone() {
    let hub = Hub { endpoint: "http://here".to_owned(), token: Some("secret".to_owned()) };
    let remote = |url: &str| hub.remote(url.to_owned(), 1);
    assert_eq!(remote("https://huggingface.co/x").url, "http://here/x");
    assert_eq!(remote("http://here/x").token.as_deref(), Some("secret"));
    assert_eq!((remote("http://elsewhere/x").token, remote("http://here.evil/x").token), (None, None));
    assert!(!format!("{hub:?}").contains("secret"));
    // And is sent as the hub wants it.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let request = std::thread::spawn(move || {
        use std::io::Read;
        let (mut stream, mut text) = (listener.accept().unwrap().0, vec![0; 4096]);
        let got = stream.read(&mut text).unwrap();
        String::from_utf8_lossy(&text[..got]).to_lowercase()
    });
    let hub = Hub { endpoint: endpoint.clone(), token: Some("secret".to_owned()) };
    let folder = crate::testing::folder();
    assert!(fetch(&hub.remote(format!("{endpoint}/x"), 9), &folder.path().join("x"), &mut |_| ()).is_err());
    assert!(request.join().unwrap().contains("authorization: bearer secret"));
}
