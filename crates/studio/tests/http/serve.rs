//! The service, and its description held against it.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::client::{connect, get, post, with};
use super::scene::service;

fn generate(at: std::net::SocketAddr, body: Value) -> super::client::Reply {
    post(at, "/generate", &body)
}

#[test]
fn every_form_holds_the_same_images() {
    let server = service("told", |_| ());
    let ask = |format: &str| generate(server.at, json!({ "n": 5, "seed": 9, "class": "3", "format": format }));
    let raw = ask("raw");
    assert_eq!((raw.header("x-shape"), raw.header("x-seed"), raw.body.len()), (Some("5,28,28,1"), Some("9"), 5 * 784));
    let picture = |at: usize| faussaire::render::Picture {
        shape: faussaire::data::ImageShape { height: 28, width: 28, channels: 1 },
        bytes: raw.body[at * 784..(at + 1) * 784].to_vec(),
    };
    let file = faussaire::render::png::encode(&picture(4)).unwrap();
    let told = ask("json").json();
    assert_eq!(STANDARD.decode(told["images"][4].as_str().unwrap()).unwrap(), file);
    assert_eq!((&told["labels"][0], &told["seed"]), (&"3".into(), &9.into()));
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(ask("zip").body)).unwrap();
    let mut zipped = Vec::new();
    zip.by_name("000004.png").unwrap().read_to_end(&mut zipped).unwrap();
    assert_eq!(zipped, file);
    let grid = ask("png");
    assert_eq!(faussaire::render::page::png_size(&grid.body), Some((3 * 30 + 2, 2 * 30 + 2)));
    // Without a seed each answer is another one, and says which.
    let any = generate(server.at, json!({ "format": "raw", "class": "1" }));
    let seed: u64 = any.header("x-seed").unwrap().parse().unwrap();
    assert_ne!(generate(server.at, json!({ "format": "raw", "class": "1" })).body, any.body);
    assert_eq!(generate(server.at, json!({ "format": "raw", "class": "1", "seed": seed })).body, any.body);
}

#[test]
fn bad_requests_get_clear_answers() {
    let server = service("told", |options| options.max_images = 10);
    for (body, part) in [
        (json!({ "n": 0 }), "expected 1 to 10"),
        (json!({ "n": 11 }), "expected 1 to 10"),
        (json!({ "n": u64::MAX }), "expected 1 to 10"),
        (json!({ "class": "eleven" }), "no label eleven"),
        (json!({ "class": "1", "classes": ["1"] }), "both class and classes"),
        (json!({ "truncation": -1 }), "expected 0 to 1"),
        (json!({ "format": "gif" }), "unknown variant"),
        (json!({ "run": "/etc" }), "unknown field"),
    ] {
        let error = generate(server.at, body.clone()).refusal(400);
        assert!(error.contains(part), "{body}: {error}");
    }
    let kind = [("content-type", "application/json")];
    with(server.at, "POST", "/generate", &kind, &vec![b' '; 70_000]).refusal(413);
    get(server.at, "/generate").refusal(405);
    get(server.at, "/nothing").refusal(404);
}

/// Calls every path of the description in the way it says, and holds the answers against it.
#[test]
fn the_description_is_true() {
    let server = service("told", |_| ());
    let described = get(server.at, "/openapi.json").json();
    assert_eq!(described["openapi"], "3.1.0");
    assert_eq!(described["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut called = 0;
    for (path, methods) in described["paths"].as_object().unwrap() {
        for (method, what) in methods.as_object().unwrap() {
            let formats = ["png", "zip", "json", "raw"];
            let bodies = if method == "post" { &formats[..] } else { &[""] };
            let mut kinds = Vec::new();
            for format in bodies {
                let reply = match method.as_str() {
                    "post" => generate(server.at, json!({ "format": format })),
                    _ => get(server.at, path),
                };
                assert_eq!(reply.status, 200, "{path}");
                kinds.push(reply.header("content-type").unwrap().split(';').next().unwrap().to_owned());
                called += 1;
            }
            let mut told: Vec<&String> = what["responses"]["200"]["content"].as_object().unwrap().keys().collect();
            told.sort();
            kinds.sort();
            assert_eq!(kinds.iter().collect::<Vec<_>>(), told, "{path}");
        }
    }
    assert_eq!(called, 4 + 3);
    let wanted = &described["components"]["schemas"]["GenerateRequest"]["properties"];
    // Every property is accepted, and no other is.
    let all = json!({ "n": 1, "class": "1", "seed": 1, "truncation": 0.5, "format": "raw" });
    assert_eq!(generate(server.at, all.clone()).status, 200);
    let names: Vec<&String> = wanted.as_object().unwrap().keys().collect();
    for name in all.as_object().unwrap().keys().chain([&"classes".to_owned()]) {
        assert!(names.contains(&name), "{name}");
    }
    assert_eq!(names.len(), 6);
    for status in ["400", "401", "403", "408", "413", "415", "429"] {
        assert!(described["paths"]["/generate"]["post"]["responses"][status].is_object(), "{status}");
    }
}

#[test]
fn a_full_queue_says_when_to_come_again() {
    let server = service("plain", |options| options.queue = 1);
    let (made, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                let reply = generate(server.at, json!({ "n": 256, "format": "raw" }));
                match reply.status {
                    200 => made.fetch_add(1, Ordering::Relaxed),
                    429 => {
                        assert_eq!(reply.header("retry-after"), Some("1"));
                        refused.fetch_add(1, Ordering::Relaxed)
                    }
                    other => panic!("{other}: {}", reply.text()),
                };
            });
        }
    });
    let (made, refused) = (made.into_inner(), refused.into_inner());
    assert!(made > 0 && refused > 0, "{made} made, {refused} refused");
    let figures = get(server.at, "/metrics").text();
    assert!(figures.contains(&format!("faussaire_images_total {}\n", made * 256)), "{figures}");
    assert!(figures.contains(&format!("faussaire_refused_total {refused}\n")), "{figures}");
    assert!(figures.contains("faussaire_queue_length 0\n") && figures.ends_with("# EOF\n"), "{figures}");
}

#[test]
fn the_end_waits_for_what_is_in_work() {
    let mut server = service("plain", |_| ());
    let mut stream = connect(server.at);
    let body = json!({ "n": 1024, "format": "zip" }).to_string();
    let head = "POST /generate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    std::thread::sleep(Duration::from_millis(30));
    let idle = connect(server.at);
    server.ask();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
    let at = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(zip::ZipArchive::new(std::io::Cursor::new(answer[at..].to_vec())).unwrap().len(), 1024);
    server.ended();
    drop(idle);
    assert!(std::net::TcpStream::connect(server.at).is_err(), "nobody listens any more");
}

#[test]
fn only_images_are_served() {
    let run = super::scene::trained().join("points");
    let options = faussaire_studio::serve::Options {
        run,
        checkpoint: None,
        host: [127, 0, 0, 1].into(),
        port: Some(0),
        access: faussaire_studio::Access::Open,
        queue: 1,
        max_images: 1,
    };
    let refused = faussaire_studio::serve::run(options, &Default::default(), |_| panic!("it serves points"));
    assert!(refused.unwrap_err().to_string().contains("makes points"));
}
