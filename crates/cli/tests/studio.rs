//! `faussaire studio` from end to end: a training is started from the page, watched, stopped and resumed, and continues
//! after the studio has ended. `faussaire serve` ends on a signal.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::Bench;
use serde_json::{Value, json};

/// A server of the bench's folder; killed with the test, if it is still there.
struct Server {
    child: Child,
    address: String,
    /// What the first line ends with: the query of the link.
    query: String,
}

/// A token for the tests.
const TOKEN: &str = "a token & 100% for tests";

impl Server {
    fn start(bench: &Bench, arguments: &[&str]) -> Self {
        let mut command = bench.command(arguments);
        // The environment hides the token from those who list processes.
        let command = command.env("FAUSSAIRE_TOKEN", TOKEN).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let link = line.trim().trim_start_matches("http://");
        let (address, query) = link.split_once('/').unwrap_or((link, ""));
        Self { child, address: address.into(), query: query.into() }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let own = format!("host: localhost\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n");
        let head = format!("{method} {path} HTTP/1.1\r\n{own}");
        let about = format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all([&head, &about, body].concat().as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask("POST", path, &body.to_string())
    }

    /// The run called `id` as soon as it is as wanted.
    fn wait(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let (_, rows) = self.ask("GET", "/api/runs", "");
            let row = rows.as_array().unwrap().iter().find(|row| row["id"] == id).cloned().unwrap_or_default();
            if wanted(&row) {
                return row;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{row}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Asks it to end, as Ctrl-C does, and expects that it does.
    #[cfg(unix)]
    fn interrupt(&mut self) {
        assert!(Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
#[test]
fn a_training_is_started_stopped_and_resumed_and_outlives_the_studio() {
    let bench = Bench::new();
    let mut studio = Server::start(&bench, &["studio", "runs", "--port", "0"]);
    assert!(studio.query.starts_with("?once=") && studio.query.len() == 38, "{}", studio.query);
    assert_eq!(studio.ask("GET", "/api/runs", ""), (200, json!([])));
    let small = json!({ "train.batch": 8, "train.sheet_every": 0 });
    let wish = json!({ "preset": "ring", "data": "ring", "steps": 2_000_000, "set": small, "seed": 4 });
    let (status, begun) = studio.post("/api/runs", &wish);
    assert_eq!((status, &begun), (201, &json!({ "id": "0001-ring-ring" })));
    let id = "0001-ring-ring";
    let row = studio.wait(id, |row| row["state"] == "running" && row["step"].as_u64() > Some(20));
    assert_eq!((&row["steps"], &row["data"]), (&2_000_000.into(), &"ring".into()));
    assert_eq!(studio.post(&format!("/api/runs/{id}/resume"), &json!({})).0, 409);
    assert_eq!(studio.post(&format!("/api/runs/{id}/stop"), &json!({})).0, 202);
    let row = studio.wait(id, |row| row["state"] == "stopped");
    let saved = row["step"].as_u64().unwrap();
    assert!(bench.path(&format!("runs/{id}/samples/{saved:06}.png")).exists(), "it saved before it stopped");
    assert!(!bench.path(&format!("runs/{id}/stop")).exists());
    assert_eq!(studio.post(&format!("/api/runs/{id}/stop"), &json!({})).0, 409);
    // And on.
    assert_eq!(studio.post(&format!("/api/runs/{id}/resume"), &json!({ "steps": saved + 40 })).0, 202);
    let row = studio.wait(id, |row| row["state"] == "complete");
    assert_eq!(row["step"], saved + 40);
    assert_eq!(studio.post(&format!("/api/runs/{id}/resume"), &json!({ "steps": saved + 1_000_000 })).0, 202);
    studio.wait(id, |row| row["state"] == "running");
    studio.interrupt();
    // The next studio finds it training, and can stop it although it didn't start it.
    let studio = Server::start(&bench, &["studio", &format!("runs/{id}"), "--port", "0"]);
    studio.wait(id, |row| row["state"] == "running");
    assert_eq!(studio.post(&format!("/api/runs/{id}/stop"), &json!({})).0, 202);
    studio.wait(id, |row| row["state"] == "stopped");
}

#[test]
fn a_training_that_can_not_begin_says_why() {
    let bench = Bench::new();
    let studio = Server::start(&bench, &["studio", "runs", "--port", "0"]);
    // Known by name, but not on this machine, and never fetched by itself.
    let (status, refused) = studio.post("/api/runs", &json!({ "preset": "tp", "data": "celeba", "steps": 1 }));
    assert_eq!(status, 422, "{refused}");
    assert!(refused["error"].as_str().unwrap().contains("celeba") && !refused["hint"].as_str().unwrap().is_empty());
    assert_eq!(studio.ask("GET", "/api/runs", "").1, json!([]), "nothing is left of it");
    for wish in [
        json!({ "preset": "tp", "data": "/etc", "steps": 1 }),
        json!({ "preset": "tp", "set": { "train.batch": 0 } }),
        json!({ "preset": "tp", "set": { "data.dir": "/etc" } }),
        json!({ "preset": "tp", "epochs": 0, "set": {} }),
    ] {
        let (status, refused) = studio.post("/api/runs", &wish);
        assert_eq!(status, 400, "{wish}: {refused}");
    }
    let (status, plan) = studio.post("/api/recipe", &json!({ "preset": "quick", "set": { "train.batch": 16 } }));
    assert_eq!(
        (status, &plan["parameters"], &plan["steps_per_epoch"]),
        (200, &json!([142_721, 94_249]), &600.0.into())
    );
    assert!(plan["estimate"]["images_per_s"].as_f64().unwrap() > 1.0);
    assert!(plan["estimate"]["memory_bytes"].as_u64().unwrap() > 1 << 20);
}

#[test]
fn a_token_that_is_easily_guessed_is_refused_and_its_absence_asked_for() {
    let bench = Bench::new();
    for command in [vec!["studio", "runs"], vec!["serve", "run"]] {
        for (more, said) in [
            (vec!["--token", ""], "the token is empty"),
            (vec!["--token", "x"], "the token has 1 character, expected 16 or more"),
            (vec!["--host", "0.0.0.0", "--token", "0000000000000000"], "1 distinct character,"),
            (vec!["--host", "0.0.0.0", "--no-token"], "without a token"),
            (vec!["--no-token", "--token", "0123456789abcdef"], "cannot be used with"),
        ] {
            let arguments = [command.clone(), more].concat();
            let error = bench.fails(&arguments, 2);
            assert!(error.contains(said), "{arguments:?}: {error}");
        }
        let empty = bench.command(&command).env("FAUSSAIRE_TOKEN", "").output().unwrap();
        let error = String::from_utf8_lossy(&empty.stderr).into_owned();
        assert!(empty.status.code() == Some(2) && error.contains("the token is empty"), "{error}");
    }
}

#[test]
fn a_studio_without_a_token_prints_a_plain_address() {
    let bench = Bench::new();
    let studio = Server::start(&bench, &["studio", "runs", "--port", "0", "--no-token"]);
    assert_eq!((studio.query.as_str(), studio.ask("GET", "/api/runs", "").0), ("", 200));
}

#[test]
fn keys_are_listed() {
    let bench = Bench::new();
    let text = bench.ok(&["presets", "--keys"]);
    assert!(text.contains("train.batch") && text.contains("nonsaturating") && text.contains("[default: 64]"), "{text}");
    let schema: serde_json::Value = serde_json::from_str(&bench.ok(&["presets", "--schema"])).unwrap();
    let batch = &schema["properties"]["train"]["properties"]["batch"];
    assert_eq!((&batch["default"], &batch["maximum"]), (&json!(64), &json!(65_536)));
}

#[cfg(unix)]
#[test]
fn a_service_ends_on_a_signal() {
    let bench = Bench::new();
    bench.train("run", &[]);
    let mut service = Server::start(&bench, &["serve", "run", "--port", "0"]);
    let (status, made) = service.post("/generate", &json!({ "n": 2, "format": "json" }));
    assert_eq!((status, made["images"].as_array().unwrap().len()), (200, 2));
    service.interrupt();
    let error = bench.fails(&["serve", "nowhere"], 1);
    assert!(error.contains("there is no run nowhere"), "{error}");
}
