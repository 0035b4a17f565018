//! The list of runs, what is known of one, what happens to it.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};

use serde_json::{Value, json};

use super::client::{connect, get, post, with};
use super::scene::{copied, studio, trained};

#[test]
fn runs_are_listed_and_described() {
    let server = studio(trained(), |_| ());
    let rows = get(server.at, "/api/runs").json();
    let ids: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["plain", "points", "told"]);
    let row = &rows[0];
    assert_eq!((&row["state"], &row["step"], &row["steps"]), (&"complete".into(), &12.into(), &12.into()));
    assert!(row["score"]["value"].as_f64().unwrap() > 0.0 && row["images_per_s"].as_f64().unwrap() > 0.0);
    assert_eq!(rows[1]["preset"], "ring");
    let one = get(server.at, "/api/runs/plain").json();
    assert_eq!(one["shape"], serde_json::json!([28, 28, 1]));
    assert!(one["generator"].as_str().unwrap().contains("conv 6 3x3"));
    assert!(one["config"].as_str().unwrap().contains("latent = 8") && one["labels"].is_null());
    assert_eq!((&one["can_stop"], &one["can_resume"]), (&false.into(), &true.into()));
    assert_eq!((&one["values"]["train.batch"], &one["values"]["latent"]), (&"8".into(), &"8".into()));
    assert_eq!(get(server.at, "/api/runs/told").json()["labels"]["names"].as_array().unwrap().len(), 10);
    let history = get(server.at, "/api/runs/plain/history").json();
    assert_eq!(history["step"], serde_json::json!([1, 10, 12]));
    for column in ["d_loss", "g_loss", "d_norm", "d_real", "real_score", "images_per_s", "penalty", "epoch", "train_s"]
    {
        assert_eq!(history[column].as_array().unwrap().len(), 3, "{column}");
    }
    let lines = fs::read_to_string(trained().join("plain/events.jsonl")).unwrap().lines().count();
    assert_eq!(history["line"], lines);
    let report = get(server.at, "/api/runs/plain/report");
    assert!(report.text().contains("<svg") && report.header("content-security-policy").unwrap().contains("sandbox"));
}

#[test]
fn the_preset_auto_makes_a_recipe_for_the_data() {
    let server = studio(trained(), |_| ());
    let presets = get(server.at, "/api/presets").json();
    assert_eq!((&presets[0]["name"], &presets[0]["data"]), (&"auto".into(), &Value::Null));
    let ask = |set: Value, data: &str| {
        post(server.at, "/api/recipe", &json!({ "preset": "auto", "data": data, "set": set, "steps": 7 }))
    };
    let found = ask(json!({ "train.batch": "8", "data.size": "16" }), "strokes").json();
    assert_eq!((&found["shape"], &found["steps"]), (&json!([16, 16, 1]), &json!(7)));
    assert!(found["reasons"][0].as_str().unwrap().ends_with("images of 16x16x1"), "{}", found["reasons"]);
    let config = found["config"].as_str().unwrap();
    assert!(config.contains("source = \"strokes\"") && config.contains("batch = 8") && config.contains("dir = \"\""));
    // The page shows what the rule chose beside what was changed.
    assert_eq!((&found["values"]["train.batch"], &found["values"]["train.precision"]), (&"64".into(), &"auto".into()));
    assert_eq!(found["command"], "train strokes --preset=auto --steps=7 --set=data.size=16 --set=train.batch=8");
    assert!(ask(json!({}), "ring").refusal(400).contains("points of the plane"));
    assert!(ask(json!({ "data.size": 1000 }), "strokes").refusal(400).contains("8x8 to 256x256"));
    // Nothing is downloaded for a preview.
    assert!(ask(json!({}), "quickdraw:The Eiffel Tower").refusal(400).contains("aren't on this machine"));
    let without = post(server.at, "/api/recipe", &json!({ "preset": "auto" }));
    assert!(without.refusal(400).contains("none is given"));
}

#[test]
fn sheets_are_sent_and_nothing_else_is() {
    let server = studio(trained(), |_| ());
    let sheet = get(server.at, "/api/runs/plain/sheets/000012.png");
    assert_eq!(sheet.body, fs::read(trained().join("plain/samples/000012.png")).unwrap());
    let tag = [("if-none-match", sheet.header("etag").unwrap())];
    assert_eq!(with(server.at, "GET", "/api/runs/plain/sheets/000012.png", &tag, b"").status, 304);
    let part = get(server.at, "/api/runs/plain/sheets/000012.png?part=38x14");
    assert_eq!((part.status, &part.body[16..24]), (200, [0, 0, 0, 38, 0, 0, 0, 14].as_slice()));
    assert_eq!(
        with(server.at, "GET", "/api/runs/plain/sheets/000012.png?part=38x14", &tag, b"").status,
        200,
        "another picture"
    );
    for wrong in ["0x5", "5", "x", "9999x1"] {
        assert_eq!(get(server.at, &format!("/api/runs/plain/sheets/000012.png?part={wrong}")).status, 400, "{wrong}");
    }
    for path in [
        "/api/runs/plain/sheets/000013.png",
        "/api/runs/plain/sheets/..%2fconfig.toml",
        "/api/runs/plain/sheets/%2e%2e/config.toml",
        "/api/runs/..%2fplain",
        "/api/runs/%2e%2e/history",
        "/api/runs/plain%00/history",
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
    ] {
        assert_eq!(get(server.at, path).status, 404, "{path}");
    }
}

#[test]
fn damaged_folders_are_shown_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let root = copied(folder.path());
    let write = |name: &str, text: &[u8]| {
        fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
        fs::write(root.join(name), text).unwrap();
    };
    write("a-config/config.toml", b"latent = \"x");
    write("b-huge/config.toml", &vec![b' '; 2 << 20]);
    write("c-log/config.toml", &fs::read(root.join("plain/config.toml")).unwrap());
    write("c-log/events.jsonl", b"{\"event\":\"start\",\"step\":0,\"steps\":1,\"steps_per_epoch\":1}\nnonsense\n");
    write("d-none/events.jsonl", b"");
    write("e-bytes/config.toml", &[0xff; 100]);
    // A recipe that claims more weights than memory holds, in front of the checkpoints of another.
    let claim = fs::read_to_string(root.join("plain/config.toml")).unwrap().replace("dense 7*7*4", "dense 7*7*90000");
    fs::rename(root.join("told"), root.join("f-claim")).unwrap();
    write("f-claim/config.toml", claim.replace("reshape 7 7 4", "reshape 7 7 90000").as_bytes());
    fs::write(root.join("plain/checkpoints/best/average.safetensors"), b"cut").unwrap();
    let mut expected =
        vec![("a-config", "TOML parse error"), ("b-huge", "expected at most"), ("c-log", "line 2 is not an event")];
    expected.extend([("d-none", "config.toml doesn't exist"), ("e-bytes", "config.toml")]);
    #[cfg(unix)]
    {
        write("g-link/config.toml", b"latent = 2");
        fs::create_dir_all(root.join("g-link/samples")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("g-link/events.jsonl")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("g-link/samples/1.png")).unwrap();
        expected.push(("g-link", "recipe key `generator.layers`: expected a list of texts, but it is missing"));
    }
    let server = studio(&root, |_| ());
    let rows = get(server.at, "/api/runs").json();
    let row = |id: &str| rows.as_array().unwrap().iter().find(|row| row["id"] == id).cloned().unwrap();
    for (id, reason) in expected {
        assert_eq!(row(id)["state"], "damaged", "{id}");
        assert!(row(id)["error"].as_str().unwrap().contains(reason), "{id}: {}", row(id)["error"]);
        for path in ["", "/history", "/events?after=0", "/report", "/noise", "/directions", "/samples?n=1"] {
            let reply =
                if path.starts_with("/events") { continue } else { get(server.at, &format!("/api/runs/{id}{path}")) };
            assert!(reply.status < 500, "{id}{path}: {}", reply.text());
            assert!(!reply.text().contains("root:"), "{id}{path}");
        }
    }
    assert_eq!(get(server.at, "/api/runs/g-link/sheets/1.png").status, 404);
    assert!(get(server.at, "/api/runs/f-claim/noise").refusal(422).contains("expected about"));
    assert!(get(server.at, "/api/runs/plain/noise?checkpoint=best").refusal(422).contains("expected about"));
    assert_eq!(get(server.at, "/api/runs/plain/noise?checkpoint=latest").status, 200);
    assert_eq!(row("points")["state"], "complete");
}

#[test]
fn a_long_log_refuses_a_report_only() {
    let folder = tempfile::tempdir().unwrap();
    let root = copied(folder.path());
    // Zeros without a line end: a sparse file.
    let log = OpenOptions::new().write(true).open(root.join("plain/events.jsonl")).unwrap();
    log.set_len((64 << 20) + 1).unwrap();
    let server = studio(&root, |_| ());
    let error = get(server.at, "/api/runs/plain/report").refusal(409);
    assert!(error.contains("events.jsonl has 67108865 bytes, the studio makes reports of at most"), "{error}");
    assert_eq!(get(server.at, "/api/runs/plain/noise").status, 200);
    assert_eq!(get(server.at, "/api/runs/plain/export?to=safetensors").status, 200);
    // The log can't be read, which is told at once, and each time.
    for _ in 0..2 {
        let began = std::time::Instant::now();
        let row = get(server.at, "/api/runs/plain").json();
        assert!(began.elapsed().as_secs() < 2, "{:?}", began.elapsed());
        assert!(row["error"].as_str().unwrap().contains("longer than"), "{row}");
    }
}

/// Events as they come.
struct Events(BufReader<std::net::TcpStream>);

impl Events {
    fn open(to: std::net::SocketAddr, path: &str) -> Self {
        let mut stream = connect(to);
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).unwrap();
        Self(BufReader::new(stream))
    }

    /// The next event's name and data.
    fn next(&mut self) -> (String, Value) {
        let mut name = String::new();
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream has ended");
            if let Some(text) = line.strip_prefix("event: ") {
                name = text.trim().to_owned();
            }
            if let Some(text) = line.strip_prefix("data: ") {
                return (name, serde_json::from_str(text).unwrap());
            }
        }
    }
}

#[test]
fn what_happens_is_told_as_it_happens() {
    let folder = tempfile::tempdir().unwrap();
    let root = copied(folder.path());
    let mut server = studio(&root, |_| ());
    let mut all = Events::open(server.at, "/api/events");
    let first: Vec<String> = (0..3).map(|_| all.next().1["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(first, ["plain", "points", "told"]);
    let line = get(server.at, "/api/runs/plain/history").json()["line"].as_u64().unwrap();
    let mut one = Events::open(server.at, &format!("/api/runs/plain/events?after={}", line - 1));
    assert_eq!(one.next().0, "checkpoint");
    let log = root.join("plain/events.jsonl");
    let mut file = OpenOptions::new().append(true).open(&log).unwrap();
    writeln!(file, "{{\"event\":\"start\",\"step\":12,\"steps\":40,\"steps_per_epoch\":8.0}}").unwrap();
    write!(file, "{{\"event\":\"sheet\",\"step\":20,").unwrap();
    assert_eq!(
        one.next(),
        ("start".into(), serde_json::json!({"event":"start","step":12,"steps":40,"steps_per_epoch":8.0}))
    );
    // The half line may have been seen first.
    let told = (0..5).map(|_| all.next()).find(|(_, row)| row["steps"] == 40).unwrap();
    assert_eq!((told.0.as_str(), &told.1["id"]), ("run", &"plain".into()));
    writeln!(file, "\"file\":\"samples/000020.png\"}}").unwrap();
    assert_eq!(one.next().0, "sheet");
    assert!((0..5).map(|_| all.next()).any(|(_, row)| row["sheet"] == "000020.png"));
    // A resumed run writes on from an earlier line.
    let text = fs::read_to_string(&log).unwrap();
    let kept: Vec<&str> = text.lines().take(3).collect();
    fs::write(&log, kept.join("\n") + "\n").unwrap();
    assert_eq!(one.next().0, "reset");
    // Somebody who comes too late is told so.
    assert_eq!(Events::open(server.at, "/api/runs/plain/events?after=99").next().0, "reset");
    fs::remove_dir_all(root.join("told")).unwrap();
    let gone = (0..9).map(|_| all.next()).find(|(name, _)| name == "gone").unwrap();
    assert_eq!(gone.1["id"], "told");
    // Streams don't hold the end up.
    server.ask();
    let began = std::time::Instant::now();
    server.ended();
    assert!(began.elapsed().as_secs() < 10);
}
